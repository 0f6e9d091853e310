// SPDX-License-Identifier: Apache-2.0
// Asking why. The machine controls budgets and order; what to ask next is triage's answer, which is an event.

package import Domain

extension CycleMachine {
    /// Answers after which triage is not asked again: no investigator needs so many.
    private static let questionsPerCycle = 60

    mutating func askTriage(_ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        cycle?.questions += 1
        guard progress.questions < CycleMachine.questionsPerCycle else {
            let most = CycleMachine.questionsPerCycle
            let text = "\(progress.questions) questions >= \(most): concluded without an answer"
            return unsaid() + [.say(LogLine(.warn, "triage", text))] + decideRemedy(now)
        }
        state = .asking
        return [.askTriage(budget(progress, now))]
    }

    private func budget(_ progress: CycleProgress, _ now: Timestamp) -> TriageBudget {
        let triage = progress.policy.triage
        let spent = progress.triageStartedAt.map { now.since($0).inSeconds } ?? 0
        let left = min(
            triage.deploysPerIncident - progress.experimentDeploys, triage.deploysPerNight - memory.experimentDeploys)
        return TriageBudget(
            experiments: triage.experiments, deploys: max(0, left), seconds: max(0, triage.budgetSeconds - spent),
            nextNumber: progress.experiments.count + 1, deploysBarred: deploysBarred(progress, now),
            mayCrossIrreversible: mayCrossIrreversible(progress), burnIn: burnIn(progress))
    }

    /// On the first pass over a revision that is not the last green one: later passes have the record of the first.
    func burnIn(_ progress: CycleProgress) -> BurnInSettings? {
        let settings = progress.policy.triage.burnIn ?? BurnInSettings()
        guard settings.runs > 0, progress.policy.triage.experiments.contains(.burnIn), progress.lastGreen != nil,
            progress.lastGreen != progress.wanted, memory.lastTested != progress.wanted,
            progress.decidingFrom == 0
        else { return nil }
        return settings
    }

    /// Whether experiments may go across an irreversible change: a person has said yes, or may still be asked.
    private func mayCrossIrreversible(_ progress: CycleProgress) -> Bool {
        guard progress.policy.approve?.contains(.experiments) == true, cyclesLeft == nil else { return false }
        return answer(.experiments, incident: nil)?.isApproved ?? true
    }

    /// The question that an experiment needs answered first; nil where it needs none.
    private func permission(for experiment: Experiment, _ now: Timestamp) -> Approval? {
        guard experiment.kind.deploys, let progress = cycle, progress.policy.approve?.contains(.experiments) == true,
            answer(.experiments, incident: nil) == nil
        else { return nil }
        return approval(
            .experiments, incident: nil, name: nil,
            because: progress.irreversible ?? "remedy.approve lists experiments",
            pastMigration: progress.irreversible != nil, now)
    }

    private func deploysBarred(_ progress: CycleProgress, _ now: Timestamp) -> String? {
        let policy = progress.policy
        if policy.mode != .operate || !policy.hasDeploy { return "mode \(policy.mode.rawValue) deploys nothing" }
        if !policy.triage.mayDeploy { return "triage.mayDeploy is false" }
        if let known = progress.retests { return "tests only: known-bad since #\(known)" }
        if progress.lastGreen == nil { return "no revision is known to be green" }
        if progress.lastGreen == progress.wanted { return "the last green revision is the wanted one" }
        if let irreversible = progress.irreversible, !mayCrossIrreversible(progress) { return irreversible }
        guard cyclesLeft == nil, let window = memory.window else { return nil }
        if !window.isOpen { return "the window is closed" }
        let needed = CycleMachine.deploymentTime(progress)
        if let end = window.until, end <= now + needed + needed {
            let minutes = (needed + needed).milliseconds / 60_000 + 1
            return "the window ends \(end.clockMinute), an experiment and the way back take \(minutes)m"
        }
        return nil
    }

    mutating func hear(_ answer: TriageAnswered, _ now: Timestamp) -> [Action] {
        guard case .asking = state, answer.cycle == cycle?.number else { return [] }
        cycle?.irreversible = answer.irreversible
        let said = unsaid(answer.finding) + announce(answer.opened ?? [])
        if let experiment = answer.experiment { return said + begin(experiment, now) }
        return said + diagnosed(answer.incidents ?? [], now)
    }

