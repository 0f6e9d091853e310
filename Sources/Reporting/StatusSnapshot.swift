// SPDX-License-Identifier: Apache-2.0
// What `nightjar status` knows: computed from files, never from the daemon's memory. Also its `--json` document,
// schema `nightjar.status/1`; times are RFC 3339, durations seconds.

package import Domain

package struct StatusSnapshot: Codable, Hashable, Sendable {
    package enum Light: String, Codable, Sendable {
        case green, red, gray
    }

    /// What the loop is doing.
    package enum Activity: String, Codable, Sendable {
        /// No daemon holds the loop.
        case stopped
        case waiting
        case paused
        /// Outside its window.
        case closed
        case running
        case triaging
        case awaitingApproval
        case concluding
    }

    package struct Doing: Codable, Hashable, Sendable {
        package var activity: Activity
        /// The running cycle; nil between cycles.
        package var cycle: Int?
        /// The stage, or the reason for waiting.
        package var text: String
        package var since: Timestamp?
        package var next: Timestamp?

        package init(
            _ activity: Activity, cycle: Int? = nil, text: String, since: Timestamp? = nil, next: Timestamp? = nil
        ) {
            self.activity = activity
            self.cycle = cycle
            self.text = text
            self.since = since
            self.next = next
        }
    }

    package struct IncidentLine: Codable, Hashable, Sendable {
        package var id: String
        package var priority: Int?
        package var value: Double?
        package var title: String
        package var tests: Int
        /// `proven: 9f3c1e2 messages.py`
        package var cause: String
        package var acknowledged: Bool
        /// Whether the newest verdict, or the cycle under way, has seen it; what was not seen is closed by
        /// `Incident.closingCycles` sound cycles in a row.
        package var isCurrent: Bool

        package init(
            id: String, priority: Int?, value: Double?, title: String, tests: Int, cause: String, acknowledged: Bool,
            isCurrent: Bool = true
        ) {
            self.isCurrent = isCurrent
            self.id = id
            self.priority = priority
            self.value = value
            self.title = title
            self.tests = tests
            self.cause = cause
            self.acknowledged = acknowledged
        }
    }

    package struct Budget: Codable, Hashable, Sendable {
        package var name: String
        package var used: Int
        package var limit: Int
        /// `tonight`, `for INC-57`; empty where the name says it.
        package var scope: String

        package init(_ name: String, used: Int, limit: Int, scope: String = "") {
            self.name = name
            self.used = used
            self.limit = limit
            self.scope = scope
        }
    }

    package struct Daemon: Codable, Hashable, Sendable {
        package var alive: Bool
        package var pid: Int32?
        package var host: String?
        package var version: String?
        package var startedAt: Timestamp?
        package var lastEventAt: Timestamp?
        /// When its supervisor last answered.
        package var lastSignOfLifeAt: Timestamp?
        /// Nil while the journal reads well; otherwise what is wrong with it.
        package var journalProblem: String?
        package var diskUsedPercent: Double?
        /// Messages that wait for their receivers; nil where there are no receivers.
        package var spooledNotices: Int?
        /// When a dead-man's ping was last taken, and what the newest one met instead; nil where there is none.
        package var deadmanTakenAt: Timestamp?
        package var deadmanProblem: String?

        /// Without a sign of life for longer, a daemon that holds its loop is stuck.
        package static let patience = Duration.seconds(60)

        /// For how long it has not answered; nil while it does, or where none runs.
        package func stuck(at now: Timestamp) -> Duration? {
            guard alive, let last = lastSignOfLifeAt, now.since(last) > Self.patience else { return nil }
            return now.since(last)
        }

        package init(
            alive: Bool, pid: Int32? = nil, host: String? = nil, version: String? = nil, startedAt: Timestamp? = nil,
            lastEventAt: Timestamp? = nil, lastSignOfLifeAt: Timestamp? = nil, journalProblem: String? = nil,
            diskUsedPercent: Double? = nil
        ) {
            self.alive = alive
            self.pid = pid
            self.host = host
            self.version = version
            self.startedAt = startedAt
            self.lastEventAt = lastEventAt
            self.lastSignOfLifeAt = lastSignOfLifeAt
            self.journalProblem = journalProblem
            self.diskUsedPercent = diskUsedPercent
        }
    }

    package var schema = "nightjar.status/1"
    package var loop: String
    package var mode: Mode?
    package var at: Timestamp
    package var light: Light
    /// Since when the light has this color.
    package var lightSince: Timestamp?
    package var verdict: Verdict?
    package var recommendation: Recommendation?
    /// The revision of the newest verdict.
    package var revision: Revision?
    /// The cycle of the newest verdict.
    package var verdictCycle: Int?
    /// A later cycle that did not come to its end, and so says nothing about its revision.
    package var interruptedSince: Int?
    /// What a person is asked now.
    package var question: Approval?
    package var serving: Revision?
    /// How the served revision came there: `green`, `green, restored 03:13Z`, `failing`, `unknown`.
    package var servingState: String
    package var doing: Doing
    /// The stages of the running cycle that have failed already; nil where none has.
    package var failedSoFar: [String]?
    /// The running cycle whose experiment is what is live.
    package var experimentOf: Int?
    package var window: WindowChanged?
    /// The window's end in its own time zone: `06:00 Berlin`.
    package var windowEndsLocal: String?
    package var incidents: [IncidentLine] = []
    /// The newest cycles, oldest first.
    package var last: [CycleBrief] = []
    package var lastGreenCycle: Int?
    package var lastGreenAt: Timestamp?
    package var budgets: [Budget] = []
    package var daemon: Daemon
    package var pause: PauseRequested?
    package var quarantine: [QuarantineEntry] = []
    /// What the newest cycle says to look out for: targets that got worse, or are about to miss their limit.
    package var warnings: [String]?
    /// Receivers that did not get their newest message and never will.
    package var lostMessages: [String]?
    /// Set while the environment does not say what it runs: since when, and what the newest look met.
    package var unreadable: LoopMemory.Unreadable?

    /// A verdict is of the past where the environment does not answer: nothing is green, and nobody knows what is served.
    package mutating func note(_ unreadable: LoopMemory.Unreadable?) {
        guard let unreadable else { return }
        self.unreadable = unreadable
        serving = nil
        servingState = "unknown"
        if light == .green {
            light = .gray
            lightSince = unreadable.since
            recommendation = .hold
        }
        if doing.activity == .waiting {
            doing.text = "waiting: environment down since \(unreadable.since.clockMinute): \(unreadable.reason)"
            doing.next = unreadable.nextLook
        }
    }

    package init(
        loop: String, at: Timestamp, light: Light, doing: Doing, daemon: Daemon, servingState: String = "unknown"
    ) {
        self.loop = loop
        self.at = at
        self.light = light
        self.doing = doing
        self.daemon = daemon
        self.servingState = servingState
    }
}

