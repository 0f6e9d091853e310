// SPDX-License-Identifier: Apache-2.0
// How the values of a target are spread, with the limit, the percentile that is compared, and how sure it is.

import Domain

extension SVGChart {
    private static let bins = 40
    /// Two lines of words stand above the bars, so that nothing is written across them.
    private static let barTop = 36.0
    private static let floor = 104.0

    /// Bars by how many values fell there, the limit as a full line, the percentile as a dashed one, its confidence
    /// interval as a band; a side of the band that is open goes to the edge.
    static func distribution(_ target: TargetRecord) -> String {
        guard let values = target.values, values.count > 1, let low = values.min(), let high = values.max() else {
            return ""
        }
        let scale = Scale(from: min(low, target.limit), to: max(high, target.limit))
        var shapes = band(target, scale)
        shapes += "<line class=\"rule\" x1=\"0\" x2=\"100%\" y1=\"\(number(floor))\" y2=\"\(number(floor))\"/>\n"
        shapes += bars(values, target, scale)
        shapes += mark(target.limit, "limit \(target.amount(target.limit))", "mark", 10, scale)
        if let measured = target.measured {
            shapes += mark(measured, "\(target.percentileWord) \(target.amount(measured))", "soft", 25, scale)
        }
        let below = number(floor + 13)
        shapes += "<text x=\"0\" y=\"\(below)\">\(HTML.escaped(target.amount(scale.from)))</text>\n"
        shapes +=
            "<text x=\"100%\" y=\"\(below)\" text-anchor=\"end\">\(HTML.escaped(target.amount(scale.to)))</text>\n"
        let interval = target.intervalWords.map { ", \($0)" } ?? ""
        return svg(
            shapes, "\(target.name): \(values.count) values, \(target.comparison)\(interval)", height: floor + 16)
    }

    /// From values to places, in percent of the width.
    private struct Scale {
        var from: Double
        var to: Double

        func place(_ value: Double) -> Double {
            let span = to - from
            return span > 0 ? 1.5 + 97 * min(1, max(0, (value - from) / span)) : 50
        }

        func bin(_ value: Double) -> Int {
            let span = to - from
            return span > 0 ? min(bins - 1, Int((value - from) / span * Double(bins))) : bins / 2
        }
    }

    private static func bars(_ values: [Double], _ target: TargetRecord, _ scale: Scale) -> String {
        var counts = [Int](repeating: 0, count: bins)
        var isGood = [Bool](repeating: true, count: bins)
        for value in values {
            counts[scale.bin(value)] += 1
            if target.isFloor == true ? value < target.limit : value > target.limit { isGood[scale.bin(value)] = false }
        }
        let most = Double(counts.max() ?? 1)
        return counts.indices.filter { counts[$0] > 0 }.map { index in
            let tall = max(2, (floor - barTop) * Double(counts[index]) / most)
            let left = 1.5 + 97 * Double(index) / Double(bins)
            return "<rect class=\"\(isGood[index] ? "good" : "bad")\" x=\"\(number(left))%\" "
                + "y=\"\(number(floor - tall))\" width=\"\(number(97 / Double(bins) * 0.85))%\" "
                + "height=\"\(number(tall))\"><title>\(HTML.escaped(Plurals.count(counts[index], "value")))</title></rect>\n"
        }.joined()
    }

    private static func band(_ target: TargetRecord, _ scale: Scale) -> String {
        guard let interval = target.interval, interval.low != nil || interval.high != nil else { return "" }
        let left = interval.low.map(scale.place) ?? 0
        let right = interval.high.map(scale.place) ?? 100
        return "<rect class=\"band\" x=\"\(number(left))%\" y=\"\(number(barTop - 4))\" "
            + "width=\"\(number(max(0.5, right - left)))%\" height=\"\(number(floor - barTop + 4))\">"
            + "<title>\(HTML.escaped(target.intervalWords ?? ""))</title></rect>\n"
    }

    /// A line across with its words above the bars, on the side that has room.
    private static func mark(_ value: Double, _ word: String, _ kind: String, _ height: Double, _ scale: Scale)
        -> String
    {
        let place = scale.place(value)
        let isRight = place > 50
        return "<line class=\"\(kind)\" x1=\"\(number(place))%\" x2=\"\(number(place))%\" y1=\"\(number(height - 9))\" "
            + "y2=\"\(number(floor))\"/>\n<text x=\"\(number(place))%\" y=\"\(number(height))\" "
            + "dx=\"\(isRight ? "-5" : "5")\" text-anchor=\"\(isRight ? "end" : "start")\">\(HTML.escaped(word))</text>\n"
    }
}

extension TargetRecord {
    /// `p95`.
    fileprivate var percentileWord: String { "p" + Numbers.fixed(percentile ?? 95, decimals: 0) }
}
