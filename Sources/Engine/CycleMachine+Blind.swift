// SPDX-License-Identifier: Apache-2.0
// Looks that could not tell: when to look again, and when what the environment does not say is worth a cycle.

import Domain

extension CycleMachine {
    /// For so long the environment may not say what it runs: a service that is started anew needs a while.
    static let silence = Duration.seconds(20)

    /// A look that could not tell. `work` is what a cycle would be about; nil where the live revision is what is wanted.
    mutating func miss(_ failure: WorkUnavailable, _ now: Timestamp, wanting work: WorkSeen? = nil) -> [Action] {
        if case .awaitingApproval = state { return missWhileAwaiting() }
        guard case .waiting(looking: true) = state else { return [] }
        failedLooks += 1
        let isBlind = failure.source == WorkUnavailable.liveRevision
        let delay = delay(failure)
        if isBlind {
            memory.unreadable = LoopMemory.Unreadable(
                since: memory.unreadable?.since ?? now, reason: failure.reason, nextLook: now + delay,
                cycle: memory.unreadable?.cycle)
        }
        let rests = memory.pause != nil || isOutsideWindow
        let next = rests || cyclesLeft != nil ? "" : "; looks again in \(Self.words(delay))"
        let say = Action.say(LogLine(.hold, "waiting", "\(failure.source): \(failure.reason)\(next)"))
        if cyclesLeft != nil, failedLooks > 2 { return [say] + finish(.infrastructure(failure.reason)) }
        guard isBlind, let outage = openOutage(failure, work, now) else {
            return [say] + enterWaiting(now, after: delay)
        }
        return [say] + outage
    }

    /// An environment that stays silent is a finding: one cycle asks its health, and says what it found.
    private mutating func openOutage(_ failure: WorkUnavailable, _ work: WorkSeen?, _ now: Timestamp) -> [Action]? {
        guard let unreadable = memory.unreadable, unreadable.cycle == nil, now.since(unreadable.since) >= Self.silence,
            cyclesLeft == nil, let policy = memory.policy,
            failure.trigger == .request || (memory.pause == nil && !isOutsideWindow)
        else { return nil }
        dueLook = nil
        memory.unreadable?.cycle = memory.cycle + 1
        let last = memory.lastTested ?? memory.serving ?? Revision("unknown")
        return open(work ?? WorkSeen(trigger: failure.trigger, wanted: last), policy, retesting: nil, now)
    }

    /// Whether the only reason to leave everything as it is would be what was live before.
    func isBlind(_ work: WorkSeen, _ policy: LoopPolicy) -> Bool {
        policy.provesRevision && work.live == nil && work.trigger == .schedule && !isFirstLook && memory.cycle > 0
            && isNothingNew(work, policy)
    }

    /// The outage is over, and something else answers than what was there before: that is asked about anew.
    func isSupersededOutage(_ record: StageRecord) -> Bool {
        guard let cycle, cycle.policy.mode != .operate, memory.unreadable?.cycle == cycle.number,
            let live = record.live?.revision
        else { return false }
        return !live.names(record.run.revision)
    }

    private func delay(_ failure: WorkUnavailable) -> Duration {
        if failure.source == "disk" { return .seconds(cyclesLeft == nil ? 30 : 1) }
        // What is down now may be back in a moment, and until then nobody can be told anything better.
        if failure.source == WorkUnavailable.liveRevision, cyclesLeft == nil {
            return .seconds(failedLooks <= 2 ? 5 : failedLooks == 3 ? 10 : failedLooks == 4 ? 30 : 60)
        }
        return backOff(failedLooks)
    }

    /// Two quick retries, then 10 minutes doubling to 2 hours. A single cycle in the foreground does not wait so long.
    func backOff(_ failures: Int) -> Duration {
        if failures <= 2 || cyclesLeft != nil { return .seconds(cyclesLeft == nil ? 5 : 1) }
        return .seconds(min(7200, 600 << min(failures - 3, 4)))
    }

    private static func words(_ delay: Duration) -> String {
        let seconds = delay.milliseconds / 1000
        return seconds < 120 ? "\(seconds)s" : "\(seconds / 60)m"
    }
}

extension WorkUnavailable {
    static func liveRevision(_ trigger: Trigger) -> WorkUnavailable {
        WorkUnavailable(
            trigger: trigger, reason: "which revision is live could not be read", source: WorkUnavailable.liveRevision)
    }
}
