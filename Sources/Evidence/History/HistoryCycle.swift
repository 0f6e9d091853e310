// SPDX-License-Identifier: Apache-2.0
// What the history index remembers of one cycle: each run of each suite, and what each test did in it.

package import Domain

/// One run of one suite.
package struct HistoryRun: Hashable, Sendable {
    package struct Test: Hashable, Sendable {
        package var id: String
        package var outcome: TestOutcome
        package var durationSeconds: Double?
        /// Whether a diagnosis gives this failure a cause other than the test's own whim: one that is proven or likely, or
        /// one of the surroundings at any grade.
        package var isExplained: Bool

        package init(id: String, outcome: TestOutcome, durationSeconds: Double? = nil, isExplained: Bool = false) {
            self.id = id
            self.outcome = outcome
            self.durationSeconds = durationSeconds
            self.isExplained = isExplained
        }
    }

    package var suite: String
    package var purpose: Purpose
    package var outcome: StageOutcome
    package var revision: Revision
    /// All tests of the suite, and not a selection.
    package var isWhole: Bool
    /// The evidence contradicts itself: it counts nowhere.
    package var isContradicted: Bool
    /// A doubt that touches the outcomes themselves (times that cannot be, no host contacted), or an environment that was
    /// not well: it counts nowhere.
    package var isHollow: Bool
    /// Any doubt at all: the soft rules learn nothing from it.
    package var isDoubtful: Bool
    package var hasContactedHosts: Bool
    package var startedAt: Timestamp
    package var durationSeconds: Double
    package var cpuSeconds: Double?
    package var peakMemoryBytes: Int64?
    package var totals: Totals
    package var tests: [Test]

    package init(
        suite: String, purpose: Purpose = .cycle, outcome: StageOutcome = .succeeded, revision: Revision,
        isWhole: Bool = true, isContradicted: Bool = false, isHollow: Bool = false, isDoubtful: Bool = false,
        hasContactedHosts: Bool = false, startedAt: Timestamp, durationSeconds: Double, cpuSeconds: Double? = nil,
        peakMemoryBytes: Int64? = nil, tests: [Test]
    ) {
        self.suite = suite
        self.purpose = purpose
        self.outcome = outcome
        self.revision = revision
        self.isWhole = isWhole
        self.isContradicted = isContradicted
        self.isHollow = isHollow
        self.isDoubtful = isDoubtful
        self.hasContactedHosts = hasContactedHosts
        self.startedAt = startedAt
        self.durationSeconds = durationSeconds
        self.cpuSeconds = cpuSeconds
        self.peakMemoryBytes = peakMemoryBytes
        self.tests = tests
        totals = tests.reduce(into: Totals()) { $0.add($1.outcome) }
    }

    /// More than 80 % of at least 5 tests: a suspicion of the environment, which pollutes no statistics.
    package var isMassFailure: Bool { HistoryRun.isMassFailure(totals) }

    package static func isMassFailure(_ totals: Totals) -> Bool {
        totals.executed >= 5 && totals.failing * 5 > totals.executed * 4
    }
}

/// One sealed cycle.
package struct HistoryCycle: Hashable, Sendable {
    package var cycle: Int
    package var endedAt: Timestamp
    package var verdict: Verdict
    package var revision: Revision
    package var runs: [HistoryRun]

    package init(cycle: Int, endedAt: Timestamp, verdict: Verdict, revision: Revision, runs: [HistoryRun]) {
        self.cycle = cycle
        self.endedAt = endedAt
        self.verdict = verdict
        self.revision = revision
        self.runs = runs
    }
}

extension HistoryCycle {
    /// Rules whose doubt touches what the tests are said to have done.
    private static let hollowRules: Set = [
        "zero-durations", "identical-timing", "time-impossible", "repeated-timing", "no-host", "wall-time", "cpu-time",
        "collected-not-reported", "report-stale",
    ]

    /// From the document and the results of its runs. A run whose results cannot be read is left out.
    init(_ record: CycleRecord, _ layout: EvidenceLayout) {
        cycle = record.cycle
        endedAt = record.endedAt
        verdict = record.verdict
        revision = record.revision.wanted
        let explained = HistoryCycle.explained(record.incidents)
        let unwell = HistoryCycle.unwell(record)
        runs = record.stages.enumerated().compactMap { index, stage in
            guard stage.run.kind == .test, let suite = stage.run.subject, let reading = stage.suite,
                let file = reading.testsFile, let path = layout.file(file, inCycle: record.cycle)
            else { return nil }
            var tests: [HistoryRun.Test] = []
            let read: Void? = try? TestsFile.forEach(path) { test in
                let isExplained = test.outcome.isFailure && explained.contains(Explained(suite: suite, test: test.id))
                tests.append(
                    HistoryRun.Test(
                        id: test.id, outcome: test.outcome, durationSeconds: test.durationSeconds,
                        isExplained: isExplained))
            }
            guard read != nil else { return nil }
            var run = HistoryRun(stage, suite, reading, tests)
            if unwell.contains(index) { run.isHollow = true }
            return run
        }
    }

