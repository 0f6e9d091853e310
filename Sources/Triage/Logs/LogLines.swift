// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into lines, of any size in bounded memory, and takes terminal escapes out of them.

typealias Bytes = UnsafeBufferPointer<UInt8>

/// One line as it stands in the file.
struct RawLine {
    /// Without its newline, at most as long as the limit.
    var bytes: Bytes
    /// Counted from 1, by newlines alone, as `sed -n` counts.
    var number: Int
    /// Of its first byte in the file.
    var offset: Int
    /// Whether there may be terminal escapes or carriage returns in it.
    var isStyled: Bool
}

/// Keeps what a chunk leaves over until the next one.
struct LineCutter {
    private(set) var lines = 0
    private(set) var bytes = 0
    private var carry: [UInt8] = []
    private var carryStart = 0
    private var isCarrying = false
    private let limit: Int

    /// - Parameter limit: bytes of a line that are looked at; the rest of a longer one is passed over.
    init(limit: Int) {
        self.limit = limit
    }

    mutating func take(_ chunk: UnsafeRawBufferPointer, _ body: (RawLine) -> Void) {
        let all = chunk.bindMemory(to: UInt8.self)
        var start = 0
        while start < all.count {
            let (end, isStyled) = LineCutter.newline(in: all, from: start)
            let piece = Bytes(rebasing: all[start..<(end ?? all.count)])
            if isCarrying || end == nil {
                hold(piece, at: bytes + start)
                if end != nil { flush(body) }
            } else {
                emit(piece, at: bytes + start, isStyled, body)
            }
            start = (end ?? all.count) + 1
        }
        bytes += all.count
    }

    /// Gives out a last line that has no newline.
    mutating func finish(_ body: (RawLine) -> Void) {
        if isCarrying { flush(body) }
    }

    private mutating func emit(_ line: Bytes, at place: Int, _ isStyled: Bool, _ body: (RawLine) -> Void) {
        lines += 1
        let end = line.last == 13 ? line.count - 1 : line.count
        body(
            RawLine(
                bytes: Bytes(rebasing: line[..<min(end, limit)]), number: lines, offset: place, isStyled: isStyled))
    }

    private mutating func hold(_ piece: Bytes, at place: Int) {
        if !isCarrying {
            isCarrying = true
            carryStart = place
        }
        carry.append(contentsOf: piece.prefix(max(0, limit - carry.count)))
    }

    private mutating func flush(_ body: (RawLine) -> Void) {
        isCarrying = false
        let whole = carry
        carry = []
        whole.withUnsafeBufferPointer { emit($0, at: carryStart, true, body) }
        carry = whole
        carry.removeAll(keepingCapacity: true)
    }

    /// The next newline, and whether an escape or a carriage return stands before it. Eight bytes at a time: a byte of
    /// `x` is zero exactly where `(x - 0x01…) & ~x & 0x80…` has its high bit set, for the lowest such byte (Mycroft
    /// 1987); which of the higher ones are false alarms does not matter here.
    private static func newline(in bytes: Bytes, from start: Int) -> (end: Int?, isStyled: Bool) {
        guard let base = bytes.baseAddress else { return (nil, false) }
        let raw = UnsafeRawPointer(base)
        var index = start
        var styles: UInt64 = 0
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = zeros(word ^ 0x0a0a_0a0a_0a0a_0a0a)
            if found != 0 {
                let place = index + found.trailingZeroBitCount / 8
                while index < place {
                    if base[index] == 27 || base[index] == 13 { styles = 1 }
                    index += 1
                }
                return (place, styles != 0)
            }
            styles |= zeros(word ^ 0x1b1b_1b1b_1b1b_1b1b) | zeros(word ^ 0x0d0d_0d0d_0d0d_0d0d)
            index += 8
        }
        while index < bytes.count {
            if base[index] == 10 { return (index, styles != 0) }
            if base[index] == 27 || base[index] == 13 { styles = 1 }
            index += 1
        }
        return (nil, styles != 0)
    }

    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}

/// Takes out of a line what a terminal would not show.
enum TerminalText {
    /// Writes the visible bytes of `line` to `out`, which has room for as many, and returns how many there are. Escape
    /// sequences (ECMA-48: CSI, OSC, two-byte ones) go; a carriage return starts the line anew, as a progress bar does.
    static func strip(_ line: Bytes, into out: UnsafeMutablePointer<UInt8>) -> Int {
        var (index, count) = (0, 0)
        while index < line.count {
            let byte = line[index]
            if byte == 27 {
                index = afterEscape(line, index + 1)
            } else {
                if byte == 13 {
                    if index + 1 < line.count { count = 0 }
                } else if byte >= 32 || byte == 9 {
                    out[count] = byte
                    count += 1
                }
                index += 1
            }
        }
        return count
    }

    private static func afterEscape(_ line: Bytes, _ start: Int) -> Int {
        guard start < line.count else { return start }
        var index = start + 1
        switch line[start] {
        case UInt8(ascii: "["):
            while index < line.count, line[index] < 0x40 { index += 1 }
            return min(line.count, index + 1)
        case UInt8(ascii: "]"):
            while index < line.count, line[index] != 7, line[index] != 27 { index += 1 }
            return min(line.count, line[safe: index] == 27 ? index + 2 : index + 1)
        default: return index
        }
    }
}

extension Bytes {
    subscript(safe index: Int) -> UInt8? { index >= 0 && index < count ? self[index] : nil }
}
