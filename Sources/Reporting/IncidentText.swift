// SPDX-License-Identifier: Apache-2.0
// `nightjar why`: one incident with its five whys; also part of `show`.

package import Domain

package enum IncidentText {
    /// - actions: what the cycle did or was not allowed to do about its incidents.
    package static func text(
        _ incident: Incident, actions: [ActionRecord] = [], columns: Int = 80, palette: Palette = .plain,
        folder: String? = nil
    ) -> String {
        var layout = TextLayout(columns: columns, palette: palette)
        write(incident, actions: actions, into: &layout, testsShown: 50)
        if let folder {
            layout.blank()
            layout.field("evidence", folder)
        }
        return layout.text
    }

    static func write(
        _ incident: Incident, actions: [ActionRecord] = [], into layout: inout TextLayout, testsShown: Int = 5
    ) {
        layout.heading("\(incident.id)  \(incident.title)", .magenta)
        layout.paragraph(
            "\(incident.standing), \(incident.firstSeen.wholeSeconds)", indent: 2, paint: .dim)
        layout.paragraph("tests: \(Plurals.list(incident.tests, limit: testsShown))", indent: 2, limit: 30)
        guard let diagnosis = incident.diagnosis else {
            layout.paragraph("not diagnosed yet", indent: 2)
            return
        }
        write(diagnosis, actions.filter { ($0.incident ?? incident.id) == incident.id }, into: &layout)
    }

    private static func write(_ diagnosis: Diagnosis, _ actions: [ActionRecord], into layout: inout TextLayout) {
        layout.paragraph(diagnosis.headline, indent: 2, paint: diagnosis.grade == .proven ? .cyan : nil)
        layout.paragraph(diagnosis.summary, indent: 2)
        if let statistics = diagnosis.figures { layout.paragraph(statistics, indent: 2) }
        if let culprit = diagnosis.culprit { layout.paragraph("culprit \(culprit.words)", indent: 2, paint: .red) }
        for candidate in diagnosis.candidates.prefix(5) where candidate != diagnosis.culprit {
            layout.paragraph("candidate \(candidate.words)", indent: 2)
        }
        for why in diagnosis.whys {
            layout.paragraph("\(why.n) \(why.question)", indent: 4, head: "  " + layout.palette("? ", .blue))
            let sure = why.confidence > 0 ? " (\(Numbers.probability(why.confidence)))" : ""
            layout.paragraph(why.answer + sure, indent: 6)
            for reference in why.evidence.prefix(3) {
                layout.paragraph(
                    "\(reference.place(of: diagnosis)): \(Printable.line(reference.excerpt, columns: 240))", indent: 6,
                    paint: .dim,
                    limit: 3)
            }
        }
        for weighed in (diagnosis.hypotheses ?? []).prefix(3) {
            let because = weighed.because.prefix(3).joined(separator: "; ")
            layout.paragraph(
                "weighed \(weighed.category.rawValue) \(Numbers.probability(weighed.probability)): \(because)",
                indent: 2,
                paint: .dim, limit: 4)
        }
        for ruled in diagnosis.ruledOut {
            layout.paragraph("ruled out \(ruled.category.rawValue): \(ruled.because)", indent: 2, paint: .dim)
        }
        if let check = diagnosis.check { layout.paragraph("would tell: \(check)", indent: 2, paint: .bold) }
        if diagnosis.recommendedAction != .none {
            // What the loop was kept from is for a person to decide.
            let last = actions.last { $0.kind == diagnosis.recommendedAction }
            let barred = last?.outcome == .skipped ? ", by hand: the loop did not, \(last?.because ?? "")" : ""
            layout.paragraph(
                "do: \(diagnosis.recommendedAction.rawValue)\(diagnosis.runbook.map { " \($0)" } ?? "")\(barred)",
                indent: 2, paint: .bold)
        }
    }
}
