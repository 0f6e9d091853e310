// SPDX-License-Identifier: Apache-2.0
// What the stages of one loop share: settings, places, and the hands that touch the world.

import Domain
import Engine
import Evidence
import Execution
import Platform
import Probes
import Synchronization

/// What a stage needs to know of the cycle it belongs to.
struct StageSurroundings: Sendable {
    /// What the cycle is about, whatever is deployed for an experiment.
    var wanted: Revision?
    var lastGreen: Revision?
    var previous: Revision?
    var cycleStartedAt: Timestamp
    /// What the diagnosis that called for a runbook command names.
    var component: String?
    /// The fix that the run is a step of.
    var fix: FixSurroundings?
    /// What the newest deployments said about their services, newest last.
    var deployments: [DeployedServices] = []
}

/// What a step of a fix needs to know of those before it.
struct FixSurroundings: Sendable {
    var incident: Incident
    var wanted: Revision
    /// The newest folder of the implementing role, whose working tree has the change.
    var implemented: String?
    var readings: [RoleReading]

    init?(_ cycle: CycleProgress?) {
        guard let cycle, let fix = cycle.fix else { return nil }
        incident = fix.incident
        wanted = cycle.wanted
        let records = cycle.records.filter { $0.run.kind == .remedy && $0.run.purpose == .fix }
        implemented =
            records.last { $0.run.subject == Role.implement.rawValue && $0.outcome == .succeeded }?.run.folder
        readings = records.compactMap(\.role)
    }

    var branch: String { "nightjar/fix-\(incident.id)" }
}

/// The loop's settings in force, and the secrets that they name. New ones wait until the cycle under way is over.
final class SettingsCell: Sendable {
    private let cell: Mutex<(current: LoopSettings, staged: [(settings: LoopSettings, hash: String)])>
    let secrets: LoopSecrets

    /// - Parameter secretEnvironment: the daemon's own, where secrets may come from.
    init(_ settings: LoopSettings, secretEnvironment: [String: String]) {
        cell = Mutex((settings, []))
        secrets = LoopSecrets(settings.secrets, environment: secretEnvironment)
    }

    var current: LoopSettings { cell.withLock { $0.current } }

    /// Those that wait, or else those in force.
    var newest: LoopSettings { cell.withLock { $0.staged.last?.settings ?? $0.current } }

    /// Takes what came last into force; answers whether anything had come. Only while no cycle is under way.
    func adoptNewest() -> Bool {
        guard let hash = cell.withLock({ $0.staged.last?.hash }) else { return false }
        adoptStaged(hash)
        return true
    }

    func stage(_ settings: LoopSettings, hash: String) {
        cell.withLock { $0.staged.append((settings, hash)) }
    }

    /// Called between cycles, with the hash that the machine decides by: a reload may have come in the meantime, and the
    /// stages of a cycle must not run by other settings than its decisions.
    func adoptStaged(_ hash: String?) {
        cell.withLock { cell in
            guard let index = cell.staged.lastIndex(where: { $0.hash == hash }) else { return }
            let adopted = cell.staged[index].settings
            cell.current = adopted
            cell.staged.removeFirst(index + 1)
            secrets.adopt(adopted.secrets)
        }
    }
}

struct LoopContext: Sendable {
    let layout: EvidenceLayout
    let settings: SettingsCell
    let runner: CommandRunner
    let environment: [String: String]
    let prober: Prober
    let progress: ProgressBoard
    let history: SuiteHistory
    /// Writes a line to `cycle.log` at once: for what is seen while a stage is under way.
    let say: @Sendable (LogLine) -> Void
    /// Before the number in the names of stages where it does not count the loop's cycles: what is left of a cycle's stage
    /// must not be taken for one of another kind.
    var numbering = ""
    /// Why nothing may be begun: the loop's folder or its environment is not its own. Nil where both are.
    var obstacle: @Sendable () async -> String? = { nil }

    var secrets: LoopSecrets { settings.secrets }

    var repository: Repository? {
        settings.current.repository.map { Repository(path: $0.path, environment: environment) }
    }

    /// A private folder for what tools write: nothing unredacted stays.
    func temporaryFolder(_ run: StageRun) -> String {
        "\(layout.root)/tmp/\(run.cycle)-\(run.folder)"
    }

    func folder(_ run: StageRun) -> String { layout.stage(run) }

    func now() -> Timestamp { Timestamp(milliseconds: SystemClock.wallMilliseconds) }

    // MARK: - Commands

    /// Asks every command of a stage run that is at work to end.
    func stop(_ run: StageRun) {
        runner.stop(folder: folder(run))
        // Helping commands lie beside it: `test-1-api.before`.
        runner.stop(prefix: folder(run) + ".")
    }

