// SPDX-License-Identifier: Apache-2.0
// What can never be called a pass: every hard rule in a table.

import Domain
import Testing

@testable import Engine

struct VerdictRuleTests {
    private static func facts(_ change: (inout SuiteFacts) -> Void) -> SuiteFacts {
        var facts = SuiteFacts()
        facts.exit = 0
        facts.totals.tests = 10
        facts.totals.passed = 10
        facts.durationSeconds = 10
        facts.results = (0..<10).map { TestResult(id: "t\($0)", outcome: .passed, durationSeconds: 0.1 + Double($0)) }
        facts.hosts = ["staging:443"]
        change(&facts)
        return facts
    }

    private func rules(_ facts: SuiteFacts, exitCodes: [Int] = [], allowAllSkipped: Bool = false) -> [String] {
        SuiteRules.doubts(facts, exitCodes: exitCodes, allowAllSkipped: allowAllSkipped).map(\.rule)
    }

    @Test func `a suite whose tests all passed has no doubt`() {
        #expect(rules(Self.facts { _ in }).isEmpty)
    }

    @Test(arguments: [
        ("zero-tests", facts { $0.totals = Totals() }),
        ("report-missing", facts { $0.reportProblem = ("report-missing", "no report") }),
        ("limit", facts { $0.limitHit = "timeout 30m" }),
        ("signal", facts { $0.wasSignaled = true }),
        ("suite-error", facts { $0.suiteProblems = ["collection error"] }),
        (
            "all-skipped",
            facts {
                $0.totals.passed = 0; $0.totals.skipped = 10
            }
        ),
        (
            "tests-not-run",
            facts {
                $0.totals.passed = 9; $0.totals.notRun = 1
            }
        ),
        ("exit-disagrees", facts { $0.exit = 3 }),
        (
            "exit-zero-with-failures",
            facts {
                $0.totals.passed = 9; $0.totals.failed = 1
            }
        ),
    ])
    func `a hard rule keeps a run from being a pass`(_ rule: String, _ facts: SuiteFacts) {
        #expect(rules(facts) == [rule])
        // In a suite that blocks the cycle is no better than unproven, in another it is degraded.
        let doubts = SuiteRules.doubts(facts, exitCodes: [], allowAllSkipped: false)
        for (suite, verdict) in [("login", Verdict.unproven), ("extras", .degraded)] {
            var reading = Samples.reading()
            reading.doubts = doubts
            let judged = judge { run in run.subject == suite ? reading : nil }
            #expect(judged.verdict == verdict)
            #expect(judged.recommendation == .hold)
            #expect(judged.reasons.first?.rule == rule)
        }
    }

    /// A test was cut, the rest was run without it: only what the rest did is held against its exit status.
    @Test func `the part that ran the rest is judged like a whole run`() {
        let cut: (inout SuiteFacts) -> Void = { facts in
            facts.totals.passed = 9
            facts.totals.timedOut = 1
            facts.failingAtExit = 0
        }
        #expect(rules(Self.facts(cut)).isEmpty)
        for (rule, change) in [
            ("exit-disagrees", { $0.exit = 3 }), ("limit", { $0.limitHit = "timeout 30m" }),
            ("signal", { $0.wasSignaled = true }), ("exit-zero-with-failures", { $0.failingAtExit = 1 }),
        ] as [(String, (inout SuiteFacts) -> Void)] {
            var facts = Self.facts(cut)
            change(&facts)
            #expect(rules(facts) == [rule])
        }
    }

    @Test func `exit statuses and skips can be explained`() {
        #expect(rules(Self.facts { $0.exit = 5 }, exitCodes: [5]).isEmpty)
        let skipped = Self.facts { facts in
            facts.totals.passed = 0
            facts.totals.skipped = 10
        }
        #expect(rules(skipped, allowAllSkipped: true).isEmpty)
    }

    @Test func `durations of zero without a host are doubtful`() {
        let hollow = Self.facts { facts in
            facts.hosts = []
            for index in facts.results.indices { facts.results[index].durationSeconds = 0 }
        }
        #expect(SuiteRules.authenticity(hollow, real: true).status == .doubtful)
        #expect(SuiteRules.authenticity(hollow, real: false).status == .unobserved)
    }

