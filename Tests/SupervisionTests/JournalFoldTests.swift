// SPDX-License-Identifier: Apache-2.0
// What a start makes of a journal: of earlier versions, and of folders of which it does not tell.

import Domain
import Engine
import Evidence
import Foundation
import Platform
import TestSupport
import Testing

@testable import Configuration
@testable import Supervision

@Suite struct JournalFoldTests {
    private let loop: LoopFixture

    init() throws {
        loop = try LoopFixture()
    }

    private var quick: String { LoopFixture.suite("api", "printf '1..1\\\\nok 1 - a\\\\n'") }

    private func run(cycles: Int = 1) async throws {
        let host = try await loop.open(try loop.settings("suites: [\(quick)]"), cycles: cycles)
        #expect(await host.run() == .cycles(.healthy))
    }

    /// Journals as released binaries wrote them: green, broken and rolled back, mended, broken again and rolled back.
    @Test(arguments: ["early", "late"])
    func `a journal of an earlier version comes to what that version knew`(name: String) async throws {
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../EvidenceTests/Fixtures/journal-0.1.0-\(name).jsonl").standardized
        let layout = loop.layout
        try Files.createDirectories(layout.journal)
        try FileManager.default.copyItem(atPath: fixture.path, toPath: layout.segment(1))
        let (journal, opening) = try await Journal.open(layout)
        let machine = try await JournalFold(journal, layout).machine(opening.entries)
        await journal.close()
        #expect(machine.cycle == nil)
        let memory = machine.memory
        #expect(memory.cycle == 4)
        #expect(memory.lastVerdict == .failing)
        let seals = opening.entries.compactMap { entry -> CycleSealed? in
            if case .cycleSealed(let seal) = entry.event { seal } else { nil }
        }
        #expect(seals.map(\.verdict) == [.healthy, .failing, .healthy, .failing])
        #expect(memory.sealedHash == seals.last?.sha256)
        let wanted = opening.entries.compactMap { entry -> Revision? in
            if case .workSeen(let work) = entry.event { work.wanted } else { nil }
        }
        try #require(wanted.count == 4)
        #expect(memory.lastGreen == wanted[2] && memory.lastGreenCycle == 3)
        #expect(memory.lastTested == wanted[3])
        #expect(memory.serving == wanted[2], "the rollback brought it back")
        #expect(memory.knownBad.map(\.revision) == [wanted[1], wanted[3]])
        #expect(memory.incidents.map(\.id) == ["INC-1"] && memory.incidentCount == 1)
        #expect(memory.incidents.first?.timesSeen == 2 && memory.incidents.first?.state == .open)
    }

    @Test(.timeLimit(.minutes(1)))
    func `what the loop knows is written down with each seal`() async throws {
        try await run(cycles: 2)
        var carried: [(after: Int, memory: LoopMemory)] = []
        var sealed = 0
        try JournalReader(loop.layout).forEach { entry in
            if case .cycleSealed(let seal) = entry.event { sealed = seal.cycle }
            if case .memoryCarried(let memory) = entry.event { carried.append((sealed, memory)) }
        }
        #expect(carried.map(\.after) == [1, 2] && carried.map(\.memory.cycle) == [1, 2])
        #expect(carried.last?.memory.lastVerdict == .healthy && carried.last?.memory.sealedHash != nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `results in the folder of a cycle that the journal lost are set aside, not taken for new ones`() async throws {
        try await run()
        // A loss of power took the end of the journal, and not what the commands of cycle 2 had written.
        let lost = loop.layout.cycle(2)
        let (from, to) = ("\(loop.layout.cycle(1))/test-1-api", "\(lost)/test-1-api")
        try Files.createDirectories(lost)
        try FileManager.default.copyItem(atPath: from, toPath: to)
        try Files.removeTree("\(loop.layout.root)/aside")
        try await run()
        #expect(Files.exists("\(loop.layout.root)/aside/000002-1/test-1-api/result.json"))
        let record = try #require(try CycleReader(loop.layout).latestRecord())
        #expect(record.cycle == 2)
        #expect(record.stages.allSatisfy { $0.recovery == nil }, "nothing was taken over")
        #expect(try Verifier(loop.layout).verify().isIntact)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a loop does not start on a journal that is older than its cycles`() async throws {
        try await run()
        try FileManager.default.copyItem(atPath: loop.layout.cycle(1), toPath: loop.layout.cycle(2))
        let settings = try loop.settings("suites: [\(quick)]")
        await #expect {
            _ = try await loop.open(settings, cycles: 1)
        } throws: { "\($0)".contains("000002 is sealed, and the journal ends with cycle 1") }
        #expect(Files.exists(loop.layout.sums(2)))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a seal that the journal missed is taken in, not made again`() async throws {
        try await run()
        // The crash came between the sums and the journal's word of them, and the older version had concluded earlier.
        let segment = loop.layout.segment(1)
        let text = try String(contentsOfFile: segment, encoding: .utf8)
        let lines = text.split(separator: "\n").map(String.init)
        let lastTest = try #require(lines.lastIndex { $0.contains("\"stageEnded\"") })
        let cut = lines[..<lastTest].joined(separator: "\n") + "\n"
        try cut.write(toFile: segment, atomically: false, encoding: .utf8)
        let sums = try Files.read(loop.layout.sums(1), limit: 1 << 20)
        try await run()
        #expect(try Files.read(loop.layout.sums(1), limit: 1 << 20) == sums)
        let record = try #require(try CycleReader(loop.layout).latestRecord())
        #expect(record.cycle == 2 && record.verdict == .healthy)
        var sealed: [Int] = []
        try JournalReader(loop.layout).forEach { entry in
            if case .cycleSealed(let seal) = entry.event { sealed.append(seal.cycle) }
        }
        #expect(sealed == [1, 2])
    }
}
