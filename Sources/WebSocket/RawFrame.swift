// SPDX-License-Identifier: Apache-2.0
// Frames that need not be right: for telling how a peer takes what RFC 6455 forbids.

/// A frame of which every part can be chosen, also wrongly.
package struct RawFrame: Hashable, Sendable {
    /// FIN, RSV1 to RSV3 and the opcode.
    package var first: UInt8
    package var payload: [UInt8]
    /// Masks the payload; nil sends it plain.
    package var key: [UInt8]?
    /// What the header says about the length, where that is not the length of the payload.
    package var announced: UInt64?
    /// How many bytes the length takes: 0 (in the second byte), 2 or 8; nil takes the fewest.
    package var lengthBytes: Int?

    package init(
        _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0, key: [UInt8]?,
        announced: UInt64? = nil, lengthBytes: Int? = nil
    ) {
        first = (isFinal ? 0x80 : 0) | (reserved & 7) << 4 | opcode & 0x0F
        self.payload = payload
        self.key = key
        self.announced = announced
        self.lengthBytes = lengthBytes
    }

    /// The bytes as they travel.
    package var bytes: [UInt8] {
        let length = announced ?? UInt64(payload.count)
        let mask: UInt8 = key == nil ? 0 : 0x80
        let width = lengthBytes ?? (length < 126 ? 0 : length <= 0xFFFF ? 2 : 8)
        var bytes = [first]
        switch width {
        case 0: bytes.append(mask | UInt8(truncatingIfNeeded: length & 0x7F))
        case 2: bytes += [mask | 126, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
        default:
            bytes.append(mask | 127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        }
        guard let key else { return bytes + payload }
        var masked = payload
        Masking.apply(key: key, to: &masked)
        return bytes + key + masked
    }
}
