// SPDX-License-Identifier: Apache-2.0
// Keeps what the services logged: when tests or stabilization failed, for triage, and once when a pass was green, so
// that there is something to compare with. The command runs as any other of a stage: supervised, bounded, redacted,
// hashed, and taken up again after a restart.

import Domain
import Evidence
import Platform

struct LogKeeper: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    static let role = "logs"

    /// Runs `deploy.logs` at the end of a stage that calls for it, and adds the command to the stage's record.
    func keep(_ record: inout StageRecord) async {
        let settings = context.settings.current
        guard let logs = settings.deploy?.logs, isWanted(record, settings), !Task.isCancelled,
            !record.commands.contains(where: { $0.role == LogKeeper.role })
        else { return }
        var values = PlaceholderValues(run, surroundings, settings)
        values["stageStart"] = since(record).description
        let done = await context.command(logs, role: LogKeeper.role, of: run, values: values)
        record.commands.append(done.record)
    }

    private func isWanted(_ record: StageRecord, _ settings: LoopSettings) -> Bool {
        let failed = record.outcome == .failed || record.outcome == .timedOut
        switch (run.kind, run.purpose) {
        case (.test, .baseline): return failed || record.outcome == .succeeded
        case (.test, .cycle): return failed || (record.outcome == .succeeded && isLastOfPass(settings) && kept.isEmpty)
        case (.test, .reverify), (.stabilize, .cycle), (.stabilize, .redeploy), (.stabilize, .reverify):
            return failed
        case (.stabilize, .recheck): return record.outcome == .succeeded && kept.isEmpty
        default: return false
        }
    }

    /// Where the live revision is read again after the last suite, that reading is the end of the pass.
    private func isLastOfPass(_ settings: LoopSettings) -> Bool {
        settings.health.liveRevision.isEmpty && settings.suites.inRunOrder(\.priority).last?.name == run.subject
    }

    /// From the end of what was kept before in this cycle, or else from its start. An experiment wants its own lines.
    private func since(_ record: StageRecord) -> Timestamp {
        if run.purpose.isDeployedExperiment {
            // After a restart the stage's own clock began anew; its commands know when they did.
            return record.commands.map(\.startedAt).min().map { min($0, record.startedAt) } ?? record.startedAt
        }
        let folder = context.layout.cycle(run.cycle)
        let ends = kept.compactMap { Files.modifiedMilliseconds("\(folder)/\($0)/result.json") }
        return ends.max().map { Timestamp(milliseconds: $0) } ?? surroundings.cycleStartedAt
    }

    /// Folders of logs that other stages of this cycle kept.
    private var kept: [String] {
        let suffix = ".\(LogKeeper.role)"
        let names = (try? Files.list(context.layout.cycle(run.cycle))) ?? []
        return names.filter { $0.hasSuffix(suffix) && $0 != run.folder + suffix }
    }
}
