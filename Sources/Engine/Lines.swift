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

    static func verdict(_ judgement: Judgement, _ cycle: CycleProgress, serving: Revision?) -> LogLine {
        let isProven = cycle.policy.provesRevision
        let serves =
            serving.map { isProven ? "staging serves \($0.short)" : "\($0.short) is deployed, not proven live" }
            ?? "what staging serves is unknown"
        let why = judgement.reasons.first.map { "; \(firstLine($0.text))" } ?? ""
        let next = cycle.incidents.first.map { "; next: nightjar why \($0.id)" } ?? ""
        let word = judgement.recommendation == .ship ? "SHIP" : "HOLD"
        let text = "\(cycle.wanted.short) \(judgement.verdict.rawValue) -> \(word); \(serves)\(why)\(next)"
        let mark: LogLine.Mark
        switch judgement.verdict {
        case .healthy: mark = .ok
        case .failing: mark = .red
        case .degraded: mark = .warn
        case .unproven, .interrupted: mark = .gray
        }
        return LogLine(mark, "verdict", text)
    }
}
