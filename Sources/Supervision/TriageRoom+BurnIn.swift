// SPDX-License-Identifier: Apache-2.0
// Which tests that passed are new or changed: what git says of the files of tests, and where in them each test stands.

import Domain
import Engine
import Evidence
import Platform
import Triage

extension TriageRoom {
    /// More tests or files than these are no few changed ones.
    private static let testsRead = 20_000
    private static let filesRead = 60

    /// Empty where nothing is to be tried, or git cannot tell.
    func changedTests(_ cycle: CycleProgress, _ suites: [SuiteRecord], _ budget: TriageBudget) async -> [ChangedTest] {
        guard budget.burnIn != nil, let green = cycle.lastGreen, green != cycle.wanted,
            let repository = context.repository, !cycle.records.contains(where: { $0.outcome == .stopped })
        else { return [] }
        let passed = passed(suites, cycle.number)
        guard !passed.isEmpty, let changes = try? await repository.differences(from: green, to: cycle.wanted) else {
            return []
        }
        let ofTests = changes.filter { change in
            FileKind.isTest(change.path) || passed.contains { ChangedTests.isSource(change.path, of: $0) }
        }
        guard !ofTests.isEmpty, ofTests.count <= TriageRoom.filesRead else { return [] }
        let sources = await read(ofTests.map { ($0.path, $0.hunks) }, at: cycle.wanted, repository)
        // A helper that tests share may be named in any of their files.
        let isShared = sources.contains { source in !passed.contains { ChangedTests.isSource(source.path, of: $0) } }
        var readable = sources
        if isShared, let all = try? await repository.files(of: cycle.wanted) {
            let others = all.filter { path in
                !sources.contains { $0.path == path } && passed.contains { ChangedTests.isSource(path, of: $0) }
            }
            let rest = others.prefix(TriageRoom.filesRead).map { ($0, [ClosedRange<Int>]()) }
            readable += await read(Array(rest), at: cycle.wanted, repository)
        }
        let failing = Set(suites.flatMap(\.notPassed).map(\.id))
        return ChangedTests.find(passed, sources, readable: readable, failing: failing)
    }

    private func read(
        _ files: [(path: String, hunks: [ClosedRange<Int>])], at revision: Revision, _ repository: Repository
    ) async -> [ChangedSource] {
        var found: [ChangedSource] = []
        for file in files {
            guard let text = try? await repository.text(of: file.path, at: revision) else { continue }
            found.append(ChangedSource(path: file.path, text: text, changed: file.hunks))
        }
        return found
    }

    private func passed(_ suites: [SuiteRecord], _ cycle: Int) -> [ChangedTest] {
        var found: [ChangedTest] = []
        for suite in suites where found.count < TriageRoom.testsRead {
            guard let file = suite.testsFile, let path = context.layout.file(file, inCycle: cycle) else { continue }
            try? TestsFile.forEach(path) { test in
                guard test.outcome == .passed, found.count < TriageRoom.testsRead else { return }
                found.append(ChangedTest(suite: suite.name, id: test.id, seconds: test.durationSeconds ?? 0))
            }
        }
        return found
    }
}

extension Repository {
    /// What differs between two revisions, line by line as it stands in the second; without files that are gone.
    func differences(from one: Revision, to other: Revision) async throws(RepositoryError) -> [Triage.FileChange] {
        let text = try await git(
            [
                "diff", "--raw", "--patch", "--unified=0", "--no-renames", "--no-color", "--no-ext-diff",
                "--no-textconv", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options",
                one.id, other.id, "--",
            ], to: "compare \(one.short) and \(other.short)")
        let marked = [PatchReader.commitMark] + Array(other.id.utf8) + [10] + Array(text.utf8)
        return (PatchReader.read(marked, isWhole: true)[other] ?? []).filter { $0.added > 0 || $0.removed > 0 }
    }

    func text(of path: String, at revision: Revision) async throws(RepositoryError) -> String {
        try await git(["show", "--no-textconv", "--end-of-options", "\(revision.id):\(path)"], to: "read \(path)")
    }

    func files(of revision: Revision) async throws(RepositoryError) -> [String] {
        let text = try await git(
            ["ls-tree", "-r", "--name-only", "-z", "--full-tree", "--end-of-options", revision.id],
            to: "list the files of \(revision.short)")
        return text.split(separator: "\0").map(String.init)
    }
}
