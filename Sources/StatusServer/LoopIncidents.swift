// SPDX-License-Identifier: Apache-2.0
// What is broken: incidents with their five whys, and the suites of the newest cycle.

import Domain
import Reporting

extension LoopPieces {
    /// One line each, for the overview.
    var incidentLines: Markup {
        guard !status.incidents.isEmpty else { return "" }
        let lines = status.incidents.prefix(5).map { line -> Markup in
            """
            <li><a href="\(place)#\(line.id, limit: 40)">\(line.id, limit: 40)</a> \(priority(line)) \(line.title, limit: 160) \
            <span class="soft">(\(Plurals.count(line.tests, "test"))) \(line.cause, limit: 160)\
            \(line.acknowledged ? ", acknowledged" : "")</span></li>
            """
        }
        let rest = status.incidents.count - lines.count
        let more: Markup = rest > 0 ? "<li class=\"soft\">and \(rest) more</li>" : ""
        return "<dl class=\"answers\"><dt>Broken</dt><dd><ul class=\"incidents\">\(lines)\(more)</ul></dd></dl>"
    }

    /// In full, with the whys.
    var incidents: Markup {
        guard !status.incidents.isEmpty else { return "" }
        let shown = status.incidents.prefix(10).enumerated().map { position, line -> Markup in
            let incident = reading.incidents.first { $0.id == line.id }
            let risk = line.value.map { value -> Markup in
                " <span class=\"risk\">\(Numbers.value(value, reading.record?.value.unit ?? "")) at risk</span>"
            }
            return """
                <details class="incident" id="\(line.id, limit: 40)"\(position == 0 ? " open" as Markup : "")>
                <summary><b>\(line.id, limit: 40)</b> \(priority(line)) \(line.title, limit: 200)\(risk) \
                <span class="badge \(line.acknowledged ? "quiet" : "bad")">\(line.acknowledged ? "acknowledged" : "open")</span></summary>
                \(incident.map { IncidentPieces.body($0, at: now, files: files($0)) })
                </details>
                """
        }
        let rest = status.incidents.count - shown.count
        let more: Markup = rest > 0 ? "<p class=\"soft\">and \(rest) more</p>" : ""
        return "<h3>Open incidents</h3>\(shown)\(more)"
    }

    /// Evidence lies in the folder of the cycle that made the diagnosis.
    private func files(_ incident: Incident) -> String? {
        if let cycle = incident.diagnosis?.cycle { return "\(place)/cycles/\(cycle)/files/" }
        guard let record = reading.record, record.incidents.contains(where: { $0.id == incident.id }) else {
            return nil
        }
        return "\(place)/cycles/\(record.cycle)/files/"
    }

    private func priority(_ line: StatusSnapshot.IncidentLine) -> Markup? {
        line.priority.map { "<span class=\"badge \($0 == 0 ? "bad" : "doubt")\">P\($0)</span>" }
    }

    /// The suites of the newest cycle.
    var suites: Markup {
        guard let record = reading.record, !record.suites.isEmpty else { return "" }
        return "<h3>Suites in cycle \(record.cycle)</h3>\(SuitePieces.table(record, base: place))"
    }
}

