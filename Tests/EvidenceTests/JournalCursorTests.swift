// SPDX-License-Identifier: Apache-2.0
// A journal that is read while it grows: every entry once, and none before it is whole.

import Domain
import Foundation
import Testing

@testable import Evidence

struct JournalCursorTests {
    @Test func `each entry is handed over once, wherever the writer stands`() throws {
        let loop = try TemporaryLoop()
        let bytes = Array(try Samples.journal.map { try EvidenceCoding.line($0, "entry") }.joined())
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        try FileManager.default.createDirectory(atPath: loop.layout.journal, withIntermediateDirectories: true)
        let path = URL(fileURLWithPath: loop.layout.segment(1))
        var cursor = JournalCursor(loop.layout)
        var found: [JournalEntry] = []
        try cursor.advance { found.append($0) }
        #expect(found.isEmpty)
        var written = 0
        while written < bytes.count {
            written = min(bytes.count, written + Int.random(in: 1...400, using: &generator))
            try Data(bytes.prefix(written)).write(to: path)
            try cursor.advance { found.append($0) }
            let lines = bytes.prefix(written).count { $0 == 10 }
            #expect(found == Array(Samples.journal.prefix(lines)), "seed \(seed), \(written) bytes")
        }
        try cursor.advance { found.append($0) }
        #expect(found == Samples.journal, "seed \(seed)")
    }

    @Test func `the next segment goes on where the one before ended`() async throws {
        let loop = try TemporaryLoop()
        let (journal, _) = try await Journal.open(loop.layout)
        var cursor = JournalCursor(loop.layout)
        var found: [Int] = []
        for sample in Samples.journal.prefix(3) {
            _ = try await journal.append(sample.event, at: sample.at, cycle: sample.cycle, durable: false)
        }
        try cursor.advance { found.append($0.sequence) }
        _ = try await journal.rotate(LoopMemory(), at: Samples.start, cycle: 1, beyond: 0)
        for sample in Samples.journal.prefix(2) {
            _ = try await journal.append(sample.event, at: sample.at, cycle: sample.cycle, durable: false)
        }
        try cursor.advance { found.append($0.sequence) }
        await journal.close()
        #expect(found == Array(1...6))
    }
}
