// SPDX-License-Identifier: Apache-2.0
// The tables of `nightjar flakes` as they stand, and the one line of advice.

import Domain
import Reporting
import Testing

@Suite struct FlakesTextTests {
    private static func rate(_ failures: Int, _ runs: Int, _ low: Double, _ high: Double) -> RateFigures {
        RateFigures(
            failures: failures, runs: runs, estimate: runs == 0 ? 0 : Double(failures) / Double(runs), low: low,
            high: high)
    }

    private static let entry = QuarantineEntry(
        test: "*test_023*", owner: "chat-team", reason: "race in the reader", until: "2026-12-31")

    private static let rising = FlakeRow(
        suite: "chat", test: "tests.e2e.test_chat.TestStreaming::test_partial_results_arrive_before_the_end[websocket]",
        flakeRate: rate(21, 412, 0.0336, 0.0768), recentRate: rate(9, 50, 0.0977, 0.308), runs: 466, failures: 31,
        explainedFailures: 6, repeatedRevisions: 88, mixedRevisions: 17, trend: .rising, firstCycle: 3,
        lastFlakeCycle: 1180, lastFailedCycle: 1180, lastPassed: Revision("9e1b7a3300000000000000000000000000000abc"),
        passesInARow: 4, usualSeconds: 2.3)
    private static let muted = FlakeRow(
        suite: "chat", test: "tests.e2e::test_023", flakeRate: rate(3, 400, 0.0026, 0.0218),
        recentRate: rate(0, 50, 0, 0.0713), runs: 410, failures: 3, repeatedRevisions: 80, mixedRevisions: 2,
        trend: .steady, lastFlakeCycle: 700, passesInARow: 210, quarantine: entry)
    private static let new = FlakeRow(
        suite: "chat", test: "tests.e2e::test_\u{1B}[31mnew", flakeRate: rate(1, 4, 0.0456, 0.6994),
        recentRate: rate(1, 4, 0.0456, 0.6994), runs: 6, failures: 1, repeatedRevisions: 1, mixedRevisions: 1,
        lastFlakeCycle: 1181, passesInARow: 1)
    private static let report = FlakesReport(
        loop: "staging", suites: ["authentication", "chat"], firstCycle: 3, lastCycle: 1184, suiteRuns: 2512,
        tests: [new, rising, muted], unlisted: 2, failedWithCause: 14, neverFailed: 812)

    @Test func `flaky tests at 80 and 200 columns`() {
        Snapshot.expect(FlakesText.text(Self.report), "flakes-80.txt")
        Snapshot.expect(FlakesText.text(Self.report, columns: 200), "flakes-200.txt")
    }

    @Test func `no line is wider than the terminal`() {
        for columns in [40, 80, 120, 140, 200] {
            let text = FlakesText.text(Self.report, columns: columns)
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= columns || columns == 40 }, "\(columns)")
            #expect(!text.contains("\u{1B}"))
        }
    }

    @Test func `a loop without a history says so`() {
        var empty = Self.report
        (empty.firstCycle, empty.lastCycle, empty.tests) = (nil, nil, [])
        #expect(FlakesText.text(empty) == "loop 'staging' has no history of tests there yet\n")
    }

    @Test func `nothing flaky is said in words`() {
        var calm = Self.report
        (calm.tests, calm.unlisted, calm.failedWithCause) = ([], 0, 0)
        let text = FlakesText.text(calm)
        #expect(text.contains("no test both passed and failed on one revision"))
        #expect(text.contains("812 tests never failed"))
    }

    @Test func `the past of one test`() {
        let outcomes: [TestOutcome] = [.passed, .passed, .failed, .flaky, .skipped, .timedOut, .passed, .notRun]
        let runs = (0..<180).map { index in
            PastRun(
                cycle: 900 + index / 2, purpose: index % 7 == 3 ? .rerun : .cycle, outcome: outcomes[index % 8],
                counts: index % 50 != 49, isExplained: false)
        }
        let past = TestPast(
            figures: Self.rising, runs: runs, lastMessage: "expected 3 parts\u{1B}[2J, got 2", lastMessageCycle: 1180)
        Snapshot.expect(past.text(), "flakes-test-80.txt")
        Snapshot.expect(past.text(columns: 200), "flakes-test-200.txt")
    }

    @Test func `the advice follows from the figures`() {
        #expect(Self.muted.advice.hasPrefix("quarantined by chat-team and has passed 210 times in a row"))
        #expect(Self.rising.advice.hasPrefix("getting worse (18% of the newest 50)"))
        // ln 0.05 / ln (1 - 21/412) = 57.3
        #expect(Self.rising.advice.hasSuffix("a fix must pass 58 times in a row to count (95 %)"))
        #expect(Self.new.advice == "passes and fails on one revision; 4 runs are too few for a rate")
        let steady = FlakeRow(
            suite: "s", test: "t", flakeRate: Self.rate(0, 30, 0, 0.11), recentRate: Self.rate(0, 30, 0, 0.11),
            runs: 40,
            failures: 8)
        #expect(steady.advice == "no flake: it failed only on revisions on which it never passed")
    }
}
