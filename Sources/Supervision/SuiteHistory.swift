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
    /// Why the index of tests, and that of cycles, could not be brought up to date or read when that was last tried.
    private var testsProblem: String?
    private var cyclesProblem: String?

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

    /// What the suite is usually like.
    struct Usual: Sendable {
        /// As far as it was not accepted to have changed.
        var baseline = SuiteBaseline()
        /// The last sound run.
        var last: SuitePast?
        /// Why something of it is missing, so that a rule cannot judge.
        var unread: String?
        /// What went wrong and leaves enough to judge by.
        var warning: String?
    }

    func usual(of suite: String) async -> Usual {
        if !isIndexed { await remember() }
        let layout = layout
        do {
            let (runs, accepted) = try await EvidenceReading.run { () throws(EvidenceError) in
                let accepted = try AcceptedBaseline.newest(for: suite, layout)
                let runs = try SuitePast.newest(SuiteBaseline.newest, of: suite, after: accepted?.cycle ?? 0, layout)
                return (runs, accepted?.words)
            }
            _ = loaded()
            let isLearned = runs.count >= SuiteRules.learningCycles
            return Usual(
                baseline: SuiteBaseline(runs.map { SuiteBaseline.Run($0) }, accepted: accepted), last: runs.last,
                unread: cyclesProblem ?? (isLearned ? nil : testsProblem), warning: testsProblem)
        } catch {
            return Usual(unread: "\(error)")
        }
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
        do {
            _ = try await EvidenceReading.run { () throws(EvidenceError) in try HistoryStore.update(layout) }
            testsProblem = nil
        } catch {
            testsProblem = "\(error)"
        }
    }

    /// The newest cycles, oldest first.
    package func cycles() -> [CycleSummary] { loaded()?.cycles ?? [] }

    /// Whether the index lists a cycle as its newest.
    package func lists(_ cycle: Int) -> Bool {
        guard let index = loaded() else { return false }
        return index.cycles.last?.cycle == cycle && !index.missing.contains(cycle)
    }

    private func loaded() -> EvidenceIndex? {
        if index == nil {
            do throws(EvidenceError) {
                index = try EvidenceIndex.load(layout, newest: SuiteHistory.newest)
                cyclesProblem = nil
            } catch {
                cyclesProblem = error.description
            }
        }
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
