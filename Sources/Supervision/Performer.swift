// SPDX-License-Identifier: Apache-2.0
// Does what the machine decided. Each action returns at once; what comes of it is told to the supervisor as an event.

import Domain
import Engine
import Evidence
import Execution
import Platform
import Reporting
import Synchronization

final class Performer: Sendable {
    private let context: LoopContext
    private let writer: CycleWriter
    private let log: CycleLogFile
    private let version: String
    private static let cyclesBetweenRetention = 10
    private let tasks = Mutex<Running>(Running())
    /// Apart, so that the reports of one cycle hold up neither the stages nor the seal of the next.
    private let stageQueue = WorkQueue("stages")
    private let sealQueue = WorkQueue("seal")
    private let reportQueue = WorkQueue("reports")
    /// Told when a cycle has been sealed: live views and reports hang on it.
    private let onSealed: @Sendable (CycleRecord) -> Void

    private struct Running {
        var stages: [StageRun: Task<Void, Never>] = [:]
        var timers: [TimerID: Task<Void, Never>] = [:]
        var sealing: Task<Void, Never>?
        var publishing: Task<Void, Never>?
    }

    init(
        _ context: LoopContext, log: CycleLogFile, version: String, onSealed: @escaping @Sendable (CycleRecord) -> Void
    ) {
        self.context = context
        self.log = log
        self.version = version
        self.onSealed = onSealed
        writer = CycleWriter(context.layout)
    }

    func perform(_ action: Action, _ machine: CycleMachine, tell: @escaping @Sendable (Event) -> Void) {
        switch action {
        case .say(let line):
            log.write(line, cycle: machine.memory.cycle, at: context.now())
        case .openCycle(let number):
            // Settings that came during the look are in the policy of the cycle that it opens.
            context.settings.adoptStaged(machine.cycle?.settingsHash)
            try? Files.createDirectories(context.layout.cycle(number))
        case .run(let run):
            start(run, machine, tell)
        case .cancel(let run):
            cancel(run)
        case .wake(let timer, let delay):
            wake(timer, after: delay, tell)
        case .lookForWork(let trigger):
            // A look during a cycle asks for a newer revision only: the cycle keeps its settings.
            let isBetweenCycles = machine.cycle == nil
            if isBetweenCycles { context.settings.adoptStaged(machine.memory.settingsHash) }
            let memory = machine.memory
            Task(executorPreference: stageQueue) { [self] in
                var answer = await WorkFinder(context: context).look(trigger, memory)
                // Settings that came in the meantime may ask for something else: what they get must be their answer.
                while isBetweenCycles, context.settings.adoptNewest() {
                    answer = await WorkFinder(context: context).look(trigger, memory)
                }
                tell(answer)
            }
        case .askTriage(let budget):
            guard let cycle = machine.cycle else { return }
            let memory = machine.memory
            Task(executorPreference: stageQueue) { [self] in
                tell(await TriageRoom(context: context).ask(cycle, budget, memory))
            }
        case .markGreen(let revision):
            markGreen(revision)
        case .seal:
            seal(machine, tell)
        case .publish(let number):
            publish(number)
        case .answer, .finish:
            break
        }
    }

    func say(_ line: LogLine) {
        log.write(line, cycle: nil, at: context.now())
    }

    // MARK: - Stages

    /// What tools wrote for runs that have ended: it was needed until their ends were in the journal, because a restart
    /// before that reads it again.
    private func clearTemporary(except run: StageRun?) {
        let folder = "\(context.layout.root)/tmp"
        let kept = run.map { "\($0.cycle)-\($0.folder)" }
        for name in (try? Files.list(folder)) ?? [] where kept.map({ !name.hasPrefix($0) }) ?? true {
            try? Files.removeTree("\(folder)/\(name)")
        }
    }

