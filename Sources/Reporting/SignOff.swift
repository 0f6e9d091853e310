// SPDX-License-Identifier: Apache-2.0
// Approved, conditional, rejected: by stated rules and from what is recorded, never by anybody's word.
//
//     APPROVED     every test of the suite passed and the evidence carries it
//     CONDITIONAL  nothing failed, but tests were skipped or did not run; the suite does not block; or every failure in
//                  it is in quarantine by name, with an owner and a date, or is a known flake; each is a prerequisite
//                  of the approval
//     REJECTED     anything else: a failure nobody answers for, a suite that did not run, evidence that proves nothing

package import Domain

/// How a suite, a phase or a cycle stands.
package enum Standing: String, Codable, Sendable, CaseIterable {
    case approved = "APPROVED"
    case conditional = "CONDITIONAL"
    case rejected = "REJECTED"
    /// Nothing is recorded, which approves nothing.
    case notRecorded = "NOT RECORDED"
}

/// One suite's standing, and what the approval hangs on.
package struct SuiteStanding: Codable, Hashable, Sendable {
    package var suite: String
    package var standing: Standing
    package var prerequisites: [String]
    package var because: String
}

/// One phase of the sign-off record.
package struct SignOffPhase: Codable, Hashable, Sendable {
    package var phase: String
    package var standing: Standing
    package var who: String
    package var what: String
    package var when: Timestamp?
    /// Files of the cycle folder that show it.
    package var evidence: [String]
}

