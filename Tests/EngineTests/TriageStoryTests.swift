// SPDX-License-Identifier: Apache-2.0
// Failing cycles, step by step: experiments, remedies, and the way back.

import Domain
import Testing

@testable import Engine

struct TriageStoryTests {
    /// A cycle in which `a` fails in `login`, up to triage's first question.
    private func failing(_ policy: LoopPolicy = Samples.policy) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        #expect(story.place == "asking")
        return story
    }

    /// Runs an experiment to its end: what it deploys gets stable, and the tests fail or pass.
    private func run(
        _ story: inout Story, _ kind: Experiment.Kind, _ revision: Revision, number: Int, fails: Bool, times: Int = 2
    ) {
        story.answer(kind, revision, number: number, times: times)
        while let run = story.run, run.experiment == number {
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test: story.test(failing: fails ? ["a"] : [])
            }
        }
        #expect(story.place == "asking")
    }

    @Test func `rerun, baseline, bisect, culprit, rollback`() {
        var story = failing()
        // Again alone, three times: it fails each time.
        run(&story, .rerun, Samples.wanted, number: 1, fails: true, times: 3)
        // On the last green revision it passes: the code it is.
        run(&story, .baseline, Samples.green, number: 2, fails: false)
        #expect(story.machine.memory.serving == Samples.green)
        // Half way it fails.
        run(&story, .bisect, Samples.other, number: 3, fails: true)
        #expect(story.machine.cycle?.experimentDeploys == 2)

        // The culprit: back to the last green revision.
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.other)])
        #expect(story.place == "rollback-1")
        #expect(story.actions.contains { $0.needsDurableIntent })
        story.end()
        #expect(story.run?.kind == .stabilize)
        story.end(live: Samples.green)

        // What failed is verified first, then everything.
        #expect(story.run?.only == ["a"])
        #expect(story.run?.revision == Samples.green)
        story.test()
        var suites: [String] = []
        while story.run?.purpose == .reverify {
            suites.append(story.run?.subject ?? "")
            story.test()
        }
        #expect(suites == ["login", "chat", "extras"])
        story.end(live: Samples.green)

        // Failing it stays: a verdict is about the wanted revision. Staging is restored, and the revision known as bad.
        #expect(story.verdict == .failing)
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
        story.seal()
        #expect(story.machine.memory.lastGreen == Samples.green)
        #expect(story.machine.memory.knownBad.map(\.revision) == [Samples.wanted])

        // It is not deployed again …
        story.wake()
        story.see()
        #expect(story.machine.memory.cycle == 1)
        #expect(story.place == "waiting")
        // … a later revision that contains it is.
        story.wake()
        story.tell(
            .workSeen(WorkSeen(trigger: .schedule, wanted: Samples.other, containsKnownBad: [Samples.wanted])))
        #expect(story.place == "deploy-1")
        #expect(story.run?.revision == Samples.other)
        // The incident is the same one; each revision has a rollback of its own.
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        #expect(story.machine.memory.incidents.map(\.timesSeen) == [2])
        #expect(story.run?.purpose == .rollback)
        #expect(story.lines.contains { $0.contains("1 of 1 for INC-1") })
    }

    @Test func `a baseline that left the last green revision deployed is not deployed again`() {
        var story = failing()
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(story.run?.kind == .stabilize)
        #expect(story.run?.purpose == .rollback)
    }

    @Test func `experiments moved the environment and no rollback is allowed: the wanted revision is restored`() {
        var policy = Samples.policy
        policy.allow = []
        var story = failing(policy)
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(story.place == "restore-1")
        #expect(story.run?.revision == Samples.wanted)
        story.end()
        story.end(live: Samples.wanted)
        #expect(story.verdict == .failing)
        #expect(story.machine.memory.serving == Samples.wanted)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.skipped])
    }

    @Test func `a restoring deployment that fails says where staging was left`() {
        var policy = Samples.policy
        policy.allow = []
        var story = failing(policy)
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        story.conclude([])
        story.end(.failed, live: Samples.green)
        #expect(story.lines.contains { $0.contains("restore: staging is left at \(Samples.green.short)") })
        #expect(story.place == "concluding")
    }

    @Test func `flaky on rerun: degraded, and no rollback`() {
        var story = failing()
        story.answer(.rerun, Samples.wanted, number: 1, times: 3)
        story.test(failing: ["a"])
        story.test()
        story.test()
        story.end(live: Samples.wanted)
        story.conclude([Samples.incident(["a"], .flakyTest, .rerun, grade: .likely)])
        #expect(story.place == "concluding")
        #expect(story.verdict == .degraded)
        #expect(story.rules == ["flaky"])
        #expect(story.machine.cycle?.hasDeployed == true)
        #expect(story.machine.cycle?.actions.isEmpty == true)
    }

    @Test func `a known flake that passes alone leaves the cycle healthy, with the reason listed`() {
        var story = failing()
        run(&story, .rerun, Samples.wanted, number: 1, fails: false, times: 3)
        story.conclude([Samples.incident(["a"], .flakyTest, .rerun, grade: .likely)])
        // The first time it is news.
        #expect(story.verdict == .degraded)
        story.seal()
        story.wake()
        story.see(Samples.other)
        story.pass(failing: ["a"])
        run(&story, .rerun, Samples.other, number: 1, fails: false, times: 3)
        story.conclude([Samples.incident(["a"], .flakyTest, .rerun, grade: .likely)])
        #expect(story.verdict == .healthy)
        #expect(story.rules == ["flaky"])
        #expect(story.machine.cycle?.concluded?.suites.first?.status == .passed)
        // Seen again, it stays open.
        story.seal()
        #expect(story.machine.memory.incidents.map(\.state) == [.open])
    }

    @Test func `others deploy while the tests run again: superseded, and nothing is restored over it`() {
        var story = failing()
        story.answer(.rerun, Samples.wanted, number: 1, times: 1)
        story.test()
        story.end(.failed, live: Samples.other)
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "superseded")

        story = failing()
        story.answer(.baseline, Samples.green, number: 1)
        story.end()
        story.end(.failed, live: Samples.other)
        story.conclude([])
        #expect(story.lines.contains { $0.contains("others deployed \(Samples.other.short)") })
        #expect(story.place == "concluding")
    }

    @Test func `a rollback that cannot be made is followed by the way back to the wanted revision`() {
        var story = failing()
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        run(&story, .bisect, Samples.other, number: 2, fails: true)
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        story.end(.failed)
        #expect(story.place == "restore-1")
    }

    @Test func `a wrong revision is deployed once more, then rolled back`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        story.end(.failed, live: Samples.green)
        #expect(story.place == "asking")
        story.conclude([Samples.incident([], .wrongRevision, .redeploy, grade: .likely, suites: [])])
        #expect(story.place == "redeploy-1")
        story.end()
        story.end(.failed, live: Samples.other)
        #expect(story.place == "asking")
        story.conclude([Samples.incident([], .wrongRevision, .redeploy, grade: .likely, suites: [])])
        #expect(story.place == "rollback-1")
        #expect(story.run?.revision == Samples.green)
    }

    @Test func `a redeployment that cures leaves the cycle healthy`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        story.end(.failed, live: Samples.green)
        story.conclude([Samples.incident([], .wrongRevision, .redeploy, grade: .likely, suites: [])])
        story.pass()
        #expect(story.verdict == .healthy)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
    }

    @Test func `a runbook cures, and what failed is verified first`() {
        var policy = Samples.policy
        policy.runbook = [RunbookPolicy(name: "restart", categories: [.dependencyDown], attempts: 1)]
        var story = failing(policy)
        story.conclude([Samples.incident(["a"], .dependencyDown, .runbook, grade: .likely, runbook: "restart")])
        #expect(story.run?.kind == .remedy)
        story.end()
        #expect(story.run?.kind == .stabilize)
        story.end(live: Samples.wanted)
        #expect(story.run?.only == ["a"])
        story.pass()
        #expect(story.verdict == .healthy)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
    }

    @Test func `a runbook does not make a failed deployment a deployed one`() {
        var policy = Samples.policy
        policy.provesRevision = false
        policy.runbook = [RunbookPolicy(name: "unlock", categories: [.deployFailure], attempts: 1)]
        var story = Story(policy)
        story.wake()
        story.see()
        story.end(.failed)
        story.conclude([
            Samples.incident([], .deployFailure, .runbook, grade: .likely, suites: [], runbook: "unlock")
        ])
        story.end()
        #expect(story.run?.kind == .deploy)
        story.end(.failed)
        #expect(story.verdict == .failing)
    }

    @Test(arguments: [Mode.observe, .verify])
    func `modes that deploy nothing say what they would do`(_ mode: Mode) {
        var policy = Samples.policy
        policy.mode = mode
        var story = Story(policy)
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.run?.kind == .stabilize)
        story.pass(failing: ["a"])
        // An experiment that deploys is refused whatever triage asks for.
        story.answer(.baseline, Samples.green, number: 1)
        #expect(story.place == "asking")
        #expect(story.machine.cycle?.experiments.first?.refused == true)
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(
            story.lines.contains {
                $0.contains("would rollback to \(Samples.green.short), but mode is \(mode.rawValue)")
            })
        #expect(story.place == "concluding")
        #expect(
            !story.journal.contains {
                if case .stageEnded(let record) = $0.event { record.run.kind == .deploy } else { false }
            })
    }

    @Test func `only what blocks is worth a rollback`() {
        for incident in [
            Samples.incident(["a"], .codeRegression, .rollback, suites: ["extras"]),
            Samples.incident(["q"], .codeRegression, .rollback),
        ] {
            var policy = Samples.policy
            policy.quarantine = [QuarantineEntry(test: "q", owner: "ann", reason: "known", until: "2026-12-31")]
            var story = failing(policy)
            story.conclude([incident])
            #expect(story.place == "concluding")
            #expect(story.machine.cycle?.actions.map(\.outcome) == [.skipped])
        }
    }

    @Test func `experiments that deploy end with the budget, the night and the window`() {
        var policy = Samples.policy
        policy.triage.deploysPerIncident = 1
        var story = failing(policy)
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        story.answer(.bisect, Samples.other, number: 2)
        #expect(story.place == "asking")
        #expect(story.lines.contains { $0.contains("no deploy is left") })

        // One that never ran costs nothing.
        story = failing(policy)
        story.answer(.baseline, Samples.green, number: 1)
        story.end(.neverRan)
        story.end()
        #expect(story.machine.cycle?.experimentDeploys == 1)

        // One that was refused moved nothing: there is nothing to restore.
        story = failing(policy)
        story.answer(.baseline, Samples.green, number: 1)
        story.end(.refused)
        #expect(story.place == "asking")
        story.conclude([])
        #expect(story.place == "concluding")

        // After the window has closed none is begun.
        story = failing()
        story.tell(.windowChanged(WindowChanged(isOpen: false, until: story.now + .seconds(60_000))))
        story.answer(.baseline, Samples.green, number: 1)
        #expect(story.place == "asking")
        #expect(story.lines.contains { $0.contains("the window is closed") })
    }

    @Test func `without a window a day renews what experiments may deploy`() {
        var story = failing()
        run(&story, .baseline, Samples.green, number: 1, fails: false)
        story.conclude([])
        story.end()
        story.end(live: Samples.wanted)
        story.seal()
        #expect(story.machine.memory.experimentDeploys == 1)
        story.wake()
        story.see()
        #expect(story.machine.memory.experimentDeploys == 1)
        story.pass()
        story.seal()
        story.tell(.timerFired(TimerID(name: .pauseEnds, serial: 0)), after: .seconds(90_000))
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(trigger: .request)
        #expect(story.machine.memory.experimentDeploys == 0)
    }

    @Test func `an incident is resolved after two green cycles without it`() {
        var story = failing()
        story.conclude([Samples.incident(["a"], .unknown, .none, grade: .unknown)])
        story.seal()
        for state in [Incident.State.open, .resolved] {
            story.wake()
            story.see(live: Samples.wanted)
            story.pass()
            story.seal()
            #expect(story.machine.memory.incidents.map(\.state) == [state])
        }
    }

    @Test func `triage that never stops asking is stopped`() {
        var story = failing()
        var questions = 0
        while story.place == "asking", questions < 1000 {
            questions += 1
            story.answer(.rerun, Samples.wanted, number: questions, times: 1)
            if story.run != nil {
                story.test(failing: ["a"])
                story.end(live: Samples.wanted)
            }
        }
        #expect(questions < 100)
        #expect(story.place == "concluding")
    }
}
