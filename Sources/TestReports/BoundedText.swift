// SPDX-License-Identifier: Apache-2.0
// Text of unknown length in bounded memory: its head and its tail.

/// Keeps the first half and the last half of `limit` bytes and counts what fell out between them.
struct BoundedText {
    let limit: Int
    private var head: [UInt8] = []
    /// A ring once it has grown to `limit / 2`.
    private var tail: [UInt8] = []
    private var next = 0
    private(set) var total = 0

    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { total == 0 }

    mutating func removeAll() {
        head.removeAll(keepingCapacity: true)
        tail.removeAll(keepingCapacity: true)
        next = 0
        total = 0
    }

    mutating func append(_ bytes: Slice<Bytes>) {
        total += bytes.count
        var rest = bytes
        let half = limit / 2
        if head.count < half {
            let part = rest.prefix(half - head.count)
            head.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
        }
        // Only the last half of what comes can survive in the ring.
        for byte in rest.suffix(half) {
            if tail.count < half {
                tail.append(byte)
            } else {
                tail[next] = byte
                next = next + 1 == half ? 0 : next + 1
            }
        }
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(Slice(base: $0, bounds: 0..<$0.count)) }
    }

    /// The whole text, or head and tail with a line between them that says how much is missing.
    var text: String {
        let ordered = tail[next...] + tail[..<next]
        let missing = total - head.count - tail.count
        if missing == 0 { return String(decoding: head + ordered, as: UTF8.self) }
        let front = Self.trimmedEnd(head[...])
        let back = ordered.drop { $0 & 0xC0 == 0x80 }
        return String(decoding: front, as: UTF8.self) + "\n[… \(missing) bytes left out …]\n"
            + String(decoding: back, as: UTF8.self)
    }

    /// Cuts an incomplete character at the end.
    private static func trimmedEnd(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let last = bytes.last, last >= 0x80 {
            bytes.removeLast()
            if last >= 0xC0 { break }
        }
        return bytes
    }

    /// `text` shortened to `limit` bytes the same way.
    static func shortened(_ text: String, to limit: Int) -> String {
        if text.utf8.count <= limit { return text }
        var bounded = BoundedText(limit: limit)
        bounded.append(text)
        return bounded.text
    }
}