package enum SignOff {
    package static func suites(_ record: CycleRecord) -> [SuiteStanding] {
        record.suites.map { suite(suite: $0, record) }
    }

    private static func suite(suite: SuiteRecord, _ record: CycleRecord) -> SuiteStanding {
        let untold = untold(suite)
        func standing(_ standing: Standing, _ because: String, _ prerequisites: [String] = []) -> SuiteStanding {
            let all = standing == .conditional ? prerequisites + untold : prerequisites
            return SuiteStanding(suite: suite.name, standing: standing, prerequisites: all, because: because)
        }
        let totals = suite.totals
        let rate = "\(totals.passed)/\(totals.tests)" + (totals.passRate.map { " (\(Numbers.percent($0)))" } ?? "")
        let own = record.reasons.filter { $0.subject == suite.name }
        let known = own.filter { ["quarantine", "flaky"].contains($0.rule) }
        switch suite.status {
        case .passed where totals.failing == 0 && totals.flaky == 0 && known.isEmpty:
            return untold.isEmpty ? standing(.approved, rate) : standing(.conditional, rate)
        case .passed:
            return standing(.conditional, "\(rate), flaky", known.map(\.text))
        case .failed:
            let isAnswered = own.allSatisfy { reason in
                reason.verdict == .healthy || known.contains(reason) || reason.rule.hasPrefix("target-")
            }
            if isAnswered, !known.isEmpty { return standing(.conditional, rate, known.map(\.text)) }
            if !suite.blocking {
                return standing(.conditional, "\(rate), does not block", own.map(\.text))
            }
            return standing(.rejected, rate)
        case .unproven, .notRun:
            let because = suite.because ?? own.first?.text ?? suite.status.words
            return suite.blocking
                ? standing(.rejected, because) : standing(.conditional, "does not block", [because])
        }
    }

    /// What tests that told nothing would have needed, each reason once, the most frequent first.
    private static func untold(_ suite: SuiteRecord) -> [String] {
        let count = suite.totals.skipped + suite.totals.notRun
        guard count > 0 else { return [] }
        let listed = suite.notPassed.filter { $0.outcome == .skipped || $0.outcome == .notRun }
        let groups = Dictionary(grouping: listed) { test -> String in
            let word = test.outcome == .skipped ? "skipped" : "not run"
            let reason = Printable.line(test.message ?? "", columns: 200)
            return word + (reason.isEmpty ? ", no reason given" : ": \(reason)")
        }
        var lines = groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { reason, tests in
            "\(Plurals.count(tests.count, "test")) \(reason)"
        }
        if count > listed.count {
            lines.append("\(Plurals.count(count - listed.count, "more test")) skipped or not run")
        }
        return lines
    }

    /// The suites that passed, or are let pass, on conditions.
    package static func conditional(_ record: CycleRecord) -> Set<String> {
        Set(suites(record).filter { $0.standing == .conditional }.map(\.suite))
    }

    /// `, 80,000 on conditions`; empty where nothing is.
    package static func conditions(_ value: Double?) -> String {
        value.map { $0 > 0 ? ", \(Numbers.grouped($0)) on conditions" : "" } ?? ""
    }

    /// Implementation, review, execution, final approval.
    package static func phases(_ record: CycleRecord) -> [SignOffPhase] {
        let standings = suites(record)
        return [implementation(record), review(record), execution(record, standings), approval(record, standings)]
    }

    private static func implementation(_ record: CycleRecord) -> SignOffPhase {
        let wanted = record.revision.wanted
        let deploy = record.stages.last { $0.run.kind == .deploy && $0.run.revision == wanted }
        let proof = record.stages.first { $0.run.kind == .stabilize && $0.run.revision == wanted }
        let subject = record.revision.subject.map { " \"\($0)\"" } ?? ""
        let isLive = record.revision.live?.names(wanted) == true
        let standing: Standing =
            isLive ? .approved : deploy.map { $0.outcome == .succeeded } == false ? .rejected : .notRecorded
        let what = isLive ? "\(wanted.short)\(subject) is proven live" : "\(wanted.short)\(subject) is not proven live"
        return SignOffPhase(
            phase: "implementation", standing: standing, who: record.revision.author ?? "no author is recorded",
            what: what, when: (proof ?? deploy)?.endedAt,
            evidence: [deploy, proof].compactMap { $0 }.flatMap { $0.commands.compactMap(\.log) })
    }

    /// What role commands and approvals have left in the record; without them nothing was reviewed.
    private static func review(_ record: CycleRecord) -> SignOffPhase {
        let approved = record.actions.filter { $0.approvedBy != nil }
        if let fix = approved.last(where: { $0.kind == .fix }) {
            return SignOffPhase(
                phase: "review", standing: .approved, who: fix.approvedBy ?? "nobody",
                what: fix.words + (fix.approvedBecause.map { ": \($0)" } ?? ""), when: nil, evidence: ["cycle.json"])
        }
        // Leave to act on the environment is no review of a change.
        let leave = approved.map { "\($0.approvedBy ?? "") allowed \($0.kind.rawValue)" }
        return SignOffPhase(
            phase: "review", standing: .notRecorded, who: "nobody",
            what: "no review of \(record.revision.wanted.short) is recorded"
                + (leave.isEmpty ? "" : "; \(Plurals.list(leave, limit: 3))"), when: nil, evidence: [])
    }

    private static func execution(_ record: CycleRecord, _ standings: [SuiteStanding]) -> SignOffPhase {
        let ran = record.suites.filter { $0.status != .notRun }
        let stages = ran.compactMap { record.stage(of: $0) }
        let counts = Standing.allCases.compactMap { standing -> String? in
            let count = standings.count { $0.standing == standing }
            return count > 0 ? "\(count) \(standing.rawValue.lowercased())" : nil
        }
        let worst: Standing =
            standings.contains { $0.standing == .rejected } || standings.isEmpty
            ? .rejected : standings.contains { $0.standing == .conditional } ? .conditional : .approved
        let totals = record.totals
        return SignOffPhase(
            phase: "execution", standing: worst, who: record.writtenBy,
            what: "\(Plurals.count(totals.tests, "test")) in \(Plurals.count(ran.count, "suite")): "
                + (counts.isEmpty ? "nothing ran" : counts.joined(separator: ", ")),
            when: stages.map(\.endedAt).max(), evidence: ran.compactMap(\.testsFile))
    }

    /// The verdict decides. What ships although suites passed on conditions only is approved on these conditions.
    private static func approval(_ record: CycleRecord, _ standings: [SuiteStanding]) -> SignOffPhase {
        let conditional = standings.filter { $0.standing == .conditional }
        let standing: Standing =
            switch record.verdict {
            case .healthy where record.recommendation != .ship: .rejected
            case .healthy: conditional.isEmpty ? .approved : .conditional
            case .degraded: .conditional
            case .failing, .unproven, .interrupted: .rejected
            }
        let rules = record.reasons.filter { $0.verdict == record.verdict && $0.verdict != .healthy }.map(\.rule)
        let distinct = rules.enumerated().filter { rules.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        let why = distinct.isEmpty ? "" : ", rules \(Plurals.list(distinct, limit: 4))"
        let missing = conditional.map { suite in
            "\(suite.suite) (\(Plurals.list(suite.prerequisites.isEmpty ? [suite.because] : suite.prerequisites, limit: 2)))"
        }
        let conditions =
            standing == .conditional && !missing.isEmpty ? "; missing: \(Plurals.list(missing, limit: 3))" : ""
        return SignOffPhase(
            phase: "final approval", standing: standing, who: "the verdict rules of \(record.writtenBy)",
            what: "\(record.verdict.rawValue)\(why): \(record.recommendation.rawValue)\(conditions)",
            when: record.endedAt, evidence: ["cycle.json"])
    }
}

extension CapabilityRecord {
    /// None of its tests failed, and some told nothing or passed only after a failure. Its own tests are asked, whatever
    /// else there is in the suite.
    package var isConditional: Bool { status == .passed && totals.passed < totals.tests }

    /// What it is worth as far as that is shown: `80,000`, `80,000 on conditions`.
    var valueWords: String {
        value.map { Numbers.grouped($0) + (isConditional ? " on conditions" : "") }
            ?? (isConditional ? "on conditions" : "-")
    }
}
