// SPDX-License-Identifier: Apache-2.0
// Values for the tests of the machine, and a story that is told to it fact by fact.

import Domain
import Testing

@testable import Engine

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }
}

enum Samples {
    static let start = Timestamp(milliseconds: 1_795_228_267_250)
    static let green = Revision("4f2a9c1d00000000000000000000000000000000")
    static let wanted = Revision("9e1b7a3300000000000000000000000000000000")
    static let other = Revision("c0ffee5500000000000000000000000000000000")

    /// A P0, a P1 and a P2 suite; deploys, checks its health and proves the revision.
    static var policy: LoopPolicy {
        var policy = LoopPolicy(
            LoopSettings(
                name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: "."))
        policy.suites = [
            SuitePolicy(name: "login", priority: 0, blocking: true, value: 100),
            SuitePolicy(name: "chat", priority: 1, blocking: true, value: 50),
            SuitePolicy(name: "extras", priority: 2, blocking: false, value: 5),
        ]
        policy.hasDeploy = true
        policy.hasHealth = true
        policy.provesRevision = true
        policy.everySeconds = 600
        policy.triage.mayDeploy = true
        // Stories are of passes and failures; BurnInStoryTests tells of what follows a pass.
        policy.triage.burnIn = BurnInSettings(runs: 0)
        policy.allow = [.redeploy, .runbook, .rollback]
        return policy
    }

    static func record(
        _ run: StageRun, _ outcome: StageOutcome, _ summary: String = "as told", at now: Timestamp = start,
        live: Revision?? = .none, suite: SuiteReading? = nil, infrastructure: Bool = false
    ) -> StageRecord {
        var record = StageRecord(
            run: run, outcome: outcome, summary: summary, startedAt: now, endedAt: now, durationSeconds: 1,
            suite: suite, infrastructure: infrastructure)
        if case .some(let revision) = live {
            let answers = revision.map { [LiveReading.Answer(revision: $0, count: 20)] } ?? []
            record.live = LiveReading(revision: revision, answers: answers, asked: 20)
        }
        return record
    }

    /// A suite of ten tests (or of those that were selected), of which `failing` fail.
    static func reading(_ failing: [String] = [], only: [String]? = nil, message: String = "boom") -> SuiteReading {
        let failing = only.map { only in failing.filter(only.contains) } ?? failing
        let notPassed = failing.map { TestResult(id: $0, outcome: .failed, message: message, type: "AssertionError") }
        var totals = Totals(notPassed)
        let passed = (only?.count ?? 10) - notPassed.count
        totals.tests += passed
        totals.passed += passed
        return SuiteReading(totals: totals, notPassed: notPassed)
    }

    static func incident(
        _ tests: [String] = ["a"], _ category: Domain.Category, _ action: RemedyKind, grade: Grade = .proven,
        suites: [String] = ["login"], culprit: Revision? = nil, runbook: String? = nil
    ) -> Incident {
        Incident(
            id: "", signature: "AssertionError: \(tests.joined())", title: "boom", tests: tests, suites: suites,
            firstSeen: start, firstCycle: 1,
            diagnosis: Diagnosis(
                category: category, summary: "because", grade: grade,
                culprit: culprit.map { Culprit(commit: $0, subject: "change", probability: 0.99) },
                recommendedAction: action, runbook: runbook))
    }
}

/// One loop's life: every fact goes to the machine and into the journal, and the journal must fold to the machine.
struct Story {
    private(set) var machine = CycleMachine()
    private(set) var journal: [(event: Event, at: Timestamp)] = []
    /// The same as the lines that a supervisor writes.
    private(set) var entries: [JournalEntry] = []
    private(set) var now = Samples.start
    /// What the machine wanted done at the last fact.
    private(set) var actions: [Action] = []
    /// What the machine wanted done at the last start.
    private(set) var startActions: [Action] = []
    /// Every timer that was set.
    private var journalTimers: [TimerID] = []
    var policy: LoopPolicy

    /// Starts the loop; `green` is what the repository names as good.
    init(_ policy: LoopPolicy = Samples.policy, cycles: Int? = nil, green: Revision? = Samples.green) {
        self.policy = policy
        start(cycles: cycles, green: green)
    }

