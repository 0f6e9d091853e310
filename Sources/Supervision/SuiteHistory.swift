// SPDX-License-Identifier: Apache-2.0
// What the newest cycles say about a suite: which tests it has, and how many. A bounded part of the index is kept in
// memory: a daemon that runs for weeks must not grow with its past.

import Domain
import Engine
package import Evidence
import TestReports

package actor SuiteHistory {
    /// More than the soft rules look at, for suites that do not run in every cycle.
    private static let newest = 60

    private let layout: EvidenceLayout
    private var index: EvidenceIndex?
    private var known: [String: [KnownTest]] = [:]
    /// Whether the index of tests was brought up to date since the start.
    private var isIndexed = false

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

    /// What the suite is usually like, as far as it was not accepted to have changed; and its last sound run.
    func baseline(of suite: String) async -> (baseline: SuiteBaseline, last: SuitePast?) {
        if !isIndexed { await remember() }
        let layout = layout
        let past = try? await EvidenceReading.run { () throws(EvidenceError) in
            let accepted = try AcceptedBaseline.newest(for: suite, layout)
            let runs = try SuitePast.newest(SuiteBaseline.newest, of: suite, after: accepted?.cycle ?? 0, layout)
            return (runs, accepted?.words)
        }
        guard let (runs, accepted) = past else { return (SuiteBaseline(), nil) }
        return (SuiteBaseline(runs.map { SuiteBaseline.Run($0) }, accepted: accepted), runs.last)
    }

    package func add(_ summary: CycleSummary) async {
        await remember()
        _ = loaded()
        index?.add(summary)
        while let cycles = index?.cycles, cycles.count > SuiteHistory.newest, let oldest = cycles.first {
            index?.remove(oldest.cycle)
        }
        known = [:]
    }

    /// Brings the index of tests up to date. It can be made again at any time: what fails here is tried with the next cycle.
    private func remember() async {
        isIndexed = true
        let layout = layout
        _ = try? await EvidenceReading.run { () throws(EvidenceError) in try HistoryStore.update(layout) }
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

extension SuiteBaseline.Run {
    init(_ past: SuitePast) {
        self.init(
            tests: past.tests, skipped: past.skipped, failing: past.failing, wallSeconds: past.durationSeconds,
            cpuSeconds: past.cpuSeconds, peakMemoryBytes: past.peakMemoryBytes,
            hasContactedHosts: past.hasContactedHosts, timingPrint: past.timingPrint, vanished: past.vanished)
    }
}
