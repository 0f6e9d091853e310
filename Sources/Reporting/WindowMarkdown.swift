// SPDX-License-Identifier: Apache-2.0
// The report over a window as Markdown and as text for a terminal: one page first, detail after.

import Domain

extension WindowReport {
    package var markdown: String {
        let escaped = Markdown.escaped
        var text = "# \(escaped(title)): \(recommendation.rawValue.uppercased())\n\n"
        text += "\(escaped(sentence))\n\n\(escaped(times))\n\n"
        for reason in because.prefix(5) where reason.verdict != .healthy {
            let subject = reason.subject.map { "\(escaped($0)): " } ?? ""
            text +=
                "- **\(reason.verdict.rawValue)** \(subject)\(escaped(reason.text)) \\(rule \(escaped(reason.rule))\\)\n"
        }
        text += because.contains { $0.verdict != .healthy } ? "\n" : ""
        text += Markdown.table(["", ""], figures.map { [$0.label, "\($0.figure) (\($0.remark))"].map(escaped) })
        let unit = value.unit.isEmpty ? "value" : escaped(value.unit)
        text += "\n## Before and after\n\n"
        text += Markdown.table(
            ["", "suite", "before", "after", "lowest", unit], suites.map { suiteRow($0).map(escaped) })
        text += "\n## Delivery\n\n"
        text += Markdown.table(
            ["", "", "what is counted"], deliveryRows.map { [$0.name, $0.figure, $0.meaning].map(escaped) })
        if value.total > 0 { text += "\nvalue at risk: \(escaped(exposureSentence))\n" }
        return text + details
    }

    private var details: String {
        let escaped = Markdown.escaped
        var text = ""
        if !incidents.isEmpty {
            text += "\n## Incidents\n\n"
            text += Markdown.table(
                ["", "incident", "what", "cause", "cycles", "detect", "diagnose", "restore", "how"],
                incidents.map { incidentRow($0).map(escaped) })
        }
        let none = ["none that the evidence shows"]
        text += "\n## Risks eliminated\n\n"
        text += Markdown.list(risksEliminated.isEmpty ? none : risksEliminated.map(escaped))
        text += "\n## Risks left\n\n" + Markdown.list(risksLeft.isEmpty ? none : risksLeft.map(escaped))
        text += "\n## What next\n\n"
        for (index, action) in actions.enumerated() {
            text += "\(index + 1). \(escaped(action.text))\(action.command.map { ": \(Markdown.code($0))" } ?? "")\n"
        }
        if !targets.isEmpty {
            text += "\n## Performance targets\n\n"
            text += Markdown.table(
                ["", "target", "measured", "of the limit", "beside the past"],
                targets.map {
                    let past = $0.pastWords.map(\.text).joined(separator: "; ")
                    return [$0.status.words, $0.name, $0.comparison, $0.margin ?? "-", past.isEmpty ? "-" : past].map(
                        escaped)
                })
        }
        text += "\n## Cycles\n\n"
        text += Markdown.table(
            ["cycle", "verdict", "", "revision", "tests", "took", "because"],
            cycles.map { cycle in
                [
                    "#\(cycle.cycle)", cycle.verdict.rawValue, cycle.recommendation.rawValue, cycle.revision.short,
                    "\(cycle.totals.passed)/\(cycle.totals.tests)", Durations.text(seconds: cycle.durationSeconds),
                    cycle.verdict == .healthy ? "" : cycle.because ?? "",
                ].map(escaped)
            })
        text += "\nComputed from the sealed cycles; `nightjar verify` checks that nothing was changed."
        return text + (seal.map { " \(Seal.words($0.cycle)) `\($0.sha256)`" } ?? "") + "\n"
    }

    /// One screen for a terminal.
    package func text(columns: Int = 80, palette: Palette = .plain) -> String {
        var layout = TextLayout(columns: columns, palette: palette)
        let hold: Palette.Paint = recommendation == .ship ? .greenBold : .redBold
        layout.raw(
            palette(Printable.line(loop, columns: 40), .bold) + "  \(cycleSpan)  "
                + palette(recommendation.rawValue.uppercased(), hold)
                + " \(Printable.line(revision.short, columns: 40))")
        layout.paragraph(times, indent: 0, paint: .dim)
        layout.raw(VerdictStrip.text(Array(cycles.suffix(max(1, columns - 2))), palette: palette))
        layout.blank()
        layout.paragraph(sentence, indent: 0)
        table(&layout, "suites", [["", "", "before", "after", "lowest", value.unit]] + suites.map(suiteRow))
        table(&layout, "delivery", deliveryRows.map { [$0.name, $0.figure] })
        if value.total > 0 { layout.paragraph("value at risk: \(exposureSentence)", indent: 2, paint: .dim) }
        for incident in incidents {
            if incident == incidents.first { layout.heading("incidents") }
            let row = incidentRow(incident)
            layout.paragraph(
                "\(row[1]) \(row[0]): \(row[2]); \(row[3]); time to detect \(row[5]), to diagnose \(row[6]), to restore \(row[7])",
                indent: 2, paint: incident.isResolved ? nil : .yellow)
        }
        if !risksLeft.isEmpty {
            layout.heading("risks left")
            for risk in risksLeft.prefix(8) { layout.paragraph(risk, indent: 2, limit: 2) }
            if risksLeft.count > 8 { layout.paragraph("… and \(risksLeft.count - 8) more", indent: 2) }
        }
        layout.heading("next")
        for action in actions.prefix(6) {
            layout.paragraph(action.text + (action.command.map { ": \($0)" } ?? ""), indent: 2, limit: 3)
        }
        if let seal {
            layout.blank()
            layout.paragraph(seal.line, indent: 0, paint: .dim)
        }
        return layout.text
    }

    private func table(_ layout: inout TextLayout, _ title: String, _ rows: [[String]]) {
        layout.heading(title)
        var table = TextTable()
        for row in rows { table.add(row.map { TextTable.Cell($0) }) }
        table.render(into: &layout, widest: 28)
    }
}