    mutating func begin(_ experiment: Experiment, _ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        if let refusal = refusal(of: experiment, progress, now) {
            cycle?.experiments.append(
                ExperimentRecord(experiment: experiment, result: "refused: \(refusal)", refused: true))
            return [.say(LogLine(.hold, "triage", "\(experiment.kind.rawValue) refused: \(refusal)"))] + askTriage(now)
        }
        if let question = permission(for: experiment, now) {
            cycle?.pendingExperiment = experiment
            return ask(question, now)
        }
        var steps: [Step] = []
        let purpose = Purpose(rawValue: experiment.kind.rawValue) ?? .rerun
        if experiment.kind.deploys {
            steps.append(Step(.deploy, purpose, revision: experiment.revision, experiment: experiment.number))
            if progress.policy.hasHealth || progress.policy.provesRevision {
                steps.append(Step(.stabilize, purpose, revision: experiment.revision, experiment: experiment.number))
            }
        }
        for _ in 0..<min(max(1, experiment.times), Limits.rerunsPerTest) {
            for selection in experiment.tests {
                steps.append(
                    Step(
                        .test, purpose, selection.suite, revision: experiment.revision,
                        only: selection.only.isEmpty ? nil : selection.only,
                        experiment: experiment.number, testsRevision: experiment.testsRevision))
            }
        }
        // What others deploy meanwhile would make the answer one about another revision.
        if progress.policy.provesRevision {
            steps.append(Step(.stabilize, .recheck, revision: experiment.revision, experiment: experiment.number))
        }
        cycle?.phase = .experiment(experiment)
        cycle?.queue = steps
        return [.say(Lines.plan(experiment, progress, now))] + startNext(now)
    }

    private func refusal(of experiment: Experiment, _ progress: CycleProgress, _ now: Timestamp) -> String? {
        let budget = budget(progress, now)
        if !progress.policy.triage.experiments.contains(experiment.kind) {
            return "triage.experiments does not list \(experiment.kind.rawValue)"
        }
        if budget.seconds <= 0 { return "triage.budget \(Int(progress.policy.triage.budgetSeconds))s is spent" }
        guard experiment.kind.deploys else { return nil }
        if let barred = budget.deploysBarred { return barred }
        if budget.deploys < 1 { return "no deploy is left (deploysPerIncident, deploysPerNight)" }
        return nil
    }

    /// How long a deployment and its proof took in this cycle at most, and half a minute: what another will take.
    private static func deploymentTime(_ progress: CycleProgress) -> Duration {
        let longest: (StageKind) -> Double = { kind in
            progress.records.filter { $0.run.kind == kind }.map(\.durationSeconds).max() ?? 0
        }
        return .milliseconds(Int64((longest(.deploy) + longest(.stabilize)) * 1000) + 30_000)
    }

    mutating func advance(_ experiment: Experiment, _ record: StageRecord, _ now: Timestamp) -> [Action] {
        if record.outcome == .lost, record.run.kind != .deploy, isWithinRepeats(record) {
            return start(step(of: record.run))
        }
        if record.run.purpose == .recheck { return recheckEnded(record, now) }
        if experiment.untilPass == true, hasPassed(experiment) { cycle?.queue.removeAll { $0.kind == .test } }
        if record.run.kind != .test, record.outcome != .succeeded,
            record.live?.revision?.names(record.run.revision) != true || record.run.kind == .stabilize
        {
            cycle?.queue = []
        }
        return startNext(now)
    }

    /// Whether the round of runs that has just ended passed as a whole.
    private func hasPassed(_ experiment: Experiment) -> Bool {
        let runs = (cycle?.records ?? []).filter { $0.run.experiment == experiment.number && $0.run.kind == .test }
        let round = runs.suffix(experiment.tests.count)
        return !round.isEmpty && runs.count.isMultiple(of: experiment.tests.count)
            && round.allSatisfy { record in
                record.outcome == .succeeded && ExperimentResult.meets(record, cycle?.targetsInQuestion ?? [])
            }
    }

    /// The experiment's steps are done: what came of it is written down, and triage is asked again.
    mutating func close(_ experiment: Experiment, _ now: Timestamp) -> [Action] {
        guard let progress = cycle else { return [] }
        let records = progress.records.filter { $0.run.experiment == experiment.number && $0.outcome != .neverRan }
        let result = ExperimentResult.words(records, asked: progress.targetsInQuestion)
        var record = ExperimentRecord(experiment: experiment, stages: records.map(\.run.folder), result: result)
        if experiment.kind.deploys { record.approvedBy = answer(.experiments, incident: nil)?.by }
        cycle?.experiments.append(record)
        cycle?.phase = .first
        let mark: LogLine.Mark = result.hasPrefix("passes") || result.hasPrefix("deploys") ? .ok : .fail
        cycle?.unsaid = LogLine(mark, experiment.kind.rawValue, "\(experiment.revision.short) \(result)")
        return askTriage(now)
    }

    mutating func diagnosed(_ incidents: [Incident], _ now: Timestamp) -> [Action] {
        var said: [Action] = []
        var named: [Incident] = []
        for incident in incidents {
            var (kept, isNew) = remember(incident, now)
            if kept.diagnosis?.cycle == memory.cycle { kept.diagnosis?.cycle = nil }
            if cycle?.announced.contains(where: { $0.id == kept.id }) != true {
                said.append(.say(Lines.incident(kept, isNew: isNew, cycle: memory.cycle)))
            }
            named.append(kept)
        }
        said += settle(&named)
        said += named.compactMap(Lines.diagnosis).map(Action.say)
        let earlier = (cycle?.earlierIncidents ?? []) + (cycle?.incidents ?? [])
        cycle?.earlierIncidents = earlier.filter { old in !named.contains { $0.id == old.id } }
        cycle?.incidents = named
        return said + decideRemedy(now)
    }

