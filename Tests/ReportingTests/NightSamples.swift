// SPDX-License-Identifier: Apache-2.0
// The night of the design, as a record: a streaming chat that times out after a commit, found, proven and rolled back.

import Domain
import Reporting

enum Night {
    static let wanted = Revision("9f3c1e2a4b5c6d7e8f90a1b2c3d4e5f60718293a")
    static let green = Revision("41ab7d0c9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b")

    static func time(_ clock: String, day: String = "2026-11-21") -> Timestamp {
        Timestamp("\(day)T\(clock)Z") ?? Timestamp(milliseconds: 0)
    }

    static func stage(
        _ kind: StageKind, _ purpose: Purpose, _ outcome: StageOutcome, _ summary: String, seconds: Double,
        attempt: Int = 1, subject: String? = nil, revision: Revision = wanted, limit: String? = nil
    ) -> StageRecord {
        StageRecord(
            run: StageRun(
                cycle: 214, kind: kind, purpose: purpose, subject: subject, attempt: attempt, revision: revision),
            outcome: outcome, summary: summary, startedAt: time("02:31:07"), endedAt: time("02:38:52"),
            durationSeconds: seconds, limitHit: limit)
    }

    static func totals(passed: Int = 0, failed: Int = 0, skipped: Int = 0, timedOut: Int = 0, notRun: Int = 0) -> Totals
    {
        var totals = Totals()
        for (count, outcome) in [
            (passed, TestOutcome.passed), (failed, .failed), (skipped, .skipped), (timedOut, .timedOut),
            (notRun, .notRun),
        ] {
            for _ in 0..<count { totals.add(outcome) }
        }
        return totals
    }

    static let streamingTest = TestResult(
        id: "authentication::test_023_streaming", outcome: .timedOut, durationSeconds: 30,
        message: "no frame of stream_partial within 30 s", type: "TimeoutError",
        details:
            "tests/p0_auth/test_streaming.py:88: in test_023_streaming\n    await chat.partial()\nE   TimeoutError",
        file: "tests/p0_auth/test_streaming.py", line: 88)

    static let diagnosis = Diagnosis(
        category: .codeRegression, component: "messages",
        summary: "Pooled hubs are returned before the last partial is sent, so streaming chats never end.",
        grade: .proven,
        culprit: Culprit(
            commit: wanted, subject: "Pool the stream hub", author: "Ann", files: ["messages.py"], probability: 0.998),
        recommendedAction: .rollback,
        whys: [
            Why(
                n: 1, question: "What failed?", answer: "test_023_streaming waits 30 s for a partial that never comes",
                confidence: 1,
                evidence: [
                    EvidenceReference(
                        path: "test-1-authentication/console.log", lines: [212, 214],
                        excerpt: "FAILED test_023_streaming - TimeoutError")
                ]),
            Why(n: 2, question: "What behavior produced it?", answer: "the hub was closed early", confidence: 0.9),
            Why(n: 5, question: "Why did nothing catch it earlier?", answer: "unknown", confidence: 0),
        ],
        ruledOut: [RuledOut(category: .environmentDown, because: "41ab7d0 passes 3/3 now, 20 minutes later")])

    static let incident = Incident(
        id: "INC-57", signature: "timeout|stream_partial", title: "streaming chat times out",
        tests: ["authentication::test_023_streaming"], suites: ["authentication"], firstSeen: time("02:41:21"),
        firstCycle: 214, diagnosis: diagnosis)

    static var suites: [SuiteRecord] {
        [
            SuiteRecord(
                name: "websocket", priority: 0, blocking: true, value: 80_000, status: .passed,
                totals: totals(passed: 5), authenticity: Authenticity(status: .proven), durationSeconds: 8.4),
            SuiteRecord(
                name: "authentication", priority: 0, blocking: true, value: 120_000, status: .failed,
                totals: totals(passed: 24, timedOut: 1), notPassed: [streamingTest],
                authenticity: Authenticity(status: .proven), durationSeconds: 78),
            SuiteRecord(
                name: "exports", priority: 1, blocking: true, value: 40_000, status: .notRun,
                because: "rule fail-fast (P0 failing)"),
        ]
    }

