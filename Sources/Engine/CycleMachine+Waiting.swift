// SPDX-License-Identifier: Apache-2.0
// Between cycles: when to look for work, and which work begins a cycle.

import Domain

extension CycleMachine {
    /// Back to waiting: finishes, waits for the window or the pause to end, or sets the timer of the next look.
    mutating func enterWaiting(_ now: Timestamp, after delay: Duration? = nil) -> [Action] {
        cycle = nil
        state = .waiting(looking: false)
        if stopping != nil { return finish(.done) }
        if let cyclesLeft, cyclesLeft <= 0 {
            return finish(memory.lastVerdict.map { .cycles($0) } ?? .done)
        }
        if memory.policy?.stopWhenHealthy == true, memory.lastVerdict == .healthy, memory.cycle > 0 {
            return [.say(LogLine(.ok, "done", "schedule.stopWhen healthy"))] + finish(.done)
        }
        return rest(delay ?? .milliseconds(Int64((memory.policy?.everySeconds ?? 600) * 1000)), now)
    }

    private mutating func rest(_ delay: Duration, _ now: Timestamp) -> [Action] {
        // Also after a start. A number of cycles that this start was asked for goes before.
        if cyclesLeft == nil, let most = memory.policy?.maxCycles, memory.cycle >= most {
            return [.say(LogLine(.ok, "done", "\(memory.cycle) cycles >= schedule.maxCycles \(most)"))] + finish(.done)
        }
        if let pause = memory.pause {
            if cyclesLeft != nil {
                return [.say(LogLine(.hold, "waiting", pause.insteadOfCycle))] + finish(.done)
            }
            guard let until = pause.until else { return [] }
            return [wake(.pauseEnds, after: until.since(now))]
        }
        if isOutsideWindow, dueLook != .request { return [] }
        // Who asked for a number of cycles waits for the first of them no longer than for what an earlier start left.
        let isDue = dueLook != nil || (cyclesLeft != nil && isFirstLook)
        return [wake(.nextLook, after: isDue && failedLooks == 0 ? .zero : delay)]
    }

    /// Sets waiting up again after a start, a resume, or new settings. A look that is under way goes on.
    mutating func restartWaiting(_ now: Timestamp) -> [Action] {
        guard memory.policy != nil, case .waiting(looking: false) = state else { return [] }
        return rest(.zero, now)
    }

    /// Outside the window nothing begins by itself. A number of cycles that was asked for does not wait for it.
    var isOutsideWindow: Bool { memory.window?.isOpen == false && cyclesLeft == nil }

    mutating func look() -> [Action] {
        guard case .waiting(looking: false) = state, memory.pause == nil, memory.policy != nil else { return [] }
        if isOutsideWindow, dueLook != .request { return [] }
        state = .waiting(looking: true)
        return [.lookForWork(dueLook ?? (cyclesLeft == nil ? .schedule : .once))]
    }

    mutating func change(_ window: WindowChanged, _ now: Timestamp) -> [Action] {
        guard memory.window != window else { return [] }
        let old = memory.window
        memory.window = window
        let isNewNight = old?.isOpen != true || old?.until.map { $0 <= now } ?? false
        if window.isOpen, isNewNight {
            renewNight(now)
        }
        let until = window.until.map { " until \($0.moment(at: now))" } ?? ""
        let say = Action.say(LogLine(.going, "window", (window.isOpen ? "open" : "closed") + until))
        if case .backingOff(let step) = state, step.kind == .deploy, isOutsideWindow {
            let text = "the window closed before \(step.revision.short) could be deployed"
            return [say] + interrupt(rule: "window-closed", text, now)
        }
        return window.isOpen ? [say] + restartWaiting(now) : [say]
    }

    mutating func pause(_ pause: PauseRequested, _ now: Timestamp) -> [Action] {
        memory.pause = pause
        let until = pause.until.map { " until \($0.wholeSeconds)" } ?? ", no end set"
        var actions: [Action] = [.say(LogLine(.hold, "pause", "by \(pause.owner): \(pause.reason)\(until)"))]
        // Counted up in any case: the timer of a pause before must not end this one.
        let timer = wake(.pauseEnds, after: pause.until?.since(now) ?? .zero)
        if pause.until != nil { actions.append(timer) }
        return actions
    }

    mutating func endPause(_ now: Timestamp) -> [Action] {
        guard let pause = memory.pause else { return [] }
        memory.pause = nil
        return [.say(LogLine(.going, "resume", "the pause by \(pause.owner) has ended"))] + restartWaiting(now)
    }

