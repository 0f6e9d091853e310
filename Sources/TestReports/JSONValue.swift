// SPDX-License-Identifier: Apache-2.0
// A small JSON parser (RFC 8259) for reports: bounded depth, no Foundation.

/// A JSON value. Of a repeated key the last value counts.
package enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads one value that fills all of `bytes`, or says at which offset it does not.
    package static func parse(_ bytes: [UInt8]) throws(JSONProblem) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        return try parser.document()
    }

    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var number: Double? { if case .number(let number) = self { number } else { nil } }
    package var boolean: Bool? { if case .boolean(let boolean) = self { boolean } else { nil } }
    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// A number without fraction.
    package var integer: Int? { number.flatMap { Int(exactly: $0) } }
}

/// Why bytes are no JSON value.
package struct JSONProblem: Error, Hashable {
    package enum Kind: Hashable, Sendable { case truncated, malformed, tooDeep }
    package var kind: Kind
    package var offset: Int
    package var expected: String
}

/// A recursive-descent parser; `maximumDepth` bounds the recursion.
private struct JSONParser {
    let bytes: [UInt8]
    var at = 0
    static let maximumDepth = 64

    mutating func document() throws(JSONProblem) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        let result = try value(depth: 0)
        skipSpace()
        if at < bytes.count { throw problem("the end") }
        return result
    }

    private func problem(_ expected: String) -> JSONProblem {
        JSONProblem(kind: at < bytes.count ? .malformed : .truncated, offset: at, expected: expected)
    }

    private mutating func skipSpace() {
        while at < bytes.count, XMLReference.isSpace(bytes[at]) { at += 1 }
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth < Self.maximumDepth else { throw JSONProblem(kind: .tooDeep, offset: at, expected: "less nesting") }
        skipSpace()
        guard at < bytes.count else { throw problem("a value") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw problem("a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard at < bytes.count, bytes[at] == word.utf8Start[index] else { throw problem("\(word)") }
            at += 1
        }
        return value
    }

    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = at
        while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
            at = start
            throw problem("a number")
        }
        return .number(value)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
        at += 1
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw problem("a comma or ]") }
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
        at += 1
        var members: [String: JSONValue] = [:]
        if take(UInt8(ascii: "}")) { return .object([:]) }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw problem("a key") }
            let key = try string()
            guard take(UInt8(ascii: ":")) else { throw problem("a colon") }
            members[key] = try value(depth: depth + 1)
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw problem("a comma or }") }
        }
    }

    /// Bytes that are no UTF-8 become U+FFFD; control bytes are tolerated.
    private mutating func string() throws(JSONProblem) -> String {
        at += 1
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
        var text = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
        }
        throw problem("a closing quote")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONProblem) {
        guard at < bytes.count else { throw problem("an escape") }
        at += 1
        switch bytes[at - 1] {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case let same where same == UInt8(ascii: "\"") || same == UInt8(ascii: "\\") || same == UInt8(ascii: "/"):
            text.append(same)
        case UInt8(ascii: "u"): try unicode(into: &text)
        default:
            at -= 1
            throw problem("an escape")
        }
    }

    private mutating func unicode(into text: inout [UInt8]) throws(JSONProblem) {
        var scalar = try hexadecimal4()
        if (0xD800..<0xDC00).contains(scalar), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        {
            let before = at
            at += 2
            let low = try hexadecimal4()
            if (0xDC00..<0xE000).contains(low) {
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            } else {
                at = before
            }
        }
        TextDecoding.append(scalar, to: &text)
    }

    private mutating func hexadecimal4() throws(JSONProblem) -> UInt32 {
        guard at + 4 <= bytes.count else {
            at = bytes.count
            throw problem("four hexadecimal digits")
        }
        let digits = String(decoding: bytes[at..<(at + 4)], as: UTF8.self)
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt32(digits, radix: 16)
        else { throw problem("four hexadecimal digits") }
        at += 4
        return value
    }
}
