// SPDX-License-Identifier: Apache-2.0
// The words of messages. Text from tests and tools is one line, without control characters, and bounded.

import Domain

enum Wording {
    static func title(_ incident: Incident, _ situation: Situation, _ because: String?) -> String {
        let what = incident.diagnosis.map { "\($0.category.rawValue), \($0.grade.rawValue)" } ?? "not diagnosed yet"
        let revision = situation.wanted.map { " on \($0.short)" } ?? ""
        let urgent = because.map { ", \($0)" } ?? ""
        return plain("\(situation.loop) \(incident.id): \(incident.title)\(revision) (\(what))\(urgent)", 200)
    }

    /// What fails, since when, what staging serves, what is likely and ruled out, what the loop does next.
    static func facts(_ incident: Incident, _ situation: Situation, _ because: String?) -> [String] {
        var lines: [String] = []
        if let because { lines.append(plain(because, 300)) }
        let tests = incident.tests.prefix(3).joined(separator: ", ")
        let more = incident.tests.count > 3 ? " and \(incident.tests.count - 3) more" : ""
        if !tests.isEmpty { lines.append(plain("Fails: \(tests)\(more)", 400)) }
        lines.append(
            "Since \(incident.firstSeen.wholeSeconds), seen \(incident.timesSeen) "
                + (incident.timesSeen == 1 ? "time" : "times"))
        lines.append(serving(situation))
        lines.append(risk(situation))
        if let diagnosis = incident.diagnosis {
            lines.append(plain("\(grade(diagnosis)): \(diagnosis.summary)", 400))
            if let statistics = diagnosis.statistics { lines.append(plain("Statistics: \(statistics)", 300)) }
            if !diagnosis.ruledOut.isEmpty {
                let out = diagnosis.ruledOut.prefix(4).map { "\($0.category.rawValue) (\($0.because))" }
                lines.append(plain("Ruled out: \(out.joined(separator: "; "))", 500))
            }
            if let check = diagnosis.check { lines.append(plain("What would tell: \(check)", 300)) }
        } else {
            lines.append("Why: unknown")
        }
        lines.append(situation.next)
        if let cycle = situation.cycle { lines.append("Evidence: cycle \(cycle) on \(plain(situation.host, 80))") }
        return lines.filter { !$0.isEmpty }
    }

    private static func grade(_ diagnosis: Diagnosis) -> String {
        switch diagnosis.grade {
        case .proven: "Proven"
        case .likely: "Likely (not proven)"
        case .possible: "Possible"
        case .unknown: "Unknown why"
        }
    }

    static func commands(_ incident: Incident, _ situation: Situation) -> [String] {
        var commands = ["nightjar why \(incident.id)"]
        if let approval = situation.approval, approval.incident == incident.id {
            commands.append(approval.approveCommand)
        }
        if incident.state != .acknowledged { commands.append("nightjar ack \(incident.id)") }
        return commands
    }

    static func serving(_ situation: Situation) -> String {
        guard let serving = situation.serving else { return "Staging serves: unknown" }
        let isGreen = situation.lastGreen == serving
        let how = situation.environment == .restored ? " (restored)" : isGreen ? " (last green)" : ""
        return "Staging serves \(serving.short)\(how)"
    }

    static func since(_ situation: Situation) -> String {
        situation.failingSince.map { "Failing since \($0.wholeSeconds)" } ?? ""
    }

    static func risk(_ situation: Situation) -> String {
        guard situation.valueAtRisk > 0 else { return "" }
        return "At risk: \(grouped(situation.valueAtRisk)) \(plain(situation.valueUnit, 40))"
    }

    static func hours(_ duration: Duration) -> String {
        let minutes = duration.milliseconds / 60_000
        return minutes % 60 == 0 ? "\(minutes / 60)h" : "\(minutes)m"
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
