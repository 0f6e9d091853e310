// SPDX-License-Identifier: Apache-2.0
// Sealing, and what verification makes of every way to break a seal.

import Domain
import Foundation
import Platform
import Testing

@testable import Evidence

@Suite struct SealingTests {
    @Test func `sha256sum itself checks a sealed cycle, odd names included`() async throws {
        let loop = try TemporaryLoop()
        let writer = CycleWriter(loop.layout)
        try await writer.writeDocument(Samples.record(1))
        for name in ["a b", "back\\slash", "new\nline", "Ünicode", "deep/er/file"] {
            try loop.put(name, at: loop.layout.cycle(1) + "/test-1-chat/" + name)
        }
        let sealed = try await writer.seal(1)
        #expect(sealed.files == 8)
        let check = try await run(["sha256sum", "--strict", "-c", "SHA256SUMS"], in: loop.layout.cycle(1))
        #expect(check.status == 0, "\(check.output)")
        #expect(try loop.text(loop.layout.cycle(1) + "/previous") == SealedReference.beforeTheFirst.text)
        let sum = try await run(["sha256sum", "SHA256SUMS"], in: loop.layout.cycle(1))
        #expect(sum.output.hasPrefix(sealed.sha256))
    }

    @Test func `a document whose sums are gone is not believed where the cycle was sealed`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop)
        let reader = CycleReader(loop.layout)
        #expect(try reader.sealedRecord(2).cycle == 2)
        try FileManager.default.removeItem(atPath: loop.layout.sums(2))
        #expect(throws: EvidenceError.self) { try reader.sealedRecord(2) }
        try FileManager.default.removeItem(atPath: loop.layout.index)
        #expect {
            try reader.sealedRecord(2)
        } throws: { "\($0)".contains("it is gone, and the cycle was sealed") }
        // One that is not sealed yet has a document for a moment, and no sums.
        let writer = CycleWriter(loop.layout)
        try await writer.writeDocument(Samples.record(3))
        #expect(try reader.sealedRecord(3).cycle == 3)
    }

    @Test func `an index that cannot be read is a finding`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(1, in: loop)
        try FileManager.default.removeItem(atPath: loop.layout.index)
        try FileManager.default.createDirectory(atPath: loop.layout.index, withIntermediateDirectories: false)
        let report = try Verifier(loop.layout).verify()
        #expect(!report.isIntact)
        #expect(report.findings.contains { $0.path == "index.jsonl" && "\($0)".contains("cannot be read") })
    }

    @Test func `the commands of the documentation check a loop by hand`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop)
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../docs/evidence.md").standardized, encoding: .utf8)
        let blocks = page.components(separatedBy: "```sh\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        try #require(blocks.count == 3)
        let sums = try await run(
            ["sh", "-ec", blocks[0].replacing("000122", with: "000001")], in: loop.layout.cycle(2))
        #expect(sums.status == 0, "\(sums.output)")
        let words = sums.output.split { $0.isWhitespace }.filter { $0.utf8.count == 64 }
        try #require(words.count == 4)
        #expect(words[0] == words[1])
        #expect(words[2] == words[3])
        guard try await run(["jq", "--version"], in: loop.root).status == 0 else { return print("skipped: no jq") }
        let seals = try await run(["sh", "-ec", blocks[1]], in: loop.root)
        #expect(seals.output == "cycles/000001/SHA256SUMS: OK\ncycles/000002/SHA256SUMS: OK\n")
    }

    @Test func `every step may be repeated and leaves the same bytes`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop)
        let before = try snapshot(loop.layout.cycle(2))
        let (journal, _) = try await Journal.open(loop.layout)
        try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 2, durable: true)
        let writer = CycleWriter(loop.layout)
        let record = try CycleReader(loop.layout).record(2)
        try await writer.writeDocument(record)
        let sealed = try await writer.seal(2, knownHashes: writer.knownHashes(of: record))
        try await writer.publish(record, sealed)
        #expect(try snapshot(loop.layout.cycle(2)) == before)
        #expect(try Verifier(loop.layout).verify().findings == [])
        #expect(try EvidenceIndex.load(loop.layout).cycles.map(\.cycle) == [1, 2])
        #expect(try CycleReader(loop.layout).latest() == 2)
    }

    @Test func `a record comes back from disk as it was`() async throws {
        let loop = try TemporaryLoop()
        try await CycleWriter(loop.layout).writeDocument(Samples.record(3))
        #expect(try CycleReader(loop.layout).record(3) == Samples.record(3))
        let mode = try FileManager.default.attributesOfItem(atPath: loop.layout.cycle(3))[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test func `a line of the cycle log stays one line, also after a torn one`() async throws {
        let loop = try TemporaryLoop()
        try loop.put("torn", at: loop.layout.cycleLog)
        let writer = CycleWriter(loop.layout)
        try await writer.log("02:31:07Z ok   test\n02:31:08Z GREEN forged")
        try await writer.log("next")
        #expect(try loop.text(loop.layout.cycleLog) == "torn\n02:31:07Z ok   test 02:31:08Z GREEN forged\nnext\n")
    }

    @Test func `a document of a newer schema is refused by its name`() throws {
        let loop = try TemporaryLoop()
        try loop.put(#"{"schema":"nightjar.cycle/2"}"#, at: loop.layout.document(1))
        #expect {
            try CycleReader(loop.layout).record(1)
        } throws: { "\($0)".contains("nightjar.cycle/2") && "\($0)".contains("newer") }
    }

    @Test func `a path that leaves the cycle folder is refused`() {
        let layout = EvidenceLayout(root: "/s/loop")
        for path in ["../x", "/etc/passwd", "a/../../b", "", "a//b", "./a", "a\u{0}b"] {
            #expect(layout.file(path, inCycle: 1) == nil, "\(path)")
        }
        #expect(layout.file("a/b", inCycle: 1) == "/s/loop/cycles/000001/a/b")
        #expect(EvidenceLayout.number("000123") == 123)
        #expect(EvidenceLayout.number("1234567") == 1_234_567)
        for name in ["123", "0001234", "000000", "00012x", "+00123"] { #expect(EvidenceLayout.number(name) == nil) }
    }

    @Test func `sums of a passed log are taken over only while the file has its size`() async throws {
        let loop = try TemporaryLoop()
        var record = Samples.record(1)
        record.stages[1].commands[0].logSHA256 = String(repeating: "c", count: 64)
        let writer = CycleWriter(loop.layout)
        let log = try await writer.createStage(record.stages[1].run) + "/console.log"
        try loop.put("twelve bytes", at: log)
        #expect(await writer.knownHashes(of: record).keys.sorted() == ["test-1-chat/console.log"])
        try loop.put("twelve bytes and more", at: log)
        #expect(await writer.knownHashes(of: record).isEmpty)
    }
}

@Suite struct SHA256Tests {
    /// FIPS 180-4 examples, and lengths around the block borders against coreutils.
    @Test func `sums are those of the standard and of sha256sum`() async throws {
        #expect(
            SHA256.hex(of: Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hex(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let loop = try TemporaryLoop()
        let lengths = [1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 300_000]
        for length in lengths { try loop.put(String(repeating: "n", count: length), at: loop.root + "/\(length)") }
        let sums = try await run(["sha256sum"] + lengths.map(String.init), in: loop.root)
        for (line, length) in zip(sums.output.split(separator: "\n"), lengths) {
            #expect(try SHA256.hex(ofFile: loop.root + "/\(length)") == line.prefix(64), "\(length)")
        }
    }
}

@Suite struct VerifierTests {
    private static let few = [TestResult(id: "one", outcome: .passed)]

    private func kinds(_ loop: TemporaryLoop) throws -> [VerificationFinding.Kind] {
        try Verifier(loop.layout).verify().findings.map(\.kind)
    }

    @Test func `an untouched loop is intact, and verifying changes nothing`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: Self.few)
        let before = try snapshot(loop.root)
        let report = try Verifier(loop.layout).verify()
        #expect(try snapshot(loop.root) == before)
        #expect(report.findings == [])
        #expect((report.cycles, report.intact, report.journalEntries) == (3, 3, 6))
        #expect(report.newestCycle == 3)
        #expect(report.newestHash == (try CycleReader(loop.layout).sealedHash(3)))
    }

    /// All bytes of all sealed files, and of the journal up to the newest seal. `SHA256SUMS` of the newest cycle is held by
    /// the journal, those before it by the next cycle too.
    @Test func `every single flipped byte is found`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop, tests: Self.few)
        let files = try FileManager.default.subpathsOfDirectory(atPath: loop.layout.cycles)
        var flips = 0
        for path in files.map({ loop.layout.cycles + "/" + $0 })
        where path.hasPrefix(loop.layout.cycle(1)) || path.hasSuffix("SHA256SUMS") {
            guard let bytes = try? loop.bytes(path) else { continue }
            // The document is long, and all its bytes are alike to a sum: a sample of it.
            let step = path.hasSuffix("cycle.json") ? 61 : 1
            flips += try await flip(bytes, Array(stride(from: 0, to: bytes.count, by: step)), path, loop)
        }
        let journal = try loop.bytes(loop.layout.segment(1))
        let lines = journal.split(separator: 10, omittingEmptySubsequences: false)
        let covered = lines.prefix(3).map { $0.count + 1 }.reduce(0, +)
        flips += try await flip(journal, Array(0..<covered), loop.layout.segment(1), loop)
        #expect(try kinds(loop) == [])
        print("flipped \(flips) bytes one at a time")
    }

    private func flip(_ bytes: [UInt8], _ indices: [Int], _ path: String, _ loop: TemporaryLoop) async throws -> Int {
        for index in indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 7)
            try Data(changed).write(to: URL(fileURLWithPath: path))
            let verifier = Verifier(loop.layout)
            let report = try await EvidenceReading.run { () throws(EvidenceError) in try verifier.verify() }
            #expect(!report.isIntact, "byte \(index) of \(path)")
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return indices.count
    }

    @Test func `a cycle whose journal lines lie in two segments covers both`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(1, in: loop, tests: Self.few)
        let (journal, opening) = try await Journal.open(loop.layout)
        try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 1, durable: false)
        try await journal.rotate(LoopMemory(), at: Samples.start, cycle: 1, beyond: 1)
        let last = try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: 2, durable: false)
        let writer = CycleWriter(loop.layout)
        let record = Samples.lean(2, tests: Self.few)
        try await writer.writeDocument(record)
        let sealed = try await writer.seal(2)
        let fact = CycleSealed(cycle: 2, sha256: sealed.sha256, verdict: record.verdict)
        try await journal.append(.cycleSealed(fact), at: Samples.start, cycle: 2, durable: true)
        let coverage = try #require(try JournalCoverage.of(cycle: 2, in: loop.layout))
        // From the seal of cycle 1, which that cycle could not cover itself.
        #expect((coverage.first, coverage.last) == (opening.entries.count, last.sequence))
        #expect(try kinds(loop) == [])
        let first = try loop.text(loop.layout.segment(2))
        try loop.put(first.replacing("\"rollbacks\":[]", with: "\"rollbackz\":[]"), at: loop.layout.segment(2))
        #expect(try !Verifier(loop.layout).verify().isIntact)
    }

    /// Seals of a long-lived writer begin where the last one ended, those of a fresh one search: the bytes are the same.
    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `what is remembered of the journal's end changes no coverage`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let loop = try TemporaryLoop()
        let (journal, _) = try await Journal.open(loop.layout)
        var (known, last): (JournalPlace?, Int) = (nil, 0)
        for round in 0..<12 {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                try await journal.append(Samples.journal[0].event, at: Samples.start, cycle: round, durable: false)
            }
            if round == 3 || Int.random(in: 0..<5, using: &random) == 0 {
                try await journal.rotate(LoopMemory(), at: Samples.start, cycle: round, beyond: 1)
            }
            let searched = try JournalCoverage.from(last + 1, in: loop.layout)
            let remembered = try JournalCoverage.from(last + 1, in: loop.layout, known: known)
            #expect(searched.coverage == remembered.coverage, "seed \(seed), round \(round)")
            #expect(searched.end == remembered.end, "seed \(seed), round \(round)")
            (known, last) = (remembered.end, remembered.coverage.last)
            // Of another line, of a segment that is gone, beyond the end: not believed.
            let place = known ?? JournalPlace(segment: 1, offset: 0, next: 1)
            for wrong in [
                JournalPlace(segment: place.segment, offset: place.offset, next: place.next - 1),
                JournalPlace(segment: place.segment + 1, offset: 0, next: place.next),
                JournalPlace(segment: place.segment, offset: place.offset + 1, next: place.next),
            ] {
                let found = try JournalCoverage.from(last + 1, in: loop.layout, known: wrong).coverage
                #expect(try found == JournalCoverage.from(last + 1, in: loop.layout).coverage, "seed \(seed), \(wrong)")
            }
        }
        #expect(try JournalReader(loop.layout).segments().count > 1, "seed \(seed)")
        await journal.close()
    }

    @Test func `missing and added files, links and dropped cycles are named`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: Self.few)
        let files = FileManager.default
        let console = loop.layout.cycle(2) + "/test-1-chat/console.log"
        try files.moveItem(atPath: console, toPath: console + ".away")
        #expect(try kinds(loop) == [.missing, .extra])
        try files.moveItem(atPath: console + ".away", toPath: console)
        try files.createSymbolicLink(atPath: console + ".link", withDestinationPath: "/etc/passwd")
        #expect(try kinds(loop) == [.extra])
        try files.removeItem(atPath: console + ".link")
        try loop.put("x", at: loop.layout.cycle(2) + "/report.html")
        #expect(try kinds(loop) == [], "a report is rendered after sealing")
        try files.moveItem(atPath: loop.layout.cycle(2), toPath: loop.root + "/away")
        #expect(try kinds(loop) == [.gap])
        try files.moveItem(atPath: loop.root + "/away", toPath: loop.layout.cycle(2))
        try files.removeItem(atPath: loop.layout.sums(2))
        #expect(try kinds(loop).contains(.unsealed))
    }

    @Test func `a forged cycle with sums of its own is found by the journal and by the next cycle`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: Self.few)
        let writer = CycleWriter(loop.layout)
        try await writer.writeDocument(Samples.record(2, verdict: .healthy))
        _ = try await writer.seal(2)
        let found = try kinds(loop)
        #expect(found.contains(.journalDisagrees))
        #expect(found.contains(.chainBroken))
    }

    @Test func `a link that was there when the cycle was sealed is evidence and no finding`() async throws {
        let loop = try TemporaryLoop()
        try FileManager.default.createDirectory(atPath: loop.layout.cycle(1), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: loop.layout.cycle(1) + "/link", withDestinationPath: "/etc/passwd")
        try await Samples.seal(1, in: loop, tests: Self.few)
        #expect(try kinds(loop) == [])
        #expect(try loop.text(loop.layout.cycle(1) + "/unlisted.txt") == "symlink link -> /etc/passwd\n")
        try FileManager.default.removeItem(atPath: loop.layout.cycle(1) + "/link")
        #expect(try kinds(loop) == [.extra])
    }

    @Test func `the running cycle is a note`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(1, in: loop, tests: Self.few)
        try await CycleWriter(loop.layout).createCycle(2)
        let report = try Verifier(loop.layout).verify()
        #expect(report.isIntact)
        #expect(report.notes.count == 1)
    }
}

/// Every file below a folder, with its bytes.
private func snapshot(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
        files[path] = FileManager.default.contents(atPath: folder + "/" + path)
    }
    return files
}
