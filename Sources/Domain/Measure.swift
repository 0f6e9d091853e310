// SPDX-License-Identifier: Apache-2.0
// Numbers with their units, as people and tools write them.

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

    /// About four significant digits, at most six decimals, no zeros at the end: `85`, `12.35`, `0.0042`.
    package static func text(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "unknown" }
        if value == value.rounded() { return String(Int(value)) }
        var decimals = 3
        var size = abs(value)
        while size >= 10, decimals > 0 { (size, decimals) = (size / 10, decimals - 1) }
        while size < 1, decimals < 6 { (size, decimals) = (size * 10, decimals + 1) }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let digits = String(scaled % scale)
        var fraction = String(repeating: "0", count: max(0, decimals - digits.count)) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let sign = value < 0 && scaled != 0 ? "-" : ""
        return "\(sign)\(scaled / scale)" + (decimals == 0 || fraction.isEmpty ? "" : ".\(fraction)")
    }

    /// With its unit: `85 ms`.
    package static func text(_ value: Double, _ unit: String) -> String {
        unit.isEmpty ? text(value) : "\(text(value)) \(unit)"
    }
}
