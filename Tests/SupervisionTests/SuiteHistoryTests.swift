// SPDX-License-Identifier: Apache-2.0
// What a suite is usually like, and what is said where that cannot be read.

import Domain
import Evidence
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervision

struct SuiteHistoryTests {
    private func real() throws -> StageFixture {
        let script = #"""
            printf '{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}\n{"Action":"pass","Package":"p"}\n'
            """#
        return try StageFixture { settings in
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0, command: StageFixture.script(script),
                    reportFormat: .goTestJSON, console: .goTestJSON, blocking: true, real: true)
            ]
        }
    }

    @Test func `a past that cannot be read is a doubt, and no past is none`() async throws {
        let fixture = try real()
        let sound = await fixture.test("unit")
        #expect(sound.suite?.authenticity.status == .proven)
        #expect(fixture.said.texts(.warn).isEmpty)

        let broken = try real()
        // Where a folder is to be.
        try AtomicFile.write([1], to: broken.context.layout.history, durable: false)
        let record = await broken.test("unit")
        #expect(record.suite?.authenticity.status == .doubtful)
        #expect(record.suite?.authenticity.reasons.map(\.rule) == ["past-unreadable"])
        #expect(broken.said.texts(.warn).contains { $0.contains(broken.context.layout.history) })
    }

    /// As after a restart, or in a process of its own for each cycle.
    @Test func `what a suite usually takes is known from the cycles on disk`() async throws {
        let fixture = try real()
        let run = await fixture.test("unit")
        let layout = fixture.context.layout
        let totals = try #require(run.suite?.totals)
        let record = CycleRecord(
            loop: "staging", cycle: 7, mode: .verify, startedAt: run.startedAt, endedAt: run.endedAt,
            durationSeconds: 1, trigger: .schedule, revision: RevisionRecord(wanted: run.run.revision),
            verdict: .healthy, recommendation: .ship, reasons: [],
            value: ValueRecord(unit: "points", total: 0, protected: 0, atRisk: 0), stages: [run],
            suites: [
                SuiteRecord(
                    name: "unit", priority: 0, blocking: true, value: nil, status: .passed, totals: totals,
                    notPassed: [])
            ], capabilities: [], incidents: [], experiments: [], actions: [],
            environment: EnvironmentRecord(serving: run.run.revision, state: .asWanted), writtenBy: "test",
            settingsHash: "0")
        let writer = CycleWriter(layout)
        try await writer.writeDocument(record)
        try await writer.publish(record, try await writer.seal(7))
        let seen = Mutex<RunningStage?>(nil)
        let board = ProgressBoard(layout, now: { fixture.context.now() }) { stage in seen.withLock { $0 = stage } }
        await board.learn("unit", from: SuiteHistory(layout))
        board.begin(run.run, at: run.startedAt)
        await board.settle()
        let stage = try #require(seen.withLock { $0 })
        #expect(stage.usualTests == 1)
        #expect((stage.usualSeconds ?? 0) > 0)
    }

    @Test func `accepted baselines that cannot be read are told`() async throws {
        let fixture = try real()
        try Files.createDirectories(fixture.context.layout.acceptedBaselines)
        let usual = await fixture.context.history.usual(of: "unit")
        #expect(usual.unread?.contains("accepted-baselines") == true)
    }
}
