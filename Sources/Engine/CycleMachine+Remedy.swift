// SPDX-License-Identifier: Apache-2.0
// What may be done about a diagnosis.

import Domain

extension CycleMachine {
    /// Whether the experiments that would have told the cause are barred by an irreversible change: whether to go back
    /// across it is then a question for a person, and the loop's only one.
    private func isUndecidable(_ incident: Incident) -> Bool {
        cycle?.irreversible != nil && incident.diagnosis?.category == .unknown && !incident.tests.isEmpty
            && answer(.experiments, incident: nil)?.isApproved != true
    }

    /// What stands between a remedy and its being done.
    private enum Permission {
        case granted
        case barred(String)
        /// A person is asked; why, and whether it goes across an irreversible change.
        case needsWord(String, pastMigration: Bool)
    }

    /// One remedy at a time, the least first: another whole pass, redeploy, runbook, rollback. What is not allowed is
    /// recorded as skipped, what needs a person's word is asked for.
    mutating func decideRemedy(
        _ now: Timestamp, among kinds: [RemedyKind] = [.redeploy, .runbook, .rollback, .fix]
    ) -> [Action] {
        guard let progress = cycle else { return [] }
        if let pass = passOnceMore(progress, now) { return pass }
        var said: [Action] = []
        for kind in kinds {
            for incident in progress.incidents where wants(incident, kind) {
                // Runbook commands have budgets of their own; the others are done once in a cycle.
                let isDone = progress.actions.contains { $0.kind == kind && $0.outcome != .skipped }
                if isDone, kind != .runbook { continue }
                switch permission(kind, incident, progress, now) {
                case .granted:
                    return said + begin(kind, for: incident, now)
                case .needsWord(let because, let pastMigration):
                    guard let subject = ApprovalSubject(kind) else { continue }
                    if let answer = answer(subject, incident: incident.id) {
                        if answer.isApproved { return said + begin(kind, for: incident, now) }
                        continue
                    }
                    let name = kind == .rollback ? progress.lastGreen?.id : incident.diagnosis?.runbook
                    let question = approval(
                        subject, incident: incident.id, name: name, because: because, pastMigration: pastMigration, now)
                    return said + ask(question, now)
                case .barred(let because):
                    var skipped = ActionRecord(kind: kind, outcome: .skipped, because: because)
                    skipped.incident = incident.id
                    if cycle?.actions.contains(skipped) == true { continue }
                    said.append(.say(LogLine(.hold, kind.rawValue, "\(incident.id): \(because)")))
                    cycle?.actions.append(skipped)
                }
            }
        }
        return said + restoreOrConclude(now)
    }

    /// What bars a remedy bars it whoever approves; an irreversible change bars a rollback that nobody has approved.
    private func permission(
        _ kind: RemedyKind, _ incident: Incident, _ progress: CycleProgress, _ now: Timestamp
    ) -> Permission {
        if let barred = barred(kind, incident, progress, now) { return .barred(barred) }
        if kind == .rollback, let irreversible = progress.irreversible {
            let doubt = isUndecidable(incident) ? "; the cause is not proven, experiments across it are barred" : ""
            return .needsWord(irreversible + doubt, pastMigration: true)
        }
        // The word about a fix is asked for when there is a change to look at.
        if kind != .fix, let subject = ApprovalSubject(kind), progress.policy.approve?.contains(subject) == true {
            return .needsWord("remedy.approve lists \(kind.rawValue)", pastMigration: false)
        }
        return .granted
    }

    private func wants(_ incident: Incident, _ kind: RemedyKind) -> Bool {
        guard let diagnosis = incident.diagnosis else { return false }
        if kind == .fix { return wantsFix(incident) }
        if kind == .rollback, isUndecidable(incident) { return true }
        if diagnosis.recommendedAction == kind { return true }
        // A redeployment that did not cure is followed by a rollback.
        return kind == .rollback && diagnosis.recommendedAction == .redeploy
            && cycle?.actions.contains { $0.kind == .redeploy && $0.outcome != .skipped } == true
    }

