// SPDX-License-Identifier: Apache-2.0
// Mending the code: roles prepare a change, rules audit it, it is committed to a branch of its own, deployed, and tested
// as often as its old failure rate demands. It never lands on anybody's branch, and the environment goes back.

import Domain

extension CycleMachine {
    /// Whether a diagnosis calls for a fix: a cause in the code, and a commit that is proven to have brought it.
    func wantsFix(_ incident: Incident) -> Bool {
        guard let policy = cycle?.policy.fix, let diagnosis = incident.diagnosis, !incident.tests.isEmpty else {
            return false
        }
        let isProven = diagnosis.grade == .proven && diagnosis.culprit != nil
        return policy.categories.contains(diagnosis.category) && (isProven || !policy.needsProof)
    }

    func fixBarred(_ incident: Incident, _ progress: CycleProgress) -> String? {
        guard let fix = progress.policy.fix, fix.roles.contains(.implement) else {
            return "remedy.roles.implement is not configured"
        }
        guard progress.policy.hasDeploy else { return "there is no deploy command" }
        if progress.actions.contains(where: { $0.kind == .fix && $0.outcome != .skipped }) {
            return "a fix was tried in this cycle"
        }
        let spent = spent(.fix, nil, incident.id)
        if spent >= fix.attempts { return "\(spent) of \(fix.attempts) fixes for \(incident.id) are spent" }
        if isOutsideWindow { return "the window is closed" }
        if progress.irreversible != nil, progress.home != progress.wanted {
            return "it would go across the irreversible change twice, there and back"
        }
        let seen = observed(incident, progress)
        guard CleanPasses.needed(failures: seen.failures, runs: seen.runs, confidence: fix.confidence) != nil else {
            return
                "fails \(seen.failures)/\(seen.runs): more than \(Limits.cleanPasses) clean passes would be needed to prove a fix"
        }
        return nil
    }

    /// How often the incident's tests failed on the wanted revision, and in how many runs.
    private func observed(_ incident: Incident, _ progress: CycleProgress) -> (failures: Int, runs: Int) {
        var failures = 0
        var runs = 0
        for record in progress.records {
            guard record.run.kind == .test, record.run.revision == progress.wanted, let suite = record.suite,
                incident.suites.contains(record.run.subject ?? ""),
                record.run.only.map({ only in incident.tests.contains(where: only.contains) }) ?? true
            else { continue }
            let fails = suite.notPassed.contains { $0.outcome.isFailure && incident.tests.contains($0.id) }
            guard fails || record.outcome == .succeeded else { continue }
            failures += fails ? 1 : 0
            runs += 1
        }
        return (failures, runs)
    }

    mutating func beginFix(_ incident: Incident, _ because: String, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, let policy = progress.policy.fix else { return restoreOrConclude(now) }
        let seen = observed(incident, progress)
        let needed = CleanPasses.needed(failures: seen.failures, runs: seen.runs, confidence: policy.confidence) ?? 1
        spend(.fix, nil, incident.id)
        cycle?.fix = FixProgress(
            incident: incident, action: progress.actions.count, passes: needed, home: progress.home)
        noteStart(.fix, nil, because, for: incident.id)
        cycle?.phase = .remedy(progress.actions.count)
        var steps: [String] = []
        if policy.roles.contains(.investigate) { steps.append(Role.investigate.rawValue) }
        steps += [Role.implement.rawValue, FixStep.audit]
        if policy.roles.contains(.review) { steps.append(Role.review.rawValue) }
        if needsWord, policy.roles.contains(.approve) { steps.append(Role.approve.rawValue) }
        cycle?.queue = steps.map { Step(.remedy, .fix, $0, revision: progress.wanted) }
        let text =
            "for \(because); then \(needed) clean \(needed == 1 ? "pass" : "passes") (failed \(seen.failures)/\(seen.runs))"
        return [.say(LogLine(.act, "fix", text))] + startNext(now)
    }

    private var needsWord: Bool { cycle?.policy.approve?.contains(.fix) == true }

