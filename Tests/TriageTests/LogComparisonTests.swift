// SPDX-License-Identifier: Apache-2.0
// What counts as new or grown between two logs, and which line of one log is taken for the cause.

import Domain
import Testing

@testable import Triage

private func profile(_ text: String, known: [LogTemplate] = []) -> LogProfile {
    let miner = LogMiner(known: known)
    miner.begin(file: "console.log", source: "stage")
    miner.take(Array(text.utf8))
    return miner.finish()
}

private func changes(_ now: String, since before: String, _ context: LogContext = LogContext()) -> [LogChange] {
    let green = profile(before)
    return LogComparison.changes(profile(now, known: green.templates), before: green, context: context)
}

private func traffic(_ rounds: Int) -> String {
    (0..<rounds).map { "INFO GET /a \($0)\nINFO POST to b \($0) done\nINFO tick of clock \($0)\nDEBUG cache\n" }
        .joined()
}

@Suite struct LogComparisonTests {
    @Test func `twice as many requests are no finding`() {
        #expect(changes(traffic(200), since: traffic(100)).isEmpty)
        #expect(changes(traffic(7), since: traffic(300)).isEmpty)
    }

    @Test func `a kind that grows out of proportion is found, beside more traffic`() {
        let found = changes(
            traffic(200) + String(repeating: "INFO SELECT one row\n", count: 900),
            since: traffic(100) + String(repeating: "INFO SELECT one row\n", count: 100))
        #expect(found.map(\.template.template) == ["INFO SELECT one row"])
        #expect(found.first?.kind == .grown)
        #expect(found.first?.expected == 200)
    }

    @Test func `a rare kind that came twice instead of once is no finding`() {
        #expect(changes(traffic(100) + "WARN slow\nWARN slow\n", since: traffic(100) + "WARN slow\n").isEmpty)
    }

    @Test func `new errors come before new words, and an exception before both`() {
        let found = changes(
            traffic(50) + "INFO something new\nERROR thing lost\nERROR other\nValueError: bad\n",
            since: traffic(50) + "ERROR known\n")
        #expect(
            found.map(\.template.text) == ["ERROR other: ValueError: bad", "ERROR thing lost", "INFO something new"])
        #expect(found.allSatisfy { $0.kind == .new })
    }

    @Test func `words of the failing test and its time raise a line`() {
        let now = """
            2026-11-21T04:00:00.000Z ERROR no column topic
            2026-11-21T04:00:00.000Z ERROR no space here
            2026-11-21T04:10:00.000Z ERROR gone away
            """
        let context = LogContext(about: ["test_topic_is_kept"], window: nil)
        #expect(changes(now, since: traffic(3), context).first?.template.template == "ERROR no column topic")
        let late = LogContext(window: 1_795_234_100_000...1_795_300_000_000)
        #expect(changes(now, since: traffic(3), late).first?.template.template == "ERROR gone away")
    }

    @Test func `a kind that is missing in a part of the tests is told only where it is bad`() {
        let green = profile(traffic(5))
        let now = profile(
            traffic(5) + "INFO GET /other\nWARN low\nINFO GET /x status=401\n", known: green.templates)
        let found = LogComparison.changes(now, before: green, isPart: true)
        #expect(found.map(\.template.template) == ["WARN low", "INFO GET /x status=401"])
        #expect(LogComparison.changes(now, before: green).count == 3)
    }

    @Test func `without a green log only what is bad by itself is told`() {
        let found = LogComparison.changes(profile(traffic(9) + "ERROR lost\nWARN low\n"), before: nil)
        #expect(found.map(\.template.template) == ["ERROR lost", "WARN low"])
        #expect(found.allSatisfy { $0.kind == .bad && $0.template.countBefore == nil })
    }

    @Test func `the bound is never below the exact probability`() {
        // P(X >= k) of a binomial distribution, by summing.
        func exact(_ k: Int, _ n: Int, _ p: Double) -> Double {
            var (term, sum) = (1.0, 0.0)
            for _ in 0..<n { term *= 1 - p }
            for x in 0...n {
                if x >= k { sum += term }
                term *= Double(n - x) / Double(x + 1) * p / (1 - p)
            }
            return sum
        }
        for (now, before) in [(3, 1), (10, 2), (40, 20), (9, 9), (30, 1)] {
            let bound = LogComparison.tail(now, before, 1)
            #expect(bound >= exact(now, now + before, 0.5) * 0.999_999)
            #expect(bound <= 1)
        }
        #expect(LogComparison.tail(30, 1, 1) < 1e-6)
    }
}

@Suite struct CauseLineTests {
    private func best(_ log: String) -> String? { CauseLines.rank(Array(log.utf8)).first?.text }

    @Test func `the error is chosen over the end that it led to`() {
        #expect(
            best(
                """
                + make all
                cc -c store.c
                store.c:12:3: error: unknown type name 'topic_t'
                make: *** [store.o] Error 1
                Process completed with exit code 2.
                Post job cleanup.
                ERROR: nothing to clean up
                """) == "store.c:12:3: error: unknown type name 'topic_t'")
    }

    @Test func `of a traceback its last line is chosen`() {
        #expect(
            best(
                """
                Traceback (most recent call last):
                  File "run.py", line 3, in <module>
                    raise RuntimeError("no error here")
                RuntimeError: queue is full
                exit status 1
                """) == "RuntimeError: queue is full")
    }

    @Test func `of an error that is tried again its last time is chosen`() {
        let ranked = CauseLines.rank(
            Array(
                """
                fatal: couldn't find remote ref a
                Waiting 10 seconds before trying again
                fatal: couldn't find remote ref a
                The process failed with exit code 128
                """.utf8))
        #expect(ranked.first?.line == 3)
    }

    @Test func `a log without anything bad has no cause`() {
        #expect(CauseLines.rank(Array("all 12 tests passed\n0 errors\ndone\n".utf8)).isEmpty)
        #expect(CauseLines.rank([]).isEmpty)
    }

    @Test func `what a passing log says as well explains little`() {
        let usual = "ERROR: cannot load optional plugin\n"
        let miner = LogMiner(groupsEvents: false)
        miner.begin(file: "", source: "")
        miner.take(Array(usual.utf8))
        let ranked = CauseLines.rank(
            Array((usual + "step\nstep\nstep\nstep\nERROR: lost\n").utf8), passing: miner.finish())
        #expect(ranked.first?.text == "ERROR: lost")
    }

    @Test func `just what is new and bad is kept of a failing log, with its frames`() {
        let kept = LogDifference.telling(
            Array("INFO a\nERROR known 2\nINFO b\nERROR new\n\tat x.Y(Y.java:1)\nINFO other\n".utf8),
            passing: Array("INFO a\nERROR known 1\nINFO b\n".utf8))
        #expect(kept == [4...5])
    }
}
