// SPDX-License-Identifier: Apache-2.0
// What the log says about each decision: value, comparator, threshold. Read at night: the first words carry it.

import Domain

enum Lines {
    /// Said when a run begins; nil where its end says enough.
    static func start(of run: StageRun, in cycle: CycleProgress) -> LogLine? {
        switch run.kind {
        case .deploy where run.experiment != nil:
            LogLine(.going, run.stage, "\(run.revision.short) for the \(run.purpose.rawValue)")
        case .deploy: LogLine(.going, run.stage, "\(run.revision.short) attempt \(run.attempt)")
        case .remedy: LogLine(.going, run.stage, run.subject ?? "")
        case .stabilize, .test: nil
        }
    }

    static func end(of record: StageRecord) -> LogLine? {
        let run = record.run
        if run.experiment != nil, isPartOfAnswer(record) { return nil }
        let recovered = record.recovery.map { " (\($0))" } ?? ""
        let text = "\(named(record))\(recovered)"
        let topic = run.stage
        switch record.outcome {
        case .succeeded: return LogLine(.ok, topic, text)
        case .failed, .timedOut: return LogLine(.fail, topic, text)
        case .refused: return LogLine(.hold, topic, text)
        case .stopped, .neverRan: return LogLine(.skip, topic, text)
        case .couldNotRun, .lost: return LogLine(.warn, topic, text)
        }
    }

    /// One of several runs of an experiment, whose answer is a line of its own.
    private static func isPartOfAnswer(_ record: StageRecord) -> Bool {
        guard record.recovery == nil else { return false }
        switch (record.run.kind, record.outcome) {
        case (.test, .succeeded), (.test, .failed),
            (.stabilize, .succeeded) where record.run.purpose == .recheck:
            return true
        default: return false
        }
    }

    /// What the run is about before what came of it; of a suite its priority first: `P0 chat 24/25 78s`.
    private static func named(_ record: StageRecord) -> String {
        guard let subject = record.run.subject else { return record.summary }
        let first = record.summary.prefix { $0 != " " }
        guard record.run.kind == .test, first.count == 2, first.first == "P" else {
            return "\(subject) \(record.summary)"
        }
        return "\(first) \(subject)\(record.summary.dropFirst(2))"
    }

    // MARK: - Triage

    /// What is to be tried, and what it may cost.
    static func plan(_ experiment: Experiment, _ cycle: CycleProgress, _ now: Timestamp) -> LogLine {
        guard experiment.kind.deploys else { return LogLine(.plan, "triage", experiment.question) }
        let triage = cycle.policy.triage
        let spent = cycle.triageStartedAt.map { now.since($0).inSeconds } ?? 0
        let cost =
            "deploy \(cycle.experimentDeploys + 1) <= \(triage.deploysPerIncident), "
            + "\(seconds(spent)) < \(seconds(triage.budgetSeconds))"
        return LogLine(.plan, "triage", "\(experiment.question) (\(cost))")
    }

    /// `9s`, `4m`, `2h`, `1h30m`: whole units, which is all that a budget needs.
    private static func seconds(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds))
        if whole < 60 { return "\(whole)s" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours == 0 ? "\(minutes)m" : minutes == 0 ? "\(hours)h" : "\(hours)h\(minutes)m"
    }

    static func incident(_ incident: Incident, isNew: Bool, cycle: Int) -> LogLine {
        let tests = incident.tests.isEmpty ? "" : " (\(count(incident.tests.count, "test")))"
        let reopened = incident.timesReopened ?? 0
        let again = reopened == 0 ? "" : ", reopened \(reopened == 1 ? "once" : "\(reopened) times")"
        let seen =
            isNew
            ? "first time in \(count(cycle, "cycle"))"
            : "seen \(count(incident.timesSeen, "time")) since #\(incident.firstCycle)"
        return LogLine(
            isNew ? .new : .fail, "incident", "\(incident.id) \(incident.title)\(tests), \(seen)\(again)")
    }

    /// The cause, how firmly it stands, and by which figures.
    static func diagnosis(_ incident: Incident) -> LogLine? {
        guard let diagnosis = incident.diagnosis else { return nil }
        let culprit = diagnosis.culprit.map { "; culprit \($0.commit.short) \"\(firstLine($0.subject))\"" } ?? ""
        let category = diagnosis.category == .unknown ? "" : ": \(diagnosis.category.rawValue)"
        let grounds = diagnosis.grounds.map { "; \($0)" } ?? ""
        return LogLine(
            .fact, "diagnosis", "\(incident.id) \(diagnosis.grade.rawValue)\(category)\(culprit)\(grounds)")
    }

    private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

    /// `: all 14/14 pass`, of the suites that were run whole for it.
    static func passes(_ cycle: CycleProgress) -> String {
        let runs = cycle.deciding.filter { $0.run.kind == .test && $0.run.purpose == .reverify && $0.run.only == nil }
        let totals = runs.compactMap(\.suite?.totals)
        let executed = totals.reduce(0) { $0 + $1.executed }
        let passed = totals.reduce(0) { $0 + $1.passed + $1.flaky }
        return executed == 0 ? "" : ": \(passed == executed ? "all " : "")\(passed)/\(executed) pass"
    }

    static func notRestored(_ action: ActionRecord) -> String {
        let because = action.result.map { ": \(firstLine($0))" } ?? ""
        return "\(action.kind.rawValue) did not restore a green staging\(because)"
    }

    // MARK: - The end

    static func verdict(_ judgement: Judgement, _ cycle: CycleProgress, serving: Revision?) -> LogLine {
        let isProven = cycle.policy.provesRevision
        let serves =
            serving.map { isProven ? "staging serves \($0.short)" : "\($0.short) is deployed, not proven live" }
            ?? "what staging serves is unknown"
        let next = cycle.incidents.first.map { "; next: nightjar why \($0.id)" } ?? ""
        let word = judgement.recommendation == .ship ? "SHIP" : "HOLD"
        let text =
            "\(cycle.wanted.short) \(judgement.verdict.rawValue) -> \(word)\(rule(judgement)); \(serves)\(why(judgement))\(next)"
        let mark: LogLine.Mark
        switch judgement.verdict {
        case .healthy: mark = .ok
        case .failing: mark = .red
        case .degraded: mark = .warn
        case .unproven, .interrupted: mark = .gray
        }
        return LogLine(mark, "verdict", text)
    }

    /// The rules that make the verdict, each once with how often; of a healthy one what passed.
    private static func rule(_ judgement: Judgement) -> String {
        let deciding = judgement.reasons.filter { $0.verdict == judgement.verdict && $0.verdict != .healthy }
        guard let first = deciding.first else {
            let totals = judgement.suites.map(\.totals)
            let executed = totals.reduce(0) { $0 + $1.executed }
            return ", \(totals.reduce(0) { $0 + $1.passed + $1.flaky })/\(executed) pass, no rule against it"
        }
        let times = deciding.count { $0.rule == first.rule }
        let others = Set(deciding.map(\.rule)).count - 1
        return ", rule \(first.rule)\(times > 1 ? " x\(times)" : "")\(others > 0 ? " and \(others) more" : "")"
    }

    private static func why(_ judgement: Judgement) -> String {
        judgement.reasons.first.map { "; \(firstLine($0.text))" } ?? ""
    }
}
