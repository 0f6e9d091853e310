// SPDX-License-Identifier: Apache-2.0
// The loop as a state machine: a value that decides and does nothing else. No clock, file, process or task is in it.
// The supervisor lets a copy decide, journals the event, and then the copy becomes the machine. The state after a crash
// is the fold of the journal. docs/architecture.md has the diagram.
//
// Split by topic: +Waiting (between cycles), +FirstPass (deploy, stabilize, test), +Triage (experiments), +Remedy
// (cures), +WayBack (what was there before), +Approval (questions to people), +Operators (their other words), +Concluding (the verdict
// and what is carried on).

package import Domain

package struct CycleMachine: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// Between cycles; `looking` once it has been asked what there is to do.
        case waiting(looking: Bool)
        /// One stage is under way; `cancelling` once it has been told to end.
        case running(StageRun, cancelling: Bool)
        /// The step is tried again when the timer fires.
        case backingOff(Step)
        /// Triage was asked what to do next.
        case asking
        /// A person is asked; the question is in the cycle under way. Until its deadline, or a newer revision.
        case awaitingApproval
        /// The evidence is being written and sealed.
        case concluding
        case finished(Ending)
    }

    package internal(set) var state = State.waiting(looking: false)
    package internal(set) var memory = LoopMemory()
    package internal(set) var cycle: CycleProgress?
    /// How many cycles this start is still to run; nil for no end.
    var cyclesLeft: Int?
    var stopping: StopRequested?
    var isFirstLook = true
    /// Set where the next look is due at once, whatever the schedule says: an operator asked, or the ground moved.
    var dueLook: Trigger?
    var skipping = false
    var aborting: OperatorRequest?
    var failedLooks = 0
    var serials: [TimerID.Name: Int] = [:]

    package init() {}

    /// Takes one fact in and says what is to be done about it.
    package mutating func handle(_ event: Event, at now: Timestamp) -> [Action] {
        // What is being sealed already must stay as it is.
        let isOpen = cycle != nil && cycle?.concluded == nil
        let actions = decide(event, now)
        if let request = RequestRecord(event, at: now) { note(request, answered: actions, inCycle: isOpen) }
        return actions
    }

    private mutating func decide(_ event: Event, _ now: Timestamp) -> [Action] {
        switch event {
        case .daemonStarted(let started): begin(started, now)
        case .settingsAdopted(let adopted): adopt(adopted, now)
        case .memoryCarried(let carried): carry(carried)
        case .windowChanged(let window): change(window, now)
        case .workSeen(let work): see(work, now)
        case .workUnavailable(let failure): miss(failure, now)
        case .stageEnded(let record): end(record, now)
        case .triageAnswered(let answer): hear(answer, now)
        case .timerFired(let timer): fire(timer, now)
        case .pauseRequested(let pause): self.pause(pause, now)
        case .operatorRequested(let request): obey(request, now)
        case .stopRequested(let stop): self.stop(stop, now)
        case .cycleSealed(let seal): sealed(seal, now)
        }
    }

    // MARK: - The life of the daemon

    /// After a start, whatever was under way goes on: actions name their effects, so this repeats none.
    private mutating func begin(_ started: DaemonStarted, _ now: Timestamp) -> [Action] {
        cyclesLeft = started.cycles
        stopping = nil
        isFirstLook = true
        failedLooks = 0
        if memory.lastGreen == nil { memory.lastGreen = started.green }
        if case .finished(let ending) = state { leave(ending) }
        let foreign = foreign(started)
        cycle?.foreign += foreign
        if !foreign.isEmpty, !isBegun(started) { return endForeign(foreign, now) }
        switch state {
        case .waiting, .finished:
            // The crash may have come while a look was under way, or between the seal and what is made from it.
            state = .waiting(looking: false)
            guard memory.cycle > 0 else { return [] }
            let isGreen = memory.lastGreenCycle == memory.cycle
            return [.publish(memory.cycle)] + (isGreen ? memory.lastGreen.map { [.markGreen($0)] } ?? [] : [])
        case .running(let run, _):
            // A stop is over with the process that was told; an abort or a skip was promised to somebody.
            let isCalledOff = aborting != nil || skipping
            state = .running(run, cancelling: isCalledOff)
            let say = LogLine(.going, run.stage, "after a restart: taking \(run.folder) over")
            return [.openCycle(run.cycle), .say(say), .run(run)] + (isCalledOff ? [.cancel(run)] : [])
        case .backingOff:
            return [wake(.backOff, after: .seconds(1))]
        case .asking:
            return askTriage(now)
        case .awaitingApproval:
            return awaitAgain(now)
        case .concluding:
            return cycle.map { [.seal($0.number)] } ?? []
        }
    }

    /// Back from an end: what was left to its shepherd or not sealed is where the machine goes on.
    private mutating func leave(_ ending: Ending) {
        if case .detached(let run) = ending, cycle != nil {
            state = .running(run, cancelling: false)
        } else if cycle?.approval != nil {
            state = .awaitingApproval
        } else if cycle?.concluded != nil {
            state = .concluding
        } else {
            state = .waiting(looking: false)
        }
    }

    private mutating func carry(_ carried: LoopMemory) -> [Action] {
        memory = carried
        return []
    }

    /// New settings count from the next cycle on: the one under way keeps its own.
    private mutating func adopt(_ adopted: SettingsAdopted, _ now: Timestamp) -> [Action] {
        memory.policy = adopted.policy
        memory.settingsHash = adopted.hash
        // A reload changes what the next look finds, not when it comes.
        guard case .waiting(looking: false) = state, isFirstLook else { return [] }
        return restartWaiting(now)
    }

    private mutating func stop(_ request: StopRequested, _ now: Timestamp) -> [Action] {
        if case .finished = state { return [] }
        stopping = request
        switch state {
        case .waiting:
            return finish(.done)
        case .running(let run, let cancelling):
            if request.now { return finish(.detached(run)) }
            if run.kind == .deploy || run.kind == .remedy {
                let grace = cycle?.policy.stopGraceSeconds ?? 60
                return [
                    .say(LogLine(.hold, "stop", "waits up to \(Int(grace))s for \(run.folder): a deploy is never cut")),
                    wake(.stopGrace, after: .milliseconds(Int64(grace * 1000))),
                ]
            }
            guard !cancelling else { return [] }
            state = .running(run, cancelling: true)
            return [.say(LogLine(.going, "stop", "ends \(run.folder): asked to stop by \(request.by)")), .cancel(run)]
        case .backingOff, .asking:
            return interrupt(rule: "stopped", "asked to stop by \(request.by)", now)
        case .awaitingApproval:
            // The question stands: the next start goes on waiting for what is left of its time.
            let text = "the question stays: the next start goes on waiting for an answer"
            return [.say(LogLine(.hold, "approval", text))] + finish(.done)
        case .concluding:
            // The next start seals what is not sealed yet.
            return request.now ? finish(.done) : []
        case .finished:
            return []
        }
    }

    private mutating func fire(_ timer: TimerID, _ now: Timestamp) -> [Action] {
        guard serials[timer.name] == timer.serial else { return [] }
        switch timer.name {
        case .nextLook: return lookWhileAwaiting() ?? look()
        case .pauseEnds: return endPause(now)
        case .backOff:
            guard case .backingOff(let step) = state else { return [] }
            return start(step)
        case .stopGrace:
            guard stopping != nil, case .running(let run, _) = state else { return [] }
            return finish(.detached(run))
        case .approval: return approvalRanOut(now)
        }
    }

    // MARK: - Steps

    /// Starts a step of the cycle: the run gets its number, and the intent is in the journal by the event that led here.
    mutating func start(_ step: Step) -> [Action] {
        guard var progress = cycle else { return [] }
        let run = progress.run(for: step)
        if run.kind == .deploy {
            progress.beforeDeploy = CycleProgress.Ground(
                deployed: progress.deployed, serving: memory.serving, hasDeployed: progress.hasDeployed)
            progress.beforeFirstDeploy = progress.beforeFirstDeploy ?? progress.beforeDeploy
            progress.hasDeployed = true
            progress.deployed = nil
            memory.serving = nil
            if step.purpose.isDeployedExperiment {
                progress.experimentDeploys += 1
                memory.experimentDeploys += 1
            }
        }
        cycle = progress
        state = .running(run, cancelling: false)
        let said = Lines.start(of: run, in: progress).map { [Action.say($0)] } ?? []
        return said + [.run(run)]
    }

    mutating func startNext(_ now: Timestamp) -> [Action] {
        guard let step = cycle?.queue.first else { return phaseDone(now) }
        cycle?.queue.removeFirst()
        return start(step)
    }

    /// Takes the record of an ended run in; a record of any other run is late and decides nothing.
    private mutating func end(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        guard case .running(let run, _) = state, record.run == run, cycle != nil else { return [] }
        cycle?.records.append(record)
        noteEnvironment(record)
        let said = Lines.end(of: record).map { [Action.say($0)] } ?? []
        if record.outcome == .neverRan, stopping == nil, aborting == nil, !skipping {
            return said + start(step(of: run))
        }
        if record.outcome == .stopped, stopping == nil, aborting == nil, !skipping, repeats(record) {
            return said + start(step(of: run))
        }
        if let aborting {
            self.aborting = nil
            let because = aborting.argument.map { ": \($0)" } ?? ""
            return said + returnFromAborted(record)
                + interrupt(rule: "aborted", "aborted by \(aborting.by)\(because)", now)
        }
        if let stopping {
            return said + interrupt(rule: "stopped", "asked to stop by \(stopping.by)", now)
        }
        let skipped = skipping
        skipping = false
        guard let phase = cycle?.phase else { return said }
        switch phase {
        case .first: return said + advanceFirst(record, skipped: skipped, now)
        case .experiment(let experiment): return said + advance(experiment, record, now)
        case .remedy(let index): return said + advanceRemedy(index, record, now)
        case .restore: return said + advanceRestore(record, now)
        }
    }

    /// A run that was ended for an earlier daemon, or by somebody else, says nothing: it is done again within bounds, unless
    /// it moved the environment. What ends it may be its own command, which would do so for ever.
    private func repeats(_ record: StageRecord) -> Bool {
        guard record.run.kind == .test || record.run.kind == .stabilize else { return false }
        return isWithinRepeats(record)
    }

    /// Whether a run whose end told nothing may be repeated: at most twice.
    func isWithinRepeats(_ record: StageRecord) -> Bool {
        let same = cycle?.records.count { other in
            other.outcome == record.outcome && step(of: other.run) == step(of: record.run)
        }
        return (same ?? 0) <= 2
    }

    func step(of run: StageRun) -> Step {
        Step(
            run.kind, run.purpose, run.subject, revision: run.revision, only: run.only, experiment: run.experiment,
            testsRevision: run.testsRevision)
    }

    private mutating func phaseDone(_ now: Timestamp) -> [Action] {
        guard let phase = cycle?.phase else { return [] }
        switch phase {
        case .first: return evaluate(now)
        case .experiment(let experiment): return close(experiment, now)
        case .remedy(let index): return closeRemedy(index, now)
        case .restore: return conclude(now)
        }
    }

    /// What the environment runs, as far as records tell.
    private mutating func noteEnvironment(_ record: StageRecord) {
        switch record.run.kind {
        case .deploy where [.refused, .neverRan, .couldNotRun].contains(record.outcome):
            standStill(record)
        case .deploy:
            let live = record.live?.revision
            let took = record.outcome == .succeeded || live?.names(record.run.revision) == true
            cycle?.deployed = took ? record.run.revision : live
            if took, cycle?.policy.provesRevision == false { memory.serving = record.run.revision }
            if let left = record.leftLive?.revision { memory.serving = named(left, record) }
            if took { noteServices(record) }
        case .stabilize:
            if let live = record.live?.revision {
                let named = named(live, record)
                memory.serving = named
                cycle?.deployed = named
                if record.outcome == .succeeded { memory.unreadable = nil }
            } else if record.live != nil {
                memory.serving = nil
            }
        case .test, .remedy:
            break
        }
    }

    /// Old ones are forgotten: what is deployed again says it again.
    private static let deploymentsKept = 50

    /// A deployment that says nothing, such as a rollback that only moves traffic, leaves what an earlier one said.
    private mutating func noteServices(_ record: StageRecord) {
        guard record.services.contains(where: { $0.wanted != nil }) else { return }
        let known = (memory.deployments ?? []).filter { $0.revision != record.run.revision }
        let new = DeployedServices(revision: record.run.revision, services: record.services)
        memory.deployments = (known + [new]).suffix(Self.deploymentsKept)
    }

    /// What answers may call a revision by its abbreviation.
    private func named(_ live: Revision, _ record: StageRecord) -> Revision {
        let known = [record.run.revision, cycle?.wanted, cycle?.lastGreen].compactMap { $0 }
        return known.first { $0.names(live) } ?? live
    }

    /// A deployment whose command did not run moved nothing, and costs nothing.
    private mutating func standStill(_ record: StageRecord) {
        guard let before = cycle?.beforeDeploy else { return }
        cycle?.deployed = before.deployed
        cycle?.hasDeployed = before.hasDeployed
        memory.serving = before.serving
        guard record.run.purpose.isDeployedExperiment else { return }
        cycle?.experimentDeploys -= 1
        memory.experimentDeploys -= 1
    }

    // MARK: - Timers and the end

    mutating func wake(_ name: TimerID.Name, after delay: Duration) -> Action {
        let serial = (serials[name] ?? 0) + 1
        serials[name] = serial
        return .wake(TimerID(name: name, serial: serial), after: delay)
    }

    mutating func finish(_ ending: Ending) -> [Action] {
        state = .finished(ending)
        return [.finish(ending)]
    }
}