    // MARK: - Work

    mutating func see(_ work: WorkSeen, _ now: Timestamp) -> [Action] {
        if case .awaitingApproval = state {
            serve(work)
            return seeWhileAwaiting(work, now)
        }
        guard case .waiting(looking: true) = state, let policy = memory.policy else { return [] }
        if isBlind(work, policy) { return miss(.liveRevision(work.trigger), now, wanting: work) }
        failedLooks = 0
        serve(work)
        let outage = memory.unreadable
        if work.live != nil || !policy.provesRevision { memory.unreadable = nil }
        if dueLook == .request, work.trigger != .request { return [.lookForWork(.request)] }
        dueLook = nil
        let isAsked = work.trigger == .request
        if memory.pause != nil || isOutsideWindow, !isAsked { return enterWaiting(now) }
        let known = isAsked ? nil : knownBad(work, policy)
        if let known, !isRetest(known, work, policy) {
            let text = "no revision newer than known-bad \(work.wanted.short) (#\(known.cycle): \(known.because))"
            if cyclesLeft != nil { return [.say(LogLine(.hold, "waiting", text))] + finish(.knownBad(work.wanted)) }
            return [.say(LogLine(.hold, "waiting", text))] + enterWaiting(now)
        }
        if !isAsked, let refusal = abortedWork(work, policy) {
            return [.say(LogLine(.hold, "waiting", refusal))] + enterWaiting(now)
        }
        let isSame = work.wanted == memory.lastGreen || memory.cycle > 0
        // What a cycle found while the environment was away is no word about the revision that is back.
        let isKnown = work.trigger == .schedule && !isFirstLook && isSame && outage?.cycle == nil
        if isKnown, isNothingNew(work, policy) {
            let rule = policy.mode == .verify ? "tested already" : "rule skipUnchanged"
            return [.say(LogLine(.going, "waiting", "nothing new: \(work.wanted.short) is live and known, \(rule)"))]
                + enterWaiting(now)
        }
        return open(work, policy, retesting: known, now)
    }

    /// What a look read is what the environment serves. An abbreviation stands for the revision that is known.
    mutating func serve(_ work: WorkSeen) {
        guard let live = work.live else { return }
        let known = [work.wanted, memory.lastGreen, memory.serving].compactMap { $0 }
        memory.serving = known.first { $0.names(live) } ?? live
    }

    /// Why the wanted revision is not deployed again. Who asks for a number of cycles is refused only what was rolled back.
    private func knownBad(_ work: WorkSeen, _ policy: LoopPolicy) -> LoopMemory.KnownBad? {
        guard policy.mode == .operate, policy.hasDeploy else { return nil }
        return memory.knownBad.first { known in
            known.revision.names(work.wanted) && (cyclesLeft == nil || known.isLeft != true)
        }
    }

    /// Why the wanted revision, whose cycle was aborted, is not deployed again by the schedule. Who asks for a number of
    /// cycles gets them.
    private func abortedWork(_ work: WorkSeen, _ policy: LoopPolicy) -> String? {
        guard policy.mode == .operate, policy.hasDeploy, cyclesLeft == nil, let aborted = memory.aborted,
            aborted.revision.names(work.wanted)
        else { return nil }
        return
            "no revision newer than \(work.wanted.short) (#\(aborted.cycle) \(aborted.because)); nightjar trigger deploys "
            + "it"
    }

    /// A known-bad revision that was left where it is may be tested there again: what ails it may pass.
    private func isRetest(_ known: LoopMemory.KnownBad, _ work: WorkSeen, _ policy: LoopPolicy) -> Bool {
        let live = policy.provesRevision ? work.live : memory.serving
        return known.isLeft == true && live?.names(work.wanted) == true
    }

    func isNothingNew(_ work: WorkSeen, _ policy: LoopPolicy) -> Bool {
        let live = work.live ?? memory.serving
        guard let live, live.names(work.wanted) else { return false }
        switch policy.mode {
        case .verify: return memory.lastTested?.names(work.wanted) == true && memory.lastVerdict != .interrupted
        case .operate: return policy.skipUnchanged && memory.lastGreen?.names(work.wanted) == true
        case .observe: return policy.skipUnchanged && memory.lastGreen?.names(work.wanted) == true
        }
    }

