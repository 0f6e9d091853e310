// SPDX-License-Identifier: Apache-2.0
// What can never be called a pass (docs/architecture.md, "Verdict rules"). Pure: the cycle's facts in, the verdict and
// every reason out.

package import Domain

package enum VerdictRules {
    /// Judges the wanted revision from what the cycle has recorded.
    package static func judge(_ cycle: CycleProgress, at now: Timestamp) -> Judgement {
        var reasons: [Reason] = []
        if let interruption = cycle.interruption { reasons.append(interruption) }
        reasons += deployReasons(cycle) + proofReasons(cycle) + driftReasons(cycle)
        if let joined = cycle.joined, joined.isDeciding(in: cycle) {
            reasons.append(
                Reason(
                    rule: "known-culprit", verdict: .failing, text: joined.text, subject: joined.suite,
                    evidence: joined.stage))
        }
        let unreached = cycle.interruption != nil || reasons.contains { $0.verdict == .failing }
        let quarantined = Quarantine(cycle.policy.quarantine, at: now)
        var muted = 0
        var suites: [SuiteRecord] = []
        for policy in cycle.policy.suites {
            var suite = suiteRecord(policy, cycle, unreached: unreached)
            let own = suiteReasons(policy, suite, cycle, quarantined, &muted)
            weigh(own, &suite)
            suites.append(suite)
            reasons += own
        }
        let totalTests = suites.reduce(0) { $0 + $1.totals.tests }
        reasons += Flakes.tooMany(reasons, suites, of: totalTests)
        let allowed = max(1, totalTests / 20)
        if muted > allowed {
            reasons.append(
                Reason(
                    rule: "quarantine-cap", verdict: .failing,
                    text: "\(muted) quarantined tests fail > \(allowed) allowed (5 % of \(totalTests))"))
        }
        if suites.isEmpty, reasons.isEmpty {
            reasons.append(
                Reason(rule: "zero-tests", verdict: .unproven, text: "no suite is configured: nothing was proven"))
        }
        if !cycle.policy.provesRevision {
            reasons.append(unread(cycle.policy))
        }
        let verdict = reasons.map(\.verdict).max { $0.severity < $1.severity } ?? .healthy
        reasons.sort {
            ($1.verdict.severity, $0.rule, $0.subject ?? "") < ($0.verdict.severity, $1.rule, $1.subject ?? "")
        }
        return Judgement(
            verdict: verdict, recommendation: verdict.ships(by: cycle.policy) ? .ship : .hold, reasons: reasons,
            suites: suites)
    }

    // MARK: - The deployment and the proof of the revision

    /// What was deployed and what was tested may be two things: a verdict about the one must rest on proof. In mode observe
    /// the verdict is about whatever runs there, and that is only to be said.
    private static func unread(_ policy: LoopPolicy) -> Reason {
        let isDeployed = policy.mode == .operate && policy.hasDeploy
        let what = isDeployed ? "that the deployed revision is what was tested" : "which revision is live"
        return Reason(
            rule: "revision-not-read", verdict: isDeployed ? .unproven : .healthy,
            text: "\(what) is not proven: health.liveRevision is not configured")
    }

    private static func deployReasons(_ cycle: CycleProgress) -> [Reason] {
        let own = cycle.deciding.last { record in
            record.run.kind == .deploy && [.cycle, .redeploy].contains(record.run.purpose)
                && record.outcome != .neverRan
        }
        guard let own, own.outcome != .succeeded else { return [] }
        if own.outcome == .lost, own.live?.revision?.names(cycle.wanted) == true { return [] }
        let evidence = own.run.folder
        switch own.outcome {
        case .failed, .timedOut:
            if own.infrastructure { break }
            return [Reason(rule: "deploy-failed", verdict: .failing, text: own.summary, evidence: evidence)]
        case .lost:
            return [
                Reason(
                    rule: "deploy-lost", verdict: .unproven,
                    text: "the deployment's end was not seen and the live revision could not be read: \(own.summary)",
                    evidence: evidence)
            ]
        case .refused:
            return [Reason(rule: "permit", verdict: .interrupted, text: own.summary, evidence: evidence)]
        case .stopped:
            return [Reason(rule: "stopped", verdict: .interrupted, text: own.summary, evidence: evidence)]
        case .succeeded, .couldNotRun, .neverRan: break
        }
        return [Reason(rule: "infrastructure", verdict: .unproven, text: own.summary, evidence: evidence)]
    }

    private static func proofReasons(_ cycle: CycleProgress) -> [Reason] {
        var reasons: [Reason] = []
        let own: (Purpose) -> StageRecord? = { purpose in
            cycle.deciding.last { record in
                record.run.kind == .stabilize && record.run.purpose == purpose && record.run.revision == cycle.wanted
                    && record.outcome != .neverRan
            }
        }
        if let record = own(.reverify) ?? own(.redeploy) ?? own(.cycle), record.outcome != .succeeded {
            let evidence = record.run.folder
            if record.outcome == .couldNotRun || record.infrastructure {
                reasons.append(
                    Reason(rule: "infrastructure", verdict: .unproven, text: record.summary, evidence: evidence))
            } else if record.outcome == .stopped {
                reasons.append(
                    Reason(rule: "stopped", verdict: .interrupted, text: record.summary, evidence: evidence))
            } else {
                let wrong = record.live.map { $0.answers.contains { !$0.revision.names(cycle.wanted) } } ?? false
                reasons.append(
                    Reason(
                        rule: wrong ? "wrong-revision" : "not-stable", verdict: .failing, text: record.summary,
                        evidence: evidence))
            }
        }
        if let record = own(.recheck), record.outcome != .succeeded {
            reasons.append(
                Reason(
                    rule: "recheck", verdict: .unproven,
                    text: "after the last test the live revision was not proven: \(record.summary)",
                    evidence: record.run.folder))
        }
        return reasons
    }

    // MARK: - Suites

    /// What the reasons about a suite make of its status.
    private static func weigh(_ reasons: [Reason], _ suite: inout SuiteRecord) {
        // Only what is known to come and go failed: the suite guards what it guards.
        let aboutTests = reasons.filter { !$0.rule.hasPrefix("target-") }
        if suite.status == .failed, aboutTests.allSatisfy({ $0.verdict == .healthy }) {
            suite.status = .passed
            suite.because = reasons.first?.text
        }
        // Doubtful evidence protects nothing.
        let doubts =
            (suite.authenticity?.reasons ?? []).filter { $0.verdict != .healthy }.map(\.rule) + [Reason.checksMuted]
        if suite.status == .passed, let doubt = reasons.first(where: { doubts.contains($0.rule) }) {
            suite.status = .unproven
            suite.because = doubt.text
        }
    }

    private static func suiteRecord(_ policy: SuitePolicy, _ cycle: CycleProgress, unreached: Bool) -> SuiteRecord {
        var record = SuiteRecord(
            name: policy.name, priority: policy.priority, blocking: policy.blocking, value: policy.value,
            status: .notRun)
        let deciding = cycle.decidingRecord(suite: policy.name)
        let isSkipped = deciding?.outcome == .stopped && cycle.notRun[policy.name] != nil
        guard let stage = deciding, !isSkipped else {
            record.because =
                cycle.notRun[policy.name]?.text ?? (unreached ? "the cycle did not get that far" : "not reached")
            return record
        }
        record.stage = stage.run.folder
        record.durationSeconds = stage.durationSeconds
        guard let reading = stage.suite else {
            record.status = .unproven
            record.because = stage.summary
            return record
        }
        record.totals = reading.totals
        record.notPassed = reading.notPassed
        record.testsFile = reading.testsFile
        record.authenticity = reading.authenticity
        if reading.totals.failing > 0 {
            record.status = .failed
        } else if !reading.doubts.isEmpty || stage.outcome != .succeeded {
            record.status = .unproven
            record.because = reading.doubts.first?.text ?? stage.summary
        } else {
            record.status = .passed
        }
        return record
    }

    private static func suiteReasons(
        _ policy: SuitePolicy, _ suite: SuiteRecord, _ cycle: CycleProgress, _ quarantine: Quarantine,
        _ muted: inout Int
    ) -> [Reason] {
        let soft: Verdict = policy.blocking ? .unproven : .degraded
        guard suite.status != .notRun else {
            return [
                Reason(
                    rule: cycle.notRun[policy.name]?.rule ?? "not-run", verdict: soft,
                    text: suite.because ?? "did not run",
                    subject: policy.name)
            ]
        }
        var reasons: [Reason] = []
        let record = cycle.decidingRecord(suite: policy.name)
        for doubt in record?.suite?.doubts ?? [] {
            var reason = doubt
            reason.verdict = max(soft, doubt.verdict)
            if !policy.blocking { reason.verdict = .degraded }
            reason.subject = policy.name
            reasons.append(reason)
        }
        if let authenticity = suite.authenticity, authenticity.isDoubted {
            for doubt in authenticity.reasons where doubt.verdict != .healthy {
                var reason = doubt
                reason.verdict = soft
                reason.subject = policy.name
                reasons.append(reason)
            }
        }
        if let record, record.suite == nil || (record.outcome != .succeeded && record.suite?.totals.failing == 0),
            reasons.isEmpty
        {
            let rule = record.infrastructure ? "infrastructure" : "no-pass"
            reasons.append(
                Reason(rule: rule, verdict: soft, text: record.summary, subject: policy.name, evidence: suite.stage))
        }
        let failures = suite.notPassed.filter(\.outcome.isFailure)
        for result in failures {
            reasons.append(failureReason(result, policy, suite, cycle, quarantine, &muted))
        }
        if suite.totals.failing > failures.count {
            reasons.append(
                Reason(
                    rule: "test-failed", verdict: policy.blocking ? .failing : .degraded,
                    text: "\(suite.totals.failing - failures.count) more tests fail than are listed",
                    subject: policy.name, evidence: suite.testsFile))
        }
        return reasons + MutedChecks.reasons(suite, cycle, quarantine, soft: soft) + Flakes.reasons(suite, cycle, quarantine)
            + targetReasons(record, policy)
    }

    private static func failureReason(
        _ result: TestResult, _ policy: SuitePolicy, _ suite: SuiteRecord, _ cycle: CycleProgress,
        _ quarantine: Quarantine, _ muted: inout Int
    ) -> Reason {
        let what = "\(result.id) \(result.outcome.rawValue)" + (result.message.map { ": \(firstLine($0))" } ?? "")
        var reason = Reason(
            rule: "test-failed", verdict: policy.blocking ? .failing : .degraded, text: what, subject: policy.name,
            evidence: suite.testsFile)
        if let entry = quarantine.entry(for: result.id) {
            muted += 1
            reason.rule = "quarantine"
            reason.verdict = .degraded
            reason.text = "\(what) (quarantined until \(entry.until) by \(entry.owner): \(entry.reason))"
        } else if let flake = Flakes.verdict(of: result, suite: policy.name, cycle) {
            reason.rule = "flaky"
            reason.verdict = flake.verdict
            reason.text = "\(what) (\(flake.text))"
        }
        return reason
    }

    private static func max(_ one: Verdict, _ other: Verdict) -> Verdict {
        one.severity >= other.severity ? one : other
    }

    private static func max(_ one: Int, _ other: Int) -> Int { one >= other ? one : other }
}

/// The first line of a text, at most 160 characters.
package func firstLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    return line.count > 160 ? line.prefix(159) + "…" : line
}

extension Verdict {
    func ships(by policy: LoopPolicy) -> Bool { self == .healthy || (self == .degraded && policy.shipDegraded) }
}
