// SPDX-License-Identifier: Apache-2.0
// Exports over real evidence: of the revision that was asked for, and never without the results that they lack.

import Commands
import Domain
import Evidence
import Foundation
import Platform
import Testing

@Suite struct ExportCommandTests {
    private let fixture = LoopFixture()
    private static let file = "test-1-chat/tests.jsonl"

    private func record(_ cycle: Int, _ verdict: Verdict, revision: String) -> CycleRecord {
        var record = LoopFixture.record(
            cycle, verdict, verdict == .healthy ? .ship : .hold, revision: revision)
        record.suites[0].testsFile = Self.file
        return record
    }

    /// Cycles with one passing test each.
    private func seal(_ records: [CycleRecord]) async throws {
        for record in records {
            let folder = fixture.layout.cycle(record.cycle)
            try Files.createDirectories(folder + "/test-1-chat")
            _ = try TestsFile.write(
                [TestResult(id: "chat::answers", outcome: .passed)], to: "\(folder)/\(Self.file)")
        }
        try await fixture.sealAndJournal(records)
    }

    private func show(_ words: String...) async -> CommandResult {
        await fixture.run(["show", "--state", "state"] + words)
    }

    @Test func `results that are gone or changed are named, and the exit status is 3`() async throws {
        try await seal([record(1, .healthy, revision: "aaaaaaa")])
        let path = "\(fixture.layout.cycle(1))/\(Self.file)"
        let formats = ["junit", "ctrf", "csv", "intoto"]
        for format in formats {
            let whole = await show("--format", format)
            #expect(whole.code == .ok && whole.output.contains("answers"), "\(format): \(whole.error)")
        }
        try Data("{\"id\":\"chat::forged\",\"outcome\":\"passed\"}\n".utf8).write(to: URL(fileURLWithPath: path))
        for format in formats {
            let changed = await show("--format", format)
            #expect(changed.code == .unproven, "\(format)")
            #expect(changed.error.contains("#1, suite chat: the results are damaged"), "\(changed.error)")
            #expect(changed.output.contains("it is not what was sealed") && !changed.output.contains("forged"))
        }
        try FileManager.default.removeItem(atPath: path)
        for format in formats {
            let gone = await show("--format", format)
            #expect(gone.code == .unproven && gone.output.contains("the results are gone"), "\(format)")
        }
        #expect(await show("--format", "intoto").output.contains("\"FAILED\""))
        let window = await fixture.run("report", "--cycles", "1..", "--csv", "--state", "state")
        #expect(window.code == .unproven && window.output.contains(",damaged,"))
        let one = await fixture.run("report", "1", "--csv", "--state", "state")
        #expect(one.code == .unproven && one.error.contains("suite chat"))
    }

    @Test func `a revision is looked up by its newest judged cycle`() async throws {
        try await seal([
            record(1, .healthy, revision: "aaaaaaa1"), record(2, .failing, revision: "bbbbbbb2"),
            record(3, .healthy, revision: "aaaaaaa1"), record(4, .interrupted, revision: "aaaaaaa1"),
            record(5, .interrupted, revision: "ccccccc3"), record(6, .failing, revision: "ddddddd4"),
        ])
        #expect(await show("--revision", "aaaaaaa1").output.hasPrefix("staging #3  HEALTHY"))
        #expect(await show("--revision", "AAAAAAA").output.hasPrefix("staging #3  HEALTHY"))
        #expect(await show("--revision", "bbbbbbb2", "--format", "junit").output.contains("staging #2"))
        let report = await fixture.run("report", "--revision", "bbbbbbb2", "--markdown", "--state", "state")
        #expect(report.code == .ok && report.output.hasPrefix("# staging \\#2"), "\(report.output.prefix(40))")
        let none = await show("--revision", "eeeeeee5")
        #expect(none.code == .notFound && none.output.isEmpty)
        #expect(none.error.contains("no cycle of loop 'staging' has judged eeeeeee"))
        let cut = await show("--revision", "ccccccc3", "--format", "junit")
        #expect(cut.code == .notFound && cut.error.contains("#5 was interrupted"), "\(cut.error)")
        #expect(await show("2", "--revision", "bbbbbbb2").code == .usage)
    }

    @Test func `a changed document is not passed on as JSON either`() async throws {
        try await seal([record(1, .failing, revision: "aaaaaaa1")])
        let path = fixture.layout.document(1)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("\"failing\"", with: "\"healthy\"").utf8).write(to: URL(fileURLWithPath: path))
        let result = await show("--json")
        #expect(result.code == .unproven && result.output.isEmpty)
    }
}
