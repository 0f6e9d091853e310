// SPDX-License-Identifier: Apache-2.0
// The checker against the service: every revision of the history, and what it prints and writes.

import Foundation
import FoundationXML
import Platform
import Testing
import WebSocket

@testable import DemoStaging

@Suite struct DemoCheckTests {
    private static let hanging = "demo.streaming::test_stream_partial_results"
    private static let failing = "demo.threads::test_posted_message_is_listed"

    private func outcomes(_ output: String) -> [String: String] {
        var outcomes: [String: String] = [:]
        for line in output.split(separator: "\n") where line.hasPrefix("demo.") {
            let words = line.split(separator: " ").map(String.init)
            outcomes[words[0]] = words.count > 1 ? words[1] : "unfinished"
        }
        return outcomes
    }

    @Test func `there are 14 tests in three suites with ids that can be selected`() {
        let ids = DemoCheckCase.all.map(\.id)
        #expect(Set(ids).count == 14)
        #expect(ids.allSatisfy { !$0.contains(" ") && !$0.contains(",") })
        #expect(Set(DemoCheckCase.all.map(\.suite)) == Set(DemoCheckCase.suites))
    }

    @Test(arguments: 0..<DemoHistory.culprit)
    func `before the culprit every test passes`(commit: Int) async throws {
        try await withService(releases()[commit]) { _, url in
            let (exit, output) = try await check(["--url", url])
            #expect(exit == 0)
            #expect(outcomes(output) == Dictionary(uniqueKeysWithValues: DemoCheckCase.all.map { ($0.id, "PASSED") }))
        }
    }

    @Test(arguments: DemoHistory.culprit..<8)
    func `from the culprit on exactly one test fails and one hangs`(commit: Int) async throws {
        let log = Transcript()
        try await withService(releases()[commit], log: log) { service, url in
            let others = DemoCheckCase.all.map(\.id).filter { $0 != Self.hanging }
            let (exit, output) = try await check(["--url", url] + others)
            #expect(exit == 1)
            let expected = others.map { ($0, $0 == Self.failing ? "FAILED" : "PASSED") }
            #expect(outcomes(output) == Dictionary(uniqueKeysWithValues: expected))
            #expect(output.contains("AssertionError: the posted message is among the 0 messages of its thread"))

            let live = Transcript()
            let hung = Task { try await check(["--url", url, "--only", Self.hanging], output: live) }
            await log.wait(for: "partial results held back")
            #expect(outcomes(live.text) == [Self.hanging: "unfinished"])
            service.stop()
            let ended = try await hung.value
            #expect(ended.exit == 1)
            #expect(ended.output.contains("ConnectionError: the connection ended without a close frame"))
        }
    }

    @Test func `it prints like pytest and writes JUnit`() async throws {
        try await withDirectory { directory in
            let report = directory + "/report.xml"
            var release = try releases()[DemoHistory.culprit]
            release.greeting = "<\u{1}&\"'> without a name"
            let output = try await withService(release) { _, url in
                let command = ["--url", url + "/", "--junit", report, "--suite"]
                let result = try await check(command + ["authentication"])
                #expect(result.exit == 1)
                return result.output
            }
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines[0].contains("= test session starts ="))
            #expect(lines[1] == "collected 5 items")
            #expect(lines[3] == "demo.authentication::test_login_returns_token PASSED".padded(to: 74) + "[ 20%]")
            #expect(lines[4] == "demo.authentication::test_login_greets_user FAILED".padded(to: 74) + "[ 40%]")
            #expect(lines[7].hasSuffix("[100%]"))
            #expect(output.contains("1 failed, 4 passed in "))

            let counter = ReportCounter()
            let parser = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: report)))
            parser.delegate = counter
            #expect(parser.parse(), "\(String(describing: parser.parserError))")
            #expect(counter.tests.count == 5)
            #expect(counter.tests.first == "demo.authentication::test_login_returns_token")
            #expect(counter.failures == 1)
            #expect(counter.attributes["tests"] == "5" && counter.attributes["failures"] == "1")
        }
    }

    @Test func `selection runs only what is named, by option and by argument`() async throws {
        try await withService(releases()[1]) { _, url in
            let wanted = ["demo.threads::test_list_is_paged", "demo.threads::test_unknown_thread_is_not_found"]
            let arguments = try await check(["--url", url, "--suite", "threads"] + wanted)
            let option = try await check(["--url", url, "--only", wanted.joined(separator: ",")])
            #expect(Set(outcomes(arguments.output).keys) == Set(wanted))
            #expect(Set(outcomes(option.output).keys) == Set(wanted))
        }
    }

    @Test func `collecting lists ids and runs nothing`() async throws {
        let all = try await check(["--collect"])
        #expect(all.output == DemoCheckCase.all.map { $0.id + "\n" }.joined())
        let suite = try await check(["--suite", "threads", "--list", "--url", "http://127.0.0.1:1"])
        #expect(suite.output.split(separator: "\n").count == 4)
        #expect(suite.exit == 0)
    }

    @Test func `wrong arguments are refused`() async throws {
        for wrong in [[], ["--url"], ["--suite", "nonsense", "--url", "x"], ["--nonsense", "--url", "x"]] {
            #expect(DemoCheck(arguments: wrong) { _ in } == nil)
        }
        let unknown = try await check(["--url", "http://127.0.0.1:1", "--suite", "threads", Self.hanging])
        #expect(unknown.exit == 4)
        #expect(unknown.output == "ERROR: not found: \(Self.hanging)\n")
        #expect(DemoMain.runIfAsked(["nightjar", "run"]) == nil)
        #expect(DemoMain.runIfAsked(["nightjar"]) == nil)
    }

    @Test func `without a service every test fails and none hangs`() async throws {
        let port = try DemoLayout.freePort()
        let (exit, output) = try await check(["--url", "http://127.0.0.1:\(port)"])
        #expect(exit == 1)
        #expect(outcomes(output).values.allSatisfy { $0 == "FAILED" })
        #expect(output.contains("14 failed in "))
    }
}

/// Reads a report with the toolchain's own parser.
private final class ReportCounter: NSObject, XMLParserDelegate {
    var tests: [String] = []
    var failures = 0
    var attributes: [String: String] = [:]

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        switch name {
        case "testsuite": self.attributes = attributes
        case "testcase": tests.append("\(attributes["classname"] ?? "")::\(attributes["name"] ?? "")")
        case "failure": failures += 1
        default: break
        }
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
