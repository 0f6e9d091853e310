// SPDX-License-Identifier: Apache-2.0
// Deploy, stabilize, test: the ordinary pass over the wanted revision.

import Domain

extension CycleMachine {
    mutating func advanceFirst(_ record: StageRecord, skipped: Bool, _ now: Timestamp) -> [Action] {
        switch record.run.kind {
        case .deploy: deployEnded(record, now)
        case .stabilize where record.run.purpose == .recheck: recheckEnded(record, now)
        case .stabilize: stabilizeEnded(record, skipped: skipped, now)
        case .test: testEnded(record, skipped: skipped, now)
        case .remedy: startNext(now)
        }
    }

    private mutating func deployEnded(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        switch record.outcome {
        case .succeeded:
            return startNext(now)
        case .refused:
            cycle?.refusals += 1
            if cyclesLeft != nil { return interrupt(rule: "permit", record.summary, now) }
            if isOutsideWindow {
                return interrupt(rule: "window-closed", "the window closed; \(record.summary)", now)
            }
            state = .backingOff(step(of: record.run))
            let delay = Duration.seconds(min(7200, 600 << min((cycle?.refusals ?? 1) - 1, 4)))
            return [
                .say(LogLine(.hold, "deploy", "asks again in \(delay.milliseconds / 60_000)m")),
                wake(.backOff, after: delay),
            ]
        case .lost:
            return lostDeployEnded(record, now)
        case .couldNotRun:
            return retryInfrastructure(record, now)
        case .failed, .timedOut, .stopped, .neverRan:
            let tried = tries(of: record)
            if !record.infrastructure, record.outcome != .stopped, tried < (cycle?.policy.deployAttempts ?? 1) {
                return start(step(of: record.run))
            }
            cycle?.queue = []
            return evaluate(now)
        }
    }

    /// A deploy whose end nobody saw is never blindly repeated: the live revision decides.
    private mutating func lostDeployEnded(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        guard let live = record.live?.revision else {
            cycle?.queue = []
            return [
                .say(LogLine(.hold, "deploy", "result lost and the live revision is unreadable: nothing is repeated"))
            ]
                + conclude(now)
        }
        if live.names(record.run.revision) {
            return [.say(LogLine(.ok, "deploy", "effect seen, result lost: \(live.short) is live"))] + startNext(now)
        }
        if isWithinRepeats(record) {
            let text = "result lost and \(live.short) is live, not \(record.run.revision.short): tried again"
            return [.say(LogLine(.act, "deploy", text))] + start(step(of: record.run))
        }
        cycle?.queue = []
        return conclude(now)
    }

    private mutating func stabilizeEnded(_ record: StageRecord, skipped: Bool, _ now: Timestamp) -> [Action] {
        switch record.outcome {
        case .succeeded:
            return startNext(now)
        case .lost where isWithinRepeats(record):
            return start(step(of: record.run))
        case .couldNotRun:
            return retryInfrastructure(record, now)
        case .failed, .timedOut, .stopped, .refused, .neverRan, .lost:
            if skipped { return startNext(now) }
            cycle?.queue = []
            if isSupersededOutage(record) { return supersede(record, "the environment was away", now) }
            return evaluate(now)
        }
    }

    /// What others deployed meanwhile is theirs: nothing is restored over it, and it is looked at next.
    private mutating func supersede(_ record: StageRecord, _ when: String, _ now: Timestamp) -> [Action] {
        let live = record.live?.revision?.short ?? "something else"
        let text = "others deployed \(live) while \(when): the results are of neither"
        startOver()
        cycle?.interruption = Reason(rule: "superseded", verdict: .interrupted, text: text)
        return conclude(now)
    }

    /// What is live now is asked at once, except where that would deploy over what others have just deployed: they have until
    /// the next look.
    private mutating func startOver() {
        if cycle?.policy.mode != .operate { dueLook = dueLook ?? .again }
    }

    /// After the last test the same revision must still be live, or somebody else deployed meanwhile.
    mutating func recheckEnded(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        guard record.outcome != .succeeded, cycle != nil else { return startNext(now) }
        if let live = record.live?.revision, !live.names(record.run.revision) {
            startOver()
            cycle?.queue = []
            // What others deployed meanwhile is theirs: nothing is restored over it.
            let text =
                "others deployed \(live.short) during the tests of \(record.run.revision.short): the results are of neither"
            cycle?.interruption = Reason(rule: "superseded", verdict: .interrupted, text: text)
            return conclude(now)
        }
        return startNext(now)
    }

    private mutating func testEnded(_ record: StageRecord, skipped: Bool, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, let name = record.run.subject else { return startNext(now) }
        if skipped {
            cycle?.notRun[name] = NotRun(rule: "skipped", text: "skipped by an operator")
            return startNext(now)
        }
        if record.run.only != nil, let joining = joins(record) { return joining + startNext(now) }
        let retries = record.outcome == .lost || (record.outcome == .couldNotRun && record.infrastructure)
        if retries, tries(of: record) <= 2 { return start(step(of: record.run)) }
        let policy = progress.policy.suites.first { $0.name == name }
        if record.run.only == nil, record.outcome != .succeeded, tries(of: record) < policy?.attempts ?? 1 {
            return start(step(of: record.run))
        }
        if record.run.only == nil, progress.policy.failFast, let policy, policy.blocking,
            hasUnmutedFailure(record, progress.policy, now)
        {
            return failFast(after: policy, now)
        }
        return startNext(now)
    }

