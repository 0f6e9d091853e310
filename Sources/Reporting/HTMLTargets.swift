// SPDX-License-Identifier: Apache-2.0
// Performance targets on the page: what was measured against what, how sure it is, against when, and where it is going.

import Domain

extension HTMLCycle {
    var targets: String {
        guard let targets = record.targets, !targets.isEmpty else { return "" }
        var text = HTML.table(
            ["", "target", "limit", "measured", "of the limit", "beside the past"], targets.map(row), numeric: [2],
            wide: [3, 4, 5])
        let charts = targets.flatMap { [distribution($0), course($0)] }.filter { !$0.isEmpty }
        if !charts.isEmpty { text += "<div class=\"charts\">\n\(charts.joined())</div>\n" }
        text += "<p class=\"formula\">\(HTML.escaped(TargetRecord.method))</p>\n"
        return HTML.section("targets", "Performance targets", text)
    }

    private func row(_ target: TargetRecord) -> [String] {
        let sign = target.isFloor == true ? ">= " : "<= "
        let figure = target.measured.map { "<b>\(HTML.escaped(target.amount($0)))</b>" } ?? HTML.escaped(target.because ?? "-")
        let notes = [target.basis ?? (target.measured == nil ? nil : "1 value"), target.intervalWords, target.failureWords]
        let small = notes.compactMap { $0 }.map { "<br><small>\(HTML.escaped($0))</small>" }.joined()
        let source = target.source.map { "<br><small>\(HTML.escaped($0))</small>" } ?? ""
        let log = target.evidence.map { "<br><small>\(link($0))</small>" } ?? ""
        let margin = target.margin.map { "<small>\(HTML.escaped($0))</small>" } ?? "-"
        var past = target.pastWords.map { "\(HTML.badge($0.word, $0.tone)) \(HTML.escaped($0.text))" }
        if target.isOpen { past.append("<small>the limit lies inside the interval: more samples would tell</small>") }
        return [
            HTML.badge(target.status.words, target.status.tone),
            "<strong>\(HTML.escaped(target.name))</strong>\(source)\(log)",
            HTML.escaped(sign + target.amount(target.limit)), figure + small, SVGChart.bullet(target) + margin,
            past.isEmpty ? "<span class=\"soft\">nothing to compare with</span>" : past.joined(separator: "<br>"),
        ]
    }

    private func distribution(_ target: TargetRecord) -> String {
        guard (target.values?.count ?? 0) > 1 else { return "" }
        let count = Plurals.count(target.samples ?? 0, "value")
        return "<figure><figcaption>\(HTML.escaped(target.name)) <b>\(HTML.escaped(count))</b></figcaption>\n"
            + "\(SVGChart.distribution(target))</figure>\n"
    }

    /// The measured value from cycle to cycle, with the limit; empty for fewer than three.
    private func course(_ target: TargetRecord) -> String {
        let earlier = report.context.history.filter { $0.cycle < record.cycle }
        let cycles = (earlier + [CycleBrief(record)]).suffix(30)
        let points = cycles.compactMap { cycle -> ChartPoint? in
            guard let value = cycle.measured?[target.name] else { return nil }
            let isMet = target.isFloor == true ? value >= target.limit : value <= target.limit
            return ChartPoint(label: "#\(cycle.cycle)", value: value, tone: isMet ? .good : .bad)
        }
        guard points.count > 2 else { return "" }
        let now = target.measured.map { target.amount($0) } ?? "-"
        return "<figure><figcaption>\(HTML.escaped(target.name)), last \(points.count) cycles "
            + "<b>\(HTML.escaped(now))</b></figcaption>\n"
            + SVGChart.course(points, limit: target.limit, text: { target.amount($0) }) + "</figure>\n"
    }
}

extension TargetRecord {
    /// How the figures come about, in one sentence for readers of a report.
    package static let method =
        "The percentile is a value that was seen (nearest rank). CI: the range that holds the true percentile, from order "
        + "statistics, whatever the distribution. Worse or better: Mann-Whitney test p <= 0.01 against all values of the "
        + "last green cycle, by at least the relevant difference, and outside of what earlier green cycles showed. Trend: "
        + "slope of Theil and Sen, test of Mann and Kendall p <= 0.01."

    /// Each with the word that leads it.
    var pastWords: [(word: String, tone: HTML.Tone, text: String)] {
        var rows: [(String, HTML.Tone, String)] = []
        if let change = sinceGreen {
            switch change.finding {
            case .worse: rows.append(("worse", .bad, change.words))
            case .better: rows.append(("better", .good, change.words))
            case .same: rows.append(("same", .quiet, change.words))
            case .unknown: rows.append(("unknown", .quiet, change.words))
            }
        }
        if let warning = trend?.warning(unit) { rows.append(("trend", .doubt, warning)) }
        return rows
    }
}
