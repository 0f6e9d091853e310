// SPDX-License-Identifier: Apache-2.0
// What `status` says while a cycle is under way: that it fails already, and that what is live is its own experiment.

import Domain
import Evidence
import Foundation
import Reporting
import Testing

@testable import Commands

struct UnderWayTests {
    private let green = Revision("aaaaaaa")
    private let wanted = Revision("bbbbbbb")

    private var policy: LoopPolicy {
        var policy = LoopPolicy(
            LoopSettings(
                name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: "."))
        policy.suites = [SuitePolicy(name: "chat", priority: 0, blocking: true, value: 100)]
        (policy.hasDeploy, policy.hasHealth, policy.provesRevision) = (true, true, true)
        policy.triage.mayDeploy = true
        return policy
    }

    private func ended(
        _ kind: StageKind, _ purpose: Purpose, _ attempt: Int, on revision: Revision, _ outcome: StageOutcome,
        experiment: Int? = nil
    ) -> Event {
        let run = StageRun(
            cycle: 2, kind: kind, purpose: purpose, subject: kind == .test ? "chat" : nil, attempt: attempt,
            revision: revision, experiment: experiment)
        var record = StageRecord(
            run: run, outcome: outcome, summary: "told", startedAt: LoopFixture.now, endedAt: LoopFixture.now,
            durationSeconds: 1)
        if kind == .stabilize { record.live = LiveReading(revision: revision) }
        if kind == .test {
            var totals = Totals()
            totals.add(.failed)
            record.suite = SuiteReading(totals: totals, notPassed: [TestResult(id: "chat::a", outcome: .failed)])
        }
        return .stageEnded(record)
    }

    /// A loop whose newest cycle is green, and whose cycle under way has failed and asks the last green revision.
    private func story() async throws -> LoopFixture {
        let fixture = LoopFixture()
        try await fixture.sealAndJournal([LoopFixture.record(1, .healthy, .ship, revision: green.id)])
        var history = LoopHistory()
        var events: [Event] = []
        func tell(_ event: Event) {
            events.append(event)
            history.take(JournalEntry(sequence: events.count, at: LoopFixture.now, cycle: 2, event: event))
        }
        var memory = LoopMemory()
        memory.cycle = 1
        tell(.memoryCarried(memory))
        tell(.daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1", green: green)))
        tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")))
        tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        tell(.workSeen(WorkSeen(trigger: .request, wanted: wanted, commitsAfterGreen: 1, live: green)))
        tell(ended(.deploy, .cycle, 1, on: wanted, .succeeded))
        tell(ended(.stabilize, .cycle, 1, on: wanted, .succeeded))
        #expect(history.failuresUnderWay.isEmpty)
        tell(ended(.test, .cycle, 1, on: wanted, .failed))
        #expect(history.failuresUnderWay == ["test chat"])
        tell(ended(.stabilize, .recheck, 1, on: wanted, .succeeded))
        var answer = TriageAnswered(
            cycle: 2,
            experiment: Experiment(
                number: 1, kind: .baseline, question: "Does it fail there too?", revision: green,
                tests: [.init(suite: "chat", only: ["chat::a"])], times: 1, plannedDeploys: 1))
        answer.opened = [
            Incident(
                id: "", signature: "s", title: "chat::a: no answer", tests: ["chat::a"], suites: ["chat"],
                firstSeen: LoopFixture.now, firstCycle: 2)
        ]
        tell(.triageAnswered(answer))
        tell(ended(.deploy, .baseline, 2, on: green, .succeeded, experiment: 1))
        tell(ended(.stabilize, .baseline, 2, on: green, .succeeded, experiment: 1))
        let (journal, _) = try await Journal.open(fixture.layout)
        for event in events { try await journal.append(event, at: LoopFixture.now, cycle: 2, durable: false) }
        await journal.close()
        return fixture
    }

    @Test func `a cycle that fails already and serves its experiment says both`() async throws {
        let fixture = try await story()
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("GREEN") && status.output.contains("FAILS SO FAR"))
        #expect(status.output.contains("failed so far: test chat"))
        #expect(status.output.contains("SERVES aaaaaaa (experiment of #"))
        let json = await fixture.run("status", "--json", "--state", "state")
        #expect(json.output.contains("\"failedSoFar\""))
    }