    private func start(_ run: StageRun, _ machine: CycleMachine, _ tell: @escaping @Sendable (Event) -> Void) {
        let cycle = machine.cycle
        let surroundings = StageSurroundings(
            wanted: cycle?.wanted, lastGreen: cycle?.lastGreen, previous: cycle?.previousLive,
            cycleStartedAt: cycle?.startedAt ?? context.now(),
            component: cycle?.incidents.lazy.compactMap(\.diagnosis).first { $0.runbook == run.subject }?.component,
            fix: run.purpose == .fix ? FixSurroundings(cycle) : nil, deployments: machine.memory.deployments ?? [])
        let context = context
        let task = Task(executorPreference: stageQueue) { [self] in
            clearTemporary(except: run)
            let record = await StagePerformer(context: context).perform(run, surroundings)
            tell(.stageEnded(record))
        }
        tasks.withLock { $0.stages = [run: task] }
    }

    private func cancel(_ run: StageRun) {
        tasks.withLock { $0.stages[run]?.cancel() }
        context.stop(run)
    }

    private func wake(_ timer: TimerID, after delay: Duration, _ tell: @escaping @Sendable (Event) -> Void) {
        let task = Task {
            try? await Task.sleep(for: max(.zero, delay))
            if !Task.isCancelled { tell(.timerFired(timer)) }
        }
        tasks.withLock { running in
            for (old, waiting) in running.timers where old.name == timer.name {
                waiting.cancel()
                running.timers[old] = nil
            }
            running.timers[timer] = task
        }
    }

    private func markGreen(_ revision: Revision) {
        // Revisions that a command prints need not be commits.
        guard let repository = context.repository, context.settings.current.repository?.revisionCommand == nil else {
            return
        }
        let name = context.settings.current.name
        Task {
            do {
                try await repository.markGreen(revision, loop: name)
            } catch {
                say(LogLine(.warn, "git", "\(error)"))
            }
        }
    }

    // MARK: - The end of a cycle

    /// Document, sums, and only then the event; each step can be repeated, so a full disk is waited out.
    private func seal(_ machine: CycleMachine, _ tell: @escaping @Sendable (Event) -> Void) {
        guard let cycle = machine.cycle, let judgement = cycle.concluded else { return }
        let (serving, settings) = (machine.memory.serving, context.settings.current)
        let previous = machine.memory.sealedHash.map { SealedReference(cycle: cycle.number - 1, sha256: $0) }
        let task = Task(executorPreference: sealQueue) { [self] in
            let record = CycleDocument.make(
                cycle, judgement, serving: serving, settings: settings, layout: context.layout, writtenBy: version)
            clearTemporary(except: nil)
            var complained = false
            while true {
                do {
                    try await writer.createCycle(record.cycle)
                    try await writer.writeDocument(record)
                    let known = await writer.knownHashes(of: record)
                    let sealed = try await writer.seal(record.cycle, knownHashes: known, previous: previous)
                    tell(.cycleSealed(CycleSealed(cycle: record.cycle, sha256: sealed.sha256, verdict: record.verdict)))
                    return
                } catch {
                    if !complained { say(LogLine(.warn, "evidence", "\(error); tried again until it is written")) }
                    complained = true
                    guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
                }
            }
        }
        tasks.withLock { $0.sealing = task }
    }

    /// Index, `latest` and reports: conveniences that can be made again from the sealed evidence.
    private func publish(_ number: Int) {
        let task = Task(executorPreference: reportQueue) { [self] in
            do {
                let reader = CycleReader(context.layout)
                guard reader.isSealed(number) else { return }
                let record = try reader.record(number)
                let sealed = SealedCycle(
                    cycle: number, sha256: try reader.sealedHash(number) ?? "", files: 0,
                    bytes: Files.treeBytes(context.layout.cycle(number)))
                let isListed = await context.history.lists(number)
                if !isListed || Files.linkTarget(context.layout.latest) != "cycles/\(EvidenceLayout.name(number))" {
                    await context.history.add(try writer.publish(record, sealed))
                }
                let reports = ReportContext.reading(record, context.layout, cycles: await context.history.cycles())
                let markdown = MarkdownReport.text(record, reports)
                try await writer.write(Array(markdown.utf8), to: "report.md", inCycle: number)
                try await writer.write(Array(HTMLReport.text(record, reports).utf8), to: "report.html", inCycle: number)
                await RoleRoom(context: context).clear(after: record)
                onSealed(record)
                await retire(record)
            } catch {
                say(LogLine(.warn, "evidence", "\(error)"))
            }
        }
        tasks.withLock { $0.publishing = task }
    }

