// SPDX-License-Identifier: Apache-2.0
// Looks for something to do: the wanted revision, what is live, and what git says about both.

import Domain
import Engine
import Evidence
import Execution
import Platform

struct WorkFinder: Sendable {
    let context: LoopContext

    func look(_ trigger: Trigger, _ memory: LoopMemory) async -> Event {
        let settings = context.settings.current
        if let full = diskProblem(settings) {
            return .workUnavailable(WorkUnavailable(trigger: trigger, reason: full, source: "disk"))
        }
        let live = await readLive(memory)
        if settings.mode != .operate {
            guard let revision = live?.revision else {
                let asked = live.map { $0.problem ?? "the answers differ" } ?? "health.liveRevision is not configured"
                if settings.mode == .observe, settings.health.liveRevision.isEmpty {
                    return await seen(Revision("live"), trigger, settings, memory, live)
                }
                let reason = "which revision is live could not be read: \(asked)"
                return .workUnavailable(
                    WorkUnavailable(trigger: trigger, reason: reason, source: WorkUnavailable.liveRevision))
            }
            return await seen(revision, trigger, settings, memory, live)
        }
        do {
            let wanted = try await wantedRevision(settings)
            return await seen(wanted, trigger, settings, memory, live)
        } catch {
            return .workUnavailable(WorkUnavailable(trigger: trigger, reason: "\(error)", source: "revision"))
        }
    }

    private func diskProblem(_ settings: LoopSettings) -> String? {
        guard let free = try? Files.freeBytes(at: context.layout.root), free < settings.minFreeBytes else { return nil }
        return
            "\(free >> 20) MiB free < storage.minFreeBytes \(settings.minFreeBytes >> 20) MiB in \(context.layout.root): "
            + "no new cycle until there is space"
    }

    private func readLive(_ memory: LoopMemory) async -> LiveReading? {
        let probe = StageRun(cycle: 0, kind: .stabilize, purpose: .recheck, attempt: 1, revision: Revision(""))
        let surroundings = StageSurroundings(
            cycleStartedAt: context.now(), deployments: memory.deployments ?? [])
        return await StabilizeStage(context: context, run: probe, surroundings: surroundings).readLive()
    }

    private func wantedRevision(_ settings: LoopSettings) async throws -> Revision {
        if let command = settings.repository?.revisionCommand {
            return try await printed(by: command, settings)
        }
        guard let repository = context.repository, let source = settings.repository else {
            throw RepositoryError(
                attempted: "find the wanted revision", path: settings.baseDirectory,
                problem: "repository is not configured; give repository.path or repository.revisionCommand")
        }
        return source.fetch ? try await repository.fetched(source.ref) : try await repository.resolve(source.ref)
    }

    private func printed(by command: CommandSettings, _ settings: LoopSettings) async throws -> Revision {
        let argv = command.argv
        let secrets = try await context.secrets.fetch(command.secrets)
        let output = try await HelperCommand.run(
            argv, environment: context.environment.merging(command.environment) { $1 }.merging(secrets) { $1 },
            workingDirectory: command.workingDirectory ?? settings.baseDirectory, standardInput: [],
            timeout: command.timeout, outputLimit: 64 << 10)
        let redaction = TextRedaction(needles: context.secrets.needles)
        let line = redaction.text(output.text).split(whereSeparator: \.isNewline).first
        guard output.exit == 0, let line, !line.isEmpty else {
            throw RepositoryError(
                attempted: "run repository.revisionCommand \(argv.joined(separator: " "))",
                path: settings.baseDirectory,
                problem: output.timedOut
                    ? "it did not end in time" : "exit \(output.exit.map(String.init) ?? "?"), printed no revision")
        }
        return Revision(String(line).trimmingWhitespace)
    }

    private func seen(
        _ wanted: Revision, _ trigger: Trigger, _ settings: LoopSettings, _ memory: LoopMemory, _ live: LiveReading?
    ) async -> Event {
        var work = WorkSeen(trigger: trigger, wanted: wanted, ref: settings.repository?.ref, live: live?.revision)
        if let repository = context.repository {
            if let description = await repository.describe(wanted) {
                work.subject = description.subject
                work.author = description.author
            }
            if let green = memory.lastGreen {
                work.greenIsAncestor = await repository.isAncestor(green, of: wanted)
                // A number of commits after one that lies elsewhere would say what is not so.
                if work.greenIsAncestor != false {
                    work.commitsAfterGreen = await repository.count(after: green, upTo: wanted)
                }
                if settings.mode == .operate, green != wanted {
                    let patterns = settings.deploy?.irreversible ?? []
                    work.irreversible = await repository.irreversible(patterns, between: green, and: wanted)
                }
            }
            for known in memory.knownBad.suffix(20) where await repository.contains(wanted, known.revision) {
                work.containsKnownBad.append(known.revision)
            }
            for incident in memory.incidents.suffix(20) where incident.state != .resolved {
                guard let diagnosis = incident.diagnosis, diagnosis.grade == .proven,
                    let culprit = diagnosis.culprit?.commit, await repository.contains(wanted, culprit)
                else { continue }
                work.containsCulpritOf = (work.containsCulpritOf ?? []) + [incident.id]
            }
        }
        return .workSeen(work)
    }
}
