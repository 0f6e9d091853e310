// SPDX-License-Identifier: Apache-2.0
// CTRF, go test -json, TAP and the JSON parser beneath.

import Domain
import TestReports
import Testing

struct OtherFormatTests {
    private func lines(_ text: String) -> [UInt8] { Array(text.utf8) }

    // MARK: JSON

    @Test func `JSON values are read`() throws {
        let value = try JSONValue.parse(
            lines(" {\"a\": [1, -2.5e1, true, null, \"\\u00e4\\ud83d\\ude00\\n\"], \"b\": {}} "))
        #expect(value["a"]?.elements?.count == 5)
        #expect(value["a"]?.elements?[1].number == -25)
        #expect(value["a"]?.elements?[4].text == "\u{e4}\u{1F600}\n")
    }

    @Test(arguments: [
        "", "{", "{\"a\":}", "[1,]", "tru", "\"a", "1 2", "{\"a\" 1}", "\"\\x\"", "\"\\u12\"", "1e999", "--1",
    ])
    func `broken JSON is refused`(text: String) {
        #expect(throws: JSONProblem.self) { try JSONValue.parse(lines(text)) }
    }

    @Test func `deep JSON is refused`() {
        #expect(throws: JSONProblem.self) { try JSONValue.parse([UInt8](repeating: UInt8(ascii: "["), count: 100_000)) }
    }

    // MARK: CTRF

    @Test func `a CTRF report is read`() throws {
        let reading = try CTRFReader.read(
            lines(
                """
                {"results": {"summary": {"tests": 5, "passed": 2}, "tests": [
                {"name": "a", "status": "passed", "duration": 1500},
                {"name": "b", "status": "passed", "flaky": true, "retries": 2, "suite": ["x", "y"]},
                {"name": "c", "status": "failed", "message": "m", "trace": "t", "filePath": "f", "line": 3},
                {"name": "d", "status": "other", "rawStatus": "crashed"}, {"name": "e", "status": "pending"}]}}
                """))
        #expect(reading.results.map(\.outcome) == [.passed, .flaky, .failed, .errored, .skipped])
        #expect(reading.results.map(\.id) == ["a", "x > y::b", "c", "d", "e"])
        #expect(reading.results[0].durationSeconds == 1.5)
        #expect(reading.results[2].details == "t")
        #expect(reading.disagreements.isEmpty)
    }

    @Test(arguments: [
        "", "{}", "{\"results\":{\"tests\":[{\"name\":\"a\"}]}}",
        "{\"results\":{\"tests\":[{\"name\":\"a\",\"status\":\"great\"}]}}", "{\"results\":",
    ])
    func `a broken CTRF report is damage`(text: String) {
        #expect(throws: ReportDamage.self) { try CTRFReader.read(lines(text)) }
    }

    // MARK: go test -json

    @Test func `an unfinished Go test is a failure`() throws {
        let reading = try GoTestJSONReader.read(
            lines(
                """
                # build chatter
                {"Action":"run","Package":"p","Test":"TestA"}
                {"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: bad\\n"}
                {"Action":"run","Package":"p","Test":"TestB"}
                {"Action":"fail","Package":"p","Test":"TestA","Elapsed":0.5}
                {"Action":"fail","Package":"p","Elapsed":1}
                """))
        #expect(reading.results.map(\.outcome) == [.failed, .errored])
        #expect(reading.results.map(\.id) == ["p::TestA", "p::TestB"])
        #expect(reading.results[0].message == "a_test.go:3: bad")
        #expect(reading.results[0].durationSeconds == 0.5)
        #expect(reading.suiteProblems.isEmpty)
        #expect(reading.notes == ["1 lines were no JSON"])
    }

    @Test func `a Go package that fails or vanishes without a failed test is not green`() throws {
        let passed =
            "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\"}\n"
        let failed = try GoTestJSONReader.read(lines(passed + "{\"Action\":\"fail\",\"Package\":\"p\"}\n"))
        #expect(failed.suiteProblems == ["package p failed without a failed test"])
        #expect(!failed.isGreen)
        #expect(try !GoTestJSONReader.read(lines(passed)).isGreen)
        #expect(try GoTestJSONReader.read(lines(passed + "{\"Action\":\"pass\",\"Package\":\"p\"}")).isGreen)
        #expect(throws: ReportDamage.self) { try GoTestJSONReader.read(lines("panic\n")) }
    }

    @Test func `a Go test that failed and passed is flaky`() throws {
        var text = ""
        for action in ["run", "fail", "run", "pass"] {
            text += "{\"Action\":\"\(action)\",\"Package\":\"p\",\"Test\":\"T\"}\n"
        }
        let reading = try GoTestJSONReader.read(lines(text + "{\"Action\":\"pass\",\"Package\":\"p\"}"))
        #expect(reading.results.map(\.outcome) == [.flaky])
        #expect(reading.results.map(\.retries) == [1])
    }

    // MARK: TAP

    @Test func `TAP points, directives and subtests are read`() throws {
        let reading = try TAPReader.read(
            lines(
                """
                TAP version 14
                1..5
                ok 1 - plain # time=12ms
                # Subtest: parent
                    ok 1 - child
                    not ok 2 - other \\# child
                      ---
                      message: 'why'
                      duration_ms: 250
                      ok 9 - no point
                      ...
                    1..2
                not ok 2 - parent
                ok 3 # SKIP no network
                not ok 4 - later # TODO not yet
                okay then
                ok 5 - block {
                    ok 1 - inner
                }
                """))
        #expect(
            reading.results.map(\.id) == [
                "plain", "parent > child", "parent > other # child", "parent", "test 3", "later", "block",
                "block > inner",
            ])
        #expect(
            reading.results.map(\.outcome) == [
                .passed, .passed, .failed, .failed, .skipped, .skipped, .passed, .passed,
            ])
        #expect(reading.results[0].durationSeconds == 0.012)
        #expect(reading.results[2].durationSeconds == 0.25)
        #expect(reading.results[2].details?.contains("why") == true)
        #expect(reading.results[5].message == "todo: not yet")
        #expect(reading.suiteProblems.isEmpty)
    }

    @Test(arguments: [
        ("1..2\nok 1\n", "the report: planned 2, ran 1"),
        ("ok 1\n", "the report has no plan: it may have been cut off"),
        ("1..1\nok 1\nBail out! disk full\n", "bailed out: disk full"),
        ("1..2\nok 1\nok 1\n", "the report: number 1 twice"),
        ("ok 1\n1..2\nok 2\n", "the report: \"test 2\" came after the closing plan"),
        ("1..1\n    1..2\n    ok 1\nok 1 - p\n", "subtest \"p\": planned 2, ran 1"),
    ])
    func `a TAP stream that is not whole is not green`(text: String, problem: String) throws {
        let reading = try TAPReader.read(lines(text))
        #expect(reading.suiteProblems == [problem])
        #expect(!reading.isGreen)
    }

    @Test func `TAP in single bytes reads the same`() throws {
        let text = lines("1..2\nok 1 - a\nnot ok 2 - b\n  ---\n  x: y\n  ...\n")
        var reader = TAPReader()
        for index in text.indices { try reader.push(text[index...index]) }
        #expect(try reader.finish() == TAPReader.read(text))
        #expect(throws: ReportDamage.self) { try TAPReader.read(lines("no tap here\n")) }
    }
}