    /// Keeps the worktrees that something may still run from, and the newest few.
    private func pruneWorktrees(_ record: CycleRecord) async {
        let folder = "\(context.layout.root)/worktrees"
        guard let repository = context.repository, let names = try? Files.list(folder) else { return }
        let used = [
            record.revision.wanted, record.revision.lastGreen, record.environment.serving, record.revision.previous,
        ]
        let kept = Set(used.compactMap { $0.map { StageRun.fileName($0.id) } })
        let others = names.filter { !kept.contains($0) && !$0.hasPrefix("suite-") }
            .sorted {
                (Files.modifiedMilliseconds("\(folder)/\($0)") ?? 0)
                    > (Files.modifiedMilliseconds("\(folder)/\($1)") ?? 0)
            }
        for name in others.dropFirst(4) { await repository.removeWorktree(at: "\(folder)/\(name)") }
    }

    private func retire(_ record: CycleRecord) async {
        let settings = context.settings.current
        await pruneWorktrees(record)
        let retention = Retention(context.layout)
        let now = context.now()
        do {
            // Reading the whole index costs time and memory; between two looks at most so many cycles are too many.
            guard record.cycle % Performer.cyclesBetweenRetention == 0 else { return }
            defer { HeapMemory.giveBack() }
            let layout = context.layout
            let index = try await EvidenceReading.run { () throws(EvidenceError) in
                let index = try EvidenceIndex.load(layout)
                try index.compact()
                return index
            }
            let plan = try retention.plan(index, settings: settings.retention, now: now, running: record.cycle)
            for decision in plan.prefix(50) { delete(decision, retention, now) }
        } catch {
            say(LogLine(.warn, "retention", "\(error)"))
        }
    }

    /// One that cannot be deleted keeps no other from it.
    private func delete(_ decision: RetentionDecision, _ retention: Retention, _ now: Timestamp) {
        do {
            guard try retention.delete(decision, at: now) != nil else { return }
            say(LogLine(.going, "retention", "cycle \(decision.cycle) deleted: \(decision.rule)"))
        } catch {
            say(LogLine(.warn, "retention", "cycle \(decision.cycle) is not deleted: \(error)"))
        }
    }

    /// Lets go of everything at once: the loop's folder or its environment is another's. A deployment is never cut; tests are.
    func abandon(_ run: StageRun?, _ ending: Ending) {
        let (topic, reason, later) =
            switch ending {
            case .displaced(let reason): ("state", reason, "nobody will read its result")
            case .evicted(let reason): ("environment", reason, "the next start takes it over")
            default: ("state", "the loop was given up", "the next start takes it over")
            }
        say(LogLine(.warn, topic, "\(reason); nothing is deployed or tested any more: the loop ends"))
        let running = tasks.withLock { $0 }
        for task in running.timers.values { task.cancel() }
        if let run {
            if run.kind == .deploy || run.kind == .remedy {
                say(LogLine(.warn, run.stage, "\(run.folder) goes on under its shepherd, and \(later)"))
            } else {
                cancel(run)
            }
        }
        running.sealing?.cancel()
        context.runner.detach()
    }

    /// Ends everything that is not a supervised command; those are left to their shepherds.
    func close(_ ending: Ending) async {
        if case .detached(let run) = ending {
            say(LogLine(.hold, "stop", "\(run.folder) goes on under its shepherd; the next start takes it over"))
        }
        let running = tasks.withLock { $0 }
        for task in running.timers.values { task.cancel() }
        await running.publishing?.value
        if case .detached = ending {
            context.runner.detach()
        } else {
            for task in running.stages.values { await task.value }
        }
        await context.progress.settle()
    }
}
