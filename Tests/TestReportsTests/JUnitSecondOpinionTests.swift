// SPDX-License-Identifier: Apache-2.0
// Random well-formed reports, read by this reader and by the toolchain's own parser.

import Domain
import Foundation
import FoundationXML
import TestReports
import Testing

struct JUnitSecondOpinionTests {
    @Test func `the toolchain's parser counts the same`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let text = randomReport(&random)
            let reading = try readJUnit(text)
            let second = SecondOpinion(text)
            #expect(second.isSound, "seed \(seed): \(text)")
            #expect(reading.results.count == second.results.count, "seed \(seed): \(text)")
            #expect(
                reading.totals == Totals(second.results.map { TestResult(id: "", outcome: $0.outcome) }), "seed \(seed)"
            )
            #expect(reading.results.map { $0.details ?? "" } == second.results.map(\.text), "seed \(seed): \(text)")
        }
    }

    @Test func `every chunking reads the same`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let bytes = Array(randomReport(&random).utf8)
            let whole = try JUnitReader.read(bytes)
            for size in [1, 2, 3, 7, 64, 1000] {
                let chunked = try readJUnit(bytes, chunk: size)
                #expect(chunked == whole, "seed \(seed), chunks of \(size)")
            }
        }
    }

    @Test func `a report cut at any byte is never whole`() throws {
        var random = SeededGenerator(seed: 7)
        let bytes = Array(("<?xml version=\"1.0\"?>" + randomReport(&random)).utf8)
        for end in 0..<bytes.count {
            // Only white space may be missing.
            if bytes[end...].allSatisfy({ $0 == 0x0A }) { continue }
            let found = damage(of: Array(bytes[..<end]))
            #expect(found != nil, "cut at \(end)")
        }
    }
}

/// A random report in which every test has a different text.
func randomReport(_ random: inout SeededGenerator) -> String {
    var number = 0
    func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }
    func text() -> String {
        number += 1
        return [
            "t\(number) &lt;\u{e4}&#233;", "<![CDATA[t\(number) <&]] >]]>", "t\(number)<!-- <failure/> --> \u{1F600}",
        ]
        .randomElement(using: &random) ?? ""
    }
    func testCase() -> String {
        var body = ""
        if chance(4) { body += "<system-out>\(text())</system-out>" }
        if chance(5) { body += "<properties><property name='error' value='&amp;'/></properties>" }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: body += "<failure message='m &quot;'>\(text())</failure>"
        case 1: body += "<error type=\"T\">\(text())</error>"
        case 2: body += "<skipped/>"
        case 3: body += "<flakyFailure>\(text())</flakyFailure>"
        default: break
        }
        let name = "name=\"n\(number) > '\n\""
        return body.isEmpty ? "<testcase \(name) time='0.1'/>" : "<testcase\n  \(name) >\(body)</testcase >"
    }
    func suite(_ depth: Int) -> String {
        var body = ""
        for _ in 0..<Int.random(in: 0..<5, using: &random) {
            body += depth < 4 && chance(4) ? suite(depth + 1) : testCase()
            if chance(3) { body += "\n" }
        }
        return "<testsuite name='s'>\(body)</testsuite>"
    }
    return "<testsuites>\(suite(0))\(suite(0))</testsuites>\n"
}

/// The same rules over the events of `XMLParser`.
private final class SecondOpinion: NSObject, XMLParserDelegate {
    var results: [(outcome: TestOutcome, text: String)] = []
    var isSound = false
    private var stack: [String] = []
    private var rank = 0
    private var text = ""
    private static let ranks = ["flakyFailure": 1, "skipped": 2, "failure": 3, "error": 4]

    init(_ report: String) {
        super.init()
        let parser = XMLParser(data: Data(report.utf8))
        parser.delegate = self
        isSound = parser.parse() && parser.parserError == nil
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if name == "testcase" { (rank, text) = (0, "") }
        if stack.last == "testcase" { rank = max(rank, Self.ranks[name] ?? 0) }
        stack.append(name)
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if Self.ranks[stack.last ?? ""] != nil { text += string }
    }

    func parser(_ parser: XMLParser, foundCDATA data: Data) {
        if Self.ranks[stack.last ?? ""] != nil { text += String(decoding: data, as: UTF8.self) }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        stack.removeLast()
        let outcomes: [TestOutcome] = [.passed, .flaky, .skipped, .failed, .errored]
        if name == "testcase" { results.append((outcomes[rank], text)) }
    }
}
