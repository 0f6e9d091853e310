// SPDX-License-Identifier: Apache-2.0
// Reads a journal as it grows, each entry once: for readers that look again and again.

package import Domain
import Platform

package struct JournalCursor: Sendable {
    private let layout: EvidenceLayout
    private var segment = 0
    private var offset = 0
    private var sequence = 0
    private var stamp: FileStamp?

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// Hands over the whole entries that were not handed over before. Throws what `JournalReader` throws, and then
    /// stays where it was.
    package mutating func advance(_ body: (JournalEntry) -> Void) throws(EvidenceError) {
        let numbers = try JournalReader(layout).segments()
        for number in numbers where number >= max(1, segment) {
            let path = layout.segment(number)
            let stamp = Files.stamp(path)
            if number == segment, stamp == self.stamp { continue }
            let bytes = try contents(path) ?? []
            let start = number == segment ? offset : 0
            guard start <= bytes.count else {
                throw .damaged(path: path, line: nil, reason: "it became shorter while it was read")
            }
            let news = try JournalSegment(path: path, bytes: Array(bytes[start...]))
            if let first = news.entries.first, sequence > 0, first.sequence != sequence + 1 {
                throw .damaged(path: path, line: nil, reason: "seq \(first.sequence) follows \(sequence)")
            }
            news.entries.forEach(body)
            segment = number
            offset = start + news.wholeBytes
            sequence = news.entries.last?.sequence ?? sequence
            self.stamp = stamp
        }
    }
}

extension CycleReader {
    /// `cycle.json` as it lies there; nil where there is none.
    package func documentBytes(_ cycle: Int) throws(EvidenceError) -> [UInt8]? {
        try contents(layout.document(cycle))
    }
}
