// SPDX-License-Identifier: Apache-2.0
// The way back where experiments, a fix or an operator's abort left the environment elsewhere.

import Domain

extension CycleMachine {
    /// A deployment that an operator aborted may have left anything. Where the last green revision was live before, it is
    /// deployed again; otherwise a line says why not. What experiments and fixes deploy has its own way home.
    mutating func returnFromAborted(_ record: StageRecord) -> [Action] {
        guard record.run.kind == .deploy, !record.run.purpose.isDeployedExperiment, record.run.purpose != .fix,
            [.stopped, .failed, .timedOut, .lost].contains(record.outcome), let progress = cycle
        else { return [] }
        if let bars = barsReturn(record, progress) {
            let left = memory.serving.map { "staging answers \($0.short)" } ?? "what staging runs is unknown"
            return [.say(LogLine(.warn, "restore", "not restored: \(bars); \(left)"))]
        }
        cycle?.returnsTo = progress.lastGreen
        return []
    }

    /// What was live before the cycle deployed anything is what may come back: an attempt of its own is no such thing.
    private func barsReturn(_ record: StageRecord, _ progress: CycleProgress) -> String? {
        if record.run.purpose == .rollback || record.run.purpose == .restore {
            return "the way back itself was aborted"
        }
        let before = progress.beforeFirstDeploy?.serving
        if let left = record.leftLive?.revision {
            if let before, left.names(before) { return "what was live before the deployment still is" }
            if !left.names(record.run.revision), !progress.hasTouched(left) {
                return "others deployed \(left.short) meanwhile"
            }
        }
        guard let green = progress.lastGreen else { return "no revision is known to be green" }
        if green == progress.wanted { return "what was being deployed is the last green revision" }
        guard let before else { return "what was live before is unknown" }
        if !before.names(green) {
            return "\(before.short) was live before, and the last green revision is \(green.short)"
        }
        return progress.irreversible ?? progress.work.irreversible
    }

    /// Where experiments, a fix or an aborted deployment left another revision than the one that is to be there, that one is
    /// deployed again.
    mutating func restoreOrConclude(_ now: Timestamp) -> [Action] {
        guard let progress = cycle, progress.wasMoved, progress.deployed != progress.home, stopping == nil,
            progress.phase != .restore
        else { return conclude(now) }
        if let theirs = progress.deployed, !progress.hasTouched(theirs) {
            let text = "not restored: others deployed \(theirs.short) meanwhile"
            return [.say(LogLine(.hold, "restore", text))] + conclude(now)
        }
        cycle?.phase = .restore
        var steps = [Step(.deploy, .restore, revision: progress.home)]
        if progress.policy.hasHealth || progress.policy.provesRevision {
            steps.append(Step(.stabilize, .restore, revision: progress.home))
        }
        cycle?.queue = steps
        let mover =
            progress.returnsTo != nil
            ? "the aborted deployment" : progress.fix?.wasDeployed == true ? "the fix" : "experiments"
        let left = (progress.deployed ?? memory.serving)?.short ?? "an unknown revision"
        return [.say(LogLine(.act, "restore", "\(progress.home.short): \(mover) left \(left)"))] + startNext(now)
    }

    mutating func advanceRestore(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        if record.outcome != .succeeded, record.run.kind == .deploy,
            record.live?.revision?.names(record.run.revision) != true
        {
            cycle?.queue = []
            return [
                .say(
                    LogLine(
                        .fail, "restore", "staging is left at \(cycle?.deployed?.short ?? "an unknown revision")")
                )
            ]
                + conclude(now)
        }
        return startNext(now)
    }
}
