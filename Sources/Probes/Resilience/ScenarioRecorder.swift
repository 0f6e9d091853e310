// SPDX-License-Identifier: Apache-2.0
// Runs the cases of one scenario and keeps what each one found.

internal import Domain

/// What a case reports beside passing.
struct CaseFindings {
    var kpis: [ScenarioKPI] = []
    var notes: [String] = []
    /// What would be needed to tell the rest: without it nothing failed, but the case cannot pass either.
    var needs: String?

    static let none = CaseFindings()
}

/// Collects the cases of one scenario.
final class ScenarioRecorder {
    private(set) var cases: [ScenarioCase] = []
    private let progress: (ScenarioCase) -> Void
    private let floor: Double
    private let prepare: () -> Void
    private let accepted: [ResilienceContract.Accepted]

    /// `floor` is the least that a reconnection takes over this network, in milliseconds; `prepare` comes before each
    /// case and ends the troubles of the one before.
    init(
        floor: Double, accepted: [ResilienceContract.Accepted], prepare: @escaping () -> Void,
        progress: @escaping (ScenarioCase) -> Void
    ) {
        self.floor = floor
        self.accepted = accepted
        self.prepare = prepare
        self.progress = progress
    }

    /// Runs a case. `needs` are what the contract must have for it: name, and whether it is there.
    func test(_ name: String, needs: [(String, Bool)] = [], _ body: () throws -> CaseFindings) {
        if let missing = needs.first(where: { !$0.1 }) {
            return add(name, .skipped, reason: "needs \(missing.0)", .none, seconds: 0)
        }
        prepare()
        let started = ContinuousClock.now
        func took() -> Double { milliseconds(since: started) / 1000 }
        do {
            let findings = try body()
            judge(name, findings, seconds: took())
        } catch let failure as ScenarioFailure {
            add(name, failure.isSurroundings ? .errored : .failed, reason: failure.reason, .none, seconds: took())
        } catch {
            add(name, .errored, reason: "\(error)", .none, seconds: took())
        }
    }

    /// A KPI that is missed fails the case. One that the network alone makes impossible cannot be told.
    private func judge(_ name: String, _ findings: CaseFindings, seconds: Double) {
        guard let missed = findings.kpis.first(where: { !$0.isMet }) else {
            let reason = findings.needs.map { "needs \($0)" }
            return add(name, reason == nil ? .passed : .skipped, reason: reason, findings, seconds: seconds)
        }
        if missed.unit == "ms", missed.comparator == "<=", floor > missed.limit {
            let need = "needs a nearer endpoint: four round trips take \(ScenarioKPI.short(floor)) ms already"
            return add(name, .skipped, reason: need, findings, seconds: seconds)
        }
        add(name, .failed, reason: missed.text, findings, seconds: seconds)
    }

    private func add(
        _ name: String, _ outcome: ScenarioCase.Outcome, reason: String?, _ findings: CaseFindings, seconds: Double
    ) {
        var found = ScenarioCase(
            name: name, outcome: outcome, reason: reason, notes: findings.notes, kpis: findings.kpis, seconds: seconds)
        if let known = accepted.first(where: { Glob.matches($0.pattern, name) }) {
            switch outcome {
            case .failed:
                found.outcome = .skipped
                found.reason = "accepted, \(known.reason): \(reason ?? "")"
            case .passed: found.notes.append("it passes now: it need not be accepted any more")
            case .errored, .skipped: break
            }
        }
        cases.append(found)
        progress(found)
    }
}

/// How the numbers of a session's events lie: what is missing, what came twice, what came too early.
struct SequenceReading: Equatable {
    var expected = 0
    var missing = 0
    var duplicates = 0
    var disordered = 0
    /// Numbers after the last one that there was to be.
    var beyond = 0
    /// Whether somebody beside the events themselves says how many there were: without that, events that are lost at the
    /// end cannot be missed, and no share of delivery can be told.
    var isTold = true

    /// `numbers` in the order in which they came; the events were `first` to `last`.
    init(_ numbers: [Int], from first: Int, to last: Int, isTold: Bool = true) {
        self.isTold = isTold
        let wanted = first...max(first, last)
        var seen: Set<Int> = []
        var highest = first - 1
        for number in numbers where wanted.contains(number) {
            if !seen.insert(number).inserted { duplicates += 1 } else if number < highest { disordered += 1 }
            highest = max(highest, number)
        }
        expected = last < first ? 0 : wanted.count
        missing = expected - seen.count
        beyond = Set(numbers.filter { $0 > max(first, last) }).count
    }

    init() {}

    mutating func add(_ other: SequenceReading) {
        expected += other.expected
        missing += other.missing
        duplicates += other.duplicates
        disordered += other.disordered
        beyond += other.beyond
        isTold = isTold && other.isTold
    }

    /// Adds what came to a client; `last` is the number of the last event there was, nil where nobody says it.
    mutating func add(_ client: ScenarioClient, from first: Int = 1, to last: Int?) {
        add(SequenceReading(client.sequences, from: first, to: last ?? client.last, isTold: last != nil))
    }

    /// Delivery, duplicates, and disorder as figures; without a known number of events gaps instead of delivery.
    func kpis(_ limits: ResilienceLimits) -> [ScenarioKPI] {
        let share = expected == 0 ? 0 : Double(expected - missing) / Double(expected) * 100
        func count(_ name: String, _ value: Int) -> ScenarioKPI {
            ScenarioKPI(
                name: name, unit: "events", statistic: "count", comparator: "<=", limit: 0, measured: Double(value),
                samples: expected)
        }
        let others = [count("duplicates", duplicates), count("out of order", disordered)]
        guard isTold else { return [count("gaps", missing)] + others }
        return [
            ScenarioKPI(
                name: "delivery", unit: "%", statistic: "share", comparator: ">=", limit: limits.delivery,
                measured: share, samples: expected)
        ] + others + [count("more than there were", beyond)]
    }
}
