// SPDX-License-Identifier: Apache-2.0
// The verdict, and what the loop carries on.

import Domain

extension CycleMachine {
    /// Ends the cycle early: its verdict is `interrupted`. A stop leaves the environment where it is and says so; an
    /// abort restores it first.
    mutating func interrupt(rule: String, _ text: String, _ now: Timestamp) -> [Action] {
        cycle?.interruption = Reason(rule: rule, verdict: .interrupted, text: text)
        cycle?.queue = []
        if stopping == nil { return restoreOrConclude(now) }
        var said: [Action] = []
        if let progress = cycle, progress.wasMoved, progress.deployed != progress.home {
            let left = progress.deployed?.short ?? "an unknown revision"
            said.append(.say(LogLine(.warn, "restore", "not restored before the stop: staging is left at \(left)")))
        }
        return said + conclude(now)
    }

    mutating func conclude(_ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return enterWaiting(now) }
        let judgement = VerdictRules.judge(progress, at: now)
        cycle?.concluded = judgement
        endActions(judgement)
        state = .concluding
        let left = unsaid() + withdrawAnnounced()
        return left + [.say(Lines.verdict(judgement, progress, serving: memory.serving)), .seal(progress.number)]
    }

    /// A redeployment and a whole pass more are judged by that pass; what was cut off did not cure.
    private mutating func endActions(_ judgement: Judgement) {
        let isGood = judgement.verdict == .healthy || judgement.verdict == .degraded
        for index in (cycle?.actions ?? []).indices where cycle?.actions[index].outcome == .started {
            let kind = cycle?.actions[index].kind
            let isCured = isGood && (kind == .redeploy || kind == .rerun)
            cycle?.actions[index].outcome = isCured ? .succeeded : .failed
            if !isCured { cycle?.actions[index].result = judgement.reasons.first?.text }
        }
    }

    mutating func sealed(_ seal: CycleSealed, _ now: Timestamp) -> [Action] {
        guard case .concluding = state, let progress = cycle, progress.number == seal.cycle,
            let judgement = progress.concluded
        else { return [] }
        memory.lastVerdict = judgement.verdict
        memory.lastTested = progress.wanted
        memory.sealedHash = seal.sha256
        resolveIncidents(progress, judgement, now)
        var actions: [Action] = [.publish(progress.number)]
        // Without a live revision nobody knows what was green.
        if judgement.recommendation == .ship, progress.policy.provesRevision {
            if memory.lastGreen != progress.wanted { actions.append(.markGreen(progress.wanted)) }
            memory.lastGreen = progress.wanted
            memory.lastGreenCycle = progress.number
            memory.knownBad.removeAll { $0.revision == progress.wanted }
        }
        noteKnownBad(progress, judgement)
        noteAborted(progress)
        let isInfrastructure = judgement.reasons.first?.rule == "infrastructure"
        memory.infrastructureFailures = isInfrastructure ? memory.infrastructureFailures + 1 : 0
        // The two quick retries were made within the cycle.
        if isInfrastructure { return actions + enterWaiting(now, after: backOff(memory.infrastructureFailures + 2)) }
        return actions + enterWaiting(now, after: memory.unreadable.map { _ in soon })
    }

    /// Whether the environment is back is of interest sooner than new work.
    private var soon: Duration {
        .milliseconds(Int64(min(60, memory.policy?.everySeconds ?? 60) * 1000))
    }

    /// A failing revision is not deployed again by the schedule, whether or not another was brought back. What is the fault
    /// of the surroundings, or befalls the last green revision, is no fault of it.
    private mutating func noteKnownBad(_ progress: CycleProgress, _ judgement: Judgement) {
        guard judgement.verdict == .failing, progress.policy.mode == .operate, progress.policy.hasDeploy,
            progress.wanted != progress.lastGreen,
            !progress.actions.contains(where: { $0.kind == .rollback && $0.outcome != .skipped })
        else { return }
        let isOfSurroundings = progress.incidents.allSatisfy { incident in
            guard let diagnosis = incident.diagnosis else { return false }
            guard diagnosis.category.isOfSurroundings, diagnosis.culprit == nil else { return false }
            // Possible is enough where the same revision, deployed once more, was well.
            let isCleared = progress.experiments.contains { $0.experiment.kind == .again && progress.wasWell($0) }
            return diagnosis.grade != .possible || isCleared
        }
        if isOfSurroundings, !progress.incidents.isEmpty { return }
        if let index = memory.knownBad.firstIndex(where: { $0.revision == progress.wanted }) {
            memory.knownBad[index].isLeft = true
            return
        }
        let because = progress.incidents.first.map { "\($0.id) \($0.diagnosis?.category.rawValue ?? "unknown")" }
        let known = LoopMemory.KnownBad(
            revision: progress.wanted, cycle: progress.number,
            because: because ?? judgement.reasons.first?.rule ?? "failing", isLeft: true)
        memory.knownBad = Array((memory.knownBad + [known]).suffix(200))
    }

    /// Who aborts a cycle does not want the same again at the next look.
    private mutating func noteAborted(_ progress: CycleProgress) {
        memory.aborted = nil
        guard let interruption = progress.interruption, interruption.rule == "aborted",
            progress.policy.mode == .operate, progress.policy.hasDeploy
        else { return }
        memory.aborted = LoopMemory.Aborted(
            revision: progress.wanted, cycle: progress.number, because: interruption.text)
    }

    /// An incident is resolved after `Incident.closingCycles` with a sound verdict in which it was not seen.
    private mutating func resolveIncidents(_ progress: CycleProgress, _ judgement: Judgement, _ now: Timestamp) {
        guard judgement.verdict == .healthy || judgement.verdict == .degraded || judgement.verdict == .failing else {
            return
        }
        let seen = Set((progress.earlierIncidents + progress.incidents).map(\.id))
        let isGreen = judgement.verdict == .healthy || judgement.verdict == .degraded
        for index in memory.incidents.indices where memory.incidents[index].state != .resolved {
            if seen.contains(memory.incidents[index].id) {
                memory.greenCycles[memory.incidents[index].id] = 0
            } else if isGreen {
                let count = (memory.greenCycles[memory.incidents[index].id] ?? 0) + 1
                memory.greenCycles[memory.incidents[index].id] = count
                if count >= Incident.closingCycles { resolve(index, now) }
            }
        }
        let open = memory.incidents.filter { $0.state != .resolved }
        let closed = memory.incidents.filter { $0.state == .resolved }.suffix(100)
        memory.incidents = closed + open
        memory.greenCycles = memory.greenCycles.filter { entry in open.contains { $0.id == entry.key } }
    }

    /// Should it come back, its remedies may be tried again.
    private mutating func resolve(_ index: Int, _ now: Timestamp) {
        let id = memory.incidents[index].id
        memory.incidents[index].state = .resolved
        memory.incidents[index].resolvedAt = now
        memory.rollbacks.removeAll { $0.incident == id }
        memory.remediesSpent?.removeAll { $0.incident == id }
    }
}