    // MARK: - Step by step

    mutating func advanceFix(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        switch record.run.kind {
        case .remedy: return advanceRole(record, now)
        case .deploy:
            let isLive = record.live?.revision?.names(record.run.revision) == true
            if record.outcome == .succeeded || isLive { return startNext(now) }
        case .stabilize, .test:
            if record.outcome == .succeeded || failsAsBefore(record) { return startNext(now) }
            if record.outcome == .lost, isWithinRepeats(record) { return start(step(of: record.run)) }
        }
        return giveUpFix("\(record.run.folder): \(record.summary)", now)
    }

    /// Whether a whole suite fails only in what failed before the fix too and is another matter.
    private func failsAsBefore(_ record: StageRecord) -> Bool {
        guard let progress = cycle, let fix = progress.fix, record.run.only == nil, let suite = record.suite,
            let before = progress.decidingRecord(suite: record.run.subject ?? "")?.suite, suite.totals.failing > 0
        else { return false }
        let known = Set(before.notPassed.filter(\.outcome.isFailure).map(\.id)).subtracting(fix.incident.tests)
        let failing = suite.notPassed.filter(\.outcome.isFailure).map(\.id)
        return failing.count == suite.totals.failing && failing.allSatisfy(known.contains)
    }

    private mutating func advanceRole(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        let step = record.run.subject ?? ""
        let isDone = record.outcome == .succeeded
        cycle?.fix?.audit += record.role?.audit ?? []
        switch step {
        case Role.investigate.rawValue, FixStep.push:
            // Notes are welcome and a branch that is not pushed is still a branch: neither decides.
            return startNext(now)
        case Role.approve.rawValue:
            return heardApprover(record, now)
        case FixStep.commit:
            guard isDone, let revision = record.role?.revision else { break }
            return verifyFix(revision, record.role?.branch, now)
        default:
            if isDone { return startNext(now) }
        }
        return giveUpFix("\(step): \(record.summary)", now)
    }

    /// What the role in the person's place said; anything but yes or no leaves it to a person.
    private mutating func heardApprover(_ record: StageRecord, _ now: Timestamp) -> [Action] {
        guard record.outcome == .succeeded, let fix = cycle?.fix, let decision = record.role?.decision else {
            return startNext(now)
        }
        let reason = record.role?.reasons.first ?? record.role?.summary
        switch decision {
        case .approve:
            cycle?.answers.append(
                ApprovalAnswer(
                    subject: .fix, incident: fix.incident.id, isApproved: true, by: "role approve", reason: reason))
            return startNext(now)
        case .reject, .giveUp:
            return giveUpFix("rejected by role approve\(reason.map { ": \($0)" } ?? "")", now, outcome: .skipped)
        case .ask, .done:
            return startNext(now)
        }
    }

    /// The steps that are queued are done.
    mutating func closeFix(_ now: Timestamp) -> [Action] {
        guard let progress = cycle, let fix = progress.fix else { return conclude(now) }
        switch fix.stage {
        case .preparing:
            let word = answer(.fix, incident: fix.incident.id)
            if needsWord, word == nil {
                let patch = progress.records.last { $0.role?.patch != nil }?.role?.patch
                let because = "remedy.approve lists fix\(patch.map { "; the change is in \($0)" } ?? "")"
                let question = approval(
                    .fix, incident: fix.incident.id, name: nil, because: because, pastMigration: false, now)
                return ask(question, now)
            }
            if let word {
                cycle?.actions[fix.action].approvedBy = word.by
                cycle?.actions[fix.action].approvedBecause = word.reason
            }
            return start(Step(.remedy, .fix, FixStep.commit, revision: progress.wanted))
        case .verifying:
            return proveFix(now)
        case .ending:
            return endFix(now)
        }
    }

    /// Yes or no to the change that waits.
    mutating func answeredFix(isApproved: Bool, _ text: String, _ now: Timestamp) -> [Action] {
        isApproved ? closeFix(now) : giveUpFix(text, now, outcome: .skipped)
    }

