// SPDX-License-Identifier: Apache-2.0
// The bytes of the history index. Every file begins with one line that names the format, then frames follow:
//
//     offset  0   "NJh1"
//             4   length of the payload, 32 bits little-endian
//             8   checksum of the payload, 32 bits
//            12   the payload
//      12 + len   the length again: the last frame of a file is found from its end
//
// A frame whose checksum does not hold is skipped, and reading goes on at the next "NJh1". Numbers inside payloads are
// base-128 varints, low groups first.

import Domain

enum HistoryFormat {
    /// The first line of every file. A reader of this version refuses others; a newer one may read this.
    static let header = Array("nightjar.history/1\n".utf8)
    static let family = Array("nightjar.history/".utf8)

    /// The first line where it names a later version of this format; nil where it is ours, or no header at all.
    static func foreignHeader(_ bytes: [UInt8]) -> String? {
        guard bytes.starts(with: family) else { return nil }
        let digits = bytes.dropFirst(family.count).prefix(8).prefix { $0 != 10 }
        guard let version = Int(String(decoding: digits, as: UTF8.self)), version > 1 else { return nil }
        return String(decoding: family + digits, as: UTF8.self)
    }

    static let magic: [UInt8] = Array("NJh1".utf8)
    /// Bytes around a payload.
    static let prefixBytes = 12
    static let suffixBytes = 4
    /// A length beyond it is damage, not a frame.
    static let payloadLimit = 64 << 20

    static func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + prefixBytes + suffixBytes)
        bytes += magic
        append32(UInt32(payload.count), to: &bytes)
        append32(payload.withUnsafeBytes(checksum), to: &bytes)
        bytes += payload
        append32(UInt32(payload.count), to: &bytes)
        return bytes
    }

    private static func append32(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Eight bytes at a time through one multiply and one rotation, the round of XXH64 with one lane (Collet,
    /// xxHash specification 0.1.1); against accidents, not against forgers: those are what SHA256SUMS is for.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let (first, second): (UInt64, UInt64) = (0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F)
        var sum = UInt64(bytes.count) &* first
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            sum = rotated((sum ^ (word &* second)), by: 31) &* first
            offset += 8
        }
        while offset < bytes.count {
            sum = rotated((sum ^ (UInt64(bytes[offset]) &* second)), by: 11) &* first
            offset += 1
        }
        sum ^= sum >> 33
        sum = sum &* second
        return UInt32(truncatingIfNeeded: sum ^ (sum >> 32))
    }

    private static func rotated(_ value: UInt64, by count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }

    /// FNV-1a with a finalizer, for the tables of names and revisions: two of 100,000 names share a hash with a
    /// probability of 3 in 10,000,000,000.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return mixed(value)
    }

    /// The finalizer of MurmurHash3.
    static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ (value >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return value ^ (value >> 33)
    }
}

/// Finds the frames in bytes that come in pieces.
struct FrameScanner {
    /// Bytes that belong to no frame, the torn tail left out.
    private(set) var damagedBytes = 0
    /// Where the last whole frame ended, counted from the start of the file.
    private(set) var end = 0
    private(set) var isHeaderRead = false
    /// The first line where it names another version. One that names nothing of ours is damage like any other.
    private(set) var foreignHeader: String?
    private var rest: [UInt8] = []
    /// Where `rest` begins in the file.
    private var origin = 0