    private struct Explained: Hashable {
        var suite: String
        var test: String
    }

    private static func explained(_ incidents: [Incident]) -> Set<Explained> {
        var found: Set<Explained> = []
        for incident in incidents where isExplaining(incident) {
            for suite in incident.suites {
                for test in incident.tests { found.insert(Explained(suite: suite, test: test)) }
            }
        }
        return found
    }

    private static func isExplaining(_ incident: Incident) -> Bool {
        if isOfSurroundings(incident) || incident.signature == massSignature { return true }
        guard let diagnosis = incident.diagnosis else { return false }
        return (diagnosis.grade == .proven || diagnosis.grade == .likely)
            && ![.flakyTest, .transient, .unknown].contains(diagnosis.category)
    }

    /// The signature of an incident that is a mass failure.
    private static let massSignature = "mass failure"
    /// What passed by itself may have been the whim of one test or two, however it is called.
    private static let fewTests = 2

    private static func isOfSurroundings(_ incident: Incident) -> Bool {
        guard let category = incident.diagnosis?.category, category.isOfSurroundings else { return false }
        return category != .transient || incident.tests.isEmpty || incident.tests.count > fewTests
    }

    // MARK: - Runs that count nowhere

    /// One deployment, or one thing done to cure, and all that was run after it.
    private struct Deployment {
        var indices: [Int] = []
        /// Sums of whole suites of the cycle's passes; experiments run selections of what fails.
        var totals = Totals()
        var isUnwell = false
    }

    /// Places of the runs that say nothing about the tests: those on an environment that had not got stable, those of a
    /// deployment whose pass was one mass failure, and those with failures in a cycle that was about nothing but its
    /// surroundings.
    private static func unwell(_ record: CycleRecord) -> Set<Int> {
        var found: Set<Int> = []
        var current = Deployment()
        func close() {
            if HistoryRun.isMassFailure(current.totals) { found.formUnion(current.indices) }
            current = Deployment()
        }
        let isOfSurroundings = !record.incidents.isEmpty && record.incidents.allSatisfy(isOfSurroundings)
        for (index, stage) in record.stages.enumerated() {
            switch stage.run.kind {
            case .deploy, .remedy:
                close()
            case .stabilize:
                current.isUnwell = stage.outcome != .succeeded
            case .test:
                current.indices.append(index)
                let totals = stage.suite?.totals ?? Totals()
                if stage.run.only == nil, stage.run.experiment == nil { current.totals = current.totals + totals }
                if current.isUnwell || (isOfSurroundings && totals.failing > 0) { found.insert(index) }
            }
        }
        close()
        return found
    }

    fileprivate static func isHollow(_ reading: SuiteReading) -> Bool {
        (reading.authenticity.reasons.filter { $0.verdict != .healthy } + reading.doubts).contains {
            hollowRules.contains($0.rule)
        }
    }
}

extension HistoryRun {
    fileprivate init(_ stage: StageRecord, _ suite: String, _ reading: SuiteReading, _ tests: [Test]) {
        // `before`, `after` and `collect` are not the tests' own.
        let parts = stage.commands.filter { $0.role == "main" || $0.role.hasPrefix("rest-") }
        let resources = parts.compactMap(\.resources)
        self.init(
            suite: suite, purpose: stage.run.purpose, outcome: stage.outcome, revision: stage.run.revision,
            isWhole: stage.run.only == nil, isContradicted: reading.authenticity.status == .contradicted,
            isHollow: HistoryCycle.isHollow(reading),
            isDoubtful: reading.authenticity.isDoubted || !reading.doubts.isEmpty,
            hasContactedHosts: parts.contains { !$0.hosts.isEmpty }, startedAt: stage.startedAt,
            durationSeconds: parts.isEmpty ? stage.durationSeconds : parts.reduce(0) { $0 + $1.durationSeconds },
            cpuSeconds: resources.isEmpty ? nil : resources.reduce(0) { $0 + $1.cpuSeconds },
            peakMemoryBytes: resources.map(\.peakMemoryBytes).max(), tests: tests)
    }
}
