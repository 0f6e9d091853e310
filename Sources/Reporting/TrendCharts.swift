// SPDX-License-Identifier: Apache-2.0
// Small charts side by side: how pass rate, duration, value at risk and flakes went from cycle to cycle.

import Domain

enum TrendCharts {
    /// More points than this are a smear.
    private static let cyclesShown = 60

    /// The charts that have something to show; empty for fewer than two cycles.
    static func html(_ cycles: [CycleBrief], unit: String) -> String {
        let cycles = Array(cycles.suffix(cyclesShown))
        guard cycles.count > 1 else { return "" }
        var cards = passRate(cycles) + durations(cycles)
        cards += atRisk(cycles, unit) + flakes(cycles)
        return "<div class=\"charts\">\n\(cards)</div>\n"
    }

    private static func points(_ cycles: [CycleBrief], _ value: (CycleBrief) -> Double?) -> [ChartPoint] {
        cycles.map { ChartPoint(label: "#\($0.cycle)", value: value($0), tone: $0.verdict.tone) }
    }

    private static func card(_ title: String, _ points: [ChartPoint], _ text: (Double) -> String, _ chart: String)
        -> String
    {
        let now = points.last?.value.map(text) ?? "none"
        return
            "<figure><figcaption>\(HTML.escaped(title)) <b>\(HTML.escaped(now))</b></figcaption>\n\(chart)</figure>\n"
    }

    private static func passRate(_ cycles: [CycleBrief]) -> String {
        let points = points(cycles) { $0.totals.passRate }
        let values = points.compactMap(\.value)
        // Differences near 100 are the ones that matter; the scale says where it begins.
        let low = values.min().map { max(0, ($0 - 5).rounded(.down)) } ?? 0
        return card(
            "pass rate", points, Numbers.percent,
            SVGChart.line(points, range: min(low, 95)...100, text: Numbers.percent))
    }

    private static func durations(_ cycles: [CycleBrief]) -> String {
        let points = points(cycles) { $0.durationSeconds }
        let text = { (value: Double) in Durations.text(seconds: value) }
        let most = max(points.compactMap(\.value).max() ?? 1, 1e-9)
        return card("duration", points, text, SVGChart.line(points, range: 0...most, text: text))
    }

    private static func atRisk(_ cycles: [CycleBrief], _ unit: String) -> String {
        let points = points(cycles) { $0.valueAtRisk }
        guard points.contains(where: { $0.value != nil }) else { return "" }
        let text = { (value: Double) in Numbers.grouped(value) }
        return card("\(unit.isEmpty ? "value" : unit) at risk", points, text, SVGChart.bars(points, text: text))
    }

    private static func flakes(_ cycles: [CycleBrief]) -> String {
        let points = points(cycles) { cycle in
            let flaky = cycle.flakyTests ?? cycle.totals.flaky
            return cycle.totals.tests > 0 ? 100 * Double(flaky) / Double(cycle.totals.tests) : nil
        }
        return card("flaky tests", points, Numbers.percent, SVGChart.bars(points, text: Numbers.percent))
    }
}
