// SPDX-License-Identifier: Apache-2.0
// How suspicious commits look beside a failure.

import Domain
import Testing

@testable import Triage

struct CulpritPriorsTests {
    static let failing = TestResult(
        id: "chat.streaming::test_partial_results", outcome: .failed,
        message: "TypeError: cannot read batchSize of undefined", type: "TypeError",
        details: """
            at flushBatch (/srv/app/src/delivery.js:42:13)
            at Hub.send (node_modules/hub/index.js:7:1)
            File "tests/test_streaming.py", line 12, in test_partial_results
            """,
        file: "tests/test_streaming.py", line: 10)

    static func commit(_ name: String, _ subject: String, _ files: [String], _ changes: [FileChange] = []) -> CommitInfo
    {
        CommitInfo(revision: Revision(name), subject: subject, files: files, changes: changes)
    }

    @Test func `the stack's line outranks the file, the file the rest, and documentation comes last`() {
        let commits = [
            Self.commit("docs", "Explain streaming", ["README.md", "docs/streaming.md"]),
            Self.commit(
                "other", "Round prices", ["src/price.js"], [FileChange(path: "src/price.js", added: 9, removed: 2)]),
            Self.commit(
                "file", "Rename a helper", ["src/delivery.js"],
                [FileChange(path: "src/delivery.js", added: 9, removed: 2, hunks: [200...204])]),
            Self.commit(
                "line", "Send less often", ["src/delivery.js"],
                [FileChange(path: "src/delivery.js", added: 9, removed: 2, hunks: [40...44])]),
            Self.commit("tests", "Test prices", ["tests/test_price.py"]),
        ]
        let priors = CulpritPriors.priors(commits, failing: [Self.failing])
        #expect(abs(priors.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
        let order = commits.indices.sorted { priors[$0].weight > priors[$1].weight }.map { commits[$0].revision.id }
        #expect(order.prefix(3) == ["line", "file", "other"])
        #expect(order.last == "docs")
        #expect(priors[3].because.first == "changes src/delivery.js at line 42, which the stack names")
        #expect(priors[0].because.contains("documentation only"))
        // Nobody is left out.
        #expect(priors.allSatisfy { $0.weight >= CulpritPriors.floor / 5 - 1e-12 })
    }

    @Test func `rare words of the failure point at the commit that uses them`() {
        let commits = (0..<12).map { index in
            Self.commit(
                "c\(index)", "Change \(index)", ["src/f\(index).js"],
                [
                    FileChange(
                        path: "src/f\(index).js", added: 5, removed: 5,
                        words: index == 8 ? ["batch", "size", "queue"] : ["queue"])
                ])
        }
        let priors = CulpritPriors.priors(commits, failing: [Self.failing])
        #expect(priors.indices.max { priors[$0].weight < priors[$1].weight } == 8)
        #expect(priors[8].because.first?.contains("batch") == true)
    }

    @Test func `the failing test's own file is suspicious`() {
        let commits = [
            Self.commit("own", "Expect more", ["tests/test_streaming.py"]),
            Self.commit("others", "Expect more elsewhere", ["tests/test_price.py"]),
        ]
        let weights = CulpritPriors.weights(commits, failing: [Self.failing])
        #expect(weights[0] > 3 * weights[1])
    }

    @Test func `without any clue all commits are alike`() {
        let commits = (0..<5).map { Self.commit("c\($0)", "", ["a\($0).c"]) }
        for weight in CulpritPriors.weights(commits, failing: []) { #expect(abs(weight - 0.2) < 1e-12) }
    }

    @Test(arguments: [
        ("  at a (src/x.js:42:13)", "src/x.js", 42), ("File \"app/y.py\", line 7, in z", "app/y.py", 7),
        ("at com.acme.Hub.send(Hub.java:99)", "Hub.java", 99), ("./pkg/z.go:3 +0x1", "pkg/z.go", 3),
        ("see main.rs for more", "main.rs", nil),
    ])
    func `frames are read from stacks`(text: String, file: String, line: Int?) {
        #expect(CulpritClues.frames(in: text).contains(CulpritClues.Frame(file: file, line: line)))
    }

    @Test func `names are cut into words`() {
        #expect(
            CulpritClues.words("flushBatchSize HTTP2_CLIENT, x1 1234 of") == [
                "flush", "batch", "size", "http2", "client",
            ])
    }

    @Test(arguments: [
        ("docs/x.py", true, false), ("README.md", true, false), ("requirements.txt", false, false),
        ("LICENSE", true, false), ("src/test_x.py", false, true), ("Tests/AppTests/XTests.swift", false, true),
        ("src/latest.py", false, false), ("web/a.spec.ts", false, true), ("src/contest.c", false, false),
    ])
    func `paths say what a file is`(path: String, isDocumentation: Bool, isTest: Bool) {
        #expect(FileKind.isDocumentation(path) == isDocumentation)
        #expect(FileKind.isTest(path) == isTest)
    }
}
