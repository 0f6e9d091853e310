// SPDX-License-Identifier: Apache-2.0
// HMAC with SHA-256 (RFC 2104), for messages whose receiver must know who sent them.

extension SHA256 {
    /// The authentication code of `message` under `key`, 32 bytes.
    package static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key.count > 64 ? digest(of: key) : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        let inner = digest(of: block.map { $0 ^ 0x36 } + message)
        return digest(of: block.map { $0 ^ 0x5c } + inner)
    }

    private static func digest(of bytes: [UInt8]) -> [UInt8] {
        var sum = SHA256()
        sum.update(bytes)
        return sum.digest()
    }
}
