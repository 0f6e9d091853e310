// SPDX-License-Identifier: Apache-2.0
// What the scenarios found: cases, KPIs, and the status that the rules give.

/// The scenarios, in their order. The raw value is the key in files and reports.
package enum ScenarioKind: String, Codable, Hashable, Sendable, CaseIterable {
    case reconnection
    case midStream
    case queueing
    case expiredToken
    case restart
    case flapping
    case heartbeat
    case malformed
    case interfaceSwitch
    case tokenRefresh
    case security

    package var key: String { rawValue }
    package var number: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }

    package var title: String {
        switch self {
        case .reconnection: "reconnection preserves context"
        case .midStream: "mid-stream disconnection and recovery"
        case .queueing: "messages queue while disconnected"
        case .expiredToken: "reconnection with an expired token"
        case .restart: "backend restart"
        case .flapping: "rapid reconnection (flapping)"
        case .heartbeat: "heartbeat"
        case .malformed: "malformed payloads"
        case .interfaceSwitch: "network interface switch"
        case .tokenRefresh: "token refresh on the open socket"
        case .security: "security"
        }
    }
}

/// One figure with its limit.
package struct ScenarioKPI: Codable, Hashable, Sendable {
    package var name: String
    package var unit: String
    /// `mean`, `max`, `p95`, `share`, `count`.
    package var statistic: String
    /// `<=` or `>=`.
    package var comparator: String
    package var limit: Double
    package var measured: Double
    package var samples: Int
    package var p95: Double?

    package var isMet: Bool { comparator == "<=" ? measured <= limit : measured >= limit }

    /// `reconnect mean 3.1 ms <= 500 ms (n 20, p95 4.0)`
    package var text: String {
        let tail = p95.map { ", p95 \(Self.short($0))" } ?? ""
        let space = unit == "%" ? "" : " "
        return
            "\(name) \(statistic) \(Self.short(measured))\(space)\(unit) \(comparator) \(Self.short(limit))\(space)\(unit) "
            + "(n \(samples)\(tail))"
    }

    static func short(_ value: Double) -> String {
        let digits: Double = value >= 100 && value.rounded() == value ? 1 : 100
        let rounded = (value * digits).rounded() / digits
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    /// The 95th percentile (nearest rank); nil for fewer than twenty samples.
    private static func p95(_ samples: [Double]) -> Double? {
        samples.count >= 20 ? samples.sorted()[(samples.count * 95 + 99) / 100 - 1] : nil
    }

    /// A count that must be nothing.
    static func none(_ name: String, _ count: Int, of samples: Int, unit: String) -> ScenarioKPI {
        ScenarioKPI(
            name: name, unit: unit, statistic: "count", comparator: "<=", limit: 0, measured: Double(count),
            samples: samples)
    }

    /// A share in percent, of `samples` things.
    static func share(_ name: String, _ percent: Double, of samples: Int, atLeast limit: Double) -> ScenarioKPI {
        ScenarioKPI(
            name: name, unit: "%", statistic: "share", comparator: ">=", limit: limit, measured: percent,
            samples: samples)
    }

    /// The mean of samples, and their 95th percentile.
    static func mean(_ name: String, _ samples: [Double], atMost limit: Double) -> ScenarioKPI {
        let mean = samples.isEmpty ? 0 : samples.reduce(0, +) / Double(samples.count)
        return ScenarioKPI(
            name: name, unit: "ms", statistic: "mean", comparator: "<=", limit: limit, measured: mean,
            samples: samples.count, p95: p95(samples))
    }

    static func worst(_ name: String, _ samples: [Double], atMost limit: Double, unit: String = "ms") -> ScenarioKPI {
        ScenarioKPI(
            name: name, unit: unit, statistic: "max", comparator: "<=", limit: limit, measured: samples.max() ?? 0,
            samples: samples.count, p95: p95(samples))
    }
}

/// One test case of a scenario.
package struct ScenarioCase: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Hashable, Sendable {
        case passed, failed
        /// The contract or its surroundings could not do what the case needs: a login that fails, a command that is missing.
        case errored
        /// Cannot be told here; the reason is a prerequisite.
        case skipped
    }

    package var name: String
    package var outcome: Outcome
    package var reason: String?
    /// What a reader should know although it is no failure.
    package var notes: [String]
    package var kpis: [ScenarioKPI]
    package var seconds: Double
}

/// What the rules make of a scenario, and of all of them.
package enum ScenarioStatus: String, Codable, Hashable, Sendable {
    case approved = "APPROVED"
    case conditional = "CONDITIONAL"
    case rejected = "REJECTED"
}

package struct ScenarioResult: Codable, Hashable, Sendable {
    package var scenario: ScenarioKind
    package var number: Int
    package var title: String
    package var status: ScenarioStatus
    /// What must be there before it can be approved; empty where it is.
    package var prerequisites: [String]
    /// The value that it guards, per month or however the file counts it.
    package var value: Double?
    package var cases: [ScenarioCase]
    package var seconds: Double

    /// Rejected: a case failed or could not be performed. Conditional: something could not be told, and what it needs is
    /// named. Approved: every case passed. Nothing else counts, and no failure is explained away.
    init(_ scenario: ScenarioKind, cases: [ScenarioCase], value: Double?, seconds: Double) {
        self.scenario = scenario
        number = scenario.number
        title = scenario.title
        self.cases = cases
        self.value = value
        self.seconds = seconds
        var seen: Set<String> = []
        prerequisites = cases.compactMap { $0.outcome == .skipped ? $0.reason : nil }.filter {
            seen.insert($0).inserted
        }
        status = ScenarioResult.status(cases)
    }

    static func status(_ cases: [ScenarioCase]) -> ScenarioStatus {
        if cases.contains(where: { $0.outcome == .failed || $0.outcome == .errored }) { return .rejected }
        return cases.isEmpty || cases.contains { $0.outcome == .skipped } ? .conditional : .approved
    }

    package var passed: Int { cases.count { $0.outcome == .passed } }
}

package struct ResilienceReport: Codable, Hashable, Sendable {
    package var schema = "nightjar.resilience/1"
    package var name: String
    package var endpoint: String
    package var seed: UInt64
    package var status: ScenarioStatus
    package var results: [ScenarioResult]
    /// The median time of a TCP connection to the endpoint; four of them are the least that a reconnection takes.
    package var roundTripMilliseconds: Double
    package var seconds: Double
    /// How often each fault has struck.
    package var faults: [String: Int]
    package var value: Double
    package var valueApproved: Double

    init(
        name: String, endpoint: String, seed: UInt64, results: [ScenarioResult], roundTrip: Double, seconds: Double,
        faults: [String: Int]
    ) {
        self.name = name
        self.endpoint = endpoint
        self.seed = seed
        self.results = results
        roundTripMilliseconds = roundTrip
        self.seconds = seconds
        self.faults = faults
        value = results.compactMap(\.value).reduce(0, +)
        valueApproved = results.filter { $0.status == .approved }.compactMap(\.value).reduce(0, +)
        let statuses = results.map(\.status)
        status =
            statuses.contains(.rejected)
            ? .rejected
            : statuses.contains(.conditional) || statuses.isEmpty
                ? .conditional : .approved
    }
}
