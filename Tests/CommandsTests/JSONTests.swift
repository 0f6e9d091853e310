// SPDX-License-Identifier: Apache-2.0
// Whatever prints can print JSON.

import Domain
import Foundation
import Synchronization
import Testing

@testable import Commands

@Suite struct JSONTests {
    private let fixture = LoopFixture()

    /// Text for people, a script for a shell, and what is JSON whatever is asked for.
    private static let withoutJSON: Set = ["help", "completions", "schema"]

    @Test func `every command has --json but for three, which the manual names`() {
        for command in CommandTable.all {
            let name = command.description.name
            let has = command.description.allOptions.contains { $0.name == "json" }
            #expect(has != Self.withoutJSON.contains(name), "\(name)")
        }
        for name in Self.withoutJSON { #expect(CLIManual.text.prefix(900).contains("`\(name)`")) }
    }

    @Test func `status says how the dead-man's ping goes`() async throws {
        try fixture.seal([LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa")])
        try fixture.write(
            """
            { loop: { name: "staging", mode: "observe" }, state: "state",
              deadman: { url: "http://127.0.0.1:1/ping", every: "1m" },
              suites: [{ name: "s", command: ["pytest", "--junitxml={report}"] }] }
            """, to: "nightjar.json5")
        try FileManager.default.createDirectory(
            atPath: "\(fixture.folder)/state/staging/notify", withIntermediateDirectories: true)
        try fixture.write("2026-11-21T03:22:20.000Z\n", to: "state/staging/notify/deadman")
        let well = await fixture.run("status", columns: 200)
        #expect(well.output.contains("deadman ok 40s ago"), "\(well.output)\(well.error)")
        try fixture.write("2026-11-21T03:20:00.000Z connection refused\n", to: "state/staging/notify/deadman")
        #expect(
            await fixture.run("status", columns: 200).output.contains("deadman NOT taken for 3m: connection refused"))
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `init and keep say as JSON what they did`() async throws {
        let printed = try object(await fixture.run("init", "--print", "--json").output)
        #expect(printed["written"] as? Bool == false && printed["file"] as? String == "nightjar.json5")
        #expect((printed["configuration"] as? String)?.contains("mode") == true)
        #expect(try object(await fixture.run("init", "--json").output)["written"] as? Bool == true)
        try fixture.seal([LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa")])
        let kept = try object(await fixture.run("keep", "1", "--json", "--state", "state").output)
        #expect(kept["cycle"] as? Int == 1 && kept["kept"] as? Bool == true)
        let left = try object(await fixture.run("keep", "1", "--undo", "--json", "--state", "state").output)
        #expect(left["kept"] as? Bool == false)
    }

    @Test func `a line of the log is an object that names its loop where there are several`() async throws {
        let collected = Collected()
        let output = Output(standardOutput: { collected.add($0) }, standardError: { _ in })
        let log = TerminalLog(output, toOutput: true, isJSON: true)
        log.write("2026-11-21T02:31:07Z #214 FAIL test      P0 chat 24/25", of: "staging")
        await log.clear()
        let line = try object(collected.text)
        #expect(line["loop"] as? String == "staging" && line["cycle"] as? Int == 214)
        #expect(line["mark"] as? String == "FAIL" && line["text"] as? String == "P0 chat 24/25")
    }

    @Test func `probe looks once, and says with its status whether all is well`() async throws {
        func configure(_ health: String, _ targets: String = "[]") throws {
            try fixture.write(
                """
                { loop: { name: "a", mode: "observe" }, health: \(health), targets: \(targets),
                  suites: [{ name: "s", command: ["pytest", "--junitxml={report}"] }] }
                """, to: "nightjar.json5")
        }
        let live = "liveRevision: { command: ['echo', 'abc1234'], answers: 3 }"
        try configure(
            "{ checks: [{ name: 'door', command: ['true'] }], \(live) }",
            "[{ name: 'size', limit: '10 ms', command: ['echo', '4 ms'] }, { name: 'slow', limit: '1s', tests: '*' }]")
        let well = await fixture.run("probe")
        #expect(well.code == .ok, "\(well.output)\(well.error)")
        #expect(well.output.hasPrefix("a  WELL  3 of 3 are well\n"), "\(well.output)")
        #expect(well.output.contains("abc1234 in 3/3 answers") && well.output.contains("4 ms <= 10 ms, 60 % better"))
        #expect(well.output.contains("skip target slow"))
        try configure(
            "{ checks: [{ name: 'door', command: ['false'] }], \(live) }",
            "[{ name: 'size', limit: '1 ms', command: ['echo', '4 ms'] }]")
        let unwell = await fixture.run("probe", "--json")
        #expect(unwell.code == .failing)
        let look = try object(unwell.output)
        #expect(look["isWell"] as? Bool == false && look["loop"] as? String == "a")
        #expect((look["checks"] as? [[String: Any]])?.first?["ok"] as? Bool == false)
        #expect((look["targets"] as? [[String: Any]])?.first?["status"] as? String == "missed")
        try configure("{}")
        #expect(await fixture.run("probe").code == .unproven)
        #expect(!FileManager.default.fileExists(atPath: "\(fixture.folder)/.nightjar"))
    }
}

/// What was written, by whatever thread.
private final class Collected: Sendable {
    private let written = Mutex("")

    func add(_ text: String) { written.withLock { $0 += text } }
    var text: String { written.withLock { $0 } }
}
