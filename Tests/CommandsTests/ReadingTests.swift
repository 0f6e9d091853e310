// SPDX-License-Identifier: Apache-2.0
// The commands that read: against a state folder, without any daemon.

import Domain
import Evidence
import Foundation
import Reporting
import Testing

@testable import Commands

@Suite struct ReadingTests {
    private let fixture: LoopFixture

    init() throws {
        fixture = LoopFixture()
        try fixture.seal([
            LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa"),
            LoopFixture.record(2, .unproven, .hold, revision: "bbbbbbb"),
            LoopFixture.record(3, .failing, .hold, revision: "ccccccc", incidents: [LoopFixture.incident]),
        ])
    }

    @Test func `a state folder with one loop needs no name`() async throws {
        #expect(await fixture.run("show", "--state", "state").code == .ok)
        #expect(await fixture.run("show", "--state", "state/staging").code == .ok)
        #expect(await fixture.run("show", "--state", "state", "--loop", "staging").code == .ok)
        let wrong = await fixture.run("show", "--state", "state", "--loop", "stagin")
        #expect(wrong.code == .notFound)
        #expect(wrong.error.contains("it holds staging; did you mean 'staging'?"))
        #expect(await fixture.run("show", "--state", "nowhere").code == .notFound)
        #expect(await fixture.run("show").code == .notFound)
        #expect(await fixture.run("show", "--state", "state", "--config", "x").code == .notFound)
        try FileManager.default.createDirectory(
            atPath: "\(fixture.folder)/state/other/journal", withIntermediateDirectories: true)
        let several = await fixture.run("show", "--state", "state")
        #expect(several.code == .usage)
        #expect(several.error.contains("holds other, staging; choose one with --loop"))
    }

    @Test func `show prints the cycle that was asked for`() async throws {
        let latest = await fixture.run("show", "--state", "state")
        #expect(latest.output.hasPrefix("staging #3  FAILING  HOLD ccccccc\n"))
        #expect(latest.output.contains("evidence  state/staging/cycles/000003"))
        #expect(await fixture.run("show", "#1", "--state", "state").output.hasPrefix("staging #1  HEALTHY  SHIP"))
        #expect(await fixture.run("show", "9", "--state", "state").code == .notFound)
        #expect(await fixture.run("show", "x", "--state", "state").code == .usage)
        #expect(await fixture.run("show", "--json", "--html", "--state", "state").code == .usage)
        #expect(await fixture.run("show", "--html", "--state", "state").output.hasPrefix("<!doctype html>"))
        #expect(await fixture.run("show", "--markdown", "--state", "state").output.hasPrefix("# staging \\#3"))
    }

    @Test func `show as JSON is the file, byte for byte`() async throws {
        let result = await fixture.run("show", "3", "--json", "--state", "state")
        let file = try String(contentsOfFile: fixture.layout.document(3), encoding: .utf8)
        #expect(result.output == file + "\n")
        let terminal = await fixture.run(["show", "3", "--json", "--state", "state"], isTerminal: true)
        #expect(!terminal.output.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `a damaged document is unproven, not a crash`() async throws {
        try Data("{\"schema\":\"nightjar.cycle/1\"".utf8).write(to: URL(fileURLWithPath: fixture.layout.document(3)))
        let result = await fixture.run("show", "--state", "state")
        #expect(result.code == .unproven)
        #expect(result.error.contains("cycle.json"))
    }

