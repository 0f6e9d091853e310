// SPDX-License-Identifier: Apache-2.0
// The sections of a loop, in the order of the questions: is it fine, what is it doing, since when, what do I do.

import Domain
import Reporting

struct LoopPieces {
    let reading: LoopReading
    let index: Int
    let now: Timestamp
    let limits: ServerLimits
    var status: StatusSnapshot { reading.status }

    init(_ reading: LoopReading, index: Int, now: Timestamp, limits: ServerLimits) {
        self.reading = reading
        self.index = index
        self.now = now
        self.limits = limits
    }

    func section(_ name: String, _ html: Markup) -> Section { Section(id: "l\(index)-\(name)", html: html) }

    /// `/loops/NAME`
    var place: String { "/loops/" + Markup.pathPart(status.loop) }

    // MARK: Is it fine?

    func head(linked: Bool) -> Markup {
        let name: Markup = linked ? "<a href=\"\(place)\">\(status.loop, limit: 80)</a>" : "\(status.loop, limit: 80)"
        var since: Markup = ""
        if let start = status.lightSince {
            since = " <span class=\"since\">for \(.age(start, at: now)), since \(.moment(start, at: now))</span>"
        }
        let word = status.verdict == nil ? "NO VERDICT YET" : status.light.rawValue.uppercased()
        return """
            <div class="head \(tone.rawValue)"><h2>\(name)</h2>
            <p class="state">\(caution)<strong>\(word)</strong>\(since)</p>
            <p class="facts">\(verdict) \(serving)</p></div>
            <p class="quietly" aria-live="polite">\(said)</p>
            """
    }

    /// Green is what somebody looks at now; what nobody looks at any more is not.
    private var tone: Tone {
        guard status.verdict != nil else { return .quiet }
        let tone = Tone(status.light)
        return tone == .good && trouble != nil ? .doubt : tone
    }

    /// Why the color may be old.
    private var trouble: String? {
        guard status.daemon.alive else { return "not running" }
        guard let sign = reading.lastSignOfLife, now.since(sign) > limits.patience else { return nil }
        return "stuck"
    }

    /// What a reader must know before the color.
    private var caution: Markup {
        if let trouble {
            let was = status.verdict == nil ? "" : ", last known"
            return "<span class=\"badge doubt\">\(trouble)\(was)</span> "
        }
        if status.failedSoFar != nil, let cycle = status.doing.cycle {
            return "<span class=\"badge bad\">cycle \(cycle) fails so far</span> "
        }
        return status.pause == nil ? "" : "<span class=\"badge doubt\">paused</span> "
    }

    private var verdict: Markup {
        guard let verdict = status.verdict, let recommendation = status.recommendation else { return "" }
        let cycle = (status.verdictCycle ?? status.last.newestJudged?.cycle).map { number -> Markup in
            " in <a href=\"\(place)/cycles/\(number)\">cycle \(number)</a>"
        }
        let revision = status.revision?.short ?? "unknown"
        return """
            <span class="badge \(Tone(verdict).rawValue)">\(verdict.rawValue)</span> \
            <span class="badge \(recommendation == .ship ? "good" : "bad")">\(recommendation.rawValue.uppercased())</span> \
            <code>\(revision, limit: 40)</code>\(cycle)
            """
    }

    private var serving: Markup {
        guard let serving = status.serving else { return "<span class=\"fact doubt\">serves: unknown</span>" }
        return """
            <span class="fact">serves <code>\(serving.short, limit: 40)</code> (\(status.servingState, limit: 80))</span>
            """
    }

    /// One sentence for a screen reader; read out when it changes.
    private var said: Markup {
        guard let verdict = status.verdict, let recommendation = status.recommendation else {
            return "\(status.loop, limit: 80) has no verdict yet."
        }
        let since = status.lightSince.map { " since \($0.clockMinute)" } ?? ""
        let alive = trouble.map { " Its daemon is \($0)." } ?? ""
        return """
            \(status.loop, limit: 80) is \(status.light.rawValue)\(since): \(verdict.rawValue), \
            \(recommendation.rawValue) \(status.revision?.short ?? "", limit: 40).\(alive)
            """
    }