    /// Joins an open incident with the same signature, or gives a new one its number.
    private mutating func remember(_ incident: Incident, _ now: Timestamp) -> (Incident, isNew: Bool) {
        var kept = incident
        kept.lastSeen = now
        // Memory outlives the cycle: it says whose evidence a diagnosis cites.
        if kept.diagnosis?.cycle == nil { kept.diagnosis?.cycle = memory.cycle }
        if let index = knownIncident(incident.signature) {
            let before = memory.incidents[index]
            kept.id = before.id
            kept.state = before.state == .resolved ? .open : before.state
            kept.firstSeen = before.firstSeen
            kept.firstCycle = before.firstCycle
            kept.acknowledgedBy = before.state == .resolved ? nil : before.acknowledgedBy
            kept.acknowledgedAt = before.state == .resolved ? nil : before.acknowledgedAt
            kept.timesReopened = before.state == .resolved ? (before.timesReopened ?? 0) + 1 : before.timesReopened
            kept.joined = before.joined
            kept.resolvedAt = nil
            let isSameCycle = ((cycle?.earlierIncidents ?? []) + (cycle?.incidents ?? [])).contains { $0.id == kept.id }
            kept.timesSeen = memory.incidents[index].timesSeen + (isSameCycle ? 0 : 1)
            memory.incidents[index] = kept
            // What was proven of these tests stays so as long as the same commit is blamed: the next cycle joins it.
            if let proven = before.diagnosis, proven.grade == .proven, kept.diagnosis?.grade != .proven,
                Set(kept.tests).isSubset(of: before.tests), let culprit = proven.culprit,
                culprit.commit == kept.diagnosis?.culprit?.commit
            {
                memory.incidents[index].diagnosis = proven
            }
            return (kept, false)
        }
        let announced = cycle?.announced.first { $0.signature == incident.signature }
        kept.id = announced?.id ?? nextIncident()
        if let announced, announced.state == .acknowledged {
            kept.state = .acknowledged
            (kept.acknowledgedBy, kept.acknowledgedAt) = (announced.acknowledgedBy, announced.acknowledgedAt)
        }
        memory.incidents.append(kept)
        return (kept, true)
    }
}

/// What an experiment showed, in words: `3/3 fail`, `passes 3/3`, `unproven 1/1`.
package enum ExperimentResult {
    /// - Parameter asked: names of the targets whose misses are asked about.
    package static func words(_ records: [StageRecord], asked: Set<String> = []) -> String {
        if let deploy = records.last(where: { $0.run.kind == .deploy }), deploy.outcome != .succeeded,
            deploy.live?.revision?.names(deploy.run.revision) != true
        {
            return "could not be deployed: \(deploy.summary)"
        }
        if let stable = records.last(where: { $0.run.kind == .stabilize }), stable.outcome != .succeeded {
            return "did not get stable: \(stable.summary)"
        }
        let tests = records.filter { $0.run.kind == .test }
        if tests.isEmpty { return records.isEmpty ? "ran nothing" : "deploys and gets stable" }
        let missing = tests.count { record in
            (record.targets ?? []).contains { $0.isInQuestion || (asked.contains($0.name) && $0.status == .missed) }
        }
        if missing > 0, tests.allSatisfy({ $0.outcome == .succeeded }) {
            return "misses a target \(missing)/\(tests.count), tests pass"
        }
        var (failing, unproven, passing) = (0, 0, 0)
        for record in tests {
            if (record.suite?.totals.failing ?? 0) > 0 {
                failing += 1
            } else if isDoubtful(record) {
                unproven += 1
            } else if record.outcome == .succeeded, meets(record, asked) {
                passing += 1
            }
        }
        let unclear = tests.count - failing - unproven - passing
        let parts = [
            (failing, "\(failing)/\(tests.count) fail"), (unproven, "unproven \(unproven)/\(tests.count)"),
            (passing, "passes \(passing)/\(tests.count)"), (unclear, "unclear \(unclear)/\(tests.count)"),
        ]
        // Passes are all that is left where others are counted first.
        let counted = parts.filter { $0.0 > 0 }.map(\.1)
        return (failing > 0 ? counted.filter { !$0.hasPrefix("passes") } : counted).joined(separator: ", ")
    }

    /// Whether a run meets the targets that are asked about, as triage counts it: one that could not be measured is not met.
    static func meets(_ record: StageRecord, _ asked: Set<String>) -> Bool {
        (record.targets ?? []).allSatisfy { target in
            asked.contains(target.name) ? target.status == .met : !target.isInQuestion
        }
    }

    /// A suite that ran whole and whose evidence carries no pass: triage counts it as a failure.
    static func isDoubtful(_ record: StageRecord) -> Bool {
        guard let suite = record.suite, record.run.only == nil else { return false }
        return !suite.doubts.isEmpty || suite.authenticity.reasons.contains { $0.verdict != .healthy }
    }
}
