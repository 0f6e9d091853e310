// SPDX-License-Identifier: Apache-2.0
// Drives the machine through a world for years: delivers what it asked for, speaks as operators do, kills it at any
// moment and folds its journal, and holds every step to the invariants.

import Configuration
import Domain
import Testing
import Triage

@testable import Engine

struct Simulator {
    /// Something that will be told to the machine, unless the daemon dies first.
    private enum Pending {
        case run(StageRun)
        case fact(Event)
        case look(Trigger)
        case ask(TriageBudget)
        case seal(Int)
    }

    let seed: UInt64
    var world: World
    var machine = CycleMachine()
    private var journal: [JournalEntry] = []
    var now = Samples.start
    private var pending: [Pending] = []
    private var timers: [TimerID.Name: (id: TimerID, due: Timestamp)] = [:]
    private var issued: Set<StageRun> = []
    var wasStopped = false
    var restoreWasTried = false
    let policy: LoopPolicy
    private let nights: Nights?
    /// Where the daemon is killed, by number of events; nil for now and then.
    var crashAt: Int?
    /// Each event is turned into what a reader of the journal gets.
    var journaled: (Event, Timestamp) -> Event = { event, _ in event }

    private(set) var events = 0
    var cycles = 0
    var verdicts: [Verdict] = []
    var problems: [String] = []
    var culprits: [(named: Revision, isProven: Bool, test: String)] = []
    var rollbacks = 0
    private(set) var crashes = 0
    private(set) var pauses = 0
    private(set) var clockJumps = 0
    /// Promises that were looked at, each time.
    private(set) var checks = 0
    var approvals = 0
    var fixes = 0
    /// The wanted revision of the newest cycle, where that was aborted.
    var abortedRevision: Revision?
    var abortedIn: Int?
    /// Revisions whose own cycle ended as failing, for no fault of the surroundings.
    var condemned: [Revision: String] = [:]
    private var lastAnswer: OperatorAnswer?
    /// An irreversible change lies in every so many commits; 0 is never.
    var irreversibleEvery = 0
    /// Somebody answers one in so many questions; 0 is only by chance.
    var answersEvery = 0

    init(seed: UInt64, mishaps: Mishaps = Mishaps(), nights: Nights? = nil, policy: LoopPolicy = Samples.policy) {
        self.seed = seed
        self.policy = policy
        self.nights = nights
        world = World(seed: seed, mishaps: mishaps)
    }

    var elapsed: Duration { now.since(Samples.start) }

    mutating func setFlaky(_ flaky: [String: Int]) { world.flaky = flaky }

    // MARK: - Running

    /// Runs until so many cycles are sealed or so much time has passed.
    mutating func run(cycles most: Int, upTo limit: Duration = .seconds(4_000_000_000)) {
        start()
        while cycles < most, elapsed < limit, problems.isEmpty {
            if crashAt.map({ events >= $0 }) ?? world.happens(world.mishaps.crash) {
                crashAt = crashAt.map { _ in Int.max }
                restart()
            }
            speak()
            step()
        }
    }

