// SPDX-License-Identifier: Apache-2.0
// Risks that are gone, risks that are left, and what to do next: each line follows from a line of the record.

import Domain

/// Something to do, and the one command that does it.
struct NextAction: Sendable {
    var text: String
    var command: String?
}

extension CycleReport {
    /// What was wrong before and is shown to be well now.
    var risksEliminated: [String] {
        var lines = beforeAfter.compactMap { row -> String? in
            guard row.afterStatus == .passed, let before = row.beforeStatus, before != .passed else { return nil }
            let value = record.suites.first { $0.name == row.suite }?.value ?? 0
            let isConditional = SignOff.conditional(record).contains(row.suite)
            let what = isConditional ? "no longer at risk, on conditions" : "protected again"
            let worth = value > 0 ? ", \(Numbers.value(value, record.value.unit)) \(what)" : ""
            return "\(row.suite): \(before.words) -> passed\(worth) (\(row.source ?? "before"))"
        }
        for target in record.targets ?? [] where target.status == .met {
            let old = context.previous?.targets?.first { $0.name == target.name }
            if old?.status == .missed { lines.append("target \(target.name) is met again: \(target.comparison)") }
        }
        if record.environment.state == .restored, let serving = record.environment.serving {
            lines.append("staging no longer serves \(record.revision.wanted.short): it is back at \(serving.short)")
        }
        return lines
    }

    /// What the evidence of this cycle leaves open.
    var risksLeft: [String] {
        var lines: [String] = []
        for suite in record.suites where suite.status != .passed {
            let value = suite.value.map { ", \(Numbers.value($0, record.value.unit)) at risk" } ?? ""
            lines.append("\(suite.name) (P\(suite.priority)): \(suite.status.words)\(value)")
        }
        for capability in record.capabilities where capability.status != .passed {
            let value = capability.value.map { ", \(Numbers.value($0, record.value.unit))" } ?? ""
            lines.append("capability \(capability.name): \(capability.status.words)\(value)")
        }
        for capability in record.capabilities where capability.isConditional {
            let tests = CycleSummary.words(capability.totals)
            lines.append("capability \(capability.name): passed on conditions, \(tests)")
        }
        for target in record.targets ?? [] where target.status != .met {
            lines.append("target \(target.name): \(target.comparison)")
        }
        lines += (record.targets ?? []).flatMap(\.warnings)
        let totals = record.totals
        if totals.skipped > 0 {
            lines.append("\(Plurals.count(totals.skipped, "test")) skipped: nothing is known of them")
        }
        if totals.notRun > 0 { lines.append("\(Plurals.count(totals.notRun, "test")) did not run") }
        if record.flakyTests > 0 { lines.append("\(Plurals.count(record.flakyTests, "flaky test"))") }
        for reason in record.reasons where ["quarantine", "quarantine-cap", "revision-not-read"].contains(reason.rule) {
            lines.append(reason.text)
        }
        for part in record.readiness?.components ?? [] where (part.score ?? 0) < 100 {
            let what = part.counted > 0 ? "\(part.good) of \(part.counted)" : "nothing to count"
            lines.append("readiness of \(part.name): \(part.score.map(Numbers.percent) ?? "not proven") (\(what))")
        }
        if record.environment.state == .unknown { lines.append("which revision staging runs is not proven") }
        for suite in record.suites {
            guard let authenticity = suite.authenticity, authenticity.isDoubted else { continue }
            lines.append("\(suite.name): its evidence is \(authenticity.status.rawValue)")
        }
        return lines
    }

    /// In the order in which to do them.
    var nextActions: [NextAction] {
        var actions: [NextAction] = []
        let isCured = record.verdict == .healthy
        if isCured, record.recommendation == .ship {
            actions.append(
                NextAction(
                    text: "ship \(record.revision.wanted.short)",
                    command: "nightjar gate \(record.revision.wanted.short)"))
        }
        let open = record.incidents.filter { $0.state != .resolved }
        for incident in open {
            actions.append(
                NextAction(
                    text: "read why \(incident.id) \(isCured ? "came and went" : "fails"): \(incident.title)",
                    command: "nightjar why \(incident.id)"))
            // What was cured within the cycle needs nobody.
            if isCured { continue }
            if let diagnosis = incident.diagnosis { actions += cure(diagnosis) }
            if incident.state == .open {
                actions.append(
                    NextAction(text: "say that you are on it", command: "nightjar ack \(incident.id)"))
            }
        }
        if open.isEmpty, record.verdict == .failing || record.verdict == .degraded {
            actions.append(
                NextAction(text: "see what failed", command: "nightjar show \(record.cycle)"))
        }
        switch record.verdict {
        case .unproven:
            actions.append(
                NextAction(
                    text: "repair the evidence, then run again: \(summary.reasons.first?.text ?? "see the reasons")",
                    command: "nightjar trigger"))
        case .interrupted: actions.append(NextAction(text: "run it again", command: "nightjar trigger"))
        case .healthy, .degraded, .failing: break
        }
        actions += slower
        for suite in SignOff.suites(record) where suite.standing == .conditional {
            for prerequisite in suite.prerequisites.prefix(5) {
                actions.append(NextAction(text: "clear the condition of \(suite.suite): \(prerequisite)", command: nil))
            }
        }
        actions.append(
            NextAction(
                text: "check that this evidence is unchanged", command: "nightjar verify --cycle \(record.cycle)"))
        return actions
    }

    /// What got slower, or is about to be too slow: where to begin to look.
    private var slower: [NextAction] {
        (record.targets ?? []).flatMap { target -> [NextAction] in
            var actions: [NextAction] = []
            if let change = target.sinceGreen, change.finding == .worse {
                actions.append(
                    NextAction(
                        text: "find out why target \(target.name) is \(change.words)",
                        command: "nightjar show \(change.cycle)"))
            }
            if let trend = target.trend, let warning = trend.warning(target.unit) {
                actions.append(
                    NextAction(
                        text: "act before target \(target.name) \(warning)",
                        command: "nightjar report --cycles \(trend.fromCycle)..\(record.cycle)"))
            }
            return actions
        }
    }

    private func cure(_ diagnosis: Diagnosis) -> [NextAction] {
        if let check = diagnosis.check {
            return [NextAction(text: "the one check that would tell: \(check)", command: nil)]
        }
        switch diagnosis.recommendedAction {
        case .rollback, .fix:
            guard let culprit = diagnosis.culprit else { return [] }
            return [
                NextAction(
                    text: "revert or repair \(culprit.commit.short) \"\(culprit.subject)\"",
                    command: "git revert \(Revision(culprit.commit.id).short)")
            ]
        case .fixTest: return [NextAction(text: "repair the test, not the code", command: nil)]
        case .rejectReport: return [NextAction(text: "repair what writes the report", command: nil)]
        case .redeploy: return [NextAction(text: "deploy it once more", command: "nightjar trigger")]
        case .runbook:
            return [NextAction(text: "run the runbook \(diagnosis.runbook ?? "that the category names")", command: nil)]
        case .rerun, .none: return []
        }
    }
}