    private func barred(
        _ kind: RemedyKind, _ incident: Incident, _ progress: CycleProgress, _ now: Timestamp
    ) -> String? {
        let policy = progress.policy
        if policy.mode != .operate {
            let target: String? =
                switch kind {
                case .rollback: progress.lastGreen.map { "to \($0.short)" }
                case .redeploy: progress.wanted.short
                default: incident.diagnosis?.runbook
                }
            return "would \(kind.rawValue)\(target.map { " \($0)" } ?? ""), but mode is \(policy.mode.rawValue)"
        }
        // A target that got worse and does not block holds up nothing that ships, and nothing is done to what serves.
        if incident.targets != nil, let harmless = harmless(incident, progress, now) { return harmless }
        let isListed = ApprovalSubject(kind).map { policy.approve?.contains($0) == true } ?? false
        if !policy.allow.contains(kind), !isListed { return "remedy.allow does not list \(kind.rawValue)" }
        switch kind {
        case .redeploy:
            if let known = progress.retests { return "known-bad since #\(known) is not deployed again" }
            return policy.hasDeploy ? nil : "there is no deploy command"
        case .runbook:
            return runbookBarred(incident, policy)
        case .rollback:
            guard progress.hasDeployed else { return "nothing was deployed in this cycle" }
            guard let green = progress.lastGreen else { return "no revision is known to be green" }
            guard green != progress.wanted else { return "the wanted revision is the last green one" }
            if let harmless = harmless(incident, progress, now) { return harmless }
            let spent = rollbacks(of: progress.wanted, for: incident.id)
            if spent >= policy.rollbacksPerIncident {
                return
                    "\(spent) of \(policy.rollbacksPerIncident) rollbacks of \(progress.wanted.short) for \(incident.id) are spent"
            }
            return nil
        case .fix:
            return harmless(incident, progress, now) ?? fixBarred(incident, progress)
        case .none, .rerun, .fixTest, .rejectReport:
            return "nothing is done automatically"
        }
    }

    private func runbookBarred(_ incident: Incident, _ policy: LoopPolicy) -> String? {
        guard let name = incident.diagnosis?.runbook, let entry = policy.runbook.first(where: { $0.name == name })
        else { return "remedy.runbook has no \(incident.diagnosis?.runbook ?? "such command")" }
        let spent = spent(.runbook, name, incident.id)
        if spent >= entry.attempts {
            return "\(spent) of \(entry.attempts) attempts of \(name) for \(incident.id) are spent"
        }
        let tonight = memory.runbooksTonight?[name] ?? 0
        if let most = entry.attemptsPerNight, tonight >= most {
            return "\(tonight) of \(most) attempts of \(name) tonight are spent"
        }
        return nil
    }

    func spent(_ kind: RemedyKind, _ name: String?, _ incident: String) -> Int {
        memory.remediesSpent?.first { $0.incident == incident && $0.kind == kind && $0.name == name }?.count ?? 0
    }

    mutating func spend(_ kind: RemedyKind, _ name: String?, _ incident: String) {
        var all = memory.remediesSpent ?? []
        if let index = all.firstIndex(where: { $0.incident == incident && $0.kind == kind && $0.name == name }) {
            all[index].count += 1
        } else {
            all.append(LoopMemory.RemedySpent(incident: incident, kind: kind, name: name, count: 1))
        }
        memory.remediesSpent = Array(all.suffix(200))
    }

    /// Writes down that a remedy begins, and who allowed it.
    mutating func noteStart(_ kind: RemedyKind, _ name: String?, _ because: String, for incident: String) {
        var record = ActionRecord(kind: kind, name: name, outcome: .started, because: because)
        record.incident = incident
        if let subject = ApprovalSubject(kind), let word = answer(subject, incident: incident), word.isApproved {
            record.approvedBy = word.by
            record.approvedBecause = word.reason
        }
        cycle?.actions.append(record)
    }

