// SPDX-License-Identifier: Apache-2.0
// Cycles in the formats of other tools: well-formed whatever a test says, and never more favorable than the verdict.

import Domain
import Foundation
import FoundationXML
import Testing

@testable import Reporting

@Suite struct ExportTests {
    private let context = ExportContext(
        tests: [
            "authentication": (1...24).map {
                TestResult(id: "authentication::test_\($0)", outcome: .passed, durationSeconds: 0.5)
            } + [Night.streamingTest]
        ], documentSHA256: String(repeating: "ab", count: 32))

    private static let payloads = [
        "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "\"=1", "|x", "a,b\r\n=c", "</testcase><x>",
        "]]>", "\u{0}\u{1B}[2J\u{FFFE}", "\u{202E}gnp", "<script>alert(1)</script>", "&amp;&#0;",
        String(repeating: "m", count: 1 << 20),
    ]

    private func poisoned(_ text: String) -> CycleRecord {
        var record = Night.failing
        record.loop = text
        record.writtenBy = text
        record.settingsHash = text
        record.revision.wanted = Revision(text)
        for index in record.suites.indices {
            record.suites[index].name = text
            record.suites[index].because = text
            record.suites[index].notPassed = [
                TestResult(id: text, outcome: .failed, message: text, type: text, details: text, file: text, line: 1)
            ]
        }
        return record
    }

    private final class Counter: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]
        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            counts[name, default: 0] += 1
        }
    }

    private func elements(_ xml: String) -> [String: Int]? {
        let parser = XMLParser(data: Data(xml.utf8))
        let counter = Counter()
        parser.delegate = counter
        return parser.parse() ? counter.counts : nil
    }

    @Test func `JUnit has every test, and an error for a suite that proved nothing`() throws {
        let counts = try #require(elements(JUnitExport.text(Night.failing, context)))
        #expect(counts["testsuite"] == 3)
        // 25 of authentication, and one for the suite that did not run; websocket lists no test that did not pass.
        #expect(counts["testcase"] == 26 && counts["failure"] == 1 && counts["error"] == 1)
    }

    @Test(arguments: payloads) func `JUnit stays well-formed and small`(payload: String) throws {
        let text = JUnitExport.text(poisoned(payload), ExportContext(tests: [:]))
        let counts = try #require(elements(text), "\(payload.prefix(20))")
        // Three suites of one name with one failing test each, and an error for the one that did not run.
        #expect(counts["testcase"] == 4 && counts["failure"] == 3 && counts["testsuites"] == 1)
        #expect(text.utf8.count < 200_000)
    }

    @Test func `no export calls a suite that did not run a pass`() throws {
        let junit = JUnitExport.text(Night.failing, context)
        #expect(junit.contains("rule fail-fast (P0 failing)"))
        let ctrf = try object(CTRFExport.text(Night.failing, context))
        let summary = try #require((ctrf["results"] as? [String: Any])?["summary"] as? [String: Int])
        #expect(summary["tests"] == 26 && summary["passed"] == 24 && summary["failed"] == 1 && summary["other"] == 1)
        let statement = try object(AttestationExport.text(Night.failing, context))
        let predicate = try #require(statement["predicate"] as? [String: Any])
        #expect(predicate["result"] as? String == "FAILED")
        #expect((predicate["failedTests"] as? [String])?.contains("exports: rule fail-fast (P0 failing)") == true)
    }

    @Test func `results that are gone are an error case in every format, whatever the verdict`() throws {
        let problem = "the results are gone: test-1-websocket/tests.jsonl is missing"
        let damaged = ExportContext(tests: [:], damage: ["websocket": problem])
        let junit = JUnitExport.text(Night.healthy, damaged)
        #expect(junit.contains("<error type=\"damaged\" message=\"\(problem)\"/>"))
        #expect(try #require(elements(junit))["error"] == 1)
        let ctrf = try object(CTRFExport.text(Night.healthy, damaged))
        let summary = try #require((ctrf["results"] as? [String: Any])?["summary"] as? [String: Int])
        #expect(summary["other"] == 1 && summary["tests"] == 1)
        #expect(CSVExport.rows(Night.healthy, damaged).contains(",damaged,"))
        let statement = try object(AttestationExport.text(Night.healthy, damaged))
        let predicate = try #require(statement["predicate"] as? [String: Any])
        #expect(predicate["result"] as? String == "FAILED")
        #expect((predicate["failedTests"] as? [String]) == ["websocket: \(problem)"])
    }

    @Test func `the attestation is a statement about the commit and the evidence`() throws {
        let statement = try object(AttestationExport.text(Night.healthy, context))
        #expect(statement["_type"] as? String == "https://in-toto.io/Statement/v1")
        #expect(statement["predicateType"] as? String == "https://in-toto.io/attestation/test-result/v0.1")
        let digests = (statement["subject"] as? [[String: Any]])?.compactMap { $0["digest"] as? [String: String] }
        #expect(digests == [["gitCommit": Night.green.id], ["sha256": String(repeating: "ab", count: 32)]])
        #expect((statement["predicate"] as? [String: Any])?["result"] as? String == "PASSED")
    }

    @Test(arguments: payloads) func `no cell of the CSV is a formula, and no row is broken`(payload: String) {
        let text = CSVExport.rows(poisoned(payload), ExportContext(tests: [:]))
        #expect(text.components(separatedBy: "\r\n").count == 5)
        for cell in cells(text) {
            let first = cell.first { $0 != " " && $0 != "\"" }
            #expect(first.map { !"=+-@|%\t\r".contains($0) } ?? true, "\(cell.prefix(40))")
            #expect(!cell.contains("\n"))
        }
    }

    /// RFC 4180, as a reader would take it apart.
    private func cells(_ text: String) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isQuoted = false
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "\"" where isQuoted && rest.first == "\"":
                cell.append("\"")
                rest.removeFirst()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted, "\r\n" where !isQuoted:
                cells.append(cell)
                cell = ""
            default: cell.append(character)
            }
        }
        return cells
    }

    @Test func `numbers stay numbers in the CSV`() {
        #expect(
            CSVExport.cell("-1.5") == "-1.5" && CSVExport.cell("=1") == "'=1" && CSVExport.cell("a\"b") == "\"a\"\"b\"")
    }

    @Test(arguments: payloads) func `JSON exports are JSON`(payload: String) throws {
        _ = try object(CTRFExport.text(poisoned(payload), ExportContext(tests: [:])))
        _ = try object(AttestationExport.text(poisoned(payload), ExportContext(tests: [:])))
    }

    @Test(arguments: payloads) func `a page with a megabyte of message stays a page`(payload: String) throws {
        let record = poisoned(payload)
        #expect(HTMLReport.text(record).utf8.count < 2_000_000)
        #expect(MarkdownReport.text(record).utf8.count < 2_000_000)
        #expect(TextReport(record, columns: 80, folder: "x").text.utf8.count < 2_000_000)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
