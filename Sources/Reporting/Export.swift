// SPDX-License-Identifier: Apache-2.0
// A cycle in the formats of other tools. What Nightjar judged goes with it, so that nobody reads a pass where there is none:
// a suite that proved nothing is an error in JUnit, `other` in CTRF and a failure in the attestation.

package import Domain
import Foundation

/// What an export may need beside the record.
package struct ExportContext: Sendable {
    /// All tests of a suite, in the order of its report; those of `notPassed` alone where the file is gone.
    package var tests: [String: [TestResult]]
    /// SHA-256 of `cycle.json`, in hexadecimal.
    package var documentSHA256: String?
    /// Suites whose results are not there as they were sealed, and why: they are exported as no pass.
    package var damage: [String: String]

    package init(
        tests: [String: [TestResult]], documentSHA256: String? = nil, damage: [String: String] = [:]
    ) {
        self.tests = tests
        self.documentSHA256 = documentSHA256
        self.damage = damage
    }
}

package enum Export {
    /// Why a suite is no pass although none of its tests failed; nil for a pass and for failing tests. What is not there as
    /// it was sealed is no pass whatever the record says.
    static func doubt(_ suite: SuiteRecord, _ context: ExportContext) -> String? {
        if let damage = context.damage[suite.name] { return damage }
        switch suite.status {
        case .passed, .failed: return nil
        case .unproven, .notRun: return suite.because ?? suite.status.words
        }
    }

    /// The status of such a suite, as other tools are told it.
    static func status(_ suite: SuiteRecord, _ context: ExportContext) -> String {
        context.damage[suite.name] == nil ? suite.status.rawValue : "damaged"
    }

    static func tests(_ suite: SuiteRecord, _ context: ExportContext) -> [TestResult] {
        context.tests[suite.name] ?? suite.notPassed
    }

    /// `chat::TestStream::partial` as class and name.
    static func names(_ id: String, suite: String) -> (group: String, name: String) {
        guard let colons = id.ranges(of: "::").last else { return (suite, id) }
        return (String(id[..<colons.lowerBound]), String(id[colons.upperBound...]))
    }
}