    /// A revision is given up only for what blocks it.
    private func harmless(_ incident: Incident, _ progress: CycleProgress, _ now: Timestamp) -> String? {
        let blocking = progress.policy.suites.filter(\.blocking).map(\.name)
        if !incident.suites.isEmpty, !incident.suites.contains(where: blocking.contains) {
            return "\(incident.suites.joined(separator: ", ")) does not block"
        }
        if let targets = incident.targets, incident.tests.isEmpty {
            let measured = incident.suites.flatMap { progress.decidingRecord(suite: $0)?.targets ?? [] }
            if !measured.contains(where: { targets.contains($0.name) && $0.blocking == true }) {
                return "target \(targets.joined(separator: ", ")) does not block"
            }
        }
        let quarantine = Quarantine(progress.policy.quarantine, at: now)
        if !incident.tests.isEmpty, incident.tests.allSatisfy({ quarantine.entry(for: $0) != nil }) {
            return "its tests are in quarantine"
        }
        return nil
    }

    private mutating func begin(_ kind: RemedyKind, for incident: Incident, _ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        let because = "\(incident.id) \(incident.diagnosis?.category.rawValue ?? "unknown")"
        switch kind {
        case .redeploy:
            noteStart(kind, progress.wanted.id, because, for: incident.id)
            cycle?.phase = .first
            cycle?.decidingFrom = progress.records.count
            cycle?.observedFrom = nil
            cycle?.notRun = [:]
            cycle?.queue = Plan.firstPass(progress.policy, revision: progress.wanted, purpose: .redeploy)
            return [.say(LogLine(.act, "redeploy", "\(progress.wanted.short), once, for \(because)"))] + startNext(now)
        case .runbook:
            return beginRunbook(incident, because, now)
        case .rollback:
            return beginRollback(incident, because, now)
        case .fix:
            return beginFix(incident, because, now)
        case .none, .rerun, .fixTest, .rejectReport:
            return restoreOrConclude(now)
        }
    }

    /// What was away for a moment is over, and a few tests have passed since: whether the revision passes is what a whole
    /// pass says. Once a cycle, and not where anything else is broken. Nothing is deployed, so that every mode may.
    private mutating func passOnceMore(_ progress: CycleProgress, _ now: Timestamp) -> [Action]? {
        let isOver = progress.incidents.allSatisfy { incident in
            guard let diagnosis = incident.diagnosis else { return false }
            return diagnosis.recommendedAction == .rerun && diagnosis.category.isOfSurroundings
                && diagnosis.grade != .possible
        }
        guard isOver, let incident = progress.incidents.first, stopping == nil, progress.interruption == nil,
            progress.policy.triage.experiments.contains(.rerun),
            progress.deployed == nil || progress.deployed == progress.wanted,
            !progress.actions.contains(where: { $0.kind == .rerun })
        else { return nil }
        let because = "\(incident.id) \(incident.diagnosis?.category.rawValue ?? "unknown")"
        noteStart(.rerun, nil, because, for: incident.id)
        cycle?.phase = .first
        cycle?.decidingFrom = progress.records.count
        cycle?.observedFrom = progress.decidingFrom
        cycle?.notRun = [:]
        cycle?.queue = Plan.firstPass(progress.policy, revision: progress.wanted, purpose: .cycle)
            .filter { $0.kind != .deploy }
        let text = "all suites once more: \(because), and it is over"
        return [.say(LogLine(.act, "rerun", text))] + startNext(now)
    }

