// SPDX-License-Identifier: Apache-2.0
// What a commit to the tests hides: tests that fail each time it is taken back alone.

/// Tests of one suite that fail without one commit.
package struct HiddenFailures: Hashable, Sendable {
    /// Runs without the commit, each of them failed, that a test needs before it counts.
    private static let runsNeeded = 3

    package var commit: Revision
    /// As they failed first, in the order of that run.
    package var tests: [TestResult]
    /// The run in which they failed first.
    package var shown: StageRecord

    /// For each commit that experiments took back alone; verdict and diagnosis rest on the same.
    package static func of(
        suite: String, experiments: [ExperimentRecord], records: some Sequence<StageRecord>
    ) -> [HiddenFailures] {
        let taken = experiments.filter { $0.experiment.kind == .revert && !$0.refused }
        let commits = Set(taken.compactMap(\.experiment.reverting)).sorted()
        return commits.compactMap { commit in
            let numbers = taken.filter { $0.experiment.reverting == commit }.map(\.experiment.number)
            let runs = records.filter { record in
                record.run.kind == .test && record.run.subject == suite && record.suite != nil
                    && record.run.experiment.map(numbers.contains) == true
            }
            guard let shown = runs.first(where: { !failures($0).isEmpty }) else { return nil }
            let tests = failures(shown).filter { failsEachTime($0.id, runs) }
            return tests.isEmpty ? nil : HiddenFailures(commit: commit, tests: tests, shown: shown)
        }
    }

    private static func failures(_ run: StageRecord) -> [TestResult] {
        (run.suite?.notPassed ?? []).filter(\.outcome.isFailure)
    }

    private static func failsEachTime(_ test: String, _ runs: [StageRecord]) -> Bool {
        let asked = runs.filter { $0.run.only?.contains(test) ?? true }
        return asked.count >= runsNeeded && asked.allSatisfy { failures($0).contains { $0.id == test } }
    }
}
