// SPDX-License-Identifier: Apache-2.0
// `nightjar flakes` over a history on disk.

import Commands
import Domain
import Evidence
import Foundation
import Platform
import Testing

@Suite struct FlakesTests {
    private let fixture = LoopFixture()

    /// `test_b` fails in every fifth of 40 cycles, each revision lives for four; `test_c` fails on one revision only.
    private func write() throws {
        var store = try HistoryStore(fixture.layout)
        for number in 1...40 {
            let revision = Revision("r\(number / 4)")
            let tests = [
                HistoryRun.Test(id: "chat::test_a", outcome: .passed, durationSeconds: 0.1),
                HistoryRun.Test(id: "chat::test_b", outcome: number % 5 == 0 ? .failed : .passed),
                HistoryRun.Test(id: "chat::test_c", outcome: number / 4 == 6 ? .failed : .passed),
            ]
            let at = LoopFixture.now + .seconds(-600 * (40 - number))
            let run = HistoryRun(suite: "chat", revision: revision, startedAt: at, durationSeconds: 3, tests: tests)
            try store.append(
                HistoryCycle(cycle: number, endedAt: at, verdict: .degraded, revision: revision, runs: [run]))
        }
    }

    private func run(_ words: String...) async -> CommandResult {
        await fixture.run(["flakes"] + words + ["--state", "state"])
    }

    @Test func `a loop without a history is no error`() async throws {
        try fixture.log([(LogLine(.ok, "start", "here"), 1)])
        let result = await run()
        #expect(result.code == .ok)
        #expect(result.output == "loop 'staging' has no history of tests there yet\n")
        #expect(await run("some").code == .notFound)
        #expect(await run("--json").output.contains("\"tests\" : [\n\n  ]"))
    }

    @Test func `the flaky test is listed and the broken one is not`() async throws {
        try write()
        try fixture.log([(LogLine(.ok, "start", "here"), 1)])
        let result = await run()
        #expect(result.code == .ok)
        #expect(result.output.contains("7/39"))
        #expect(result.output.contains("chat::test_b"))
        #expect(!result.output.contains("chat::test_c"))
        #expect(result.output.contains("1 test failed, never where they also pass; 1 test never failed"))
    }

    @Test func `cycles and time narrow it down`() async throws {
        try write()
        try fixture.log([(LogLine(.ok, "start", "here"), 1)])
        #expect(await run("--cycles", "6..9").output.contains("no test both passed and failed"))
        #expect(await run("--cycles", "36..").output.contains("cycles #36 to #40"))
        #expect(await run("--since", "1h").output.contains("cycles #34 to #40"))
        for words in [["--cycles", "9..6"], ["--cycles", "0..3"], ["--since", "yesterday"], ["--limit", "0"]] {
            #expect(await fixture.run(["flakes", "--state", "state"] + words).code == .usage, "\(words)")
        }
        let missing = await run("--suite", "chta")
        #expect(missing.code == .notFound)
        #expect(missing.error.contains("did you mean 'chat'?"))
    }

    @Test func `one test shows its strip, by a part of its name`() async throws {
        try write()
        try fixture.log([(LogLine(.ok, "start", "here"), 1)])
        let result = await run("test_c")
        #expect(result.code == .ok)
        #expect(result.output.contains("#1   .......................FFFF............."))
        #expect(await run("test_").error.contains("names 3 tests"))
        #expect(await run("test_").code == .usage)
        #expect(await run("tset_x").code == .notFound)
        #expect(await run("test_c", "--json").output.contains("\"mixedRevisions\" : 0"))
    }

    @Test func `the quarantine of the configuration is marked`() async throws {
        try write()
        try fixture.write(
            """
            { loop: { name: "staging", mode: "observe" }, state: "state",
              health: { checks: [{ command: ["true"] }] },
              suites: [{ name: "chat", priority: "P0", command: ["true", "{report}"], report: { format: "junit" } }],
              quarantine: [{ test: "*test_b", owner: "chat-team", reason: "race", until: "2026-12-31" }] }
            """, to: "nightjar.json5")
        let result = await fixture.run("flakes")
        #expect(result.error == "")
        #expect(result.output.contains("chat::test_b (quarantined)"))
        #expect(await fixture.run("flakes", "test_b").output.contains("until 2026-12-31 by chat-team: race"))
    }

    @Test func `a baseline is accepted for a reason, for a suite that is there, and written down`() async throws {
        try write()
        try fixture.log([(LogLine(.ok, "start", "here"), 1)])
        func accept(_ words: String...) async -> CommandResult {
            await fixture.run(["accept-baseline", "--state", "state", "--by", "ann"] + words)
        }
        #expect(await accept("chat").code == .usage)
        #expect(await accept("chat", "--reason", "").code == .usage)
        let missing = await accept("chta", "--reason", "split")
        #expect(missing.code == .notFound)
        #expect(missing.error.contains("did you mean 'chat'?"))
        #expect(try AcceptedBaseline.all(fixture.layout).isEmpty)
        let done = await accept("chat", "--reason", "split")
        #expect(done.code == .ok)
        #expect(done.output == "staging: suite chat: baseline accepted by ann after #0: split; it learns anew\n")
        var accepted = AcceptedBaseline(suite: "chat", by: "ann", reason: "split", at: LoopFixture.now, cycle: 0)
        accepted.uid = ThisProcess.userID
        #expect(try AcceptedBaseline.all(fixture.layout) == [accepted])
        let log = try String(contentsOfFile: fixture.layout.cycleLog, encoding: .utf8)
        #expect(log.contains("baseline accepted by ann"))
    }
}
