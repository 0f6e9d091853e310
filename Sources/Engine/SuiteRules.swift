// SPDX-License-Identifier: Apache-2.0
// What one run of one suite cannot be: a pass without a report, a pass with an exit status that says otherwise, a pass
// of nothing. Also how authentic it looks from outside. Pure.

package import Domain

/// What is known of a suite's run from outside the tests.
package struct SuiteFacts: Sendable {
    package var exit: Int32?
    /// The limit that the last part hit, in words; nil where the run was ended for one of its tests.
    package var limitHit: String?
    package var wasSignaled = false
    /// Failing tests of the part that ended by itself, with which its exit status must agree: a part that was cut for a
    /// test over its limit has none. Nil counts all failing tests.
    package var failingAtExit: Int?
    /// Set where the report is missing, stale or damaged: rule and words.
    package var reportProblem: (rule: String, text: String)?
    /// Why it cannot be told which tests were left.
    package var unaccounted: String?
    package var suiteProblems: [String] = []
    package var disagreements: [String] = []
    package var totals = Totals()
    package var results: [TestResult] = []
    package var isSelection = false
    package var durationSeconds = 0.0
    package var cpuSeconds: Double?
    package var hosts: [String] = []
    package var peakMemoryBytes: Int64?
    /// What the suite is usually like.
    package var baseline = SuiteBaseline()
    /// Why what the suite is usually like could not be read: the rules that compare with it cannot judge.
    package var pastProblem: String?
    /// Of this run, as in the baseline.
    package var timingPrint: UInt64 = 0
    /// Tests of the last sound run that this one does not have; nil where that is not known.
    package var vanished: Int?
    /// How many tests the tool said it would run, where its report must have them all.
    package var collected: Int?
    /// Why the suite's `collect` command did not tell which tests there are; nil where it did, or was not asked.
    package var collectProblem: String?
    /// Test sources changed since the last green revision.
    package var testsChanged = false

    package init() {}

    fileprivate var failingWithExit: Int { failingAtExit ?? totals.failing }
}