    // MARK: - Proof

    private mutating func verifyFix(_ revision: Revision, _ branch: String?, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, let fix = progress.fix else { return conclude(now) }
        cycle?.fix?.revision = revision
        cycle?.fix?.stage = .verifying
        cycle?.actions[fix.action].name = revision.id
        cycle?.actions[fix.action].branch = branch
        var steps = [Step(.deploy, .fix, revision: revision)]
        if progress.policy.hasHealth || progress.policy.provesRevision {
            steps.append(Step(.stabilize, .fix, revision: revision))
        }
        // Tests of an incident in several suites cannot be told apart by suite: the whole suites are run then.
        let only = fix.incident.suites.count == 1 && fix.incident.tests.count <= 50 ? fix.incident.tests : nil
        for _ in 0..<fix.passes {
            for suite in fix.incident.suites {
                steps.append(Step(.test, .reverify, suite, revision: revision, only: only))
            }
        }
        steps += Plan.suites(progress.policy, revision: revision, purpose: .reverify)
        if progress.policy.provesRevision { steps.append(Step(.stabilize, .recheck, revision: revision)) }
        cycle?.fix?.wasDeployed = true
        cycle?.queue = steps
        return startNext(now)
    }

    /// Everything passed; it counts only where no fewer tests ran than on the revision that failed.
    private mutating func proveFix(_ now: Timestamp) -> [Action] {
        guard let progress = cycle, let fix = progress.fix, let revision = fix.revision else { return conclude(now) }
        var findings: [AuditRecord] = []
        for policy in progress.policy.suites {
            guard let before = progress.decidingRecord(suite: policy.name)?.suite?.totals,
                let record = progress.records.last(where: {
                    $0.run.kind == .test && $0.run.subject == policy.name && $0.run.revision == revision
                        && $0.run.only == nil
                }), let after = record.suite?.totals
            else { continue }
            let (old, new) = (before.tests - before.skipped - before.notRun, after.tests - after.skipped - after.notRun)
            findings.append(
                AuditRecord(
                    rule: "test-count", passed: new >= old,
                    finding: "\(policy.name): \(new) tests ran \(new >= old ? ">=" : "<") \(old) before",
                    evidence: record.run.folder))
        }
        cycle?.fix?.audit += findings
        if let fewer = findings.first(where: { !$0.passed }) { return giveUpFix("audit: \(fewer.finding)", now) }
        cycle?.actions[fix.action].outcome = .succeeded
        let branch = progress.actions[fix.action].branch ?? "its branch"
        let text = "proven on \(branch): \(fix.passes) clean of the failing tests, then all"
        cycle?.actions[fix.action].result = text
        cycle?.fix?.stage = .ending
        if progress.policy.fix?.pushes == true {
            cycle?.queue = [Step(.remedy, .fix, FixStep.push, revision: revision)]
        }
        return [.say(LogLine(.ok, "fix", "\(revision.short) \(text)"))] + startNext(now)
    }

    /// Refused, rejected or not proven: the branch goes, and the environment back.
    private mutating func giveUpFix(
        _ because: String, _ now: Timestamp, outcome: ActionRecord.Outcome = .failed
    ) -> [Action] {
        guard let fix = cycle?.fix else { return conclude(now) }
        cycle?.actions[fix.action].outcome = outcome
        cycle?.actions[fix.action].result = because
        cycle?.fix?.stage = .ending
        cycle?.queue = []
        return [.say(LogLine(outcome == .skipped ? .hold : .fail, "fix", because))] + endFix(now)
    }

    private mutating func endFix(_ now: Timestamp) -> [Action] {
        guard let progress = cycle, let fix = progress.fix else { return conclude(now) }
        let isProven = progress.actions[fix.action].outcome == .succeeded
        if isProven, progress.policy.fix?.afterwards == .keep { return conclude(now) }
        return restoreOrConclude(now)
    }
}

/// Steps of a fix that are no role.
package enum FixStep {
    package static let audit = "audit"
    package static let commit = "commit"
    package static let push = "push"
}
