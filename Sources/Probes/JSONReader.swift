// SPDX-License-Identifier: Apache-2.0
// The recursive descent behind `JSONValue`: strict about RFC 8259, bounded in depth, never slower than linear.

struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONProblem) -> JSONValue {
        // Some servers send a byte order mark although RFC 8259 forbids it.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        let value = try self.value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw .trailing(offset: index) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth < JSONValue.depthLimit else { throw .tooDeep(limit: JSONValue.depthLimit) }
        skipSpace()
        guard index < bytes.count else { throw .endsEarly }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), 48...57: return try number()
        case let byte: throw .unexpected(byte: byte, offset: index)
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
        index += 1
        var members: [(key: String, value: JSONValue)] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard index < bytes.count else { throw .endsEarly }
            guard bytes[index] == UInt8(ascii: "\"") else { throw .unexpected(byte: bytes[index], offset: index) }
            let key = try string()
            skipSpace()
            try expect(UInt8(ascii: ":"))
            members.append((key, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
        let letters = text.withUTF8Buffer { Array($0) }
        for letter in letters { try expect(letter) }
        return value
    }

    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = index
        _ = take(UInt8(ascii: "-"))
        let leadsWithZero = index < bytes.count && bytes[index] == UInt8(ascii: "0")
        let whole = try digits()
        guard !leadsWithZero || whole == 1 else {
            throw .unexpected(byte: bytes[index - whole + 1], offset: index - whole + 1)
        }
        if take(UInt8(ascii: ".")) { _ = try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            _ = try digits()
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func digits() throws(JSONProblem) -> Int {
        let start = index
        while index < bytes.count, (48...57).contains(bytes[index]) { index += 1 }
        guard index > start else {
            guard index < bytes.count else { throw .endsEarly }
            throw .unexpected(byte: bytes[index], offset: index)
        }
        return index - start
    }

    private mutating func string() throws(JSONProblem) -> String {
        let start = index
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text, start: start)
            case 0..<32: throw .badString(offset: start)
            default: text.append(byte)
            }
        }
        throw .endsEarly
    }

    private mutating func escape(into text: inout [UInt8], start: Int) throws(JSONProblem) {
        guard index < bytes.count else { throw .endsEarly }
        let letter = bytes[index]
        index += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"): text += Array(String(Character(try scalar(start: start))).utf8)
        default: throw .badString(offset: start)
        }
    }

    /// One `\u` escape, or two that are a surrogate pair; a lone surrogate becomes U+FFFD.
    private mutating func scalar(start: Int) throws(JSONProblem) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let high = try fourHexDigits(start: start)
        guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) ?? replacement }
        let mark = index
        if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let low = try fourHexDigits(start: start)
            if (0xDC00..<0xE000).contains(low) {
                return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? replacement
            }
        }
        index = mark
        return replacement
    }

    private mutating func fourHexDigits(start: Int) throws(JSONProblem) -> UInt32 {
        guard index + 4 <= bytes.count else { throw .endsEarly }
        let text = bytes[index..<index + 4]
        guard text.allSatisfy({ (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) }),
            let value = UInt32(String(decoding: text, as: UTF8.self), radix: 16)
        else { throw .badString(offset: start) }
        index += 4
        return value
    }

    private mutating func skipSpace() {
        while index < bytes.count, [32, 9, 10, 13].contains(bytes[index]) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONProblem) {
        guard index < bytes.count else { throw .endsEarly }
        guard bytes[index] == byte else { throw .unexpected(byte: bytes[index], offset: index) }
        index += 1
    }
}
