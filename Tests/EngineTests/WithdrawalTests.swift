// SPDX-License-Identifier: Apache-2.0
// A rollback that does not help takes the blame back; reruns end with the first round that passes.

import Domain
import Testing

@testable import Engine

struct WithdrawalTests {
    private func failing(_ tests: [String] = ["a"]) -> Story {
        var story = Story(Samples.policy)
        story.wake()
        story.see()
        story.pass(failing: tests)
        return story
    }

    /// Runs a remedy and its verification to the end.
    private func finish(_ story: inout Story, failing: (StageRun) -> [String]) {
        while let run = story.run, [.rollback, .runbook, .reverify, .recheck].contains(run.purpose) {
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test: story.test(failing: failing(run))
            }
        }
    }

    /// A rollback for `a`, after which `failing` fail on the last green revision.
    private func rolledBack(failing: [String]) -> Story {
        var story = self.failing()
        story.conclude([Samples.incident(["a"], .deployFailure, .rollback, culprit: Samples.wanted)])
        finish(&story) { _ in failing }
        return story
    }

    @Test func `what fails on the last green revision too was brought by no commit after it`() throws {
        var story = rolledBack(failing: ["a"])
        let diagnosis = try #require(story.machine.cycle?.incidents.first?.diagnosis)
        #expect(diagnosis.culprit == nil)
        #expect(diagnosis.grade == .possible)
        #expect(diagnosis.candidates.first?.commit == Samples.wanted)
        #expect(story.machine.memory.incidents.first?.diagnosis?.culprit == nil)
        #expect(story.lines.contains { $0.contains("INC-1 withdrawn") })
        story.seal()
        #expect(story.machine.memory.knownBad.isEmpty)
    }

    @Test func `another failure on the last green revision refutes nothing`() throws {
        let story = rolledBack(failing: ["b"])
        let diagnosis = try #require(story.machine.cycle?.incidents.first?.diagnosis)
        #expect(diagnosis.culprit?.commit == Samples.wanted)
        #expect(story.machine.memory.knownBad.map(\.revision) == [Samples.wanted])
    }

    @Test func `a suite that does not block and did not fail before takes no rollback back`() {
        var story = self.failing()
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        finish(&story) { run in run.subject == "extras" ? ["slow"] : [] }
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
    }

    @Test func `what a cured cause hid is asked about in the same cycle`() {
        var policy = Samples.policy
        policy.allow = [.runbook]
        policy.runbook = [RunbookPolicy(name: "restart", categories: [.dependencyDown], attempts: 1)]
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a", "b"])
        var incident = Samples.incident(["a", "b"], .dependencyDown, .runbook)
        incident.diagnosis?.runbook = "restart"
        story.conclude([incident])
        // It goes on failing as it did: no more is known than before.
        var same = story
        finish(&same) { _ in ["b"] }
        #expect(same.place == "concluding")
        while let run = story.run, [.runbook, .reverify, .recheck].contains(run.purpose) {
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test:
                story.end(.failed, suite: Samples.reading(["b"], only: run.only, message: "wrong price"))
            }
        }
        #expect(story.place == "asking")
    }

    @Test func `what is in quarantine is no other matter`() {
        var policy = Samples.policy
        policy.allow = [.runbook]
        policy.runbook = [RunbookPolicy(name: "restart", categories: [.dependencyDown], attempts: 1)]
        policy.quarantine = [
            QuarantineEntry(test: "muted", owner: "ann", reason: "known", until: "2027-12-31")
        ]
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        var incident = Samples.incident(["a"], .dependencyDown, .runbook)
        incident.diagnosis?.runbook = "restart"
        story.conclude([incident])
        finish(&story) { _ in ["a", "muted"] }
        #expect(story.place == "concluding")
    }

    @Test func `the mark stays for the incident whose culprit stands`() throws {
        var story = self.failing(["a", "b"])
        var second = Samples.incident(["b"], .codeRegression, .rollback, culprit: Samples.wanted)
        second.diagnosis?.whys = (1...5).map { Why(n: $0, question: "why \($0)", answer: "held", confidence: 0.95) }
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted), second])
        finish(&story) { _ in ["b"] }
        #expect(story.lines.contains { $0.contains("INC-2 withdrawn") })
        #expect(story.machine.memory.knownBad.map(\.revision) == [Samples.wanted])
        let whys = try #require(story.machine.cycle?.incidents.last?.diagnosis?.whys)
        #expect(whys.map(\.confidence) == [0.95, 0.95, 0, 0, 0.95])
        #expect(whys[3].answer.hasPrefix("unknown; the rollback refuted"))
        #expect(whys[3].evidence.first?.path.hasPrefix("reverify-") == true)
        story.seal()
        story.wake()
        story.see(live: Samples.green)
        #expect(story.place == "waiting", "a revision with a culprit that stands is not deployed again")
    }

    @Test func `runs that ask whether it passes at all end with the first round that does`() {
        var story = failing()
        var experiment = Experiment(
            number: 1, kind: .rerun, question: "deterministic or flaky?", revision: Samples.wanted,
            tests: [Experiment.Selection(suite: "login", only: ["a"])], times: 5)
        experiment.untilPass = true
        story.tell(.triageAnswered(TriageAnswered(cycle: 1, experiment: experiment)))
        story.test(failing: ["a"])
        story.test()
        while let run = story.run, run.kind == .stabilize { story.end(live: run.revision) }
        #expect(story.place == "asking")
        #expect(story.machine.cycle?.experiments.first?.result == "1/2 fail")
    }
}