package enum SuiteRules {
    /// Soft rules judge once a suite has been seen soundly this often.
    package static let learningCycles = 5

    /// Everything that keeps the run from being a pass, each with its rule.
    package static func doubts(_ facts: SuiteFacts, exitCodes: [Int], allowAllSkipped: Bool) -> [Reason] {
        var doubts: [Reason] = []
        func doubt(_ rule: String, _ text: String, _ verdict: Verdict = .unproven) {
            doubts.append(Reason(rule: rule, verdict: verdict, text: text))
        }
        if let problem = facts.reportProblem { doubt(problem.rule, problem.text) }
        if let limit = facts.limitHit { doubt("limit", "ended at its limit: \(limit)") }
        if facts.wasSignaled, facts.limitHit == nil {
            doubt("signal", "ended by a signal: never a pass")
        }
        for problem in facts.suiteProblems.prefix(5) {
            doubt("suite-error", "the report speaks of a failure outside its tests: \(problem)")
        }
        if facts.totals.tests == 0, facts.reportProblem == nil { doubt("zero-tests", "0 tests ran") }
        let ran = facts.totals.tests - facts.totals.notRun
        if ran > 0, facts.totals.skipped == ran, !allowAllSkipped {
            doubt("all-skipped", "all \(ran) tests were skipped (allowAllSkipped is false)")
        }
        let why = facts.unaccounted
        if facts.totals.notRun > 0 {
            let words = "\(facts.totals.notRun) of \(facts.totals.tests) tests did not run"
            doubt("tests-not-run", words + (why.map { ": \($0)" } ?? ""))
        } else if let why {
            doubt("tests-not-run", "some tests may not have run: \(why)")
        }
        if let exit = facts.exit, exit != 0, facts.failingWithExit == 0, facts.totals.tests > 0,
            !exitCodes.contains(Int(exit)), facts.reportProblem == nil
        {
            doubt("exit-disagrees", "exit \(exit) with no failed test in the report (exitCodes does not explain it)")
        }
        if facts.exit == 0, facts.failingWithExit > 0 {
            doubt("exit-zero-with-failures", "exit 0 with \(facts.failingWithExit) failed tests in the report")
        }
        return doubts
    }

    /// How the run looks from outside. Which tests there are is asked of every suite; `real` ones claim to talk to the
    /// environment as well, and only they are held to it: of the others nothing is `proven`.
    ///
    /// - doubts: those of the hard rules, which judge for themselves: a run that is no pass is not called proven here.
    package static func authenticity(_ facts: SuiteFacts, real: Bool, doubts: [Reason] = []) -> Authenticity {
        var contradictions: [Reason] = facts.disagreements.prefix(5).map {
            Reason(rule: "counters-disagree", verdict: .healthy, text: $0)
        }
        if facts.exit == 0, facts.failingWithExit > 0 {
            contradictions.append(
                Reason(
                    rule: "exit-zero-with-failures", verdict: .unproven, text: "the exit status contradicts the report")
            )
            return Authenticity(status: .contradicted, reasons: contradictions)
        }
        let against = disproof(doubts)
        guard !facts.isSelection, facts.reportProblem == nil else {
            return Authenticity(status: against.status ?? .unobserved, reasons: against.remarks + contradictions)
        }
        let found =
            (real ? hollow(facts) : []) + DriftRules.reasons(facts, real: real) + unread(facts, real: real)
            + uncollected(facts, real: real)
        let remarks = against.remarks + contradictions + accepted(facts.baseline)
        let isDoubtful = found.contains { $0.verdict != .healthy }
        let status = against.status ?? (isDoubtful ? .doubtful : real ? .proven : .unobserved)
        let seen = facts.baseline.runs.count
        return Authenticity(
            status: status, reasons: found + remarks,
            baseline: seen < learningCycles ? "\(seen)/\(learningCycles)" : nil)
    }

    /// What the hard rules leave of the run's word. Tests that did not run say nothing against those that did.
    private static func disproof(_ doubts: [Reason]) -> (status: Authenticity.Status?, remarks: [Reason]) {
        let telling = doubts.filter { $0.rule != "tests-not-run" }
        let isContradicted = telling.contains { $0.rule == "exit-disagrees" }
        let remarks = telling.map { Reason(rule: $0.rule, verdict: .healthy, text: $0.text) }
        return (isContradicted ? .contradicted : telling.isEmpty ? nil : .doubtful, remarks)
    }

    /// Nothing learned is no reason for doubt; what was learned and cannot be read is one.
    private static func unread(_ facts: SuiteFacts, real: Bool) -> [Reason] {
        guard let problem = facts.pastProblem else { return [] }
        return [
            Reason(
                rule: "past-unreadable", verdict: real ? .unproven : .healthy,
                text: "what the suite is usually like is not known: \(problem)")
        ]
    }

    /// What the tool would run was asked, and no answer came: tests may be missing that nobody misses.
    private static func uncollected(_ facts: SuiteFacts, real: Bool) -> [Reason] {
        guard let problem = facts.collectProblem else { return [] }
        return [
            Reason(
                rule: "not-collected", verdict: real ? .unproven : .healthy,
                text: "which tests there are could not be asked: collect \(problem)")
        ]
    }

    /// Said while the soft rules learn again.
    private static func accepted(_ baseline: SuiteBaseline) -> [Reason] {
        guard let words = baseline.accepted, baseline.runs.count < learningCycles else { return [] }
        return [Reason(rule: "baseline-accepted", verdict: .healthy, text: words)]
    }

    /// Whether it matters if test sources changed: to find out costs a look into the repository.
    package static func asksForTestChanges(_ facts: SuiteFacts) -> Bool {
        var unchanged = facts
        unchanged.testsChanged = false
        let rules = DriftRules.reasons(unchanged, real: false).filter { $0.verdict != .healthy }.map(\.rule)
        return !Set(rules).isDisjoint(with: ["fewer-tests", "other-tests", "more-skipped"])
    }

    /// Tests that claim to cross a network take measurable time; one sign alone is no doubt, two are.
    private static func hollow(_ facts: SuiteFacts) -> [Reason] {
        let times = facts.results.filter { $0.outcome == .passed }.compactMap(\.durationSeconds)
        guard times.count >= 4 else { return [] }
        let longest = times.max() ?? 0
        let sum = times.reduce(0, +)
        let identical = times.count >= 8 && Set(times).count == 1
        // On a busy machine one or another takes longer, whatever it does.
        let usual = times.sorted()[(times.count - 1) * 4 / 5]
        if usual <= 0.005, longest <= 0.1, facts.hosts.isEmpty {
            let most = longest == usual ? "" : "\(times.count { $0 <= usual }) of "
            return [
                Reason(
                    rule: "zero-durations", verdict: .unproven,
                    text:
                        "\(most)\(times.count) tests took at most \(milliseconds(usual)) ms each and no host was contacted"
                )
            ]
        }
        if identical, longest > 0, facts.hosts.isEmpty {
            return [
                Reason(
                    rule: "identical-timing", verdict: .unproven,
                    text: "\(times.count) tests report exactly the same time and no host was contacted")
            ]
        }
        if sum > facts.durationSeconds * 64 + 5 {
            return [
                Reason(
                    rule: "time-impossible", verdict: .unproven,
                    text: "tests report \(Int(sum))s in total, the suite ran \(Int(facts.durationSeconds))s")
            ]
        }
        return []
    }

    private static func milliseconds(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10_000).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
