// SPDX-License-Identifier: Apache-2.0
// Incidents on the page: the five whys with the lines that answer them, what was weighed and what was ruled out.

import Domain

struct HTMLIncidents {
    private let report: CycleReport
    private var base: String { report.context.linkBase }

    init(_ report: CycleReport) {
        self.report = report
    }

    var html: String { report.record.incidents.map(incident).joined() }

    private func incident(_ incident: Incident) -> String {
        let tone: HTML.Tone = incident.state == .resolved ? .good : incident.state == .acknowledged ? .doubt : .bad
        var text = "<section class=\"incident\" id=\"\(HTML.escaped(incident.id))\">"
        text += "<h2>\(HTML.escaped(incident.id)) · \(HTML.escaped(incident.title))</h2>\n"
        text += "<p class=\"soft\">\(HTML.badge(incident.state.rawValue, tone)) "
        text += "\(HTML.escaped(incident.history)), \(incident.firstSeen.wholeSeconds)</p>\n"
        text += "<p><code>\(HTML.escaped(Plurals.list(incident.tests, limit: 20)))</code></p>\n"
        text += incident.diagnosis.map(diagnosis) ?? "<p>Not diagnosed yet.</p>\n"
        return text + "</section>\n"
    }

    private func diagnosis(_ diagnosis: Diagnosis) -> String {
        let tone: HTML.Tone = diagnosis.grade == .proven ? .good : diagnosis.grade == .unknown ? .quiet : .doubt
        var text = "<p class=\"verdict\">\(HTML.badge(diagnosis.grade.rawValue, tone)) "
        text += "<strong>\(HTML.escaped(diagnosis.headline))</strong></p>\n<p>\(HTML.escaped(diagnosis.summary))</p>\n"
        if let statistics = diagnosis.figures { text += "<p class=\"formula\">\(HTML.escaped(statistics))</p>\n" }
        if let culprit = diagnosis.culprit { text += "<p>Culprit: <code>\(HTML.escaped(culprit.words))</code></p>\n" }
        let others = diagnosis.candidates.filter { $0 != diagnosis.culprit }
        text += HTML.list(others.prefix(20).map { "candidate <code>\(HTML.escaped($0.words))</code>" })
        text += whys(diagnosis) + hypotheses(diagnosis.hypotheses ?? [])
        text += HTML.list(
            diagnosis.ruledOut.map { "ruled out <b>\($0.category.rawValue)</b>: \(HTML.escaped($0.because))" },
            "crosses")
        if let check = diagnosis.check {
            text += "<p>The one check that would tell: <strong>\(HTML.escaped(check))</strong></p>\n"
        }
        let runbook = diagnosis.runbook.map { " \($0)" } ?? ""
        return text
            + "<p>Recommended: <strong>\(HTML.escaped(diagnosis.recommendedAction.rawValue + runbook))</strong></p>\n"
    }

    private func whys(_ diagnosis: Diagnosis) -> String {
        guard !diagnosis.whys.isEmpty else { return "" }
        let items = diagnosis.whys.map { why in
            let sure = why.confidence > 0 ? " <small>\(Numbers.probability(why.confidence))</small>" : ""
            let evidence = why.evidence.map { reference in
                // Another cycle's folder does not travel with this page.
                let place =
                    diagnosis.cycle == nil
                    ? HTML.link(reference.path, reference.place, base: base)
                    : "<code>\(HTML.escaped(reference.place(of: diagnosis)))</code>"
                return
                    "\(place) <q>\(HTML.escaped(Printable.line(reference.excerpt, columns: 200)))</q>"
            }
            return "<li class=\"\(why.confidence > 0 ? "known" : "unknown")\"><p class=\"soft\">"
                + "\(HTML.escaped(why.question))</p><p>\(HTML.escaped(why.answer))\(sure)</p>\n"
                + HTML.list(evidence, "evidence") + "</li>\n"
        }
        return "<ol class=\"whys\">\n\(items.joined())</ol>\n"
    }

    private func hypotheses(_ weighed: [HypothesisRecord]) -> String {
        guard !weighed.isEmpty else { return "" }
        let rows = weighed.prefix(8).map { entry in
            [
                entry.category.rawValue, Numbers.probability(entry.probability),
                SVGChart.share(100 * min(1, max(0, entry.probability)), tone: .quiet),
                entry.because.isEmpty ? "-" : entry.because.prefix(6).map(HTML.escaped).joined(separator: "<br>"),
            ]
        }
        return "<details><summary>\(Plurals.count(weighed.count, "explanation")) weighed</summary>\n"
            + HTML.table(["explanation", "probability", "", "because"], rows, numeric: [1], wide: [3]) + "</details>\n"
    }
}