extension BidirectionalCollection where Element == CycleBrief {
    /// The newest cycle that says something, of cycles that rise by number: one that was interrupted does not. Where all
    /// were interrupted, the newest of these.
    package var newestJudged: CycleBrief? { last { $0.verdict != .interrupted } ?? last }
}

/// One cycle in a table or a strip.
package struct CycleBrief: Codable, Hashable, Sendable {
    package var cycle: Int
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var durationSeconds: Double
    package var verdict: Verdict
    package var recommendation: Recommendation
    package var revision: Revision
    package var trigger: Trigger?
    package var totals: Totals
    package var valueAtRisk: Double?
    package var incidents: [String]
    /// The text of the reason that carried the verdict.
    package var because: String?
    /// Tests that failed and passed on one revision; nil where only the tool's own count is known.
    package var flakyTests: Int?
    /// Targets that were measured; nil where none was.
    package var targets: [TargetMark]?

    package init(
        cycle: Int, startedAt: Timestamp, endedAt: Timestamp, durationSeconds: Double, verdict: Verdict,
        recommendation: Recommendation, revision: Revision, trigger: Trigger?, totals: Totals, incidents: [String],
        valueAtRisk: Double? = nil, because: String? = nil
    ) {
        self.cycle = cycle
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.durationSeconds = durationSeconds
        self.verdict = verdict
        self.recommendation = recommendation
        self.revision = revision
        self.trigger = trigger
        self.totals = totals
        self.incidents = incidents
        self.valueAtRisk = valueAtRisk
        self.because = because
    }

    package init(_ record: CycleRecord) {
        self.init(
            cycle: record.cycle, startedAt: record.startedAt, endedAt: record.endedAt,
            durationSeconds: record.durationSeconds, verdict: record.verdict, recommendation: record.recommendation,
            revision: record.revision.wanted, trigger: record.trigger,
            totals: record.suites.reduce(Totals()) { $0 + $1.totals }, incidents: record.incidents.map(\.id),
            valueAtRisk: record.value.atRisk,
            because: CycleSummary(record).reasons.first { $0.verdict == record.verdict }?.text)
        flakyTests = record.flakyTests
        let marks = (record.targets ?? []).compactMap(TargetMark.init)
        targets = marks.isEmpty ? nil : marks
    }

    /// `+` healthy, `f` healthy with flaky tests, `d` degraded, `?` unproven, `R` failing, `i` interrupted.
    package var symbol: Character {
        switch verdict {
        case .healthy: totals.flaky > 0 ? "f" : "+"
        case .degraded: "d"
        case .unproven: "?"
        case .failing: "R"
        case .interrupted: "i"
        }
    }
}
