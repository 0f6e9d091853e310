// SPDX-License-Identifier: Apache-2.0
// Makes a revision the live one: permit, clean worktree, the deploy (or rollback) command, and what it says about its
// services.

import Domain
import Evidence
import Execution
import Platform
import Reporting

struct DeployStage: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    /// A permit command that exits with this says: not now.
    private static let notNow: Int32 = 75

    /// Stands for the settings of a deploy that goes on although they were taken out of the configuration meanwhile.
    private static let takenOver = DeploySettings(
        command: CommandSettings(arguments: ["deploy"], timeout: .seconds(3600)))

    func perform(_ started: Stopwatch) async -> StageRecord {
        let settings = context.settings.current
        let isBegun = Files.exists("\(context.folder(run))/claim")
        guard let deploy = settings.deploy ?? (isBegun ? DeployStage.takenOver : nil) else {
            return started.record(run, .couldNotRun, "there is no deploy command", infrastructure: true)
        }
        var values = PlaceholderValues(run, surroundings, settings)
        var commands: [SupervisedCommand] = []
        // Asked before the deploy, and not again beside it.
        if let permit = deploy.permit, !isBegun {
            let asked = await context.command(permit, role: "permit", of: run, values: values)
            commands.append(asked)
            guard asked.succeeded else { return refused(asked, started) }
        }
        do {
            if let folder = try await worktree(settings, deploy) {
                values.workingDirectory = folder
                values["worktree"] = folder
            }
        } catch {
            return started.record(run, .couldNotRun, "\(error)", commands, infrastructure: true)
        }
        let report = context.temporaryFolder(run)
        do {
            try Files.createDirectories(report)
        } catch {
            return started.record(run, .couldNotRun, "\(error)", commands, infrastructure: true)
        }
        let command = command(deploy, settings)
        let main = await context.command(
            command, role: "main", of: run, values: values,
            environment: [
                "NIGHTJAR_DEPLOYMENT": "\(report)/deployment.json", "NIGHTJAR_REVISION": run.revision.id,
                "NIGHTJAR_CYCLE": String(run.cycle),
            ], grace: deploy.grace, leavesServices: deploy.leavesServices,
            standardInput: RoleRoom(context: context).executeRequest(run, surroundings, command),
            lock: EnvironmentPlaces.deployLock(settings))
        commands.append(main)
        return await ended(main, commands, deploy, values, report, started)
    }

    /// A fix may be brought into the environment by a role; the live revision decides in either case.
    private func command(_ deploy: DeploySettings, _ settings: LoopSettings) -> CommandSettings {
        switch run.purpose {
        case .rollback: deploy.rollback ?? deploy.command
        case .fix: settings.remedy.roles.execute ?? deploy.command
        default: deploy.command
        }
    }

    private func refused(_ asked: SupervisedCommand, _ started: Stopwatch) -> StageRecord {
        let line = asked.lastLine
        guard asked.result?.outcome == .exited, asked.result?.exit == DeployStage.notNow else {
            let words = "permit: \(asked.words)\(line.isEmpty ? "" : ", \(line)"); allowed: exit 0 go, 75 not now"
            return started.record(run, .couldNotRun, words, [asked], infrastructure: true)
        }
        return started.record(run, .refused, "permit says not now (exit 75): \(line)", [asked])
    }

    /// A clean worktree of the revision, one for each revision; the newest few are kept, because what a deploy
    /// script leaves running may live in one.
    private func worktree(_ settings: LoopSettings, _ deploy: DeploySettings) async throws -> String? {
        guard deploy.worktree, let repository = context.repository, settings.repository?.revisionCommand == nil else {
            return nil
        }
        let folder = "\(context.layout.root)/worktrees/\(StageRun.fileName(run.revision.id))"
        // A command that has been claimed already runs in this worktree: it must not be pulled from under it.
        if Files.exists("\(context.folder(run))/claim") { return folder }
        try Files.createDirectories("\(context.layout.root)/worktrees")
        try await repository.makeWorktree(of: run.revision, at: folder)
        return folder
    }

    private func ended(
        _ main: SupervisedCommand, _ before: [SupervisedCommand], _ deploy: DeploySettings,
        _ values: PlaceholderValues, _ report: String, _ started: Stopwatch
    ) async -> StageRecord {
        var commands = before
        guard let result = main.result else {
            return started.record(run, .couldNotRun, main.words, commands, infrastructure: true)
        }
        let took = Durations.text(.milliseconds(Int64((result.durationSeconds * 1000).rounded())))
        let limit = Durations.text(deploy.command.timeout)
        switch result.outcome {
        case .exited where result.exit == 0:
            var record = started.record(run, .succeeded, "\(run.revision.short) exit 0, \(took) < \(limit)", commands)
            note(readServices(report), in: &record)
            return record
        case .neverRan:
            return started.record(run, .neverRan, "fenced before its command ran: started again", commands)
        case .couldNotStart:
            return started.record(run, .couldNotRun, main.words, commands, infrastructure: true)
        case .stopped where !result.wasStarted:
            // It moved nothing: there is nothing to clean up behind.
            let words = "\(run.revision.short) stopped before its command was started"
            return started.record(run, .neverRan, words, commands)
        case .stopped:
            let (cleanup, left) = await afterStop(deploy, values)
            commands += cleanup
            let seen = left.map { live in
                "; " + (live.revision.map { "\($0.short) is live" } ?? "the live revision is unreadable")
            }
            var record = started.record(
                run, .stopped, "\(run.revision.short) stopped after \(took)\(words(cleanup))\(seen ?? "")", commands)
            record.leftLive = left
            return record
        case .lost:
            let reported = readServices(report)
            let live = await readLive((try? reported?.get()) ?? [])
            let seen = live?.revision.map { "\($0.short) is live" } ?? "the live revision is unreadable"
            var record = started.record(run, .lost, "\(run.revision.short) \(main.words); \(seen)", commands)
            note(reported, in: &record)
            record.live = live
            return record
        case .exited, .signaled, .timedOut, .idleTimedOut:
            return await failed(result.outcome, main, before, deploy, values, took: took, started)
        }
    }

    /// The script said no, or ran into a limit.
    private func failed(
        _ outcome: CommandResult.Outcome, _ main: SupervisedCommand, _ before: [SupervisedCommand],
        _ deploy: DeploySettings, _ values: PlaceholderValues, took: String, _ started: Stopwatch
    ) async -> StageRecord {
        var commands = before
        let isLimit = outcome == .timedOut || outcome == .idleTimedOut
        if isLimit, let cleanup = deploy.cleanup {
            commands.append(await context.command(cleanup, role: "cleanup", of: run, values: values))
        }
        if let logs = deploy.logs {
            commands.append(await context.command(logs, role: "logs", of: run, values: values))
        }
        let line = main.lastLine
        let words = "\(run.revision.short) \(main.words), \(took)\(line.isEmpty ? "" : ": \(line)")"
        // What a deployment that failed left behind is the first question of whoever is told.
        let live = await readLive()
        var record = started.record(run, isLimit ? .timedOut : .failed, words, commands)
        record.leftLive = live
        return record
    }

    /// A deployment that was called off is cleaned up behind like one that ran out of time, and what it left is asked for.
    /// The stage is canceled by then: what puts back must not be.
    private func afterStop(
        _ deploy: DeploySettings, _ values: PlaceholderValues
    ) async -> (cleanup: [SupervisedCommand], left: LiveReading?) {
        let stage = self
        let work = Task {
            var done: [SupervisedCommand] = []
            if let cleanup = deploy.cleanup {
                done.append(await stage.context.command(cleanup, role: "cleanup", of: stage.run, values: values))
            }
            return (done, await stage.readLive())
        }
        return await work.value
    }

    private func words(_ cleanup: [SupervisedCommand]) -> String {
        cleanup.map { "; cleanup \($0.succeeded ? "done" : $0.words)" }.joined()
    }

    /// - Parameter reported: what this deployment says about its services, where it is not known from an earlier one.
    private func readLive(_ reported: [ServiceState] = []) async -> LiveReading? {
        var surroundings = surroundings
        if !reported.isEmpty {
            surroundings.deployments.append(DeployedServices(revision: run.revision, services: reported))
        }
        return await StabilizeStage(context: context, run: run, surroundings: surroundings).readLive()
    }

    /// What the script wrote to `$NIGHTJAR_DEPLOYMENT`: `{"services": [{name, revision, commit, trafficPercent}]}`, without
    /// secrets; nil where it wrote nothing.
    private func readServices(_ report: String) -> Result<[ServiceState], any Error>? {
        let path = "\(report)/deployment.json"
        guard Files.exists(path) else { return nil }
        return Result {
            try DeploymentFile.read(
                try Files.read(path, limit: Limits.probeBytes), redaction: context.secrets.redaction)
        }
    }

    private func note(_ reported: Result<[ServiceState], any Error>?, in record: inout StageRecord) {
        switch reported {
        case nil: break
        case .success(let services):
            record.services = services
            let names = services.prefix(6).map { "\($0.name) \(($0.wanted ?? run.revision).short)" }
            if !names.isEmpty { record.summary += "; \(names.joined(separator: " "))" }
        case .failure(let error):
            record.summary += "; $NIGHTJAR_DEPLOYMENT is unreadable: \(error)"
        }
    }
}
