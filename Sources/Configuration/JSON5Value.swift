// SPDX-License-Identifier: Apache-2.0
// A parsed JSON5 document: values that remember where they stood.

/// A place in a text file, counted from 1; columns are Unicode scalars.
package struct SourcePosition: Hashable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value and its place.
package struct JSON5Value: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case null
        case flag(Bool)
        case number(JSON5Number)
        case text(String)
        case list([JSON5Value])
        case object([JSON5Member])
    }
    package var kind: Kind
    package var position: SourcePosition

    package init(_ kind: Kind, at position: SourcePosition) {
        self.kind = kind
        self.position = position
    }
}

/// A number as it was written: whole numbers stay exact.
package struct JSON5Number: Hashable, Sendable {
    package var value: Double
    /// Set where the number is whole, was written without fraction or exponent, and fits.
    package var whole: Int?

    package init(value: Double, whole: Int? = nil) {
        self.value = value
        self.whole = whole
    }
}

/// One `key: value` of an object.
package struct JSON5Member: Hashable, Sendable {
    package var key: String
    package var keyPosition: SourcePosition
    package var value: JSON5Value

    package init(key: String, keyPosition: SourcePosition, value: JSON5Value) {
        self.key = key
        self.keyPosition = keyPosition
        self.value = value
    }
}

extension JSON5Value {
    /// Canonical JSON: no spaces, keys in file order, whole numbers without fraction.
    package var jsonText: String {
        switch kind {
        case .null: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number): number.jsonText
        case .text(let text): text.jsonQuoted
        case .list(let values): "[" + values.map(\.jsonText).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { $0.key.jsonQuoted + ":" + $0.value.jsonText }.joined(separator: ",") + "}"
        }
    }

    /// Whether two values are the same, wherever they stood and in whatever order keys were written.
    package func isEqual(to other: JSON5Value) -> Bool {
        switch (kind, other.kind) {
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.allSatisfy { member in
                    right.contains { $0.key == member.key && $0.value.isEqual(to: member.value) }
                }
        case (.number(let left), .number(let right)): return left.value == right.value
        default: return kind == other.kind
        }
    }

    /// The value under a key of an object.
    package subscript(key: String) -> JSON5Value? {
        guard case .object(let members) = kind else { return nil }
        return members.first { $0.key == key }?.value
    }
}

extension JSON5Number {
    package var jsonText: String {
        if let whole { return String(whole) }
        if let exact = Int(exactly: value), abs(exact) < 1 << 53 { return String(exact) }
        return String(value)
    }
}

extension String {
    /// The text as a JSON string; control characters and what a terminal could obey are escaped.
    package var jsonQuoted: String {
        var result = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.isFormatControl {
                    result += unicodeEscape(scalar.value)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

extension Unicode.Scalar {
    /// Line separators and bidirectional controls: invisible, and able to make a line read as something else.
    fileprivate var isFormatControl: Bool {
        value < 0x10000 && (properties.generalCategory == .format || value == 0x2028 || value == 0x2029)
    }
}

private func unicodeEscape(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
}
