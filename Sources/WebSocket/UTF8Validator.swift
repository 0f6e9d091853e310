// SPDX-License-Identifier: Apache-2.0
// UTF-8 checked as it arrives, across any borders between fragments.

/// Checks a byte stream for UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
struct UTF8Validator: Sendable {
    /// How many continuation bytes the character in progress still needs.
    private var missing = 0
    /// What the next of them must lie in.
    private var next: ClosedRange<UInt8> = Self.any

    private static let any: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the bytes so far end at the end of a character.
    var isComplete: Bool { missing == 0 }

    /// Takes more bytes; false as soon as no continuation could make them valid.
    mutating func consume(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            if missing > 0 {
                guard next.contains(byte) else { return false }
                missing -= 1
                next = Self.any
            } else if byte >= 0x80 {
                guard begin(byte) else { return false }
            }
        }
        return true
    }

    private mutating func begin(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF: missing = 2
        case 0xF0...0xF4: missing = 3
        default: return false
        }
        switch lead {
        case 0xE0: next = 0xA0...0xBF
        case 0xED: next = 0x80...0x9F
        case 0xF0: next = 0x90...0xBF
        case 0xF4: next = 0x80...0x8F
        default: next = Self.any
        }
        return true
    }
}
