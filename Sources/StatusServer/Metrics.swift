// SPDX-License-Identifier: Apache-2.0
// `/metrics` in the text format 0.0.4 of Prometheus. Labels have few values: loops, verdicts, outcomes; never test names.

import Domain
import Evidence
import Platform
import Reporting
import Synchronization

/// What the server counts about itself.
final class ServerCounts: Sendable {
    struct Values: Sendable {
        /// By status class, 2 for 200 to 299.
        var answers: [Int: Int] = [:]
        var accepted = 0
        var refused = 0
        /// Connections that were ended for being slow, idle or too many, by reason.
        var cut: [String: Int] = [:]
        var connections = 0
        var listeners = 0
        var events = 0
    }

    private let values = Mutex(Values())

    func change(_ body: (inout Values) -> Void) { values.withLock { body(&$0) } }
    var now: Values { values.withLock { $0 } }
}

struct MetricsText {
    private var text = ""

    /// - Parameters:
    ///   - kind: `gauge` or `counter`.
    ///   - samples: label pairs and values; a value that is nil is left out.
    mutating func add(_ name: String, _ kind: String, _ help: String, _ samples: [([(String, String)], Double?)]) {
        let present = samples.compactMap { sample in sample.1.map { (sample.0, $0) } }
        guard !present.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        for (labels, value) in present {
            let list = labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1))\"" }.joined(separator: ",")
            text +=
                list.isEmpty
                ? "\(name) \(MetricsText.number(value))\n" : "\(name){\(list)} \(MetricsText.number(value))\n"
        }
    }

    var result: String { text }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in Printable.line(text, columns: 100).unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

struct Metrics {
    let board: Board
    let options: ServerOptions
    let counts: ServerCounts.Values
    private var text = MetricsText()

    init(_ board: Board, _ options: ServerOptions, _ counts: ServerCounts.Values) {
        self.board = board
        self.options = options
        self.counts = counts
    }

    static func text(_ board: Board, _ options: ServerOptions, _ counts: ServerCounts.Values) -> String {
        var metrics = Metrics(board, options, counts)
        metrics.loops()
        metrics.newestCycles()
        metrics.evidence()
        metrics.server()
        return metrics.text.result
    }

    private mutating func add(
        _ name: String, _ help: String, kind: String = "gauge", each value: (LoopReading) -> Double?
    ) {
        text.add(name, kind, help, board.loops.map { ([("loop", $0.loop.name)], $0.reading.flatMap(value)) })
    }

    /// One sample per loop and possible state, 1 for the one that holds.
    private mutating func addStates<State: RawRepresentable & Equatable>(
        _ name: String, _ label: String, _ help: String, _ all: [State], each value: (LoopReading) -> State?
    ) where State.RawValue == String {
        text.add(
            name, "gauge", help,
            board.loops.flatMap { state -> [([(String, String)], Double?)] in
                guard let reading = state.reading else { return [] }
                let now = value(reading)
                return all.map { ([("loop", state.loop.name), (label, $0.rawValue)], $0 == now ? 1 : 0) }
            })
    }

    private mutating func loops() {
        text.add(
            "nightjar_build_info", "gauge", "Version of the status page; always 1.",
            [([("version", options.version)], 1)])
        text.add(
            "nightjar_loop_readable", "gauge", "Whether the state of the loop could be read.",
            board.loops.map { ([("loop", $0.loop.name)], $0.reading == nil ? 0 : 1) })
        add("nightjar_loop_up", "Whether a daemon holds the loop.") { $0.status.daemon.alive ? 1 : 0 }
        add("nightjar_loop_last_sign_of_life_timestamp_seconds", "When the supervisor of the loop last answered.") {
            $0.lastSignOfLife?.inSeconds
        }
        add("nightjar_loop_last_event_timestamp_seconds", "When the newest entry was written to the journal.") {
            $0.status.daemon.lastEventAt?.inSeconds
        }
        add("nightjar_loop_journal_ok", "Whether the journal reads well.") {
            $0.status.daemon.journalProblem == nil ? 1 : 0
        }
        add("nightjar_loop_paused", "Whether the loop is paused by a person.") { $0.status.pause == nil ? 0 : 1 }
        addStates(
            "nightjar_loop_light", "light", "State of the loop in one word.", [StatusSnapshot.Light.green, .red, .gray]
        ) {
            $0.status.light
        }
        add("nightjar_loop_light_since_timestamp_seconds", "Since when the light has its color.") {
            $0.status.lightSince?.inSeconds
        }
        addStates(
            "nightjar_loop_activity", "activity", "What the loop is doing.",
            [
                StatusSnapshot.Activity.stopped, .waiting, .paused, .closed, .running, .triaging, .awaitingApproval,
                .concluding,
            ]
        ) { $0.status.doing.activity }
        add("nightjar_loop_stage_started_timestamp_seconds", "When the running stage began.") {
            $0.running?.since.inSeconds
        }
        environments()
    }

