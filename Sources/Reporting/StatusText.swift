// SPDX-License-Identifier: Apache-2.0
// `nightjar status`: one screen, in the order of the questions: is it fine, what is it doing, since when, what do I do.

import Domain

package struct StatusText: Sendable {
    private let status: StatusSnapshot
    private let columns: Int
    private let palette: Palette

    package init(_ status: StatusSnapshot, columns: Int = 80, palette: Palette = .plain) {
        self.status = status
        self.columns = columns
        self.palette = palette
    }

    package var text: String {
        var layout = TextLayout(columns: columns, palette: palette)
        headline(&layout)
        layout.field("doing", doing, labelColumns: Self.label)
        for (index, line) in todo.enumerated() {
            layout.field(index == 0 ? "do" : "", line, labelColumns: Self.label, paint: index == 0 ? .bold : nil)
        }
        incidents(&layout)
        history(&layout)
        if !status.budgets.isEmpty { layout.field("budgets", budgets, labelColumns: Self.label) }
        let isWell = status.daemon.alive && stuck == nil && status.daemon.journalProblem == nil
        let daemonPaint: Palette.Paint? = isWell ? nil : .yellow
        layout.field("daemon", daemon, labelColumns: Self.label, paint: daemonPaint)
        if !notes.isEmpty { layout.field("notes", notes, labelColumns: Self.label) }
        return layout.text
    }

    private static let label = 9

    private var stuck: Duration? { status.daemon.stuck(at: status.at) }

    // MARK: Is it fine?

    private func headline(_ layout: inout TextLayout) {
        let name = Printable.padded(Printable.line(status.loop), to: Self.label - 1) + " "
        var light = status.light.rawValue.uppercased()
        var since = ""
        if let start = status.lightSince {
            light += " \(Durations.age(of: start, at: status.at))"
            since = " (since \(moment(start)))"
        }
        var parts = [palette(light, lightPaint) + since]
        if stuck != nil { parts.append(palette("DAEMON STUCK", .redBold)) }
        if let recommendation = status.recommendation {
            let word = recommendation.rawValue.uppercased()
            let revision = status.revision.map { " " + Printable.line($0.short, columns: 40) } ?? ""
            parts.append(palette(word, recommendation == .ship ? .greenBold : .redBold) + revision)
        } else {
            parts.append("no verdict yet")
        }
        if status.failedSoFar != nil, let cycle = status.doing.cycle {
            parts.append(palette("#\(cycle) FAILS SO FAR", .redBold))
        }
        if let serving = status.serving {
            parts.append(
                "SERVES \(Printable.line(serving.short, columns: 40)) (\(Printable.line(status.servingState)))")
        } else {
            parts.append(palette("SERVES \(Printable.line(status.servingState))", .yellow))
        }
        let length = Printable.columns(name) + Self.visible(parts.joined(separator: "   "))
        if length <= layout.columns {
            layout.raw(palette(name, .bold) + parts.joined(separator: "   "))
        } else {
            layout.raw(palette(name, .bold) + parts[0])
            layout.raw(String(repeating: " ", count: Self.label) + parts.dropFirst().joined(separator: "   "))
        }
    }

    /// Columns of text that may hold the colors of `Palette`.
    private static func visible(_ text: String) -> Int {
        var count = 0
        var inside = false
        for character in text {
            if character == "\u{1B}" {
                inside = true
            } else if inside {
                inside = character != "m"
            } else {
                count += Printable.columns(String(character))
            }
        }
        return count
    }

    private var lightPaint: Palette.Paint {
        switch status.light {
        case .green: .greenBold
        case .red: .redBold
        case .gray: .yellowBold
        }
    }

    /// The time of day, with the date where it is not today.
    private func moment(_ time: Timestamp) -> String { time.moment(at: status.at) }

    // MARK: What is it doing?

    /// What it does, since when, and when it looks again.
    package var doing: String {
        let doing = status.doing
        var parts: [String] = []
        let cycle = doing.cycle.map { "#\($0) " } ?? ""
        var first = cycle + doing.text
        if let since = doing.since, doing.activity != .stopped {
            first += " for \(Durations.age(of: since, at: status.at))"
        }
        if let stuck {
            first = "no answer for \(Durations.text(seconds: Double(stuck.milliseconds / 1000))); last known: \(first)"
        }
        parts.append(first)
        if let failed = status.failedSoFar { parts.append("failed so far: \(Plurals.list(failed, limit: 3))") }
        if let next = doing.next { parts.append("next look \(moment(next))") }
        if let window = status.window, let until = window.until {
            let local = status.windowEndsLocal.map { " (\($0))" } ?? ""
            parts.append((window.isOpen ? "window until " : "window opens ") + moment(until) + local)
        }
        return parts.joined(separator: "; ")
    }

    // MARK: What do I do?

    /// At most three lines: what a person should do now, or that there is nothing to do.
    package var todo: [String] {
        let open = status.incidents.filter { !$0.acknowledged && $0.isCurrent }
        var lines: [String] = []
        if stuck != nil { lines.append("restart it: systemctl restart nightjar (a deploy in flight is kept)") }
        switch status.doing.activity {
        case .stopped: lines.append("start it: nightjar run (see: systemctl status nightjar)")
        case .awaitingApproval:
            let question = status.question
            lines.append("yes: \(question?.approveCommand ?? "nightjar approve")")
            lines.append("no: \(question?.rejectCommand ?? "nightjar reject")")
        case .paused: lines.append("when done: nightjar resume")
        case .waiting, .closed, .running, .triaging, .concluding: break
        }
        if status.unreadable != nil {
            lines.append("bring the environment back: it does not say what it runs; nightjar looks again by itself")
        } else if let environment = environmentAdvice {
            lines.append(environment)
        }
        if let problem = status.daemon.journalProblem { lines.append("repair the journal: \(problem)") }
        if let incident = open.first {
            lines.append("why: nightjar why \(incident.id)   mute: nightjar ack \(incident.id)")
        } else if status.light != .green, status.verdict != nil {
            lines.append("see: nightjar show")
        }
        if lines.isEmpty, status.failedSoFar != nil {
            lines.append("nothing yet: #\(status.doing.cycle ?? 0) has failures and is not at its end")
        }
        return lines.isEmpty ? ["nothing"] : Array(lines.prefix(3))
    }

    /// Whether people can work with the environment while the newest revision is held.
    private var environmentAdvice: String? {
        guard status.light == .red, let revision = status.revision else { return nil }
        guard let serving = status.serving else {
            return "find out what is live: \(status.loop) serves an unknown revision"
        }
        if let cycle = status.experimentOf {
            return "wait: \(serving.short) is live as an experiment of #\(cycle), which then puts staging back"
        }
        if status.servingState.hasPrefix("green") {
            return "nothing at once: \(serving.short) is green and live. Then: fix or revert \(revision.short)"
        }
        return "act: \(serving.short) is live and \(status.servingState). Fix or roll back \(revision.short)"
    }

    // MARK: What is broken?

    private func incidents(_ layout: inout TextLayout) {
        for incident in status.incidents.prefix(5) {
            var parts: [String] = []
            if let priority = incident.priority { parts.append("P\(priority)") }
            if let value = incident.value, value > 0 { parts.append("\(Numbers.grouped(value)) at risk") }
            parts.append(incident.title + (incident.tests > 0 ? " (\(Plurals.count(incident.tests, "test")))" : ""))
            parts.append(incident.cause)
            parts.append(incident.acknowledged ? "acked" : "not acked")
            let id = Printable.padded(Printable.line(incident.id, columns: 12), to: Self.label - 1) + " "
            layout.paragraph(
                parts.joined(separator: "  "), indent: Printable.columns(id), head: palette(id, .magenta), limit: 3)
        }
        if status.incidents.count > 5 {
            layout.field("", "… and \(status.incidents.count - 5) more", labelColumns: Self.label)
        }
    }

    // MARK: Since when?

    private func history(_ layout: inout TextLayout) {
        guard !status.last.isEmpty else { return }
        let head = Printable.padded("last \(status.last.count)", to: Self.label)
        let strip = VerdictStrip.text(status.last, palette: palette)
        let legend = VerdictStrip.legend(status.last)
        var green = "no green yet"
        if let cycle = status.lastGreenCycle {
            green = "last green #\(cycle)" + (status.lastGreenAt.map { " \(moment($0))" } ?? "")
        }
        let tail = "\(legend)   \(green)"
        if Self.label + status.last.count + 4 + Printable.columns(tail) <= layout.columns {
            layout.raw(palette(head, .dim) + strip + "    " + tail)
        } else {
            layout.raw(palette(head, .dim) + strip + "   " + green)
            layout.field("", legend, labelColumns: Self.label, paint: .dim)
        }
    }

    // MARK: The machinery

    package var budgets: String {
        status.budgets.map { budget in
            "\(budget.name) \(budget.used)/\(budget.limit)" + (budget.scope.isEmpty ? "" : " \(budget.scope)")
        }.joined(separator: "   ")
    }

    package var daemon: String {
        let daemon = status.daemon
        var parts: [String] = []
        if daemon.alive {
            parts.append(daemon.startedAt.map { "up \(Durations.age(of: $0, at: status.at))" } ?? "up")
            if let pid = daemon.pid { parts.append("pid \(pid)") }
            if stuck != nil, let last = daemon.lastSignOfLifeAt {
                parts.append("stuck, last sign of life \(Durations.age(of: last, at: status.at)) ago")
            }
        } else {
            parts.append("not running")
        }
        if let last = daemon.lastEventAt { parts.append("last event \(Durations.age(of: last, at: status.at)) ago") }
        parts.append(daemon.journalProblem.map { "journal: \($0)" } ?? "journal ok")
        if let disk = daemon.diskUsedPercent { parts.append("disk \(Numbers.fixed(disk, decimals: 0))% used") }
        if let spooled = daemon.spooledNotices { parts.append("spool \(spooled)") }
        if let problem = daemon.deadmanProblem {
            let since = daemon.deadmanTakenAt.map { " for \(Durations.age(of: $0, at: status.at))" } ?? ""
            parts.append("deadman NOT taken\(since): \(problem)")
        } else if let taken = daemon.deadmanTakenAt {
            parts.append("deadman ok \(Durations.age(of: taken, at: status.at)) ago")
        }
        if let version = daemon.version { parts.append("version \(version)") }
        return parts.joined(separator: ", ")
    }

    package var notes: String {
        var parts = (status.lostMessages ?? []).prefix(2) + (status.warnings ?? []).prefix(2)
        if let interrupted = status.interruptedSince, let cycle = status.verdictCycle {
            parts.append("#\(interrupted) was interrupted and says nothing: the verdict is that of #\(cycle)")
        }
        if let mode = status.mode { parts.append("mode \(mode.rawValue)") }
        if let pause = status.pause {
            let until = pause.until.map { " until \(moment($0))" } ?? " without end"
            parts.append("paused by \(pause.owner)\(until): \(pause.reason)")
        } else {
            parts.append("paused no")
        }
        if let next = status.quarantine.min(by: { $0.until < $1.until }) {
            parts.append(
                "quarantine \(status.quarantine.count) (next ends \(next.until): \(next.test), \(next.owner))")
        }
        return parts.joined(separator: "   ")
    }
}