    private mutating func start() {
        tell(.daemonStarted(DaemonStarted(pid: 1, host: "host", version: "1", green: world.commits[0])))
        if let nights { tell(.windowChanged(nights.window(at: now))) }
        tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "p")))
    }

    /// The daemon dies: what it had been asked for is gone, the journal is not.
    private mutating func restart() {
        crashes += 1
        var folded = CycleMachine()
        for entry in journal { folded.replay(entry) }
        expect(folded == machine, "the journal does not fold to the machine")
        machine = folded
        pending = []
        timers = [:]
        issued = []
        start()
    }

    private mutating func step() {
        turnWindow()
        if !pending.isEmpty {
            deliver(pending.removeFirst())
        } else if let timer = timers.values.min(by: { $0.due < $1.due }) {
            timers[timer.id.name] = nil
            if timer.due > now { now = timer.due }
            tell(.timerFired(timer.id))
        } else if case .finished = machine.state {
            restart()
        } else if machine.memory.pause != nil {
            tell(.operatorRequested(OperatorRequest(verb: .resume, by: "ann")))
        } else if machine.memory.window?.isOpen == false, case .waiting = machine.state {
            now = machine.memory.window?.until ?? now + .seconds(3600)
        } else {
            problems.append("stuck: nothing pending at \(machine.state)")
        }
    }

    private mutating func deliver(_ next: Pending) {
        switch next {
        case .run(let run):
            let record = world.perform(run, at: now)
            now = now + .seconds(run.kind == .deploy ? 90 : 40)
            if run.purpose == .restore, record.outcome != .succeeded { restoreWasTried = true }
            tell(.stageEnded(record))
        case .fact(let event):
            tell(event)
        case .look(let trigger):
            tell(look(trigger))
        case .ask(let budget):
            guard let cycle = machine.cycle else { return }
            tell(investigate(cycle, budget))
        case .seal(let number):
            check(sealing: number)
            let verdict = machine.cycle?.concluded?.verdict ?? .interrupted
            tell(.cycleSealed(CycleSealed(cycle: number, sha256: "sum\(number)", verdict: verdict)))
        }
    }

    private mutating func tell(_ event: Event) {
        now = now + .milliseconds(7)
        events += 1
        let written = journaled(event, now)
        if journal.count > 500, case .waiting(looking: false) = machine.state { rotate() }
        let actions = machine.handle(written, at: now)
        journal.append(
            JournalEntry(sequence: journal.count + 1, at: now, cycle: machine.memory.cycle, event: written))
        for action in actions { perform(action) }
        if case .finished = machine.state { pending = [] }
    }

    /// What the supervisor does when a segment of the journal is full.
    private mutating func rotate() {
        let carried = Event.memoryCarried(machine.memory)
        journal = [JournalEntry(sequence: 1, at: now, cycle: machine.memory.cycle, event: carried)]
        var fresh = CycleMachine()
        _ = fresh.handle(.memoryCarried(machine.memory), at: now)
        machine = fresh
        pending = []
        timers = [:]
        start()
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .lookForWork(let trigger): pending.append(.look(trigger))
        case .run(let run):
            expect(issued.insert(run).inserted, "\(run.folder) is issued twice")
            expect(crashes > 0 || world.results[run] == nil, "\(run.folder) is run again")
            pending.append(.run(run))
            if run.purpose == .rollback, run.kind == .deploy { rollbacks += 1 }
            if run.kind == .deploy, run.purpose == .cycle, machine.cycle?.work.trigger != .request {
                expect(
                    condemned[run.revision] == nil,
                    "\(run.revision.short), which has failed, is deployed again by itself: \(condemned[run.revision] ?? "")"
                )
                expect(
                    abortedRevision != run.revision || machine.cycle?.number == abortedIn,
                    "\(run.revision.short), which was aborted, is deployed again by itself")
            }
        case .cancel(let run):
            cancel(run)
        case .askTriage(let budget): pending.append(.ask(budget))
        case .wake(let id, let delay): timers[id.name] = (id, now + (delay < .zero ? .zero : delay))
        case .seal(let number): pending.append(.seal(number))
        case .openCycle(let number):
            restoreWasTried = false
            expect(number == machine.memory.cycle, "cycle \(number) is opened at \(machine.memory.cycle)")
        case .answer(let answer): lastAnswer = answer
        case .say, .publish, .markGreen, .finish: break
        }
    }

    /// A command that is told to end has ended by itself half of the time.
    private mutating func cancel(_ run: StageRun) {
        let isWaiting = pending.contains { if case .run(let waiting) = $0 { waiting == run } else { false } }
        expect(isWaiting, "\(run.folder) is canceled and not running")
        guard isWaiting else { return }
        guard world.results[run] == nil, world.random.once(in: 2) else { return }
        if run.kind == .deploy { world.deployed[run.cycle, default: 0] += 1 }
        world.results[run] = Samples.record(run, .stopped, at: now)
    }

    // MARK: - The surroundings

    private mutating func look(_ trigger: Trigger) -> Event {
        now = now + .seconds(2)
        let source = policy.mode == .operate ? "revision" : WorkUnavailable.liveRevision
        if world.happens(world.mishaps.lookFails) {
            return .workUnavailable(WorkUnavailable(trigger: trigger, reason: "no answer", source: source))
        }
        // A new commit ends a question to people: not with every look.
        let isQuiet = machine.state == .awaitingApproval && !world.random.once(in: 10)
        for _ in 0..<(isQuiet ? 0 : Int.random(in: 0...3, using: &world.random)) {
            world.commit(breaking: world.random.once(in: 6))
        }
        let wanted = policy.mode == .operate ? world.head : world.live ?? world.head
        if policy.mode != .operate, world.random.once(in: 2) { world.live = world.head }
        let open = machine.memory.incidents.filter { $0.state != .resolved && $0.diagnosis?.grade == .proven }
        let contained = open.filter { incident in
            incident.diagnosis?.culprit.map { world.index($0.commit) <= world.index(wanted) } ?? false
        }
        return .workSeen(
            WorkSeen(trigger: trigger, wanted: wanted, live: world.live, containsCulpritOf: contained.map(\.id)))
    }

    private func investigate(_ cycle: CycleProgress, _ budget: TriageBudget) -> Event {
        let judgement = VerdictRules.judge(cycle, at: now)
        let irreversible = irreversible(cycle)
        var commits: [CommitInfo] = []
        if let green = cycle.lastGreen, world.index(green) < world.index(cycle.wanted) {
            commits = world.commits[(world.index(green) + 1)...world.index(cycle.wanted)].map {
                CommitInfo(revision: $0, subject: "change \($0.short)", files: ["src/\($0.short).swift"])
            }
        }
        let facts = TriageCase(
            cycle: cycle.number, openedAt: cycle.startedAt, wanted: cycle.wanted, lastGreen: cycle.lastGreen,
            records: cycle.records, decidingFrom: cycle.decidingFrom, experiments: cycle.experiments,
            suites: judgement.suites,
            doubts: judgement.reasons.filter {
                !["test-failed", "quarantine", "flaky", "fail-fast"].contains($0.rule)
            },
            commits: commits, openIncidents: machine.memory.incidents.filter { $0.state != .resolved },
            allowance: TriageAllowance(
                experiments: budget.experiments, deploys: budget.deploys, seconds: budget.seconds,
                nextNumber: budget.nextNumber,
                deploysBarred: budget.deploysBarred ?? (budget.mayCrossIrreversible ? nil : irreversible)),
            rules: RuleFile.builtIn)
        var answer: TriageAnswered
        switch Investigator.next(facts) {
        case .experiment(let experiment): answer = TriageAnswered(cycle: cycle.number, experiment: experiment)
        case .concluded(let incidents): answer = TriageAnswered(cycle: cycle.number, incidents: incidents)
        }
        answer.irreversible = irreversible
        return .triageAnswered(answer)
    }

    private func irreversible(_ cycle: CycleProgress) -> String? {
        guard irreversibleEvery > 0, let green = cycle.lastGreen else { return nil }
        let between = (world.index(green) + 1)..<max(world.index(green) + 1, world.index(cycle.wanted) + 1)
        return between.contains { $0 % irreversibleEvery == 0 } ? "a migration lies between" : nil
    }

    private mutating func turnWindow() {
        guard let nights else { return }
        let state = nights.window(at: now)
        if machine.memory.window != state { tell(.windowChanged(state)) }
    }

    mutating func expect(_ holds: Bool, _ problem: String) {
        checks += 1
        if !holds { problems.append(problem) }
    }

    private mutating func speak() {
        if world.happens(world.mishaps.clockJumps) {
            // Somebody sets the clock.
            clockJumps += 1
            now = now + .seconds(Int.random(in: -7200...7200, using: &world.random))
        }
        if world.happens(world.mishaps.stop) {
            wasStopped = true
            tell(.stopRequested(StopRequested(now: world.random.once(in: 2), by: "SIGTERM")))
        }
        if answersEvery > 0, machine.state == .awaitingApproval, world.random.once(in: answersEvery) {
            return answerQuestion(world.random.once(in: 4) ? .reject : .approve)
        }
        guard world.happens(world.mishaps.operatorSpeaks) else { return }
        switch Int.random(in: 0..<10, using: &world.random) {
        case 0: pause("ann", until: now + .seconds(3600))
        case 1: pause("bob", until: nil)
        case 2: tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "again", path: "p")))
        case 3: tell(.timerFired(TimerID(name: .nextLook, serial: 0)))
        case let verb:
            let verbs: [OperatorRequest.Verb] = [.resume, .trigger, .skip, .abort, .approve, .reject]
            answerQuestion(verbs[verb - 4])
        }
    }

    private mutating func pause(_ owner: String, until: Timestamp?) {
        pauses += 1
        tell(.pauseRequested(PauseRequested(owner: owner, reason: "demo", until: until)))
    }

    /// What an operator says; an answer to a question names what is asked, most of the time.
    private mutating func answerQuestion(_ verb: OperatorRequest.Verb) {
        let isAsked = machine.state == .awaitingApproval
        let crosses: Bool? = world.random.once(in: 4) ? nil : true
        let words = verb == .approve ? ApprovalWords(pastMigration: crosses, reason: "because") : nil
        let argument = verb == .approve || verb == .reject ? nil : "because"
        let request = OperatorRequest(verb: verb, by: "ann", argument: argument, answer: words)
        tell(.operatorRequested(request))
        if verb == .approve, !isAsked { expect(lastAnswer?.isDone == false, "approved where nothing is asked") }
    }
}
