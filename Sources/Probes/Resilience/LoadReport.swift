// SPDX-License-Identifier: Apache-2.0
// What a load found: counts, times, and the cases that follow from them. Pure.

/// How many users, how long, how often each one speaks.
package struct LoadPlan: Hashable, Sendable {
    package static let maximumUsers = 1000

    package var users: Int
    package var duration: Duration
    /// The time between two messages of one user.
    package var interval: Duration

    package init(users: Int, duration: Duration, interval: Duration) {
        self.users = min(max(1, users), LoadPlan.maximumUsers)
        self.duration = duration
        self.interval = max(interval, .milliseconds(1))
    }

    /// The messages of one user.
    var rounds: Int { max(1, Int((duration / interval).rounded(.down))) }
    /// The messages that all of them are to send.
    var messages: Int { users * rounds }
}

/// What came of it. Times in milliseconds.
package struct LoadReport: Codable, Hashable, Sendable {
    /// A smaller share of the planned messages is another load than the one that was asked for.
    static let offeredPercent = 95.0

    package var endpoint: String
    package var users: Int
    package var opened: Int
    /// Connections that were refused, by what the server said.
    package var refused: [String: Int]
    /// Messages that the plan has, and those that went out.
    package var planned: Int
    package var sent: Int
    /// Messages that were answered.
    package var messages: Int
    package var unanswered: Int
    /// Messages that were refused for being too many.
    package var limited: Int
    /// Connections that ended before they were asked to.
    package var dropped: Int
    /// Answers that belonged to somebody else; nil where that cannot be told.
    package var foreign: Int?
    package var openP50: Double
    package var openP95: Double
    /// From the planned moment of a message to its answer, where it went out late; else from when it went out.
    package var roundTripP50: Double
    package var roundTripP95: Double
    package var roundTripP99: Double
    package var messagesPerSecond: Double
    package var seconds: Double
    package var cases: [ScenarioCase]

    /// Whether no case failed. A case that could not be told fails nothing.
    package var isServed: Bool { !cases.contains { $0.outcome == .failed || $0.outcome == .errored } }
}

/// What users count. Each thread has its own.
struct LoadTally: Sendable, Equatable {
    var opens: [Double] = []
    var trips: [Double] = []
    var refused: [String: Int] = [:]
    var sent = 0
    var unanswered = 0
    var limited = 0
    var dropped = 0
    var foreign = 0
    var busySeconds = 0.0

    mutating func add(_ other: LoadTally) {
        opens += other.opens
        trips += other.trips
        refused.merge(other.refused, uniquingKeysWith: +)
        sent += other.sent
        unanswered += other.unanswered
        limited += other.limited
        dropped += other.dropped
        foreign += other.foreign
        busySeconds = max(busySeconds, other.busySeconds)
    }

    /// The cases. `isolation` names what is missing for telling users apart, nil where nothing is.
    func cases(_ plan: LoadPlan, isolation: String?) -> [ScenarioCase] {
        let recorder = ScenarioRecorder(floor: 0, accepted: [], prepare: {}, progress: { _ in })
        func judge(_ name: String, needs: [(String, Bool)] = [], _ kpis: [ScenarioKPI]) {
            recorder.test(name, needs: needs) { CaseFindings(kpis: kpis) }
        }
        let planned = plan.messages
        judge(
            "every user gets in",
            [.share("users", Double(opens.count) / Double(plan.users) * 100, of: plan.users, atLeast: 100)])
        judge(
            "the load was offered as planned",
            [
                .share(
                    "offered", Double(sent) / Double(planned) * 100, of: planned, atLeast: LoadReport.offeredPercent)
            ])
        judge(
            "every message is answered",
            [
                .none("unanswered", unanswered, of: sent, unit: "messages"),
                .none("refused as too many", limited, of: sent, unit: "messages"),
            ])
        judge("no connection is dropped", [.none("dropped", dropped, of: opens.count, unit: "users")])
        judge(
            "no answer reaches another user", needs: [(isolation ?? "", isolation == nil)],
            [.none("foreign", foreign, of: trips.count, unit: "messages")])
        return recorder.cases
    }

    func report(_ endpoint: String, _ plan: LoadPlan, isolation: String?, seconds: Double) -> LoadReport {
        func percentile(_ sorted: [Double], _ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
        }
        let opens = opens.sorted()
        let trips = trips.sorted()
        return LoadReport(
            endpoint: endpoint, users: plan.users, opened: opens.count, refused: refused, planned: plan.messages,
            sent: sent, messages: trips.count, unanswered: unanswered, limited: limited, dropped: dropped,
            foreign: isolation == nil ? foreign : nil, openP50: percentile(opens, 0.5),
            openP95: percentile(opens, 0.95), roundTripP50: percentile(trips, 0.5),
            roundTripP95: percentile(trips, 0.95), roundTripP99: percentile(trips, 0.99),
            messagesPerSecond: busySeconds > 0 ? Double(trips.count) / busySeconds : 0, seconds: seconds,
            cases: cases(plan, isolation: isolation))
    }
}
