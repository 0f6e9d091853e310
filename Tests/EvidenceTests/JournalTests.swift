// SPDX-License-Identifier: Apache-2.0
// Nothing acknowledged is lost, nothing torn is believed.

import Domain
import Foundation
import Testing

@testable import Evidence
@testable import Platform

@Suite struct JournalTests {
    private let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/journal-1.jsonl")

    @Test func `the golden journal of version 1 still reads as what it meant`() throws {
        // Before a release the format may still move: NIGHTJAR_GOLDEN=write makes the file anew.
        if ProcessInfo.processInfo.environment["NIGHTJAR_GOLDEN"] == "write" {
            try Data(Samples.journal.flatMap { try EvidenceCoding.line($0, "entry") }).write(to: fixture)
        }
        let golden = [UInt8](try Data(contentsOf: fixture))
        let segment = try JournalSegment(path: fixture.path, bytes: golden)
        #expect(segment.entries == Samples.journal)
        #expect(segment.tail.isEmpty)
        let written = try Samples.journal.flatMap { try EvidenceCoding.line($0, "entry") }
        #expect(written == golden, "the format of the journal has changed: that needs a new version")
    }

    @Test func `what was appended is there after opening again`() async throws {
        let loop = try TemporaryLoop()
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var expected: [JournalEntry] = []
        for _ in 0..<5 {
            let (journal, opening) = try await Journal.open(loop.layout)
            #expect(opening.entries == expected, "seed \(seed)")
            #expect(opening.torn == nil)
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let sample = Samples.journal[Int.random(in: 0..<Samples.journal.count, using: &generator)]
                let isDurable = Bool.random(using: &generator)
                expected.append(
                    try await journal.append(sample.event, at: sample.at, cycle: sample.cycle, durable: isDurable))
            }
            await journal.close()
        }
        #expect(expected.map(\.sequence) == Array(1...expected.count), "seed \(seed)")
    }

    @Test func `a loop that remembers much makes its journal at most twice as long`() async throws {
        let loop = try TemporaryLoop()
        var memory = LoopMemory()
        memory.pause = PauseRequested(owner: "ann", reason: String(repeating: "x", count: 20_000), until: nil)
        let event = Samples.journal[0]
        var (plain, carried) = (0, 0)
        // Each beginning goes on from what the journal has.
        for _ in 0..<4 {
            let (journal, _) = try await Journal.open(loop.layout)
            for _ in 0..<100 {
                let entry = try await journal.append(event.event, at: event.at, cycle: 1, durable: false)
                plain += try EvidenceCoding.line(entry, "entry").count
                if let entry = try await journal.carry(memory, at: event.at, cycle: 1) {
                    carried += try EvidenceCoding.line(entry, "entry").count
                }
            }
            await journal.close()
        }
        #expect(carried > 20_000 && carried <= plain + 21_000, "\(carried) beside \(plain)")
        let (journal, opening) = try await Journal.open(loop.layout)
        #expect(opening.entries.contains { $0.event == .memoryCarried(memory) })
        await journal.close()
    }

    @Test func `a tail torn at any byte of the last line is cut and kept aside`() async throws {
        let loop = try TemporaryLoop()
        let lines = try Samples.journal.map { try EvidenceCoding.line($0, "entry") }
        let whole = Array(lines.dropLast().joined())
        let last = try #require(lines.last)
        for length in 1..<last.count {
            try Data(whole + last.prefix(length)).write(to: prepared(loop))
            let (journal, opening) = try await Journal.open(loop.layout)
            #expect(opening.entries == Array(Samples.journal.dropLast()))
            let torn = try #require(opening.torn)
            #expect(try loop.bytes(torn.keptAt) == Array(last.prefix(length)))
            #expect(try loop.bytes(loop.layout.segment(1)) == whole)
            await journal.close()
            try FileManager.default.removeItem(atPath: torn.keptAt)
        }
    }

    private func prepared(_ loop: TemporaryLoop) throws -> URL {
        try FileManager.default.createDirectory(atPath: loop.layout.journal, withIntermediateDirectories: true)
        return URL(fileURLWithPath: loop.layout.segment(1))
    }

    @Test func `zeros with a newline at the end are a torn tail too`() async throws {
        let loop = try TemporaryLoop()
        let line = try EvidenceCoding.line(Samples.journal[0], "entry")
        try Data(line + [0, 0, 0, 10]).write(to: prepared(loop))
        let (_, opening) = try await Journal.open(loop.layout)
        #expect(opening.entries == [Samples.journal[0]])
        #expect(opening.torn?.bytes == 4)
    }

    @Test func `damage before whole entries is refused and left alone`() async throws {
        let loop = try TemporaryLoop()
        let lines = try Samples.journal.prefix(2).map { try EvidenceCoding.line($0, "entry") }
        let bytes = lines[0] + Array("garbage\n".utf8) + lines[1]
        try Data(bytes).write(to: prepared(loop))
        await #expect(throws: EvidenceError.self) { try await Journal.open(loop.layout) }
        #expect(try loop.bytes(loop.layout.segment(1)) == bytes)
    }

    @Test func `a gap in the sequence is refused`() async throws {
        let loop = try TemporaryLoop()
        let lines = try [Samples.journal[0], Samples.journal[2]].flatMap { try EvidenceCoding.line($0, "entry") }
        try Data(lines).write(to: prepared(loop))
        await #expect {
            try await Journal.open(loop.layout)
        } throws: { "\($0)".contains("seq 3 follows 1") }
    }

    @Test func `an unknown kind is refused as written by a newer version, also as the last line`() async throws {
        let loop = try TemporaryLoop()
        let line = #"{"at":"2026-11-21T02:31:07.250Z","cycle":1,"kind":"dreamt","seq":1}"# + "\n"
        try Data(line.utf8).write(to: prepared(loop))
        await #expect {
            try await Journal.open(loop.layout)
        } throws: { error in
            guard case EvidenceError.newerFormat(_, let found) = error else { return false }
            return found.contains("dreamt")
        }
        #expect(try loop.text(loop.layout.segment(1)) == line)
    }

    @Test func `a second writer is told who has the journal`() async throws {
        let loop = try TemporaryLoop()
        let (journal, _) = try await Journal.open(loop.layout)
        await #expect {
            try await Journal.open(loop.layout)
        } throws: { "\($0)".contains("process \(ProcessInfo.processInfo.processIdentifier)") }
        await journal.close()
        _ = try await Journal.open(loop.layout)
    }

    @Test func `a rotated journal goes on in a segment that begins with the memory`() async throws {
        let loop = try TemporaryLoop()
        var (journal, _) = try await Journal.open(loop.layout)
        try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 1, durable: false)
        var memory = LoopMemory()
        memory.cycle = 1
        #expect(try await journal.rotate(memory, at: Samples.at(1), cycle: 1) == nil)
        let carried = try await journal.rotate(memory, at: Samples.at(1), cycle: 1, beyond: 10)
        #expect(carried?.sequence == 2)
        let third = try await journal.append(Samples.journal[1].event, at: Samples.at(2), cycle: 2, durable: true)
        await journal.close()
        let opening: JournalOpening
        (journal, opening) = try await Journal.open(loop.layout)
        #expect(opening.entries == [try #require(carried), third])
        let reader = JournalReader(loop.layout)
        #expect(try reader.segments() == [1, 2])
        #expect(try reader.entries(ofCycle: 1).map(\.sequence) == [1, 2])
        #expect(try reader.entries(ofCycle: 2).map(\.sequence) == [3])
        var all: [Int] = []
        try reader.forEach { all.append($0.sequence) }
        #expect(all == [1, 2, 3])
    }

    @Test func `a segment that can neither be begun nor withdrawn makes the journal wait, not end`() async throws {
        let loop = try TemporaryLoop()
        let (journal, _) = try await Journal.open(loop.layout)
        try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 1, durable: false)
        // A folder can be neither replaced by a file nor removed as one.
        let next = loop.layout.segment(2)
        try FileManager.default.createDirectory(atPath: next, withIntermediateDirectories: true)
        await #expect(throws: EvidenceError.self) {
            try await journal.rotate(LoopMemory(), at: Samples.at(1), cycle: 1, beyond: 10)
        }
        let event = Samples.journal[1].event
        await #expect(throws: EvidenceError.self) {
            try await journal.append(event, at: Samples.at(2), cycle: 1, durable: true)
        }
        // The lock is still held.
        await #expect(throws: EvidenceError.self) { _ = try await Journal.open(loop.layout) }
        try FileManager.default.removeItem(atPath: next)
        let entry = try await journal.append(event, at: Samples.at(3), cycle: 1, durable: true)
        #expect(entry.sequence == 2)
        #expect(try JournalReader(loop.layout).segments() == [1])
        await journal.close()
    }

    @Test func `readers do without the line that is being written`() async throws {
        let loop = try TemporaryLoop()
        let line = try EvidenceCoding.line(Samples.journal[0], "entry")
        try Data(line + line.prefix(20)).write(to: prepared(loop))
        #expect(try JournalReader(loop.layout).entries(ofCycle: 7) == [Samples.journal[0]])
        #expect(try loop.bytes(loop.layout.segment(1)).count == line.count + 20)
    }

    @Test func `a ratio that is no number is refused and leaves no trace`() async throws {
        let loop = try TemporaryLoop()
        let (journal, _) = try await Journal.open(loop.layout)
        var stage = Samples.testStage(1, tests: [])
        stage.durationSeconds = .nan
        await #expect(throws: EvidenceError.self) {
            try await journal.append(.stageEnded(stage), at: Samples.start, cycle: 1, durable: true)
        }
        let next = try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 1, durable: true)
        #expect(next.sequence == 1)
    }
}

