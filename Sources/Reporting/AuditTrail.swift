// SPDX-License-Identifier: Apache-2.0
// Who did what: requests of people, permits, roles and the rules of the audit, in the order in which they happened.

import Domain

/// One line of the audit.
struct AuditEntry: Sendable {
    var at: Timestamp?
    var who: String
    var what: String
    /// The word of the result, and how it reads; nil where there is none.
    var result: String?
    var tone: HTML.Tone
    var detail: String
    var evidence: [String]
}

extension CycleReport {
    /// Sorted by time; what has none comes last.
    var auditTrail: [AuditEntry] {
        let entries = requests + record.stages.flatMap { permits($0) + role($0) } + acknowledgements + baselines
        return entries.enumerated().sorted { left, right in
            switch (left.element.at, right.element.at) {
            case (let one?, let other?): one == other ? left.offset < right.offset : one < other
            case (nil, nil): left.offset < right.offset
            case (let one, _): one != nil
            }
        }.map(\.element)
    }

    static let noAudit =
        "Nobody asked for anything, and no permit, role or audit rule took part: all of this was done by the loop "
        + "under its own settings."

    private var requests: [AuditEntry] {
        (record.requests ?? []).map { request in
            let about = request.about.map { " \($0)" } ?? ""
            let detail = [request.reason.map { "because: \($0)" }, request.answer].compactMap { $0 }
            let who = request.by + (request.uid.map { " (uid \($0))" } ?? "")
            return AuditEntry(
                at: request.at, who: who, what: request.verb + about, result: "done", tone: .quiet,
                detail: detail.joined(separator: "; "), evidence: [])
        }
    }

    private func permits(_ stage: StageRecord) -> [AuditEntry] {
        stage.commands.filter { $0.role == "permit" }.map { command in
            let went = command.exit == 0
            let word = went ? "go" : command.exit == 75 ? "not now" : "no answer"
            let detail = stage.outcome == .refused || !went ? stage.summary : "exit 0"
            return AuditEntry(
                at: command.startedAt, who: "permit: \(command.command.first ?? "command")",
                what: "asked whether \(stage.run.revision.short) may be deployed (\(stage.run.folder))", result: word,
                tone: went ? .good : .doubt, detail: detail, evidence: command.log.map { [$0] } ?? [])
        }
    }

    private func role(_ stage: StageRecord) -> [AuditEntry] {
        guard let reading = stage.role else { return [] }
        let rules = reading.audit.map { rule in
            AuditEntry(
                at: stage.endedAt, who: "audit rule", what: rule.rule, result: rule.passed ? "pass" : "fail",
                tone: rule.passed ? .good : .bad, detail: rule.finding, evidence: rule.evidence.map { [$0] } ?? [])
        }
        let isRole = Role(rawValue: reading.step) != nil
        let command = stage.commands.first { $0.role == "main" } ?? stage.commands.first
        // The whole command stands in its log; a long path would leave no room for what was said.
        let name = command?.command.first.map { ": \($0.split(separator: "/").last.map(String.init) ?? $0)" } ?? ""
        let decision = reading.decision?.words ?? stage.outcome.words
        var detail = [reading.summary, reading.revision.map { "commit \($0.short)" }, reading.branch].compactMap { $0 }
        detail += reading.reasons
        if detail.isEmpty { detail = [stage.summary] }
        let files = [reading.patch].compactMap { $0 } + stage.commands.prefix(2).compactMap(\.log)
        let isGood = reading.decision == .approve || reading.decision == .done
        let tone: HTML.Tone = reading.decision == nil ? stage.outcome.mark.tone : isGood ? .good : .doubt
        return [
            AuditEntry(
                at: stage.startedAt, who: isRole ? "role \(reading.step)\(name)" : "the loop", what: reading.step,
                result: decision, tone: tone, detail: detail.joined(separator: "; "), evidence: files)
        ] + rules
    }

    /// Of earlier cycles: what was acknowledged in this one is among the requests.
    private var acknowledgements: [AuditEntry] {
        record.incidents.compactMap { incident in
            guard let at = incident.acknowledgedAt, let by = incident.acknowledgedBy, at < record.startedAt else {
                return nil
            }
            let isKnown = (record.requests ?? []).contains { $0.verb == "acknowledge" && $0.at == at }
            return isKnown
                ? nil
                : AuditEntry(
                    at: at, who: by, what: "acknowledge \(incident.id)", result: "in force", tone: .quiet,
                    detail: incident.title, evidence: [])
        }
    }

    private var baselines: [AuditEntry] {
        record.suites.flatMap { suite in
            (suite.authenticity?.reasons ?? []).filter { $0.rule == "baseline-accepted" }.map { reason in
                AuditEntry(
                    at: nil, who: "operator", what: "accept-baseline \(suite.name)", result: "in force", tone: .quiet,
                    detail: reason.text, evidence: [])
            }
        }
    }
}

extension RoleDecision {
    /// As people read it.
    var words: String { self == .giveUp ? "gave up" : rawValue }
}
