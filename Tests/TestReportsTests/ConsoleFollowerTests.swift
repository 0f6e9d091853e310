// SPDX-License-Identifier: Apache-2.0
// What followers see on the consoles of test tools.

import Domain
import TestReports
import Testing

struct ConsoleFollowerTests {
    private func follow(_ format: ConsoleFormat, _ chunks: [String]) throws -> [ConsoleEvent] {
        var follower = try #require(consoleFollower(for: format))
        var events: [ConsoleEvent] = []
        for chunk in chunks { events += follower.consume(Array(chunk.utf8)[...]) }
        return events + follower.finish()
    }

    private func ended(_ name: String, _ outcome: TestOutcome, _ seconds: Double? = nil) -> ConsoleEvent {
        .ended(name: name, outcome: outcome, seconds: seconds)
    }

    @Test func `a pytest test is known before it ends`() throws {
        var follower = try #require(consoleFollower(for: .pytest))
        let head = "collecting ... collected 2 items\n\ntests/test_x.py::TestC::test_y[b c] "
        #expect(
            follower.consume(Array(head.utf8)[...]) == [
                .collected(count: 2), .started(name: "tests/test_x.py::TestC::test_y[b c]"),
            ])
        #expect(
            follower.consume(Array("\u{1B}[32mPASSED\u{1B}[0m\u{1B}[32m         [ 50%]\u{1B}[0m\n".utf8)[...]) == [
                ended("tests/test_x.py::TestC::test_y[b c]", .passed)
            ])
    }

    @Test(arguments: ["", "\u{1B}[32m"])
    func `a pytest test whose line is still open runs its teardown`(color: String) throws {
        var follower = try #require(consoleFollower(for: .pytest))
        let line = "a.py::test_one \(color)PASSED\(color)       [100%]\(color)"
        #expect(follower.consume(Array(line.utf8)[...]) == [.started(name: "a.py::test_one")])
        #expect(follower.consume([10]) == [ended("a.py::test_one", .passed)])
    }

    @Test func `every outcome of pytest is read`() throws {
        let words: [(String, TestOutcome)] = [
            ("PASSED", .passed), ("FAILED", .failed), ("ERROR", .errored), ("SKIPPED (why [not])", .skipped),
            ("XFAIL (a)", .skipped), ("XPASS", .passed),
        ]
        for (word, outcome) in words {
            for name in ["a.py::t", "a.py::t[x-1]", "a.py::t[b c]", "a.py::t[d::e/f]"] {
                for tail in ["", "     [ 12%]"] {
                    let events = try follow(.pytest, ["\(name) \(word)\(tail)\n"])
                    #expect(events == [.started(name: name), ended(name, outcome)], "\(name) \(word)\(tail)")
                }
            }
        }
    }

    @Test func `a rerun of pytest is not its end`() throws {
        let events = try follow(.pytest, ["a.py::t RERUN [ 50%]\na.py::t ", "PASSED [ 50%]\n"])
        #expect(events == [.started(name: "a.py::t"), .started(name: "a.py::t"), ended("a.py::t", .passed)])
    }

    @Test func `a pytest test may print before its outcome`() throws {
        let events = try follow(
            .pytest, ["a.py::t noise\nmore\nPASSED [100%]\n", "=== FAILURES ===\nFAILED a.py::t - x\n"])
        #expect(events == [.started(name: "a.py::t"), ended("a.py::t", .passed)])
    }

    @Test func `workers of pytest are followed`() throws {
        let text =
            "2 workers [3 items]\na.py::t[x] \na.py::u \n[gw1] [ 33%] FAILED a.py::u \n[gw0] [ 66%] PASSED a.py::t[x] \n"
        #expect(
            try follow(.pytest, [text]) == [
                .collected(count: 3), .started(name: "a.py::t[x]"), .started(name: "a.py::u"),
                ended("a.py::u", .failed),
                ended("a.py::t[x]", .passed),
            ])
    }

    @Test func `selected tests of pytest are what will run, and dots are nothing`() throws {
        #expect(
            try follow(.pytest, ["collected 5 items / 2 deselected / 3 selected\n", "a.py ..F.   [100%]\n"]) == [
                .collected(count: 3)
            ])
    }

    @Test func `Swift Testing and XCTest are followed`() throws {
        let text = """
            \u{25C7} Test run started.
            \u{25C7} Suite S started.
            \u{25C7} Test foo() started.
            \u{25C7} Test case passing 1 argument x \u{2192} 1 to bar(_:) started.
            \u{2714} Test foo() passed after 0.001 seconds.
            \u{25C7} Test "a "torn" tail is cut" started.
            \u{2718} Test "a "torn" tail is cut" recorded an issue at A.swift:1:2: failed after 3 seconds
            \u{2718} Test "a "torn" tail is cut" failed after 0.2 seconds with 1 issue.
            \u{2714} Test bar(_:) with 2 test cases passed after 1.5 seconds.
            \u{279C} Test baz() skipped: "no disk"
            \u{2714} Test run with 3 tests in 1 suite passed after 2 seconds.
            Test Case 'M.C.testA' started at 2026-01-01 00:00:00.000
            Test Case 'M.C.testA' failed (0.25 seconds)
            """
        let torn = "a \"torn\" tail is cut"
        #expect(
            try follow(.swiftTesting, [text]) == [
                .started(name: "foo()"), ended("foo()", .passed, 0.001), .started(name: torn),
                ended(torn, .failed, 0.2),
                ended("bar(_:)", .passed, 1.5), ended("baz()", .skipped), .started(name: "M.C.testA"),
                ended("M.C.testA", .failed, 0.25),
            ])
    }

    @Test func `go test and TAP are followed`() throws {
        let go =
            "noise\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T\"}\n{\"Action\":\"skip\",\"Package\":\"p\",\"Test\":\"T\",\"Elapsed\":1}"
        #expect(try follow(.goTestJSON, [go]) == [.started(name: "p::T"), ended("p::T", .skipped, 1)])
        let tap = "1..2\n# Subtest: a\n    ok 1 - inner\nok 1 - a\nnot ok 2 # time=1s"
        #expect(
            try follow(.tap, [tap]) == [
                .collected(count: 2), .started(name: "a"), ended("a", .passed), ended("test 2", .failed, 1),
            ])
    }

    @Test func `an endless line costs no memory and the next line is read`() throws {
        var follower = try #require(consoleFollower(for: .pytest))
        for _ in 0..<100 { #expect(follower.consume([UInt8](repeating: 0x78, count: 100_000)[...]).isEmpty) }
        #expect(follower.consume(Array("\na.py::t ".utf8)[...]) == [.started(name: "a.py::t")])
    }
}
