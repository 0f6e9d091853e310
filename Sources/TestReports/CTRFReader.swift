// SPDX-License-Identifier: Apache-2.0
// Common Test Report Format: one JSON document, https://ctrf.io.

import Domain

package enum CTRFReader {
    /// Reads a whole report. The document is held in memory once as bytes and once as values.
    package static func read(_ bytes: [UInt8]) throws(ReportDamage) -> ReportReading {
        if bytes.allSatisfy(XMLReference.isSpace) {
            throw ReportDamage(kind: .empty, line: 1, column: 1, found: "it is empty")
        }
        let document: JSONValue
        do throws(JSONProblem) {
            document = try JSONValue.parse(bytes)
        } catch {
            throw damage(error, bytes)
        }
        guard let tests = document["results"]?["tests"]?.elements else {
            throw ReportDamage(kind: .malformed, line: 1, column: 1, found: "a document without results.tests")
        }
        guard tests.count <= Limits.testsPerSuite else {
            let found = "more than \(Limits.testsPerSuite) tests"
            throw ReportDamage(kind: .limit, line: 1, column: 1, found: found)
        }
        var reading = ReportReading(root: "ctrf")
        var identities = UniqueNames()
        for (index, test) in tests.enumerated() {
            guard let result = result(test, &identities) else {
                let found = "results.tests[\(index)] has no name or no known status"
                throw ReportDamage(kind: .malformed, line: 1, column: 1, found: found, reading: reading)
            }
            reading.results.append(result)
        }
        compare(document["results"]?["summary"], tests, &reading)
        return reading
    }

    private static func damage(_ problem: JSONProblem, _ bytes: [UInt8]) -> ReportDamage {
        let before = bytes[..<problem.offset]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
        let kind: ReportDamage.Kind =
            switch problem.kind {
            case .truncated: .truncated
            case .malformed: .malformed
            case .tooDeep: .limit
            }
        return ReportDamage(kind: kind, line: line, column: column, found: "\(problem.expected) was expected")
    }

    private static func result(_ test: JSONValue, _ identities: inout UniqueNames) -> TestResult? {
        guard let name = test["name"]?.text, let status = test["status"]?.text else { return nil }
        guard let outcome = outcome(status, isFlaky: test["flaky"]?.boolean ?? false) else { return nil }
        let suite = test["suite"]?.text ?? test["suite"]?.elements?.compactMap(\.text).joined(separator: " > ") ?? ""
        let id = BoundedText.shortened(suite.isEmpty ? name : "\(suite)::\(name)", to: Limits.messageBytes)
        var result = TestResult(id: identities.unique(id), outcome: outcome)
        result.durationSeconds = test["duration"]?.number.map { $0 / 1000 }
        result.message = test["message"]?.text.map { BoundedText.shortened($0, to: Limits.messageBytes) }
        result.details = test["trace"]?.text.map { BoundedText.shortened($0, to: Limits.detailsBytes) }
        if status == "other" && result.message == nil {
            result.message = "the report says `other` (\(test["rawStatus"]?.text ?? "no raw status"))"
        }
        result.file = test["filePath"]?.text
        result.line = test["line"]?.integer
        result.retries = test["retries"]?.integer.flatMap { $0 > 0 ? $0 : nil }
        return result
    }

    /// `other` is what a tool says when it cannot say passed, failed or skipped: no pass.
    private static func outcome(_ status: String, isFlaky: Bool) -> TestOutcome? {
        switch status {
        case "passed": isFlaky ? .flaky : .passed
        case "failed": .failed
        case "skipped", "pending": .skipped
        case "other": .errored
        default: nil
        }
    }

    private static func compare(_ summary: JSONValue?, _ tests: [JSONValue], _ reading: inout ReportReading) {
        reading.declaredTests = summary?["tests"]?.integer
        if let declared = reading.declaredTests, declared != tests.count {
            reading.disagreements.append("the summary says \(declared) tests, the report holds \(tests.count)")
        }
        for status in ["passed", "failed", "skipped", "pending", "other"] {
            let counted = tests.count { $0["status"]?.text == status }
            if let declared = summary?[status]?.integer, declared != counted {
                reading.disagreements.append("the summary says \(declared) \(status), the report holds \(counted)")
            }
        }
    }
}
