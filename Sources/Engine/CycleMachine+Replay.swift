// SPDX-License-Identifier: Apache-2.0
// The journal of another version: it decided by other rules here and there. What was decided then shows in what was written
// down, and it stands, whatever would be decided today; this version decides from where the other one had come to.

package import Domain

extension CycleMachine {
    /// Takes a recorded fact in, as `handle` does. Where the fact can only have come in another state than the one that this
    /// version's decisions led to, the machine is put there first. For a journal of the same version it is `handle`.
    @discardableResult
    package mutating func replay(_ entry: JournalEntry) -> [Action] {
        var next = self
        next.stand(where: entry)
        let actions = next.handle(entry.event, at: entry.at)
        if entry.event.mayOpenCycle, next.memory.cycle != entry.cycle {
            return next.memory.cycle > entry.cycle ? leave(entry) : open(entry)
        }
        self = next
        return actions
    }

    /// A cycle that this version would begin, and that was not begun.
    private mutating func leave(_ entry: JournalEntry) -> [Action] {
        state = .waiting(looking: false)
        failedLooks = 0
        if case .workSeen(let work) = entry.event { serve(work) }
        return []
    }

    /// A cycle that this version would not begin, and that was begun. One that was not sealed before it is none any more.
    private mutating func open(_ entry: JournalEntry) -> [Action] {
        cycle = nil
        dueLook = nil
        failedLooks = 0
        memory.cycle = entry.cycle - 1
        var seen: WorkSeen?
        if case .workSeen(let work) = entry.event { seen = work }
        let last = memory.lastTested ?? memory.serving ?? Revision("unknown")
        guard let policy = memory.policy else {
            memory.cycle = entry.cycle
            state = .waiting(looking: false)
            return []
        }
        if let seen { serve(seen) }
        return open(seen ?? WorkSeen(trigger: .schedule, wanted: last), policy, retesting: nil, entry.at)
    }

    private mutating func stand(where entry: JournalEntry) {
        switch entry.event {
        case .stageEnded(let record):
            stand(atEndOf: record)
        case .triageAnswered(let answer):
            // The answer to a question that a stop or an abort has overtaken comes late in any version.
            guard let progress = cycle, progress.number == answer.cycle, progress.interruption == nil, stopping == nil,
                aborting == nil
            else { return }
            cycle?.concluded = nil
            cycle?.triageStartedAt = progress.triageStartedAt ?? entry.at
            state = .asking
        case .cycleSealed(let seal):
            stand(atSealOf: seal, entry.at)
        case .memoryCarried(let carried) where carried.cycle >= cycle?.number ?? .max:
            // It is carried where nothing is under way.
            cycle = nil
            state = .waiting(looking: false)
        case .daemonStarted, .settingsAdopted, .memoryCarried, .windowChanged, .workSeen, .workUnavailable, .timerFired,
            .pauseRequested, .operatorRequested, .stopRequested:
            break
        }
    }

    private mutating func stand(atEndOf record: StageRecord) {
        guard let progress = cycle, progress.number == record.run.cycle,
            !progress.records.contains(where: { $0.run == record.run })
        else { return }
        if case .running(record.run, _) = state { return }
        let step = step(of: record.run)
        if let index = progress.queue.firstIndex(of: step) { cycle?.queue.remove(at: index) }
        cycle?.concluded = nil
        _ = start(step)
        state = .running(record.run, cancelling: false)
    }

    /// What was sealed is what the cycle came to.
    private mutating func stand(atSealOf seal: CycleSealed, _ at: Timestamp) {
        guard let progress = cycle, progress.number == seal.cycle else {
            guard seal.cycle > memory.cycle else { return }
            cycle = nil
            memory.cycle = seal.cycle
            memory.lastVerdict = seal.verdict
            memory.sealedHash = seal.sha256
            state = .waiting(looking: false)
            return
        }
        var judgement = progress.concluded ?? VerdictRules.judge(progress, at: at)
        if judgement.verdict != seal.verdict {
            judgement.verdict = seal.verdict
            judgement.recommendation = seal.verdict.ships(by: progress.policy) ? .ship : .hold
        }
        cycle?.concluded = judgement
        state = .concluding
    }
}

extension CycleMachine {
    /// Commands that are in the folder of the cycle under way and of which the journal does not tell: another version, which
    /// decides otherwise, began them.
    func foreign(_ started: DaemonStarted) -> [String] {
        guard let progress = cycle, progress.concluded == nil, let begun = started.begun else { return [] }
        var known = progress.records.map(\.run.folder)
        if case .running(let run, _) = state { known.append(run.folder) }
        return begun.filter { name in !known.contains { name == $0 || name.hasPrefix($0 + ".") } }
    }

    /// Whether the run under way is there as well: then it is brought to its end.
    func isBegun(_ started: DaemonStarted) -> Bool {
        guard case .running(let run, _) = state else { return false }
        return started.begun?.contains(run.folder) == true
    }

    /// What another version began is not gone on with: what it did to the environment is unknown.
    mutating func endForeign(_ names: [String], _ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        if progress.policy.mode == .operate, progress.policy.hasDeploy {
            cycle?.deployed = nil
            memory.serving = nil
        }
        cycle?.approval = nil
        let text = "another version of nightjar began \(names.joined(separator: ", ")), which this one would not have"
        return [.openCycle(progress.number), .say(LogLine(.warn, "restart", text))]
            + interrupt(rule: "upgraded", text, now)
    }
}

extension Event {
    /// Whether a cycle may begin with it: then the number of its entry is that of the new cycle.
    fileprivate var mayOpenCycle: Bool {
        switch self {
        case .workSeen, .workUnavailable: true
        case .daemonStarted, .settingsAdopted, .memoryCarried, .windowChanged, .stageEnded, .triageAnswered,
            .timerFired, .pauseRequested, .operatorRequested, .stopRequested, .cycleSealed:
            false
        }
    }
}
