// SPDX-License-Identifier: Apache-2.0
// Plain binary search over the commits after the last green one, by what was observed after deployments. The pass of
// the cycle itself does not count: what it saw may have been the surroundings.

import Domain

struct Search {
    /// Commits that may have brought the failure, oldest first.
    let suspects: [CommitInfo]
    /// The commit that is confirmed: it fails, its parent passes.
    let culprit: CommitInfo?
    /// Where to look next; nil where the search is over or stuck.
    let next: Revision?

    init(_ suspicion: Suspicion, _ facts: TriageCase) {
        let commits = facts.commits
        let deployed = Suspicion.afterDeployments(facts)
        let seen = commits.map { suspicion.observation(on: $0.revision, in: deployed) }
        let firstFailing = seen.indices.first { seen[$0].isFailing } ?? commits.indices.last
        guard let firstFailing else {
            suspects = []
            culprit = nil
            next = nil
            return
        }
        let lastPassing = seen.indices.last { $0 < firstFailing && seen[$0].isPassing }
        let start = lastPassing.map { $0 + 1 } ?? 0
        suspects = Array(commits[start...firstFailing])
        let isBounded = seen[firstFailing].isFailing
        culprit = suspects.count == 1 && isBounded ? suspects.first : nil
        let inner = Array(start..<firstFailing).filter { !seen[$0].untestable && !seen[$0].isMixed }
        let middle = (start + firstFailing) / 2
        if suspects.count > 1 {
            next = inner.min { abs($0 - middle) < abs($1 - middle) }.map { commits[$0].revision }
        } else {
            next = seen[firstFailing] == Observation() ? commits[firstFailing].revision : nil
        }
    }

    /// The next step for the first suspicion whose cause is a commit; its deployment serves the others too.
    static func experiment(_ open: [Account], _ facts: TriageCase) -> Experiment? {
        guard Investigator.may(.bisect, facts) else { return nil }
        for account in open where account.green.isPassing && !account.again.isPassing && !account.again.isMixed {
            if account.suspicion.mayBeSurroundings, account.wrong == nil, account.again == Observation() { continue }
            guard let step = account.search.next else { continue }
            let left = account.search.suspects.count
            let question =
                left == 1
                ? "bisect: 1 suspect; deploy \(step.short) once more: does the failure come back?"
                : "bisect: \(left) suspects, at most \(deploysNeeded(left)) deploys of \(facts.allowance.deploys) left; \(step.short)?"
            return Investigator.experiment(.bisect, step, question, open, facts)
        }
        return nil
    }

    static func deploysNeeded(_ suspects: Int) -> Int {
        var steps = 0
        var left = suspects
        while left > 1 {
            left = (left + 1) / 2
            steps += 1
        }
        return steps
    }
}
