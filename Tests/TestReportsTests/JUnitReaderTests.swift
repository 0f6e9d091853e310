// SPDX-License-Identifier: Apache-2.0
// JUnit XML: what counts as what, what is tolerated, and what is damage.

import Domain
import Foundation
import TestReports
import Testing

struct JUnitReaderTests {
    private func one(_ body: String, attributes: String = "") throws -> TestResult {
        let reading = try readJUnit(
            "<testsuite><testcase name='n' classname='c'\(attributes)>\(body)</testcase></testsuite>")
        return try #require(reading.results.first)
    }

    @Test func `the worst direct child decides the outcome`() throws {
        #expect(try one("").outcome == .passed)
        #expect(try one("<skipped/><failure/>").outcome == .failed)
        #expect(try one("<failure/><error/><skipped/>").outcome == .errored)
        #expect(try one("<skipped message='later'/>").outcome == .skipped)
        #expect(try one("<properties><failure/></properties>").outcome == .passed)
        #expect(try one("<system-out>failure</system-out>").outcome == .passed)
        #expect(try one("<failure message='timed out' type='TimeoutError'/>").outcome == .failed)
    }

    @Test func `retries within the tool are flaky only without a real failure`() throws {
        let flaky = try one("<flakyFailure message='m'><stackTrace>s</stackTrace></flakyFailure><flakyError/>")
        #expect(flaky.outcome == .flaky)
        #expect(flaky.retries == 2)
        #expect(flaky.message == "m")
        #expect(flaky.details == "s")
        let failed = try one("<failure message='first'>a</failure><rerunFailure message='second'>b</rerunFailure>")
        #expect(failed.outcome == .failed)
        #expect(failed.retries == 1)
        #expect(failed.message == "first")
        #expect(failed.details == "a")
    }

    @Test func `message, type, text, place and duration are kept`() throws {
        let result = try one(
            "<failure type='E'>\n  first line\n<![CDATA[<b>&amp;]]>\u{e9}&#x41;&#66;</failure><system-err>no</system-err>",
            attributes: " file='a.py' line='7' time='1,234.5'")
        #expect(result.id == "c::n")
        #expect(result.type == "E")
        #expect(result.message == "first line")
        #expect(result.details == "\n  first line\n<b>&amp;\u{e9}AB")
        #expect(result.file == "a.py")
        #expect(result.line == 7)
        #expect(result.durationSeconds == 1234.5)
    }

    @Test(
        arguments: [
            ("0,5", 0.5), ("12ms", 0.012), ("3 s", 3), ("1e-3", 0.001), ("1.234,5", 1234.5), ("1,234", 1234),
            ("0,123", 0.123),
            ("1,234,567.5", 1_234_567.5), ("0.1", 0.1), ("7", 7), (".", nil), ("1.2.3", nil), ("NaN", nil),
            ("INF", nil), ("", nil), ("time", nil), ("-1", -1),
            (" 2.5 ", 2.5),
        ] as [(String, Double?)])
    func `durations are read as tools write them`(text: String, seconds: Double?) throws {
        #expect(try one("", attributes: " time='\(text)'").durationSeconds == seconds)
    }

    @Test func `the same name twice gets a number`() throws {
        let text = "<testsuite><testcase name='a'/><testcase name='a'/><testcase name='a #2'/><testcase/></testsuite>"
        #expect(try readJUnit(text).results.map(\.id) == ["a", "a #2", "a #2 #2", "(unnamed)"])
    }

