// SPDX-License-Identifier: Apache-2.0
// Names of tests: identity, selection, patterns.

import Domain
import TestReports
import Testing

struct NameTests {
    @Test(arguments: [
        ("tests/e2e/test_x.py::TestC::test_y[a]", "tests.e2e.test_x.TestC::test_y[a]"),
        ("test_x.py::test_y[d::e/f.py]", "test_x::test_y[d::e/f.py]"), ("test_x.py::A::B::t", "test_x.A.B::t"),
    ])
    func `a node id of pytest and the id of its report are one test`(nodeID: String, id: String) {
        #expect(TestIdentity.reportID(pytest: nodeID) == id)
        #expect(TestIdentity.pytestNodeID(reportID: id) == nodeID)
    }

    @Test func `a file settles where classes begin`() {
        let id = "tests.Web.test_x.lower::t"
        #expect(TestIdentity.pytestNodeID(reportID: id, file: "tests/Web/test_x.py") == "tests/Web/test_x.py::lower::t")
        #expect(TestIdentity.pytestNodeID(reportID: id, file: "other.py") == nil)
        #expect(TestIdentity.pytestNodeID(reportID: "t") == nil)
    }

    @Test func `collected tests end at the summary`() {
        let text = "warning: x\na.py::t\na.py::u[b c]\n\n2 tests collected in 0.66s\na.py::no\n"
        #expect(TestIdentity.collected(text, format: .pytest) == ["a.py::t", "a.py::u[b c]"])
        #expect(TestIdentity.collected(" a \n\nb\r\n", format: .none) == ["a", "b"])
    }

    @Test func `placeholders are filled`() {
        let tests = [
            Selection.Test(id: "tests.test_x::test_a[1]"), Selection.Test(id: "tests.test_x::test_a[2]"),
            Selection.Test(id: "x", selector: "b.py::test_b"), Selection.Test(id: "tests.test_x::test_a[1] #2"),
        ]
        let template = ["pytest", "{tests}", "-k", "{testNames}", "--match={testsRegex}"]
        #expect(
            Selection.arguments(template, for: tests, format: .pytest) == [
                "pytest", "tests/test_x.py::test_a[1]", "tests/test_x.py::test_a[2]", "b.py::test_b", "-k",
                "test_a or test_b",
                "--match=^(test_a|test_b)$",
            ])
        let go = [Selection.Test(id: "p::TestA/sub"), Selection.Test(id: "p::TestB.x")]
        #expect(
            Selection.arguments(["-run", "{testsRegex}"], for: go, format: .goTestJSON) == [
                "-run", "^(TestA|TestB\\.x)$",
            ])
    }

    @Test func `as many tests are selected as fit`() {
        let tests = (0..<100).map { Selection.Test(id: "p::Test\($0 + 100)") }
        let fits = { (template: [String], longest: Int, all: Int) in
            Selection.fitting(template, for: tests, format: .goTestJSON, longest: longest, all: all)
        }
        #expect(fits(["{testsRegex}"], 1000, 10_000) == 100)
        // `^(` and `)$`, and each name with a bar, but for the first.
        #expect(fits(["{testsRegex}"], 4 + 8 * 30 - 1, 10_000) == 30)
        #expect(fits(["{testsRegex}"], 4 + 8 * 30 - 2, 10_000) == 29)
        // Each argument costs nine bytes beside its own.
        #expect(fits(["{tests}"], 1000, (10 + 9) * 42) == 42)
        #expect(fits(["{tests}"], 5, 10_000) == 0)
    }

    @Test func `a name that could be taken for an option is refused where it is used`() {
        let hostile = Selection.Test(id: "--collect-only")
        #expect(Selection.refusal(["pytest", "{tests}"], hostile, format: .pytest) != nil)
        #expect(Selection.refusal(["pytest", "-k", "{testNames}"], hostile, format: .pytest) != nil)
        #expect(Selection.refusal(["go", "{testsRegex}"], hostile, format: .goTestJSON) == nil)
        #expect(Selection.refusal(["x", "{tests}"], Selection.Test(id: "a", selector: "-p x")) != nil)
        #expect(Selection.refusal(["x", "{tests}"], Selection.Test(id: "a-b::c -d")) == nil)
        let long = Selection.Test(id: String(repeating: "x", count: 200_000))
        #expect(Selection.refusal(["x", "{tests}"], long)?.contains("does not fit") == true)
    }

    @Test(arguments: [
        ("*", "", true), ("", "", true), ("", "a", false), ("a*c", "abbc", true), ("a*c", "abcd", false),
        ("a?c", "abc", true),
        ("?", "", false), ("*test_x[a]", "t::test_x[a]", true), ("*test_x[a]", "t::test_xa", false), ("[a", "[a", true),
        ("*streaming*", "tests.chat::test_streaming_ok", true), ("*::test_1?", "m::test_12", true), ("A", "a", false),
        ("**", "x", true),
    ])
    func `patterns match test ids, whose brackets stand for themselves`(pattern: String, text: String, isMatch: Bool) {
        #expect(Glob.matches(pattern, text) == isMatch)
    }

    @Test func `a hostile pattern takes no exponential time`() {
        let text = String(repeating: "a", count: 2000)
        #expect(!Glob.matches(String(repeating: "*a", count: 100) + "*b", text))
    }
}
