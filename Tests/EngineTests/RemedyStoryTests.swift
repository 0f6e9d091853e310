// SPDX-License-Identifier: Apache-2.0
// Budgets of remedies, the life of an incident, and restraint where the cause is known already.

import Domain
import Testing

@testable import Engine

struct RemedyStoryTests {
    private func failing(_ policy: LoopPolicy = Samples.policy) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        return story
    }

    private func runbooks(attempts: Int, perNight: Int?) -> LoopPolicy {
        var policy = Samples.policy
        policy.runbook = [
            RunbookPolicy(
                name: "restart", categories: [.dependencyDown], attempts: attempts, attemptsPerNight: perNight)
        ]
        return policy
    }

    private var down: Incident {
        Samples.incident(["a"], .dependencyDown, .runbook, grade: .likely, runbook: "restart")
    }

    /// The runbook command runs, and what it was to cure still fails.
    private func cureFails(_ story: inout Story) {
        story.end()
        while let run = story.run, run.purpose == .reverify || run.purpose == .recheck {
            switch run.kind {
            case .stabilize: story.end(live: run.revision)
            case .test: story.test(failing: run.subject == "login" ? ["a"] : [])
            case .deploy, .remedy: story.end()
            }
        }
    }

    @Test func `a runbook command that does not cure is tried as often as it may, and blames no code`() {
        var story = failing(runbooks(attempts: 2, perNight: nil))
        story.conclude([down])
        #expect(story.lines.contains { $0.contains("attempt 1 of 2") })
        cureFails(&story)
        #expect(story.run?.folder == "remedy-2-restart")
        #expect(story.lines.contains { $0.contains("attempt 2 of 2") })
        cureFails(&story)
        #expect(story.place == "concluding")
        #expect(story.verdict == .failing)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.failed, .failed, .skipped])
        #expect(story.machine.memory.knownBad.isEmpty)
        // The incident's budget is spent in the next cycle too.
        story.seal()
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([down])
        #expect(story.lines.contains { $0.contains("2 of 2 attempts of restart for INC-1 are spent") })
        #expect(story.place == "concluding")
    }

    @Test func `a night has a budget for all incidents, and the next night a new one`() {
        var story = failing(runbooks(attempts: 9, perNight: 1))
        story.conclude([down])
        cureFails(&story)
        #expect(story.lines.contains { $0.contains("1 of 1 attempts of restart tonight are spent") })
        story.seal()
        story.tell(.timerFired(TimerID(name: .pauseEnds, serial: 0)), after: .seconds(90_000))
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(trigger: .request)
        story.pass(failing: ["a"])
        story.conclude([down])
        #expect(story.run?.kind == .remedy)
    }

    // MARK: - Incidents

    @Test func `an incident is resolved after two green cycles, and reopened when it comes back`() {
        var story = failing()
        let unknown = Samples.incident(["a"], .unknown, .none, grade: .unknown)
        story.conclude([unknown])
        story.tell(.operatorRequested(OperatorRequest(verb: .acknowledge, by: "ann", argument: "INC-1")))
        story.seal()
        for _ in 0..<2 {
            story.wake()
            story.see(live: Samples.wanted)
            story.pass()
            story.seal()
        }
        let resolved = story.machine.memory.incidents.first
        #expect(resolved?.state == .resolved)
        #expect(resolved?.resolvedAt != nil)
        #expect(resolved?.acknowledgedBy == "ann")
        story.wake()
        story.see(Samples.other)
        story.pass(failing: ["a"])
        story.conclude([unknown])
        let again = story.machine.memory.incidents.first
        #expect(story.machine.memory.incidents.count == 1)
        #expect(again?.id == "INC-1")
        #expect(again?.state == .open)
        #expect(again?.timesReopened == 1)
        #expect(again?.resolvedAt == nil)
        #expect(again?.acknowledgedBy == nil)
        #expect(again?.timesSeen == 2)
        #expect(again?.lastSeen ?? Samples.start > again?.firstSeen ?? Samples.start)
        #expect(story.lines.contains { $0.contains("reopened once") })
    }

    @Test func `a rollback is earned again by an incident that was resolved`() {
        var story = rolledBack()
        #expect(story.machine.memory.rollbacks.map(\.count) == [1])
        for revision in [Samples.other, Revision("abc1230000000000000000000000000000000000")] {
            story.wake()
            story.see(revision)
            story.pass()
            story.seal()
        }
        #expect(story.machine.memory.incidents.map(\.state) == [.resolved])
        #expect(story.machine.memory.rollbacks.isEmpty)
    }

    // MARK: - Restraint

    /// A sealed cycle that proved `wanted` to be the culprit and rolled back.
    private func rolledBack() -> Story {
        var story = failing()
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
        story.seal()
        return story
    }

    private func seeChild(_ story: inout Story, trigger: Trigger = .schedule) {
        story.wake()
        story.tell(
            .workSeen(
                WorkSeen(
                    trigger: trigger, wanted: Samples.other, containsKnownBad: [Samples.wanted],
                    containsCulpritOf: ["INC-1"])))
        story.end()
        story.end(live: Samples.other)
    }

    @Test func `a child of a proven culprit runs the failing tests first and joins the incident`() {
        var story = rolledBack()
        seeChild(&story)
        #expect(story.run?.only == ["a"])
        #expect(story.run?.folder == "test-1-login")
        story.test(failing: ["a"])
        // Nothing else is run, and triage is not asked.
        #expect(story.run?.purpose == .recheck)
        story.end(live: Samples.other)
        // This revision was never given up: staging is put back.
        #expect(story.run?.purpose == .rollback)
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
        #expect(story.place == "concluding")
        #expect(story.verdict == .failing)
        #expect(story.rules.first == "known-culprit")
        #expect(story.machine.cycle?.experiments.isEmpty == true)
        #expect(story.machine.cycle?.questions == 0)
        #expect(story.machine.memory.incidents.map(\.timesSeen) == [2])
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.machine.cycle?.notRun["chat"]?.text.contains("joins INC-1") == true)
        #expect(Set(story.rules) == ["known-culprit", "joined"])
        story.seal()
        #expect(story.machine.memory.incidents.map(\.state) == [.open])
    }

    @Test func `a child that takes the culprit back is tested as any other`() {
        var story = rolledBack()
        seeChild(&story)
        story.test()
        #expect(story.run?.only == nil)
        story.pass()
        #expect(story.verdict == .healthy)
        // What is new in it is a question of its own.
        story = rolledBack()
        seeChild(&story)
        story.test()
        story.pass(failing: ["b"])
        #expect(story.place == "asking")
    }

    @Test func `failing tests that cannot be run tell nothing: the whole pass is made`() {
        var story = rolledBack()
        seeChild(&story)
        for _ in 0..<3 { story.end(.lost) }
        #expect(story.run?.only == nil)
        story.pass(failing: ["a"])
        #expect(story.place == "asking")
    }

    @Test func `what an operator asks for is a whole cycle`() {
        var story = rolledBack()
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.tell(
            .workSeen(WorkSeen(trigger: .request, wanted: Samples.other, containsCulpritOf: ["INC-1"])))
        story.end()
        story.end(live: Samples.other)
        #expect(story.run?.only == nil)
    }

    @Test func `nothing is done about a target that does not block what ships`() {
        var story = Story(runbooks(attempts: 2, perNight: nil))
        story.wake()
        story.see()
        while let run = story.run, run.kind != .test {
            if run.kind == .deploy { story.end() } else { story.end(live: run.revision) }
        }
        while let run = story.run {
            guard run.kind == .test else {
                story.end(live: run.revision)
                continue
            }
            var record = Samples.record(run, .succeeded, at: story.now, suite: Samples.reading())
            if run.subject == "login" {
                var target = TargetRecord(name: "p95", limit: 100, unit: "ms", status: .missed)
                target.sinceGreen = TargetChange(finding: .worse, cycle: 1, before: 90)
                record.targets = [target]
            }
            story.tell(.stageEnded(record))
        }
        #expect(story.place == "asking")
        for action in [RemedyKind.runbook, .redeploy] {
            var asked = story
            var incident = Samples.incident([], .dependencyDown, action, runbook: "restart")
            incident.targets = ["p95"]
            asked.conclude([incident])
            #expect(asked.place == "concluding", "\(action)")
            #expect(asked.machine.cycle?.actions.map(\.because) == ["target p95 does not block"])
            #expect(asked.machine.cycle?.actions.map(\.incident) == ["INC-1"])
        }
    }
}