    // MARK: What is it doing, and what do I do?

    var answers: Markup {
        var plain = status
        plain.doing.since = nil
        let words = StatusText(plain, columns: 400).doing
        var since: Markup = ""
        if let start = status.doing.since, status.doing.activity != .stopped {
            since = " <span class=\"since\">for \(.age(start, at: now))</span>"
        }
        let todo = StatusText(status, columns: 400).todo.map { line -> Markup in "<li>\(commands(line))</li>" }
        return """
            <dl class="answers">
            <dt>Doing</dt><dd><p class="\(status.daemon.alive ? "" : "stopped")">\(words, limit: 300)\(since)</p>\(progress)</dd>
            <dt>To do</dt><dd><ul class="todo">\(todo)</ul></dd>\(value)
            </dl>
            """
    }

    private var progress: Markup {
        guard status.daemon.alive, let running = reading.running, status.doing.activity == .running else { return "" }
        var facts: [Markup] = []
        var bar: Markup = ""
        if let done = running.testsDone, let usual = running.usualTests, usual > 0 {
            let failing = (running.testsFailed ?? 0) > 0 ? "failing" : ""
            bar = """
                <progress class="\(failing)" max="\(max(usual, done))" value="\(done)" \
                aria-label="tests done">\(done) of \(usual)</progress>
                """
        }
        if let usual = running.usualSeconds { facts.append("usually \(Durations.text(seconds: usual))") }
        if let test = running.currentTest { facts.append("now <code>\(test, limit: 100)</code>") }
        guard !facts.isEmpty else { return bar }
        return bar
            + "<p class=\"soft\">\(facts.enumerated().map { $0.offset == 0 ? $0.element : ", \($0.element)" })</p>"
    }

    /// What can be typed is set as code.
    private func commands(_ line: String) -> Markup {
        var result: Markup = ""
        var rest = line[...]
        while let start = rest.firstRange(of: "nightjar "),
            start.lowerBound == rest.startIndex || rest[..<start.lowerBound].last == " "
        {
            let after = rest[start.lowerBound...]
            let stop =
                ["   ", ", ", " (", ")"].compactMap { after.firstRange(of: $0)?.lowerBound }.min() ?? after.endIndex
            result += "\(rest[..<start.lowerBound])<code>\(after[..<stop])</code>"
            rest = after[stop...]
        }
        return result + "\(rest)"
    }

    private var value: Markup {
        guard let value = reading.record?.value, value.total > 0 else { return "" }
        let share = Int((1000 * value.protected / value.total).rounded())
        let conditions = SignOff.conditions(value.conditional)
        let words =
            value.protected < value.total
            ? "\(Numbers.value(value.atRisk, value.unit)) at risk, \(Numbers.grouped(value.protected)) of "
                + "\(Numbers.grouped(value.total)) protected\(conditions)"
            : "all \(Numbers.value(value.total, value.unit)) protected"
        let bar: Markup = """
            <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="risked" \
            width="1000" height="10"/><rect class="safe" width="\(share)" height="10"/></svg>
            """
        return """
            <dt>Value</dt><dd><p class="\(value.atRisk > 0 ? "risk" : "")">\(words)</p>
            \(value.protected < value.total ? bar : "")</dd>
            """
    }

    // MARK: Since when?