    // MARK: - The whole cycle

    /// A cycle on the wanted revision in which all went well but for what `reading` says.
    private func cycle(_ policy: LoopPolicy, _ reading: (StageRun) -> SuiteReading?) -> CycleProgress {
        var progress = CycleProgress(
            number: 1, work: WorkSeen(trigger: .schedule, wanted: Samples.wanted), policy: policy, settingsHash: "",
            startedAt: Samples.start)
        for step in Plan.firstPass(policy, revision: Samples.wanted, purpose: .cycle) {
            let run = progress.run(for: step)
            let suite = run.kind == .test ? reading(run) ?? Samples.reading() : nil
            let outcome: StageOutcome = (suite?.totals.failing ?? 0) > 0 ? .failed : .succeeded
            progress.records.append(
                Samples.record(run, outcome, live: run.kind == .stabilize ? Samples.wanted : .none, suite: suite))
        }
        return progress
    }

    private func judge(
        _ policy: LoopPolicy = Samples.policy, at now: Timestamp = Samples.start,
        _ reading: (StageRun) -> SuiteReading? = { _ in nil }
    ) -> Judgement {
        VerdictRules.judge(cycle(policy, reading), at: now)
    }

    @Test func `a deployment that nobody proved is no pass, and what is only observed is`() throws {
        var policy = Samples.policy
        policy.provesRevision = false
        let judgement = judge(policy)
        #expect(judgement.verdict == .unproven && judgement.recommendation == .hold)
        #expect(judgement.reasons.map(\.rule) == ["revision-not-read"])
        let line = Lines.verdict(judgement, cycle(policy) { _ in nil }, serving: Samples.wanted)
        #expect(line.text.contains("is deployed, not proven live") && !line.text.contains("serves"))
        policy.mode = .observe
        #expect(judge(policy).verdict == .healthy)
    }

    @Test func `precedence`() {
        #expect(judge().verdict == .healthy)
        #expect(judge().recommendation == .ship)
        let failing = judge { $0.subject == "login" ? Samples.reading(["a"]) : nil }
        #expect(failing.verdict == .failing)
        #expect(judge { $0.subject == "extras" ? Samples.reading(["a"]) : nil }.verdict == .degraded)
        // A failure in a blocking suite outranks doubt elsewhere; an interruption outranks all.
        var doubtful = Samples.reading()
        doubtful.doubts = [Reason(rule: "zero-tests", verdict: .unproven, text: "0 tests ran")]
        #expect(judge { $0.subject == "login" ? Samples.reading(["a"]) : doubtful }.verdict == .failing)
        #expect(judge { $0.subject == "login" ? doubtful : nil }.verdict == .unproven)
        var stopped = cycle(Samples.policy) { _ in Samples.reading(["a"]) }
        stopped.interruption = Reason(rule: "stopped", verdict: .interrupted, text: "stop")
        #expect(VerdictRules.judge(stopped, at: Samples.start).verdict == .interrupted)
        var shipping = Samples.policy
        shipping.shipDegraded = true
        #expect(judge(shipping) { $0.subject == "extras" ? Samples.reading(["a"]) : nil }.recommendation == .ship)
        var empty = Samples.policy
        empty.suites = []
        #expect(judge(empty).verdict == .unproven)
    }

    @Test func `a failed proof of the revision is failing`() {
        var progress = cycle(Samples.policy) { _ in nil }
        progress.records[1] = Samples.record(progress.records[1].run, .failed, live: Samples.other)
        let judgement = VerdictRules.judge(progress, at: Samples.start)
        #expect(judgement.verdict == .failing)
        #expect(judgement.reasons.first?.rule == "wrong-revision")
    }