    /// Cycle 214: failing, rolled back.
    static var failing: CycleRecord {
        CycleRecord(
            loop: "staging", cycle: 214, mode: .operate, startedAt: time("02:31:07"), endedAt: time("03:13:41"),
            durationSeconds: 2554, trigger: .revision,
            revision: RevisionRecord(
                wanted: wanted, subject: "Pool the stream hub", author: "Ann", ref: "main", live: wanted,
                previous: green, lastGreen: green),
            verdict: .failing, recommendation: .hold,
            reasons: [
                Reason(
                    rule: "authenticity-learning", verdict: .healthy, text: "soft rules still learn, baseline 2/5",
                    subject: "exports"),
                Reason(
                    rule: "suite-failed", verdict: .failing, text: "P0 authentication: 1 of 25 tests failed, blocking",
                    subject: "authentication", evidence: "test-1-authentication/tests.jsonl"),
            ],
            value: ValueRecord(unit: "USD/month", total: 240_000, protected: 80_000, atRisk: 160_000),
            stages: [
                stage(.deploy, .cycle, .succeeded, "exit 0, 7m45s < 30m", seconds: 465),
                stage(.stabilize, .cycle, .succeeded, "7/7 good for 31s >= 30s; live 9f3c1e2 = wanted", seconds: 39),
                stage(.test, .cycle, .succeeded, "5/5", seconds: 8.4, subject: "websocket"),
                stage(
                    .test, .cycle, .failed, "24/25", seconds: 78, subject: "authentication", limit: "testTimeout 30s"),
                stage(.test, .rerun, .failed, "3/3 fail", seconds: 95, subject: "authentication"),
                stage(.deploy, .rollback, .succeeded, "exit 0", seconds: 478, revision: green),
            ],
            suites: suites,
            capabilities: [
                CapabilityRecord(
                    name: "streaming chat", suite: "authentication", value: 120_000, status: .failed,
                    totals: totals(timedOut: 1))
            ],
            incidents: [incident],
            experiments: [
                ExperimentRecord(
                    experiment: Experiment(
                        number: 1, kind: .baseline, question: "Does it pass on the last green revision now?",
                        revision: green, tests: [], times: 3), result: "passes 3/3")
            ],
            actions: [
                ActionRecord(
                    kind: .rollback, name: green.id, outcome: .succeeded, because: "proven culprit, 1 of 1 for INC-57")
            ],
            environment: EnvironmentRecord(
                serving: green,
                services: [ServiceState(name: "backend", wanted: green, live: green, trafficPercent: 100)],
                state: .restored), writtenBy: "nightjar 0.1.0", settingsHash: "5e1f")
    }

    /// Cycle 213: everything passes.
    static var healthy: CycleRecord {
        var record = failing
        record.cycle = 213
        (record.verdict, record.recommendation) = (.healthy, .ship)
        record.reasons = []
        record.revision = RevisionRecord(
            wanted: green, subject: "Name the hub", author: "Bo", ref: "main", live: green, lastGreen: green)
        record.stages = Array(record.stages.prefix(3))
        record.suites = [suites[0]]
        record.value = ValueRecord(unit: "USD/month", total: 80_000, protected: 80_000, atRisk: 0)
        (record.capabilities, record.incidents, record.experiments, record.actions) = ([], [], [], [])
        record.environment = EnvironmentRecord(serving: green, state: .asWanted)
        (record.startedAt, record.endedAt, record.durationSeconds) = (time("02:08:00"), time("02:20:00"), 720)
        return record
    }

    /// Twenty cycles as the strip of the design has them.
    static var briefs: [CycleBrief] {
        Array("++++++++++++++f+++?R").enumerated().map { index, symbol in
            let verdict: Verdict = symbol == "?" ? .unproven : symbol == "R" ? .failing : .healthy
            var totals = totals(passed: verdict == .failing ? 41 : 42, failed: verdict == .failing ? 1 : 0)
            if symbol == "f" { totals.add(.flaky) }
            let start = Timestamp(milliseconds: time("02:41:00").milliseconds - Int64(19 - index) * 1_200_000)
            return CycleBrief(
                cycle: 195 + index, startedAt: start, endedAt: start + .seconds(700), durationSeconds: 700,
                verdict: verdict, recommendation: verdict == .healthy ? .ship : .hold,
                revision: verdict == .failing ? wanted : green, trigger: .schedule, totals: totals,
                incidents: verdict == .failing ? ["INC-57"] : [], valueAtRisk: verdict == .failing ? 160_000 : 0,
                because: verdict == .healthy
                    ? nil
                    : verdict == .failing
                        ? "P0 authentication: 1 of 25 tests failed, blocking"
                        : "live revision not readable in 3 of 20 answers")
        }
    }

    static var status: StatusSnapshot {
        var status = StatusSnapshot(
            loop: "staging", at: time("03:23:00"), light: .red,
            doing: .init(.waiting, text: "waiting for a revision newer than 9f3c1e2", next: time("03:33:00")),
            daemon: .init(
                alive: true, pid: 4711, host: "nj1", version: "0.1.0",
                startedAt: time("03:00:00", day: "2026-11-09"), lastEventAt: time("03:22:52"), diskUsedPercent: 61),
            servingState: "green, restored 03:13Z")
        status.mode = .operate
        status.lightSince = time("02:41:00")
        (status.verdict, status.recommendation) = (.failing, .hold)
        (status.revision, status.serving) = (wanted, green)
        status.window = WindowChanged(isOpen: true, until: time("05:00:00"))
        status.windowEndsLocal = "06:00 Berlin"
        status.incidents = [
            .init(
                id: "INC-57", priority: 0, value: 120_000, title: "streaming chat times out", tests: 1,
                cause: "proven: 9f3c1e2 messages.py", acknowledged: false)
        ]
        status.last = briefs
        (status.lastGreenCycle, status.lastGreenAt) = (213, time("02:20:00"))
        status.budgets = [
            .init("rollbacks", used: 1, limit: 1), .init("deploys", used: 4, limit: 12, scope: "tonight"),
        ]
        status.quarantine = [
            QuarantineEntry(test: "*test_041*", owner: "chat-team", reason: "races", until: "2026-11-27")
        ]
        return status
    }
}
