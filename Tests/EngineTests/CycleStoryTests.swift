// SPDX-License-Identifier: Apache-2.0
// One cycle, step by step: what the machine wants done at each fact.

import Domain
import Testing

@testable import Engine

struct CycleStoryTests {
    @Test func `a green cycle`() {
        // The daemon starts: it looks at once.
        var policy = Samples.policy
        policy.skipUnchanged = true
        var story = Story(policy)
        #expect(story.place == "waiting")
        #expect(story.timer?.delay == .zero)
        story.wake()
        #expect(story.did(.lookForWork(.schedule)))

        // There is a new revision: the cycle opens with its deployment, which must be on the disk before it is done.
        story.see()
        #expect(story.did(.openCycle(1)))
        #expect(story.place == "deploy-1")
        #expect(story.actions.contains { $0.needsDurableIntent })

        // Deployed, stable and proven: the suites by priority.
        story.end()
        #expect(story.place == "stabilize-1")
        story.end(live: Samples.wanted)
        #expect(story.place == "test-1-login")
        story.test()
        #expect(story.place == "test-1-chat")
        story.test()
        #expect(story.place == "test-1-extras")
        story.test()

        // The live revision once more, and the verdict.
        #expect(story.place == "recheck-1")
        story.end(live: Samples.wanted)
        #expect(story.place == "concluding")
        #expect(story.verdict == .healthy)
        #expect(story.did(.seal(1)))

        // Sealed: published, remembered as green, and waiting for the next look.
        story.seal()
        #expect(story.did(.publish(1)))
        #expect(story.did(.markGreen(Samples.wanted)))
        #expect(story.machine.memory.lastGreen == Samples.wanted)
        #expect(story.machine.memory.serving == Samples.wanted)
        #expect(story.timer?.delay == .seconds(600))

        // Nothing new at the next look: no cycle.
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.machine.memory.cycle == 1)
        #expect(story.place == "waiting")
    }

    @Test func `a failed deployment is triaged and nothing is tested`() {
        var story = Story()
        story.wake()
        story.see()
        story.end(.failed, "exit 1: no space")
        #expect(story.place == "asking")
        story.conclude([Samples.incident([], .deployFailure, .none, grade: .possible, suites: [])])
        #expect(story.verdict == .failing)
        #expect(story.rules.contains("deploy-failed"))
        #expect(story.machine.memory.serving == nil)
    }

    @Test func `a deployment that may be tried twice is tried twice`() {
        var policy = Samples.policy
        policy.deployAttempts = 2
        var story = Story(policy)
        story.wake()
        story.see()
        story.end(.failed)
        #expect(story.place == "deploy-2")
        story.end(.failed)
        #expect(story.place == "asking")
    }

    @Test func `a refused deployment is asked for again after ten minutes, doubling to two hours`() {
        var story = Story()
        story.wake()
        story.see()
        for minutes in [10, 20, 40, 80, 120, 120] {
            story.end(.refused, "freeze")
            #expect(story.place == "backingOff")
            #expect(story.timer?.delay == .seconds(minutes * 60))
            story.wake()
        }
        // Permitted at last: the cycle goes on as if nothing had been.
        #expect(story.place == "deploy-7")
        story.pass()
        #expect(story.verdict == .healthy)
    }

    @Test func `a refused deployment moved nothing`() {
        var story = Story()
        story.wake()
        story.see()
        story.pass()
        story.seal()
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(Samples.other, live: Samples.wanted, trigger: .request)
        story.end(.refused)
        #expect(story.machine.memory.serving == Samples.wanted)
        #expect(story.machine.cycle?.hasDeployed == false)
    }

    @Test func `the window closes while a deployment waits for its permit: it is not made in the day`() {
        var story = Story()
        story.tell(.windowChanged(WindowChanged(isOpen: true, until: story.now + .seconds(3600))))
        story.wake()
        story.see()
        story.end(.refused)
        story.tell(.windowChanged(WindowChanged(isOpen: false, until: story.now + .seconds(57_600))))
        #expect(story.place == "concluding")
        #expect(story.verdict == .interrupted)
        story.seal()
        #expect(story.timer == nil)
    }

    @Test func `a lost deployment whose revision is live goes on`() {
        var story = Story()
        story.wake()
        story.see()
        story.end(.lost, live: Samples.wanted)
        #expect(story.place == "stabilize-1")
        story.pass()
        #expect(story.verdict == .healthy)
    }

    @Test func `a lost deployment with another revision live is tried twice more`() {
        var story = Story()
        story.wake()
        story.see()
        story.end(.lost, live: Samples.green)
        #expect(story.place == "deploy-2")
        story.end(.lost, live: Samples.green)
        #expect(story.place == "deploy-3")
        story.end(.lost, live: Samples.green)
        #expect(story.place == "concluding")
        #expect(story.verdict == .unproven)
    }

    @Test func `a lost deployment with an unreadable revision is not repeated`() {
        var story = Story()
        story.wake()
        story.see()
        story.end(.lost, live: .some(nil))
        #expect(story.verdict == .unproven)
        #expect(story.rules.contains("deploy-lost"))
        #expect(story.machine.memory.serving == nil)
    }

    @Test func `a run that never ran is started again and costs nothing`() {
        var story = Story()
        story.wake()
        story.see()
        for attempt in 1...5 {
            #expect(story.place == "deploy-\(attempt)")
            story.end(.neverRan)
        }
        story.pass()
        #expect(story.verdict == .healthy)
    }

    @Test func `results that are lost again and again come to an end`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        var stabilizes = 0
        while story.run?.kind == .stabilize, stabilizes < 10 {
            story.end(.lost)
            stabilizes += 1
        }
        #expect(stabilizes == 3)
    }

    @Test func `tools that fail are tried twice more, and the next look comes after ten minutes, doubling`() {
        var policy = Samples.policy
        policy.everySeconds = 60
        var story = Story(policy)
        for minutes in [10, 20, 40, 80, 120, 120] {
            story.wake()
            story.see()
            for _ in 1...2 {
                story.end(.couldNotRun, infrastructure: true)
                #expect(story.timer?.delay == .seconds(5))
                story.wake()
            }
            story.end(.couldNotRun, infrastructure: true)
            #expect(story.verdict == .unproven)
            #expect(story.rules.first == "infrastructure")
            story.seal()
            #expect(story.timer?.delay == .seconds(minutes * 60))
        }
        // One sound cycle ends the row.
        story.wake()
        story.see()
        story.pass()
        story.seal()
        #expect(story.timer?.delay == .seconds(60))
    }

    @Test func `a failing P0 suite keeps lower priorities from running, one in quarantine does not`() {
        var policy = Samples.policy
        policy.failFast = true
        var story = Story(policy)
        story.wake()
        story.see()
        story.end()
        story.end(live: Samples.wanted)
        story.test(failing: ["a"])
        // Only the live revision is left to be read.
        #expect(story.place == "recheck-1")
        #expect(story.machine.cycle?.notRun.keys.sorted() == ["chat", "extras"])

        policy.quarantine = [QuarantineEntry(test: "a", owner: "ann", reason: "known", until: "2026-12-31")]
        story = Story(policy)
        story.wake()
        story.see()
        story.end()
        story.end(live: Samples.wanted)
        story.test(failing: ["a"])
        #expect(story.place == "test-1-chat")
        story.pass()
        // Everybody knows: no triage, no rollback.
        #expect(story.place == "concluding")
        #expect(story.verdict == .degraded)
    }

    /// In mode operate that would deploy over what they have just deployed.
    @Test func `others deploy during the tests: superseded, and the next look is not hurried`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        story.end(live: Samples.wanted)
        for _ in 0..<3 { story.test() }
        story.end(.failed, live: Samples.other)
        #expect(story.rules.first == "superseded")
        story.seal()
        #expect(story.timer?.delay == .seconds(600))
    }

    @Test func `others deploy during the tests: a loop that deploys nothing looks again at once`() {
        var policy = Samples.policy
        policy.mode = .verify
        var story = Story(policy)
        story.wake()
        story.see(live: Samples.wanted)
        story.end(live: Samples.wanted)
        for _ in 0..<3 { story.test() }
        story.end(.failed, live: Samples.other)
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "superseded")
        story.seal()
        #expect(story.timer?.delay == .zero)
        story.wake()
        #expect(story.did(.lookForWork(.again)))
    }

    @Test func `two suites whose names look the same as files have folders of their own`() {
        var policy = Samples.policy
        policy.suites = [
            SuitePolicy(name: "a b", priority: 0, blocking: true),
            SuitePolicy(name: "a/b", priority: 0, blocking: true),
        ]
        var story = Story(policy)
        story.wake()
        story.see()
        story.end()
        story.end(live: Samples.wanted)
        let first = story.run?.folder
        story.test()
        #expect(story.run?.kind == .test)
        #expect(story.run?.folder != first)
    }

    @Test func `a live revision that is abbreviated is the wanted one`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        story.end(live: Revision(Samples.wanted.short))
        #expect(story.machine.memory.serving == Samples.wanted)
        #expect(story.machine.cycle?.deployed == Samples.wanted)
    }

    @Test func `the end of a stage of long ago decides nothing`() {
        var story = Story()
        story.wake()
        story.see()
        let old = story.run
        story.end()
        let before = story.machine
        if let old { story.tell(.stageEnded(Samples.record(old, .failed))) }
        #expect(story.actions.isEmpty)
        #expect(story.machine == before)
    }

    @Test func `what a look has read is what staging serves, also where nothing is deployed then`() {
        var story = Story(cycles: 1)
        story.wake()
        story.see(live: Samples.other)
        #expect(story.machine.memory.serving == nil, "a deployment is under way")
        story.end(.refused, "permit says not now (exit 75)")
        #expect(story.machine.memory.serving == Samples.other)
    }

    @Test func `the wait that is told is the wait that is kept`() {
        for cycles in [1, nil] {
            var story = Story(cycles: cycles)
            story.wake()
            story.see()
            story.end(.couldNotRun, "no such file", infrastructure: true)
            let seconds = (story.timer?.delay.milliseconds ?? 0) / 1000
            #expect(story.lines.contains { $0.contains("tried again in \(seconds)s") }, "\(story.lines)")
        }
    }

    @Test func `a configuration that proves nothing is no riddle, and makes nothing green`() {
        var policy = Samples.policy
        policy.provesRevision = false
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass()
        #expect(story.place == "concluding" && story.verdict == .unproven)
        #expect(story.machine.cycle?.incidents == [])
        story.seal()
        #expect(story.machine.memory.lastGreen == Samples.green)
    }
}
