// SPDX-License-Identifier: Apache-2.0
// `report.html`: one cycle as a page that needs nothing but itself: no script, no font, no request. The policy in its
// head forbids them, so that even a mistake in escaping could run nothing.

package import Domain

package enum HTMLReport {
    package static func text(_ record: CycleRecord) -> String {
        let summary = CycleSummary(record)
        let title = escaped("\(summary.title) \(summary.verdict)")
        var body = head(summary) + suites(summary) + notPassed(summary)
        body += record.incidents.map(incident).joined()
        body += experiments(record) + actions(record) + stages(summary)
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <style>
            \(HTMLStyle.sheet)
            </style>
            </head>
            <body>
            <main>
            \(body)<footer>Written by \(escaped(record.writtenBy)) from cycle.json beside this file; settings \
            \(escaped(record.settingsHash)).</footer>
            </main>
            </body>
            </html>

            """
    }

    /// Text for element content and quoted attributes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in Printable.line(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func badge(_ word: String, _ kind: String) -> String {
        "<span class=\"badge \(kind)\">\(escaped(word))</span>"
    }

    private static func mark(_ mark: LogLine.Mark) -> String {
        let kind =
            switch mark {
            case .ok, .green: "good"
            case .fail, .red: "bad"
            case .warn, .hold, .gray: "doubt"
            default: "quiet"
            }
        let word = mark == .fail ? "fail" : mark == .warn ? "unproven" : mark.rawValue
        return badge(word, kind)
    }

    private static func kind(_ verdict: Verdict) -> String {
        switch verdict {
        case .healthy: "good"
        case .failing: "bad"
        case .degraded, .unproven, .interrupted: "doubt"
        }
    }

    /// Cells are HTML already.
    private static func table(_ head: [String], _ rows: [[String]], numeric: Set<Int> = []) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>"
                + cells.enumerated().map { index, cell in
                    "<\(tag)\(numeric.contains(index) ? " class=\"n\"" : "")>\(cell)</\(tag)>"
                }.joined() + "</tr>\n"
        }
        return "<div class=\"scroll\"><table>\n<thead>\(row(head, "th"))</thead>\n<tbody>\n"
            + rows.map { row($0, "td") }.joined() + "</tbody></table></div>\n"
    }

    private static func head(_ summary: CycleSummary) -> String {
        let record = summary.record
        let ship = badge(summary.recommendation, record.recommendation == .ship ? "good" : "bad")
        var text = "<header class=\"\(kind(record.verdict))\">\n<h1>\(escaped(summary.title)) "
        text += "\(badge(summary.verdict, kind(record.verdict))) \(ship)</h1>\n"
        text += "<p class=\"times\">\(escaped(summary.times))</p>\n</header>\n"
        if !summary.reasons.isEmpty {
            text += "<ul class=\"reasons\">\n"
            for reason in summary.reasons {
                let evidence = reason.evidence.map { " · \(escaped($0))" } ?? ""
                text += "<li class=\"\(kind(reason.verdict))\">\(escaped(reason.text)) "
                text += "<small>\(escaped(reason.rule))\(evidence)</small></li>\n"
            }
            text += "</ul>\n"
        }
        var facts = [("Revision", summary.wanted), ("", summary.otherRevisions), ("Serving", summary.environment)]
        if let value = summary.value { facts.append(("Value", value)) }
        let list = facts.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>\n" }.joined()
        return text + "<dl>\n\(list)</dl>\n"
    }

    private static func suites(_ summary: CycleSummary) -> String {
        guard !summary.suites.isEmpty else { return "" }
        var text = "<h2>Suites</h2>\n"
        text += table(
            ["", "", "Suite", "Tests", "Time", escaped(summary.record.value.unit), "Evidence"],
            summary.suites.map {
                [
                    mark($0.mark), $0.priority, "<strong>\(escaped($0.name))</strong>", escaped($0.totals), $0.duration,
                    $0.value, escaped($0.trust),
                ]
            }, numeric: [4, 5])
        let capabilities = summary.record.capabilities
        guard !capabilities.isEmpty else { return text }
        text += "<h3>Capabilities</h3>\n"
        return text
            + table(
                ["", "Capability", "Suite", "Tests", "Value"],
                capabilities.map {
                    [
                        mark($0.status.mark), escaped($0.name), escaped($0.suite),
                        escaped(CycleSummary.words($0.totals)), $0.value.map { Numbers.grouped($0) } ?? "-",
                    ]
                }, numeric: [4])
    }

    private static func notPassed(_ summary: CycleSummary) -> String {
        let rows = summary.notPassed
        guard !rows.isEmpty else { return "" }
        var text = "<h2>Not passed: \(Plurals.count(rows.count, "test"))</h2>\n"
        for row in rows.prefix(testsShown) {
            let place = row.place.map { " · \(escaped($0))" } ?? ""
            text += "<article class=\"\(row.isFailure ? "bad" : "quiet")\"><h3><code>\(escaped(row.id))</code></h3>\n"
            text += "<p class=\"times\">\(escaped(row.suite)) · \(escaped(row.outcome))\(place)</p>\n"
            text += row.message.map { "<p>\(escaped($0))</p>\n" } ?? ""
            if let details = row.details {
                text += "<details><summary>Details</summary>\(block(details))</details>\n"
            }
            text += "</article>\n"
        }
        let rest = rows.count - testsShown
        return rest > 0 ? text + "<p>… and \(rest) more in the suites' tests.jsonl</p>\n" : text
    }

    private static func block(_ text: String) -> String {
        "<pre>" + Printable.lines(text, limit: 200).map(escaped).joined(separator: "\n") + "</pre>"
    }

    private static func incident(_ incident: Incident) -> String {
        var text = "<section class=\"incident\"><h2>\(escaped(incident.id)) · \(escaped(incident.title))</h2>\n"
        text += "<p class=\"times\">\(escaped(incident.standing)), \(incident.firstSeen.wholeSeconds)</p>\n"
        text += "<p>\(escaped(Plurals.list(incident.tests, limit: 20)))</p>\n"
        text += incident.diagnosis.map(diagnosis) ?? "<p>Not diagnosed yet.</p>\n"
        return text + "</section>\n"
    }

    private static func diagnosis(_ diagnosis: Diagnosis) -> String {
        var text = "<p><strong>\(escaped(diagnosis.headline))</strong>. \(escaped(diagnosis.summary))</p>\n"
        if let culprit = diagnosis.culprit { text += "<p>Culprit: <code>\(escaped(culprit.words))</code></p>\n" }
        let others = diagnosis.candidates.filter { $0 != diagnosis.culprit }
        text += list(others.map { "candidate <code>\(escaped($0.words))</code>" })
        if !diagnosis.whys.isEmpty {
            text += "<ol class=\"whys\">\n"
            for why in diagnosis.whys {
                let sure = why.confidence > 0 ? " <small>\(Numbers.probability(why.confidence))</small>" : ""
                text +=
                    "<li value=\"\(why.n)\"><strong>\(escaped(why.question))</strong><br>\(escaped(why.answer))\(sure)\n"
                text += list(
                    why.evidence.map { "<code>\(escaped($0.place))</code> <q>\(escaped($0.excerpt))</q>" })
                text += "</li>\n"
            }
            text += "</ol>\n"
        }
        text += list(diagnosis.ruledOut.map { "ruled out \($0.category.rawValue): \(escaped($0.because))" })
        return text + "<p>Recommended: <strong>\(escaped(diagnosis.recommendedAction.rawValue))</strong></p>\n"
    }

    private static func list(_ items: [String]) -> String {
        items.isEmpty ? "" : "<ul>\n" + items.map { "<li>\($0)</li>\n" }.joined() + "</ul>\n"
    }

    private static func experiments(_ record: CycleRecord) -> String {
        guard !record.experiments.isEmpty else { return "" }
        return "<h2>Experiments</h2>\n"
            + table(
                ["Experiment", "Question", "Result"],
                record.experiments.map {
                    [escaped($0.experiment.words), escaped($0.experiment.question), escaped($0.result)]
                })
    }

    private static func actions(_ record: CycleRecord) -> String {
        guard !record.actions.isEmpty else { return "" }
        return "<h2>Actions</h2>\n"
            + table(["Action", "Because"], record.actions.map { [escaped($0.words), escaped($0.account)] })
    }

    private static func stages(_ summary: CycleSummary) -> String {
        guard !summary.stages.isEmpty else { return "" }
        return "<h2>Stages</h2>\n"
            + table(
                ["", "Stage", "Time", "Result"],
                summary.stages.map {
                    [mark($0.mark), "<code>\(escaped($0.folder))</code>", $0.duration, escaped($0.text)]
                }, numeric: [2])
    }

    private static let testsShown = 500
}