    private mutating func beginRunbook(_ incident: Incident, _ because: String, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, let name = incident.diagnosis?.runbook else { return restoreOrConclude(now) }
        spend(.runbook, name, incident.id)
        memory.runbooksTonight = (memory.runbooksTonight ?? [:]).merging([name: 1]) { $0 + $1 }
        noteStart(.runbook, name, because, for: incident.id)
        cycle?.phase = .remedy(progress.actions.count)
        let verification = verification(progress, revision: progress.wanted, purpose: .reverify)
        var steps = [Step(.remedy, .runbook, name, revision: progress.wanted)]
        // What was never deployed cannot be cured by what stands around it: a failed deployment is tried again.
        let deploy = progress.deciding.last { $0.run.kind == .deploy && $0.run.revision == progress.wanted }
        if let deploy, deploy.outcome != .succeeded || progress.deployed != progress.wanted {
            steps.append(Step(.deploy, .redeploy, revision: progress.wanted))
        }
        cycle?.queue = steps + verification
        cycle?.decidedFrom = progress.decidingFrom
        cycle?.decidingFrom = progress.records.count
        cycle?.observedFrom = nil
        let most = progress.policy.runbook.first { $0.name == name }?.attempts ?? 1
        let text = "\(name) for \(because); attempt \(spent(.runbook, name, incident.id)) of \(most)"
        return [.say(LogLine(.act, "runbook", text))] + startNext(now)
    }

    private mutating func beginRollback(_ incident: Incident, _ because: String, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, let green = progress.lastGreen else { return restoreOrConclude(now) }
        spendRollback(of: progress.wanted, for: incident.id)
        let known = LoopMemory.KnownBad(revision: progress.wanted, cycle: progress.number, because: because)
        memory.knownBad.removeAll { $0.revision == progress.wanted }
        memory.knownBad = Array((memory.knownBad + [known]).suffix(200))
        noteStart(.rollback, green.id, because, for: incident.id)
        cycle?.phase = .remedy(progress.actions.count)
        var steps: [Step] = []
        let isThere = progress.deployed == green && memory.serving == green
        if !isThere { steps.append(Step(.deploy, .rollback, revision: green)) }
        if progress.policy.hasHealth || progress.policy.provesRevision {
            steps.append(Step(.stabilize, .rollback, revision: green))
        }
        steps += verification(progress, revision: green, purpose: .reverify)
        cycle?.queue = steps
        let spent = rollbacks(of: progress.wanted, for: incident.id)
        let how =
            isThere
            ? "an experiment left it deployed"
            : "\(spent) of \(progress.policy.rollbacksPerIncident) for \(incident.id)"
        let text = "to \(green.short), \(how); \(progress.wanted.short) known-bad"
        return [.say(LogLine(.act, "rollback", text))] + startNext(now)
    }

    /// A revision is given up so often for an incident; the next one that contains its culprit is another.
    private func rollbacks(of revision: Revision, for incident: String) -> Int {
        memory.rollbacks.first { $0.incident == incident && $0.revision == revision }?.count ?? 0
    }

    private mutating func spendRollback(of revision: Revision, for incident: String) {
        if let index = memory.rollbacks.firstIndex(where: { $0.incident == incident && $0.revision == revision }) {
            memory.rollbacks[index].count += 1
        } else {
            let spent = LoopMemory.RollbackSpent(incident: incident, count: 1, revision: revision)
            memory.rollbacks = Array((memory.rollbacks + [spent]).suffix(200))
        }
    }

    /// What failed first, then everything.
    private func verification(_ progress: CycleProgress, revision: Revision, purpose: Purpose) -> [Step] {
        var steps: [Step] = []
        if purpose == .reverify, revision == progress.wanted,
            progress.policy.hasHealth || progress.policy.provesRevision
        {
            steps.append(Step(.stabilize, .reverify, revision: revision))
        }
        for suite in progress.policy.suites {
            let failed =
                progress.decidingRecord(suite: suite.name)?.suite?.notPassed.filter { $0.outcome.isFailure } ?? []
            if failed.isEmpty || failed.count > 50 { continue }
            steps.append(Step(.test, .reverify, suite.name, revision: revision, only: failed.map(\.id)))
        }
        steps += Plan.suites(progress.policy, revision: revision, purpose: purpose)
        if progress.policy.provesRevision { steps.append(Step(.stabilize, .recheck, revision: revision)) }
        return steps
    }