    /// The newest cycles as a row of letters, each a link.
    func strip(_ count: Int) -> Markup {
        let cycles = reading.cycles.suffix(count)
        guard !cycles.isEmpty else {
            return "<dl class=\"answers\"><dt>Lately</dt><dd class=\"soft\">no cycle is finished yet</dd></dl>"
        }
        let cells = cycles.map { cycle -> Markup in
            let title =
                "#\(cycle.cycle) \(cycle.verdict.rawValue), \(cycle.recommendation.rawValue) \(cycle.revision.short), "
                + "ended \(cycle.endedAt.wholeSeconds), \(Durations.text(seconds: cycle.durationSeconds))"
            return """
                <li><a class="cell \(tone(cycle).rawValue)" href="\(place)/cycles/\(cycle.cycle)" \
                title="\(title, limit: 200)" aria-label="cycle \(cycle.cycle): \(cycle.verdict.rawValue)">\
                \(String(cycle.symbol))</a></li>
                """
        }
        var green: Markup = "no green cycle yet"
        if let last = status.lastGreenCycle {
            let at: Markup = status.lastGreenAt.map { ", \(.age($0, at: now)) ago" } ?? ""
            green = "last green <a href=\"\(place)/cycles/\(last)\">cycle \(last)</a>\(at)"
        }
        return """
            <dl class="answers"><dt>Lately</dt><dd><ol class="strip" aria-label="newest cycles, oldest first">\(cells)</ol>
            <p class="soft">\(legend(Array(cycles))); \(green); <a href="\(place)/cycles">all cycles</a></p></dd></dl>
            """
    }

    private func legend(_ cycles: [CycleBrief]) -> String {
        VerdictStrip.legend(cycles).replacing("  ", with: ", ")
    }

    private func tone(_ cycle: CycleBrief) -> Tone { Tone(cycle.verdict) }

    // MARK: The machinery

    func log(_ count: Int) -> Markup {
        let lines = reading.log.suffix(count).map { LogLines.line($0, at: now) }
        guard !lines.isEmpty else { return "<h3>Log</h3><p class=\"soft\">Nothing is written yet.</p>" }
        return "<h3>Log</h3><ol class=\"log\" tabindex=\"0\" aria-label=\"newest lines of the cycle log\">\(lines)</ol>"
    }

    var machine: Markup {
        let daemon = status.daemon
        var facts: [Markup] = []
        if daemon.alive {
            facts.append("running\(daemon.startedAt.map { " for \(.age($0, at: now))" as Markup })")
            if let pid = daemon.pid { facts.append("pid \(Int(pid))") }
        } else {
            facts.append("<strong class=\"doubt\">not running</strong>")
        }
        if let sign = reading.lastSignOfLife { facts.append("last sign of life \(.age(sign, at: now)) ago") }
        if let event = daemon.lastEventAt { facts.append("last event \(.age(event, at: now)) ago") }
        facts.append(daemon.journalProblem.map { "<strong class=\"doubt\">journal: \($0)</strong>" } ?? "journal ok")
        if let disk = daemon.diskUsedPercent { facts.append("disk \(Numbers.fixed(disk, decimals: 0)) % used") }
        if let version = daemon.version { facts.append("version \(version, limit: 60)") }
        if let host = daemon.host { facts.append("host \(host, limit: 80)") }
        let joined = facts.enumerated().map { $0.offset == 0 ? $0.element : ", \($0.element)" as Markup }
        let text = StatusText(status, columns: 400)
        let budgets: Markup = status.budgets.isEmpty ? "" : "<dt>Budgets</dt><dd>\(text.budgets)</dd>"
        return """
            <h3>Machinery</h3>
            <dl class="answers small"><dt>Daemon</dt><dd>\(joined)</dd>\(budgets)<dt>Notes</dt><dd>\(text.notes.replacing("   ", with: "; "))</dd></dl>
            """
    }
}

enum LogLines {
    static func line(_ entry: CycleLog.Entry, at now: Timestamp) -> Markup {
        let whole = entry.at.wholeSeconds
        let isToday = whole.prefix(10) == now.wholeSeconds.prefix(10)
        let shown = isToday ? String(whole.dropFirst(11)) : String(whole.prefix(16).dropFirst(5)) + "Z"
        return """
            <li><time datetime="\(whole)">\(shown)</time> <span class="soft">\(entry.cycle > 0 ? "#\(entry.cycle)" : "#-")</span> \
            <b class="mark \(Tone(entry.mark).rawValue)">\(entry.mark.rawValue)</b> <span class="topic">\(entry.topic, limit: 20)</span> \
            <span class="words">\(entry.text, limit: 400)</span></li>
            """
    }
}
