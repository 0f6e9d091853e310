// SPDX-License-Identifier: Apache-2.0
// How durations, numbers and plurals are written, everywhere.

package import Domain

/// Durations as people say them: `12ms`, `8.4s`, `31s`, `7m45s`, `36m`, `2h05m`, `12d`.
package enum Durations {
    package static func text(_ duration: Duration) -> String { text(seconds: duration.inSeconds) }

    /// At most two units; seconds below 90 s, and one decimal below 10 s.
    package static func text(seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "unknown" }
        if seconds < 0 { return "-" + text(seconds: -seconds) }
        if seconds == 0 { return "0s" }
        if seconds < 0.0995 { return "\(max(1, Int((seconds * 1000).rounded())))ms" }
        if seconds < 9.95, seconds != seconds.rounded() { return Numbers.fixed(seconds, decimals: 1) + "s" }
        let whole = Int(seconds.rounded())
        if whole < 90 { return "\(whole)s" }
        if whole < 3600 { return pair(whole / 60, "m", whole % 60, "s") }
        let minutes = Int((seconds / 60).rounded())
        if minutes < 1440 { return pair(minutes / 60, "h", minutes % 60, "m") }
        let hours = Int((seconds / 3600).rounded())
        return hours < 240 ? pair(hours / 24, "d", hours % 24, "h", padded: false) : "\(hours / 24)d"
    }

    /// One unit, rounded down: for ages, such as `42m` and `12d`.
    package static func age(seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "unknown" }
        let whole = Int(max(0, seconds))
        if whole < 60 { return "\(whole)s" }
        if whole < 7200 { return "\(whole / 60)m" }
        if whole < 172_800 { return "\(whole / 3600)h" }
        return "\(whole / 86_400)d"
    }

    package static func age(of time: Timestamp, at now: Timestamp) -> String {
        age(seconds: now.since(time).inSeconds)
    }

    private static func pair(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String, padded: Bool = true)
        -> String
    {
        if small == 0 { return "\(large)\(unit)" }
        return "\(large)\(unit)\(padded && small < 10 ? "0" : "")\(small)\(smallUnit)"
    }
}

/// Numbers with groups and units.
package enum Numbers {
    /// `120000` as `120,000`.
    package static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return number < 0 ? "-" + result : result
    }

    /// Whole numbers without, others with up to two decimals: `120,000`, `0.25`.
    package static func grouped(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "unknown" }
        if number == number.rounded() { return grouped(Int(number)) }
        let hundredths = Int((abs(number) * 100).rounded())
        let tail = hundredths % 100
        let sign = number < 0 ? "-" : ""
        let fraction = tail % 10 == 0 ? "\(tail / 10)" : (tail < 10 ? "0\(tail)" : "\(tail)")
        return sign + grouped(hundredths / 100) + (tail == 0 ? "" : "." + fraction)
    }

    /// A fixed count of decimals, rounded half away from zero.
    package static func fixed(_ number: Double, decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        guard number.isFinite, abs(number) < 1e12 else { return "unknown" }
        let scaled = Int((abs(number) * Double(scale)).rounded())
        let sign = number < 0 && scaled != 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
    }

    /// A probability to three decimals, never rounded up to certainty: `0.998`, `>0.999`, `<0.001`.
    package static func probability(_ value: Double) -> String {
        if value > 0.9995, value < 1 { return ">0.999" }
        if value > 0, value < 0.0005 { return "<0.001" }
        var text = fixed(value, decimals: 3)
        while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Decimal units: `812 B`, `4.2 MB`, `20 GB`.
    package static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        let units = ["B", "kB", "MB", "GB", "TB"]
        var index = 0
        while abs(value) >= 999.5, index < units.count - 1 {
            value /= 1000
            index += 1
        }
        let text = index == 0 || abs(value) >= 9.95 ? fixed(value, decimals: 0) : fixed(value, decimals: 1)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " " + units[index]
    }

    /// `120,000 USD/month`.
    package static func value(_ amount: Double, _ unit: String) -> String {
        grouped(amount) + (unit.isEmpty ? "" : " " + Printable.line(unit))
    }
}

/// Counted nouns and lists.
package enum Plurals {
    /// `1 test`, `3 tests`, `2 retries`.
    package static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(Numbers.grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// The first `limit` of `items`, and how many more there are: `a, b and 3 more`.
    package static func list(_ items: [String], limit: Int = 5) -> String {
        let shown = items.prefix(limit).map { Printable.line($0) }.joined(separator: ", ")
        let rest = items.count - limit
        return rest > 0 ? "\(shown) and \(Numbers.grouped(rest)) more" : shown
    }
}
