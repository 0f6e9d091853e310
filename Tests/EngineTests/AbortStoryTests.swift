// SPDX-License-Identifier: Apache-2.0
// What follows the abort of a deployment, and what is known of the environment where nothing was deployed.

import Domain
import Testing

@testable import Engine

struct AbortStoryTests {
    /// A loop that deploys and is told to abort; the deployment has ended and `left` answers.
    private func aborted(
        green: Revision? = Samples.green, before: Revision? = Samples.green, left: Revision?,
        change: (inout WorkSeen) -> Void = { _ in }
    ) -> Story {
        var story = Story(green: green)
        story.wake()
        var work = WorkSeen(trigger: .schedule, wanted: Samples.wanted, live: before)
        change(&work)
        story.tell(.workSeen(work))
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        guard let run = story.run else {
            Issue.record("nothing runs but \(story.place)")
            return story
        }
        var record = Samples.record(run, .stopped, at: story.now)
        record.leftLive = left.map { LiveReading(revision: $0) }
        story.tell(.stageEnded(record))
        return story
    }

    @Test func `an aborted deployment that left something else is followed by the last green revision`() {
        var story = aborted(left: Samples.wanted)
        #expect(story.run?.kind == .deploy && story.run?.purpose == .restore)
        #expect(story.run?.revision == Samples.green)
        #expect(story.lines.contains { $0.hasPrefix("restore: ") && $0.contains("the aborted deployment left") })
        story.restart()
        story.end()
        story.end(live: Samples.green)
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "aborted")
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.machine.cycle?.returnsTo == Samples.green)
    }

    @Test func `what it left is not known: the last green revision is deployed`() {
        #expect(aborted(left: nil).run?.revision == Samples.green)
    }

    @Test func `nothing is deployed where what was live still is`() {
        let story = aborted(left: Samples.green)
        #expect(story.place == "concluding")
        #expect(story.lines.contains { $0.contains("not restored: what was live before the deployment still is") })
        #expect(story.machine.memory.serving == Samples.green)
    }

    @Test func `a line says why nothing is restored`() {
        let unknown = aborted(green: nil, left: Samples.wanted)
        #expect(unknown.place == "concluding")
        #expect(unknown.lines.contains { $0.contains("not restored: no revision is known to be green") })
        let barred = aborted(left: Samples.wanted) { $0.irreversible = "db/1.sql changed" }
        #expect(barred.place == "concluding")
        #expect(barred.lines.contains { $0.contains("not restored: db/1.sql changed") })
        let other = aborted(before: Samples.other, left: Samples.wanted)
        #expect(other.place == "concluding")
        #expect(other.lines.contains { $0.contains("was live before, and the last green revision is") })
    }

    @Test func `what others deployed meanwhile stays`() {
        let story = aborted(left: Samples.other)
        #expect(story.place == "concluding")
        #expect(story.lines.contains { $0.contains("not restored: others deployed \(Samples.other.short) meanwhile") })
    }

    @Test func `where nobody knows what was live, nothing is put in its place`() {
        let story = aborted(before: nil, left: Samples.wanted)
        #expect(story.place == "concluding")
        #expect(story.lines.contains { $0.contains("not restored: what was live before is unknown") })
    }

    @Test func `what served before the first attempt is what comes back, not what that attempt left`() {
        var policy = Samples.policy
        policy.deployAttempts = 2
        var story = Story(policy)
        story.wake()
        story.see()
        guard let first = story.run else { return }
        var failed = Samples.record(first, .failed, at: story.now)
        failed.leftLive = LiveReading(revision: Samples.wanted)
        story.tell(.stageEnded(failed))
        #expect(story.run?.folder == "deploy-2")
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        guard let second = story.run else { return }
        var stopped = Samples.record(second, .stopped, at: story.now)
        stopped.leftLive = LiveReading(revision: Samples.wanted)
        story.tell(.stageEnded(stopped))
        #expect(story.run?.purpose == .restore && story.run?.revision == Samples.green)
    }

    @Test func `a deployment that a runbook needs is no way back`() {
        var policy = Samples.policy
        policy.runbook = [RunbookPolicy(name: "restart", categories: [.dependencyDown], attempts: 1)]
        var story = Story(policy)
        story.wake()
        story.see()
        story.end(.failed)
        story.conclude([Samples.incident([], .dependencyDown, .runbook, suites: [], runbook: "restart")])
        #expect(story.run?.kind == .remedy)
        story.end()
        #expect(story.run?.purpose == .redeploy)
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        guard let run = story.run else { return }
        var record = Samples.record(run, .stopped, at: story.now)
        record.leftLive = LiveReading(revision: Samples.wanted)
        story.tell(.stageEnded(record))
        #expect(!story.lines.contains { $0.contains("the way back itself was aborted") })
        #expect(story.run?.purpose == .restore && story.run?.revision == Samples.green)
    }

    @Test func `a deployment that was stopped before it began has moved nothing`() {
        var story = Story()
        story.wake()
        story.see()
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        story.end(.neverRan)
        #expect(story.place == "concluding")
        #expect(story.rules.first == "aborted")
        #expect(story.machine.memory.serving == Samples.green)
    }

    // MARK: - The next look

    @Test func `an abort survives a restart`() {
        var story = Story()
        story.wake()
        story.see()
        story.end()
        story.end(live: Samples.wanted)
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        let run = story.run
        story.restart()
        story.tell(.settingsAdopted(SettingsAdopted(policy: story.policy, hash: "hash", path: "p")))
        #expect(story.run == run)
        story.end(.stopped)
        #expect(story.verdict == .interrupted)
    }

    /// Aborted while its tests run; the next look wants the same.
    private func abortedInTests(policy: LoopPolicy = Samples.policy) -> Story {
        var story = Story(policy)
        story.wake()
        story.see(live: policy.mode == .operate ? Samples.green : Samples.wanted)
        if policy.mode == .operate { story.end() }
        story.end(live: Samples.wanted)
        var request = OperatorRequest(verb: .abort, by: "ann", argument: "wrong moment")
        request.uid = 1000
        story.tell(.operatorRequested(request))
        story.end(.stopped)
        #expect(story.rules.first == "aborted")
        story.seal()
        return story
    }

    @Test func `an aborted revision is not deployed again by the schedule, also after a restart`() {
        var story = abortedInTests()
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.place == "waiting")
        let words = "no revision newer than 9e1b7a3 (#1 aborted by ann: wrong moment); nightjar trigger deploys it"
        #expect(story.lines.contains("waiting: \(words)"), "\(story.lines)")
        story.restart()
        story.wake()
        story.see(live: Samples.green)
        #expect(story.place == "waiting")
    }

    @Test func `something newer is deployed, and then the aborted one is a revision like any other`() {
        var story = abortedInTests()
        story.wake()
        story.see(Samples.other, live: Samples.wanted)
        #expect(story.run?.kind == .deploy && story.run?.revision == Samples.other)
        story.pass()
        story.seal()
        #expect(story.machine.memory.aborted == nil)
        story.wake()
        story.see(live: Samples.other)
        #expect(story.run?.kind == .deploy && story.run?.revision == Samples.wanted)
    }

    @Test func `who triggers it or asks for a cycle gets it`() {
        var story = abortedInTests()
        story.tell(.operatorRequested(OperatorRequest(verb: .trigger, by: "ann")))
        story.see(live: Samples.wanted, trigger: .request)
        #expect(story.run?.kind == .deploy)
        story = abortedInTests()
        story.restart(cycles: 1)
        story.wake()
        story.see(live: Samples.wanted, trigger: .once)
        #expect(story.run?.kind == .deploy)
    }

    @Test func `a loop that deploys nothing looks again`() {
        var policy = Samples.policy
        policy.mode = .verify
        var story = abortedInTests(policy: policy)
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.run?.kind == .stabilize)
    }

    @Test func `the evidence has the user who asked`() {
        let story = abortedInTests()
        let event = story.journal.lazy.map(\.event).first { if case .operatorRequested = $0 { true } else { false } }
        #expect(event.flatMap { RequestRecord($0, at: Samples.start) }?.uid == 1000)
    }

    // MARK: - What staging serves

    @Test func `what a look read is served until something is deployed`() {
        var story = Story(cycles: 1)
        story.wake()
        story.see(trigger: .once)
        story.end(.refused, "permit says not now (exit 75)")
        #expect(story.place == "concluding")
        #expect(story.lines.contains { $0.contains("staging serves \(Samples.green.short)") })

        story = Story()
        story.wake()
        story.see()
        #expect(story.machine.memory.serving == nil)
        story.end(.couldNotRun, infrastructure: true)
        #expect(story.machine.memory.serving == Samples.green)
    }

    @Test func `the log names the wait that is kept`() {
        for (cycles, seconds) in [(1, 1), (nil, 5)] as [(Int?, Int)] {
            var story = Story(cycles: cycles)
            story.wake()
            story.see(trigger: cycles == nil ? .schedule : .once)
            story.end(.couldNotRun, infrastructure: true)
            #expect(story.lines.contains { $0.contains("tried again in \(seconds)s") })
            #expect(story.timer?.delay == .seconds(seconds))
        }
    }

    @Test func `services are remembered by the revision whose deployment named them`() {
        func deployed(_ story: inout Story, _ service: String?) {
            guard let run = story.run else { return }
            var record = Samples.record(run, .succeeded, at: story.now)
            record.services = service.map { [ServiceState(name: "api", wanted: Revision($0))] } ?? []
            story.tell(.stageEnded(record))
        }
        var story = Story()
        story.wake()
        story.see()
        deployed(&story, "api-1")
        let known = [
            DeployedServices(revision: Samples.wanted, services: [ServiceState(name: "api", wanted: Revision("api-1"))])
        ]
        #expect(story.machine.memory.deployments == known)
        #expect(known[0].wanted(of: "api") == Revision("api-1") && known[0].wanted(of: "web") == Samples.wanted)
        // A deployment that says nothing takes nothing back.
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(story.run?.purpose == .rollback)
        deployed(&story, nil)
        #expect(story.machine.memory.deployments == known)
    }
}
