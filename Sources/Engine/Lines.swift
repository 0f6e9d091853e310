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
        let prefix = run.subject.map { "\($0) " } ?? ""
        let recovered = record.recovery.map { " (\($0))" } ?? ""
        let text = "\(prefix)\(record.summary)\(recovered)"
        let topic = run.stage
        switch record.outcome {
        case .succeeded: return LogLine(.ok, topic, text)
        case .failed, .timedOut: return LogLine(.fail, topic, text)
        case .refused: return LogLine(.hold, topic, text)
        case .stopped, .neverRan: return LogLine(.skip, topic, text)
        case .couldNotRun, .lost: return LogLine(.warn, topic, text)
        }
    }

    static func verdict(_ judgement: Judgement, _ cycle: CycleProgress, serving: Revision?) -> LogLine {
        let serves = serving.map { "staging serves \($0.short)" } ?? "what staging serves is unknown"
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
