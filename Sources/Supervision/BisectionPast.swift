// SPDX-License-Identifier: Apache-2.0
// What earlier cycles tell a search by hand: how its tests are called, how often they fail by themselves, how long things
// take.

import Domain
import Evidence
import Triage

/// The newest cycles, as far as a search needs them.
struct BisectionPast: Sendable {
    var records: [CycleRecord] = []

    private static let newest = 60

    static func read(_ layout: EvidenceLayout) async -> BisectionPast {
        let records = try? await EvidenceReading.run { () throws(EvidenceError) in
            let reader = CycleReader(layout)
            var records: [CycleRecord] = []
            for number in try reader.numbers().suffix(newest) where reader.isSealed(number) {
                if let record = try? reader.record(number) { records.append(record) }
            }
            return records
        }
        return BisectionPast(records: records ?? [])
    }

    /// How a test behaved in cycles that found nothing wrong with their revision.
    func history(of test: String, suite: String) -> TestHistory? {
        var counts = RunCounts()
        for record in records where record.verdict == .healthy || record.verdict == .degraded {
            for run in record.suites where run.name == suite && run.totals.executed > 0 {
                let result = run.notPassed.first { $0.id == test }
                switch result?.outcome {
                case nil: counts.passes += 1
                case .failed, .errored, .timedOut, .flaky: counts.fails += 1
                case .passed, .skipped, .notRun: break
                }
            }
        }
        guard counts.runs > 0 else { return nil }
        let rate = RateInterval.jeffreys(counts)
        return TestHistory(
            runs: counts.runs, failures: counts.fails, flakeRate: rate.estimate, flakeRateLow: rate.low,
            flakeRateHigh: rate.high)
    }

    /// The newest failure of a test, for what it says about the cause.
    func failure(of test: String, suite: String) -> TestResult? {
        for record in records.reversed() {
            for run in record.suites where run.name == suite {
                if let result = run.notPassed.first(where: { $0.id == test && $0.outcome.isFailure }) { return result }
            }
        }
        return nil
    }
}

/// One test that is asked about.
struct BisectionTest: Hashable, Sendable {
    var suite: String
    var id: String
    /// Whether the suite can run it alone.
    var isSelectable: Bool
    var history: TestHistory?
    var failure: TestResult?

    /// The tests that were named: by the id in reports, by what the tool calls them, or by an unmistakable end of either.
    static func find(
        _ request: BisectionRequest, _ context: LoopContext, _ past: BisectionPast
    ) async throws(BisectionError) -> [BisectionTest] {
        let settings = context.settings.current
        let suites = settings.suites.filter { request.suite == nil || $0.name == request.suite }
        guard !suites.isEmpty else {
            let names = settings.suites.map(\.name).joined(separator: ", ")
            throw .notFound("there is no suite \(request.suite ?? ""); the configuration has \(names)")
        }
        var found: [BisectionTest] = []
        for name in request.tests {
            var matches: [(suite: SuiteSettings, id: String)] = []
            var isKnown = false
            for suite in suites {
                let known = await context.history.knownTests(of: suite.name)
                isKnown = isKnown || !known.isEmpty
                matches += ids(named: name, known).map { (suite, $0) }
            }
            // A suite that never ran soundly may have any test, and whoever names the suite may know of a new one.
            let isTrusted = request.suite != nil || !isKnown
            if matches.isEmpty, isTrusted, suites.count == 1, let suite = suites.first { matches = [(suite, name)] }
            guard let match = matches.first else {
                throw .notFound("no suite is known to have a test \(name); name its suite with --suite")
            }
            guard matches.count == 1 else {
                let list = matches.prefix(5).map { "\($0.suite.name)::\($0.id)" }.joined(separator: ", ")
                throw .refused("\(name) may be any of \(list); say more of its name, or --suite")
            }
            found.append(
                BisectionTest(
                    suite: match.suite.name, id: match.id, isSelectable: match.suite.select != nil,
                    history: past.history(of: match.id, suite: match.suite.name),
                    failure: past.failure(of: match.id, suite: match.suite.name)))
        }
        return found
    }

    private static func ids(named name: String, _ known: [KnownTest]) -> [String] {
        let exact = known.filter { $0.id == name || $0.selector == name }
        if !exact.isEmpty { return exact.map(\.id) }
        return known.filter {
            $0.id.hasSuffix("::" + name) || $0.id.hasSuffix("." + name) || $0.id.hasSuffix("/" + name)
        }
        .map(\.id)
    }
}

/// What a deployment and a run cost, in seconds.
struct BisectionCosts: Hashable, Sendable {
    var deploySeconds = 60.0
    /// Of each test, in their order.
    var runSeconds: [Double]
    /// Whether a cycle has measured them.
    var isMeasured = false

    private static let unmeasuredRun = 6.0

    init(_ past: BisectionPast, tests: [BisectionTest], settings: LoopSettings) {
        let stages = past.records.suffix(20).flatMap(\.stages)
        let deploys = stages.filter { $0.run.kind == .deploy && $0.outcome == .succeeded }.map(\.durationSeconds)
        let proofs = stages.filter {
            $0.run.kind == .stabilize && $0.run.purpose != .recheck && $0.outcome == .succeeded
        }
        .map(\.durationSeconds)
        func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
        if !deploys.isEmpty {
            isMeasured = true
            deploySeconds = max(0.1, mean(deploys) + mean(proofs))
        }
        runSeconds = tests.map { test in
            let runs = past.records.suffix(20).flatMap(\.suites).filter {
                $0.name == test.suite && $0.totals.executed > 0
            }
            let whole = mean(runs.compactMap(\.durationSeconds))
            guard whole > 0 else { return BisectionCosts.unmeasuredRun }
            // A tenth of a suite, at least, for starting it with one test.
            let share = mean(runs.map { 1 / Double(max(1, $0.totals.executed)) })
            return test.isSelectable ? whole * max(0.1, share) : whole
        }
    }
}
