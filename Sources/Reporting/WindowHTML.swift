// SPDX-License-Identifier: Apache-2.0
// The report over a window as one page that needs nothing but itself: what a decision needs first, detail after.

import Domain

extension WindowReport {
    /// `linkBase` leads from the page to the loop's folder; empty for a page beside it.
    package func html(linkBase: String = "") -> String {
        var body = hero(linkBase) + reasonList
        body += HTML.section("before-after", "Before and after", suiteTable(linkBase))
        body += HTML.section("delivery", "Delivery", deliveryTable)
        body += HTML.section("trends", "Over the cycles", TrendCharts.html(cycles, unit: value.unit))
        body += HTML.section("incidents", "Incidents", incidentTable(linkBase))
        body += readinessTable + targetTable
        body += "<div class=\"two\">\n\(lists(linkBase))</div>\n"
        body += HTML.section("next", "What next", next)
        body += HTML.section("cycles", "Cycles", cycleTable(linkBase))
        body +=
            "<footer>Computed from the sealed cycles of this loop; <code>nightjar verify</code> checks that nothing was changed. "
            + "Delivery figures as DORA defines them, read for this environment."
            + (seal.map { " \(Seal.words($0.cycle)) <code class=\"seal\">\(HTML.escaped($0.sha256))</code>" } ?? "")
            + "</footer>\n"
        return HTML.page(title: "\(title) \(recommendation.rawValue.uppercased())", body: body)
    }

    private func hero(_ base: String) -> String {
        let cells = figures.map { row in
            "<div><b>\(HTML.escaped(row.figure))</b><span>\(HTML.escaped(row.label))</span>"
                + "<small>\(HTML.escaped(row.remark))</small></div>\n"
        }
        let tone: HTML.Tone = recommendation == .ship ? .good : verdict.tone == .good ? .doubt : verdict.tone
        let strip = cycles.suffix(120).map { cycle in
            "<span class=\"\(cycle.verdict.tone.rawValue)\">\(HTML.escaped(String(cycle.symbol)))</span>"
        }
        return """
            <header class="hero \(tone.rawValue)">
            <p class="eyebrow">\(HTML.escaped(title)) · \(HTML.escaped(times))</p>
            <h1>\(recommendation.rawValue.uppercased()) \(HTML.badge(verdict.rawValue.uppercased(), verdict.tone))</h1>
            <p class="lede">\(linked(sentence, base))</p>
            <div class="figures">
            \(cells.joined())</div>
            <p class="strip">\(strip.joined())</p>
            </header>

            """
    }

    private var reasonList: String {
        let rows = because.filter { $0.verdict != .healthy }.prefix(5).map { reason in
            let subject = reason.subject.map { "<b>\(HTML.escaped($0))</b> " } ?? ""
            return "<li class=\"\(reason.verdict.tone.rawValue)\">\(subject)\(HTML.escaped(reason.text)) "
                + "<small>rule \(HTML.escaped(reason.rule))</small></li>\n"
        }
        return rows.isEmpty
            ? "" : HTML.section("reasons", "Why", "<ul class=\"reasons\">\n\(rows.joined())</ul>\n")
    }

    private func suiteTable(_ base: String) -> String {
        let unit = value.unit.isEmpty ? "value" : value.unit
        let rows = suites.map { suite -> [String] in
            let cells = suiteRow(suite).map { linked($0, base) }
            return [HTMLCycle.mark(suite.lastStatus.mark)] + cells[0...1]
                + [cells[2], "<b>\(cells[3])</b>", cells[4], cells[5]]
        }
        return HTML.table(["", "", "suite", "before", "after", "lowest", unit], rows, numeric: [6])
    }

    private var deliveryTable: String {
        let rows = deliveryRows.map { row in
            [
                HTML.escaped(row.name), "<b>\(HTML.escaped(row.figure))</b>",
                "<span class=\"soft\">\(HTML.escaped(row.meaning))</span>",
            ]
        }
        var text = HTML.table(["figure", "value", "what is counted"], rows, wide: [2])
        if value.total > 0 { text += "<p class=\"formula\">value at risk: \(HTML.escaped(exposureSentence))</p>\n" }
        return text
    }

