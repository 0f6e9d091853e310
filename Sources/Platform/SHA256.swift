// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), streaming, over bytes as they pass.

/// A running SHA-256.
package struct SHA256: Sendable {
    private var state: State
    private var pending: [UInt8] = []
    private var total: UInt64 = 0

    private struct State: Sendable {
        var a: UInt32 = 0x6a09_e667, b: UInt32 = 0xbb67_ae85, c: UInt32 = 0x3c6e_f372, d: UInt32 = 0xa54f_f53a
        var e: UInt32 = 0x510e_527f, f: UInt32 = 0x9b05_688c, g: UInt32 = 0x1f83_d9ab, h: UInt32 = 0x5be0_cd19
    }

    package init() {
        state = State()
        pending.reserveCapacity(64)
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    package mutating func update(_ buffer: UnsafeRawBufferPointer) {
        total &+= UInt64(buffer.count)
        var rest = buffer[...]
        if !pending.isEmpty {
            let taken = min(64 - pending.count, rest.count)
            pending.append(contentsOf: rest.prefix(taken))
            rest = rest.dropFirst(taken)
            guard pending.count == 64 else { return }
            pending.withUnsafeBytes { SHA256.compress(&state, $0) }
            pending.removeAll(keepingCapacity: true)
        }
        let whole = rest.count & ~63
        SHA256.compress(&state, UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
        pending.append(contentsOf: rest.dropFirst(whole))
    }

    /// The digest of everything so far, 32 bytes.
    package func digest() -> [UInt8] {
        var last = self
        let bits = total &* 8
        var padding: [UInt8] = [0x80]
        padding += [UInt8](repeating: 0, count: (119 - Int(total % 64)) % 64)
        for shift in stride(from: 56, through: 0, by: -8) { padding.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        last.update(padding)
        let words = [
            last.state.a, last.state.b, last.state.c, last.state.d, last.state.e, last.state.f, last.state.g,
            last.state.h,
        ]
        return words.flatMap { word in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    /// The digest as 64 lower-case hexadecimal digits.
    package func hexDigest() -> String { SHA256.hex(digest()) }

    /// The digest of `bytes` as 64 lower-case hexadecimal digits.
    package static func hex(of bytes: [UInt8]) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.hexDigest()
    }

    /// The digest of the file at `path` as hexadecimal digits, read in pieces.
    package static func hex(ofFile path: String) throws(SystemError) -> String {
        var hash = SHA256()
        try Files.readInPieces(path) { hash.update($0) }
        return hash.hexDigest()
    }

    /// Bytes as lower-case hexadecimal digits.
    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    @inline(__always)
    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        (word &>> count) | (word &<< (32 &- count))
    }

    /// One round; the caller rotates the names of the words instead of their values.
    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ input: UInt32
    ) {
        let first = h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ (g ^ (e & (f ^ g))) &+ input
        let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ ((a & b) | (c & (a | b)))
        d = d &+ first
        h = first &+ second
    }

    /// Takes in whole blocks of 64 bytes.
    private static func compress(_ state: inout State, _ blocks: UnsafeRawBufferPointer) {
        guard let base = blocks.baseAddress, blocks.count >= 64 else { return }
        constants.withUnsafeBufferPointer { constants in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
                guard let k = constants.baseAddress, let w = schedule.baseAddress else { return }
                var s = state
                for offset in stride(from: 0, to: blocks.count, by: 64) {
                    prepare(w, base + offset)
                    let before = s
                    for i in stride(from: 0, to: 64, by: 8) {
                        round(s.a, s.b, s.c, &s.d, s.e, s.f, s.g, &s.h, w[i] &+ k[i])
                        round(s.h, s.a, s.b, &s.c, s.d, s.e, s.f, &s.g, w[i &+ 1] &+ k[i &+ 1])
                        round(s.g, s.h, s.a, &s.b, s.c, s.d, s.e, &s.f, w[i &+ 2] &+ k[i &+ 2])
                        round(s.f, s.g, s.h, &s.a, s.b, s.c, s.d, &s.e, w[i &+ 3] &+ k[i &+ 3])
                        round(s.e, s.f, s.g, &s.h, s.a, s.b, s.c, &s.d, w[i &+ 4] &+ k[i &+ 4])
                        round(s.d, s.e, s.f, &s.g, s.h, s.a, s.b, &s.c, w[i &+ 5] &+ k[i &+ 5])
                        round(s.c, s.d, s.e, &s.f, s.g, s.h, s.a, &s.b, w[i &+ 6] &+ k[i &+ 6])
                        round(s.b, s.c, s.d, &s.e, s.f, s.g, s.h, &s.a, w[i &+ 7] &+ k[i &+ 7])
                    }
                    add(before, to: &s)
                }
                state = s
            }
        }
    }

    @inline(__always)
    private static func prepare(_ w: UnsafeMutablePointer<UInt32>, _ block: UnsafeRawPointer) {
        for i in 0..<16 {
            w[i] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self))
        }
        for i in 16..<64 {
            let early = w[i &- 15]
            let late = w[i &- 2]
            let low = rotate(early, 7) ^ rotate(early, 18) ^ (early &>> 3)
            let high = rotate(late, 17) ^ rotate(late, 19) ^ (late &>> 10)
            w[i] = w[i &- 16] &+ low &+ w[i &- 7] &+ high
        }
    }

    @inline(__always)
    private static func add(_ before: State, to s: inout State) {
        s.a &+= before.a
        s.b &+= before.b
        s.c &+= before.c
        s.d &+= before.d
        s.e &+= before.e
        s.f &+= before.f
        s.g &+= before.g
        s.h &+= before.h
    }
}
