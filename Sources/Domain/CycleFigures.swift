// SPDX-License-Identifier: Apache-2.0
// Figures that several readers need of one record, computed in one place so that they agree everywhere.

extension Totals {
    /// Passed tests in percent of all tests, also of those that were skipped or did not run; nil where there are none.
    package var passRate: Double? {
        tests > 0 ? 100 * Double(passed) / Double(tests) : nil
    }
}

extension CycleRecord {
    /// Summed over the suites of the pass that decided the verdict.
    package var totals: Totals { suites.reduce(Totals()) { $0 + $1.totals } }

    /// Tests that failed and passed on one revision: within their tool, or when they were run again alone.
    package var flakyTests: Int {
        let byTool = totals.flaky
        let named = reasons.count { $0.rule == "flaky" && $0.subject != nil }
        return byTool + max(0, named - suites.count { $0.totals.flaky > 0 })
    }

    /// The stage run that decided about a suite.
    package func stage(of suite: SuiteRecord) -> StageRecord? {
        suite.stage.flatMap { folder in stages.first { $0.run.folder == folder } }
    }
}