    private mutating func environments() {
        add("nightjar_loop_serving_known", "Whether it is proven which revision the environment serves.") {
            $0.status.serving == nil ? 0 : 1
        }
        addStates(
            "nightjar_loop_environment", "state",
            "What the newest cycle that was not interrupted left in the environment: the wanted revision, one that was brought back, or nobody knows.",
            [EnvironmentRecord.State.asWanted, .restored, .unknown]
        ) { $0.record?.environment.state }
        add("nightjar_loop_incidents_open", "Incidents that are not resolved.") { Double($0.status.incidents.count) }
        add("nightjar_loop_incidents_unacknowledged", "Open incidents that nobody has acknowledged.") {
            Double($0.status.incidents.count { !$0.acknowledged })
        }
        add("nightjar_loop_messages_spooled", "Messages that wait for their receivers.") {
            $0.status.daemon.spooledNotices.map(Double.init)
        }
        add("nightjar_loop_receivers_failing", "Receivers that did not get their newest message and never will.") {
            $0.status.daemon.spooledNotices == nil ? nil : Double($0.status.lostMessages?.count ?? 0)
        }
        add("nightjar_loop_quarantined_tests", "Entries in the quarantine.") { Double($0.status.quarantine.count) }
    }

    private mutating func newestCycles() {
        add("nightjar_cycles_total", "Cycles that were finished; the number of the newest one.", kind: "counter") {
            Double($0.cycles.last?.cycle ?? 0)
        }
        addStates(
            "nightjar_cycle_verdict", "verdict", "Verdict of the newest cycle that was not interrupted.",
            Verdict.allCases
        ) { $0.status.verdict }
        add("nightjar_cycle_ship", "Whether the newest cycle that was not interrupted recommends to ship.") {
            $0.status.recommendation.map { $0 == .ship ? 1 : 0 }
        }
        add("nightjar_cycle_duration_seconds", "How long the newest cycle took.") { $0.cycles.last?.durationSeconds }
        add("nightjar_cycle_end_timestamp_seconds", "When the newest cycle ended.") {
            $0.cycles.last?.endedAt.inSeconds
        }
        add("nightjar_cycle_last_green_timestamp_seconds", "When the newest healthy cycle ended.") {
            $0.status.lastGreenAt?.inSeconds
        }
        text.add(
            "nightjar_cycle_tests", "gauge", "Tests of the newest cycle that was not interrupted by outcome.",
            board.loops.flatMap { state -> [([(String, String)], Double?)] in
                guard let totals = state.reading?.cycles.newestJudged?.totals else { return [] }
                return [
                    ("passed", totals.passed), ("failed", totals.failed), ("errored", totals.errored),
                    ("timedOut", totals.timedOut), ("flaky", totals.flaky), ("skipped", totals.skipped),
                    ("notRun", totals.notRun),
                ].map { ([("loop", state.loop.name), ("outcome", $0.0)], Double($0.1)) }
            })
        for (name, help, value) in [
            ("nightjar_value_guarded", "Business value that suites guard, in its unit.", \ValueRecord.total),
            ("nightjar_value_protected", "Business value proven by the newest cycle, in its unit.", \.protected),
            ("nightjar_value_at_risk", "Business value that the newest cycle did not prove, in its unit.", \.atRisk),
            (
                "nightjar_value_conditional", "Business value of suites that passed on conditions, in its unit.",
                \.onConditions
            ),
        ] {
            text.add(
                name, "gauge", help,
                board.loops.map { state in
                    let record = state.reading?.record
                    return (
                        [("loop", state.loop.name), ("unit", record?.value.unit ?? "")],
                        record.map { $0.value[keyPath: value] }
                    )
                })
        }
    }

    private mutating func evidence() {
        add("nightjar_evidence_bytes", "Sealed evidence of the cycles that are kept.") { Double($0.evidenceBytes) }
        let spaces = board.loops.map { ($0.loop.name, try? Files.space(at: $0.loop.layout.root)) }
        text.add(
            "nightjar_evidence_disk_size_bytes", "gauge", "Size of the file system that holds the evidence.",
            spaces.map { ([("loop", $0.0)], $0.1.map { Double($0.bytes) }) })
        text.add(
            "nightjar_evidence_disk_free_bytes", "gauge", "Free bytes of the file system that holds the evidence.",
            spaces.map { ([("loop", $0.0)], $0.1.map { Double($0.freeBytes) }) })
    }

    private mutating func server() {
        text.add(
            "nightjar_page_responses_total", "counter", "Answers of the status page by class of status.",
            (2...5).map { ([("class", "\($0)xx")], Double(counts.answers[$0] ?? 0)) })
        text.add(
            "nightjar_page_connections_accepted_total", "counter", "Connections that were accepted.",
            [([], Double(counts.accepted))])
        text.add(
            "nightjar_page_connections_cut_total", "counter", "Connections that the status page ended, by reason.",
            ["silent", "slowRequest", "slowReader", "room"].map { ([("reason", $0)], Double(counts.cut[$0] ?? 0)) })
        text.add("nightjar_page_connections", "gauge", "Open connections.", [([], Double(counts.connections))])
        text.add("nightjar_page_listeners", "gauge", "Open streams of events.", [([], Double(counts.listeners))])
        text.add("nightjar_page_events_total", "counter", "Events sent to listeners.", [([], Double(counts.events))])
        text.add(
            "process_cpu_seconds_total", "counter", "CPU time of the status page.", [([], ThisProcess.cpuSeconds)])
        text.add(
            "process_resident_memory_bytes", "gauge", "Resident memory of the status page.",
            [([], ThisProcess.residentBytes.map(Double.init))])
        text.add(
            "process_open_fds", "gauge", "Open descriptors of the status page.",
            [([], ThisProcess.openDescriptors.map(Double.init))])
    }
}

extension Timestamp {
    /// Seconds since 1970, as Prometheus has times.
    var inSeconds: Double { Double(milliseconds) / 1000 }
}
