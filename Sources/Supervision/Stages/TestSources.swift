// SPDX-License-Identifier: Apache-2.0
// Whether the sources of a suite's tests changed since its last sound run: then other tests are no surprise.

import Domain
import Evidence

struct TestSources: Sendable {
    let context: LoopContext
    let suite: SuiteSettings

    /// False also where it cannot be told: `nightjar accept-baseline` is for that.
    func changed(since last: SuitePast, to revision: Revision, tests: Revision?) async -> Bool {
        if suite.repository != nil { return tests != nil && tests != testsRevision(of: last) }
        guard let repository = context.repository, last.revision != revision else { return false }
        let files = (try? await repository.changedFiles(last.revision, revision)) ?? []
        return files.contains(where: TestSources.isTest)
    }

    /// The commit of the tests in that run, where they have a repository of their own.
    private func testsRevision(of last: SuitePast) -> Revision? {
        let record = try? CycleReader(context.layout).record(last.cycle)
        return record?.stages.last { $0.run.subject == suite.name && $0.run.only == nil }?.suite?.testsRevision
    }

    /// Paths that name tests, as people name them: `tests/test_login.py`, `LoginSpec.js`, `e2e/login.ts`.
    static func isTest(_ path: String) -> Bool {
        let lowercase = path.lowercased()
        return ["test", "spec", "e2e"].contains { lowercase.contains($0) }
    }
}
