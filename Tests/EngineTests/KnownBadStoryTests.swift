// SPDX-License-Identifier: Apache-2.0
// A revision that has failed is not deployed again by the schedule, and the environment is not left broken by the next.

import Domain
import Testing

@testable import Engine

struct KnownBadStoryTests {
    /// A sealed cycle in which `wanted` fails and nothing may be done about it.
    private func failed(_ incident: Incident = Samples.incident(["a"], .unknown, .none, grade: .unknown)) -> Story {
        var policy = Samples.policy
        policy.allow = []
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([incident])
        #expect(story.verdict == .failing)
        story.seal()
        return story
    }

    private func finishRollback(_ story: inout Story) {
        while let run = story.run, [.rollback, .reverify, .recheck].contains(run.purpose) {
            if run.kind == .test { story.test() } else { story.end(live: run.revision) }
        }
    }

    @Test func `without a rollback a failing revision is not deployed again either`() {
        var story = failed()
        #expect(story.machine.memory.knownBad.map(\.isLeft) == [true])
        for _ in 0..<5 {
            story.wake()
            story.see()
            #expect(story.place == "waiting")
            #expect(story.lines.contains { $0.contains("no revision newer than known-bad") })
        }
        #expect(story.machine.memory.cycle == 1)
        // An operator may, and a newer one is not in question.
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(trigger: .request)
        #expect(story.run?.kind == .deploy)
        story.pass()
        story.seal()
        #expect(story.machine.memory.knownBad.isEmpty)
    }

