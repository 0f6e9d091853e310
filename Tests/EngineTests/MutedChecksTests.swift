// SPDX-License-Identifier: Apache-2.0
// A pass that a change to the tests has made carries nothing.

import Domain
import Testing

@testable import Engine

struct MutedChecksTests {
    private static let without = Revision("0ddba11000000000000000000000000000000000")
    private static let culprit = Revision("badc0de000000000000000000000000000000000")

    /// Everything passes; then the commit is taken back alone, and the suite runs whole once and `a` twice more.
    private func story(_ failing: [[String]], _ policy: LoopPolicy = Samples.policy) -> Story {
        var policy = policy
        policy.triage.burnIn = BurnInSettings()
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass()
        for number in 1...2 {
            let asked = Experiment(
                number: number, kind: .revert, question: "?", revision: MutedChecksTests.without,
                tests: [Experiment.Selection(suite: "login", only: number == 1 ? [] : ["a"])], times: number,
                reverting: MutedChecksTests.culprit)
            story.tell(.triageAnswered(TriageAnswered(cycle: story.machine.memory.cycle, experiment: asked)))
            var runs = number == 1 ? failing.prefix(1)[...] : failing.dropFirst()
            while let run = story.run, run.experiment == number {
                switch run.kind {
                case .test: story.test(failing: runs.popFirst() ?? [])
                case .deploy, .remedy: story.end()
                case .stabilize: story.end(live: run.revision)
                }
            }
        }
        story.conclude([])
        while let run = story.run { run.kind == .stabilize ? story.end(live: run.revision) : story.end() }
        return story
    }

    @Test func `tests that fail each time without one commit prove nothing with it`() throws {
        let story = story([["a"], ["a"], ["a"]])
        let judgement = try #require(story.machine.cycle?.concluded)
        #expect(judgement.verdict == .unproven)
        #expect(judgement.recommendation == .hold)
        #expect(judgement.reasons.first?.rule == "checks-muted")
        #expect(
            judgement.reasons.first?.text == "1 test does not fail here, and without badc0de alone it does each time; a: boom")
        #expect(judgement.suites.first { $0.name == "login" }?.status == .unproven)
        #expect(story.machine.cycle?.deployed == Samples.wanted)
    }

    @Test func `what is in quarantine is hidden from nobody`() {
        var policy = Samples.policy
        policy.quarantine = [QuarantineEntry(test: "a", owner: "ann", reason: "known", until: "2026-12-31")]
        #expect(story([["a"], ["a"], ["a"]], policy).machine.cycle?.concluded?.verdict == .healthy)
    }

    @Test(arguments: [[["a"], [], ["a"]], [["a"], ["a"], []], [[], [], []], [["b"], [], []]])
    func `what does not fail each time is luck`(failing: [[String]]) {
        #expect(story(failing).machine.cycle?.concluded?.verdict == .healthy)
    }
}
