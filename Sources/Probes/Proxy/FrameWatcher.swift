// SPDX-License-Identifier: Apache-2.0
// Follows a WebSocket in passing: counts whole messages without decoding them. Pure.

/// Follows one direction of a connection. It sees only what is plain: bytes of TLS are opaque, and no message is counted.
struct FrameWatcher: Sendable {
    private enum State: Sendable {
        /// In the head of the handshake; how much of the empty line has been seen, and the bytes so far.
        case head(matched: Int, size: Int)
        case header([UInt8])
        case payload(left: UInt64, endsMessage: Bool)
        case opaque
    }

    private var state = State.head(matched: 0, size: 0)
    /// Whole messages (text or binary) that have passed.
    private(set) var messages = 0

    private static let headLimit = 64 << 10
    private static let emptyLine: [UInt8] = [13, 10, 13, 10]

    /// Lets bytes pass and returns how many of them belong to what comes up to the end of message number `wanted`, or
    /// nil where that message does not end in them.
    mutating func pass(_ bytes: ArraySlice<UInt8>, upTo wanted: Int) -> Int? {
        var found: Int?
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let before = messages
            index = step(bytes, from: index)
            if found == nil, messages > before, messages == wanted { found = index - bytes.startIndex }
        }
        return found
    }

    /// Goes on by at least one byte.
    private mutating func step(_ bytes: ArraySlice<UInt8>, from index: Int) -> Int {
        switch state {
        case .opaque:
            return bytes.endIndex
        case .head(let matched, let size):
            return head(bytes[index], matched: matched, size: size) ? index + 1 : bytes.endIndex
        case .header(let so):
            header(so + [bytes[index]])
            return index + 1
        case .payload(let left, let ends):
            let taken = min(left, UInt64(bytes.endIndex - index))
            state = .payload(left: left - taken, endsMessage: ends)
            if taken == left { finish(ends) }
            return index + Int(taken)
        }
    }

    private mutating func head(_ byte: UInt8, matched: Int, size: Int) -> Bool {
        // A request begins with a method, an answer with HTTP: anything else (TLS begins with 22) is not for us.
        let isText = size > 0 || (65...90).contains(byte)
        guard isText, size < Self.headLimit else {
            state = .opaque
            return false
        }
        let next = byte == Self.emptyLine[matched] ? matched + 1 : byte == 13 ? 1 : 0
        state = next == 4 ? .header([]) : .head(matched: next, size: size + 1)
        return true
    }

    private mutating func header(_ bytes: [UInt8]) {
        state = .header(bytes)
        guard bytes.count >= 2 else { return }
        let short = bytes[1] & 0x7F
        let extra = short == 126 ? 2 : short == 127 ? 8 : 0
        let masked = bytes[1] & 0x80 != 0
        guard bytes.count == 2 + extra + (masked ? 4 : 0) else { return }
        let length = extra == 0 ? UInt64(short) : bytes[2..<2 + extra].reduce(0) { $0 << 8 | UInt64($1) }
        let isData = bytes[0] & 0x0F < 8
        let ends = isData && bytes[0] & 0x80 != 0
        if length == 0 { finish(ends) } else { state = .payload(left: length, endsMessage: ends) }
    }

    private mutating func finish(_ endsMessage: Bool) {
        if endsMessage { messages += 1 }
        state = .header([])
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same faults for the same seed.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
