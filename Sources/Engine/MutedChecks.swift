// SPDX-License-Identifier: Apache-2.0
// A pass that another commit's change to the tests has made: with that commit alone taken back, tests of the suite fail.

import Domain

enum MutedChecks {
    /// Runs without the commit, each of them failed, that a test needs before it counts.
    private static let runsNeeded = 3

    /// A test that is not run any more does not fail either. What everybody knows of, in quarantine, is hidden from nobody.
    ///
    /// - soft: what it comes to, by whether the suite blocks.
    static func reasons(
        _ suite: SuiteRecord, _ cycle: CycleProgress, _ quarantine: Quarantine, soft: Verdict
    ) -> [Reason] {
        let failing = Set(suite.notPassed.filter(\.outcome.isFailure).map(\.id))
        let taken = cycle.experiments.filter { $0.experiment.kind == .revert && !$0.refused }
        let commits = Set(taken.compactMap(\.experiment.reverting)).sorted { $0.id < $1.id }
        return commits.compactMap { commit in
            let numbers = Set(taken.filter { $0.experiment.reverting == commit }.map(\.experiment.number))
            let runs = cycle.deciding.filter { record in
                record.run.kind == .test && record.run.subject == suite.name && record.suite != nil
                    && numbers.contains(record.run.experiment ?? 0)
            }
            let hidden = runs.flatMap { $0.suite?.notPassed ?? [] }.filter(\.outcome.isFailure).map(\.id)
                .filter { !failing.contains($0) && quarantine.entry(for: $0) == nil && failsEachTime($0, runs) }
            guard let first = hidden.first else { return nil }
            let message = runs.lazy.flatMap { $0.suite?.notPassed ?? [] }.first { $0.id == first }?.message
            let count = Set(hidden).count
            return Reason(
                rule: Reason.checksMuted, verdict: soft,
                text: "\(count) \(count == 1 ? "test does" : "tests do") not fail here, and without \(commit.short) alone "
                    + "\(count == 1 ? "it does" : "they do") each time; \(first)\(message.map { ": \(firstLine($0))" } ?? "")",
                subject: suite.name, evidence: runs.last?.suite?.testsFile)
        }
    }

    private static func failsEachTime(_ test: String, _ runs: [StageRecord]) -> Bool {
        let asked = runs.filter { $0.run.only?.contains(test) ?? true }
        return asked.count >= runsNeeded
            && asked.allSatisfy { run in
                run.suite?.notPassed.contains { $0.id == test && $0.outcome.isFailure } ?? false
            }
    }
}
