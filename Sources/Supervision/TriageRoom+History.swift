// SPDX-License-Identifier: Apache-2.0
// Looks up what the failing tests did in earlier cycles. Triage gets figures; the index is read here.

import Domain
import Engine
import Evidence
import Triage

extension TriageRoom {
    /// More failing tests than this are no question of single tests' habits.
    private static let testsLookedUp = 500

    /// The past of every test that failed in this cycle, by `TriageCase.historyKey`. A test without one is new, or the
    /// index cannot be read: then triage asks without it.
    func history(_ cycle: CycleProgress) async -> [String: TestHistory] {
        var failing: [String: Set<String>] = [:]
        var count = 0
        for record in cycle.records {
            guard let suite = record.run.subject, let reading = record.suite else { continue }
            for result in reading.notPassed where result.outcome.isFailure && count < TriageRoom.testsLookedUp {
                if failing[suite, default: []].insert(result.id).inserted { count += 1 }
            }
        }
        let layout = context.layout
        let wanted = failing
        let found = try? await EvidenceReading.run { () throws(EvidenceError) in
            try TriageRoom.lookUp(wanted, layout)
        }
        return found ?? [:]
    }

    private static func lookUp(
        _ failing: [String: Set<String>], _ layout: EvidenceLayout
    ) throws(EvidenceError) -> [String: TestHistory] {
        var found: [String: TestHistory] = [:]
        for (suite, tests) in failing.sorted(by: { $0.key < $1.key }) {
            // One test is read with its own outcomes only, several at once with all.
            let single = tests.count == 1 ? tests.first : nil
            guard let table = try HistoryTable.load(layout, suite: suite, test: single) else { continue }
            for statistics in table.statistics(of: tests) {
                found[TriageCase.historyKey(statistics.test, of: suite)] = TestHistory(statistics)
            }
        }
        return found
    }
}

extension TestHistory {
    init(_ statistics: TestStatistics) {
        self.init(
            runs: statistics.runs, failures: statistics.failures, repeatedRevisions: statistics.repeatedRevisions,
            mixedRevisions: statistics.mixedRevisions, flakeRate: statistics.flakes.estimate,
            flakeRateLow: statistics.flakes.low, flakeRateHigh: statistics.flakes.high,
            lastPassed: statistics.lastPassed, usualSeconds: statistics.usualSeconds)
    }
}
