// SPDX-License-Identifier: Apache-2.0
// Questions to people, step by step: what is asked, what each word does, and what happens where nobody says one.

import Domain
import Testing

@testable import Engine

struct ApprovalStoryTests {
    private var policy: LoopPolicy {
        var policy = Samples.policy
        policy.approve = [.rollback]
        return policy
    }

    private static let migration = "migrations/0007.sql changed since 4f2a9c1 and matches deploy.irreversible"

    /// A cycle that waits for a word about a rollback.
    private func asking(_ policy: LoopPolicy, irreversible: String? = nil) -> Story {
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)], irreversible: irreversible)
        #expect(story.place == "awaitingApproval")
        return story
    }

    private func say(
        _ story: inout Story, _ verb: OperatorRequest.Verb, _ incident: String? = nil, _ words: ApprovalWords? = nil
    ) {
        story.tell(.operatorRequested(OperatorRequest(verb: verb, by: "ann", argument: incident, answer: words)))
    }

    private func rollBack(_ story: inout Story) {
        #expect(story.place == "rollback-1")
        while let purpose = story.run?.purpose, [.rollback, .reverify, .recheck].contains(purpose) {
            if story.run?.kind == .test { story.test() } else { story.end(live: story.run?.revision) }
        }
    }

    @Test func `what needs a word is asked for, with the command to type and the time it is waited`() {
        let story = asking(policy)
        let line = story.lines.first { $0.hasPrefix("approval:") } ?? ""
        #expect(line.contains("INC-1 rollback to \(Samples.green.short) waits for a person until"))
        #expect(line.contains("nightjar approve INC-1 rollback, or nightjar reject INC-1; then hold"))
        let timer = story.actions.compactMap {
            if case .wake(let id, let delay) = $0, id.name == .approval { delay } else { nil }
        }
        #expect(timer == [.seconds(14_400)])
    }

    @Test func `approved: it is done, and who said so and why is in the evidence`() {
        var story = asking(policy)
        say(&story, .approve, "INC-1", ApprovalWords(subject: .rollback, reason: "staging is needed"))
        #expect(story.answer?.isDone == true)
        rollBack(&story)
        #expect(story.machine.cycle?.actions.map(\.outcome) == [.succeeded])
        #expect(story.machine.cycle?.actions.first?.approvedBy == "ann")
        #expect(story.machine.cycle?.actions.first?.approvedBecause == "staging is needed")
        #expect(story.verdict == .failing)
        #expect(story.machine.memory.serving == Samples.green)
        // It was answered: a second word finds nothing to act upon.
        say(&story, .approve)
        #expect(story.answer?.isDone == false)
        #expect(story.answer?.words.contains("nothing waits for approval") == true)
    }

    @Test func `rejected: it is not done, and the cycle goes on without it`() {
        var story = asking(policy)
        say(&story, .reject, nil, ApprovalWords(reason: "fixing forward"))
        #expect(story.answer?.isDone == true)
        #expect(story.place == "concluding")
        #expect(story.verdict == .failing)
        let action = story.machine.cycle?.actions.first
        #expect(action?.outcome == .skipped)
        #expect(action?.because.contains("rejected by ann: fixing forward") == true)
        #expect(story.machine.memory.rollbacks.isEmpty)
        #expect(story.machine.memory.knownBad.isEmpty)
    }

    @Test func `nobody answers: hold, or abort as configured`() {
        var story = asking(policy)
        story.ringApproval()
        #expect(story.place == "concluding")
        #expect(story.verdict == .failing)
        #expect(story.machine.cycle?.actions.first?.because.contains("nobody answered by") == true)
        var aborting = policy
        aborting.atDeadline = .abort
        story = asking(aborting)
        story.ringApproval()
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "aborted")
    }

    @Test func `a rollback across a migration always asks, and only a word that says so is taken`() {
        var policy = Samples.policy
        policy.approve = nil
        var story = asking(policy, irreversible: Self.migration)
        #expect(story.lines.contains { $0.contains("nightjar approve INC-1 rollback --past-migration") })
        say(&story, .approve, "INC-1", ApprovalWords(subject: .rollback))
        #expect(story.answer?.isDone == false)
        #expect(story.answer?.words.contains("--past-migration") == true)
        #expect(story.place == "awaitingApproval")
        say(&story, .approve, "INC-1", ApprovalWords(subject: .rollback, pastMigration: true))
        rollBack(&story)
        #expect(story.machine.cycle?.actions.first?.approvedBy == "ann")
        // Where rollback is not allowed at all, nobody is asked.
        policy.allow = []
        story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)], irreversible: Self.migration)
        #expect(story.place == "concluding")
    }

    @Test func `where a migration keeps the cause from being proven, going back is a person's question`() {
        let unknown = Samples.incident(["a"], .unknown, .none, grade: .unknown)
        for (incident, isAsked) in [
            (unknown, true), (Samples.incident(["a"], .flakyTest, .rerun, grade: .likely), false),
            (Samples.incident(["a"], .unknown, .none, grade: .unknown, suites: ["extras"]), false),
            (Samples.incident([], .unknown, .none, grade: .unknown, suites: []), false),
        ] {
            var story = Story()
            story.wake()
            story.see()
            story.pass(failing: ["a"])
            story.conclude([incident], irreversible: Self.migration)
            #expect((story.place == "awaitingApproval") == isAsked, "\(incident.title)")
            guard isAsked else { continue }
            #expect(story.lines.contains { $0.contains("the cause is not proven") })
            say(&story, .approve, "INC-1", ApprovalWords(subject: .rollback, pastMigration: true))
            rollBack(&story)
            #expect(story.machine.cycle?.actions.first?.approvedBy == "ann")
        }
        // Without a migration nothing is rolled back for an unknown cause.
        var story = Story()
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.conclude([unknown])
        #expect(story.place == "concluding")
    }

    @Test func `a word for something else is not taken`() {
        var story = asking(policy)
        for (incident, words) in [
            ("INC-9", ApprovalWords()), (nil, ApprovalWords(subject: .fix)),
            ("INC-1", ApprovalWords(subject: .rollback, name: "other")),
        ] {
            for verb in [OperatorRequest.Verb.approve, .reject] {
                say(&story, verb, incident, words)
                #expect(story.answer?.isDone == false)
                #expect(story.answer?.words.contains("the question is INC-1 rollback") == true)
                #expect(story.place == "awaitingApproval")
            }
        }
    }

    @Test func `experiments across a migration ask where they are listed, once in a cycle`() {
        var policy = Samples.policy
        policy.approve = [.experiments]
        policy.allow = []
        var story = Story(policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        let asked = Experiment(
            number: 1, kind: .baseline, question: "?", revision: Samples.green,
            tests: [Experiment.Selection(suite: "login", only: ["a"])], times: 1)
        var answer = TriageAnswered(cycle: 1, experiment: asked)
        answer.irreversible = Self.migration
        story.tell(.triageAnswered(answer))
        #expect(story.place == "awaitingApproval")
        var rejected = story
        say(&story, .approve, nil, ApprovalWords(subject: .experiments, pastMigration: true))
        #expect(story.run?.purpose == .baseline)
        story.end()
        story.end(live: Samples.green)
        story.test()
        story.end(live: Samples.green)
        #expect(story.place == "asking")
        #expect(story.machine.cycle?.experiments.first?.approvedBy == "ann")
        // The next one is covered by the same word.
        answer.experiment?.number = 2
        story.tell(.triageAnswered(answer))
        #expect(story.run?.purpose == .baseline)

        say(&rejected, .reject)
        #expect(rejected.place == "asking")
        #expect(rejected.machine.cycle?.experiments.first?.refused == true)
        #expect(
            rejected.actions.contains {
                if case .askTriage(let budget) = $0 { budget.deploysBarred == Self.migration } else { false }
            })
        answer.experiment?.number = 2
        rejected.tell(.triageAnswered(answer))
        #expect(rejected.machine.cycle?.experiments.map(\.refused) == [true, true])
    }

    // MARK: - While waiting

    @Test func `a restart waits for what is left of the time`() {
        var story = asking(policy)
        story.tell(.operatorRequested(OperatorRequest(verb: .skip, by: "ann")), after: .seconds(3600))
        #expect(story.answer?.isDone == false)
        story.restart()
        let left = story.startActions.compactMap {
            if case .wake(let id, let delay) = $0, id.name == .approval { delay } else { nil }
        }
        #expect(left.count == 1)
        #expect((left.first ?? .zero) < .seconds(10_800))
        #expect((left.first ?? .zero) > .seconds(10_700))
        say(&story, .approve)
        rollBack(&story)
        #expect(story.machine.cycle?.actions.first?.approvedBy == "ann")
    }

    @Test func `a stop keeps the question, and the next start goes on waiting`() {
        var story = asking(policy)
        story.tell(.stopRequested(StopRequested(now: false, by: "SIGTERM")))
        #expect(story.did(.finish(.done)))
        story.restart()
        #expect(story.place == "awaitingApproval")
        say(&story, .approve)
        rollBack(&story)
        #expect(story.verdict == .failing)
        // A start that is to run a single cycle does not wait: it ends this one and runs its own.
        story = asking(policy)
        story.tell(.stopRequested(StopRequested(now: false, by: "SIGTERM")))
        story.restart(cycles: 1)
        #expect(story.place == "concluding")
    }

    @Test func `an abort ends the cycle`() {
        var story = asking(policy)
        say(&story, .abort, "enough")
        #expect(story.answer?.isDone == true)
        #expect(story.verdict == .interrupted)
    }

    @Test func `a pause holds the next cycle, not the question`() {
        var story = asking(policy)
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)))
        #expect(story.place == "awaitingApproval")
        say(&story, .approve)
        rollBack(&story)
        story.seal()
        #expect(story.place == "waiting")
        #expect(story.timer == nil)
    }

    @Test func `a trigger looks at once and begins a cycle afterwards`() {
        var story = asking(policy)
        say(&story, .trigger)
        #expect(story.did(.lookForWork(.request)))
        #expect(story.answer?.words.contains("waits until") == true)
        story.see(trigger: .request)
        #expect(story.place == "awaitingApproval")
        say(&story, .reject)
        story.seal()
        #expect(story.timer?.delay == .zero)
        story.wake()
        #expect(story.did(.lookForWork(.request)))
    }

    @Test func `a newer revision ends the wait`() {
        var story = asking(policy)
        // The same revision is no news.
        story.wake()
        #expect(story.did(.lookForWork(.schedule)))
        story.see()
        #expect(story.place == "awaitingApproval")
        story.wake()
        story.tell(.workUnavailable(WorkUnavailable(trigger: .schedule, reason: "no git", source: "revision")))
        #expect(story.timer?.id.name == .nextLook)
        story.wake()
        story.see(Samples.other)
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.first?.because.contains("a newer revision is wanted") == true)
        story.seal()
        #expect(story.timer?.delay == .zero)
        story.wake()
        story.see(Samples.other, trigger: .again)
        #expect(story.run?.revision == Samples.other)
    }

    @Test func `a single cycle in the foreground has nobody to wait for`() {
        var story = Story(policy, cycles: 1)
        story.wake()
        story.see(trigger: .once)
        story.pass(failing: ["a"])
        story.conclude([Samples.incident(["a"], .codeRegression, .rollback)])
        #expect(story.place == "concluding")
        #expect(story.machine.cycle?.actions.first?.because.contains("a single cycle does not wait") == true)
    }

    // MARK: - Answers that are true

    @Test func `operators are told what is the case`() {
        var story = Story()
        for verb in [OperatorRequest.Verb.skip, .abort, .acknowledge, .approve, .reject, .resume] {
            say(&story, verb, "INC-3")
            #expect(story.answer?.isDone == false, "\(verb) while waiting")
        }
        story = Story()
        story.wake()
        story.see()
        say(&story, .skip)
        #expect(story.answer?.words.contains("deploy-1 is under way") == true)
        #expect(story.answer?.isDone == false)
        say(&story, .abort)
        #expect(story.answer?.isDone == true)
        story = asking(policy)
        say(&story, .acknowledge, "INC-1")
        #expect(story.answer?.isDone == true)
        #expect(story.machine.memory.incidents.first?.acknowledgedBy == "ann")
        #expect(story.machine.cycle?.incidents.first?.state == .acknowledged)
        say(&story, .acknowledge, "INC-1")
        #expect(story.answer?.words.contains("acknowledged already by ann") == true)
        #expect(story.answer?.isDone == false)
    }

    @Test func `a question stands while no daemon runs`() {
        var story = asking(policy)
        #expect(story.machine.standingQuestion == story.machine.awaited)
        story.tell(.stopRequested(StopRequested(now: false, by: "ann")))
        #expect(story.place == "finished" && story.machine.awaited == nil)
        #expect(story.machine.standingQuestion?.incident == "INC-1")
        story.restart()
        #expect(story.place == "awaitingApproval")
        say(&story, .reject, "INC-1")
        #expect(story.machine.standingQuestion == nil)
    }
}
