// SPDX-License-Identifier: Apache-2.0
// A target in words: the same in the log, in every report and on the page.

package import Domain

extension TargetRecord {
    /// `85 ms <= 100 ms`, `120 ms > 100 ms`, or why there is no number.
    package var comparison: String {
        let suffix = unit.isEmpty ? "" : unit == "%" ? " %" : " \(unit)"
        guard let measured else { return because ?? "not measured" }
        let sign: String =
            switch (isFloor == true, status == .met) {
            case (false, true): "<="
            case (false, false): ">"
            case (true, true): ">="
            case (true, false): "<"
            }
        var (found, wanted) = (Numbers.measure(measured), Numbers.measure(limit))
        // Rounding must not make a miss look like the limit itself.
        if found == wanted, measured != limit { (found, wanted) = ("\(measured)", "\(limit)") }
        return "\(found)\(suffix) \(sign) \(wanted)\(suffix)"
    }

    /// `15 % better`, `20 % worse`; nil where nothing was measured.
    package var margin: String? {
        guard let betterByPercent else { return nil }
        if betterByPercent == 0 { return "just met" }
        return "\(Numbers.percent(abs(betterByPercent))) \(betterByPercent > 0 ? "better" : "worse")"
    }

    /// `p95 of 20`, or nil for a single value.
    package var basis: String? {
        guard let samples, samples > 1 else { return nil }
        let rank = Numbers.fixed(percentile ?? 95, decimals: 0)
        return "p\(rank) of \(Numbers.grouped(samples))"
    }

    /// A value with the target's unit.
    package func amount(_ value: Double) -> String {
        unit.isEmpty ? Numbers.measure(value) : "\(Numbers.measure(value)) \(unit)"
    }

    /// `95 % CI 72 to 91 ms`, `95 % CI from 72 ms, 20 values bound no other side`; nil where there is none.
    package var intervalWords: String? {
        guard let interval else { return nil }
        let name = "\(Numbers.fixed(interval.confidence * 100, decimals: 0)) % CI"
        let suffix = unit.isEmpty ? "" : " \(unit)"
        switch (interval.low, interval.high) {
        case (let low?, let high?): return "\(name) \(Numbers.measure(low)) to \(Numbers.measure(high))\(suffix)"
        case (let low?, nil): return "\(name) from \(Numbers.measure(low))\(suffix), open above"
        case (nil, let high?): return "\(name) to \(Numbers.measure(high))\(suffix), open below"
        case (nil, nil): return "\(name) open: too few values"
        }
    }

    /// `2 samples failed: status 503, expected 200...299`
    package var failureWords: String? {
        guard status != .notMeasured, let failedSamples else { return nil }
        return "\(Plurals.count(failedSamples, "sample")) failed" + (failure.map { ": \($0)" } ?? "")
    }

    /// Whether the limit lies inside the interval: met or missed, by chance it could be the other.
    package var isOpen: Bool {
        guard status != .notMeasured, let low = interval?.low, let high = interval?.high else { return false }
        return low <= limit && limit <= high
    }

    /// What is to be said beyond met or missed: a regression, a trend.
    package var warnings: [String] {
        var lines: [String] = []
        if let change = sinceGreen, change.finding == .worse { lines.append("target \(name) is \(change.words)") }
        if let warning = trend?.warning(unit) { lines.append("target \(name) \(warning)") }
        return lines
    }
}