    private func incidentTable(_ base: String) -> String {
        guard !incidents.isEmpty else { return "" }
        let rows = incidents.map { incident -> [String] in
            let cells = incidentRow(incident).map { linked($0, base) }
            return [
                HTML.badge(incident.isResolved ? "resolved" : "open", incident.isResolved ? .good : .bad),
                "<b>\(cells[1])</b> \(cells[2])<br><small>\(cells[3])</small>",
            ] + cells[4...]
        }
        return HTML.table(
            ["", "incident", "cycles", "detect", "diagnose", "restore", "how"], rows, numeric: [3, 4, 5], wide: [1])
    }

    private var readinessTable: String {
        guard let readiness else { return "" }
        let rows = readiness.components.map { part -> [String] in
            let score = part.score ?? 0
            let tone: HTML.Tone = score >= 100 ? .good : score >= 80 ? .doubt : .bad
            return [
                HTML.escaped(part.name), Numbers.grouped(part.weight),
                part.score.map { HTML.escaped(Numbers.percent($0)) } ?? "not proven",
                SVGChart.share(score, tone: tone), "\(part.good) of \(part.counted)",
            ]
        }
        return HTML.section(
            "readiness", "Readiness \(Numbers.percent(readiness.score))",
            HTML.table(["component", "weight", "score", "", "passed"], rows, numeric: [1, 2, 4], wide: [3]))
    }

    private var targetTable: String {
        let rows = targets.map { target in
            [
                HTML.badge(target.status.words, target.status.tone), HTML.escaped(target.name),
                HTML.escaped(target.comparison), HTML.escaped(target.margin ?? "-"), SVGChart.bullet(target),
                target.pastHTML,
            ]
        }
        return rows.isEmpty
            ? ""
            : HTML.section(
                "targets", "Performance targets",
                HTML.table(
                    ["", "target", "measured", "", "of the limit", "beside the past"], rows, wide: [4, 5]))
    }

    private func lists(_ base: String) -> String {
        let none = "<p class=\"soft\">None that the evidence shows.</p>\n"
        return HTML.section(
            "gone", "Risks eliminated",
            risksEliminated.isEmpty ? none : HTML.list(risksEliminated.map { linked($0, base) }, "ticks"))
            + HTML.section(
                "left", "Risks left",
                risksLeft.isEmpty ? none : HTML.list(risksLeft.map { linked($0, base) }, "crosses"))
    }

    private var next: String {
        let items = actions.map { action in
            "<li>\(HTML.escaped(action.text))"
                + (action.command.map { "<br><code class=\"run\">\(HTML.escaped($0))</code>" } ?? "") + "</li>\n"
        }
        return "<ol class=\"next\">\n\(items.joined())</ol>\n"
    }

    /// Escaped, and each cycle of the window that is named in it, `#214`, leads to its page.
    private func linked(_ text: String, _ base: String) -> String {
        var html = ""
        var rest = Substring(text)
        while let mark = rest.firstIndex(of: "#") {
            let digits = rest[rest.index(after: mark)...].prefix { $0.isASCII && $0.isNumber }
            html += HTML.escaped(String(rest[..<mark]))
            rest = rest[digits.endIndex...]
            let name = "#" + digits
            if let number = Int(digits), cycles.contains(where: { $0.cycle == number }) {
                html += HTML.link("\(WindowReport.folder(number))/report.html", name, base: base)
            } else {
                html += HTML.escaped(name)
            }
        }
        return html + HTML.escaped(String(rest))
    }

    private static func folder(_ cycle: Int) -> String {
        let digits = String(cycle)
        return "cycles/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func cycleTable(_ base: String) -> String {
        let rows = cycles.reversed().map { cycle -> [String] in
            return [
                HTML.badge(cycle.verdict.rawValue, cycle.verdict.tone),
                HTML.link("\(WindowReport.folder(cycle.cycle))/report.html", "#\(cycle.cycle)", base: base),
                HTML.moment(cycle.startedAt),
                HTML.escaped(cycle.revision.short), "\(cycle.totals.passed)/\(cycle.totals.tests)",
                Durations.text(seconds: cycle.durationSeconds),
                HTML.escaped(cycle.verdict == .healthy ? "" : cycle.because ?? ""),
            ]
        }
        return HTML.table(
            ["", "cycle", "began", "revision", "tests", "took", "because"], rows, numeric: [4, 5], wide: [6])
    }
}