    @Test func `cycles are listed newest first`() async throws {
        let all = await fixture.run("cycles", "--state", "state")
        let lines = all.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "+?R")
        #expect(lines[4].hasPrefix("#3") && lines.contains { $0.hasPrefix("#1") })
        let failing = await fixture.run("cycles", "--verdict", "failing", "--json", "--state", "state")
        #expect(failing.output.contains("\"cycle\" : 3") && !failing.output.contains("\"cycle\" : 1"))
        #expect(await fixture.run("cycles", "-n", "0", "--state", "state").code == .usage)
    }

    @Test func `why finds the newest cycle that saw an incident`() async throws {
        for word in ["57", "inc-57", "INC-57"] {
            let result = await fixture.run("why", word, "--state", "state")
            #expect(result.code == .ok && result.output.contains("streaming chat times out"))
        }
        let unknown = await fixture.run("why", "INC-58", "--state", "state")
        #expect(unknown.code == .notFound && unknown.error.contains("did you mean 'INC-57'?"))
        #expect(await fixture.run("why", "--cycle", "1", "--state", "state").output.contains("has no incidents"))
    }

    @Test func `tail filters by cycle and mark`() async throws {
        #expect(await fixture.run("tail", "--state", "state").code == .notFound)
        try fixture.log([
            (LogLine(.going, "daemon", "started"), 0), (LogLine(.ok, "test", "P0 chat 1/1"), 2),
            (LogLine(.fail, "test", "P0 chat \u{1B}[2J 0/1"), 3),
        ])
        let all = await fixture.run("tail", "--state", "state")
        #expect(all.output.split(separator: "\n").count == 3)
        #expect(await fixture.run("tail", "-n1", "--state", "state").output.contains("#3 FAIL"))
        let third = await fixture.run("tail", "--cycle", "3", "--json", "--state", "state")
        #expect(third.output.split(separator: "\n").count == 1)
        #expect(third.output.contains("\"mark\":\"FAIL\""))
        #expect(await fixture.run("tail", "--mark", "ok", "--state", "state").output.contains("1/1"))
        let none = await fixture.run("tail", "--cycle", "77", "--state", "state")
        #expect(none.code == .notFound && none.error.contains("no line of cycle #77"))
        #expect(await fixture.run("tail", "--mark", "OK", "--state", "state").code == .usage)
    }

    @Test func `status says that nothing runs, and the verdict is its exit code`() async throws {
        let result = await fixture.run("status", "--state", "state")
        #expect(result.code == .failing)
        #expect(result.output.contains("RED 70m (since 02:13Z)"))
        #expect(result.output.contains("nothing: no daemon runs this loop"))
        #expect(result.output.contains("INC-57   P0"))
        #expect(await fixture.run("status", "--json", "--state", "state").output.contains("\"light\" : \"red\""))
    }

    @Test func `an interrupted cycle leaves the light as it was, and is named`() async throws {
        try fixture.seal([LoopFixture.record(4, .interrupted, .hold, revision: "ccccccc")])
        let red = await fixture.run("status", "--state", "state", columns: 200)
        #expect(red.code == .failing)
        #expect(red.output.contains("RED 70m (since 02:13Z)"))
        #expect(red.output.contains("act: ccccccc is live and failing"))
        #expect(red.output.contains("#4 was interrupted and says nothing: the verdict is that of #3"))
        let shown = await fixture.run("show", "4", "--state", "state")
        #expect(!shown.output.contains("at risk") && !shown.output.contains("protected"))

        let well = LoopFixture()
        try well.seal([
            LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa"),
            LoopFixture.record(2, .interrupted, .hold, revision: "aaaaaaa"),
        ])
        let green = await well.run("status", "--json", "--state", "state")
        #expect(green.code == .ok)
        #expect(green.output.contains("\"light\" : \"green\"") && green.output.contains("\"interruptedSince\" : 2"))
        #expect(green.output.contains("\"servingState\" : \"green\""))
        let report = await well.run("report", "--cycles", "1..2", "--state", "state", columns: 200)
        #expect(report.output.contains("Ship aaaaaaa: the newest cycle that was not interrupted is healthy"))
    }

    @Test func `a status with a damaged journal says so`() async throws {
        try FileManager.default.createDirectory(atPath: fixture.layout.journal, withIntermediateDirectories: true)
        try Data("{\"kind\":\"newThing\",\"seq\":1,\"cycle\":0,\"at\":\"2026-11-21T02:00:00Z\"}\n".utf8).write(
            to: URL(fileURLWithPath: fixture.layout.segment(1)))
        let result = await fixture.run("status", "--state", "state")
        #expect(result.output.contains("repair the journal") && result.output.contains("newer"))
    }

    @Test func `verify names what is not as it was sealed`() async throws {
        let result = await fixture.run("verify", "--state", "state")
        #expect(result.code == .failing)
        #expect(result.output.hasPrefix("NOT INTACT: 0 of 3 sealed cycles"))
        #expect(await fixture.run("verify", "--cycle", "9", "--state", "state").code == .notFound)
    }

    @Test func `keep pins a cycle and lets it go again`() async throws {
        let pin = fixture.layout.pin(1)
        #expect(await fixture.run("keep", "1", "--state", "state").output == "cycle #1 is kept\n")
        #expect(FileManager.default.fileExists(atPath: pin))
        #expect(await fixture.run("keep", "1", "--undo", "--state", "state").code == .ok)
        #expect(!FileManager.default.fileExists(atPath: pin))
        #expect(await fixture.run("keep", "--state", "state").code == .usage)
    }

    @Test func `the lock's holder is found without touching the lock`() {
        let table = """
            1: POSIX  ADVISORY  WRITE 77 08:01:42 0 EOF
            2: FLOCK  ADVISORY  WRITE 4711 08:01:42 0 EOF
            2: -> FLOCK  ADVISORY  WRITE 9 08:01:43 0 EOF
            3: FLOCK  ADVISORY  WRITE 0 08:01:44 0 EOF
            """
        #expect(holder(42, table) == "4711")
        #expect(holder(43, table) == "none")
        #expect(holder(44, table) == "unknown")
    }

    private func holder(_ inode: UInt64, _ table: String) -> String {
        guard let holder = LoopHolder.find(inode: inode, in: table) else { return "none" }
        return holder.pid.map(String.init) ?? "unknown"
    }
}

@Suite struct FollowingTests {
    @Test func `a log is followed across rotation, and a line only counts when it ended`() throws {
        let fixture = LoopFixture()
        let path = "\(fixture.folder)/cycle.log"
        var log = LogFollower(path: path)
        #expect(log.newLines().isEmpty)
        try fixture.write("one\ntwo\nthr", to: "cycle.log")
        #expect(log.last(1) { _ in true } == ["two"])
        try append("ee\n", path)
        #expect(log.newLines() == ["three"])
        try append("four\n", path)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try fixture.write("five\n", to: "cycle.log")
        #expect(log.newLines() == ["four", "five"])
        #expect(log.newLines().isEmpty)
    }

    private func append(_ text: String, _ path: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }
}
