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
    private(set) var world: World
    private(set) var machine = CycleMachine()
    private var journal: [JournalEntry] = []
    private var now = Samples.start
    private var pending: [Pending] = []
    private var timers: [TimerID.Name: (id: TimerID, due: Timestamp)] = [:]
    private var issued: Set<StageRun> = []
    private var wasStopped = false
    private var restoreWasTried = false
    private let policy: LoopPolicy
    private let hasNights: Bool
    /// Where the daemon is killed, by number of events; nil for now and then.
    var crashAt: Int?
    /// Each event is turned into what a reader of the journal gets.
    var journaled: (Event, Timestamp) -> Event = { event, _ in event }

    private(set) var events = 0
    private(set) var cycles = 0
    private(set) var verdicts: [Verdict] = []
    private(set) var problems: [String] = []
    private(set) var culprits: [(named: Revision, isProven: Bool, test: String)] = []
    private(set) var rollbacks = 0
    private(set) var crashes = 0
    private(set) var approvals = 0
    private(set) var fixes = 0
    /// Revisions whose own cycle ended as failing, for no fault of the surroundings.
    private var condemned: Set<Revision> = []
    private var lastAnswer: OperatorAnswer?
    /// An irreversible change lies in every so many commits; 0 is never.
    var irreversibleEvery = 0

    init(seed: UInt64, mishaps: Mishaps = Mishaps(), nights: Bool = false, policy: LoopPolicy = Samples.policy) {
        self.seed = seed
        self.policy = policy
        hasNights = nights
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
        if hasNights { tell(.windowChanged(window())) }
        tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "hash", path: "p")))
    }

    /// The daemon dies: what it had been asked for is gone, the journal is not.
    private mutating func restart() {
        crashes += 1
        var folded = CycleMachine()
        for entry in journal { folded.replay(entry) }
        if folded != machine { problems.append("the journal does not fold to the machine") }
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
            if !issued.insert(run).inserted { problems.append("\(run.folder) is issued twice") }
            if crashes == 0, world.results[run] != nil { problems.append("\(run.folder) is run again") }
            pending.append(.run(run))
            if run.purpose == .rollback, run.kind == .deploy { rollbacks += 1 }
            if run.kind == .deploy, run.purpose == .cycle, condemned.contains(run.revision),
                machine.cycle?.work.trigger != .request
            {
                problems.append("\(run.revision.short), which has failed, is deployed again by itself")
            }
        case .cancel(let run):
            cancel(run)
        case .askTriage(let budget): pending.append(.ask(budget))
        case .wake(let id, let delay): timers[id.name] = (id, now + (delay < .zero ? .zero : delay))
        case .seal(let number): pending.append(.seal(number))
        case .openCycle(let number):
            restoreWasTried = false
            if number != machine.memory.cycle {
                problems.append("cycle \(number) is opened at \(machine.memory.cycle)")
            }
        case .answer(let answer): lastAnswer = answer
        case .say, .publish, .markGreen, .finish: break
        }
    }

    /// A command that is told to end has ended by itself half of the time.
    private mutating func cancel(_ run: StageRun) {
        let isWaiting = pending.contains { if case .run(let waiting) = $0 { waiting == run } else { false } }
        guard isWaiting else {
            problems.append("\(run.folder) is canceled and not running")
            return
        }
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

    /// Nights from 22:00 to 06:00 UTC.
    private func window() -> WindowChanged {
        let day: Int64 = 86_400_000
        let time = now.milliseconds % day
        let midnight = now.milliseconds - time
        let six = 6 * 3_600_000 as Int64
        let ten = 22 * 3_600_000 as Int64
        if time < six { return WindowChanged(isOpen: true, until: Timestamp(milliseconds: midnight + six)) }
        if time >= ten { return WindowChanged(isOpen: true, until: Timestamp(milliseconds: midnight + day + six)) }
        return WindowChanged(isOpen: false, until: Timestamp(milliseconds: midnight + ten))
    }

    private mutating func turnWindow() {
        guard hasNights else { return }
        let state = window()
        if machine.memory.window != state { tell(.windowChanged(state)) }
    }

    private mutating func speak() {
        if world.happens(world.mishaps.stop) {
            wasStopped = true
            tell(.stopRequested(StopRequested(now: world.random.once(in: 2), by: "SIGTERM")))
        }
        guard world.happens(world.mishaps.operatorSpeaks) else { return }
        switch Int.random(in: 0..<10, using: &world.random) {
        case 0: tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: now + .seconds(3600))))
        case 1: tell(.pauseRequested(PauseRequested(owner: "bob", reason: "audit", until: nil)))
        case 2: tell(.settingsAdopted(SettingsAdopted(policy: policy, hash: "again", path: "p")))
        case 3: tell(.timerFired(TimerID(name: .nextLook, serial: 0)))
        case let verb:
            let verbs: [OperatorRequest.Verb] = [.resume, .trigger, .skip, .abort, .approve, .reject]
            answerQuestion(verbs[verb - 4])
        }
    }

    /// What an operator says; an answer to a question names what is asked, most of the time.
    private mutating func answerQuestion(_ verb: OperatorRequest.Verb) {
        let isAsked = machine.state == .awaitingApproval
        let crosses: Bool? = world.random.once(in: 4) ? nil : true
        let words = verb == .approve ? ApprovalWords(pastMigration: crosses, reason: "because") : nil
        let argument = verb == .approve || verb == .reject ? nil : "because"
        let request = OperatorRequest(verb: verb, by: "ann", argument: argument, answer: words)
        tell(.operatorRequested(request))
        if verb == .approve, !isAsked, lastAnswer?.isDone != false {
            problems.append("approved where nothing is asked")
        }
    }

    // MARK: - Invariants

    private mutating func check(sealing number: Int) {
        guard let cycle = machine.cycle, let judgement = cycle.concluded else { return }
        cycles += 1
        verdicts.append(judgement.verdict)
        if number != (machine.memory.cycle) || cycle.number != number {
            problems.append("cycle \(number) out of order")
        }
        checkVerdict(cycle, judgement)
        checkEnvironment(cycle, judgement)
        for incident in cycle.incidents {
            if let culprit = incident.diagnosis?.culprit, let test = incident.tests.first {
                culprits.append((culprit.commit, incident.diagnosis?.grade == .proven, test))
            }
        }
        if cycle.actions.contains(where: { $0.kind == .rollback && $0.outcome != .skipped }),
            world.deployed[number, default: 0] == 0, !cycle.records.contains(where: { $0.run.kind == .deploy })
        {
            problems.append("rollback in cycle \(number), in which nothing was deployed")
        }
        checkWords(cycle)
        let isOfSurroundings = cycle.incidents.contains { $0.diagnosis?.category.isOfSurroundings == true }
        if judgement.recommendation == .ship { condemned.remove(cycle.wanted) }
        if judgement.verdict == .failing, !isOfSurroundings, cycle.wanted != cycle.lastGreen {
            condemned.insert(cycle.wanted)
        }
        if cycle.experimentDeploys > policy.triage.deploysPerIncident {
            problems.append("\(cycle.experimentDeploys) experiment deploys in cycle \(number)")
        }
        if machine.memory.experimentDeploys > policy.triage.deploysPerNight {
            problems.append("\(machine.memory.experimentDeploys) experiment deploys in one night")
        }
        if let over = machine.memory.rollbacks.first(where: { $0.count > policy.rollbacksPerIncident }) {
            problems.append("\(over.count) rollbacks for \(over.incident)")
        }
        if Set(cycle.records.map(\.run.folder)).count != cycle.records.count {
            problems.append("two runs share a folder in cycle \(number)")
        }
        world.results = [:]
        world.deployed = [:]
        wasStopped = false
    }

    /// Nothing that needs a person's word is done without one, and nothing crosses an irreversible change without.
    private mutating func checkWords(_ cycle: CycleProgress) {
        for action in cycle.actions where action.outcome != .skipped {
            // The word about a fix is asked for when there is a change: one that was refused before needs none.
            if action.kind == .fix, action.name == nil { continue }
            let subject = ApprovalSubject(action.kind)
            let needs = subject.map { policy.approve?.contains($0) == true } ?? false
            let crosses = action.kind == .rollback && cycle.irreversible != nil
            if action.approvedBy != nil { approvals += 1 }
            if needs || crosses, action.approvedBy == nil {
                problems.append("\(action.kind.rawValue) in cycle \(cycle.number) without a word")
            }
        }
        for experiment in cycle.experiments where !experiment.refused && experiment.experiment.kind.deploys {
            if cycle.irreversible != nil, experiment.approvedBy == nil {
                problems.append("experiment \(experiment.experiment.number) across a migration without a word")
            }
        }
        if let open = cycle.actions.first(where: { $0.outcome == .started }) {
            problems.append("\(open.kind.rawValue) of cycle \(cycle.number) has no end")
        }
        if cycle.approval != nil { problems.append("cycle \(cycle.number) is sealed with an open question") }
    }

    private mutating func checkVerdict(_ cycle: CycleProgress, _ judgement: Judgement) {
        guard judgement.verdict == .healthy || judgement.verdict == .degraded else { return }
        for suite in policy.suites where suite.blocking {
            let broken = world.broken(suite.name, on: cycle.wanted)
            if !broken.isEmpty {
                problems.append("\(judgement.verdict) although \(broken) fail on \(cycle.wanted.short)")
            }
        }
    }

    private mutating func checkEnvironment(_ cycle: CycleProgress, _ judgement: Judgement) {
        let serving = machine.memory.serving
        if !world.othersMoved, let serving, serving != world.live {
            problems.append("serving \(serving.short) is claimed, \(world.live?.short ?? "nothing") is live")
        }
        if wasStopped || world.othersMoved || restoreWasTried || judgement.verdict == .interrupted { return }
        for action in cycle.actions where action.kind == .fix && action.outcome == .succeeded {
            fixes += 1
            let tests = cycle.fix?.incident.tests ?? []
            let broken = ["login", "chat", "extras"].flatMap { world.broken($0, on: Revision(action.name ?? "")) }
            if tests.contains(where: broken.contains) { problems.append("a fix is proven that cures nothing") }
        }
        let known = [cycle.wanted, cycle.lastGreen]
        if let serving, serving == cycle.fix?.revision {
            problems.append("cycle \(cycle.number) leaves a fix in staging that was to go")
        }
        if let serving, policy.mode == .operate, !known.contains(serving), world.commits.contains(serving),
            cycle.experimentDeploys > 0, cycle.hasTouched(serving)
        {
            problems.append("cycle \(cycle.number) leaves an experiment's \(serving.short) in staging")
        }
    }
}
