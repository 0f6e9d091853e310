// SPDX-License-Identifier: Apache-2.0
// After a good pass over a new revision triage is asked which tests one pass says too little about.

import Domain
import Testing

@testable import Engine

struct BurnInStoryTests {
    /// A cycle in which everything passes.
    private func passed(_ settings: BurnInSettings = BurnInSettings()) -> Story {
        var policy = Samples.policy
        policy.triage.burnIn = settings
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: [])
        return story
    }

    private func run(_ story: inout Story, failing: [String]) {
        story.answer(.burnIn, Samples.wanted, number: 1, times: 3)
        while let run = story.run, run.experiment == 1 {
            #expect(run.kind != .deploy)
            if run.kind == .test { story.test(failing: failing) } else { story.end(live: run.revision) }
        }
        #expect(story.place == "asking")
    }

    @Test func `what passes each time is healthy`() {
        var story = passed()
        #expect(story.place == "asking")
        run(&story, failing: [])
        story.conclude([])
        #expect(story.machine.cycle?.concluded?.verdict == .healthy)
    }

    @Test func `what passed and then fails now and then is no healthy revision, and nothing is rolled back`() {
        var story = passed()
        run(&story, failing: ["a"])
        story.conclude([Samples.incident(["a"], .flakyTest, .rerun, grade: .likely)])
        let judgement = story.machine.cycle?.concluded
        #expect(judgement?.verdict == .degraded)
        #expect(judgement?.recommendation == .hold)
        #expect(judgement?.reasons.first?.rule == "flaky")
        #expect(judgement?.reasons.first?.text == "a passes in the pass and fails in 3 of 3 runs more")
        #expect(story.machine.cycle?.actions.isEmpty == true)
    }

    @Test func `nobody is asked where there are no runs to be made`() {
        #expect(passed(BurnInSettings(runs: 0)).machine.cycle?.concluded?.verdict == .healthy)
    }
}
