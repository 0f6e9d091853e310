// SPDX-License-Identifier: Apache-2.0
// UTF-8 checked as it arrives, across any borders between fragments.

/// Checks a byte stream for UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
struct UTF8Validator: Sendable {
    /// The ranges that the continuation bytes of the character in progress must lie in, the next one first.
    private var expected: [ClosedRange<UInt8>] = []

    /// Whether the bytes so far end at the end of a character.
    var isComplete: Bool { expected.isEmpty }

    /// Takes more bytes; false as soon as no continuation could make them valid.
    mutating func consume(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            if let range = expected.first {
                guard range.contains(byte) else { return false }
                expected.removeFirst()
            } else if byte >= 0x80 {
                guard let ranges = Self.continuation(after: byte) else { return false }
                expected = ranges
            }
        }
        return true
    }

    private static func continuation(after lead: UInt8) -> [ClosedRange<UInt8>]? {
        let any: ClosedRange<UInt8> = 0x80...0xBF
        return switch lead {
        case 0xC2...0xDF: [any]
        case 0xE0: [0xA0...0xBF, any]
        case 0xE1...0xEC, 0xEE...0xEF: [any, any]
        case 0xED: [0x80...0x9F, any]
        case 0xF0: [0x90...0xBF, any, any]
        case 0xF1...0xF3: [any, any, any]
        case 0xF4: [0x80...0x8F, any, any]
        default: nil
        }
    }
}
