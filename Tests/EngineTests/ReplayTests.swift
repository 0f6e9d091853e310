// SPDX-License-Identifier: Apache-2.0
// A journal whose decisions this version would not make: what was done then stands.

import Domain
import Testing

@testable import Engine

struct ReplayTests {
    /// The entries of a story up to now, as the journal has them.
    private func folded(_ entries: [JournalEntry]) -> CycleMachine {
        var machine = CycleMachine()
        for entry in entries { machine.replay(entry) }
        return machine
    }

    private func add(_ event: Event, cycle: Int, to entries: inout [JournalEntry]) {
        let last = entries.last?.at ?? Samples.start
        entries.append(
            JournalEntry(sequence: entries.count + 1, at: last + .seconds(5), cycle: cycle, event: event))
    }

    /// A first pass with a failing test, which this version asks triage about.
    private func failing() -> Story {
        var story = Story()
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        #expect(story.place == "asking")
        return story
    }

    @Test func `a cycle that was sealed is over, whatever this version would ask first`() {
        var entries = failing().entries
        add(.cycleSealed(CycleSealed(cycle: 1, sha256: "one", verdict: .failing)), cycle: 1, to: &entries)
        let machine = folded(entries)
        #expect(machine.state == .waiting(looking: false))
        #expect(machine.cycle == nil)
        #expect(machine.memory.cycle == 1)
        #expect(machine.memory.sealedHash == "one")
        #expect(machine.memory.lastVerdict == .failing)
        #expect(machine.memory.lastGreen == Samples.green)
        #expect(machine.memory.knownBad.map(\.revision) == [Samples.wanted])
    }

    @Test func `a verdict that was sealed stands against the rules of today`() {
        var entries = failing().entries
        add(.cycleSealed(CycleSealed(cycle: 1, sha256: "one", verdict: .healthy)), cycle: 1, to: &entries)
        let memory = folded(entries).memory
        #expect(memory.lastVerdict == .healthy)
        #expect(memory.lastGreen == Samples.wanted && memory.lastGreenCycle == 1)
    }

    @Test func `what came after a seal is taken in, and a stop adds no second one`() throws {
        var entries = failing().entries
        add(.cycleSealed(CycleSealed(cycle: 1, sha256: "one", verdict: .failing)), cycle: 1, to: &entries)
        // The older version set other timers, and tried the same revision again: for this one it is known to be bad.
        add(.timerFired(TimerID(name: .nextLook, serial: 77)), cycle: 1, to: &entries)
        let work = WorkSeen(trigger: .schedule, wanted: Samples.wanted, live: Samples.green)
        add(.workSeen(work), cycle: 2, to: &entries)
        for (kind, purpose, subject) in [
            (.deploy, .cycle, nil), (.stabilize, .cycle, nil), (.test, .cycle, "login"),
        ] as [(StageKind, Purpose, String?)] {
            let run = StageRun(
                cycle: 2, kind: kind, purpose: purpose, subject: subject, attempt: 1, revision: Samples.wanted)
            let live: Revision?? = kind == .stabilize ? Samples.wanted : .none
            let suite = kind == .test ? Samples.reading() : nil
            add(.stageEnded(Samples.record(run, .succeeded, live: live, suite: suite)), cycle: 2, to: &entries)
        }
        var machine = folded(entries)
        #expect(machine.memory.cycle == 2)
        #expect(machine.cycle?.records.map(\.run.folder) == ["deploy-1", "stabilize-1", "test-1-login"])
        #expect(machine.cycle?.deployed == Samples.wanted)
        add(.cycleSealed(CycleSealed(cycle: 2, sha256: "two", verdict: .healthy)), cycle: 2, to: &entries)
        machine = folded(entries)
        #expect(machine.cycle == nil)
        #expect(machine.memory.cycle == 2 && machine.memory.sealedHash == "two")
        #expect(machine.memory.lastGreen == Samples.wanted)
        let started = DaemonStarted(pid: 2, host: "host", version: "2", green: Samples.green)
        let again = machine.handle(.daemonStarted(started), at: Samples.start + .seconds(900))
        #expect(again.contains(.publish(2)))
        let stop = machine.handle(
            .stopRequested(StopRequested(now: false, by: "ann")), at: Samples.start + .seconds(901))
        #expect(stop == [.finish(.done)], "a stop between cycles seals nothing")
    }

    @Test func `a cycle that this version would begin was not begun`() {
        var story = Story()
        story.wake()
        story.see()
        story.pass()
        story.seal()
        story.wake()
        var entries = story.entries
        // The older version held back here.
        let work = WorkSeen(trigger: .schedule, wanted: Samples.other, live: Samples.wanted)
        add(.workSeen(work), cycle: 1, to: &entries)
        let machine = folded(entries)
        #expect(machine.cycle == nil && machine.memory.cycle == 1)
        #expect(machine.state == .waiting(looking: false))
    }

    @Test func `memory that was carried goes before what this version makes of the facts`() {
        var entries = failing().entries
        var memory = LoopMemory()
        memory.cycle = 4
        memory.lastGreen = Samples.other
        memory.sealedHash = "four"
        add(.memoryCarried(memory), cycle: 4, to: &entries)
        let machine = folded(entries)
        #expect(machine.cycle == nil && machine.state == .waiting(looking: false))
        #expect(machine.memory == memory)
    }

    @Test func `a late answer of triage does not undo a stop`() {
        var story = failing()
        story.tell(.stopRequested(StopRequested(now: false, by: "ann")))
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(story.place == "concluding")
        #expect(folded(story.entries) == story.machine)
    }

    // MARK: - The cycle under way

    private func restarted(_ story: Story, begun: [String]?) -> (CycleMachine, [Action]) {
        var machine = folded(story.entries)
        let started = DaemonStarted(pid: 2, host: "host", version: "2", green: Samples.green, begun: begun)
        let actions = machine.handle(.daemonStarted(started), at: story.now + .seconds(60))
        return (machine, actions)
    }

    @Test func `a command that this version would not have begun ends the cycle, and its name is not used again`() {
        // The older version rolled back here; this one asks triage.
        let (machine, actions) = restarted(
            failing(),
            begun: [
                "deploy-1", "deploy-1.permit", "restore-1", "rollback-1", "rollback-1.permit", "test-1-chat",
                "test-1-extras", "test-1-login",
            ])
        #expect(machine.cycle?.interruption?.rule == "upgraded")
        #expect(machine.cycle?.foreign == ["restore-1", "rollback-1", "rollback-1.permit"])
        #expect(machine.state == .concluding)
        #expect(machine.cycle?.concluded?.verdict == .interrupted)
        #expect(machine.memory.serving == nil, "what it did to the environment is unknown")
        #expect(actions.contains { if case .seal(1) = $0 { true } else { false } })
        let again = machine.cycle?.run(for: Step(.deploy, .restore, revision: Samples.green))
        #expect(again?.folder == "restore-2")
    }

    @Test func `what the journal tells of is gone on with`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        #expect(story.run?.folder == "stabilize-1")
        let (machine, actions) = restarted(story, begun: ["deploy-1", "deploy-1.permit"])
        #expect(machine.cycle?.interruption == nil && machine.cycle?.foreign == [])
        #expect(actions.contains { if case .run(let run) = $0 { run.folder == "stabilize-1" } else { false } })
        let (asking, _) = restarted(failing(), begun: ["deploy-1", "test-1-login", "test-1-chat", "test-1-extras"])
        #expect(asking.state == .asking)
    }
}
