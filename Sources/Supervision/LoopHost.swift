// SPDX-License-Identifier: Apache-2.0
// One loop from its settings to its end: locks, recovery, the supervisor, and what feeds it with facts.

package import Configuration
package import Domain
package import Engine
package import Evidence
package import Execution
import Platform
import Probes

/// Why a loop could not be started.
package enum LoopError: Error, CustomStringConvertible {
    case held(String)
    case cannotStart(String)

    package var description: String {
        switch self {
        case .held(let owner): "held by another instance: \(owner)"
        case .cannotStart(let reason): "unable to start the loop: \(reason)"
        }
    }
}

/// What a loop is started with.
package struct LoopStart: Sendable {
    package var loaded: LoadedSettings
    package var path: String
    /// How many cycles to run; nil for a daemon.
    package var cycles: Int?
    package var version: String
    package var host: String
    /// The small safe environment that commands begin with.
    package var environment: [String: String]
    /// The daemon's own environment, where secrets may come from.
    package var secretEnvironment: [String: String]
    /// Sees every line of `cycle.log`.
    package var echo: @Sendable (String) -> Void
    package var observer: (@Sendable (RunningStage?) -> Void)?
    package var onSealed: @Sendable (CycleRecord) -> Void

    package init(
        loaded: LoadedSettings, path: String, cycles: Int?, version: String, host: String,
        environment: [String: String], secretEnvironment: [String: String], echo: @escaping @Sendable (String) -> Void,
        observer: (@Sendable (RunningStage?) -> Void)? = nil,
        onSealed: @escaping @Sendable (CycleRecord) -> Void = { _ in }
    ) {
        self.loaded = loaded
        self.path = path
        self.cycles = cycles
        self.version = version
        self.host = host
        self.environment = environment
        self.secretEnvironment = secretEnvironment
        self.echo = echo
        self.observer = observer
        self.onSealed = onSealed
    }
}

