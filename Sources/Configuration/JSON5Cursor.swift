// SPDX-License-Identifier: Apache-2.0
// Where the JSON5 reader is in its bytes, counting lines and columns as it goes.

/// A position in validated UTF-8.
struct JSON5Cursor {
    let bytes: [UInt8]
    private(set) var index = 0
    private(set) var position = SourcePosition(line: 1, column: 1)

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { index >= bytes.count }
    var current: UInt8? { index < bytes.count ? bytes[index] : nil }
    var next: UInt8? { index + 1 < bytes.count ? bytes[index + 1] : nil }

    /// One byte on. A line ends with LF, or with a CR that no LF follows.
    mutating func advance() {
        let byte = bytes[index]
        index += 1
        if byte == UInt8(ascii: "\n") || (byte == UInt8(ascii: "\r") && current != UInt8(ascii: "\n")) {
            position = SourcePosition(line: position.line + 1, column: 1)
        } else if current.map({ $0 & 0xc0 != 0x80 }) ?? true {
            position.column += 1
        }
    }

    mutating func moveToEnd() {
        while !isAtEnd { advance() }
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let current, UInt32(current) == character.value else { return false }
        advance()
        return true
    }

    mutating func skipByteOrderMark() {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    /// One white space character of JSON5, which knows more of them than JSON; false where none stands here.
    mutating func skipWhitespace() -> Bool {
        guard let byte = current else { return false }
        let length: Int
        switch byte {
        case 0x09...0x0d, 0x20: length = 1
        case 0xc2 where next == 0xa0: length = 2
        case 0xe2 where startsWith([0xe2, 0x80, 0xa8]) || startsWith([0xe2, 0x80, 0xa9]): length = 3
        case 0xef where startsWith([0xef, 0xbb, 0xbf]): length = 3
        default: return false
        }
        for _ in 0..<length { advance() }
        return true
    }

    func startsWith(_ prefix: [UInt8]) -> Bool {
        bytes[index...].starts(with: prefix)
    }

    /// Where the text stops being UTF-8; nil where all of it is.
    static func firstInvalidUTF8(_ bytes: [UInt8]) -> SourcePosition? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var position = SourcePosition(line: 1, column: 1)
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            if scalar == "\n" {
                position = SourcePosition(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
        }
        return position
    }
}

extension UInt8 {
    var isDigit: Bool { (48...57).contains(self) }

    var isNumberStart: Bool {
        isDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "+") || self == UInt8(ascii: ".")
    }

    /// ASCII letters, `$`, `_` and everything outside ASCII: stricter classes would only refuse foreign words.
    var isNameStart: Bool {
        (65...90).contains(self) || (97...122).contains(self) || self == UInt8(ascii: "$") || self == UInt8(ascii: "_")
            || self >= 0x80
    }

    var isNamePart: Bool { isNameStart || isDigit }

    var isValueStart: Bool {
        isNameStart || isNumberStart || self == UInt8(ascii: "{") || self == UInt8(ascii: "[")
            || self == UInt8(ascii: "\"") || self == UInt8(ascii: "'")
    }

    var hexValue: UInt32? {
        switch self {
        case 48...57: UInt32(self) - 48
        case 65...70: UInt32(self) - 55
        case 97...102: UInt32(self) - 87
        default: nil
        }
    }
}
