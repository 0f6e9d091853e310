// SPDX-License-Identifier: Apache-2.0
// Bytes to frames and frames to bytes (RFC 6455 section 5.2). Pure: no socket, no clock, no randomness.

/// Turns the bytes a peer sent, in whatever pieces they come, into frames.
package struct FrameParser: Sendable {
    private let sender: WebSocketRole
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0

    /// A parser for what `sender` sends; a frame with more than `limit` bytes is a violation as soon as its header is there.
    package init(sender: WebSocketRole, limit: Int) {
        self.sender = sender
        self.limit = limit
    }

    /// How many bytes wait for the rest of their frame.
    package var pendingBytes: Int { buffer.count - start }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0, start == buffer.count || start > 1 << 16 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next complete frame, or nil until more bytes come.
    package mutating func next() throws(ProtocolViolation) -> Frame? {
        guard let header = try header() else { return nil }
        guard pendingBytes >= header.size + header.length else { return nil }
        let from = start + header.size
        var payload = Array(buffer[from..<from + header.length])
        if sender == .client {
            Masking.apply(key: Array(buffer[from - 4..<from]), to: &payload)
        }
        start = from + header.length
        return Frame(header.opcode, payload, isFinal: header.isFinal)
    }

    private struct Header {
        var opcode: Opcode
        var isFinal: Bool
        var length: Int
        /// Bytes of the header, with the masking key.
        var size: Int
    }

    /// The header at the front. Everything that is wrong with it is said before its payload is awaited.
    private func header() throws(ProtocolViolation) -> Header? {
        guard pendingBytes >= 2 else { return nil }
        let (first, second) = (buffer[start], buffer[start + 1])
        guard first & 0x70 == 0 else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .unknownOpcode(first & 0x0F) }
        let isFinal = first & 0x80 != 0
        let isMasked = second & 0x80 != 0
        if isMasked, sender == .server { throw .maskedByServer }
        if !isMasked, sender == .client { throw .unmaskedByClient }
        let short = Int(second & 0x7F)
        if opcode.isControl {
            guard isFinal else { throw .fragmentedControlFrame }
            guard short <= 125 else { throw .longControlFrame(short) }
        }
        let extra = short == 126 ? 2 : short == 127 ? 8 : 0
        let size = 2 + extra + (isMasked ? 4 : 0)
        guard pendingBytes >= 2 + extra else { return nil }
        let length = try length(short: short, extra: extra)
        guard pendingBytes >= size else { return nil }
        return Header(opcode: opcode, isFinal: isFinal, length: length, size: size)
    }

    private func length(short: Int, extra: Int) throws(ProtocolViolation) -> Int {
        var length = UInt64(short)
        if extra > 0 {
            length = buffer[start + 2..<start + 2 + extra].reduce(0) { $0 << 8 | UInt64($1) }
            guard length >> 63 == 0 else { throw .lengthTooLarge }
            guard length > (extra == 2 ? 125 : 0xFFFF) else { throw .lengthNotMinimal }
        }
        guard length <= UInt64(limit) else { throw .frameTooLarge(bytes: length, limit: limit) }
        return Int(length)
    }
}

/// Turns frames into bytes.
package enum FrameWriter {
    /// The bytes of `frame`, masked where a key of four bytes is given: a client must give one, a server none.
    package static func bytes(of frame: Frame, maskedWith key: [UInt8]? = nil) -> [UInt8] {
        var bytes: [UInt8] = [(frame.isFinal ? 0x80 : 0) | frame.opcode.rawValue]
        bytes.reserveCapacity(frame.payload.count + 14)
        let mask: UInt8 = key == nil ? 0 : 0x80
        let count = frame.payload.count
        switch count {
        case ...125:
            bytes.append(mask | UInt8(count))
        case ...0xFFFF:
            bytes += [mask | 126, UInt8(count >> 8), UInt8(count & 0xFF)]
        default:
            bytes.append(mask | 127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(count) >> (56 - 8 * $0)) }
        }
        guard let key else { return bytes + frame.payload }
        var payload = frame.payload
        Masking.apply(key: key, to: &payload)
        return bytes + key + payload
    }

    /// A message as frames of at most `size` payload bytes each; one frame where it fits.
    package static func fragments(of opcode: Opcode, _ payload: [UInt8], size: Int) -> [Frame] {
        guard payload.count > size else { return [Frame(opcode, payload)] }
        let starts = Array(stride(from: 0, to: payload.count, by: max(1, size)))
        return starts.map { start in
            let end = min(start + max(1, size), payload.count)
            return Frame(
                start == 0 ? opcode : .continuation, Array(payload[start..<end]), isFinal: end == payload.count)
        }
    }
}

/// The exclusive-or with which clients hide their payloads from proxies (RFC 6455 section 5.3). Applying it twice undoes it.
enum Masking {
    static func apply(key: [UInt8], to payload: inout [UInt8]) {
        precondition(key.count == 4, "a masking key has four bytes")
        let (a, b, c, d) = (key[0], key[1], key[2], key[3])
        var index = 0
        while index + 3 < payload.count {
            payload[index] ^= a
            payload[index + 1] ^= b
            payload[index + 2] ^= c
            payload[index + 3] ^= d
            index += 4
        }
        for rest in index..<payload.count { payload[rest] ^= key[rest - index] }
    }
}
