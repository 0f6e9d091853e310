// SPDX-License-Identifier: Apache-2.0
// Words of operators, windows, ends and restarts, step by step.

import Domain
import Testing

@testable import Engine

struct OperatorStoryTests {
    private func ask(_ story: inout Story, _ verb: OperatorRequest.Verb, _ argument: String? = nil) {
        story.tell(.operatorRequested(OperatorRequest(verb: verb, by: "ann", argument: argument)))
    }

    private func stop(_ story: inout Story, now: Bool = false) {
        story.tell(.stopRequested(StopRequested(now: now, by: "SIGTERM")))
    }

    /// A cycle whose deployment is under way.
    private func deploying(_ policy: LoopPolicy = Samples.policy) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        return story
    }

    private func testing(_ policy: LoopPolicy = Samples.policy) -> Story {
        var story = deploying(policy)
        story.end()
        story.end(live: Samples.wanted)
        return story
    }

    // MARK: - Pause

    @Test func `a pause has an owner, a reason and an end`() {
        var story = Story()
        let look = story.timer
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: story.now + .seconds(3600))))
        #expect(story.lines.contains { $0.contains("ann: demo until") })
        let end = story.timer
        // The look that was due is not made.
        if let look { story.tell(.timerFired(look.id)) }
        #expect(story.place == "waiting")
        #expect(story.actions.isEmpty)
        // A restart does not forget when it ends.
        story.restart()
        #expect(story.timer?.id.name == .pauseEnds)
        #expect((story.timer?.delay ?? .zero) < .seconds(3600))
        story.wake()
        #expect(story.machine.memory.pause == nil)
        #expect(story.timer?.id.name == .nextLook)
        _ = end
    }

    @Test func `the end of an old pause does not end a new one`() {
        var story = Story()
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: story.now + .seconds(60))))
        let old = story.timer
        story.tell(.pauseRequested(PauseRequested(owner: "bob", reason: "audit", until: nil)))
        if let old { story.tell(.timerFired(old.id)) }
        #expect(story.machine.memory.pause?.owner == "bob")
        ask(&story, .resume)
        story.wake()
        #expect(story.place == "looking")
    }

    @Test func `a pause that comes while it looks keeps the cycle from opening`() {
        var story = Story()
        story.wake()
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)))
        story.see()
        #expect(story.place == "waiting")
        #expect(story.machine.memory.cycle == 0)
    }

    @Test func `a pause during a cycle holds the next one`() {
        var story = deploying()
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)))
        story.pass()
        story.seal()
        #expect(story.place == "waiting")
        #expect(story.timer == nil)
    }

    // MARK: - Trigger, skip, abort, acknowledge

    @Test func `a trigger is never lost`() {
        // While waiting: at once.
        var story = Story()
        ask(&story, .trigger)
        #expect(story.did(.lookForWork(.request)))
        // While looking: the look under way may be too old, another follows.
        story = Story()
        story.wake()
        ask(&story, .trigger)
        story.see()
        #expect(story.did(.lookForWork(.request)))
        story.see(trigger: .request)
        #expect(story.place == "deploy-1")
        // During a cycle: after it, as a request.
        ask(&story, .trigger)
        story.pass()
        story.seal()
        #expect(story.timer?.delay == .zero)
        story.wake()
        #expect(story.did(.lookForWork(.request)))
        story.see(live: Samples.wanted, trigger: .request)
        #expect(story.machine.memory.cycle == 2)
    }

    @Test func `a trigger deploys a revision that is known to be bad`() {
        var story = deploying()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
        story.seal()
        ask(&story, .trigger)
        story.see(trigger: .request)
        #expect(story.machine.memory.cycle == 2)
    }

    @Test func `a skipped suite is not run, and the cycle is unproven`() {
        var story = testing()
        let run = story.run
        ask(&story, .skip)
        #expect(run.map { story.did(.cancel($0)) } == true)
        story.end(.stopped)
        #expect(story.run?.subject == "chat")
        story.pass()
        story.conclude([])
        #expect(story.verdict == .unproven)
        #expect(story.rules == ["skipped"])
        // A deployment is not skipped.
        story = deploying()
        ask(&story, .skip)
        #expect(!story.actions.contains { if case .cancel = $0 { true } else { false } })
    }

    @Test func `a suite that always ends its own run is repeated twice, and is no pass`() {
        var story = testing()
        for _ in 0..<3 {
            #expect(story.run?.subject == "login")
            story.end(.stopped)
        }
        #expect(story.run?.subject == "chat")
        story.pass()
        story.conclude([])
        #expect(story.verdict == .unproven)
    }

    @Test func `an abort ends the cycle and restores what experiments moved`() {
        var story = testing()
        story.pass(failing: ["a"])
        story.answer(.baseline, Samples.green, number: 1)
        story.end()
        story.end(live: Samples.green)
        let run = story.run
        ask(&story, .abort, "enough")
        #expect(run.map { story.did(.cancel($0)) } == true)
        story.end(.stopped)
        #expect(story.place == "restore-1")
        story.end()
        story.end(live: Samples.wanted)
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "aborted")
        #expect(story.machine.memory.serving == Samples.wanted)
    }

    @Test func `an abort while restoring ends it`() {
        var policy = Samples.policy
        policy.allow = []
        var story = testing(policy)
        story.pass(failing: ["a"])
        story.answer(.baseline, Samples.green, number: 1)
        story.end()
        story.end(live: Samples.green)
        story.test()
        story.test()
        story.end(live: Samples.green)
        story.conclude([])
        #expect(story.place == "restore-1")
        ask(&story, .abort)
        story.end(.stopped)
        #expect(story.place == "concluding")
        #expect(story.machine.memory.serving == nil)
    }

    @Test func `an incident is acknowledged by its name`() {
        var story = deploying()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .unknown, .none, grade: .unknown)])
        ask(&story, .acknowledge, "INC-1")
        #expect(story.machine.memory.incidents.map(\.state) == [.acknowledged])
        ask(&story, .acknowledge, "INC-9")
        #expect(story.lines.contains { $0.contains("INC-9 is no incident") })
    }

    // MARK: - Stop

    @Test func `a stop while waiting ends at once`() {
        var story = Story()
        stop(&story)
        #expect(story.did(.finish(.done)))
    }

    @Test func `a stop while testing cancels the suite, and the cycle is interrupted`() {
        var story = testing()
        let run = story.run
        stop(&story)
        #expect(run.map { story.did(.cancel($0)) } == true)
        story.end(.stopped)
        #expect(story.verdict == .interrupted)
        story.seal()
        #expect(story.did(.finish(.done)))
    }

    @Test func `a stop while deploying waits, then leaves it to its shepherd, and the next start takes it over`() {
        var story = deploying()
        let run = story.run
        stop(&story)
        #expect(story.timer?.id.name == .stopGrace)
        #expect(story.timer?.delay == .seconds(60))
        story.wake()
        #expect(run.map { story.did(.finish(.detached($0))) } == true)
        // The next start goes on where it was left.
        story.restart()
        #expect(story.run == run)
        story.pass()
        #expect(story.verdict == .healthy)
    }

    @Test func `a second stop ends at once wherever it is`() {
        var story = testing()
        let run = story.run
        stop(&story)
        stop(&story, now: true)
        #expect(run.map { story.did(.finish(.detached($0))) } == true)
        // What the stop had cancelled says nothing: it is run again.
        story.restart()
        #expect(story.run == run)
        story.end(.stopped)
        #expect(story.place == "test-2-login")

        // Also while the evidence cannot be written: the next start seals.
        story = deploying()
        story.pass()
        stop(&story, now: true)
        #expect(story.did(.finish(.done)))
        story.restart()
        #expect(story.place == "concluding")
        story.seal()
        #expect(story.machine.memory.lastVerdict == .healthy)
        #expect(story.place == "waiting")
    }

    // MARK: - Window

    @Test func `a closed window holds the next cycle, an open one begins it`() {
        var story = Story()
        story.tell(.windowChanged(WindowChanged(isOpen: false, until: story.now + .seconds(3600))))
        story.wakeIfSet()
        #expect(story.place == "waiting")
        story.tell(.windowChanged(WindowChanged(isOpen: true, until: story.now + .seconds(7200))))
        #expect(story.timer?.delay == .zero)
        story.wake()
        // It closes while the look is under way: no cycle opens.
        story.tell(.windowChanged(WindowChanged(isOpen: false, until: story.now + .seconds(60_000))))
        story.see()
        #expect(story.machine.memory.cycle == 0)
        #expect(story.timer == nil)
        // A cycle that is asked for is run in the day.
        ask(&story, .trigger)
        story.see(trigger: .request)
        #expect(story.machine.memory.cycle == 1)
    }

    // MARK: - Ends

    @Test func `one cycle is asked for: its verdict is the end`() {
        var story = Story(cycles: 1)
        story.wake()
        #expect(story.did(.lookForWork(.once)))
        story.see(trigger: .once)
        story.pass()
        story.seal()
        #expect(story.did(.finish(.cycles(.healthy))))
    }

    @Test func `one cycle is asked for, and nothing can be looked at`() {
        var story = Story(cycles: 1)
        for _ in 0..<3 {
            story.wake()
            story.tell(.workUnavailable(WorkUnavailable(trigger: .once, reason: "no git", source: "revision")))
        }
        #expect(story.did(.finish(.infrastructure("no git"))))
    }

    @Test func `one cycle is asked for, and the revision is known to be bad or refused`() {
        var story = deploying()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
        story.seal()
        story.restart(cycles: 1)
        story.wake()
        story.see(trigger: .once)
        #expect(story.did(.finish(.knownBad(Samples.wanted))))

        story = Story(cycles: 1)
        story.wake()
        story.see(trigger: .once)
        story.end(.refused)
        #expect(story.verdict == .interrupted)
        story.seal()
        #expect(story.did(.finish(.cycles(.interrupted))))
    }

    @Test func `the loop ends when it is healthy, or after so many cycles`() {
        var policy = Samples.policy
        policy.stopWhenHealthy = true
        var story = deploying(policy)
        story.pass()
        story.seal()
        #expect(story.did(.finish(.done)))

        policy = Samples.policy
        policy.maxCycles = 2
        story = deploying(policy)
        story.pass()
        story.seal()
        story.wake()
        story.see(Samples.other)
        story.pass()
        story.seal()
        #expect(story.did(.finish(.done)))
        // A start adds none, unless it was asked for a number of cycles.
        story.restart()
        #expect(story.did(.finish(.done)))
        story.restart(cycles: 1)
        #expect(story.timer?.id.name == .nextLook)
        story.wake()
        story.see(trigger: .once)
        #expect(story.machine.memory.cycle == 3)
    }

    @Test func `settings adopted during a cycle count from the next one`() {
        var story = testing()
        var shorter = story.policy
        shorter.suites = [SuitePolicy(name: "login", priority: 0, blocking: true)]
        story.tell(.settingsAdopted(SettingsAdopted(policy: shorter, hash: "new", path: "p")))
        #expect(story.actions.isEmpty)
        story.test()
        #expect(story.run?.subject == "chat")
        story.pass()
        #expect(story.machine.cycle?.concluded?.suites.count == 3)
        #expect(story.machine.cycle?.settingsHash == "hash")
        story.seal()
        story.wake()
        story.see(Samples.other)
        story.pass()
        #expect(story.machine.cycle?.concluded?.suites.count == 1)
    }

    @Test func `a look that cannot tell is made again soon, then later`() {
        var story = Story()
        for seconds in [5, 5, 600, 1200, 2400, 4800, 7200, 7200] {
            story.wake()
            story.tell(.workUnavailable(WorkUnavailable(trigger: .schedule, reason: "no git", source: "revision")))
            #expect(story.timer?.delay == .seconds(seconds))
        }
    }

    @Test func `a crash while looking looks again`() {
        var story = Story()
        story.wake()
        story.restart()
        #expect(story.timer?.delay == .zero)
        story.wake()
        #expect(story.place == "looking")
    }
}

extension Story {
    mutating func wakeIfSet() {
        if timer != nil { wake() }
    }
}
