// SPDX-License-Identifier: Apache-2.0
// What was away for a moment is over: a whole pass says whether the revision passes, with no deployment.

import Domain
import Testing

@testable import Engine

struct PassOnceMoreTests {
    private func healed(
        _ policy: LoopPolicy = Samples.policy, _ incidents: [Incident] = [PassOnceMoreTests.incident()]
    ) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude(incidents)
        return story
    }

    private static func incident(
        _ category: Domain.Category = .transient, _ grade: Grade = .likely, action: RemedyKind = .rerun
    ) -> Incident { Samples.incident(["a"], category, action, grade: grade) }

    /// The rest of the pass that is under way.
    private func finish(_ story: inout Story, failing: [String]) {
        while let run = story.run {
            #expect(run.kind != .deploy)
            run.kind == .stabilize
                ? story.end(live: run.revision) : story.test(failing: run.subject == "login" ? failing : [])
        }
    }

    @Test func `everything runs once more where it stands, and its outcome is the verdict`() throws {
        var story = healed()
        #expect(story.lines.contains { $0.contains("all suites once more: INC-1 transient, and it is over") })
        #expect(story.run?.kind == .stabilize)
        finish(&story, failing: [])
        #expect(story.verdict == .healthy)
        #expect(story.machine.cycle?.actions.map(\.kind) == [.rerun])
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
        #expect(story.machine.cycle?.incidents.map(\.id) == ["INC-1"])
    }

    @Test func `what fails again is asked about with both passes in view, and not passed over again`() {
        var story = healed()
        let first = story.machine.cycle?.records.count ?? 0
        finish(&story, failing: ["a"])
        #expect(story.place == "asking")
        #expect(story.machine.cycle?.decidingFrom == first)
        #expect(story.machine.cycle?.observedFrom == 0)
        story.conclude([PassOnceMoreTests.incident()])
        #expect(story.verdict == .degraded || story.verdict == .failing)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.failed])
    }

    @Test func `no mode is too careful for it, as nothing is deployed`() {
        var policy = Samples.policy
        policy.mode = .observe
        policy.hasDeploy = false
        var story = healed(policy)
        finish(&story, failing: [])
        #expect(story.verdict == .healthy)
    }

    @Test(arguments: [
        [PassOnceMoreTests.incident(.transient, .possible)], [PassOnceMoreTests.incident(.flakyTest)],
        [PassOnceMoreTests.incident(), Samples.incident(["b"], .codeRegression, .none)],
    ])
    func `what may be something else is not passed over`(incidents: [Incident]) {
        #expect(healed(Samples.policy, incidents).machine.cycle?.actions.contains { $0.kind == .rerun } == false)
    }
}
