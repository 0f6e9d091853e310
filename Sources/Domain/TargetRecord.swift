// SPDX-License-Identifier: Apache-2.0
// What became of a performance target in one cycle.

/// What became of one target: an element of `targets` in `cycle.json`.
package struct TargetRecord: Codable, Hashable, Sendable {
    package enum Status: String, Codable, Sendable, CaseIterable {
        case met, missed, notMeasured
    }
    package var name: String
    package var limit: Double
    package var unit: String
    package var measured: Double?
    /// How far the measured value is on the good side of the limit, in percent of the limit; negative is worse.
    package var betterByPercent: Double?
    package var status: Status
    /// How many values were measured.
    package var samples: Int?
    package var percentile: Double?
    /// The values themselves, at most 1000, in the order in which they came.
    package var values: [Double]?
    /// Set where the limit is the least that will do.
    package var isFloor: Bool?
    package var blocking: Bool?
    /// The file inside the cycle folder that the values were read from.
    package var evidence: String?
    /// Why nothing was measured.
    package var because: String?
    /// What the numbers are: `http total`, `websocket ping`, `command`, `tests *login*`, `property p95`.
    package var source: String?
    /// Samples that brought no value, of those that were to count; each ranks behind all others.
    package var failedSamples: Int?
    /// What the first of them met.
    package var failure: String?
    /// Samples before the first that counts.
    package var warmup: Int?
    /// The range that holds the true percentile.
    package var interval: TargetInterval?
    /// Against the last green cycle.
    package var sinceGreen: TargetChange?
    /// Over the last cycles.
    package var trend: TargetTrend?

    package init(
        name: String, limit: Double, unit: String, measured: Double? = nil, betterByPercent: Double? = nil,
        status: Status, samples: Int? = nil, percentile: Double? = nil, values: [Double]? = nil, isFloor: Bool? = nil,
        blocking: Bool? = nil, evidence: String? = nil, because: String? = nil
    ) {
        self.name = name
        self.limit = limit
        self.unit = unit
        self.measured = measured
        self.betterByPercent = betterByPercent
        self.status = status
        self.samples = samples
        self.percentile = percentile
        self.values = values
        self.isFloor = isFloor
        self.blocking = blocking
        self.evidence = evidence
        self.because = because
    }

    /// Judges measured values, all in the target's unit. No value is no miss and no pass. A failed sample ranks behind
    /// all values, so where the percentile falls among the failed ones there is none.
    package init(
        _ target: TargetSettings, values: [Double], failed: [String] = [], evidence: String?, because: String? = nil
    ) {
        self.init(
            name: target.name, limit: target.limit, unit: target.unit, status: .notMeasured,
            percentile: target.percentile, isFloor: target.isFloor ? true : nil,
            blocking: target.blocking ? true : nil, evidence: evidence, because: because)
        source = target.source.words
        let usable = values.filter(\.isFinite)
        if !failed.isEmpty { (failedSamples, failure) = (failed.count, failed.first) }
        guard because == nil, let measured = target.percentile(of: usable, failed: failed.count) else {
            let first = failed.first.map { ", the first with: \($0)" } ?? ""
            let lost = "\(failed.count) of \(usable.count + failed.count) samples failed\(first)"
            self.because = because ?? (failed.isEmpty ? "no value was reported" : lost)
            return
        }
        self.measured = measured
        samples = usable.count
        self.values = Array(usable.prefix(TargetRecord.valuesKept))
        let margin = target.isFloor ? measured - target.limit : target.limit - measured
        status = margin >= 0 ? .met : .missed
        if target.limit != 0 {
            betterByPercent = (margin / abs(target.limit) * 1_000_000).rounded() / 10_000
        }
    }

    private static let valuesKept = 1000

    /// Whether it is asked why it is missed: where it blocks, or got worse than at the last green cycle beyond noise.
    package var isInQuestion: Bool {
        status == .missed && (blocking == true || sinceGreen?.finding == .worse)
    }
}

extension TargetSettings {
    /// The percentile of values and failed samples together, counted from the good side, so that 95 always means that 95 %
    /// are as good or better; nil where it is a failed one.
    fileprivate func percentile(of values: [Double], failed: Int) -> Double? {
        let sign: Double = isFloor ? -1 : 1
        let all = values.map { $0 * sign } + [Double](repeating: .infinity, count: failed)
        return Percentiles.value(all, percentile: percentile).flatMap { $0.isFinite ? $0 * sign : nil }
    }
}

/// A measured target, as lists of cycles remember it.
package struct TargetMark: Codable, Hashable, Sendable {
    package var name: String
    package var measured: Double
    package var limit: Double
    package var unit: String
    package var percentile: Double?
    package var source: String?

    /// Nil where nothing was measured.
    package init?(_ target: TargetRecord) {
        guard let measured = target.measured else { return nil }
        name = target.name
        self.measured = measured
        limit = target.limit
        unit = target.unit
        percentile = target.percentile
        source = target.source
    }

    /// Whether both are measured in the same way; lines of earlier versions do not say how.
    package func isComparable(with record: TargetRecord) -> Bool {
        unit == record.unit && percentile == record.percentile && (source == nil || source == record.source)
    }
}

