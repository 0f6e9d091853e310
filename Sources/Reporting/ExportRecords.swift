// SPDX-License-Identifier: Apache-2.0
// Tests as comma-separated values, and a cycle as a statement that supply-chain tools can sign and check.

package import Domain
import Foundation

/// RFC 4180, one line per test. A cell that a spreadsheet would run as a formula begins with an apostrophe (OWASP, "CSV
/// Injection").
package enum CSVExport {
    package static let head =
        "loop,cycle,startedAt,revision,verdict,suite,priority,test,outcome,durationSeconds,message\r\n"

    package static func rows(_ record: CycleRecord, _ context: ExportContext) -> String {
        var text = ""
        for suite in record.suites {
            let start = [
                record.loop, String(record.cycle), record.startedAt.wholeSeconds, record.revision.wanted.id,
                record.verdict.rawValue, suite.name, "P\(suite.priority)",
            ].map(cell).joined(separator: ",")
            for test in Export.tests(suite, context) {
                let seconds = test.durationSeconds.map { Numbers.fixed(max(0, $0), decimals: 3) } ?? ""
                let end = [test.id, test.outcome.rawValue, seconds, test.message ?? ""].map(cell)
                text += "\(start),\(end.joined(separator: ","))\r\n"
            }
            if let doubt = Export.doubt(suite, context) {
                text +=
                    "\(start),\(["", Export.status(suite, context), "", doubt].map(cell).joined(separator: ","))\r\n"
            }
        }
        return text
    }

    /// Quoted where it must be; what begins like a formula begins with an apostrophe.
    static func cell(_ text: String) -> String {
        var plain = Printable.line(text, columns: 1000)
        // Spreadsheets also strip space before they look.
        if let first = plain.first(where: { $0 != " " && $0 != "\"" }), "=+-@|%\\".contains(first), Double(plain) == nil
        {
            plain = "'" + plain
        }
        guard plain.contains(where: { $0 == "\"" || $0 == "," || $0 == ";" }) else { return plain }
        return "\"" + plain.replacing("\"", with: "\"\"") + "\""
    }
}

/// An in-toto statement v1 with the predicate `test-result` v0.1 (github.com/in-toto/attestation, spec/predicates).
package enum AttestationExport {
    private struct Statement: Encodable {
        var type = "https://in-toto.io/Statement/v1"
        var subject: [Resource]
        var predicateType = "https://in-toto.io/attestation/test-result/v0.1"
        var predicate: Predicate

        enum CodingKeys: String, CodingKey {
            case type = "_type"
            case subject, predicateType, predicate
        }
    }
    private struct Resource: Encodable {
        var name: String
        var digest: [String: String]?
        var annotations: [String: String]?
    }
    private struct Predicate: Encodable {
        /// `PASSED`, `WARNED` or `FAILED`.
        var result: String
        var configuration: [Resource]
        var passedTests: [String]
        var warnedTests: [String]
        var failedTests: [String]
    }

    package static func text(_ record: CycleRecord, _ context: ExportContext) throws -> String {
        var predicate = Predicate(
            result: context.damage.isEmpty ? result(record) : "FAILED", configuration: [configuration(record)],
            passedTests: [], warnedTests: [],
            failedTests: [])
        for suite in record.suites {
            let muted = record.reasons.filter { $0.subject == suite.name && $0.rule == "quarantine" }
            for test in Export.tests(suite, context) {
                let name = "\(suite.name): \(test.id)"
                switch test.outcome {
                case .passed: predicate.passedTests.append(name)
                case .flaky: predicate.warnedTests.append(name)
                case .failed, .errored, .timedOut:
                    if muted.contains(where: { $0.text.hasPrefix(test.id + " ") }) {
                        predicate.warnedTests.append(name)
                    } else {
                        predicate.failedTests.append(name)
                    }
                // Neither has been tested; the predicate has no word for them, and silence is no pass.
                case .skipped, .notRun: break
                }
            }
            if let doubt = Export.doubt(suite, context) { predicate.failedTests.append("\(suite.name): \(doubt)") }
        }
        return try JSONText.pretty(Statement(subject: subject(record, context), predicate: predicate)) + "\n"
    }

    private static func result(_ record: CycleRecord) -> String {
        switch record.verdict {
        case .healthy: "PASSED"
        case .degraded: "WARNED"
        case .failing, .unproven, .interrupted: "FAILED"
        }
    }

    /// The revision, and the evidence: a revision that is no commit has no digest of its own.
    private static func subject(_ record: CycleRecord, _ context: ExportContext) -> [Resource] {
        let wanted = record.revision.wanted.id
        let isCommit = [40, 64].contains(wanted.utf8.count) && wanted.utf8.allSatisfy(isHexadecimal)
        var subjects: [Resource] = []
        if isCommit { subjects.append(Resource(name: record.loop, digest: ["gitCommit": wanted])) }
        if let hash = context.documentSHA256 {
            subjects.append(
                Resource(
                    name: "\(record.loop)/cycles/\(record.cycle)/cycle.json", digest: ["sha256": hash],
                    annotations: ["revision": wanted, "verdict": record.verdict.rawValue]))
        }
        return subjects
    }

    private static func configuration(_ record: CycleRecord) -> Resource {
        let hash = record.settingsHash
        let isDigest = hash.utf8.count == 64 && hash.utf8.allSatisfy(isHexadecimal)
        return Resource(
            name: "settings", digest: isDigest ? ["sha256": hash] : nil,
            annotations: isDigest ? nil : ["hash": hash])
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte)
    }
}
