// SPDX-License-Identifier: Apache-2.0
// Charts as inline SVG. Horizontal places are percentages and vertical ones pixels, so that a chart fills any width
// while its strokes, dots and letters keep their size: on a phone, in print, and wide. Colors come from the page.

import Domain

/// One point of a chart.
struct ChartPoint: Sendable {
    /// What the reader calls the point: `#214`.
    var label: String
    /// Nil where there is nothing to show, which leaves a gap.
    var value: Double?
    var tone: HTML.Tone
}

enum SVGChart {
    static let height = 92.0
    static let top = 14.0
    static let bottom = 78.0

    /// A line over the points, lowest value at the bottom.
    static func line(
        _ points: [ChartPoint], range: ClosedRange<Double>, text: (Double) -> String, besides mark: String = ""
    ) -> String {
        var shapes = baseline + mark
        let places = places(points.count)
        for index in points.indices.dropFirst() {
            guard let before = points[index - 1].value, let now = points[index].value else { continue }
            shapes +=
                "<line class=\"ink\" x1=\"\(places[index - 1])%\" y1=\"\(y(before, range))\" "
                + "x2=\"\(places[index])%\" y2=\"\(y(now, range))\"/>\n"
        }
        for (index, point) in points.enumerated() {
            guard let value = point.value else { continue }
            let radius = index == points.count - 1 ? "4" : "2.5"
            shapes +=
                "<circle class=\"\(point.tone.rawValue)\" cx=\"\(places[index])%\" cy=\"\(y(value, range))\" r=\"\(radius)\">"
                + "<title>\(HTML.escaped("\(point.label): \(text(value))"))</title></circle>\n"
        }
        return wrapped(shapes, points, text)
    }

    /// A line over the points with the limit across; the scale begins at zero.
    static func course(_ points: [ChartPoint], limit: Double, text: (Double) -> String) -> String {
        let values = points.compactMap(\.value)
        let most = max(values.max() ?? limit, limit) * 1.08
        let range = min(0, values.min() ?? 0)...max(most, .leastNonzeroMagnitude)
        let place = y(limit, range)
        let mark =
            "<line class=\"mark\" x1=\"0\" x2=\"100%\" y1=\"\(place)\" y2=\"\(place)\"/>\n"
            + "<text x=\"0\" y=\"\(place)\" dy=\"-4\">\(HTML.escaped("limit \(text(limit))"))</text>\n"
        return line(points, range: range, text: text, besides: mark)
    }

    /// Bars from zero.
    static func bars(_ points: [ChartPoint], text: (Double) -> String) -> String {
        let most = max(points.compactMap(\.value).max() ?? 0, .leastNonzeroMagnitude)
        var shapes = baseline
        let step = 100 / Double(max(points.count, 1))
        for (index, point) in points.enumerated() {
            guard let value = point.value else { continue }
            let tall = most > 0 && value > 0 ? max(2, (bottom - top) * value / most) : 1
            let width = max(0.3, min(step * 0.7, 6))
            let left = step * (Double(index) + 0.5) - width / 2
            shapes +=
                "<rect class=\"\(value > 0 ? point.tone.rawValue : "rule")\" x=\"\(number(left))%\" "
                + "y=\"\(number(bottom - tall))\" width=\"\(number(width))%\" height=\"\(number(tall))\">"
                + "<title>\(HTML.escaped("\(point.label): \(text(value))"))</title></rect>\n"
        }
        return wrapped(shapes, points, text)
    }

    /// How far a value fills its limit: the tick stands at the limit, and the bar passes it where the limit is missed.
    static func bullet(_ target: TargetRecord) -> String {
        guard let measured = target.measured, target.limit > 0 else { return "" }
        let share = min(1.3, max(0, measured / target.limit))
        let width = number(max(0.5, share / 1.3 * 100))
        let tick = number(100 / 1.3)
        return """
            <svg class="bullet" width="100%" height="14" role="img" aria-label="\(HTML.escaped(target.comparison))">
            <rect class="rule" x="0" y="5" width="100%" height="4" rx="2"/>
            <rect class="\(target.status.tone.rawValue)" x="0" y="3" width="\(width)%" height="8" rx="2"/>
            <line class="mark" x1="\(tick)%" x2="\(tick)%" y1="0" y2="14"/>
            </svg>

            """
    }

    /// A bar on a line of time: where it began and how long it took, in percent of the whole.
    static func span(from: Double, width: Double, tone: HTML.Tone, title: String) -> String {
        """
        <svg class="span" width="100%" height="14" role="img" aria-label="\(HTML.escaped(title))">\
        <rect class="rule" x="0" y="6" width="100%" height="2"/>\
        <rect class="\(tone.rawValue)" x="\(number(from))%" y="2" width="\(number(max(0.4, width)))%" height="10" rx="2">\
        <title>\(HTML.escaped(title))</title></rect></svg>
        """
    }

    /// A share of 100 as a bar.
    static func share(_ percent: Double, tone: HTML.Tone) -> String {
        """
        <svg class="bullet" width="100%" height="14" role="img" aria-label="\(HTML.escaped(Numbers.percent(percent)))">\
        <rect class="rule" x="0" y="5" width="100%" height="4" rx="2"/>\
        <rect class="\(tone.rawValue)" x="0" y="3" width="\(number(percent))%" height="8" rx="2"/></svg>
        """
    }

    // MARK: Pieces

    private static var baseline: String {
        "<line class=\"rule\" x1=\"0\" x2=\"100%\" y1=\"\(number(bottom))\" y2=\"\(number(bottom))\"/>\n"
    }

    private static func wrapped(_ shapes: String, _ points: [ChartPoint], _ text: (Double) -> String) -> String {
        guard let first = points.first, let last = points.last else { return "" }
        let ends =
            "<text x=\"0\" y=\"90\">\(HTML.escaped(first.label))</text>\n"
            + "<text x=\"100%\" y=\"90\" text-anchor=\"end\">\(HTML.escaped(last.label))</text>\n"
        let values = points.compactMap(\.value)
        let range = values.isEmpty ? "" : ", from \(text(values.min() ?? 0)) to \(text(values.max() ?? 0))"
        return svg(shapes + ends, "\(first.label) to \(last.label)\(range)")
    }

    static func svg(_ shapes: String, _ label: String, height: Double = SVGChart.height) -> String {
        "<svg class=\"chart\" width=\"100%\" height=\"\(number(height))\" role=\"img\" "
            + "aria-label=\"\(HTML.escaped(label))\">\n\(shapes)</svg>\n"
    }

    private static func places(_ count: Int) -> [String] {
        guard count > 1 else { return ["50"] }
        return (0..<count).map { number(2 + 96 * Double($0) / Double(count - 1)) }
    }

    private static func y(_ value: Double, _ range: ClosedRange<Double>) -> String {
        let span = range.upperBound - range.lowerBound
        let share = span > 0 ? (min(max(value, range.lowerBound), range.upperBound) - range.lowerBound) / span : 0.5
        return number(bottom - 3 - (bottom - top - 3) * share)
    }

    static func number(_ value: Double) -> String { Numbers.fixed(value, decimals: 2) }
}
