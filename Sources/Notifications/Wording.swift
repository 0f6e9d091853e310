// SPDX-License-Identifier: Apache-2.0
// The words of messages. Text from tests and tools is one line, without control characters, and bounded.

import Domain

package enum Wording {
    /// `night INC-1 P1: beta::two: wrong price on bad-2, cause unknown; NOT restored: …`
    static func title(_ incident: Incident, _ situation: Situation, _ because: String?) -> String {
        let revision = situation.wanted.map { " on \($0.short)" } ?? ""
        let urgent = because.map { "; \($0)" } ?? ""
        return plain("\(name(incident, situation))\(revision), \(cause(incident))\(urgent)", 200)
    }

    /// The incident without what changes about it.
    static func name(_ incident: Incident, _ situation: Situation) -> String {
        let priority = situation.priorities[incident.id].map { " P\($0)" } ?? ""
        return plain("\(situation.loop) \(incident.id)\(priority): \(incident.title)", 160)
    }

    /// `night asks: INC-1 rollback to 41ab7d0? P1 beta::two: wrong price on 9f3c1e2`
    static func question(_ approval: Approval, _ incident: Incident?, _ situation: Situation) -> String {
        let priority = incident.flatMap { situation.priorities[$0.id] }.map { "P\($0) " } ?? ""
        let fails = incident?.title ?? situation.fails.first ?? ""
        let revision = situation.wanted.map { " on \($0.short)" } ?? ""
        return plain("\(situation.loop) asks: \(approval.title)? \(priority)\(plain(fails, 100))\(revision)", 200)
    }

    static func over(_ title: String, isQuestion: Bool) -> String {
        isQuestion ? "RESOLVED, no longer asked: \(title)" : "RESOLVED \(title)"
    }

    private static func cause(_ incident: Incident) -> String {
        guard let diagnosis = incident.diagnosis else { return "not diagnosed yet" }
        return diagnosis.grade == .unknown
            ? "cause unknown" : "\(diagnosis.grade.rawValue) \(diagnosis.category.rawValue)"
    }

    /// What fails, since when, what staging serves, what is likely and ruled out, what the loop does next.
    static func facts(
        _ incident: Incident, _ situation: Situation, _ because: String?, at now: Timestamp
    ) -> [String] {
        var lines: [String] = []
        if let because { lines.append(plain("Now: \(because)", 300)) }
        let tests = incident.tests.prefix(3).joined(separator: ", ")
        let more = incident.tests.count > 3 ? " and \(incident.tests.count - 3) more" : ""
        if !tests.isEmpty { lines.append(plain("Fails: \(tests)\(more)", 400)) }
        if let targets = incident.targets, !targets.isEmpty {
            lines.append(plain("Misses: \(targets.joined(separator: ", "))", 300))
        }
        lines.append(
            "Since \(incident.firstSeen.wholeSeconds) (\(span(now.since(incident.firstSeen)))), seen \(incident.timesSeen) "
                + (incident.timesSeen == 1 ? "time" : "times"))
        lines.append(serving(situation))
        lines.append(risk(situation))
        lines += why(incident)
        lines.append(situation.next)
        if let cycle = situation.cycle, !situation.isUnderWay {
            lines.append("Evidence: nightjar show \(cycle), on \(plain(situation.host, 80))")
        }
        return lines.filter { !$0.isEmpty }
    }

    /// The same of a situation that no incident explains.
    static func facts(_ situation: Situation) -> [String] {
        var lines: [String] = []
        if !situation.fails.isEmpty {
            lines.append(plain("Fails: \(situation.fails.prefix(3).joined(separator: "; "))", 400))
        }
        lines += [since(situation), serving(situation), risk(situation)]
        lines.append("Cause: nothing is diagnosed yet, and nothing is ruled out")
        lines.append(situation.next)
        if let cycle = situation.cycle, !situation.isUnderWay {
            lines.append("Evidence: nightjar show \(cycle), on \(plain(situation.host, 80))")
        }
        return lines.filter { !$0.isEmpty }
    }

    /// What is proven, likely or unknown, by which figures, and what was ruled out.
    private static func why(_ incident: Incident) -> [String] {
        guard let diagnosis = incident.diagnosis else { return ["Cause: not diagnosed yet"] }
        // The summary may begin with what the title says already.
        let repeated = "\(incident.title); "
        let summary =
            diagnosis.summary.hasPrefix(repeated)
            ? String(diagnosis.summary.dropFirst(repeated.count)) : diagnosis.summary
        var lines = [plain("\(grade(diagnosis)): \(summary)", 400)]
        if let statistics = diagnosis.statistics { lines.append(plain("Statistics: \(statistics)", 300)) }
        if !diagnosis.ruledOut.isEmpty {
            lines.append(plain("Ruled out: \(ruledOut(diagnosis.ruledOut.prefix(6)))", 500))
        }
        if let check = diagnosis.check, !summary.contains(check) {
            lines.append(plain("What would tell: \(check)", 300))
        }
        return lines
    }

    /// Each reason once, with all that it rules out: `flaky-test, test-defect (it failed before any test); …`
    private static func ruledOut(_ items: ArraySlice<RuledOut>) -> String {
        var reasons: [(because: String, categories: [String])] = []
        for item in items {
            if let index = reasons.firstIndex(where: { $0.because == item.because }) {
                reasons[index].categories.append(item.category.rawValue)
            } else {
                reasons.append((item.because, [item.category.rawValue]))
            }
        }
        return reasons.map { "\($0.categories.joined(separator: ", ")) (\($0.because))" }.joined(separator: "; ")
    }

    private static func grade(_ diagnosis: Diagnosis) -> String {
        switch diagnosis.grade {
        case .proven: "Proven"
        case .likely: "Likely (not proven)"
        case .possible: "Possible (not proven)"
        case .unknown: "Cause"
        }
    }

    static func commands(_ incident: Incident, _ situation: Situation) -> [String] {
        var commands = ["nightjar why \(incident.id)"]
        if incident.state != .acknowledged { commands.append("nightjar ack \(incident.id)") }
        return commands
    }

    static func serving(_ situation: Situation) -> String {
        guard let serving = situation.serving else {
            let known = situation.lastGreen.map { "; last green: \($0.short)" } ?? ""
            return "Staging serves: unknown\(known)"
        }
        let isFailing = situation.verdict == .failing && serving == situation.wanted
        // A question may be put while what an experiment deployed is still live.
        let isLeft = situation.isUnderWay && serving != situation.wanted
        let how =
            isLeft
            ? "\(situation.lastGreen == serving ? " (last green)" : ""), left there by an experiment"
            : situation.environment == .restored
                ? " (restored)"
                : isFailing ? ", which fails: HOLD" : situation.lastGreen == serving ? " (last green)" : ""
        return "Staging serves \(serving.short)\(how)"
    }

    static func since(_ situation: Situation) -> String {
        situation.failingSince.map { "Failing since \($0.wholeSeconds)" } ?? ""
    }

    static func risk(_ situation: Situation) -> String {
        guard situation.valueAtRisk > 0 else { return "" }
        return "At risk: \(grouped(situation.valueAtRisk)) \(plain(situation.valueUnit, 40))"
    }

    /// `300ms`, `45s`, `45m`, `2h`, `2h 5m`
    package static func span(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        if milliseconds > 0, milliseconds < 1000 { return "\(milliseconds)ms" }
        if milliseconds < 120_000 { return "\(milliseconds / 1000)s" }
        let minutes = milliseconds / 60_000
        if minutes < 120 { return "\(minutes)m" }
        return minutes % 60 == 0 ? "\(minutes / 60)h" : "\(minutes / 60)h \(minutes % 60)m"
    }

    /// `1250000` as `1,250,000`.
    static func grouped(_ value: Double) -> String {
        guard value.magnitude < 1e15 else { return "\(value)" }
        let digits = String(Int64(value.rounded()))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digit != "-" { text += "," }
            text.append(digit)
        }
        return text
    }

    /// One line without control characters or marks that turn the direction of writing, at most `limit` characters.
    static func plain(_ text: String, _ limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit * 4) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: scalars.append(" ")
            case .format, .surrogate, .privateUse, .unassigned: continue
            default: scalars.append(scalar)
            }
        }
        let line = String(scalars)
        return line.count <= limit ? line : String(line.prefix(limit - 1)) + "…"
    }
}
