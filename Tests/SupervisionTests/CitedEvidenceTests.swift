// SPDX-License-Identifier: Apache-2.0
// What answers cite is in the cycle folder, word by word, and holds what the answer says.

import Domain
import Evidence
import Platform
import TestSupport
import Testing
import Triage

@testable import Engine
@testable import Supervision

struct CitedEvidenceTests {
    private func cycle(_ fixture: RoleFixture, _ records: [StageRecord]) -> CycleProgress {
        var cycle = CycleProgress(
            number: 7, work: WorkSeen(trigger: .schedule, wanted: fixture.wanted),
            policy: LoopPolicy(fixture.context.settings.current), settingsHash: "",
            startedAt: Timestamp(milliseconds: 0))
        cycle.records = records
        return cycle
    }

    private func record(
        _ fixture: RoleFixture, _ purpose: Purpose, attempt: Int = 1, _ results: [TestResult]
    ) throws -> StageRecord {
        let run = StageRun(
            cycle: 7, kind: .test, purpose: purpose, subject: "unit", attempt: attempt, revision: fixture.wanted)
        let file = run.folder + "/tests.jsonl"
        let folder = fixture.context.layout.cycle(7)
        try Files.createDirectories(Files.parent(of: "\(folder)/\(file)"))
        try TestsFile.write(results, to: "\(folder)/\(file)")
        var record = StageRecord(
            run: run, outcome: .failed, summary: "", startedAt: Timestamp(milliseconds: 0),
            endedAt: Timestamp(milliseconds: 0), durationSeconds: 1)
        record.suite = SuiteReading(
            totals: Totals(results), notPassed: results.filter(\.outcome.isFailure), testsFile: file)
        return record
    }

    @Test func `an excerpt holds the message, at the bytes that it names`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let details = String(repeating: "tern = <Tern> \",\"message\":\"no\n", count: 100)
        let failing = TestResult(
            id: "unit::price", outcome: .failed, message: "price is 20, not 2: \(String(repeating: "é", count: 900))",
            type: "AssertionError", details: details)
        let quiet = TestResult(id: "unit::other", outcome: .passed, durationSeconds: 1)
        let first = try record(fixture, .cycle, [quiet, failing])
        var passed = failing
        passed.outcome = .passed
        passed.message = nil
        let second = try record(fixture, .baseline, attempt: 2, [quiet, passed])
        let found = TriageRoom(context: fixture.context).references(cycle(fixture, [first, second]))
        let reference = try #require(found[TriageCase.referenceKey("unit::price", in: first.run.folder)])
        #expect(reference.excerpt.hasPrefix("\"message\":\"price is 20, not 2: é"))
        #expect(reference.lines == [2, 2])
        // A run that passed is evidence as well, although nobody selected the test there.
        let pass = try #require(found[TriageCase.referenceKey("unit::price", in: second.run.folder)])
        #expect(pass.excerpt.contains("\"id\":\"unit::price\"") && pass.excerpt.contains("\"outcome\":\"passed\""))
        for reference in [reference, pass] {
            let bytes = try Files.read("\(fixture.context.layout.cycle(7))/\(reference.path)", limit: 1 << 20)
            let range = try #require(reference.bytes)
            #expect(Array(bytes[range[0]..<range[1]]) == Array(reference.excerpt.utf8))
        }
        #expect(found[TriageCase.referenceKey("unit::other", in: first.run.folder)] == nil)
    }

    @Test(arguments: [("abc", 3, "abc"), ("aé", 2, "a"), ("a€", 3, "a"), ("a\u{1F600}", 4, "a"), ("aé", 3, "aé")])
    func `an excerpt ends with a whole character`(_ text: String, _ count: Int, _ kept: String) {
        #expect(Excerpt.text(Array(text.utf8).prefix(count)) == kept)
    }

    @Test func `what the culprit changed is kept in the cycle folder`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let room = TriageRoom(context: fixture.context)
        let kept = await room.keepPatches([fixture.culprit, Revision("0000000"), fixture.culprit], 7)
        #expect(kept.count == 1)
        let patch = try #require(kept[fixture.culprit])
        #expect(patch.path == "patch-\(fixture.culprit.short).diff")
        let text = try fixture.folder.read("state/cycles/000007/\(patch.path)")
        #expect(text == patch.text)
        #expect(text.contains("    Raise\n") && text.contains("\n-2\n+20\n"))
    }

    @Test func `a patch without end is cut at a line, and says so`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let repository = try #require(fixture.context.repository)
        let whole = try #require(await repository.patch(of: fixture.culprit, limit: 1 << 20))
        let cut = try #require(await repository.patch(of: fixture.culprit, limit: 200))
        let lines = cut.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.dropLast().last?.hasPrefix("[cut at 200 bytes; git show \(fixture.culprit.id)") == true)
        #expect(whole.hasPrefix(lines.dropLast(2).joined(separator: "\n") + "\n"))
        #expect(cut.utf8.count < 200 + 120)
    }
}
