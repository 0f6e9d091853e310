// SPDX-License-Identifier: Apache-2.0
// What the log says of incidents and experiments, and when: a number before anything is tried, value against threshold, and the
// rule that decided.

import Domain
import Testing

@testable import Engine

struct AnnouncingTests {
    private func failing() -> Story {
        var story = Story()
        story.wake()
        story.see()
        story.pass(failing: ["a", "b"])
        #expect(story.place == "asking")
        return story
    }

    private func incident(_ tests: [String]) -> Incident { Samples.incident(tests, .codeRegression, .none) }

    private func asking(_ opened: [Incident], number: Int = 1, finding: String? = nil) -> Event {
        let rerun = Experiment(
            number: number, kind: .rerun, question: "deterministic?", revision: Samples.wanted,
            tests: [Experiment.Selection(suite: "login", only: ["a"])], times: 1)
        var answer = TriageAnswered(cycle: 1, experiment: rerun)
        (answer.opened, answer.finding) = (opened, finding)
        return .triageAnswered(answer)
    }

    private func finish(_ story: inout Story) {
        while let run = story.run, run.experiment != nil {
            if run.kind == .test { story.test(failing: ["a"]) } else { story.end(live: run.revision) }
        }
    }

    @Test func `an incident has its number before its first experiment, and keeps it`() throws {
        var story = failing()
        story.tell(asking([incident(["a"])]))
        #expect(story.lines == ["incident: INC-1 boom (1 test), first time in 1 cycle", "triage: deterministic?"])
        // Nobody acts on it yet: it has no diagnosis.
        #expect(story.machine.memory.incidents.isEmpty)
        finish(&story)
        story.restart()
        #expect(story.place == "asking")
        story.conclude([incident(["a"])])
        #expect(story.machine.memory.incidents.map(\.id) == ["INC-1"])
        #expect(!story.lines.contains { $0.hasPrefix("incident:") }, "\(story.lines)")
        #expect(story.lines.contains { $0.hasPrefix("diagnosis: INC-1 proven: code-regression") })
    }

    @Test func `who says early to be on it is remembered`() throws {
        var story = failing()
        story.tell(asking([incident(["a"])]))
        story.tell(.operatorRequested(OperatorRequest(verb: .acknowledge, by: "ann", argument: "INC-1")))
        #expect(story.lines == ["ack: INC-1 by ann"])
        story.tell(.operatorRequested(OperatorRequest(verb: .acknowledge, by: "bob", argument: "INC-1")))
        #expect(story.lines.first?.contains("acknowledged already") == true, "\(story.lines)")
        finish(&story)
        story.conclude([incident(["a"])])
        let kept = try #require(story.machine.memory.incidents.first)
        #expect(kept.id == "INC-1" && kept.state == .acknowledged && kept.acknowledgedBy == "ann")
    }

    @Test func `what turns out to be one cause is said to have joined, and is found under its old number`() throws {
        var story = failing()
        story.tell(asking([incident(["a"]), incident(["b"])]))
        #expect(story.lines.filter { $0.hasPrefix("incident: INC-") }.count == 2)
        finish(&story)
        var one = incident(["a"])
        one.tests = ["a", "b"]
        one.diagnosis?.culprit = Culprit(commit: Samples.other, subject: "change", probability: 0.99)
        story.conclude([one])
        #expect(story.lines.contains("incident: INC-2 joined INC-1: one cause, culprit \(Samples.other.short)"))
        #expect(story.machine.memory.incidents.map(\.joined) == [["INC-2"]])
        #expect(story.machine.cycle?.incidents.map(\.joined) == [["INC-2"]])
        // The number is not given again.
        story.seal()
        story.wake()
        story.see(Samples.other)
        story.pass(failing: ["c"])
        story.conclude([incident(["c"])])
        #expect(story.machine.memory.incidents.map(\.id) == ["INC-1", "INC-3"])
    }

    @Test func `an incident that is known is told by its number, and what splits off later by a new one`() throws {
        var story = failing()
        story.conclude([incident(["a"])])
        story.pass()
        story.seal()
        story.wake()
        story.see(Samples.other)
        story.pass(failing: ["a", "b"])
        var answer = TriageAnswered(
            cycle: 2,
            experiment: Experiment(
                number: 1, kind: .rerun, question: "?", revision: Samples.other,
                tests: [Experiment.Selection(suite: "login", only: ["a"])], times: 1))
        answer.opened = [incident(["a"])]
        story.tell(.triageAnswered(answer))
        #expect(story.lines.first == "incident: INC-1 boom (1 test), seen 2 times since #1")
        finish(&story)
        answer.experiment?.number = 2
        answer.opened = [incident(["b"])]
        story.tell(.triageAnswered(answer))
        #expect(story.lines.contains("incident: INC-2 boom (1 test), first time in 2 cycles"))
        #expect(story.machine.cycle?.announced.map(\.id) == ["INC-1", "INC-2"])
    }

    @Test func `a cycle that ends before triage does says that what it announced is not kept`() throws {
        var story = failing()
        story.tell(asking([incident(["a"])]))
        story.tell(.stopRequested(StopRequested(now: false, by: "ann")))
        story.end(.stopped)
        #expect(story.lines.contains("incident: INC-1 not kept: the cycle ended before triage did"), "\(story.lines)")
        #expect(story.machine.memory.incidents.isEmpty)
    }

    @Test func `an experiment's line waits for what triage makes of it, and is said without where there is nothing`() {
        var story = failing()
        story.tell(asking([incident(["a"])]))
        finish(&story)
        #expect(!story.lines.contains { $0.hasPrefix("rerun:") })
        story.tell(asking([], number: 2, finding: "p(flake) 0.4 % <= 1 %: deterministic"))
        let result = "rerun: \(Samples.wanted.short) 1/1 fail"
        #expect(story.lines.first == "\(result); p(flake) 0.4 % <= 1 %: deterministic")
        finish(&story)
        story.conclude([incident(["a"])])
        #expect(story.lines.first == result)
    }

    @Test func `an experiment that deploys says what it may cost`() {
        var story = failing()
        story.answer(.baseline, Samples.green, number: 1)
        #expect(story.lines.contains { $0.hasPrefix("triage: ? (deploy 1 <= 6, ") && $0.hasSuffix(" < 2h)") })
    }

    @Test func `the verdict names its rule, how often it holds, and what passed`() throws {
        var story = failing()
        story.conclude([])
        let line = try #require(story.lines.first { $0.hasPrefix("verdict:") })
        #expect(line.contains("failing -> HOLD, rule test-failed x2; staging serves"), "\(line)")
        var healthy = Story()
        healthy.wake()
        healthy.see()
        healthy.pass()
        let said = try #require(healthy.lines.first { $0.hasPrefix("verdict:") })
        #expect(said.contains("healthy -> SHIP, 30/30 pass, no rule against it; staging serves"), "\(said)")
    }

    @Test func `a diagnosis shows what its grade rests on`() {
        var story = failing()
        var found = incident(["a"])
        found.diagnosis?.grounds = "93 % >= 80 %"
        story.conclude([found])
        #expect(story.lines.contains("diagnosis: INC-1 proven: code-regression; 93 % >= 80 %"))
    }
}
