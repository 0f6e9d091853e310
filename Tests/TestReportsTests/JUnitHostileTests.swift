// SPDX-License-Identifier: Apache-2.0
// JUnit XML that means harm, in bounded memory and time.

import Domain
import Foundation
import TestReports
import Testing

struct JUnitHostileTests {
    @Test func `nested entities are refused and never expanded`() throws {
        var text = "<!DOCTYPE t [<!ENTITY a0 'ha'>"
        for level in 1...30 { text += "<!ENTITY a\(level) '&a\(level - 1);&a\(level - 1);'>" }
        text += "]><testsuite><testcase name='x'/><testcase name='&a30;'/></testsuite>"
        let found = try #require(damage(of: text))
        #expect(found.kind == .entityBomb)
        #expect(found.reading.results.map(\.id) == ["x"])
    }

    @Test func `one large entity used often is refused`() throws {
        let large = String(repeating: "a", count: 100_000)
        let text =
            "<!DOCTYPE t [<!ENTITY a '\(large)'>]><testsuite>" + String(repeating: "&a;", count: 1000) + "</testsuite>"
        #expect(try #require(damage(of: text)).kind == .entityBomb)
    }

    @Test func `a declared entity is left out and noted`() throws {
        let text = """
            <!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname"><!-- ] > -->]>
            <testsuite><testcase name="n"><failure>[&x;]</failure></testcase></testsuite>
            """
        let reading = try readJUnit(text)
        #expect(reading.results.first?.details == "[]")
        #expect(reading.notes == ["left out: a reference to the declared entity &x; at line 2, column 41"])
    }

    @Test func `nesting has a limit`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "<testsuite>", count: depth) + String(repeating: "</testsuite>", count: depth)
        }
        #expect(damage(of: nested(Limits.reportDepth)) == nil)
        #expect(damage(of: nested(Limits.reportDepth + 1))?.kind == .limit)
        #expect(damage(of: String(repeating: "<a>", count: 100_000))?.kind == .foreign(root: "a", format: nil))
    }

    @Test func `a giant text keeps its head and its tail`() throws {
        let text = "head" + String(repeating: "x\u{e4}", count: 200_000) + "tail"
        let report = "<testsuite><testcase name='a'><failure><![CDATA[\(text)]]></failure></testcase></testsuite>"
        let result = try #require(try readJUnit(report).results.first)
        let details = try #require(result.details)
        #expect(details.utf8.count <= Limits.detailsBytes + 60)
        #expect(details.hasPrefix("head") && details.hasSuffix("tail"))
        #expect(details.contains("bytes left out"))
        #expect(!details.contains("\u{FFFD}"))
        #expect(try #require(result.message).utf8.count <= Limits.messageBytes + 60)
    }

    @Test func `a giant attribute is bounded`() throws {
        let name = String(repeating: "n", count: 2_000_000)
        let result = try #require(try readJUnit("<testsuite><testcase name='\(name)'/></testsuite>").results.first)
        #expect(result.id.utf8.count <= Limits.messageBytes + 60)
        let endless = "<testsuite><testcase name='" + String(repeating: "n", count: 40 << 20)
        #expect(damage(of: endless)?.kind == .limit)
    }

    @Test func `one hundred thousand cases are all counted`() throws {
        let reading = try JUnitReader.read(manyCases(100_000))
        #expect(reading.results.count == 100_000)
        #expect(reading.totals.failed == 1000)
        #expect(Set(reading.results.map(\.id)).count == 100_000)
        #expect(reading.disagreements.isEmpty)
    }

    @Test func `any byte sequence ends in an answer`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "<testsuite>", "</testsuite>", "<testcase name='a'>", "</testcase>", "<failure", "/>", "<![CDATA[", "]]>",
            "<!--",
            "-->", "&", ";", "'", "\"", "<?xml", "?>", "<!DOCTYPE", "[", ">", "\u{0}", "\u{1B}", "\u{e4}", " ", "\n",
        ]
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                bytes += Array((pieces.randomElement(using: &random) ?? "").utf8)
                if Int.random(in: 0..<20, using: &random) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            let whole = Result { () throws(ReportDamage) in try JUnitReader.read(bytes) }
            let single = Result { () throws(ReportDamage) in try readJUnit(bytes, chunk: 1) }
            switch (whole, single) {
            case (.success(let left), .success(let right)): #expect(left == right, "seed \(seed)")
            case (.failure(let left), .failure(let right)):
                #expect(left.kind == right.kind, "seed \(seed): \(bytes)")
                #expect(left.line == right.line && left.column == right.column, "seed \(seed): \(bytes)")
                #expect(left.reading.results == right.reading.results, "seed \(seed)")
            default: Issue.record("seed \(seed): chunks decide the outcome of \(bytes)")
            }
        }
    }
}

/// A report as large as the largest real ones: every hundredth test fails with a stack.
func manyCases(_ count: Int) -> [UInt8] {
    var bytes = Array("<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"s\" tests=\"\(count)\">\n".utf8)
    for index in 0..<count {
        bytes += Array(
            "<testcase classname=\"tests.unit.test_module_\(index % 50)\" name=\"test_case_\(index)\" time=\"0.001\""
                .utf8)
        if index % 100 == 0 {
            let stack = String(repeating: "  at frame (file.py:\(index))\n", count: 10)
            bytes += Array(
                "><failure message=\"a &lt; b\" type=\"AssertionError\"><![CDATA[\(stack)]]></failure></testcase>\n"
                    .utf8)
        } else {
            bytes += Array("/>\n".utf8)
        }
    }
    return bytes + Array("</testsuite></testsuites>\n".utf8)
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
