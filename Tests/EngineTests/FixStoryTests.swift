// SPDX-License-Identifier: Apache-2.0
// Fixes, step by step: roles, audit, words, commit, proof, and the way back.

import Domain
import Testing

@testable import Engine

struct FixStoryTests {
    private static let fixed = Revision("f1f1f1f000000000000000000000000000000000")

    private func policy(_ allow: [RemedyKind], roles: [Role] = [.implement, .review]) -> LoopPolicy {
        var policy = Samples.policy
        policy.allow = allow
        policy.fix = FixPolicy(FixSettings(paths: ["src/*"]), RoleSettings())
        policy.fix?.roles = roles
        return policy
    }

    /// A cycle whose culprit is proven, up to what is done about it.
    private func diagnosed(
        _ policy: LoopPolicy, passesAlone: Int = 0, irreversible: String? = nil,
        category: Domain.Category = .codeRegression
    ) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        if passesAlone > 0 {
            story.answer(.rerun, Samples.wanted, number: 1, times: passesAlone)
            for _ in 0..<passesAlone { story.test() }
            story.end(live: Samples.wanted)
        }
        story.conclude(
            [
                Samples.incident(
                    ["a"], category, policy.allow.contains(.rollback) ? .rollback : .fix, culprit: Samples.wanted)
            ], irreversible: irreversible)
        return story
    }

    private func commit(_ story: inout Story) {
        #expect(story.run?.subject == FixStep.commit)
        var reading = RoleReading(step: FixStep.commit)
        reading.revision = Self.fixed
        reading.branch = "nightjar/fix-INC-1"
        story.end(role: reading)
    }

    /// Roles and audit say yes; the change is committed.
    private func prepare(_ story: inout Story) {
        while let run = story.run, run.kind == .remedy, run.subject != FixStep.commit { story.end() }
    }

    /// Everything that runs on the fix (or on what is gone back to) does what it should.
    private func allPasses(_ story: inout Story, failing: [String] = []) {
        while let run = story.run {
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test: story.test(failing: run.subject == "login" ? failing : [])
            }
        }
    }

    @Test func `a fix is prepared, committed, proven on its branch, and the environment goes back`() {
        var story = diagnosed(policy([.fix], roles: [.investigate, .implement, .review]))
        var steps: [String] = []
        while let run = story.run, run.kind == .remedy, run.subject != FixStep.commit {
            steps.append(run.subject ?? "")
            story.end()
        }
        #expect(steps == ["investigate", "implement", "audit", "review"])
        commit(&story)
        #expect(story.run?.folder == "fix-1")
        #expect(story.run?.revision == Self.fixed)
        story.end()
        story.end(live: Self.fixed)
        // What failed first, as often as it must, then everything.
        #expect(story.run?.only == ["a"])
        story.test()
        #expect(story.run?.only == nil)
        while story.run?.revision == Self.fixed {
            if story.run?.kind == .test { story.test() } else { story.end(live: Self.fixed) }
        }
        let action = story.machine.cycle?.actions.first
        #expect(action?.outcome == .succeeded)
        #expect(action?.name == Self.fixed.id)
        #expect(action?.branch == "nightjar/fix-INC-1")
        // Nobody allowed a rollback: the wanted revision comes back.
        #expect(story.place == "restore-1")
        #expect(story.run?.revision == Samples.wanted)
        allPasses(&story)
        #expect(story.verdict == .failing)
        #expect(story.machine.memory.serving == Samples.wanted)
        #expect(story.machine.cycle?.fix?.audit.map(\.rule) == ["test-count", "test-count", "test-count"])
        #expect(story.machine.memory.lastGreen == Samples.green)
    }

    @Test func `with rollback the environment is restored first, then mended, and ends at the last green revision`() {
        var story = diagnosed(policy([.rollback, .fix]))
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
        #expect(story.run?.subject == "implement")
        prepare(&story)
        commit(&story)
        allPasses(&story)
        #expect(story.machine.memory.serving == Samples.green)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded, .succeeded])
        #expect(story.machine.cycle?.records.last?.run.revision == Samples.green)
    }

    @Test func `a proven fix stays where the configuration says so`() {
        var keeping = policy([.fix])
        keeping.fix?.afterwards = .keep
        keeping.fix?.pushes = true
        var story = diagnosed(keeping)
        prepare(&story)
        commit(&story)
        var pushed = false
        while let run = story.run {
            pushed = pushed || run.subject == FixStep.push
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test: story.test()
            }
        }
        #expect(pushed)
        #expect(story.machine.memory.serving == Self.fixed)
        // It is a fix of the revision, not a verdict about it.
        #expect(story.verdict == .failing)
    }

    @Test(arguments: ["implement", "audit", "review", "commit"])
    func `a step that says no ends the fix, and nothing is deployed`(_ step: String) {
        var story = diagnosed(policy([.fix]))
        while let run = story.run, run.subject != step { story.end() }
        story.end(.failed, "refused: it edits tests")
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.failed])
        #expect(story.machine.cycle?.actions.first?.result == "\(step): refused: it edits tests")
        #expect(story.machine.cycle?.fix?.wasDeployed == false)
    }

    @Test(arguments: [StageOutcome.lost, .timedOut, .couldNotRun, .stopped])
    func `a role whose end says nothing ends the fix`(_ outcome: StageOutcome) {
        var story = diagnosed(policy([.fix]))
        story.end(outcome)
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.failed])
        // Fenced before it ran: it is run.
        story = diagnosed(policy([.fix]))
        story.end(.neverRan)
        #expect(story.run?.folder == "remedy-2-implement")
    }

    @Test func `a fix that does not cure is not proven, and the environment goes back`() {
        var story = diagnosed(policy([.fix]))
        prepare(&story)
        commit(&story)
        story.end()
        story.end(live: Self.fixed)
        story.test(failing: ["a"])
        #expect(story.machine.cycle?.actions.first?.outcome == .failed)
        #expect(story.place == "restore-1")
        allPasses(&story)
        #expect(story.machine.memory.serving == Samples.wanted)
    }

    @Test func `a fix that breaks something else is not proven; what failed before and is another matter may fail on`()
    {
        for (failing, isProven) in [(["a"], false), (["new"], false), ([], true)] {
            var story = diagnosed(policy([.fix]))
            prepare(&story)
            commit(&story)
            story.end()
            story.end(live: Self.fixed)
            story.test()
            allPasses(&story, failing: failing)
            #expect(story.machine.cycle?.actions.first?.outcome == (isProven ? .succeeded : .failed), "\(failing)")
        }
        var story = Story(policy([.fix]))
        story.wake()
        story.see()
        story.pass(failing: ["a", "b"])
        story.conclude([Samples.incident(["a"], .codeRegression, .none, culprit: Samples.wanted)])
        prepare(&story)
        commit(&story)
        story.end()
        story.end(live: Self.fixed)
        story.test()
        allPasses(&story, failing: ["b"])
        #expect(story.machine.cycle?.actions.first?.outcome == .succeeded)
    }

    @Test func `a fix that makes fewer tests run is refused`() {
        var story = diagnosed(policy([.fix]))
        prepare(&story)
        commit(&story)
        while let run = story.run, run.revision == Self.fixed {
            switch run.kind {
            case .stabilize: story.end(live: run.revision)
            case .test:
                var reading = Samples.reading(only: run.only)
                if run.only == nil, run.subject == "login" {
                    reading.totals.skipped += 1
                    reading.totals.passed -= 1
                }
                story.end(suite: reading)
            case .deploy, .remedy: story.end()
            }
        }
        #expect(story.machine.cycle?.actions.first?.outcome == .failed)
        #expect(story.machine.cycle?.actions.first?.result?.contains("login: 9 tests ran < 10 before") == true)
    }

    @Test func `a failure that came and went must stay away as often as its rate demands`() {
        // 1 of 4 failed: 0.75^k <= 0.05 from 11 on.
        var story = diagnosed(policy([.fix]), passesAlone: 3)
        prepare(&story)
        commit(&story)
        story.end()
        story.end(live: Self.fixed)
        var clean = 0
        while story.run?.only == ["a"] {
            clean += 1
            story.test()
        }
        #expect(clean == 11)
        #expect(CleanPasses.needed(failures: 1, runs: 1, confidence: 0.99) == 1)
        #expect(CleanPasses.needed(failures: 1, runs: 2, confidence: 0.95) == 5)
        #expect(CleanPasses.needed(failures: 0, runs: 5, confidence: 0.95) == nil)
        #expect(CleanPasses.needed(failures: 1, runs: 100, confidence: 0.95) == nil)
    }

    // MARK: - Words

    private func asked(_ roles: [Role] = [.implement]) -> Story {
        var policy = policy([], roles: roles)
        policy.approve = [.fix]
        return diagnosed(policy)
    }

    private func say(_ story: inout Story, _ verb: OperatorRequest.Verb, _ reason: String? = nil) {
        let words = ApprovalWords(subject: .fix, reason: reason)
        story.tell(.operatorRequested(OperatorRequest(verb: verb, by: "ann", argument: "INC-1", answer: words)))
    }

    @Test func `the word about a fix is asked for when there is a change to look at`() {
        var story = asked()
        prepare(&story)
        #expect(story.place == "awaitingApproval")
        // A restart asks on.
        story.restart()
        #expect(story.place == "awaitingApproval")
        say(&story, .approve, "looks right")
        commit(&story)
        #expect(story.machine.cycle?.actions.first?.approvedBy == "ann")
        #expect(story.machine.cycle?.actions.first?.approvedBecause == "looks right")
        allPasses(&story)
        #expect(story.machine.cycle?.actions.first?.outcome == .succeeded)

        story = asked()
        prepare(&story)
        say(&story, .reject, "too large")
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.first?.outcome == .skipped)
        #expect(story.machine.cycle?.actions.first?.result == "rejected by ann: too large")

        story = asked()
        prepare(&story)
        story.ringApproval()
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.first?.outcome == .skipped)
    }

    @Test(arguments: RoleDecision.allCases)
    func `a role may answer in the person's place, or leave it to the person`(_ decision: RoleDecision) {
        var story = asked([.implement, .approve])
        story.end()
        story.end()
        #expect(story.run?.subject == "approve")
        var reading = RoleReading(step: "approve")
        reading.decision = decision
        story.end(role: reading)
        switch decision {
        case .approve:
            commit(&story)
            #expect(story.machine.cycle?.actions.first?.approvedBy == "role approve")
        case .reject, .giveUp:
            #expect(story.machine.cycle?.actions.first?.outcome == .skipped)
            #expect(story.place == "concluding")
        case .ask, .done:
            #expect(story.place == "awaitingApproval")
        }
    }

    // MARK: - Restraint

    @Test func `what is no matter of code is not mended, and nothing unproven`() {
        for category in [Domain.Category.dependencyDown, .flakyTest, .environmentDown, .transient, .fakeEvidence] {
            let story = diagnosed(policy([.fix]), category: category)
            #expect(story.place == "concluding", "\(category)")
        }
        var story = Story(policy([.fix]))
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, grade: .likely, culprit: Samples.wanted)])
        #expect(story.place == "concluding")
        // Without a role there is nobody to do it.
        let alone = diagnosed(policy([.fix], roles: []))
        #expect(alone.machine.cycle?.actions.last?.because == "remedy.roles.implement is not configured")
    }

    @Test func `an incident has so many fixes, and a migration is not crossed there and back`() {
        var story = diagnosed(policy([.fix]))
        story.end(.failed)
        story.seal()
        story.wake()
        story.see(live: Samples.wanted)
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback, culprit: Samples.wanted)])
        #expect(story.lines.contains { $0.contains("1 of 1 fixes for INC-1 are spent") })
        #expect(story.place == "concluding")
    }

    @Test func `an abort restores what the fix moved, and a stop says where it is left`() {
        var story = diagnosed(policy([.fix]))
        prepare(&story)
        commit(&story)
        story.end()
        story.end(live: Self.fixed)
        var stopped = story
        story.tell(.operatorRequested(OperatorRequest(verb: .abort, by: "ann")))
        story.end(.stopped)
        #expect(story.place == "restore-1")
        allPasses(&story)
        #expect(story.verdict == .interrupted)
        #expect(story.machine.cycle?.actions.first?.outcome == .failed)
        stopped.tell(.stopRequested(StopRequested(now: false, by: "SIGTERM")))
        stopped.end(.stopped)
        #expect(stopped.lines.contains { $0.contains("staging is left at \(Self.fixed.short)") })
    }
}
