// SPDX-License-Identifier: Apache-2.0
// Every fact in every state: nothing crashes, what is late decides nothing, and what has ended stays ended.

import Domain
import Testing

@testable import Engine

struct EveryEventTests {
    /// A story in each state.
    private var stories: [Story] {
        var looking = Story()
        looking.wake()
        var deploying = looking
        deploying.see()
        var refused = deploying
        refused.end(.refused)
        var testing = deploying
        testing.end()
        testing.end(live: Samples.wanted)
        var canceling = testing
        canceling.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        var asking = testing
        asking.pass(failing: ["a"])
        var experimenting = asking
        experimenting.answer(.baseline, Samples.green, number: 1)
        var awaiting = asking
        awaiting.conclude([Samples.incident(["a"], .codeRegression, .rollback)], irreversible: "a migration")
        var mending = Story(fixPolicy)
        mending.wake()
        mending.see()
        mending.pass(failing: ["a"])
        mending.conclude([Samples.incident(["a"], .codeRegression, .none, culprit: Samples.wanted)])
        var mended = mending
        while mended.run?.kind == .remedy { mended.end() }
        var rollingBack = asking
        rollingBack.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        var concluding = testing
        concluding.pass()
        var sealed = concluding
        sealed.seal()
        var paused = sealed
        paused.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)))
        var finished = Story()
        finished.tell(.stopRequested(StopRequested(now: false, by: "SIGTERM")))
        var detached = deploying
        detached.tell(.stopRequested(StopRequested(now: true, by: "SIGTERM")))
        return [
            Story(), looking, deploying, refused, testing, canceling, asking, experimenting, awaiting, mending, mended,
            rollingBack,
            concluding,
            sealed, paused, finished, detached,
        ]
    }

    private var fixPolicy: LoopPolicy {
        var policy = Samples.policy
        policy.approve = [.fix]
        policy.fix = FixPolicy(FixSettings(paths: ["*"]), RoleSettings())
        policy.fix?.roles = [.implement, .review]
        return policy
    }

    /// Facts that belong to no state: of another run, another cycle, another timer.
    private var late: [Event] {
        let run = StageRun(cycle: 99, kind: .deploy, purpose: .cycle, attempt: 1, revision: Samples.other)
        let experiment = Experiment(
            number: 1, kind: .rerun, question: "?", revision: Samples.other, tests: [], times: 1)
        var all: [Event] = StageOutcome.allCases.map { .stageEnded(Samples.record(run, $0)) }
        all += TimerID.Name.allCases.map { .timerFired(TimerID(name: $0, serial: -1)) }
        all += [
            .triageAnswered(TriageAnswered(cycle: 99, experiment: experiment)),
            .triageAnswered(TriageAnswered(cycle: 99, incidents: [])),
            .cycleSealed(CycleSealed(cycle: 99, sha256: "x", verdict: .healthy)),
        ]
        return all
    }

    private var any: [Event] {
        var all: [Event] = [
            .daemonStarted(DaemonStarted(pid: 1, host: "h", version: "1", cycles: 1)),
            .settingsAdopted(SettingsAdopted(policy: Samples.policy, hash: "h", path: "p")),
            .memoryCarried(LoopMemory()),
            .windowChanged(WindowChanged(isOpen: true, until: nil)),
            .windowChanged(WindowChanged(isOpen: false, until: Samples.start)),
            .workSeen(WorkSeen(trigger: .schedule, wanted: Samples.other)),
            .workUnavailable(WorkUnavailable(trigger: .schedule, reason: "r", source: "disk")),
            .pauseRequested(PauseRequested(owner: "o", reason: "r", until: Samples.start)),
            .stopRequested(StopRequested(now: false, by: "b")), .stopRequested(StopRequested(now: true, by: "b")),
        ]
        all += OperatorRequest.Verb.allCases.map { .operatorRequested(OperatorRequest(verb: $0, by: "b")) }
        let words = ApprovalWords(subject: .rollback, pastMigration: true)
        all.append(.operatorRequested(OperatorRequest(verb: .approve, by: "b", answer: words)))
        return all + late
    }

    @Test func `what is late decides nothing`() {
        for story in stories {
            for event in late {
                var machine = story.machine
                let actions = machine.handle(event, at: story.now)
                #expect(actions.isEmpty, "\(story.place): \(event)")
                #expect(machine == story.machine, "\(story.place): \(event)")
            }
        }
    }

    @Test func `every pair of facts in every state is answered`() {
        for story in stories {
            for first in any {
                for second in any {
                    var machine = story.machine
                    let actions =
                        machine.handle(first, at: story.now) + machine.handle(second, at: story.now + .seconds(1))
                    for case .run(let run) in actions { #expect(run.attempt > 0) }
                }
            }
        }
    }

    @Test func `every request of an operator in every state gets one answer that is true`() {
        for story in stories {
            for verb in OperatorRequest.Verb.allCases {
                var machine = story.machine
                let actions = machine.handle(.operatorRequested(OperatorRequest(verb: verb, by: "b")), at: story.now)
                let answers = actions.compactMap { if case .answer(let answer) = $0 { answer } else { nil } }
                #expect(answers.count == 1, "\(verb) at \(story.place)")
                // What is refused changes nothing; what is confirmed does something.
                guard let answer = answers.first else { continue }
                if !answer.isDone { #expect(machine == story.machine, "\(verb) at \(story.place): \(answer.words)") }
                if answer.isDone, verb != .trigger { #expect(machine != story.machine, "\(verb) at \(story.place)") }
            }
        }
    }

    @Test func `what has ended stays ended until the daemon starts again`() {
        for story in stories.suffix(2) {
            for event in any {
                var machine = story.machine
                let actions = machine.handle(event, at: story.now)
                if case .daemonStarted = event { continue }
                if case .memoryCarried = event { continue }
                guard case .finished = machine.state else {
                    Issue.record("\(event) revives a machine that has ended")
                    continue
                }
                let hasEffect = actions.contains { action in
                    switch action {
                    case .say, .wake, .answer: false
                    default: true
                    }
                }
                #expect(!hasEffect, "\(event): \(actions)")
            }
            var again = story
            again.restart()
            #expect(again.place != "finished")
        }
    }
}