    mutating func start(cycles: Int? = nil, green: Revision? = Samples.green) {
        tell(.daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1", cycles: cycles, green: green)))
        startActions = actions
        tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "nightjar.json5")))
    }

    @discardableResult
    mutating func tell(_ event: Event, after delay: Duration = .seconds(1)) -> [Action] {
        now = now + delay
        journal.append((event, now))
        actions = machine.handle(event, at: now)
        entries.append(
            JournalEntry(sequence: entries.count + 1, at: now, cycle: machine.memory.cycle, event: event))
        journalTimers += actions.compactMap { if case .wake(let id, _) = $0 { id } else { nil } }
        return actions
    }

    /// The daemon dies and comes back: everything but the journal is lost.
    mutating func restart(cycles: Int? = nil, green: Revision? = Samples.green) {
        var folded = CycleMachine()
        for entry in journal { _ = folded.handle(entry.event, at: entry.at) }
        #expect(folded == machine, "the journal does not fold to the machine")
        var replayed = CycleMachine()
        for entry in entries { replayed.replay(entry) }
        #expect(replayed == machine, "its own journal is read as that of another version")
        machine = folded
        start(cycles: cycles, green: green)
    }

    // MARK: - What is under way

    var run: StageRun? {
        if case .running(let run, _) = machine.state { run } else { nil }
    }

    /// The stage's folder, or the state's name.
    var place: String {
        switch machine.state {
        case .waiting(let looking): looking ? "looking" : "waiting"
        case .running(let run, _): run.folder
        case .backingOff: "backingOff"
        case .asking: "asking"
        case .awaitingApproval: "awaitingApproval"
        case .concluding: "concluding"
        case .finished: "finished"
        }
    }

    var timer: (id: TimerID, delay: Duration)? {
        actions.lazy.compactMap { if case .wake(let id, let delay) = $0 { (id, delay) } else { nil } }.last
    }

    var lines: [String] {
        actions.compactMap { if case .say(let line) = $0 { "\(line.topic): \(line.text)" } else { nil } }
    }

    /// What the operator was told.
    var answer: OperatorAnswer? {
        actions.lazy.compactMap { if case .answer(let answer) = $0 { answer } else { nil } }.last
    }

    func did(_ action: Action) -> Bool { actions.contains(action) }

    // MARK: - Facts

    /// The timer that was set last fires.
    mutating func wake() {
        guard let timer else {
            Issue.record("no timer was set at \(place)")
            return
        }
        tell(.timerFired(timer.id), after: timer.delay)
    }

    mutating func see(
        _ wanted: Revision = Samples.wanted, live: Revision? = Samples.green, trigger: Trigger = .schedule
    ) {
        tell(.workSeen(WorkSeen(trigger: trigger, wanted: wanted, commitsAfterGreen: 3, live: live)))
    }

    /// The stage under way ends.
    mutating func end(
        _ outcome: StageOutcome = .succeeded, _ summary: String = "as told", live: Revision?? = .none,
        suite: SuiteReading? = nil, infrastructure: Bool = false, role: RoleReading? = nil
    ) {
        guard let run else {
            Issue.record("nothing is running but \(place)")
            return
        }
        var record = Samples.record(
            run, outcome, summary, at: now, live: live, suite: suite, infrastructure: infrastructure)
        record.role = role
        tell(.stageEnded(record))
    }

    /// The suite under way ends with these tests failing.
    mutating func test(failing: [String] = []) {
        let reading = Samples.reading(failing, only: run?.only)
        end(reading.totals.failing > 0 ? .failed : .succeeded, suite: reading)
    }

    /// Everything up to the end of the pass does what it should, except that `failing` fail in `login`.
    mutating func pass(failing: [String] = []) {
        while let run, run.experiment == nil, run.purpose != .rollback {
            switch run.kind {
            case .deploy, .remedy: end()
            case .stabilize: end(live: run.revision)
            case .test: test(failing: run.subject == "login" ? failing : [])
            }
        }
    }

    mutating func answer(_ experiment: Experiment.Kind, _ revision: Revision, number: Int, times: Int = 2) {
        let asked = Experiment(
            number: number, kind: experiment, question: "?", revision: revision,
            tests: [Experiment.Selection(suite: "login", only: ["a"])], times: times)
        tell(.triageAnswered(TriageAnswered(cycle: machine.memory.cycle, experiment: asked)))
    }

    mutating func conclude(_ incidents: [Incident], irreversible: String? = nil) {
        var answer = TriageAnswered(cycle: machine.memory.cycle, incidents: incidents)
        answer.irreversible = irreversible
        tell(.triageAnswered(answer))
    }

    /// The time for a person's answer is over.
    mutating func ringApproval() {
        let timer = journalTimers.last { $0.name == .approval }
        guard let timer else {
            Issue.record("nobody is asked at \(place)")
            return
        }
        tell(.timerFired(timer), after: .seconds(14_400))
    }

    mutating func seal() {
        let verdict = machine.cycle?.concluded?.verdict ?? .interrupted
        tell(.cycleSealed(CycleSealed(cycle: machine.memory.cycle, sha256: "sum", verdict: verdict)))
    }

    var verdict: Verdict? { machine.cycle?.concluded?.verdict }
    var rules: [String] { machine.cycle?.concluded?.reasons.map(\.rule) ?? [] }
}