    /// Calls `body` with each payload and its frame's offset in the file.
    mutating func push(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer, Int) -> Void) {
        guard foreignHeader == nil else { return }
        rest.append(contentsOf: piece)
        var used = 0
        if !isHeaderRead {
            guard rest.count >= HistoryFormat.header.count else { return }
            isHeaderRead = true
            if rest.starts(with: HistoryFormat.header) {
                used = HistoryFormat.header.count
                end = used
            } else if let foreign = HistoryFormat.foreignHeader(rest) {
                foreignHeader = foreign
                return
            }
        }
        rest.withUnsafeBytes { bytes in scan(bytes, &used, body) }
        rest.removeFirst(used)
        origin += used
    }

    private mutating func scan(
        _ bytes: UnsafeRawBufferPointer, _ used: inout Int, _ body: (UnsafeRawBufferPointer, Int) -> Void
    ) {
        while bytes.count - used >= HistoryFormat.prefixBytes {
            switch FrameScanner.payload(bytes, at: used) {
            case .whole(let payload):
                if origin + used > end { damagedBytes += origin + used - end }
                body(payload, origin + used)
                used += payload.count + HistoryFormat.prefixBytes + HistoryFormat.suffixBytes
                end = origin + used
            case .unfinished:
                // A damaged length may promise more than the file has: `finish` looks behind it.
                return
            case .none:
                used += 1
                while used < bytes.count, bytes[used] != HistoryFormat.magic[0] { used += 1 }
            }
        }
    }

    /// The end of the file: what was waited for does not come any more.
    mutating func finish(_ body: (UnsafeRawBufferPointer, Int) -> Void) {
        var used = 0
        while used < rest.count {
            // The frame that is not whole is given up, and the next one is looked for behind its first byte.
            used += 1
            rest.withUnsafeBytes { scan($0, &used, body) }
        }
        origin += rest.count
        rest = []
    }

    private enum Found {
        case whole(UnsafeRawBufferPointer)
        case unfinished
        case none
    }

    private static func payload(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Found {
        guard bytes[offset..<offset + 4].elementsEqual(HistoryFormat.magic) else { return .none }
        let count = Int(word(bytes, offset + 4))
        guard count <= HistoryFormat.payloadLimit else { return .none }
        let start = offset + HistoryFormat.prefixBytes
        guard start + count + HistoryFormat.suffixBytes <= bytes.count else { return .unfinished }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        guard word(bytes, start + count) == UInt32(count), word(bytes, offset + 8) == HistoryFormat.checksum(payload)
        else { return .none }
        return .whole(payload)
    }

    static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// Puts numbers and texts into a payload.
struct HistoryWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number(_ value: Int) {
        var rest = UInt64(bitPattern: Int64(max(0, value)))
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Nil is 0, so that small values stay small.
    mutating func optional(_ value: Int?) { number(value.map { max(0, $0) + 1 } ?? 0) }

    mutating func word(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func text(_ value: some Collection<UInt8>) {
        number(value.count)
        bytes.append(contentsOf: value)
    }

    /// A commit id in 21 bytes, anything else as it is.
    mutating func revision(_ revision: Revision) {
        guard let packed = PackedRevision.pack(revision.id) else {
            byte(PackedRevision.plain)
            return text(revision.id.utf8)
        }
        byte(PackedRevision.commit)
        bytes += packed
    }

    mutating func append(_ other: HistoryWriter) { bytes += other.bytes }
}

/// Takes numbers and texts out of a payload. Bytes that do not suffice make it broken, never crash it.
struct HistoryReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0
    private(set) var isBroken = false

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return broken(0) }
        position += 1
        return bytes[position - 1]
    }

    @inline(__always)
    mutating func number() -> Int {
        guard position < bytes.count else { return broken(0) }
        let first = bytes[position]
        if first < 128 {
            position += 1
            return Int(first)
        }
        return longNumber()
    }

    private mutating func longNumber() -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 63 {
            let next = bytes[position]
            position += 1
            value |= UInt64(next & 127) << shift
            if next < 128 { return Int(value) }
            shift += 7
        }
        return broken(0)
    }

    mutating func optional() -> Int? {
        let value = number()
        return value == 0 ? nil : value - 1
    }

    mutating func word() -> UInt64 {
        guard position + 8 <= bytes.count else { return broken(0) }
        position += 8
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position - 8, as: UInt64.self))
    }

    mutating func slice(_ count: Int) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else {
            return broken(UnsafeRawBufferPointer(rebasing: bytes[0..<0]))
        }
        position += count
        return UnsafeRawBufferPointer(rebasing: bytes[(position - count)..<position])
    }

    mutating func text() -> String { String(decoding: slice(number()), as: UTF8.self) }

    /// The bytes of a revision as they were packed.
    mutating func packedRevision() -> UnsafeRawBufferPointer {
        let start = position
        switch byte() {
        case PackedRevision.commit: _ = slice(20)
        case PackedRevision.plain: _ = slice(number())
        default: isBroken = true
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func broken<Value>(_ value: Value) -> Value {
        isBroken = true
        position = bytes.count
        return value
    }
}

enum PackedRevision {
    static let commit: UInt8 = 20
    static let plain: UInt8 = 1

    /// The 20 bytes of a commit id of 40 lowercase hexadecimal digits; nil for any other text.
    static func pack(_ id: String) -> [UInt8]? {
        guard id.utf8.count == 40 else { return nil }
        var packed: [UInt8] = []
        var high: UInt8?
        for digit in id.utf8 {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 97...102: value = digit - 87
            default: return nil
            }
            if let upper = high {
                packed.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return packed
    }

    static func revision(_ packed: some Collection<UInt8>) -> Revision {
        guard packed.first == commit else {
            return packed.withContiguousStorageIfAvailable { bytes in
                var reader = HistoryReader(UnsafeRawBufferPointer(bytes))
                _ = reader.byte()
                return Revision(reader.text())
            } ?? Revision("")
        }
        let digits = Array("0123456789abcdef".utf8)
        let text = packed.dropFirst().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return Revision(String(decoding: text, as: UTF8.self))
    }
}
