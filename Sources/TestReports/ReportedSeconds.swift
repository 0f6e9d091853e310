// SPDX-License-Identifier: Apache-2.0
// Durations as tools write them.

/// Reads `1.5`, `1,234.56`, `1.234,56`, `0,5`, `1_000`, `12ms`, `3 s`, `1e-3`; everything else is nil.
enum ReportedSeconds {
    /// Seconds; nil for what is no finite number. Negative values are kept: a clock went back, and that is a fact.
    static func parse(_ text: String) -> Double? {
        // Longer than any number, and no reason to look at megabytes.
        guard text.utf8.count <= 64 else { return nil }
        if let plain = plain(text.utf8) { return plain }
        var bytes = text.utf8.filter { !XMLReference.isSpace($0) && $0 != UInt8(ascii: "_") }
        var scale = 1.0
        for (suffix, factor) in [("ms", 0.001), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9), ("sec", 1), ("s", 1)]
        where bytes.count > suffix.utf8.count && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
            bytes.removeLast(suffix.utf8.count)
            scale = factor
            break
        }
        guard let value = Double(String(decoding: withPoint(bytes), as: UTF8.self)), value.isFinite else { return nil }
        return value * scale
    }

    /// `12.345`, what nearly every tool writes. Exact: the digits fit a Double and so does the power of ten.
    static func plain(_ text: some Collection<UInt8>) -> Double? {
        var digits = 0
        var scale = 1
        var hasPoint = false
        guard !text.isEmpty, text.count <= 15 else { return nil }
        for byte in text {
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                digits = digits * 10 + Int(byte - UInt8(ascii: "0"))
                if hasPoint { scale *= 10 }
            } else {
                return nil
            }
        }
        return hasPoint && text.count == 1 ? nil : Double(digits) / Double(scale)
    }

    /// The number with a point for decimals and without separators of thousands.
    ///
    /// The last separator of two kinds is the decimal one. One comma alone is decimal unless exactly three digits
    /// follow one to three others (`1,234`: English grouping, as Surefire writes it); `0,123` is decimal all the same.
    private static func withPoint(_ bytes: [UInt8]) -> [UInt8] {
        let comma = UInt8(ascii: ",")
        let point = UInt8(ascii: ".")
        guard let lastComma = bytes.lastIndex(of: comma) else { return bytes }
        if let lastPoint = bytes.lastIndex(of: point) {
            if lastPoint > lastComma { return bytes.filter { $0 != comma } }
            return bytes.filter { $0 != point }.map { $0 == comma ? point : $0 }
        }
        let isGrouped = bytes.count - lastComma == 4 && bytes.first != UInt8(ascii: "0")
        let isRepeated = bytes.firstIndex(of: comma) != lastComma
        if isGrouped || isRepeated { return bytes.filter { $0 != comma } }
        return bytes.map { $0 == comma ? point : $0 }
    }
}