    mutating func advanceRemedy(_ index: Int, _ record: StageRecord, _ now: Timestamp) -> [Action] {
        if cycle?.fix?.action == index { return advanceFix(record, now) }
        if record.run.purpose == .recheck, record.outcome != .succeeded, record.live?.revision != nil {
            return recheckEnded(record, now)
        }
        if record.outcome == .lost, record.run.kind == .test || record.run.kind == .stabilize, isWithinRepeats(record) {
            return start(step(of: record.run))
        }
        let effectSeen = record.run.kind == .deploy && record.live?.revision?.names(record.run.revision) == true
        let isCritical = record.run.kind != .test
        if isCritical, record.outcome != .succeeded, !effectSeen {
            cycle?.queue = []
            noteFailed(index, record)
        } else if record.run.kind == .test, record.outcome != .succeeded, isOfWeight(record, index) {
            noteFailed(index, record)
        } else if let missed = record.targets?.first(where: { $0.blocking == true && $0.status == .missed }) {
            noteFailed(index, record, "target \(missed.name) is missed")
        }
        return startNext(now)
    }

    /// The first stage that did not succeed says why.
    private mutating func noteFailed(_ index: Int, _ record: StageRecord, _ because: String? = nil) {
        cycle?.actions[index].outcome = .failed
        if cycle?.actions[index].result == nil {
            let subject = record.run.subject.map { " \($0)" } ?? ""
            cycle?.actions[index].result = "\(record.run.stage)\(subject): \(because ?? record.summary)"
        }
    }

    /// The way back has worked where all that blocks passes: a suite that does not block is judged by what failed of it.
    private func isOfWeight(_ record: StageRecord, _ index: Int) -> Bool {
        guard let progress = cycle, progress.actions[index].kind == .rollback, record.run.only == nil else {
            return true
        }
        return progress.policy.suites.first { $0.name == record.run.subject }?.blocking ?? true
    }

    mutating func closeRemedy(_ index: Int, _ now: Timestamp) -> [Action] {
        guard let progress = cycle, progress.actions.indices.contains(index) else { return conclude(now) }
        let action = progress.actions[index]
        if progress.fix?.action == index { return closeFix(now) }
        var said: [Action] = []
        if action.outcome == .started {
            cycle?.actions[index].outcome = .succeeded
            let what =
                action.kind == .rollback
                ? "staging RESTORED to \(progress.lastGreen?.short ?? "?")" : "\(action.name ?? "") cured it"
            said.append(.say(LogLine(.ok, "reverify", what + Lines.passes(progress))))
        } else {
            said.append(.say(LogLine(.fail, "reverify", Lines.notRestored(action))))
            if action.kind == .rollback { said += withdrawBlame() }
            // Where nothing was cured and nothing tested since, what was seen before still decides.
            if action.kind == .runbook, !progress.deciding.contains(where: { $0.run.kind == .test }) {
                cycle?.decidingFrom = progress.decidedFrom
            }
        }
        guard action.kind == .runbook else {
            let isBack = progress.deployed != nil && progress.deployed == progress.lastGreen
            // With staging restored there is time to mend the code.
            let isCured = cycle?.actions[index].outcome == .succeeded
            return said + (isBack && isCured ? decideRemedy(now, among: [.fix]) : restoreOrConclude(now))
        }
        let verdict = VerdictRules.judge(cycle ?? progress, at: now).verdict
        let isCured = verdict == .healthy || verdict == .degraded
        if isCured { return said + restoreOrConclude(now) }
        return said + (isAnotherMatter(progress, now) ? askTriage(now) : decideRemedy(now))
    }
}
