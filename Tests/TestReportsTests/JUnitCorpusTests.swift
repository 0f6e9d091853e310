// SPDX-License-Identifier: Apache-2.0
// Reports that other people's tools wrote, against counts taken by another parser.

import Domain
import Foundation
import TestReports
import Testing

@Suite(.enabled(if: corpus != nil, "no corpus of reports on this machine"))
struct JUnitCorpusTests {
    /// Rows on which this reader deliberately answers differently, each with its reason.
    static let exceptions: [String: String] = [
        "junit-synthetic/raw-escape-byte.xml": "raw ESC is tolerated and noted",
        "junit-synthetic/charref-escape.xml": "a reference to ESC is tolerated and noted",
        "junit/lukejpreston-xunit-viewer__data__utf-16.xml":
            "the encoding is declared as \"UTF-16 LE\" with a space; the byte order mark tells the truth",
        "junit-synthetic/time-variants.xml": "1.234,56 is read as 1234.56; the oracle ignores it",
    ]

    @Test(arguments: ["junit", "junit-synthetic"])
    func `every row of the corpus reads as expected`(folder: String) throws {
        let folderURL = try #require(corpus).appendingPathComponent(folder)
        let rows = try readCSV(folderURL.appendingPathComponent("EXPECTED.csv"))
        #expect(!rows.isEmpty)
        for row in rows {
            let name = try #require(row["file"])
            let bytes = [UInt8](try Data(contentsOf: folderURL.appendingPathComponent(name)))
            let difference = Self.difference(bytes, row)
            if Self.exceptions["\(folder)/\(name)"] != nil {
                #expect(difference != nil, "\(name) needs no exception any more")
            } else {
                #expect(difference == nil, "\(name)")
            }
        }
    }

    @Test func `tolerated control bytes are named with their place`() throws {
        let folder = try #require(corpus).appendingPathComponent("junit-synthetic")
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("raw-escape-byte.xml")))
        let reading = try JUnitReader.read(bytes)
        #expect(reading.results.map(\.outcome) == [.failed])
        #expect(reading.notes.first == "tolerated: raw control byte 0x1b at line 2, column 61")
    }

    @Test func `no report of another format reads as JUnit`() throws {
        let folder = try #require(corpus).appendingPathComponent("other-xml")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        where name != "EXPECTED.csv" {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            let found = damage(of: bytes)
            #expect(found != nil, "\(name)")
            if case .foreign(let root, nil) = found?.kind { Issue.record("\(name): <\(root)> is not named") }
        }
    }

    /// What differs between the row and what this reader says, or nil.
    static func difference(_ bytes: [UInt8], _ row: [String: String]) -> String? {
        let isForeign = row["notes"]?.contains("root-not-junit") ?? false
        do throws(ReportDamage) {
            let reading = try JUnitReader.read(bytes)
            if row["parse"] != "ok" || isForeign { return "read although \(row["error_msg"] ?? "")" }
            let totals = reading.totals
            let ours = [
                "tests": totals.tests, "failures": totals.failed, "errors": totals.errored, "skipped": totals.skipped,
                "passed": totals.passed + totals.flaky,
            ]
            for (key, value) in ours where row[key] != String(value) { return "\(key) \(value), not \(row[key] ?? "")" }
            let sum = reading.results.reduce(0) { $0 + ($1.durationSeconds ?? 0) }
            let expected = Double(row["time_sum"] ?? "") ?? 0
            if abs(sum - expected) > 1e-5 * max(1, abs(expected)) { return "time \(sum), not \(expected)" }
            if row["notes"]?.contains("suite-level-error") ?? false, reading.isGreen {
                return "green in spite of its suite"
            }
            return nil
        } catch {
            return row["parse"] == "ok" && !isForeign ? "\(error)" : nil
        }
    }
}
