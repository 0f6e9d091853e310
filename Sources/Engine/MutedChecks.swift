// SPDX-License-Identifier: Apache-2.0
// A pass that another commit's change to the tests has made: with that commit alone taken back, tests of the suite fail.

import Domain

enum MutedChecks {
    /// A test that is not run any more does not fail either. What everybody knows of, in quarantine, is hidden from nobody.
    ///
    /// - soft: what it comes to, by whether the suite blocks.
    static func reasons(
        _ suite: SuiteRecord, _ cycle: CycleProgress, _ quarantine: Quarantine, soft: Verdict
    ) -> [Reason] {
        let failing = Set(suite.notPassed.filter(\.outcome.isFailure).map(\.id))
        let found = HiddenFailures.of(suite: suite.name, experiments: cycle.experiments, records: cycle.deciding)
        return found.compactMap { hidden in
            let tests = hidden.tests.filter { !failing.contains($0.id) && quarantine.entry(for: $0.id) == nil }
            guard let first = tests.first else { return nil }
            let (they, them) = tests.count == 1 ? ("test does", "it does") : ("tests do", "they do")
            let message = first.message.map { ": \(firstLine($0))" } ?? ""
            return Reason(
                rule: Reason.checksMuted, verdict: soft,
                text:
                    "\(tests.count) \(they) not fail here, and without \(hidden.commit.short) alone \(them) each time; "
                    + "\(first.id)\(message)",
                subject: suite.name, evidence: hidden.shown.suite?.testsFile)
        }
    }
}
