// SPDX-License-Identifier: Apache-2.0
// A small bounded reader of JSON (RFC 8259) for the answers of health checks, and JSON pointers (RFC 6901) into them.

/// A JSON value as an answer held it. Numbers keep their text, so nothing is lost to rounding.
package indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])
}

/// Why bytes are not JSON, or a pointer finds nothing in it.
package enum JSONProblem: Error, Hashable, Sendable, CustomStringConvertible {
    case unexpected(byte: UInt8, offset: Int)
    case endsEarly
    case trailing(offset: Int)
    case tooDeep(limit: Int)
    case badString(offset: Int)

    package var description: String {
        switch self {
        case .unexpected(let byte, let offset):
            (33...126).contains(byte)
                ? "unexpected '\(Character(Unicode.Scalar(byte)))' at byte \(offset)"
                : "unexpected byte \(byte) at byte \(offset)"
        case .endsEarly: "ends in the middle of a value"
        case .trailing(let offset): "has more after its end, at byte \(offset)"
        case .tooDeep(let limit): "is nested deeper than \(limit) levels"
        case .badString(let offset): "has a malformed string at byte \(offset)"
        }
    }
}

extension JSONValue {
    /// How deep values may nest: answers of health checks stay below 10.
    package static let depthLimit = 64

    /// Reads one JSON document; anything before or after it but white space is an error.
    package init(parsing bytes: [UInt8]) throws(JSONProblem) {
        var reader = JSONReader(bytes)
        self = try reader.document()
    }

    /// Reads one JSON document from text.
    package init(parsing text: String) throws(JSONProblem) {
        try self.init(parsing: Array(text.utf8))
    }

    /// The value that a JSON pointer (RFC 6901) names, or nil. `""` is the whole document; of keys that occur twice
    /// the last one counts, as most readers have it.
    package func value(at pointer: String) -> JSONValue? {
        if pointer.isEmpty { return self }
        guard pointer.hasPrefix("/") else { return nil }
        var current = self
        for token in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let next = current.member(JSONValue.unescaped(token)) else { return nil }
            current = next
        }
        return current
    }

    private func member(_ token: String) -> JSONValue? {
        switch self {
        case .object(let members):
            return members.last { $0.key == token }?.value
        case .array(let elements):
            // RFC 6901, section 4: digits without a leading zero.
            guard token == "0" || !token.hasPrefix("0"), token.utf8.allSatisfy({ (48...57).contains($0) }),
                let index = Int(token), index < elements.count
            else { return nil }
            return elements[index]
        default:
            return nil
        }
    }

    /// `~1` is a slash and `~0` a tilde; in one pass, so that `~01` becomes `~1` and not a slash.
    private static func unescaped(_ token: Substring) -> String {
        var result = ""
        var tilde = false
        for character in token.unicodeScalars {
            if tilde {
                result.unicodeScalars.append(character == "1" ? "/" : "~")
                if character != "0", character != "1" { result.unicodeScalars.append(character) }
                tilde = false
            } else if character == "~" {
                tilde = true
            } else {
                result.unicodeScalars.append(character)
            }
        }
        return tilde ? result + "~" : result
    }
}

extension JSONValue: Equatable {
    /// Values are equal as data: `3` equals `3.0`, and the order of keys does not matter.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.string(let one), .string(let other)): one.utf8.elementsEqual(other.utf8)
        case (.number(let one), .number(let other)): sameNumber(one, other)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): sameMembers(one, other)
        default: false
        }
    }

    /// Two integers are compared by their digits: a Double holds only 53 bits of them.
    private static func sameNumber(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        if let first = Int64(one), let second = Int64(other) { return first == second }
        guard let first = Double(one), let second = Double(other) else { return false }
        return first == second && first.magnitude < 9_007_199_254_740_992
    }

    private static func sameMembers(
        _ one: [(key: String, value: JSONValue)], _ other: [(key: String, value: JSONValue)]
    ) -> Bool {
        let first = Dictionary(one.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        let second = Dictionary(other.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return first == second
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON text, keys in the order they came; control characters are escaped.
    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSONValue.quoted(text)
        case .array(let elements): "[" + elements.map(\.description).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { JSONValue.quoted($0.key) + ":" + $0.value.description }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 32 || (127...159).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
