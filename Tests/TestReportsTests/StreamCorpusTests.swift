// SPDX-License-Identifier: Apache-2.0
// Event streams that other people's tools wrote, against counts taken by other parsers.

import Domain
import Foundation
import TestReports
import Testing

@Suite(.enabled(if: corpus != nil, "no corpus of reports on this machine"))
struct StreamCorpusTests {
    /// TAP streams on whose color this reader deliberately disagrees with the oracle (tapjs), each with its reason.
    static let exceptions: [String: String] = [
        "die.tap": "an empty stream is no pass",
        "empty.tap": "an empty stream is no pass",
        "out_err_mix.tap": "a stream without a line of TAP is no pass",
        "skip-all-with-assert.tap": "a test that ran although the plan skips all is a contradiction",
        "space_after_plan.tap": "white space behind the plan is harmless",
        "out_of_order.tap": "not green in both; points behind the closing plan are kept as results here",
        "strict.tap": "pragma +strict is not followed: stray lines are tolerated",
        "pragma-mid-child-strict.tap": "pragma +strict is not followed: stray lines are tolerated",
        "version_old-strict.tap": "pragma +strict is not followed: stray lines are tolerated",
    ]

    private func rows(_ name: String) throws -> [([String: String], [UInt8])] {
        let folder = try #require(corpus).appendingPathComponent("streams")
        let rows = try readCSV(folder.appendingPathComponent(name))
        #expect(!rows.isEmpty)
        return try rows.map { row in
            (row, [UInt8](try Data(contentsOf: folder.appendingPathComponent(row["file"] ?? ""))))
        }
    }

    @Test func `go test streams count as expected`() throws {
        for (row, bytes) in try rows("EXPECTED-go-json.csv") {
            let name = row["file"] ?? ""
            func number(_ key: String) -> Int { Int(row[key] ?? "") ?? -1 }
            let reading = try GoTestJSONReader.read(bytes)
            let totals = reading.totals
            #expect(totals.tests == number("distinct_tests"), "\(name)")
            #expect(totals.errored == number("unfinished"), "\(name)")
            #expect(totals.flaky == number("mixed"), "\(name)")
            if number("mixed") == 0 {
                #expect(totals.failed == number("failed"), "\(name)")
                #expect(totals.skipped == number("skipped"), "\(name)")
                #expect(totals.passed == number("passed"), "\(name)")
            }
            if number("pkg_fail") + number("unfinished") > 0 && number("mixed") == 0 {
                #expect(!reading.isGreen, "\(name)")
            }
            #expect(
                reading.notes.contains("\(number("nonjson")) lines were no JSON") == (number("nonjson") > 0), "\(name)")
        }
    }

    @Test func `CTRF reports count as expected`() throws {
        for (row, bytes) in try rows("EXPECTED-ctrf.csv") {
            func number(_ key: String) -> Int { Int(row[key] ?? "") ?? -1 }
            let reading = try CTRFReader.read(bytes)
            let totals = reading.totals
            #expect(totals.tests == number("tests"))
            #expect(totals.passed + totals.flaky == number("passed"))
            #expect(totals.flaky == number("flaky"))
            #expect(totals.failed == number("failed"))
            #expect(totals.skipped == number("skipped") + number("pending"))
            #expect(reading.results.reduce(0) { $0 + ($1.retries ?? 0) } == number("retries"))
            #expect(reading.disagreements.isEmpty == (row["agree"] == "True"))
        }
    }

    @Test func `TAP streams are green where another parser says so`() throws {
        for (row, bytes) in try rows("EXPECTED-tap-tapjs.csv") {
            let name = (row["file"] ?? "").components(separatedBy: "fixtures__").last ?? ""
            let difference = Self.difference(bytes, row)
            if Self.exceptions[name] != nil {
                #expect(difference != nil, "\(name) needs no exception any more")
            } else {
                #expect(difference == nil, "\(name)")
            }
        }
    }

    static func difference(_ bytes: [UInt8], _ row: [String: String]) -> String? {
        do throws(ReportDamage) {
            let reading = try TAPReader.read(bytes)
            let ok = reading.totals.failing == 0 && reading.suiteProblems.isEmpty
            if ok != (row["ok"] == "true") { return "ok \(ok): \(reading.suiteProblems)" }
            let points = reading.results.count { !$0.id.contains(" > ") }
            if String(points) != row["count"] { return "\(points) points, not \(row["count"] ?? "")" }
            return nil
        } catch {
            return row["ok"] == "true" ? "\(error)" : nil
        }
    }
}