@Suite struct FullDiskTests {
    private func isNoSpace(_ error: EvidenceError?) -> Bool {
        if case .noSpace = error { true } else { false }
    }

    /// One append only: what follows a failure here would rewrite the file, and this one is a device.
    @Test func `a full device is told as such`() throws {
        var file = try SegmentFile(path: "/dev/full")
        #expect {
            try file.append(Array("x\n".utf8), durable: false)
        } throws: { isNoSpace($0 as? EvidenceError) }
    }

    @Test(arguments: [false, true])
    func `after a failed sync everything acknowledged is in a new file`(isAcknowledgedDurable: Bool) throws {
        let loop = try TemporaryLoop()
        let path = loop.root + "/segment"
        var file = try SegmentFile(path: path)
        let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        try file.append(Array("one\n".utf8), durable: isAcknowledgedDurable)
        file.sync = { (_) throws(SystemError) in throw Disk.lost(path) }
        try file.append(Array("two\n".utf8), durable: true)
        #expect(try loop.text(path) == "one\ntwo\n")
        let after = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        #expect(before != after)
        file.sync = { (file) throws(SystemError) in try file.sync() }
        try file.append(Array("three\n".utf8), durable: true)
        #expect(try loop.text(path) == "one\ntwo\nthree\n")
    }

    @Test func `on a full file system nothing half written stays, and the same call succeeds later`() async throws {
        let loop = try TemporaryLoop()
        let mount = try await run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", loop.root], in: "/")
        guard mount.status == 0 else { return print("skipped: a file system cannot be mounted here") }
        do {
            try await fillAndFree(loop)
        } catch {
            _ = try await run(["umount", "-l", loop.root], in: "/")
            throw error
        }
        _ = try await run(["umount", "-l", loop.root], in: "/")
    }

    private func fillAndFree(_ loop: TemporaryLoop) async throws {
        try loop.put(String(repeating: "x", count: 16 << 10), at: loop.root + "/ballast")
        let (journal, _) = try await Journal.open(loop.layout)
        let event = Samples.journal[6].event
        var count = 0
        var refused: EvidenceError?
        while refused == nil, count < 10_000 {
            do {
                try await journal.append(event, at: Samples.start, cycle: 1, durable: count % 3 == 0)
                count += 1
            } catch {
                refused = error
            }
        }
        #expect(isNoSpace(refused))
        #expect(try loop.bytes(loop.layout.segment(1)).last == UInt8(ascii: "\n"))
        #expect(try JournalReader(loop.layout).entries(ofCycle: 1).count == count)
        try FileManager.default.removeItem(atPath: loop.root + "/ballast")
        let entry = try await journal.append(event, at: Samples.start, cycle: 1, durable: true)
        #expect(entry.sequence == count + 1)
        #expect(try JournalReader(loop.layout).entries(ofCycle: 1).count == count + 1)
    }
}