    @Test func `where it is live it is tested again, and nothing is deployed`() {
        var story = failed()
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.machine.memory.cycle == 2)
        #expect(story.run?.kind == .stabilize)
        #expect(story.lines.contains { $0.contains("tests only: known-bad since #1") })
        story.pass(failing: ["a"])
        let budget = story.actions.lazy.compactMap { if case .askTriage(let budget) = $0 { budget } else { nil } }.first
        #expect(budget?.deploysBarred?.contains("known-bad") == true)
        story.conclude([Samples.incident(["a"], .unknown, .redeploy, grade: .unknown)])
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.records.contains { $0.run.kind == .deploy } == false)
        story.seal()
        #expect(story.machine.memory.knownBad.count == 1)
        // What ailed it has passed.
        story.wake()
        story.see(live: Samples.wanted)
        story.pass()
        #expect(story.verdict == .healthy)
        story.seal()
        #expect(story.machine.memory.knownBad.isEmpty)
        #expect(story.machine.memory.lastGreen == Samples.wanted)
    }

    @Test func `what the surroundings brought is no fault of the revision`() {
        let story = failed(Samples.incident(["a"], .dependencyDown, .none, grade: .likely))
        #expect(story.machine.memory.knownBad.isEmpty)
        // Unless that is a mere possibility.
        let other = failed(Samples.incident(["a"], .dependencyDown, .none, grade: .possible))
        #expect(other.machine.memory.knownBad.count == 1)
    }

    @Test func `the last green revision does not become known-bad`() {
        var story = Story()
        story.wake()
        story.see(Samples.green)
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .unknown, .none, grade: .unknown)])
        story.seal()
        #expect(story.machine.memory.knownBad.isEmpty)
    }

    @Test func `who asks for a cycle gets one where nothing was rolled back`() {
        var story = failed()
        story.restart(cycles: 1)
        story.wake()
        story.see(trigger: .once)
        #expect(story.run?.kind == .deploy)
    }

    @Test func `every revision that contains the culprit is deployed once and given up once`() {
        var story = Story()
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        finishRollback(&story)
        story.seal()
        story.wake()
        story.tell(
            .workSeen(WorkSeen(trigger: .schedule, wanted: Samples.other, containsCulpritOf: ["INC-1"])))
        story.end()
        story.end(live: Samples.other)
        story.test(failing: ["a"])
        story.end(live: Samples.other)
        #expect(story.run?.purpose == .rollback)
        finishRollback(&story)
        #expect(story.verdict == .failing)
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.machine.memory.rollbacks.map(\.count) == [1, 1])
        story.seal()
        for _ in 0..<3 {
            story.wake()
            story.see(Samples.other)
            #expect(story.place == "waiting")
        }
        #expect(story.machine.memory.knownBad.map(\.revision) == [Samples.wanted, Samples.other])
        // Asked for again, it is deployed again, and its rollback is spent.
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(Samples.other, trigger: .request)
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        #expect(story.lines.contains { $0.contains("1 of 1 rollbacks of \(Samples.other.short)") })
    }

    @Test func `what was proven stays proven where a later cycle only joins it`() {
        var story = failed(Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted))
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(Samples.other, trigger: .request)
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, grade: .likely, culprit: Samples.wanted)])
        #expect(story.machine.cycle?.incidents.first?.diagnosis?.grade == .likely)
        #expect(story.machine.memory.incidents.first?.diagnosis?.grade == .proven)
        story.seal()
        // The next one has nothing to find out.
        story.wake()
        story.tell(
            .workSeen(
                WorkSeen(
                    trigger: .schedule, wanted: Revision("abc1230000000000000000000000000000000000"),
                    containsCulpritOf: ["INC-1"])))
        story.end()
        story.end(live: story.run?.revision)
        #expect(story.run?.only == ["a"])
        // Another cause is another matter.
        story.pass()
        story.seal()
        var other = failed(Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted))
        other.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        other.see(Samples.other, trigger: .request)
        other.pass(failing: ["a"])
        other.conclude([Samples.incident(["a"], .codeRegression, .rollback, grade: .likely, culprit: Samples.other)])
        #expect(other.machine.memory.incidents.first?.diagnosis?.grade == .likely)
    }

    @Test func `a diagnosis that another cycle made names it`() {
        var story = failed(Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted))
        #expect(story.machine.memory.incidents.first?.diagnosis?.cycle == 1)
        story.wake()
        story.tell(
            .workSeen(WorkSeen(trigger: .schedule, wanted: Samples.other, containsCulpritOf: ["INC-1"])))
        story.end()
        story.end(live: Samples.other)
        story.test(failing: ["a"])
        story.end(live: Samples.other)
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.number == 2)
        #expect(story.machine.cycle?.incidents.first?.diagnosis?.cycle == 1)
        #expect(story.machine.cycle?.incidents.first?.firstCycle == 1)
        // Its own it does not name.
        var own = Story()
        own.wake()
        own.see()
        own.pass(failing: ["a"])
        own.conclude([Samples.incident(["a"], .unknown, .none, grade: .unknown)])
        #expect(own.machine.cycle?.incidents.first?.diagnosis != nil)
        #expect(own.machine.cycle?.incidents.first?.diagnosis?.cycle == nil)
    }

    @Test func `what answers after a deployment that failed is what staging serves`() {
        var story = Story()
        story.wake()
        story.see()
        guard let run = story.run else {
            Issue.record("nothing runs")
            return
        }
        var record = Samples.record(run, .failed, "exit 1", at: story.now)
        record.leftLive = LiveReading(
            revision: Revision(Samples.green.short), answers: [.init(revision: Samples.green, count: 1)], asked: 1)
        story.tell(.stageEnded(record))
        story.conclude([Samples.incident([], .unknown, .none, grade: .unknown, suites: [])])
        #expect(story.place == "concluding")
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.lines.contains { $0.contains("staging serves \(Samples.green.short)") })
    }

    @Test func `a deployment that passes once in three tries clears nothing`() {
        func memory(after outcomes: [StageOutcome]) -> LoopMemory {
            var story = Story(Samples.policy)
            story.wake()
            story.see()
            story.pass(failing: ["a"])
            story.answer(.again, Samples.wanted, number: 1, times: outcomes.count)
            story.end()
            story.end(live: Samples.wanted)
            for outcome in outcomes {
                story.end(outcome, suite: outcome == .succeeded ? Samples.reading(only: ["a"]) : nil)
            }
            while let run = story.run, run.kind == .stabilize { story.end(live: run.revision) }
            story.conclude([Samples.incident(["a"], .transient, .none, grade: .possible)])
            story.seal()
            return story.machine.memory
        }
        #expect(memory(after: [.succeeded, .couldNotRun, .couldNotRun]).knownBad.count == 1)
        #expect(memory(after: [.succeeded, .succeeded, .succeeded]).knownBad.isEmpty)
    }
}