package final class LoopHost: Sendable {
    package let name: String
    package let supervisor: Supervisor
    package let layout: EvidenceLayout
    private let context: LoopContext
    private let performer: Performer
    private let log: CycleLogFile
    private let notifier: Notifier
    private let start: LoopStart
    private let environment: EnvironmentHold
    private let green: Revision?
    /// Whether an earlier run had a window, which may be the one that keeps the loop waiting.
    private let hadWindow: Bool
    /// Of the clockwork that tells people; ended by what they may have to be told of.
    private let nap: Nap

    private init(
        _ start: LoopStart, context: LoopContext, performer: Performer, supervisor: Supervisor, log: CycleLogFile,
        environment: EnvironmentHold, green: Revision?, hadWindow: Bool, nap: Nap
    ) {
        self.start = start
        self.context = context
        self.performer = performer
        self.supervisor = supervisor
        self.log = log
        self.environment = environment
        self.green = green
        self.hadWindow = hadWindow
        self.nap = nap
        notifier = Notifier(context, secretEnvironment: start.secretEnvironment, host: start.host)
        name = start.loaded.settings.name
        layout = context.layout
    }

    /// Takes the locks, folds the journal, and makes everything ready. Throws `held` where another instance has it.
    package static func open(_ start: LoopStart, runner: CommandRunner) async throws(LoopError) -> LoopHost {
        let settings = start.loaded.settings
        let layout = EvidenceLayout(root: settings.stateDirectory)
        do {
            try Files.createDirectories(settings.stateDirectory)
            let environment = try EnvironmentHold.take(settings, host: start.host)
            let (journal, opening) = try await Journal.open(layout)
            let machine = try await JournalFold(journal, layout).machine(opening.entries)
            let log = CycleLogFile(layout.cycleLog, echo: start.echo)
            var context = makeContext(start, layout, runner, log)
            context.obstacle = {
                if await journal.displaced() != nil {
                    return "its folder \(layout.root) was removed, moved or replaced"
                }
                return environment.missing
            }
            let nap = Nap()
            let performer = Performer(
                context, log: log, version: start.version,
                onSealed: { record in
                    nap.end()
                    start.onSealed(record)
                })
            if let torn = opening.torn {
                performer.say(
                    LogLine(.warn, "journal", "a torn tail of \(torn.bytes) bytes was cut and kept at \(torn.keptAt)"))
            }
            try? Retention(layout).finishDeletions()
            let supervisor = Supervisor(machine, journal, performer, now: context.now, onQuestion: { nap.end() })
            let green = await knownGreen(machine.memory, settings, context)
            return LoopHost(
                start, context: context, performer: performer, supervisor: supervisor, log: log,
                environment: environment, green: green, hadWindow: machine.memory.window != nil, nap: nap)
        } catch let error as LoopError {
            throw error
        } catch EvidenceError.locked(_, let owner) {
            throw .held("loop \(settings.name) at \(settings.stateDirectory): \(owner)")
        } catch {
            throw .cannotStart("\(error)")
        }
    }

    private static func makeContext(
        _ start: LoopStart, _ layout: EvidenceLayout, _ runner: CommandRunner, _ log: CycleLogFile
    ) -> LoopContext {
        let now: @Sendable () -> Timestamp = { Timestamp(milliseconds: SystemClock.wallMilliseconds) }
        let settings = SettingsCell(start.loaded.settings, secretEnvironment: start.secretEnvironment)
        return LoopContext(
            layout: layout, settings: settings, runner: runner, environment: start.environment,
            prober: Prober(
                transport: .system(
                    environment: start.environment, workingDirectory: { settings.current.baseDirectory },
                    secrets: { try await settings.secrets.fetch($0) }),
                environment: start.environment, redact: { settings.secrets.redaction.text($0) }),
            progress: ProgressBoard(layout, now: now, observer: start.observer), history: SuiteHistory(layout),
            say: { line in log.write(line, cycle: nil, at: now()) })
    }

    private static func knownGreen(_ memory: LoopMemory, _ settings: LoopSettings, _ context: LoopContext) async
        -> Revision?
    {
        guard memory.lastGreen == nil, let repository = context.repository else { return nil }
        if let marked = await repository.markedGreen(loop: settings.name) { return marked }
        guard let name = settings.repository?.green else { return nil }
        return try? await repository.resolve(name)
    }

    // MARK: - Running

    /// Runs the loop to its end. `onListening` is called once operators are heard, or it is clear that they cannot be.
    package func run(onListening: @Sendable () -> Void = {}) async -> Ending {
        let loaded = start.loaded
        supervisor.tell(
            .daemonStarted(
                DaemonStarted(
                    pid: ThisProcess.id, host: start.host, version: start.version, cycles: start.cycles,
                    green: green, begun: await supervisor.begunCommands)))
        let window = windowNow()
        if hadWindow || window.until != nil { supervisor.tell(.windowChanged(window)) }
        supervisor.tell(
            .settingsAdopted(
                SettingsAdopted(policy: LoopPolicy(loaded.settings), hash: loaded.hash, path: start.path)))
        let control = listen()
        onListening()
        // Not before the daemon is there for those who ask: the way back may take longer than a service manager waits.
        await Bisection.finishAbandoned(start, context.runner, say: performer.say)
        let clockwork = Task { await feed(window) }
        let ending = await supervisor.run()
        clockwork.cancel()
        var isOurs = true
        if case .displaced = ending { isOurs = false }
        control?.close(isOurs: isOurs)
        // What is to be told is kept in the folder, which is gone or another's.
        var because: String?
        if case .evicted(let reason) = ending { because = reason }
        if isOurs {
            await notifier.close(
                await supervisor.memory, question: await supervisor.question, because: because, within: .seconds(10))
        }
        environment.release()
        await supervisor.close()
        return ending
    }

    /// New settings: they count from the next cycle on. Refused where they need other locks than those that are held.
    package func reload(_ loaded: LoadedSettings, path: String) {
        let fixed = LoopHost.changedForGood(start.loaded.settings, loaded.settings)
        guard fixed.isEmpty else {
            let changes = fixed.joined(separator: ", ")
            return say(
                LogLine(
                    .warn, "reload",
                    "refused, the old configuration stays: \(path) changes \(changes), which needs a restart"))
        }
        context.settings.stage(loaded.settings, hash: loaded.hash)
        supervisor.tell(
            .settingsAdopted(SettingsAdopted(policy: LoopPolicy(loaded.settings), hash: loaded.hash, path: path)))
        performer.say(LogLine(.going, "reload", "\(path) is valid: in force from the next cycle on"))
    }

    /// What a running loop cannot change: its locks, its journal and its control socket hang on it.
    private static func changedForGood(_ old: LoopSettings, _ new: LoopSettings) -> [String] {
        [
            ("loop.name", old.name, new.name), ("loop.environment", old.environment, new.environment),
            ("the state folder", old.stateDirectory, new.stateDirectory),
        ].filter { $0.1 != $0.2 }.map { "\($0.0) from '\($0.1)' to '\($0.2)'" }
    }

    package func say(_ line: LogLine) { performer.say(line) }

    /// The window by the newest settings, which may not be in force yet; always open where they name none.
    private func windowNow() -> WindowChanged {
        guard let window = context.settings.newest.schedule.window, let calendar = WindowCalendar(window) else {
            return WindowChanged(isOpen: true, until: nil)
        }
        return calendar.state(at: context.now())
    }

    /// Window borders, messages to people, and a line when nothing else was written for a while.
    private func feed(_ told: WindowChanged) async {
        var told = told
        var isLockMissing = false
        while !Task.isCancelled {
            guard await supervisor.isInPlace else {
                // The supervisor looks for itself and ends the loop, or goes on: what was moved may be back by then.
                supervisor.lookAround()
                await nap.sleep(.seconds(1))
                continue
            }
            isLockMissing = keepEnvironment(isMissing: isLockMissing)
            Files.touch(layout.alive)
            let window = windowNow()
            // A window of whole days stays open, and its end moves: each day has its own budget.
            if window != told { supervisor.tell(.windowChanged(window)) }
            told = window
            await notifier.look(await supervisor.memory, question: await supervisor.question)
            if log.quietSeconds > 900 {
                let doing =
                    if let waiting = await supervisor.waitsForPeople { waiting } else {
                        context.progress.describe()
                    }
                performer.say(LogLine(.going, "heartbeat", doing))
            }
            await nap.sleep(.seconds(15))
        }
    }

    /// A lock whose file was removed keeps nobody away. As long as it cannot be taken again nothing is begun, which is said
    /// once. Answers whether it is missing.
    private func keepEnvironment(isMissing: Bool) -> Bool {
        do {
            if try environment.keep() || isMissing {
                say(LogLine(.warn, "environment", "the lock on \(environment.name) was removed; it is taken again"))
            }
            return false
        } catch LoopError.held(let owner) {
            supervisor.giveUp(because: "the lock on the environment was removed while it was held, and now \(owner)")
        } catch {
            guard !isMissing else { return true }
            let text = "the lock on \(environment.name) was removed: \(error); nothing is begun until it is taken again"
            say(LogLine(.warn, "environment", text))
        }
        return true
    }

    private func listen() -> ControlServer? {
        let desk = OperatorDesk(supervisor: supervisor, name: name, context: context)
        do {
            return try ControlServer(path: layout.controlSocket) { request, uid in
                desk.answer(request, from: uid)
            }
        } catch {
            performer.say(LogLine(.warn, "control", "\(error): pause, trigger and the like do not work on this loop"))
            return nil
        }
    }
}

extension LoadedSettings {
    /// SHA-256 over every value in effect: two files that mean the same have the same hash.
    package var hash: String {
        var sum = SHA256()
        sum.update(Array(canonicalText.utf8))
        return sum.hexDigest()
    }
}
