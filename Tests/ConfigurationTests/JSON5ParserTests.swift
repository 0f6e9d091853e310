// SPDX-License-Identifier: Apache-2.0
// The JSON5 reader: what it accepts, what it refuses, where, and that it goes on after a mistake.

import Testing

@testable import Configuration

struct JSON5ParserTests {
    private func json(_ text: String) -> String? {
        if case .value(let value) = JSON5Parser.parse(Array(text.utf8)) { value.jsonText } else { nil }
    }

    private func problems(_ text: String) -> [String] {
        guard case .problems(let problems) = JSON5Parser.parse(Array(text.utf8)) else { return [] }
        return problems.map { problem in
            "\(problem.position.line):\(problem.position.column) found \(problem.found), expected \(problem.expected)"
                + (problem.hint.map { "; \($0)" } ?? "")
        }
    }

    @Test(arguments: [
        ("// c\n{ a: 1, /* x\n */ 'b': [true, false, null,], \"c\": {}, }", #"{"a":1,"b":[true,false,null],"c":{}}"#),
        ("[0x1F, -0xa, +1, .5, 5., 1e3, -0, 1.25E-2]", "[31,-10,1,0.5,5,1000,0,0.0125]"),
        (
            "['it\\'s', \"a\\\nb\", 'a\\\r\nb', '\\x41\\u00e4\\uD83D\\uDE00', '\\q', \"'\"]",
            #"["it's","ab","ab","Aä😀","q","'"]"#
        ),
        ("{ $a_1: 1, ärger: 2, null: 3 }", #"{"$a_1":1,"ärger":2,"null":3}"#),
        ("\u{feff}\u{a0}\u{2028}{}\u{0b}\u{0c}", "{}"), ("'\\t\\u202e'", #""\t\u202e""#),
        ("9223372036854775807", "9223372036854775807"), ("\"tab\there\"", #""tab\there""#),
    ])
    func `what JSON5 allows is read`(text: String, expected: String) {
        #expect(json(text) == expected)
    }

    @Test(arguments: [
        ("", "1:1 found end of file, expected a value"),
        ("{ a: 1 } x", "1:10 found \"x\", expected end of file"),
        ("{ a: Infinity }", "1:6 found Infinity, expected a finite number"),
        ("[-Infinity]", "1:2 found -Infinity, expected a finite number"),
        ("[+NaN]", "1:2 found +NaN, expected a finite number"), ("[1e999]", "1:2 found 1e999, expected a number"),
        ("[010]", "1:2 found 010, expected a number"), ("[1.2.3]", "1:2 found 1.2.3, expected a number"),
        ("[0x]", "1:2 found 0x, expected a number; put quotes around it: \"0x\""),
        ("[30s]", "1:2 found 30s, expected a number; put quotes around it: \"30s\""),
        ("[hello]", "1:2 found a word without quotes, expected a value; put quotes around text"),
        (
            "{\n  restart-it: 1 }",
            "2:10 found '-', expected ':' after the key \"restart\"; put quotes around a key with '-'"
        ),
        ("{ a: 1\n  b: 2 }", "2:3 found \"b\", expected ',' or '}'"),
        ("{ a: 1,\n\n  a: 2 }", "3:3 found the key \"a\" twice, expected each key once; the first stands in line 1"),
        ("# c\n{}", "1:1 found '#', expected a value; a comment begins with //"),
        ("[1, 2", "1:6 found end of file, expected ']' for the '[' of line 1"),
        (
            "{ a: 'x\n }",
            "1:6 found a string without end, expected the closing quote before the line ends; a line is continued with \\ at its end"
        ),
        ("['\\u0000']", "1:3 found a broken escape, expected \\u and four hexadecimal digits of a character from 1 on"),
        (
            "['\\uD800x']",
            "1:3 found a broken escape, expected \\u and four hexadecimal digits of a character from 1 on"
        ),
        ("['\\0']", "1:3 found a NUL character, expected \\xHH or \\uHHHH of a character from 1 on"),
        ("/* x", "1:1 found a comment without end, expected '*/' after the '/*'"),
        ("[1,,2]", "1:4 found ',', expected a value"),
        ("['ä€😀', ?]", "1:9 found '?', expected a value"), ("{ a: 1 ]", "1:8 found ']', expected ',' or '}'"),
    ])
    func `what is wrong is told with place and expectation`(text: String, expected: String) {
        #expect(problems(text).first == expected, "\(problems(text))")
    }

    @Test func `reading goes on after a mistake`() {
        let text = """
            {
              a: [1 2, 3],
              b: { c: ?, d: 010, }
              e: yes,
              "f" 1,
              g: 1,
              g: 2,
              h: 'open
            }
            """
        #expect(
            problems(text).map { $0.prefix { $0 != " " } } == [
                "2:9", "3:11", "3:17", "4:3", "4:6", "5:7", "7:3", "8:6",
            ])
    }

    @Test func `broken UTF-8, depth and flood are bounded`() {
        let broken: [UInt8] = Array("{ a:\n 'ä".utf8) + [0xff] + Array("' }".utf8)
        guard case .problems(let problems) = JSON5Parser.parse(broken) else {
            Issue.record("broken UTF-8 was read")
            return
        }
        #expect(problems.map(\.position) == [SourcePosition(line: 2, column: 4)])
        let deep = String(repeating: "[", count: 100_000)
        #expect(self.problems(deep) == ["1:65 found '[', expected at most 64 values within one another"])
        #expect(self.problems("[" + String(repeating: "?,", count: 10_000) + "]").count == JSON5Parser.problemLimit)
        #expect(json(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)) != nil)
    }

    @Test func `positions are those of the characters`() throws {
        let text = "{\r\n  äb: [ 'x',\r    1 ],\n\t'c': {} }"
        guard case .value(let value) = JSON5Parser.parse(Array(text.utf8)), case .object(let members) = value.kind
        else {
            Issue.record("not read")
            return
        }
        #expect(members.map(\.keyPosition) == [SourcePosition(line: 2, column: 3), SourcePosition(line: 4, column: 2)])
        #expect(
            members[0].value.elements.map(\.position)
                == [SourcePosition(line: 2, column: 9), SourcePosition(line: 3, column: 5)])
    }
}
