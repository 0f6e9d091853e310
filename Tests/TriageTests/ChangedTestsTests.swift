// SPDX-License-Identifier: Apache-2.0
// Which tests are new or changed, from their source and the lines that differ.

import Domain
import Testing

@testable import Triage

struct ChangedTestsTests {
    private static let python = """
        import asyncio

        LIMIT = 3

        async def completed(tern, run):
            return await tern.get(run)


        @slow
        async def test_first(tern):
            run = await completed(tern, 1)

            assert run


        async def test_second(
            tern
        ):
            assert LIMIT == 3


        def test_second_again(tern):
            assert True
        """

    private static let tests = ["test_first", "test_second", "test_second_again"].map {
        ChangedTest(suite: "runs", id: "tests.e2e.test_runs::\($0)", seconds: 0.5)
    }

    private func find(_ lines: ClosedRange<Int>...) -> [String] {
        let source = ChangedSource(path: "tests/e2e/test_runs.py", text: Self.python, changed: lines)
        return ChangedTests.find(Self.tests, [source], readable: [source]).map { String($0.id.dropFirst(21)) }
    }

    @Test(
        arguments: [
            (11, ["test_first"]), (9, ["test_first"]), (13, ["test_first"]), (18, ["test_second"]),
            (17, ["test_second"]), (23, ["test_second_again"]),
        ] as [(Int, [String])])
    func `a changed line within a test is that test's`(_ line: Int, _ expected: [String]) {
        #expect(find(line...line) == expected)
    }

    @Test func `a changed helper is of those tests that name it`() {
        #expect(find(6...6) == ["test_first"])
        #expect(find(3...3) == ["test_second"])
    }

    @Test func `a change to a test that failed is no helper of the others`() {
        let source = ChangedSource(path: "tests/e2e/test_runs.py", text: Self.python, changed: [11...11])
        let rest = Array(Self.tests.dropFirst())
        #expect(
            ChangedTests.find(rest, [source], readable: [source], failing: ["tests.e2e.test_runs::test_first"]).isEmpty)
        #expect(ChangedTests.find(rest, [source], readable: [source]).count == 2)
    }

    @Test func `an import and a blank line change no test`() {
        #expect(find(1...2).isEmpty)
        #expect(find(7...8).isEmpty)
    }

    @Test func `a new file is new as a whole`() {
        #expect(Set(find(1...23)) == ["test_first", "test_second", "test_second_again"])
    }

    @Test func `a helper that tests share is of the tests that name it, in whatever file`() {
        let shared = ChangedSource(
            path: "tests/e2e/support.py", text: "class Tern:\n    async def get(self, run):\n        return run\n",
            changed: [3...3])
        let own = ChangedSource(path: "tests/e2e/test_runs.py", text: Self.python, changed: [])
        #expect(ChangedTests.find(Self.tests, [shared], readable: [shared, own]).isEmpty)
        let named = ChangedSource(
            path: "tests/e2e/support.py", text: "def completed(run):\n    return run\n", changed: [2...2])
        let found = ChangedTests.find(Self.tests, [named], readable: [named, own])
        #expect(found.map(\.id) == ["tests.e2e.test_runs::test_first"])
    }

    @Test(arguments: [
        ("t::test_a[1]", "test_a"), ("tests/test_b.py::Suite::test_b", "test_b"), ("pkg.TestFoo/sub", "TestFoo"),
        ("Module.Suite::adds()", "adds"), ("plain", "plain"),
    ])
    func `the name of a test is the last part of its id`(_ id: String, _ name: String) {
        #expect(ChangedTests.name(of: id) == name)
    }

    @Test func `blocks with braces end at the closing one`() {
        let text = """
            import Testing
            struct RunTests {
                @Test
                func adds() {
                    #expect(1 + 1 == 2)
                }

                @Test func subtracts() {
                    #expect(2 - 1 == 1)
                }
            }
            """
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(SourceBlock.ofTest(named: "adds", in: lines) == 3...6)
        #expect(SourceBlock.ofTest(named: "subtracts", in: lines) == 8...10)
        #expect(SourceBlock.ofTest(named: "divides", in: lines) == nil)
    }
}
