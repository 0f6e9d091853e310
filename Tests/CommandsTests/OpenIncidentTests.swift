// SPDX-License-Identifier: Apache-2.0
// One definition of an open incident, and what is the matter now comes first.

import Domain
import Evidence
import Foundation
import Testing

@testable import Commands

struct OpenIncidentTests {
    private func fixture(_ records: [CycleRecord], open: [Incident], green: [String: Int]) async throws -> LoopFixture {
        let fixture = LoopFixture()
        try await fixture.sealAndJournal(records)
        var memory = LoopMemory()
        (memory.incidents, memory.greenCycles) = (open, green)
        let (journal, _) = try await Journal.open(fixture.layout)
        try await journal.append(.memoryCarried(memory), at: LoopFixture.now, cycle: 0, durable: false)
        await journal.close()
        return fixture
    }

    private func incident(_ id: String) -> Incident {
        Incident(
            id: id, signature: id, title: "\(id) times out", tests: ["chat::a"], suites: ["chat"],
            firstSeen: LoopFixture.now, firstCycle: 1)
    }

    @Test func `what one green cycle did not see is open, puts nothing at risk and asks nothing`() async throws {
        let old = incident("INC-1")
        let fixture = try await fixture(
            [
                LoopFixture.record(1, .failing, .hold, revision: "aaaaaaa", incidents: [old]),
                LoopFixture.record(2, .healthy, .ship, revision: "bbbbbbb"),
            ], open: [old], green: ["INC-1": 1])
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("GREEN") && !status.output.contains("at risk"))
        #expect(status.output.contains("INC-1") && !status.output.contains("why: nightjar why"))
        #expect(status.output.contains("not seen in #2, closes after 1 more sound cycle"))
        let why = await fixture.run("why", "--state", "state", columns: 200)
        #expect(why.output.contains("cycle #2 has no incidents: healthy\nopen: INC-1 not seen in #2"))
        let report = await fixture.run("report", "--cycles", "1..2", "--state", "state", columns: 200)
        #expect(report.output.contains("1 incident, 1 open"))
    }

    @Test func `the incident of the newest verdict comes before an older one`() async throws {
        let fixture = try await fixture(
            [
                LoopFixture.record(1, .failing, .hold, revision: "aaaaaaa", incidents: [incident("INC-1")]),
                LoopFixture.record(2, .failing, .hold, revision: "bbbbbbb", incidents: [incident("INC-2")]),
            ], open: [incident("INC-1"), incident("INC-2")], green: [:])
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("why: nightjar why INC-2   mute: nightjar ack INC-2"))
        let new = try #require(status.output.range(of: "INC-2 times")).lowerBound
        let old = try #require(status.output.range(of: "INC-1 times")).lowerBound
        #expect(new < old)
    }
}
