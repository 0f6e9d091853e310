// SPDX-License-Identifier: Apache-2.0
// Performance targets on the page: what was measured against what, how sure it is, against when, and where it is going.

import Domain

extension HTMLCycle {
    var targets: String {
        guard let targets = record.targets, !targets.isEmpty else { return "" }
        // Before there is a past its column would only say so.
        let hasPast = targets.contains { !$0.pastWords.isEmpty || $0.isOpen }
        let columns = ["", "target", "limit", "measured", "of the limit"] + (hasPast ? ["beside the past"] : [])
        var text = HTML.table(
            columns, targets.map { Array(row($0).prefix(columns.count)) }, numeric: [2], wide: [3, 4, 5])
        let charts = targets.flatMap { [distribution($0), course($0)] }.filter { !$0.isEmpty }
        if !charts.isEmpty { text += "<div class=\"charts\">\n\(charts.joined())</div>\n" }
        if hasPast || targets.contains(where: { $0.interval != nil }) {
            text += "<p class=\"formula\">\(HTML.escaped(TargetRecord.method))</p>\n"
        }
        return HTML.section("targets", "Performance targets", text)
    }

    private func row(_ target: TargetRecord) -> [String] {
        let sign = target.isFloor == true ? ">= " : "<= "
        let figure =
            target.measured.map { "<b>\(HTML.escaped(target.amount($0)))</b>" } ?? HTML.escaped(target.because ?? "-")
        let basis = target.basis ?? (target.measured == nil ? nil : "1 value")
        let notes = [basis, target.intervalWords, target.failureWords].compactMap { $0 }
        let small = notes.map { "<br><small>\(HTML.escaped($0))</small>" }.joined()
        let source = target.source.map { "<br><small>\(HTML.escaped($0))</small>" } ?? ""
        let file = target.evidence.map { path in
            let name = path.split(separator: "/").last.map(String.init)
            return "<br><small>\(link(path, name))</small>"
        }
        let margin = target.margin.map { "<small>\(HTML.escaped($0))</small>" } ?? "-"
        return [
            HTML.badge(target.status.words, target.status.tone),
            "<strong>\(HTML.escaped(target.name))</strong>\(source)\(file ?? "")",
            HTML.escaped(sign + target.amount(target.limit)), figure + small, SVGChart.bullet(target) + margin,
            target.pastHTML,
        ]
    }

    private func distribution(_ target: TargetRecord) -> String {
        guard (target.values?.count ?? 0) > 1 else { return "" }
        let count = Plurals.count(target.samples ?? 0, "value")
        return "<figure><figcaption>\(HTML.escaped(target.name)) <span>\(HTML.escaped(count))</span></figcaption>\n"
            + "\(SVGChart.distribution(target))</figure>\n"
    }

    /// The measured value from cycle to cycle, where it was measured in the same way, with the limit; empty for fewer than
    /// three.
    private func course(_ target: TargetRecord) -> String {
        let earlier = report.context.history.filter { $0.cycle < record.cycle }
        let cycles = (earlier + [CycleBrief(record)]).suffix(30)
        let points = cycles.compactMap { cycle -> ChartPoint? in
            let mark = cycle.targets?.first { $0.name == target.name && $0.isComparable(with: target) }
            guard let value = mark?.measured else { return nil }
            let isMet = target.isFloor == true ? value >= target.limit : value <= target.limit
            return ChartPoint(label: "#\(cycle.cycle)", value: value, tone: isMet ? .good : .bad)
        }
        guard points.count > 2 else { return "" }
        let now = target.measured.map { target.amount($0) } ?? "-"
        return "<figure><figcaption>\(HTML.escaped(target.name)) by cycle "
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

    /// The same, with badges; what cannot be told is said in small letters.
    var pastHTML: String {
        var past = pastWords.map { row in
            row.word == "unknown"
                ? "<small>\(HTML.escaped(row.text))</small>"
                : "\(HTML.badge(row.word, row.tone)) \(HTML.escaped(row.text))"
        }
        if isOpen { past.append("<small>the limit lies inside the interval: more samples would tell</small>") }
        return past.isEmpty ? "<span class=\"soft\">nothing to compare with yet</span>" : past.joined(separator: "<br>")
    }

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