enum IncidentPieces {
    /// - Parameter files: where the evidence of the whys is served; nil where that is not known.
    static func body(_ incident: Incident, at now: Timestamp, files: String?) -> Markup {
        var html: Markup = """
            <p class="soft">first seen \(.moment(incident.firstSeen, at: now)) in cycle \(incident.firstCycle), \
            seen \(Plurals.count(incident.timesSeen, "time"))\(incident.tests.isEmpty ? "" : "; ")\
            \(Plurals.list(incident.tests, limit: 5), limit: 600)</p>
            """
        guard let diagnosis = incident.diagnosis else { return html + "<p>Not diagnosed yet.</p>" }
        html += "<p><strong>\(diagnosis.headline)</strong>. \(diagnosis.summary, limit: 1200)</p>"
        if let culprit = diagnosis.culprit { html += "<p>Culprit: <code>\(culprit.words, limit: 300)</code></p>" }
        if !diagnosis.whys.isEmpty {
            html += "<ol class=\"whys\">\(diagnosis.whys.prefix(8).map { why($0, files: files) })</ol>"
        }
        if !diagnosis.ruledOut.isEmpty {
            let items = diagnosis.ruledOut.prefix(12).map { item -> Markup in
                "<li>\(item.category.rawValue): \(item.because, limit: 300)</li>"
            }
            html += "<p class=\"soft\">Ruled out</p><ul>\(items)</ul>"
        }
        if let check = diagnosis.check { html += "<p>What would tell: \(check, limit: 400)</p>" }
        if let statistics = diagnosis.figures { html += "<p class=\"soft\">\(statistics, limit: 400)</p>" }
        return html
            + "<p>Recommended: <strong>\(diagnosis.recommendedAction.rawValue)</strong>. Type <code>nightjar why \(incident.id, limit: 40)</code></p>"
    }

    private static func why(_ why: Why, files: String?) -> Markup {
        let evidence = why.evidence.prefix(4).map { item -> Markup in
            let place: Markup =
                files.map { "<a href=\"\($0)\(Markup.path(item.path))\">\(item.place, limit: 200)</a>" }
                ?? "<code>\(item.place, limit: 200)</code>"
            return "<li>\(place) <q>\(item.excerpt, limit: 180)</q></li>"
        }
        let sure: Markup = why.confidence > 0 ? " <small>\(Numbers.probability(why.confidence))</small>" : ""
        let list: Markup = evidence.isEmpty ? "" : "<ul class=\"evidence\">\(evidence)</ul>"
        return """
            <li value="\(why.n)"><b>\(why.question, limit: 300)</b> <span class="\(why.confidence > 0 ? "" : "soft")">\
            \(why.answer, limit: 800)</span>\(sure)\(list)</li>
            """
    }
}

extension Markup {
    /// A relative path with every part encoded.
    static func path(_ path: String) -> String {
        path.split(separator: "/").map { pathPart(String($0)) }.joined(separator: "/")
    }
}

enum SuitePieces {
    static func table(_ record: CycleRecord, base: String) -> Markup {
        let rows = record.suites.sorted { ($0.priority, $0.name) < ($1.priority, $1.name) }.prefix(100).map {
            suite -> Markup in
            let tone: Tone =
                switch suite.status {
                case .passed: .good
                case .failed: .bad
                case .unproven: .doubt
                case .notRun: .quiet
                }
            let trust = suite.authenticity.map { authenticity in
                authenticity.status.rawValue + (authenticity.baseline.map { ", baseline \($0)" } ?? "")
            }
            let file: Markup? = suite.testsFile.map { path in
                " <a href=\"\(base)/cycles/\(record.cycle)/files/\(Markup.path(path))\">tests</a>"
            }
            return """
                <tr><td><span class="badge \(tone.rawValue)">\(suite.status.words)</span></td><td>P\(suite.priority)</td>\
                <th scope="row">\(suite.name, limit: 80)</th><td class="w">\(CycleWords.totals(suite.totals, because: suite.because), limit: 200)\(file)</td>\
                <td class="n">\(suite.durationSeconds.map { Durations.text(seconds: $0) } ?? "-")</td>\
                <td class="n">\(suite.value.map { Numbers.grouped($0) } ?? "-")</td><td>\(trust ?? "")</td></tr>
                """
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="suites"><table aria-label="suites">
            <thead><tr><th>Result</th><th>Pri</th><th>Suite</th><th>Tests</th><th class="n">Time</th>\
            <th class="n">\(record.value.unit.isEmpty ? "Value" : record.value.unit, limit: 30)</th><th>Evidence</th></tr></thead>
            <tbody>\(Array(rows))</tbody></table></div>
            """
    }
}
