// SPDX-License-Identifier: Apache-2.0
// `nightjar gate`: only evidence that is as it was sealed can say ship.

import Domain
import Evidence
import Foundation
import Testing

@testable import Commands

@Suite struct GateTests {
    private let fixture: LoopFixture

    init() async throws {
        fixture = LoopFixture()
        try await fixture.sealAndJournal([
            LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa"),
            LoopFixture.record(2, .unproven, .hold, revision: "bbbbbbb"),
            LoopFixture.record(3, .failing, .hold, revision: "ccccccc", incidents: [LoopFixture.incident]),
        ])
    }

    private func gate(_ words: String...) async -> CommandResult {
        await fixture.run(["gate"] + words + ["--state", "state"])
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func put(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test func `gate answers by exit code`() async throws {
        #expect(await gate("aaaaaaa").code == .ok)
        #expect(await gate("aaaaaaa1234").code == .ok)
        #expect(await gate("bbbbbbb").code == .unproven)
        let hold = await gate("ccccccc")
        #expect(hold.code == .failing)
        #expect(hold.output == "HOLD ccccccc: #3 failing, 70m ago; P0 chat: 1 of 1 tests failed\n")
        #expect(await gate().code == .failing)
        let unknown = await gate("ddddddd", "--json")
        #expect(unknown.code == .unproven)
        #expect(unknown.output.contains("\"answer\" : \"hold\""))
        let old = await gate("aaaaaaa", "--max-age", "1")
        #expect(old.code == .unproven)
        #expect(old.output.contains("too old"))
    }

    @Test(arguments: ["AAAAAAA", "aaaaaaa ", " aaaaaaa\n"])
    func `a commit is the same in capitals and with blanks around it`(revision: String) async {
        #expect(await gate(revision).code == .ok)
    }

    @Test func `gate does not answer past a newest cycle that cannot be read`() async throws {
        try FileManager.default.createDirectory(atPath: fixture.layout.cycle(9), withIntermediateDirectories: true)
        try put("{", fixture.layout.document(9))
        try put("", fixture.layout.sums(9))
        let answer = await gate("aaaaaaa")
        #expect(answer.code == .unproven)
        #expect(answer.error.contains("cycle.json"))
    }

    @Test func `a document that was changed does not ship`() async throws {
        let path = fixture.layout.document(2)
        try put(
            try text(path).replacing("\"unproven\"", with: "\"healthy\"").replacing("\"hold\"", with: "\"ship\""), path)
        let answer = await gate("bbbbbbb", "--json")
        #expect(answer.code == .unproven)
        #expect(answer.output.contains("\"answer\" : \"hold\"") && answer.output.contains("not as it was sealed"))
    }

    @Test func `a cycle that was interrupted says nothing`() async throws {
        let other = LoopFixture()
        try await other.sealAndJournal([
            LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa"),
            LoopFixture.record(2, .failing, .hold, revision: "bbbbbbb"),
            LoopFixture.record(3, .interrupted, .hold, revision: "bbbbbbb"),
            LoopFixture.record(4, .interrupted, .hold, revision: "ccccccc"),
            LoopFixture.record(5, .interrupted, .hold, revision: "aaaaaaa"),
        ])
        let ship = await other.run("gate", "aaaaaaa", "--state", "state")
        #expect(ship.code == .ok)
        #expect(ship.output.contains("#1 healthy") && ship.output.contains("#5 was interrupted since"))
        let hold = await other.run("gate", "bbbbbbb", "--json", "--state", "state")
        #expect(hold.code == .failing && hold.output.contains("\"interruptedSince\" : 3"))
        #expect(await other.run("gate", "ccccccc", "--state", "state").code == .unproven)
        #expect(await other.run("gate", "--state", "state").code == .ok, "the newest cycle is about aaaaaaa")
    }

    @Test func `nothing ships while staging does not answer the loop`() async throws {
        #expect(await gate("aaaaaaa").code == .ok)
        var policy = LoopPolicy(
            LoopSettings(
                name: "staging", mode: .observe, environment: "staging", stateDirectory: "state", baseDirectory: "."))
        policy.provesRevision = true
        let silence = WorkUnavailable(
            trigger: .request, reason: "connection refused", source: WorkUnavailable.liveRevision)
        let (journal, _) = try await Journal.open(fixture.layout)
        for event in [
            .daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1")),
            .settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")),
            .operatorRequested(OperatorRequest(verb: .trigger, by: "ann")), .workUnavailable(silence),
        ] as [Event] {
            try await journal.append(event, at: LoopFixture.now, cycle: 3, durable: false)
        }
        await journal.close()
        let answer = await gate("aaaaaaa")
        #expect(answer.code == .unproven)
        #expect(answer.output.hasPrefix("HOLD aaaaaaa: staging does not answer since 2026-11-21T03:23:00Z: connection"))
        #expect(await gate("ccccccc").code == .failing)
    }

    @Test func `a document that is garbage does not ship`() async throws {
        try put("garbage", fixture.layout.document(1))
        #expect(await gate("aaaaaaa").code == .unproven)
    }

    @Test func `an index that lies changes nothing`() async throws {
        let path = fixture.layout.index
        try put(
            try text(path).replacing("\"failing\"", with: "\"healthy\"").replacing("\"hold\"", with: "\"ship\""), path)
        #expect(await gate("ccccccc").code == .failing)
        #expect(await gate("bbbbbbb").code == .unproven)
        let verified = await fixture.run("verify", "--state", "state")
        #expect(verified.code == .failing && verified.output.contains("index.jsonl: its line about cycles/000003 says"))
        let status = await fixture.run("status", "--state", "state")
        #expect(status.code == .failing && status.output.contains("RED") && !status.output.contains("SHIP"))
    }

    @Test func `changed sums do not ship, whatever they sum up`() async throws {
        try put("", fixture.layout.sums(1))
        #expect(await gate("aaaaaaa").code == .unproven)
    }

    @Test func `a later cycle that was removed may have said something else`() async throws {
        try FileManager.default.removeItem(atPath: fixture.layout.cycle(3))
        let answer = await gate("aaaaaaa")
        #expect(answer.code == .unproven)
        #expect(answer.output.contains("000003"))
    }

    @Test func `a later document that was changed may have said something else`() async throws {
        let path = fixture.layout.document(3)
        try put(try text(path).replacing("ccccccc", with: "ddddddd"), path)
        #expect(await gate("aaaaaaa").code == .unproven)
    }

    @Test func `a journal line that was changed does not ship`() async throws {
        let path = fixture.layout.segment(1)
        let hash = try #require(try CycleReader(fixture.layout).sealedHash(1))
        try put(try text(path).replacing(hash, with: String(repeating: "0", count: 64)), path)
        #expect(await gate("aaaaaaa").code == .unproven)
    }
}