/// A confidence interval for the percentile; a side is nil where the values are too few to bound it.
package struct TargetInterval: Codable, Hashable, Sendable {
    package var low: Double?
    package var high: Double?
    /// 0.95 for 95 %.
    package var confidence: Double

    package init(low: Double?, high: Double?, confidence: Double) {
        self.low = low
        self.high = high
        self.confidence = confidence
    }
}

/// A target beside the last green cycle.
package struct TargetChange: Codable, Hashable, Sendable {
    package enum Finding: String, Codable, Sendable, CaseIterable {
        /// Beyond noise and beyond what is relevant, towards the limit or away from it.
        case worse, better
        case same
        /// Too few values to tell.
        case unknown
    }
    package var finding: Finding
    /// The green cycle.
    package var cycle: Int
    /// What was measured there.
    package var before: Double
    /// How far the measured value moved to the bad side, in percent of the earlier one; negative is better.
    package var worseByPercent: Double?
    /// Of the rank-sum test: how likely chance alone does as much.
    package var probability: Double?
    /// The probability that a value of this cycle is larger than one of the green cycle; 0.5 is no difference.
    package var superiority: Double?
    /// `Mann-Whitney, exact` or `Mann-Whitney, normal approximation`.
    package var test: String?
    package var samplesBefore: Int?
    /// Why a difference is called noise, or cannot be told from it.
    package var because: String?

    package init(finding: Finding, cycle: Int, before: Double) {
        self.finding = finding
        self.cycle = cycle
        self.before = before
    }

    /// `23 % worse than last green #41 (p = 0.001)`, `no change beyond noise since last green #41 (2 % worse, p = 0.4)`.
    package var words: String {
        let chance = probability.map { ", p \(TargetChange.chance($0))" } ?? ""
        let far = worseByPercent.map { value in
            let size = abs(value)
            return "\(size < 0.05 ? "0" : Measure.text((size * 10).rounded() / 10)) % \(value < 0 ? "better" : "worse")"
        }
        switch finding {
        case .worse, .better:
            return
                "\(far ?? finding.rawValue) than last green #\(cycle)\(chance.isEmpty ? "" : " (\(chance.dropFirst(2)))")"
        case .same:
            let reason = because.map { "; \($0)" } ?? ""
            return "no change beyond noise since last green #\(cycle) (\(far ?? "equal")\(chance)\(reason))"
        case .unknown:
            let seen = probability == nil ? nil : far.map { "\($0)\(chance)" }
            let parts = [seen, because].compactMap { $0 }
            return "not told from noise against last green #\(cycle)"
                + (parts.isEmpty ? "" : ": \(parts.joined(separator: ", "))")
        }
    }

    /// `= 0.012`, `< 0.001`.
    static func chance(_ value: Double) -> String {
        value < 0.001 ? "< 0.001" : "= \(Measure.text((value * 1000).rounded() / 1000))"
    }
}

/// Where a target is going.
package struct TargetTrend: Codable, Hashable, Sendable {
    /// How many cycles it was seen in, and the first of them.
    package var cycles: Int
    package var fromCycle: Int
    /// The median of the slopes of all pairs (Theil and Sen), in the target's unit.
    package var slopePerCycle: Double
    /// Of the test of Mann and Kendall: how likely chance alone goes as clearly up or down.
    package var probability: Double
    /// Set where the test and the size say that it moves to its limit, and the limit is near: in about so many cycles.
    package var cyclesToLimit: Int?

    package init(
        cycles: Int, fromCycle: Int, slopePerCycle: Double, probability: Double, cyclesToLimit: Int? = nil
    ) {
        self.cycles = cycles
        self.fromCycle = fromCycle
        self.slopePerCycle = slopePerCycle
        self.probability = probability
        self.cyclesToLimit = cyclesToLimit
    }

    /// `reaches the limit in about 6 cycles: rises 1.2 ms per cycle since #30 (p = 0.002)`; nil for no warning.
    package func warning(_ unit: String) -> String? {
        guard let cyclesToLimit else { return nil }
        let near = cyclesToLimit <= 1 ? "the next cycle" : "about \(cyclesToLimit) cycles"
        let way = slopePerCycle > 0 ? "rises" : "falls"
        return "reaches the limit in \(near): \(way) \(Measure.text(abs(slopePerCycle), unit)) per cycle since "
            + "#\(fromCycle) (p \(TargetChange.chance(probability)))"
    }
}

package enum Percentiles {
    /// The nearest-rank percentile: always a value that was seen. Nil for no values.
    package static func value(_ values: [Double], percentile: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let rank = (percentile * Double(sorted.count) / 100).rounded(.up)
        return sorted[min(sorted.count - 1, max(0, Int(rank) - 1))]
    }
}
