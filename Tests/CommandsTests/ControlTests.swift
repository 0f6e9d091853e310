// SPDX-License-Identifier: Apache-2.0
// The commands that steer, against a socket that answers as a daemon would; and those about configurations.

import Domain
import Evidence
import Foundation
import Platform
import Synchronization
import Testing

@testable import Commands

@Suite struct ControlTests {
    /// Answers one request on the fixture's socket; the request is there when `run` has returned.
    private final class Daemon: Sendable {
        let request = Mutex("")
        private let listener: SocketListener

        init(_ path: String, reply: String) throws {
            let listener = try SocketListener.unix(path: path)
            self.listener = listener
            Thread.detachNewThread { [self] in
                guard let socket = try? listener.accept(deadline: .after(.seconds(30))) else { return }
                let bytes = (try? socket.read(upTo: 4096, deadline: .after(.seconds(30)))) ?? []
                request.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
                try? socket.write(Array(reply.utf8), deadline: .after(.seconds(30)))
                socket.shutdown()
            }
        }
    }

    private func fixture() throws -> LoopFixture {
        let fixture = LoopFixture()
        try FileManager.default.createDirectory(atPath: fixture.layout.cycles, withIntermediateDirectories: true)
        return fixture
    }

    @Test func `a pause carries its reason and its end`() async throws {
        let fixture = try fixture()
        let daemon = try Daemon(
            fixture.layout.controlSocket, reply: "{\"ok\":true,\"message\":\"paused until 05:23Z\\u001b[2J\"}\n")
        let result = await fixture.run("pause", "-m", "upgrade", "--for", "2h", "--state", "state")
        #expect(result.code == .ok)
        #expect(result.output == "paused until 05:23Z\\u{1B}[2J\n")
        let line = daemon.request.withLock { $0 }
        let request = try JSONDecoder().decode(ControlRequest.self, from: Data(line.utf8))
        #expect(
            request
                == ControlRequest(
                    verb: .pause, by: "ann", argument: "upgrade", until: Timestamp("2026-11-21T05:23:00Z")))
    }

    @Test(arguments: [
        ([], nil, ApprovalWords()),
        (["57", "rollback", "--past-migration"], "INC-57", ApprovalWords(subject: .rollback, pastMigration: true)),
        (["fix", "-m", "looks right"], nil, ApprovalWords(subject: .fix, reason: "looks right")),
        (["inc-2", "runbook", "restart"], "INC-2", ApprovalWords(subject: .runbook, name: "restart")),
    ])
    func `an approval carries what it is about`(
        _ words: [String], _ incident: String?, _ answer: ApprovalWords
    ) async throws {
        let fixture = try fixture()
        let daemon = try Daemon(fixture.layout.controlSocket, reply: "{\"ok\":true,\"message\":\"approved\"}\n")
        #expect(await fixture.run(["approve"] + words + ["--state", "state"]).code == .ok)
        let line = daemon.request.withLock { $0 }
        let request = try JSONDecoder().decode(ControlRequest.self, from: Data(line.utf8))
        #expect(request == ControlRequest(verb: .approve, by: "ann", argument: incident, answer: answer))
    }

    @Test func `an approval of nothing that is approved is refused at once`() async throws {
        let fixture = try fixture()
        let wrong = [
            ["INC-1", "rolback"], ["INC-1", "rollback", "x"], ["rollback", "fix", "x"], ["a", "fix", "c", "d"],
        ]
        for words in wrong {
            #expect(await fixture.run(["approve"] + words + ["--state", "state"]).code == .usage, "\(words)")
            #expect(await fixture.run(["reject"] + words + ["--state", "state"]).code == .usage, "\(words)")
        }
    }

    @Test func `a refusal is exit 1 with its reason`() async throws {
        let fixture = try fixture()
        let daemon = try Daemon(fixture.layout.controlSocket, reply: "{\"ok\":false,\"message\":\"nothing runs\"}\n")
        let result = await fixture.run("skip", "--by", "bo", "--state", "state")
        #expect(result.code == .failing)
        #expect(result.error == "nightjar: nothing runs\n")
        #expect(daemon.request.withLock { $0 }.contains("\"by\":\"bo\""))
    }

    @Test func `an answer that is none is exit 5`() async throws {
        let fixture = try fixture()
        let daemon = try Daemon(fixture.layout.controlSocket, reply: "hello\n")
        #expect(await fixture.run("resume", "--state", "state").code == .infrastructure)
        #expect(daemon.request.withLock { $0 }.contains("resume"))
    }

    @Test func `no daemon is exit 6`() async throws {
        let fixture = try fixture()
        let result = await fixture.run("stop", "--state", "state")
        #expect(result.code == .notFound)
        #expect(result.error.contains("no daemon runs loop 'staging'"))
        try Data().write(to: URL(fileURLWithPath: fixture.layout.controlSocket))
        #expect(await fixture.run("stop", "--state", "state").code == .notFound)
    }

    @Test func `a pause needs a reason and a sensible time`() async throws {
        let fixture = try fixture()
        #expect(await fixture.run("pause", "--state", "state").code == .usage)
        #expect(await fixture.run("pause", "-m", " ", "--state", "state").code == .usage)
        for time in ["2", "h", "-1h", "0m", "999999999999h", "1w"] {
            #expect(
                await fixture.run("pause", "-m", "x", "--for=\(time)", "--state", "state").code == .usage, "\(time)")
        }
    }

    @Test func `a pause that replaces another says whose`() async throws {
        let fixture = try fixture()
        let (journal, _) = try await Journal.open(fixture.layout)
        let pause = PauseRequested(owner: "bo", reason: "upgrade", until: LoopFixture.now + .seconds(3600))
        try await journal.append(.pauseRequested(pause), at: LoopFixture.now, cycle: 0, durable: false)
        await journal.close()
        let daemon = try Daemon(fixture.layout.controlSocket, reply: "{\"ok\":true,\"message\":\"paused\"}\n")
        let result = await fixture.run("pause", "-m", "mine", "--state", "state")
        #expect(result.code == .ok && daemon.request.withLock { $0 }.contains("mine"))
        #expect(result.error == "this replaces the pause of bo until 2026-11-21T04:23:00Z: upgrade\n")
    }

    @Test func `whether a loop moves is answered in JSON too`() async throws {
        let fixture = try fixture()
        let result = await fixture.run("status", "--check", "--json", "--state", "state")
        #expect(result.code == .failing)
        #expect(result.output.contains("\"isMoving\" : false") && result.output.contains("no daemon has run here"))
    }

    @Test func `of several loops the one that does not move is the answer`() async throws {
        let fixture = try fixture()
        for loop in ["one", "two"] {
            try FileManager.default.createDirectory(
                atPath: "\(fixture.folder)/both/\(loop)/journal", withIntermediateDirectories: true)
        }
        let result = await fixture.run("status", "--check", "--state", "both")
        #expect(result.code == .failing && result.output == "one: no daemon has run here\n")
    }

    @Test func `files that may not be read are not files that are not there`() {
        let error = Access.denied("/srv/state", EACCES)
        #expect(error?.exitCode == .infrastructure)
        #expect(error?.description.hasPrefix("/srv/state: Permission denied; run this as the user") == true)
        #expect(Access.denied("/srv/state", ENOENT) == nil)
    }

    @Test func `a configuration that is a folder or cannot be used is exit 2`() async throws {
        let fixture = try fixture()
        let folder = await fixture.run("check", "-c", ".")
        #expect(folder.code == .usage)
        #expect(folder.error.contains("it is a folder, not a configuration file"))
    }

    @Test func `a time zone that does not exist is one problem among the others`() async throws {
        let fixture = try fixture()
        func configuration(_ days: String, _ from: String) -> String {
            """
            { loop: { name: 'x', mode: 'observe' },
              schedule: { window: { from: '\(from)', to: '06:00', days: ['\(days)'],
                                    timeZone: 'Mars/Base' } },
              suites: [{ name: 'a', priority: 'P0', command: ['true'], report: { format: 'tap' } }] }
            """
        }
        try fixture.write(configuration("someday", "25:99"), to: "nightjar.json5")
        let all = await fixture.run("check")
        #expect(all.code == .usage && all.error.contains("3 problems"))
        #expect(all.error.contains("nightjar.json5:3:") && all.error.contains("Mars/Base"))
        try fixture.write(configuration("mon", "22:00"), to: "nightjar.json5")
        let one = await fixture.run("check")
        #expect(one.code == .usage && one.error.contains("nightjar.json5:3:"), "\(one.error)")
    }

    @Test func `a branch that does not exist fails the probe`() async throws {
        let fixture = try fixture()
        let made = try await HelperCommand.run(
            ["git", "init", "--quiet", "\(fixture.folder)/repository"],
            environment: ProcessInfo.processInfo.environment, timeout: .seconds(60))
        #expect(made.succeeded, "\(made.errorText)")
        try fixture.write(
            """
            { loop: { name: 'x', mode: 'observe' }, repository: { path: 'repository', ref: 'no-such-branch' },
              suites: [{ name: 'a', priority: 'P0', command: ['true'], report: { format: 'tap' } }] }
            """, to: "nightjar.json5")
        let probed = await fixture.run("check", "--probe", "--quiet")
        #expect(probed.code == .infrastructure, "\(probed.error)")
        #expect(probed.output.contains("no commit is named 'no-such-branch'"))
    }

    @Test func `init writes what check accepts, once`() async throws {
        let fixture = try fixture()
        try fixture.write("[project]\nname = \"app\"\n", to: "pyproject.toml")
        #expect(await fixture.run("check").code == .notFound)
        #expect(await fixture.run("init").code == .ok)
        #expect(await fixture.run("init").code == .usage)
        #expect(await fixture.run("init", "--force").code == .ok)
        let check = await fixture.run("check")
        #expect(check.code == .ok, "\(check.error)")
        #expect(check.output.contains("mode observe"))
        #expect(await fixture.run("check", "--json").output.contains("\"valid\" : true"))
        #expect(await fixture.run("check", "--quiet").output.contains("loop.name") == false)
    }

    @Test func `check lists every problem and probes what is there`() async throws {
        let fixture = try fixture()
        try fixture.write("{ loop: { nam: 'x' }, suites: [{ nme: 'a' }] }", to: "nightjar.json5")
        let broken = await fixture.run("check")
        #expect(broken.code == .usage)
        #expect(broken.error.contains("nam") && broken.error.contains("nme"))
        #expect(await fixture.run("check", "--json").output.contains("\"valid\" : false"))
        try fixture.write(
            """
            { loop: { name: 'x', mode: 'observe' }, secrets: { TOKEN: { fromEnv: 'NOWHERE_TOKEN' } },
              suites: [{ name: 'a', priority: 'P0', command: ['no-such-program-here'], report: { format: 'tap' } }] }
            """, to: "nightjar.json5")
        let probed = await fixture.run("check", "--probe", "--quiet")
        #expect(probed.code == .infrastructure, "\(probed.error)")
        #expect(probed.output.contains("no executable 'no-such-program-here' on PATH"))
        #expect(probed.output.contains("$NOWHERE_TOKEN is not set"))
        #expect(!probed.output.contains("ok   "))
    }

    @Test func `schemas are JSON`() async throws {
        let fixture = try fixture()
        for which in ["config", "cycle"] {
            let result = await fixture.run("schema", which)
            #expect((try? JSONSerialization.jsonObject(with: Data(result.output.utf8))) != nil, "\(which)")
        }
        #expect(await fixture.run("schema", "cylce").error.contains("did you mean 'cycle'?"))
    }
}