    /// Runs one command of a stage in a folder of its own, or takes over what an earlier daemon began there. A helping
    /// command that was fenced before it ran is run in a fresh folder: `after` and `cleanup` put back what others did.
    func command(
        _ command: CommandSettings, role: String, of run: StageRun, values: PlaceholderValues,
        environment extra: [String: String] = [:], grace: Duration = .seconds(10), leavesServices: Bool = false,
        standardInput: [UInt8] = [], outputLimit: Int64? = nil, lock: String? = nil
    ) async -> SupervisedCommand {
        let first = await attempt(
            command, role: role, of: run, values: values, environment: extra, grace: grace,
            leavesServices: leavesServices, standardInput: standardInput, outputLimit: outputLimit, lock: lock)
        // Of the commands that are the stage itself the machine decides.
        guard first.result?.outcome == .neverRan, role != "main", !role.hasPrefix("rest-") else { return first }
        return await attempt(
            command, role: "\(role)-2", of: run, values: values, environment: extra, grace: grace,
            leavesServices: leavesServices, standardInput: standardInput, outputLimit: outputLimit, lock: lock)
    }

    private func attempt(
        _ command: CommandSettings, role: String, of run: StageRun, values: PlaceholderValues,
        environment extra: [String: String], grace: Duration, leavesServices: Bool,
        standardInput: [UInt8], outputLimit: Int64?, lock: String?
    ) async -> SupervisedCommand {
        let settings = settings.current
        let folder = role == "main" ? self.folder(run) : "\(self.folder(run)).\(role)"
        let log = (role == "main" ? run.folder : "\(run.folder).\(role)") + "/console.log"
        do {
            // What is at work already has its words and its secrets: nothing that fails now may hide it, or a second one
            // would be started beside it.
            let isBegun = Files.exists("\(folder)/claim")
            if !isBegun, let obstacle = await obstacle() { throw LoopError.cannotStart(obstacle) }
            let prepared = isBegun ? taken(command, values) : try await prepare(command, values)
            var variables = environment.merging(command.environment) { $1 }.merging(extra) { $1 }
            variables.merge(prepared.secrets) { $1 }
            let spec = CommandSpec(
                argv: prepared.argv, environment: variables, workingDirectory: prepared.directory,
                stageID: "\(settings.name)-\(numbering)\(run.cycle)-\(run.folder)-\(role)", folder: folder,
                timeout: command.timeout,
                idleTimeout: command.idleTimeout, grace: grace, leavesServices: leavesServices,
                outputLimit: outputLimit ?? settings.outputBytes, needles: secrets.needles,
                standardInput: standardInput, lock: lock)
            let result = await runner.run(spec)
            // What it left in files is read next, and may name what an earlier daemon gave it.
            if isBegun { _ = try? await secrets.fetch(command.secrets) }
            return SupervisedCommand(
                result: result, record: result.record(role: role, command: prepared.argv, log: log), folder: folder)
        } catch {
            let now = now()
            let record = CommandRecord(
                role: role, command: command.arguments, startedAt: now, durationSeconds: 0, problem: "\(error)")
            return SupervisedCommand(result: nil, record: record, folder: folder)
        }
    }

    /// The words and secrets of a command.
    private struct Prepared {
        var argv: [String]
        var directory: String
        var secrets: [String: String] = [:]
    }

    private func prepare(_ command: CommandSettings, _ values: PlaceholderValues) async throws -> Prepared {
        let known = try await secrets.fetch(command.secrets)
        let directory = try command.workingDirectory.map { try values.placeholders.fill($0) }
        return Prepared(
            argv: try values.placeholders.fill(command.argv), directory: directory ?? values.workingDirectory,
            secrets: known.filter { command.secrets.contains($0.key) })
    }

    /// Only for the record: the command runs with what it was given.
    private func taken(_ command: CommandSettings, _ values: PlaceholderValues) -> Prepared {
        let argv = try? values.placeholders.fill(command.argv)
        return Prepared(argv: argv ?? command.argv, directory: values.workingDirectory)
    }
}

/// What became of a command: nil `result` where it could not even be made ready.
struct SupervisedCommand: Sendable {
    var result: CommandResult?
    var record: CommandRecord
    var folder: String

    var succeeded: Bool { result?.outcome == .exited && result?.exit == 0 }

    /// `exit 3`, `signal 9`, `timeout 30m`, or why it never ran.
    var words: String {
        guard let result else { return record.problem ?? "could not be made ready" }
        switch result.outcome {
        case .exited: return "exit \(result.exit ?? 0)"
        case .signaled: return "signal \(result.signal ?? 0)"
        case .timedOut, .idleTimedOut: return "ended at its limit: \(result.limitHit ?? "timeout")"
        case .stopped: return "stopped"
        case .couldNotStart: return "could not be started: \(result.notes.first ?? "no reason given")"
        case .lost: return "result lost\(result.recovery.map { ": \($0)" } ?? "")"
        case .neverRan: return "never ran"
        }
    }

    /// The last lines of the console, at most `bytes`.
    func tail(_ bytes: Int = 400) -> String {
        guard let end = try? Files.tail("\(folder)/console.log", bytes) else { return "" }
        return String(decoding: end, as: UTF8.self).trimmingWhitespace
    }

    var lastLine: String {
        tail().split(whereSeparator: \.isNewline).last.map { String($0).trimmingWhitespace } ?? ""
    }
}
