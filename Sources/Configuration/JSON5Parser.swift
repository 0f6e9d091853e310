// SPDX-License-Identifier: Apache-2.0
// A bounded JSON5 reader (https://spec.json5.org) that goes on after a mistake, so that one run shows all of them.

/// A mistake in the syntax of a document.
package struct JSON5Problem: Hashable, Sendable {
    package var position: SourcePosition
    /// What stands there: `'}'`, `end of file`, `"name"`.
    package var found: String
    /// What may stand there.
    package var expected: String
    package var hint: String?

    package init(position: SourcePosition, found: String, expected: String, hint: String? = nil) {
        self.position = position
        self.found = found
        self.expected = expected
        self.hint = hint
    }
}

/// What came out of a document: a value only where nothing was wrong.
package enum JSON5Outcome: Sendable {
    case value(JSON5Value)
    case problems([JSON5Problem])
}

/// Reads JSON5: comments, unquoted keys, single quotes, trailing commas, hexadecimal numbers, line continuations.
///
/// Narrower than the specification on purpose: `Infinity` and `NaN` have no meaning in settings, the same key twice
/// is a mistake, and a NUL character cannot be part of an argument or path.
package struct JSON5Parser {
    package static let depthLimit = 64
    package static let problemLimit = 20

    var cursor: JSON5Cursor
    var problems: [JSON5Problem] = []
    private var depth = 0

    package static func parse(_ bytes: [UInt8]) -> JSON5Outcome {
        if let position = JSON5Cursor.firstInvalidUTF8(bytes) {
            return .problems([JSON5Problem(position: position, found: "a broken byte", expected: "UTF-8 text")])
        }
        var parser = JSON5Parser(cursor: JSON5Cursor(bytes))
        let value = parser.document()
        guard let value, parser.problems.isEmpty else {
            return .problems(Array(parser.problems.prefix(problemLimit)))
        }
        return .value(value)
    }

    private init(cursor: JSON5Cursor) {
        self.cursor = cursor
    }

    private mutating func document() -> JSON5Value? {
        cursor.skipByteOrderMark()
        skipBlanks()
        let value = value()
        skipBlanks()
        if problems.isEmpty, !cursor.isAtEnd { report(expected: "end of file") }
        return value
    }

    /// One value; nil after a problem that was reported, with the cursor wherever it was found.
    private mutating func value() -> JSON5Value? {
        let position = cursor.position
        switch cursor.current {
        case UInt8(ascii: "{"): return nested { $0.object(at: position) }
        case UInt8(ascii: "["): return nested { $0.list(at: position) }
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return string().map { JSON5Value(.text($0), at: position) }
        case .some(let byte) where byte.isNumberStart: return number(at: position)
        case .some(let byte) where byte.isNameStart: return word(at: position)
        default:
            report(expected: "a value")
            return nil
        }
    }

    private mutating func nested(_ body: (inout JSON5Parser) -> JSON5Value?) -> JSON5Value? {
        guard depth < Self.depthLimit else {
            report(expected: "at most \(Self.depthLimit) values within one another")
            // What follows is just as deep: nothing useful can be said about it.
            cursor.moveToEnd()
            return nil
        }
        depth += 1
        defer { depth -= 1 }
        return body(&self)
    }

    private mutating func object(at position: SourcePosition) -> JSON5Value? {
        cursor.advance()
        var members: [JSON5Member] = []
        var seen: [String: SourcePosition] = [:]
        while true {
            skipBlanks()
            if cursor.skip("}") { return JSON5Value(.object(members), at: position) }
            if cursor.isAtEnd {
                report(expected: "'}' for the '{' of line \(position.line)")
                return nil
            }
            let keyPosition = cursor.position
            if let member = member() {
                noteDuplicate(member.key, at: keyPosition, in: &seen)
                members.append(member)
                skipBlanks()
                if cursor.skip(",") || cursor.current == UInt8(ascii: "}") || cursor.isAtEnd { continue }
                reportMissingComma(closing: "}")
                if startsMember { continue }
            }
            skipToBorder()
            guard resume(closing: "}") else { return nil }
        }
    }

    private mutating func noteDuplicate(
        _ key: String, at position: SourcePosition, in seen: inout [String: SourcePosition]
    ) {
        guard let first = seen.updateValue(position, forKey: key) else { return }
        seen[key] = first
        add(
            JSON5Problem(
                position: position, found: "the key \(key.jsonQuoted) twice", expected: "each key once",
                hint: "the first stands in line \(first.line)"))
    }

    private mutating func member() -> JSON5Member? {
        let position = cursor.position
        guard let key = key() else { return nil }
        skipBlanks()
        guard cursor.skip(":") else {
            let hint = cursor.current == UInt8(ascii: "-") ? "put quotes around a key with '-'" : nil
            report(expected: "':' after the key \(key.jsonQuoted)", hint: hint)
            return nil
        }
        skipBlanks()
        return value().map { JSON5Member(key: key, keyPosition: position, value: $0) }
    }

    private mutating func key() -> String? {
        if cursor.current == UInt8(ascii: "\"") || cursor.current == UInt8(ascii: "'") { return string() }
        guard let byte = cursor.current, byte.isNameStart else {
            report(expected: "a key or '}'")
            return nil
        }
        return name()
    }

    private mutating func list(at position: SourcePosition) -> JSON5Value? {
        cursor.advance()
        var values: [JSON5Value] = []
        while true {
            skipBlanks()
            if cursor.skip("]") { return JSON5Value(.list(values), at: position) }
            if cursor.isAtEnd {
                report(expected: "']' for the '[' of line \(position.line)")
                return nil
            }
            if let value = value() {
                values.append(value)
                skipBlanks()
                if cursor.skip(",") || cursor.current == UInt8(ascii: "]") || cursor.isAtEnd { continue }
                reportMissingComma(closing: "]")
                if cursor.current?.isValueStart == true { continue }
            }
            skipToBorder()
            guard resume(closing: "]") else { return nil }
        }
    }

    /// Whether a member follows here although the comma is missing.
    private var startsMember: Bool {
        guard let byte = cursor.current else { return false }
        return byte.isNameStart || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    private mutating func reportMissingComma(closing: Unicode.Scalar) {
        report(expected: "',' or '\(closing)'")
    }

    /// After a mistake: past the comma, or at the closing bracket of this value; false where another bracket closes.
    private mutating func resume(closing: Unicode.Scalar) -> Bool {
        if cursor.isAtEnd || problems.count >= Self.problemLimit { return false }
        if cursor.skip(",") { return true }
        return cursor.current.map { UInt32($0) == closing.value } ?? false
    }

    /// Skips to the next comma or closing bracket of the same depth.
    private mutating func skipToBorder() {
        var open = 0
        while let byte = cursor.current {
            switch byte {
            case UInt8(ascii: ","): if open == 0 { return }
            case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if open == 0 { return }
                open -= 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipStringQuietly(byte)
                continue
            case UInt8(ascii: "/"):
                let before = cursor.index
                skipBlanks()
                if cursor.index > before { continue }
            default: break
            }
            cursor.advance()
        }
    }

    private mutating func skipStringQuietly(_ quote: UInt8) {
        cursor.advance()
        while let byte = cursor.current, byte != quote, byte != UInt8(ascii: "\n") {
            cursor.advance()
            if byte == UInt8(ascii: "\\"), !cursor.isAtEnd { cursor.advance() }
        }
        if cursor.current == quote { cursor.advance() }
    }
}

// MARK: - Blanks, words and problems

extension JSON5Parser {
    /// White space and comments.
    mutating func skipBlanks() {
        while let byte = cursor.current {
            if cursor.skipWhitespace() { continue }
            guard byte == UInt8(ascii: "/") else { return }
            switch cursor.next {
            case UInt8(ascii: "/"):
                while let byte = cursor.current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
                    cursor.advance()
                }
            case UInt8(ascii: "*"): skipBlockComment()
            default: return
            }
        }
    }

    private mutating func skipBlockComment() {
        let position = cursor.position
        cursor.advance()
        cursor.advance()
        while !cursor.isAtEnd {
            if cursor.current == UInt8(ascii: "*"), cursor.next == UInt8(ascii: "/") {
                cursor.advance()
                cursor.advance()
                return
            }
            cursor.advance()
        }
        add(
            JSON5Problem(
                position: position, found: "a comment without end", expected: "'*/' after the '/*'"))
    }

    mutating func name() -> String {
        let start = cursor.index
        while let byte = cursor.current, byte.isNamePart { cursor.advance() }
        return String(decoding: cursor.bytes[start..<cursor.index], as: UTF8.self)
    }

    mutating func word(at position: SourcePosition) -> JSON5Value? {
        let word = name()
        switch word {
        case "true": return JSON5Value(.flag(true), at: position)
        case "false": return JSON5Value(.flag(false), at: position)
        case "null": return JSON5Value(.null, at: position)
        case "Infinity", "NaN":
            add(JSON5Problem(position: position, found: word, expected: "a finite number"))
        default:
            add(
                JSON5Problem(
                    position: position, found: "a word without quotes", expected: "a value",
                    hint: "put quotes around text"))
        }
        return nil
    }

    mutating func add(_ problem: JSON5Problem) {
        // The end of the file is reached once: the innermost open value says best what is missing.
        if problems.last?.position == problem.position { return }
        problems.append(problem)
    }

    mutating func report(expected: String, hint: String? = nil) {
        let hint = hint ?? (cursor.current == UInt8(ascii: "#") ? "a comment begins with //" : nil)
        add(JSON5Problem(position: cursor.position, found: describeCurrent(), expected: expected, hint: hint))
    }

    private func describeCurrent() -> String {
        guard let byte = cursor.current else { return "end of file" }
        if byte.isNameStart {
            let end = cursor.bytes[cursor.index...].firstIndex { !$0.isNamePart } ?? cursor.bytes.count
            return shortened(String(decoding: cursor.bytes[cursor.index..<end], as: UTF8.self)).jsonQuoted
        }
        if byte < 0x20 || byte == 0x7f { return "a control character (\(byte))" }
        return "'\(Character(Unicode.Scalar(byte)))'"
    }
}

/// At most 60 characters of a text that is quoted in a message.
func shortened(_ text: String) -> String {
    text.count > 60 ? text.prefix(57) + "..." : text
}
