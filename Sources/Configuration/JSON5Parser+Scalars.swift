// SPDX-License-Identifier: Apache-2.0
// Strings and numbers of JSON5.

extension JSON5Parser {
    /// A quoted string; nil after a problem, with the cursor behind the string where its end was found.
    mutating func string() -> String? {
        let start = cursor.position
        guard let quote = cursor.current else { return nil }
        cursor.advance()
        var bytes: [UInt8] = []
        var sound = true
        while let byte = cursor.current {
            switch byte {
            case quote:
                cursor.advance()
                return sound ? String(decoding: bytes, as: UTF8.self) : nil
            case UInt8(ascii: "\\"):
                if !escape(into: &bytes) { sound = false }
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                add(
                    JSON5Problem(
                        position: start, found: "a string without end",
                        expected: "the closing quote before the line ends",
                        hint: "a line is continued with \\ at its end"))
                return nil
            case 0..<0x20 where byte != UInt8(ascii: "\t"), 0x7f:
                report(expected: "printable text")
                sound = false
                cursor.advance()
            default:
                bytes.append(byte)
                cursor.advance()
            }
        }
        add(JSON5Problem(position: start, found: "a string without end", expected: "the closing quote"))
        return nil
    }

    /// One escape, from its backslash; false after a problem.
    private mutating func escape(into bytes: inout [UInt8]) -> Bool {
        let position = cursor.position
        cursor.advance()
        guard let byte = cursor.current else { return true }
        cursor.advance()
        switch byte {
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "v"): bytes.append(11)
        case UInt8(ascii: "\n"): break
        case UInt8(ascii: "\r"): _ = cursor.skip("\n")
        case UInt8(ascii: "x"): return scalarEscape(digits: 2, at: position, into: &bytes)
        case UInt8(ascii: "u"): return scalarEscape(digits: 4, at: position, into: &bytes)
        case 48...57:
            let what = byte == 48 ? "a NUL character" : "an octal escape"
            add(JSON5Problem(position: position, found: what, expected: "\\xHH or \\uHHHH of a character from 1 on"))
            return false
        case 0xe2 where cursor.startsWith([0x80, 0xa8]) || cursor.startsWith([0x80, 0xa9]):
            cursor.advance()
            cursor.advance()
        default: bytes.append(byte)
        }
        return true
    }

    private mutating func scalarEscape(digits: Int, at position: SourcePosition, into bytes: inout [UInt8]) -> Bool {
        var code = hex(digits)
        if digits == 4, let high = code, (0xd800...0xdbff).contains(high), cursor.startsWith(Array("\\u".utf8)) {
            cursor.advance()
            cursor.advance()
            let low = hex(4)
            code = low.flatMap {
                (0xdc00...0xdfff).contains($0) ? 0x10000 + (high - 0xd800) << 10 + ($0 - 0xdc00) : nil
            }
        }
        guard let code, code > 0, let scalar = Unicode.Scalar(code) else {
            let form = digits == 2 ? "\\x and two" : "\\u and four"
            add(
                JSON5Problem(
                    position: position, found: "a broken escape",
                    expected: "\(form) hexadecimal digits of a character from 1 on"))
            return false
        }
        bytes += Array(String(Character(scalar)).utf8)
        return true
    }

    private mutating func hex(_ count: Int) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = cursor.current?.hexValue else { return nil }
            value = value << 4 | digit
            cursor.advance()
        }
        return value
    }

    mutating func number(at position: SourcePosition) -> JSON5Value? {
        let start = cursor.index
        while let byte = cursor.current, byte.isNamePart || byte.isNumberStart {
            // A sign belongs to the number only at its begin and behind an exponent.
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), cursor.index > start,
                cursor.bytes[cursor.index - 1] | 0x20 != UInt8(ascii: "e")
            {
                break
            }
            cursor.advance()
        }
        let text = String(decoding: cursor.bytes[start..<cursor.index], as: UTF8.self)
        if let number = JSON5Number(literal: text) { return JSON5Value(.number(number), at: position) }
        let finite = !text.hasSuffix("Infinity") && !text.hasSuffix("NaN")
        let quantity = text.utf8.first?.isDigit ?? false
        add(
            JSON5Problem(
                position: position, found: shortened(text), expected: finite ? "a number" : "a finite number",
                hint: finite && quantity && text.utf8.last?.isNameStart ?? false
                    ? "put quotes around it: \(shortened(text).jsonQuoted)" : nil))
        return nil
    }
}

extension JSON5Number {
    /// Reads a JSON5 number: sign, decimal with leading or trailing point, exponent, or hexadecimal.
    init?(literal: String) {
        var digits = Substring(literal)
        let negative = digits.first == "-"
        if negative || digits.first == "+" { digits = digits.dropFirst() }
        let sign = negative ? -1.0 : 1.0
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            let hex = digits.dropFirst(2)
            guard hex.utf8.first?.hexValue != nil, let value = Int(hex, radix: 16) else { return nil }
            self.init(value: sign * Double(value), whole: negative ? -value : value)
            return
        }
        guard JSON5Number.isDecimal(digits.utf8), let value = Double(padded(digits)), value.isFinite else { return nil }
        let whole = digits.utf8.allSatisfy(\.isDigit) ? Int((negative ? "-" : "") + digits) : nil
        self.init(value: sign * value, whole: whole)
    }

    private static func isDecimal(_ digits: Substring.UTF8View) -> Bool {
        let mantissa = digits.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let exponent = digits.dropFirst(mantissa.count)
        let parts = mantissa.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ $0.allSatisfy(\.isDigit) }), parts.contains(where: { !$0.isEmpty })
        else { return false }
        if parts[0].count > 1, parts[0].first == UInt8(ascii: "0") { return false }
        guard !exponent.isEmpty else { return true }
        var power = exponent.dropFirst()
        if power.first == UInt8(ascii: "+") || power.first == UInt8(ascii: "-") { power = power.dropFirst() }
        return !power.isEmpty && power.allSatisfy(\.isDigit)
    }
}

/// A decimal as `Double` reads it: digits on both sides of the point.
private func padded(_ digits: Substring) -> String {
    guard let point = digits.firstIndex(of: ".") else { return String(digits) }
    let before = digits[..<point]
    let after = digits[digits.index(after: point)...]
    let needsZero = after.utf8.first.map { !$0.isDigit } ?? true
    return (before.isEmpty ? "0" : before) + "." + (needsZero ? "0" : "") + after
}