    /// The log has named it: whoever types its number is answered.
    @Test func `an incident that triage is looking into is known by its number`() async throws {
        let fixture = try await story()
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("INC-1"), "\(status.output)")
        #expect(status.output.contains("not diagnosed yet") && !status.output.contains("not seen in"))
        #expect(status.output.contains("triage 0/120 minutes"), "\(status.output)")
        let why = await fixture.run("why", "INC-1", "--state", "state")
        #expect(why.code == .ok && why.output.hasPrefix("INC-1  chat::a: no answer"), "\(why.error)")
        #expect(why.output.contains("not diagnosed yet") && why.output.contains("nightjar tail -f"))
        #expect(await fixture.run("why", "INC-2", "--state", "state").code == .notFound)
    }

    @Test func `a revision whose cycle fails already does not ship`() async throws {
        let fixture = try await story()
        let doubt = try GateCommand.doubt(wanted, fixture.layout)
        #expect(doubt?.hasSuffix(" is under way and fails: test chat") == true, "\(doubt ?? "none")")
        #expect(try GateCommand.doubt(green, fixture.layout) == nil)
    }

    @Test func `what was deployed and not read is not called live`() async throws {
        let fixture = LoopFixture()
        var policy = policy
        policy.provesRevision = false
        let (journal, _) = try await Journal.open(fixture.layout)
        var deployed = StageRecord(
            run: StageRun(cycle: 1, kind: .deploy, purpose: .cycle, attempt: 1, revision: wanted), outcome: .succeeded,
            summary: "told", startedAt: LoopFixture.now, endedAt: LoopFixture.now, durationSeconds: 1)
        deployed.live = nil
        for event in [
            .daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1")),
            .settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")),
            .operatorRequested(OperatorRequest(verb: .trigger, by: "ann")),
            .workSeen(WorkSeen(trigger: .request, wanted: wanted)), .stageEnded(deployed),
        ] as [Event] {
            try await journal.append(event, at: LoopFixture.now, cycle: 1, durable: false)
        }
        await journal.close()
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("SERVES unknown: bbbbbbb is deployed, not proven live"), "\(status.output)")
    }

    @Test func `what the repository names as green is green once a rollback has brought it back`() async throws {
        let fixture = LoopFixture()
        var record = LoopFixture.record(1, .failing, .hold, revision: wanted.id)
        record.environment = EnvironmentRecord(serving: green, state: .restored)
        try await fixture.sealAndJournal([record])
        let (journal, _) = try await Journal.open(fixture.layout)
        try await journal.append(
            .daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1", green: green)), at: record.startedAt,
            cycle: 1, durable: false)
        await journal.close()
        let status = await fixture.run("status", "--state", "state", columns: 200)
        #expect(status.output.contains("SERVES aaaaaaa (green, restored"), "\(status.output)")
        #expect(status.output.contains("nothing at once: aaaaaaa is green and live"))
    }

    @Test func `a stage that is tried again says what it waits for`() async throws {
        let fixture = LoopFixture()
        let run = StageRun(cycle: 1, kind: .deploy, purpose: .cycle, attempt: 1, revision: wanted)
        let refused = StageRecord(
            run: run, outcome: .refused, summary: "permit says not now (exit 75): frozen", startedAt: LoopFixture.now,
            endedAt: LoopFixture.now, durationSeconds: 1)
        let (journal, _) = try await Journal.open(fixture.layout)
        for event in [
            .daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1")),
            .settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")),
            .operatorRequested(OperatorRequest(verb: .trigger, by: "ann")),
            .workSeen(WorkSeen(trigger: .request, wanted: wanted)), .stageEnded(refused),
        ] as [Event] {
            try await journal.append(event, at: LoopFixture.now, cycle: 1, durable: false)
        }
        // As the daemon that holds the loop sees it.
        let status = await fixture.run("status", "--state", "state", columns: 200)
        await journal.close()
        #expect(status.output.contains("deploy waits: permit says not now (exit 75): frozen"))
    }

    @Test func `nobody is told to act on what is live for an experiment`() {
        var status = StatusSnapshot(
            loop: "staging", at: LoopFixture.now, light: .red,
            doing: .init(.running, cycle: 2, text: "test chat"), daemon: .init(alive: true))
        (status.verdict, status.recommendation, status.revision) = (.failing, .hold, wanted)
        (status.serving, status.servingState, status.experimentOf) = (green, "experiment of #2", 2)
        #expect(StatusText(status).todo[0].hasPrefix("wait: aaaaaaa is live as an experiment of #2"))
        status.light = .green
        status.failedSoFar = ["test chat"]
        #expect(StatusText(status).todo == ["nothing yet: #2 has failures and is not at its end"])
    }
}
