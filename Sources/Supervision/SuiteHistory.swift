// SPDX-License-Identifier: Apache-2.0
// What the newest cycles say about a suite: which tests it has, and how many. A bounded part of the index is kept in
// memory: a daemon that runs for weeks must not grow with its past.

import Domain
package import Evidence
import TestReports

package actor SuiteHistory {
    /// More than the soft rules look at, for suites that do not run in every cycle.
    private static let newest = 60

    private let layout: EvidenceLayout
    private var index: EvidenceIndex?
    private var known: [String: [KnownTest]] = [:]

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// The tests of the last sound run of the suite; empty where there was none.
    func knownTests(of suite: String) -> [KnownTest] {
        if let cached = known[suite] { return cached }
        let past = try? loaded()?.lastTests(suite: suite)
        let tests = past?.tests.map { KnownTest(id: $0.id, selector: $0.selector) } ?? []
        known[suite] = tests
        return tests
    }

    /// Test counts of the newest sound runs.
    func counts(of suite: String) -> [Int] {
        loaded()?.completeRuns(of: suite, 20).map(\.totals.tests) ?? []
    }

    package func add(_ summary: CycleSummary) {
        _ = loaded()
        index?.add(summary)
        while let cycles = index?.cycles, cycles.count > SuiteHistory.newest, let oldest = cycles.first {
            index?.remove(oldest.cycle)
        }
        known = [:]
    }

    /// The newest cycles, oldest first.
    package func cycles() -> [CycleSummary] { loaded()?.cycles ?? [] }

    /// Whether the index lists a cycle as its newest.
    package func lists(_ cycle: Int) -> Bool {
        guard let index = loaded() else { return false }
        return index.cycles.last?.cycle == cycle && !index.missing.contains(cycle)
    }

    private func loaded() -> EvidenceIndex? {
        if index == nil { index = try? EvidenceIndex.load(layout, newest: SuiteHistory.newest) }
        return index
    }
}
