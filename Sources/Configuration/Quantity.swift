// SPDX-License-Identifier: Apache-2.0
// Durations, sizes and times of day as people write them.

enum Quantity {
    /// Ten years: longer is a slip of the hand.
    static let longestDuration: Duration = .seconds(3650 * 86_400)

    private static let durationUnits: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    private static let sizeUnits: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1),
    ]

    /// `"500ms"`, `"30s"`, `"1h30m"`: whole numbers with units from large to small, each unit once.
    static func duration(_ text: String) -> Duration? {
        var rest = Substring(text)
        var units = durationUnits[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let number = takeNumber(&rest) else { return nil }
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let unit = units.firstIndex(where: { $0.name == name }) else { return nil }
            let (part, overflow) = number.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, overflowOfSum) = total.addingReportingOverflow(part)
            guard !overflow, !overflowOfSum else { return nil }
            total = sum
            units = units[(unit + 1)...]
        }
        let duration = Duration.milliseconds(total)
        return duration <= longestDuration ? duration : nil
    }

    /// `"20GB"`, `"64MiB"`.
    static func size(_ text: String) -> Int64? {
        var rest = Substring(text)
        guard let number = takeNumber(&rest), let unit = sizeUnits.first(where: { $0.name == rest }) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// `"22:00"` as minutes after midnight.
    static func timeOfDay(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        let digits = [bytes[0], bytes[1], bytes[3], bytes[4]]
        guard digits.allSatisfy(\.isDigit) else { return nil }
        let numbers = digits.map { Int($0 - 48) }
        let (hour, minute) = (numbers[0] * 10 + numbers[1], numbers[2] * 10 + numbers[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }

    /// The shortest writing of a duration: `1h30m`.
    static func text(_ duration: Duration) -> String {
        var rest = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        var result = ""
        for unit in durationUnits where rest >= unit.milliseconds {
            result += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return result.isEmpty ? "0s" : result
    }

    /// The largest unit that leaves a whole number: `64MiB`.
    static func text(bytes: Int64) -> String {
        let exact = sizeUnits.filter { bytes >= $0.bytes && bytes % $0.bytes == 0 }
        guard let best = exact.min(by: { bytes / $0.bytes < bytes / $1.bytes }) else { return "\(bytes)B" }
        return "\(bytes / best.bytes)\(best.name)"
    }

    private static func takeNumber(_ rest: inout Substring) -> Int64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : Int64(digits)
    }
}
