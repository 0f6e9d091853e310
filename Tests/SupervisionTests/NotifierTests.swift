// SPDX-License-Identifier: Apache-2.0
// How long a loop that ends waits for its receivers, and what they are told of an environment.

import Domain
import Evidence
import TestSupport
import Testing

@testable import Engine
@testable import Supervision

@Suite struct NotifierTests {
    @Test(.timeLimit(.minutes(5)))
    func `a delivery that does not end is left behind`() async {
        let (news, teller) = AsyncStream.makeStream(of: Void.self)
        // Heeds no cancellation, like a command that runs on.
        let stuck = Task { await Task { for await _ in news {} }.value }
        let allEnded = await Notifier.wait(for: [Task {}, stuck], atMost: .milliseconds(50))
        #expect(!allEnded)
        teller.finish()
        let ended = await Notifier.wait(for: [stuck], atMost: .seconds(600))
        #expect(ended)
    }

    /// A sealed cycle whose last deployment was `purpose` and ended like this, after which `serving` answers.
    private func record(
        _ purpose: Purpose, _ outcome: StageOutcome, serving: Revision?, rule: String = "aborted"
    ) throws -> CycleRecord {
        let folder = try TemporaryFolder()
        var settings = LoopSettings(
            name: "staging", mode: .operate, environment: "staging", stateDirectory: folder("state"),
            baseDirectory: folder.path)
        settings.health.liveRevision = [LiveRevisionSettings(target: .command(StageFixture.script("true")), answers: 1)]
        let wanted = Revision("9e1b7a33")
        var cycle = CycleProgress(
            number: 7, work: WorkSeen(trigger: .schedule, wanted: wanted), policy: LoopPolicy(settings),
            settingsHash: "", startedAt: Timestamp(milliseconds: 0))
        let run = StageRun(cycle: 7, kind: .deploy, purpose: purpose, attempt: 1, revision: Revision("4f2a9c1d"))
        cycle.records = [
            StageRecord(
                run: run, outcome: outcome, summary: "as told", startedAt: cycle.startedAt, endedAt: cycle.startedAt,
                durationSeconds: 1)
        ]
        let reason = Reason(rule: rule, verdict: .interrupted, text: rule)
        return CycleDocument.make(
            cycle, Judgement(verdict: .interrupted, recommendation: .hold, reasons: [reason], suites: []),
            serving: serving, settings: settings, layout: EvidenceLayout(root: folder("state")), writtenBy: "test")
    }

    @Test func `what a cycle left in the environment is told, and what it did not do is not`() throws {
        let stray = Revision("c0ffee55")
        let failed = try record(.restore, .failed, serving: nil)
        #expect(Notifier.leftBehind(failed) == "NOT restored to 4f2a9c1d: what staging runs is unknown")
        let stopped = try record(.bisect, .succeeded, serving: stray, rule: "stopped")
        #expect(Notifier.leftBehind(stopped) == "NOT restored after an experiment: staging is left at c0ffee55")
        #expect(Notifier.leftBehind(try record(.cycle, .stopped, serving: nil)) != nil)
        // What is wanted serves, others deployed, or nothing was begun.
        #expect(Notifier.leftBehind(try record(.restore, .failed, serving: Revision("9e1b7a33"))) == nil)
        #expect(Notifier.leftBehind(try record(.bisect, .succeeded, serving: stray, rule: "superseded")) == nil)
        #expect(Notifier.leftBehind(try record(.cycle, .refused, serving: nil)) == nil)
        #expect(Notifier.leftBehind(try record(.cycle, .succeeded, serving: stray)) == nil)
    }
}
