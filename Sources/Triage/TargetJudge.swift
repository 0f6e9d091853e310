// SPDX-License-Identifier: Apache-2.0
// A measured target beside its past: how sure the value is, whether it is a regression or noise, and where it is going.

package import Domain

/// What is known of a target from one earlier cycle.
package struct TargetPoint: Codable, Hashable, Sendable {
    package var cycle: Int
    package var measured: Double
    /// Whether the cycle was recommended to ship.
    package var isGreen: Bool

    package init(cycle: Int, measured: Double, isGreen: Bool) {
        self.cycle = cycle
        self.measured = measured
        self.isGreen = isGreen
    }
}

package enum TargetJudge {
    /// Of the rank-sum test, two-sided.
    static let significance = 0.01
    /// Below so many values on a side even the clearest difference is not significant.
    static let fewestValues = 5
    /// So many green cycles must be known: values of one cycle do not tell how cycles differ.
    static let fewestCycles = 5
    /// Newest cycles that spread and trend look at.
    package static let newest = 30
    /// Of the test for a trend, two-sided, and the fewest cycles that it is made with.
    static let trendSignificance = 0.01
    static let fewestForTrend = 8
    /// A limit that is farther away than this is nothing to warn of now.
    static let cyclesAhead = 30
    /// A difference must be at least so much of the limit, in percent: with less nobody comes nearer to it, and values far
    /// below a limit vary by more than their own size on a busy machine.
    static let noticedPercent = 1.0
    /// A trend must have moved the value by at least so much of the limit, in percent.
    static let trendPercent = 5.0

    /// The interval of the percentile; nil for fewer than two values, which bound nothing.
    package static func interval(_ record: TargetRecord) -> TargetInterval? {
        guard record.measured != nil, let values = record.values, values.count > 1, values.count == record.samples
        else { return nil }
        let failed = [Double](repeating: .infinity, count: record.failedSamples ?? 0)
        // The percentile of a floor counts from above.
        let isFloor = record.isFloor == true
        let found = QuantileInterval(
            (isFloor ? values.map { -$0 } : values) + failed, percentile: record.percentile ?? 95)
        let (low, high) = isFloor ? (found.high.map { -$0 }, found.low.map { -$0 }) : (found.low, found.high)
        return TargetInterval(low: low, high: high, confidence: found.confidence)
    }

    // MARK: - Against the last green cycle

    /// A difference is worse or better where three things hold: the rank-sum test of all values is significant; the
    /// compared percentile moved by at least `relevantPercent`, and by `noticedPercent` of the limit; and it lies outside
    /// of what earlier green cycles showed, because machines differ from cycle to cycle more than requests within one.
    ///
    /// - Parameter earlier: measured values of green cycles up to that one.
    package static func change(
        _ record: TargetRecord, since green: TargetRecord, cycle: Int, relevantPercent: Double, earlier: [Double]
    ) -> TargetChange? {
        guard let measured = record.measured, let before = green.measured, green.unit == record.unit,
            green.percentile == record.percentile, green.source == nil || green.source == record.source
        else { return nil }
        var change = TargetChange(finding: .same, cycle: cycle, before: before)
        change.samplesBefore = green.samples
        let toBad = record.isFloor == true ? before - measured : measured - before
        if before != 0 { change.worseByPercent = (toBad / abs(before) * 10_000).rounded() / 100 }
        let (old, new) = (green.values ?? [], record.values ?? [])
        guard min(old.count, new.count) >= fewestValues, let test = RankSumTest(before: old, now: new) else {
            change.finding = .unknown
            let few = min(old.count, new.count)
            change.because = "only \(few) \(few == 1 ? "value" : "values"), \(fewestValues) are needed"
            return change
        }
        change.probability = test.probability
        change.superiority = test.superiority
        change.test = "Mann-Whitney, \(test.isExact ? "exact" : "normal approximation")"
        // What the ranks say and what the percentile says must point the same way.
        let ranksToBad = record.isFloor == true ? test.superiority < 0.5 : test.superiority > 0.5
        guard test.probability <= significance, ranksToBad == (toBad > 0) else { return change }
        guard let percent = change.worseByPercent, abs(percent) >= relevantPercent else {
            change.because = "below the \(Measure.text(relevantPercent)) % that matter"
            return change
        }
        guard abs(toBad) >= abs(record.limit) * noticedPercent / 100 else {
            change.because = "less than \(Measure.text(noticedPercent)) % of the limit"
            return change
        }
        guard let spread = spread(earlier.suffix(newest)) else {
            change.finding = .unknown
            change.because = "only \(earlier.count) of \(fewestCycles) green cycles show how cycles differ"
            return change
        }
        if spread.contains(measured) {
            change.because = "within what the last \(min(earlier.count, newest)) green cycles showed"
            return change
        }
        change.finding = toBad > 0 ? .worse : .better
        return change
    }

    /// What earlier cycles showed: all of their values, and around their median 3 + 10 / n scaled median absolute
    /// deviations. The fewer they are, the less is known of how far they reach.
    private static func spread(_ values: some Collection<Double>) -> ClosedRange<Double>? {
        let values = Array(values)
        guard values.count >= fewestCycles, let middle = TrendTest.median(values),
            let deviation = TrendTest.median(values.map { abs($0 - middle) }), let low = values.min(),
            let high = values.max()
        else { return nil }
        let reach = (3 + 10 / Double(values.count)) * 1.4826 * deviation
        return min(low, middle - reach)...max(high, middle + reach)
    }

    // MARK: - Over the last cycles

    /// - Parameter points: of earlier cycles, rising, measured in the same way; `cycle` is this one.
    package static func trend(_ record: TargetRecord, cycle: Int, earlier points: [TargetPoint]) -> TargetTrend? {
        guard let measured = record.measured else { return nil }
        let earlier = points.suffix(newest - 1)
        let series = earlier.map { TrendTest.Point(x: Double($0.cycle), y: $0.measured) }
        let all = series + [TrendTest.Point(x: Double(cycle), y: measured)]
        guard all.count >= fewestForTrend, let first = earlier.first, let test = TrendTest(all) else { return nil }
        var trend = TargetTrend(
            cycles: all.count, fromCycle: first.cycle, slopePerCycle: test.slope, probability: test.probability)
        let isToLimit = record.isFloor == true ? test.slope < 0 : test.slope > 0
        let moved = abs(test.slope) * Double(cycle - first.cycle)
        guard record.status == .met, isToLimit, test.probability <= trendSignificance,
            moved >= abs(record.limit) * trendPercent / 100
        else { return trend }
        let left = abs(record.limit - test.level) / abs(test.slope)
        let isPast = record.isFloor == true ? test.level <= record.limit : test.level >= record.limit
        let cycles = isPast ? 1 : left.rounded(.up)
        if cycles <= Double(cyclesAhead) { trend.cyclesToLimit = max(1, Int(cycles)) }
        return trend
    }
}
