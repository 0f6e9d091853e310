// SPDX-License-Identifier: Apache-2.0
// Lines out of chunks, each bounded.

/// Cuts a byte stream at line feeds; of a line beyond `limit` only the first `limit` bytes are kept.
struct LineSplitter {
    /// A line of a console.
    static let consoleLimit = 64 << 10
    /// A line of a report in JSON Lines; the longest hold one test's whole output.
    static let reportLimit = 4 << 20

    let limit: Int
    /// The line that has begun and not ended.
    private(set) var partial: [UInt8] = []
    private(set) var count = 0

    init(limit: Int) { self.limit = limit }

    /// The lines that end in `bytes`, without line feed and carriage return.
    mutating func push(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(takePartial())
            } else if partial.count < limit {
                partial.append(byte)
            }
        }
        return lines
    }

    /// The last line where no line feed ends it.
    mutating func finish() -> [UInt8]? { partial.isEmpty ? nil : takePartial() }

    private mutating func takePartial() -> [UInt8] {
        count += 1
        if partial.last == 0x0D { partial.removeLast() }
        defer { partial = [] }
        return partial
    }
}
