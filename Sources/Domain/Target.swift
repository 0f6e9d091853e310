// SPDX-License-Identifier: Apache-2.0
// Performance targets: what a number may at most be, or must at least be, and what it was.

/// One target as it is configured.
package struct TargetSettings: Hashable, Sendable {
    /// Where the number comes from.
    package enum Source: Hashable, Sendable {
        /// A command that prints one number per line; the last lines of it that are numbers are the samples.
        case command(CommandSettings)
        /// How long the matching tests of the suite took, as their report says.
        case tests(String)
    }
    package var name: String
    package var limit: Double
    /// `ms`, `s`, `%` …; may be empty.
    package var unit: String
    /// Whether the limit is the least that will do, and not the most.
    package var isFloor: Bool
    package var source: Source
    /// The suite after which it is measured; nil takes the last one.
    package var suite: String?
    /// Which percentile of the samples is compared; 50 is the median.
    package var percentile: Double
    /// Whether a miss makes the cycle failing.
    package var blocking: Bool

    package init(
        name: String, limit: Double, unit: String, isFloor: Bool = false, source: Source, suite: String? = nil,
        percentile: Double = 95, blocking: Bool = false
    ) {
        self.name = name
        self.limit = limit
        self.unit = unit
        self.isFloor = isFloor
        self.source = source
        self.suite = suite
        self.percentile = percentile
        self.blocking = blocking
    }
}

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

    /// Judges measured values, all in the target's unit. No value is no miss and no pass.
    package init(_ target: TargetSettings, values: [Double], evidence: String?, because: String? = nil) {
        self.init(
            name: target.name, limit: target.limit, unit: target.unit, status: .notMeasured,
            percentile: target.percentile, isFloor: target.isFloor ? true : nil,
            blocking: target.blocking ? true : nil, evidence: evidence, because: because)
        let usable = values.filter(\.isFinite)
        guard because == nil, let measured = Percentiles.value(usable, percentile: target.percentile) else {
            self.because = because ?? "no value was reported"
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
}

package enum Percentiles {
    /// The nearest-rank percentile: always a value that was seen. Nil for no values.
    package static func value(_ values: [Double], percentile: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let rank = (percentile / 100 * Double(sorted.count)).rounded(.up)
        return sorted[min(sorted.count - 1, max(0, Int(rank) - 1))]
    }
}

/// A number with its unit as people and tools write it: `85`, `85 ms`, `0.085s`, `99.95%`.
package struct Measure: Hashable, Sendable {
    package var value: Double
    package var unit: String

    package init(value: Double, unit: String) {
        self.value = value
        self.unit = unit
    }

    /// Nil for anything that is not a number followed by at most one unit.
    package init?(_ text: some StringProtocol) {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        let number = trimmed.prefix { "0123456789.+-eE_".contains($0) }
        var digits = String(number)
        // The `e` of a unit is no exponent.
        while let last = digits.last, "eE".contains(last) { digits.removeLast() }
        let rest = trimmed.dropFirst(digits.count).filter { $0 != " " && $0 != "\t" && $0 != "\r" }
        guard let value = Double(digits), value.isFinite, rest.count <= 12,
            rest.allSatisfy({ $0.isLetter || $0 == "%" || $0 == "/" })
        else { return nil }
        self.init(value: value, unit: String(rest))
    }

    private static let nanoseconds: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "sec": 1e9, "min": 60e9, "m": 60e9, "h": 3600e9,
    ]

    /// The value in another unit; nil where one cannot be made from the other. A bare number is in any unit.
    package func value(in other: String) -> Double? {
        if unit.isEmpty || unit == other { return value }
        guard let from = Measure.nanoseconds[unit], let to = Measure.nanoseconds[other] else { return nil }
        // In this order, so that 0.085 s are 85 ms and not a hair less.
        return from >= to ? value * (from / to) : value / (to / from)
    }
}