/// JUnit XML, in the dialect that build servers share (Jenkins' schema junit-10.xsd and its kin).
package enum JUnitExport {
    package static func text(_ record: CycleRecord, _ context: ExportContext) -> String {
        var body = ""
        var all = (tests: 0, failures: 0, errors: 0, skipped: 0)
        for suite in record.suites {
            let part = self.suite(suite, record, context)
            body += part.text
            all.tests += part.counts.tests
            all.failures += part.counts.failures
            all.errors += part.counts.errors
            all.skipped += part.counts.skipped
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="\(attribute("\(record.loop) #\(record.cycle)"))" tests="\(all.tests)" \
            failures="\(all.failures)" errors="\(all.errors)" skipped="\(all.skipped)" \
            time="\(Numbers.fixed(record.durationSeconds, decimals: 3))">
            \(body)</testsuites>

            """
    }

    private static func suite(_ suite: SuiteRecord, _ record: CycleRecord, _ context: ExportContext)
        -> (text: String, counts: (tests: Int, failures: Int, errors: Int, skipped: Int))
    {
        var cases = ""
        var counts = (tests: 0, failures: 0, errors: 0, skipped: 0)
        for test in Export.tests(suite, context) {
            counts.tests += 1
            let (group, name) = Export.names(test.id, suite: suite.name)
            let seconds = Numbers.fixed(max(0, test.durationSeconds ?? 0), decimals: 3)
            cases += "<testcase classname=\"\(attribute(group))\" name=\"\(attribute(name))\" time=\"\(seconds)\""
            switch test.outcome {
            case .passed, .flaky:
                cases += "/>\n"
                continue
            case .failed, .timedOut:
                counts.failures += 1
                cases += ">" + problem("failure", test)
            case .errored:
                counts.errors += 1
                cases += ">" + problem("error", test)
            case .skipped, .notRun:
                counts.skipped += 1
                cases += "><skipped message=\"\(attribute(test.message ?? test.outcome.words))\"/>"
            }
            cases += "</testcase>\n"
        }
        if let doubt = Export.doubt(suite, context) {
            // Without a test of its own this would look like a pass.
            counts.tests += 1
            counts.errors += 1
            cases +=
                "<testcase classname=\"\(attribute(suite.name))\" name=\"nightjar: the evidence of this suite\" time=\"0.000\">"
            let type = Export.status(suite, context)
            cases += "<error type=\"\(type)\" message=\"\(attribute(doubt))\"/></testcase>\n"
        }
        let start = record.stage(of: suite)?.startedAt ?? record.startedAt
        let head =
            "<testsuite name=\"\(attribute(suite.name))\" tests=\"\(counts.tests)\" failures=\"\(counts.failures)\" "
            + "errors=\"\(counts.errors)\" skipped=\"\(counts.skipped)\" "
            + "time=\"\(Numbers.fixed(suite.durationSeconds ?? 0, decimals: 3))\" "
            + "timestamp=\"\(start.wholeSeconds.dropLast())\">\n"
        return (head + cases + "</testsuite>\n", counts)
    }

    private static func problem(_ tag: String, _ test: TestResult) -> String {
        let type = test.type ?? test.outcome.rawValue
        let text = Printable.lines(test.details ?? test.message ?? "", limit: 400).map(attribute).joined(
            separator: "\n")
        return
            "<\(tag) type=\"\(attribute(type))\" message=\"\(attribute(test.message ?? test.outcome.words))\">\(text)</\(tag)>"
    }

    /// Harmless text: control characters, which XML 1.0 cannot hold, have been spelled out.
    private static func attribute(_ text: String) -> String { HTML.escaped(text) }
}

/// Common Test Report Format, as its JSON Schema has it (ctrf.io).
package enum CTRFExport {
    private struct Document: Encodable {
        var reportFormat = "CTRF"
        var specVersion = "0.0.0"
        var results: Results
    }
    private struct Results: Encodable {
        var tool: Tool
        var summary: Summary
        var tests: [Test]
        var environment: Environment
    }
    private struct Tool: Encodable {
        var name = "nightjar"
        var version: String
    }
    private struct Summary: Encodable {
        var tests = 0
        var passed = 0
        var failed = 0
        var skipped = 0
        var pending = 0
        var other = 0
        /// Milliseconds since 1970.
        var start: Int64
        var stop: Int64
    }
    private struct Test: Encodable {
        var name: String
        var status: String
        var rawStatus: String
        /// Milliseconds.
        var duration: Int64
        var suite: String
        var message: String?
        var trace: String?
        var filePath: String?
        var line: Int?
        var flaky: Bool?
        var retries: Int?
    }
    private struct Environment: Encodable {
        var appName: String
        var buildName: String
        var commit: String
        var extra: Extra
    }
    private struct Extra: Encodable {
        var verdict: Verdict
        var recommendation: Recommendation
    }

    package static func text(_ record: CycleRecord, _ context: ExportContext) throws -> String {
        var summary = Summary(start: record.startedAt.milliseconds, stop: record.endedAt.milliseconds)
        var tests: [Test] = []
        for suite in record.suites {
            tests += Export.tests(suite, context).map { test($0, suite.name) }
            if let doubt = Export.doubt(suite, context) {
                tests.append(
                    Test(
                        name: "nightjar: the evidence of this suite", status: "other",
                        rawStatus: Export.status(suite, context),
                        duration: 0, suite: suite.name, message: doubt))
            }
        }
        for test in tests {
            summary.tests += 1
            switch test.status {
            case "passed": summary.passed += 1
            case "failed": summary.failed += 1
            case "skipped": summary.skipped += 1
            default: summary.other += 1
            }
        }
        let results = Results(
            tool: Tool(version: record.writtenBy), summary: summary, tests: tests,
            environment: Environment(
                appName: record.loop, buildName: "#\(record.cycle)", commit: record.revision.wanted.id,
                extra: Extra(verdict: record.verdict, recommendation: record.recommendation)))
        return try JSONText.pretty(Document(results: results)) + "\n"
    }

    private static func test(_ test: TestResult, _ suite: String) -> Test {
        let status: String =
            switch test.outcome {
            case .passed, .flaky: "passed"
            case .failed, .timedOut: "failed"
            case .errored: "failed"
            case .skipped: "skipped"
            case .notRun: "other"
            }
        let milliseconds = (max(0, test.durationSeconds ?? 0) * 1000).rounded()
        return Test(
            name: test.id, status: status, rawStatus: test.outcome.rawValue,
            duration: milliseconds < 1e15 ? Int64(milliseconds) : 0, suite: suite, message: test.message,
            trace: test.details, filePath: test.file, line: test.line, flaky: test.outcome == .flaky ? true : nil,
            retries: test.retries)
    }
}
