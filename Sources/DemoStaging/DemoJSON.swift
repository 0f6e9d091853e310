// SPDX-License-Identifier: Apache-2.0
// The little JSON (RFC 8259) that the demo service and its checker exchange.

/// A JSON value. Numbers are integers here: the demo has no others.
enum DemoJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case array([DemoJSON])
    case object([String: DemoJSON])

    subscript(key: String) -> DemoJSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var number: Int? {
        if case .number(let number) = self { number } else { nil }
    }

    var elements: [DemoJSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}

extension DemoJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(arrayLiteral elements: DemoJSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, DemoJSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

// MARK: - Writing

extension DemoJSON: CustomStringConvertible {
    /// Compact JSON with sorted keys.
    var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): Self.quote(value)
        case .array(let elements): "[\(elements.map(\.description).joined(separator: ","))]"
        case .object(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\(Self.quote($0.key)):\($0.value)" }.joined(separator: ","))}"
        }
    }

    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

// MARK: - Reading

extension DemoJSON {
    /// Parses one value; nil where the text is not JSON, is nested more than 32 deep, or has a number with a fraction.
    init?(parsing text: String) {
        var parser = Parser(bytes: Array(text.utf8))
        guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
        self = value
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return index == bytes.count
            }
        }

        mutating func skipSpace() {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        }

        /// Takes `text` if it comes next, after white space.
        mutating func take(_ text: String) -> Bool {
            skipSpace()
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        mutating func value(depth: Int) -> DemoJSON? {
            guard depth < 32 else { return nil }
            if take("null") { return .null }
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("\"") { return string().map(DemoJSON.string) }
            if take("[") { return array(depth: depth) }
            if take("{") { return object(depth: depth) }
            return integer()
        }

        mutating func integer() -> DemoJSON? {
            let digits = bytes[index...].prefix { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
            index += digits.count
            return Int(String(decoding: digits, as: UTF8.self)).map(DemoJSON.number)
        }

        mutating func array(depth: Int) -> DemoJSON? {
            var elements: [DemoJSON] = []
            if take("]") { return .array([]) }
            repeat {
                guard let element = value(depth: depth + 1) else { return nil }
                elements.append(element)
            } while take(",")
            return take("]") ? .array(elements) : nil
        }

        mutating func object(depth: Int) -> DemoJSON? {
            var members: [String: DemoJSON] = [:]
            if take("}") { return .object([:]) }
            repeat {
                guard take("\""), let key = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
                members[key] = value
            } while take(",")
            return take("}") ? .object(members) : nil
        }

        /// The rest of a string, after its first quotation mark.
        mutating func string() -> String? {
            var text: [UInt8] = []
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let scalar = escape() else { return nil }
                    text += Array(String(Character(scalar)).utf8)
                case ..<0x20: return nil
                default: text.append(byte)
                }
            }
            return nil
        }

        mutating func escape() -> Unicode.Scalar? {
            guard index < bytes.count else { return nil }
            defer { index += 1 }
            switch bytes[index] {
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "u"):
                let digits = String(decoding: bytes[index...].dropFirst().prefix(4), as: UTF8.self)
                index += 4
                return digits.utf8.count == 4 ? UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) : nil
            case let byte where "\"\\/".utf8.contains(byte): return Unicode.Scalar(byte)
            default: return nil
            }
        }
    }
}