    /// Where there is no window, a day of 24 hours renews what experiments may deploy.
    private mutating func beginDay(_ now: Timestamp) {
        guard memory.window == nil else { return }
        if let since = memory.experimentDeploysSince, now.since(since) < .seconds(86_400) { return }
        renewNight(now)
    }

    private mutating func renewNight(_ now: Timestamp) {
        memory.experimentDeploys = 0
        memory.experimentDeploysSince = now
        memory.runbooksTonight = nil
    }

    /// - retesting: set where the revision is known to be bad: it is tested where it is, and nothing is deployed.
    mutating func open(
        _ work: WorkSeen, _ policy: LoopPolicy, retesting known: LoopMemory.KnownBad?, _ now: Timestamp
    ) -> [Action] {
        isFirstLook = false
        if let left = cyclesLeft { cyclesLeft = left - 1 }
        memory.cycle += 1
        beginDay(now)
        var progress = CycleProgress(
            number: memory.cycle, work: work, policy: policy, settingsHash: memory.settingsHash ?? "", startedAt: now)
        progress.previousLive = work.live ?? memory.serving
        progress.lastGreen = memory.lastGreen
        progress.deployed = policy.mode == .operate ? nil : work.wanted
        progress.queue = Plan.firstPass(policy, revision: work.wanted, purpose: .cycle)
        if let known {
            progress.retests = known.cycle
            progress.deployed = work.wanted
            progress.queue.removeAll { $0.kind == .deploy }
        }
        expectKnownFailure(work, &progress)
        progress.requests = memory.requests ?? []
        memory.requests = nil
        cycle = progress
        let green = memory.lastGreen.map { green in
            work.wanted == green
                ? ", the last green one"
                : work.greenIsAncestor == false
                    ? ", not after green \(green.short), which is no ancestor of it"
                    : ", \(work.commitsAfterGreen.map { "\($0) after " } ?? "")green \(green.short)"
        }
        let title = work.subject.map { " \"\(firstLine($0))\"" } ?? ""
        let reference = work.ref.map { " (\(Revision($0).short)\(green ?? ""))" } ?? ""
        let say = LogLine(
            .going, "cycle",
            "\(work.wanted.short)\(title)\(reference); \(policy.mode.rawValue), \(work.trigger.rawValue)"
                + (known.map { "; tests only: known-bad since #\($0.cycle)" } ?? ""))
        return [.openCycle(memory.cycle), .say(say)] + startNext(now)
    }
}

extension CycleMachine {
    /// A revision that contains the proven culprit of an open incident runs the incident's failing tests first: where
    /// they fail, that is known already. An operator who asks for a cycle gets a whole one.
    private func expectKnownFailure(_ work: WorkSeen, _ progress: inout CycleProgress) {
        guard work.trigger != .request, progress.policy.mode != .observe else { return }
        let known = memory.incidents.first { incident in
            // A green cycle since then had the culprit in it too: what fails now came later.
            incident.state != .resolved && work.containsCulpritOf?.contains(incident.id) == true
                && memory.greenCycles[incident.id] ?? 0 == 0
                && incident.diagnosis?.grade == .proven && incident.diagnosis?.culprit != nil
                && incident.suites.count == 1 && (1...50).contains(incident.tests.count)
        }
        guard let known, let suite = known.suites.first,
            let index = progress.queue.firstIndex(where: { $0.kind == .test }),
            progress.queue.contains(where: { $0.kind == .test && $0.subject == suite })
        else { return }
        progress.expecting = known.id
        progress.queue.insert(Step(.test, .cycle, suite, revision: work.wanted, only: known.tests), at: index)
    }
}

/// Which steps a pass has.
enum Plan {
    /// Deploy (in operate mode), stabilize, every suite by priority, and the live revision once more.
    static func firstPass(_ policy: LoopPolicy, revision: Revision, purpose: Purpose) -> [Step] {
        var steps: [Step] = []
        if policy.mode == .operate, policy.hasDeploy { steps.append(Step(.deploy, purpose, revision: revision)) }
        if policy.hasHealth || policy.provesRevision { steps.append(Step(.stabilize, purpose, revision: revision)) }
        steps += suites(policy, revision: revision, purpose: purpose == .redeploy ? .cycle : purpose)
        if policy.provesRevision { steps.append(Step(.stabilize, .recheck, revision: revision)) }
        return steps
    }

    static func suites(_ policy: LoopPolicy, revision: Revision, purpose: Purpose) -> [Step] {
        policy.suites.inRunOrder(\.priority).map { Step(.test, purpose, $0.name, revision: revision) }
    }
}
