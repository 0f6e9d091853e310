// SPDX-License-Identifier: Apache-2.0
// Loops in the states that a page has to show, as values, with evidence on disk where a test reads it.

import Domain
import Evidence
import Foundation
import Reporting
import Synchronization

@testable import StatusServer

enum Scene {
    static let now = Timestamp("2026-11-21T03:23:00Z") ?? Timestamp(milliseconds: 0)
    static let bad = Revision("9f3c1e2a4b5c6d7e8f90a1b2c3d4e5f60718293a")
    static let green = Revision("41ab7d0c9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b")

    static func minutes(_ count: Int) -> Timestamp { now + .seconds(-60 * count) }

    static func totals(passed: Int = 0, failed: Int = 0) -> Totals {
        var totals = Totals()
        for _ in 0..<passed { totals.add(.passed) }
        for _ in 0..<failed { totals.add(.failed) }
        return totals
    }

    static func brief(_ cycle: Int, _ verdict: Verdict, minutesAgo: Int) -> CycleBrief {
        let isGood = verdict == .healthy
        return CycleBrief(
            cycle: cycle, startedAt: minutes(minutesAgo + 5), endedAt: minutes(minutesAgo), durationSeconds: 300,
            verdict: verdict, recommendation: isGood ? .ship : .hold, revision: isGood ? green : bad,
            trigger: .schedule, totals: totals(passed: 24, failed: isGood ? 0 : 1), incidents: isGood ? [] : ["INC-57"])
    }

    static func diagnosis(_ words: String) -> Diagnosis {
        Diagnosis(
            category: .codeRegression, component: "messages", summary: words, grade: .proven,
            culprit: Culprit(commit: bad, subject: words, author: words, files: ["messages.py"], probability: 0.998),
            recommendedAction: .rollback,
            whys: [
                Why(
                    n: 1, question: "What failed?", answer: words, confidence: 1,
                    evidence: [
                        EvidenceReference(path: "test-1-chat/console.log", lines: [12, 14], excerpt: words)
                    ]),
                Why(n: 5, question: "Why did nothing catch it earlier?", answer: "unknown", confidence: 0),
            ],
            ruledOut: [RuledOut(category: .environmentDown, because: "41ab7d0 passes 3/3 now")])
    }

    static func incident(_ words: String = "streaming chat times out") -> Incident {
        Incident(
            id: "INC-57", signature: "s", title: words, tests: ["chat::test_023"], suites: ["chat"],
            firstSeen: minutes(42), firstCycle: 214, diagnosis: diagnosis(words))
    }

    static func record(_ cycle: Int, _ verdict: Verdict, words: String = "streaming chat times out") -> CycleRecord {
        let isGood = verdict == .healthy
        let failed = TestResult(
            id: words, outcome: .failed, durationSeconds: 30, message: words, type: "TimeoutError", details: words,
            file: "tests/chat.py", line: 88)
        return CycleRecord(
            loop: "staging", cycle: cycle, mode: .operate, startedAt: minutes(47), endedAt: minutes(42),
            durationSeconds: 300, trigger: .revision,
            revision: RevisionRecord(wanted: isGood ? green : bad, subject: words, author: words, ref: "main"),
            verdict: verdict, recommendation: isGood ? .ship : .hold,
            reasons: isGood
                ? []
                : [Reason(rule: "test-failed", verdict: verdict, text: words, evidence: "test-1-chat/tests.jsonl")],
            value: ValueRecord(
                unit: "USD/month", total: 240_000, protected: isGood ? 240_000 : 80_000, atRisk: isGood ? 0 : 160_000),
            stages: [
                StageRecord(
                    run: StageRun(cycle: cycle, kind: .deploy, purpose: .cycle, attempt: 1, revision: bad),
                    outcome: .succeeded, summary: words, startedAt: minutes(47), endedAt: minutes(45),
                    durationSeconds: 120)
            ],
            suites: [
                SuiteRecord(
                    name: "chat", priority: 0, blocking: true, value: 120_000, status: isGood ? .passed : .failed,
                    totals: totals(passed: 24, failed: isGood ? 0 : 1), notPassed: isGood ? [] : [failed],
                    testsFile: "test-1-chat/tests.jsonl", authenticity: Authenticity(status: .proven),
                    durationSeconds: 78, because: isGood ? nil : words)
            ], capabilities: [], incidents: isGood ? [] : [incident(words)], experiments: [], actions: [],
            environment: EnvironmentRecord(serving: green, state: .restored), writtenBy: "test", settingsHash: "0")
    }

    /// A loop whose daemon answered ten seconds ago.
    static func reading(
        _ name: String = "staging", _ verdict: Verdict? = .healthy, words: String = "streaming chat times out"
    )
        -> LoopReading
    {
        var status = StatusSnapshot(
            loop: name, at: now, light: verdict == .healthy ? .green : verdict == .failing ? .red : .gray,
            doing: .init(.waiting, text: "waiting for a new revision", next: now + .seconds(60)),
            daemon: .init(
                alive: true, pid: 4711, host: "nj1", version: "0.1.0", startedAt: minutes(600),
                lastEventAt: minutes(1), diskUsedPercent: 61), servingState: "green")
        status.mode = .operate
        guard let verdict else { return LoopReading(status: status, lastSignOfLife: now + .seconds(-10)) }
        let cycles = [brief(213, .healthy, minutesAgo: 60), brief(214, verdict, minutesAgo: 42)]
        let record = record(214, verdict, words: words)
        status.verdict = verdict
        status.recommendation = record.recommendation
        status.revision = record.revision.wanted
        status.serving = green
        status.lightSince = minutes(42)
        status.last = cycles
        status.lastGreenCycle = 213
        status.lastGreenAt = minutes(60)
        if verdict != .healthy {
            status.incidents = [
                .init(
                    id: "INC-57", priority: 0, value: 160_000, title: words, tests: 1, cause: words,
                    acknowledged: false)
            ]
        }
        return LoopReading(
            status: status, incidents: record.incidents, record: record, cycles: cycles, evidenceBytes: 123_456,
            lastSignOfLife: now + .seconds(-10),
            log: [
                CycleLog.Entry(
                    at: minutes(42), cycle: 214, line: LogLine(verdict == .failing ? .red : .green, "verdict", words))
            ])
    }

    static func loop(_ reading: LoopReading, root: String = "/nonexistent") -> ServedLoop {
        ServedLoop(name: reading.status.loop, layout: EvidenceLayout(root: root)) { _ in reading }
    }
}

/// A loop whose state a test changes while it is served.
final class ChangingLoop: Sendable {
    private let value: Mutex<LoopReading>

    init(_ reading: LoopReading) { value = Mutex(reading) }

    func change(_ body: (inout LoopReading) -> Void) { value.withLock { body(&$0) } }

    var served: ServedLoop {
        let name = value.withLock { $0.status.loop }
        return ServedLoop(name: name, layout: EvidenceLayout(root: "/nonexistent")) { [self] _ in value.withLock { $0 }
        }
    }
}
