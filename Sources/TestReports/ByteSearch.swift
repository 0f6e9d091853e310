// SPDX-License-Identifier: Apache-2.0
// Searching bytes eight at a time, without libc.

typealias Bytes = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
    /// The first index in `from..<to` that holds `byte`, or `to`.
    ///
    /// Eight bytes at a time: a zero byte in `word ^ pattern` is found by the well-known carry trick (Hacker's
    /// Delight, 6-1).
    func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int {
        guard let base = baseAddress else { return to }
        let raw = UnsafeRawPointer(base)
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var at = from
        while at &+ 8 <= to {
            let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian ^ pattern
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return at &+ zeros.trailingZeroBitCount &>> 3 }
            at &+= 8
        }
        while at < to {
            if self[at] == byte { return at }
            at &+= 1
        }
        return to
    }

    /// The first index in `from..<to` that ends an attribute value or needs a look in one: its quote, `<`, `&`, or a
    /// control byte; or `to`.
    func firstSpecial(quote: UInt8, from: Int, to: Int) -> Int {
        guard let base = baseAddress else { return to }
        let raw = UnsafeRawPointer(base)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = UInt64(quote) &* ones
        var at = from
        while at &+ 8 <= to {
            let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
            let quoted = word ^ quotes
            let opening = word ^ (0x3C &* ones)
            let reference = word ^ (0x26 &* ones)
            // Of several hits the lowest is true; carries make false ones above it only.
            let hits =
                ((quoted &- ones) & ~quoted) | ((opening &- ones) & ~opening) | ((reference &- ones) & ~reference)
                | ((word &- 0x20 &* ones) & ~word)
            let found = hits & 0x8080_8080_8080_8080
            if found != 0 { return at &+ found.trailingZeroBitCount &>> 3 }
            at &+= 8
        }
        while at < to {
            let byte = self[at]
            if byte == quote || byte == 0x3C || byte == 0x26 || byte < 0x20 { return at }
            at &+= 1
        }
        return to
    }

    /// Whether two stretches of `length` bytes are the same.
    func isSame(_ first: Int, _ second: Int, length: Int) -> Bool {
        for offset in 0..<length where self[first &+ offset] != self[second &+ offset] { return false }
        return true
    }

    /// How many line feeds `from..<to` holds.
    func lineFeeds(from: Int, to: Int) -> Int {
        var count = 0
        var at = from
        while at < to {
            count &+= self[at] == 0x0A ? 1 : 0
            at &+= 1
        }
        return count
    }

    /// Whether the bytes at `at` begin with `text`; false where fewer bytes are there.
    func has(_ text: StaticString, at: Int, to: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard at + length <= to else { return false }
        for index in 0..<length where self[at + index] != text.utf8Start[index] { return false }
        return true
    }

    /// The first index in `from..<to` at which `text` begins, or nil.
    func firstIndex(of text: StaticString, from: Int, to: Int) -> Int? {
        var at = from
        while true {
            at = firstIndex(of: text.utf8Start[0], from: at, to: to)
            if at == to { return nil }
            if has(text, at: at, to: to) { return at }
            at += 1
        }
    }

    func string(_ from: Int, _ to: Int) -> String {
        String(decoding: self[from..<to], as: UTF8.self)
    }
}

/// What a pass over fresh bytes found out about them.
struct TextCheck {
    enum Stop {
        /// Everything was text; the last character may still be incomplete.
        case none
        case invalid
        case zero
    }
    /// Bytes before this index are complete characters.
    var end: Int
    var stop = Stop.none
    /// Indexes of control bytes other than tab, line feed and carriage return; at most `BoundedMessages.limit + 1`.
    var controls: [Int] = []
    var controlCount = 0

    /// Checks `from..<bytes.count` for UTF-8 (RFC 3629: no overlong form, no surrogate, nothing past U+10FFFF).
    init(_ bytes: Bytes, from: Int) {
        end = from
        let count = bytes.count
        let raw = UnsafeRawPointer(bytes.baseAddress)
        while end < count {
            if let raw, end &+ 8 <= count {
                let word = raw.loadUnaligned(fromByteOffset: end, as: UInt64.self)
                if word & 0x8080_8080_8080_8080 == 0 {
                    // Of ASCII bytes, those below a space and those that are line feeds; no sum carries over.
                    let low = ~(word &+ 0x6060_6060_6060_6060) & 0x8080_8080_8080_8080
                    let feeds = ~((word ^ 0x0A0A_0A0A_0A0A_0A0A) &+ 0x7F7F_7F7F_7F7F_7F7F) & 0x8080_8080_8080_8080
                    if low == feeds {
                        end &+= 8
                        continue
                    }
                }
            }
            let byte = bytes[end]
            if byte < 0x20 {
                if byte == 0 {
                    stop = .zero
                    return
                }
                if byte != 0x09 && byte != 0x0A && byte != 0x0D { addControl() }
                end &+= 1
            } else if byte < 0x80 {
                end &+= 1
            } else {
                guard let length = Self.length(bytes, at: end) else {
                    stop = .invalid
                    return
                }
                if length == 0 { return }
                end &+= length
            }
        }
    }

    private mutating func addControl() {
        controlCount += 1
        if controls.count <= BoundedMessages.limit { controls.append(end) }
    }

    /// The length of the multi-byte character at `at`; 0 where the bytes end inside it, nil where it is none.
    private static func length(_ bytes: Bytes, at: Int) -> Int? {
        let first = bytes[at]
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, low) = (3, 0xA0)
        case 0xED: (length, high) = (3, 0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, low) = (4, 0x90)
        case 0xF4: (length, high) = (4, 0x8F)
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        for offset in 1..<length {
            if at + offset >= bytes.count { return 0 }
            let byte = bytes[at + offset]
            if byte < low || byte > high { return nil }
            (low, high) = (0x80, 0xBF)
        }
        return length
    }
}
