// SPDX-License-Identifier: Apache-2.0
// Where no deployment can tell: the one commit that changed what alone can do this. It is said to be likely, and why.

import Domain

enum Elimination {
    /// What is said of one that is found so: nothing was seen to fail and to pass.
    static let probability = 0.8

    struct Found: Hashable {
        var commit: CommitInfo
        /// The files by which it is the only one.
        var files: [String]
        var because: String
    }

    /// What keeps answering outlasts every deployment, so that no revision can be asked. What stops the old and starts the
    /// new are the files of the deployment.
    static func ofWrongRevision(_ account: Account) -> Found? {
        guard account.wrong != nil, account.culprit == nil, !account.hasControl, account.wasRedeployed else {
            return nil
        }
        let facts = account.facts
        // The first commit after the last green revision must have been asked, and not have answered either.
        let oldest = facts.commits.first?.revision
        let wasAsked = oldest.map { revision in
            revision == facts.wanted || facts.experiments.contains { $0.experiment.revision == revision }
        }
        guard wasAsked == true else { return nil }
        return only(
            facts, Paths.isOfDeployment,
            "no other commit since last green changed how services are stopped and started; no deployment can tell, as what keeps answering outlasts each"
        )
    }

    /// A suite's command ends well although tests fail. A revision tells of it only where one fails: those before the
    /// commit still ended badly, those from it on do not.
    static func ofLie(_ suite: String, _ facts: TriageCase) -> Found? {
        var first = 0
        var last = facts.commits.count - 1
        for (index, commit) in facts.commits.enumerated() {
            let runs = facts.records.filter {
                $0.run.kind == .test && $0.run.subject == suite && $0.run.revision == commit.revision
                    && ($0.suite?.totals.failing ?? 0) > 0
            }
            let lies = runs.contains(where: isLie)
            let isHonest = runs.contains { !isLie($0) && $0.outcome == .failed }
            if lies, !isHonest { last = min(last, index) }
            if isHonest, !lies { first = max(first, index + 1) }
        }
        guard first <= last, last < facts.commits.count else { return nil }
        return only(
            facts, Paths.runsTests,
            "no other commit since last green changed how the tests are run",
            among: first...last)
    }

    private static func isLie(_ record: StageRecord) -> Bool {
        let reading = record.suite
        let all = (reading?.doubts ?? []) + (reading?.authenticity.reasons ?? [])
        return all.contains { $0.rule == "exit-zero-with-failures" }
    }

    /// The only commit that changed such a file, other than in what is said.
    private static func only(
        _ facts: TriageCase, _ counts: (String) -> Bool, _ because: String, among range: ClosedRange<Int>? = nil
    ) -> Found? {
        let commits = range.map { Array(facts.commits[$0]) } ?? facts.commits
        let able = commits.compactMap { commit -> Found? in
            let files = commit.files.filter { path in
                counts(path) && commit.changes.first { $0.path == path }?.isOnlySaid != true
            }
            return files.isEmpty ? nil : Found(commit: commit, files: files, because: because)
        }
        return able.count == 1 ? able.first : nil
    }
}
