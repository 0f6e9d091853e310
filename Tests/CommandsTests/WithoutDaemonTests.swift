// SPDX-License-Identifier: Apache-2.0
// A pause that is ended where no daemon runs, and what status says of a revision that has no cycle and of a step that waits.

import Domain
import Evidence
import Foundation
import Platform
import Testing

@testable import Commands

struct WithoutDaemonTests {
    private func journal(_ fixture: LoopFixture, _ events: [Event], keepOpen: Bool = false) async throws -> Journal {
        let (journal, _) = try await Journal.open(fixture.layout)
        for event in events { _ = try await journal.append(event, at: LoopFixture.now, cycle: 1, durable: false) }
        if !keepOpen { await journal.close() }
        return journal
    }

    @Test func `a pause is ended also where no daemon runs`() async throws {
        let fixture = LoopFixture()
        let pause = PauseRequested(owner: "bob", reason: "upgrade", until: LoopFixture.now + .seconds(3600))
        _ = try await journal(fixture, [.pauseRequested(pause)])
        let done = await fixture.run("resume", "--state", "state")
        #expect(done.code == .ok, "\(done.error)")
        #expect(done.output.contains("resumed; the pause was bob's: upgrade"))
        let (opened, opening) = try await Journal.open(fixture.layout)
        var request = OperatorRequest(verb: .resume, by: "ann")
        request.uid = ThisProcess.userID
        #expect(opening.entries.map(\.event).last == .operatorRequested(request))
        await opened.close()
        let again = await fixture.run("resume", "--state", "state")
        #expect(again.code == .failing)
        #expect(again.error.contains("no pause is in force"))
    }

    @Test func `a revision that the repository names as green is green once it was brought back`() async throws {
        let fixture = LoopFixture()
        var record = LoopFixture.record(1, .failing, .hold, revision: "bbbbbbb")
        record.environment = EnvironmentRecord(serving: Revision("aaaaaaa"), state: .restored)
        try await fixture.sealAndJournal([record])
        var memory = LoopMemory()
        memory.cycle = 1
        memory.lastGreen = Revision("aaaaaaa")
        _ = try await journal(fixture, [.memoryCarried(memory)])
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("SERVES aaaaaaa (green, restored"), "\(status.output)")
        #expect(status.output.contains("nothing at once: aaaaaaa is green and live"), "\(status.output)")
    }

    @Test func `a step that waits says why and until when`() async throws {
        let fixture = LoopFixture()
        var policy = LoopPolicy(
            LoopSettings(
                name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: "."))
        (policy.hasDeploy, policy.provesRevision) = (true, true)
        let run = StageRun(cycle: 1, kind: .deploy, purpose: .cycle, attempt: 1, revision: Revision("bbbbbbb"))
        let refused = StageRecord(
            run: run, outcome: .refused, summary: "permit says not now (exit 75): frozen", startedAt: LoopFixture.now,
            endedAt: LoopFixture.now, durationSeconds: 1)
        let held = try await journal(
            fixture,
            [
                .daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1")),
                .settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")),
                .operatorRequested(OperatorRequest(verb: .trigger, by: "ann")),
                .workSeen(WorkSeen(trigger: .request, wanted: Revision("bbbbbbb"), live: Revision("aaaaaaa"))),
                .stageEnded(refused),
            ], keepOpen: true)
        let status = await fixture.run("status", "--state", "state", columns: 200)
        await held.close()
        #expect(status.output.contains("#1 deploy waits: permit says not now (exit 75): frozen"), "\(status.output)")
        #expect(status.output.contains("next look 03:33Z"), "\(status.output)")
        #expect(status.output.contains("SERVES aaaaaaa"), "\(status.output)")
    }
}