    /// The failing tests of an open incident fail on a revision that contains its proven culprit: nothing new is to be
    /// learned from the rest. Nil where they do not.
    private mutating func joins(_ record: StageRecord) -> [Action]? {
        guard let progress = cycle, let id = progress.expecting, (record.suite?.totals.failing ?? 0) > 0,
            let incident = memory.incidents.first(where: { $0.id == id }),
            let culprit = incident.diagnosis?.culprit, let suite = record.run.subject
        else { return nil }
        let text =
            "\(progress.wanted.short) contains \(culprit.commit.short), the proven culprit of \(id), and "
            + "\(record.suite?.notPassed.first?.id ?? "its test") fails as it did"
        cycle?.joined = Joined(
            incident: id, culprit: culprit.commit, suite: suite, stage: record.run.folder, text: text)
        let because = NotRun(rule: "joined", text: "notRun: joins \(id), whose culprit is still contained")
        for step in progress.queue where step.kind == .test { cycle?.notRun[step.subject ?? ""] = because }
        cycle?.queue.removeAll { $0.kind == .test }
        return [.say(LogLine(.fact, "incident", "\(id): \(text); no new experiments"))]
    }

    /// Whether a test fails that is not in quarantine: those that are listed are looked at, the rest counts.
    private func hasUnmutedFailure(_ record: StageRecord, _ policy: LoopPolicy, _ now: Timestamp) -> Bool {
        guard let suite = record.suite, suite.totals.failing > 0 else { return false }
        let quarantine = Quarantine(policy.quarantine, at: now)
        let muted = suite.notPassed.count { $0.outcome.isFailure && quarantine.entry(for: $0.id) != nil }
        return suite.totals.failing > muted
    }

    /// Lower priorities are not run once a blocking suite fails; suites of the same priority still are.
    private mutating func failFast(after failed: SuitePolicy, _ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        let dropped = progress.queue.filter { step in
            step.kind == .test
                && (progress.policy.suites.first { $0.name == step.subject }?.priority ?? 0) > failed.priority
        }
        guard !dropped.isEmpty else { return startNext(now) }
        let because = NotRun(
            rule: "fail-fast", text: "notRun: rule fail-fast (\(failed.name), P\(failed.priority), is failing)")
        for step in dropped { cycle?.notRun[step.subject ?? ""] = because }
        cycle?.queue.removeAll { step in dropped.contains(step) }
        let names = dropped.compactMap(\.subject).joined(separator: ", ")
        return [.say(LogLine(.skip, "test", "\(names) \(because.text)"))] + startNext(now)
    }

    /// Tools that failed are tried twice more; then the cycle ends without a word about the revision.
    private mutating func retryInfrastructure(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        cycle?.infrastructureRetries += 1
        let retry = cycle?.infrastructureRetries ?? 0
        guard retry <= 2 else {
            cycle?.queue = []
            return evaluate(now)
        }
        state = .backingOff(step(of: record.run))
        let seconds = cyclesLeft == nil ? 5 : 1
        let text = "infrastructure error: tried again in \(seconds)s, retry \(retry) <= 2"
        return [
            .say(LogLine(.hold, record.run.stage, text)),
            wake(.backOff, after: .seconds(seconds)),
        ]
    }

    private func tries(of record: StageRecord) -> Int {
        cycle?.records.count { other in
            other.run.stage == record.run.stage && other.run.subject == record.run.subject
                && other.run.revision == record.run.revision && other.run.experiment == record.run.experiment
                && other.outcome != .neverRan && other.run.only == record.run.only
        } ?? 0
    }

    /// The pass is over: a clean one is concluded, anything else goes to triage.
    mutating func evaluate(_ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        let judgement = VerdictRules.judge(progress, at: now)
        let isInfrastructure = judgement.reasons.first?.rule == "infrastructure"
        // What everybody knows of (quarantine, a known flake, a configuration without proof) is no question.
        let isKnown = judgement.reasons.allSatisfy { reason in
            reason.verdict == .healthy || ["quarantine", "revision-not-read"].contains(reason.rule)
                || reason.rule.hasPrefix("target-")
        }
        let isSlow = judgement.suites.contains { suite in
            progress.decidingRecord(suite: suite.name)?.targets?.contains(where: \.isInQuestion) == true
        }
        // One pass says little about a test that is new or changed: triage knows which are.
        let isToBurnIn =
            isKnown && !isSlow && judgement.verdict != .interrupted && !isInfrastructure && burnIn(progress) != nil
        if isToBurnIn {
            if progress.triageStartedAt == nil { cycle?.triageStartedAt = now }
            return askTriage(now)
        }
        if (isKnown && !isSlow) || judgement.verdict == .interrupted || isInfrastructure {
            return restoreOrConclude(now)
        }
        if let joined = progress.joined, let incident = memory.incidents.first(where: { $0.id == joined.incident }) {
            return diagnosed([incident], now)
        }
        if progress.triageStartedAt == nil { cycle?.triageStartedAt = now }
        return askTriage(now)
    }
}