    @Test(arguments: [
        (Fingerprint.Kind.file, Purpose.cycle, Verdict.unproven), (.command, .cycle, .unproven),
        (.name, .cycle, .healthy), (.disk, .cycle, .healthy), (.file, .baseline, .healthy),
    ])
    func `a configured file or answer that changes during the tests leaves them unproven`(
        _ kind: Fingerprint.Kind, _ purpose: Purpose, _ verdict: Verdict
    ) {
        var progress = cycle(Samples.policy) { _ in Samples.reading() }
        for (index, value) in [(1, "1"), (progress.records.count - 1, "2")] {
            progress.records[index].run.purpose = index == 1 ? .cycle : purpose
            progress.records[index].fingerprints = [
                Fingerprint(
                    moment: index == 1 ? .before : .after, at: Samples.start, path: "f.json",
                    entries: [Fingerprint.Entry(kind, "settings", value)])
            ]
        }
        let judgement = VerdictRules.judge(progress, at: Samples.start)
        let drift = judgement.reasons.filter { $0.rule == "environment-drift" }
        #expect(drift.map(\.verdict) == (purpose == .baseline || kind == .disk ? [] : [verdict]))
        if purpose == .cycle { #expect(judgement.verdict == verdict) }
    }

    @Test func `failures that the record does not list still count`() {
        var reading = Samples.reading(["a"])
        reading.notPassed = []
        #expect(judge { $0.subject == "login" ? reading : nil }.verdict == .failing)
    }

    @Test func `a failure of an earlier attempt is not washed green by the next`() {
        var progress = cycle(Samples.policy) { _ in nil }
        let second = progress.records[2].run
        var first = second
        first.attempt = 0
        progress.records.insert(Samples.record(first, .failed, suite: Samples.reading(["a"])), at: 2)
        let judgement = VerdictRules.judge(progress, at: Samples.start)
        #expect(judgement.verdict == .degraded)
        #expect(judgement.reasons.map(\.rule) == ["flaky"])
    }

    @Test func `many flaky tests are degraded, few are listed`() {
        for (count, verdict) in [(3, Verdict.healthy), (4, .degraded)] {
            var reading = Samples.reading()
            reading.totals.flaky = count
            #expect(judge { $0.subject == "login" ? reading : nil }.verdict == verdict)
        }
    }

    // MARK: - Quarantine

    @Test(arguments: [
        // A Monday ends on Tuesday at nine, a Friday and a Saturday on Monday.
        ("2026-11-23", "2026-11-24T09:00:00Z"), ("2026-11-27", "2026-11-30T09:00:00Z"),
        ("2026-11-28", "2026-11-30T09:00:00Z"), ("2026-11-29", "2026-11-30T09:00:00Z"),
        ("2026-12-31", "2027-01-01T09:00:00Z"),
    ])
    func `a quarantine ends at nine on the next working day`(_ until: String, _ end: String) throws {
        let entry = QuarantineEntry(test: "login::*", owner: "ann", reason: "known", until: until)
        let expected = try #require(Timestamp(end))
        #expect(Quarantine.end(of: entry) == expected)
        var policy = Samples.policy
        policy.quarantine = [entry]
        let failing: (StageRun) -> SuiteReading? = { $0.subject == "login" ? Samples.reading(["login::a"]) : nil }
        #expect(judge(policy, at: Timestamp(milliseconds: expected.milliseconds - 1), failing).verdict == .degraded)
        #expect(judge(policy, at: expected, failing).verdict == .failing)
    }

    @Test func `a date that is none is no quarantine`() {
        let entry = QuarantineEntry(test: "*", owner: "ann", reason: "known", until: "soon")
        #expect(Quarantine([entry], at: Samples.start).entry(for: "a") == nil)
    }

    @Test func `at most one test in twenty is excused`() {
        var policy = Samples.policy
        policy.quarantine = [QuarantineEntry(test: "*", owner: "ann", reason: "known", until: "2026-12-31")]
        #expect(judge(policy) { $0.subject == "login" ? Samples.reading(["a"]) : nil }.verdict == .degraded)
        let two = judge(policy) { $0.subject == "login" ? Samples.reading(["a", "b"]) : nil }
        #expect(two.verdict == .failing)
        #expect(two.reasons.first?.rule == "quarantine-cap")
    }
}