    @Test func `failures that are counted and not listed are a problem of the suite, and no pass`() throws {
        let hidden = "<testsuite name='s' tests='5' failures='2'><testcase name='a'/></testsuite>"
        #expect(
            try readJUnit(hidden).suiteProblems.map { $0.contains("counts 2 failures and errors and lists none") } == [
                true
            ])
        let listed = "<testsuite name='s' failures='2'><testcase name='a'><failure/></testcase></testsuite>"
        #expect(try readJUnit(listed).suiteProblems.isEmpty)
    }

    @Test func `counters that disagree with the cases are reported`() throws {
        let text = """
            <testsuites tests="3"><testsuite name="s" tests="2" failures="1" errors="0" skipped="0">
            <testcase name="a"/></testsuite></testsuites>
            """
        let reading = try readJUnit(text)
        #expect(reading.declaredTests == 3)
        #expect(
            reading.disagreements == [
                "<testsuite> \"s\" (line 1) says 2 tests, its cases are 1",
                "<testsuite> \"s\" (line 1) says 1 failures and errors, its cases are 0",
                "<testsuites> \"\" (line 1) says 3 tests, its cases are 1",
            ])
        #expect(try readJUnit("<testsuite tests='1'><testcase name='a'/></testsuite>").disagreements.isEmpty)
    }

    @Test func `an error of the suite itself is not green`() throws {
        let text = "<testsuite name='s'><testcase name='a'/><error message='no database'/></testsuite>"
        let reading = try readJUnit(text)
        #expect(!reading.isGreen)
        #expect(
            reading.suiteProblems == ["<testsuite> \"s\" (line 1) reports an error outside of any test: no database"])
    }

    @Test func `no test at all is not green`() throws {
        #expect(try !readJUnit("<testsuites/>").isGreen)
        #expect(try !readJUnit("<testsuite><testcase name='a'><skipped/></testcase></testsuite>").isGreen)
        #expect(try readJUnit("<testsuite><testcase name='a'/></testsuite>").isGreen)
    }

    @Test func `a prefix of a namespace does not hide a failure`() throws {
        let text = "<j:testsuite xmlns:j='u'><j:testcase name='a'><j:failure/></j:testcase></j:testsuite>"
        #expect(try readJUnit(text).results.map(\.outcome) == [.failed])
    }

    @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian])
    func `UTF-16 is read with and without a mark`(encoding: String.Encoding) throws {
        let text = "<testsuite><testcase name='n\u{e4}\u{1F600}'/></testsuite>"
        for mark in ["\u{FEFF}", ""] {
            let bytes = [UInt8](try #require((mark + text).data(using: encoding)))
            #expect(try JUnitReader.read(bytes).results.map(\.id) == ["n\u{e4}\u{1F600}"])
            #expect(damage(of: Array(bytes.dropLast()))?.kind != nil)
        }
    }

    @Test func `single-byte encodings are read where they are declared`() throws {
        func bytes(_ encoding: String, _ byte: UInt8) -> [UInt8] {
            Array("<?xml version='1.0' encoding='\(encoding)'?><testsuite><testcase name='".utf8) + [byte]
                + Array("'/></testsuite>".utf8)
        }
        #expect(try JUnitReader.read(bytes("ISO-8859-1", 0xE4)).results.map(\.id) == ["\u{e4}"])
        #expect(try JUnitReader.read(bytes("windows-1252", 0x80)).results.map(\.id) == ["\u{20AC}"])
        #expect(damage(of: bytes("utf-8", 0xE4))?.kind == .encoding)
        #expect(damage(of: bytes("windows-1252", 0x81))?.kind == .encoding)
    }

    @Test(
        arguments: [
            ("", .empty, 1, 1), (" \n\t", .empty, 2, 2), ("oops <testsuite/>", .malformed, 1, 1),
            ("<testsuite/>\n<testsuite/>", .malformed, 2, 1), ("<testsuite/>x", .malformed, 1, 13),
            ("<testsuite>\n<testcase name='a'/>", .truncated, 2, 21),
            ("<testsuite><testcase name='a", .truncated, 1, 29),
            ("<testsuite></testcase>", .malformed, 1, 12), ("<testsuite>&nbsp;</testsuite>", .malformed, 1, 12),
            ("<testsuite>a & b</testsuite>", .malformed, 1, 14), ("<testsuite a='<'/>", .malformed, 1, 15),
            ("<testsuite a='1' a='2'/>", .malformed, 1, 18), ("<testsuite a=1/>", .malformed, 1, 14),
            ("\n<?xml version='1.0'?><testsuite/>", .malformed, 2, 1),
            ("<testsuite>\u{0}</testsuite>", .malformed, 1, 12),
            ("<html><body/></html>", .foreign(root: "html", format: "a web page"), 1, 1),
            ("<thing/>", .foreign(root: "thing", format: nil), 1, 1),
            ("<test-run/>", .foreign(root: "test-run", format: "an NUnit 3 report"), 1, 1),
        ] as [(String, ReportDamage.Kind, Int, Int)])
    func `damage names its kind and place`(text: String, kind: ReportDamage.Kind, line: Int, column: Int) throws {
        let found = try #require(damage(of: text), "\(text)")
        #expect(found.kind == kind)
        #expect(found.line == line && found.column == column, "\(found)")
    }

    @Test func `damage carries what was read before it`() throws {
        let text = "<testsuite><testcase name='a'/><testcase name='b'><failure/></testcase><testcase name='c'"
        let found = try #require(damage(of: text))
        #expect(found.reading.results.map(\.id) == ["a", "b"])
        #expect(found.description.contains("cut off at line 1, column 90"))
    }

    @Test func `raw control bytes are tolerated and named`() throws {
        let reading = try readJUnit("<testsuite>\n<testcase name='a'>\u{1B}[31m&#27;</testcase></testsuite>")
        #expect(
            reading.notes == [
                "tolerated: raw control byte 0x1b at line 2, column 20",
                "tolerated: a reference to control byte 0x1b at line 2, column 25",
            ])
    }
}
