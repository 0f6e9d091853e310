// SPDX-License-Identifier: Apache-2.0
// What earlier cycles say about a suite: which tests it has, how many, how long it takes. Kept in memory from the
// index, which is read once.

import Domain
package import Evidence
import TestReports

package actor SuiteHistory {
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
        known = [:]
    }

    /// Retention has deleted the cycle: asked to delete it again it would fail, and delete nothing ever after.
    func forget(_ cycle: Int) {
        index?.remove(cycle)
        known = [:]
    }

    package func all() -> EvidenceIndex? { loaded() }

    private func loaded() -> EvidenceIndex? {
        if index == nil { index = try? EvidenceIndex.load(layout) }
        return index
    }
}
