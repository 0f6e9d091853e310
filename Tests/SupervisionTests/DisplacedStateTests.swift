// SPDX-License-Identifier: Apache-2.0
// What a loop stands on is taken away while it runs: its folder, the lock on its environment, or its configuration.

import Domain
import Engine
import Evidence
import Platform
import TestSupport
import Testing

@testable import Configuration
@testable import Supervision

@Suite struct DisplacedStateTests {
    private let loop: LoopFixture

    init() throws {
        loop = try LoopFixture()
    }

    private func reason(_ ending: Ending) -> String {
        if case .displaced(let reason) = ending { reason } else { "ended otherwise: \(ending)" }
    }

    private var quick: String { LoopFixture.suite("api", "printf '1..1\\\\nok 1 - a\\\\n'") }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func `a loop whose folder was moved or removed says so and begins nothing any more`(isMoved: Bool) async throws {
        let host = try await loop.open(try loop.settings("suites: [\(quick)]"))
        let running = Task { await host.run() }
        #expect(await eventually { !loop.ears.sealed.isEmpty })
        if isMoved {
            try Files.rename(loop.folder("state"), to: loop.folder("moved"))
        } else {
            // Atomically out of the way first: a cycle under way writes into a tree that is being removed.
            try Files.rename(loop.folder("state"), to: loop.folder("gone"))
            try Files.removeTree(loop.folder("gone"))
        }
        let ending = await running.value
        #expect(reason(ending).contains("/lock is not the file that this daemon locked"))
        #expect(loop.ears.said.contains("nothing is deployed or tested any more"))
        #expect(!loop.exists("state/\(loop.name)/journal") && !loop.exists("state/\(loop.name)/control.sock"))
        if isMoved {
            #expect(try loop.folder.read("moved/\(loop.name)/cycle.log").contains("nothing is deployed or tested"))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `the heartbeat notices a removed lock during a test, ends the test and keeps off what the next one has made`()
        async throws
    {
        let suites = LoopFixture.suite(
            "api",
            "echo $$ > \(loop.folder("begun.new")); mv \(loop.folder("begun.new")) \(loop.folder("begun")); exec sleep 300"
        )
        let host = try await loop.open(try loop.settings("suites: [\(suites)]"))
        let running = Task { await host.run() }
        #expect(await eventually { loop.exists("begun") })
        try Files.rename(loop.layout.root, to: loop.folder("moved"))
        try Files.createDirectories(loop.layout.root)
        try loop.folder.write("state/\(loop.name)/lock", "process 1 on other\n")
        try loop.folder.write("state/\(loop.name)/control.sock", "of the next one")
        host.supervisor.lookAround()
        #expect(reason(await running.value).contains("is not the file that this daemon locked"))
        #expect(try loop.folder.read("state/\(loop.name)/control.sock") == "of the next one")
        let process = try #require(Int32(try loop.folder.read("begun").trimmingWhitespace))
        #expect(await eventually { ProcessTable.entry(process).map(\.isZombie) ?? true })
    }

    @Test(.timeLimit(.minutes(5)))
    func `the lock on the environment is taken again where its file was removed, and given up where another has it`()
        async throws
    {
        let settings = try loop.settings(
            loop: "mode: \"observe\", environment: \"\(loop.name)-env\"", "suites: [\(quick)]"
        )
        .settings
        let path = EnvironmentPlaces.loopLock(settings)
        defer { try? Files.remove(path) }
        let hold = try EnvironmentHold.take(settings, host: "nj1")
        #expect(try !hold.keep())
        try Files.remove(path)
        #expect(try hold.keep())
        #expect(try FileLock.take(path, owner: "the second") == nil)
        try Files.remove(path)
        let other = try #require(try FileLock.take(path, owner: "the second"))
        #expect(throws: LoopError.self) { try hold.keep() }
        other.release()
        hold.release()
    }

    @Test(.timeLimit(.minutes(5)))
    func `a reload that needs other locks is refused`() async throws {
        let host = try await loop.open(try loop.settings("suites: [\(quick)]"))
        let running = Task { await host.run() }
        #expect(await eventually { !loop.ears.sealed.isEmpty })
        host.reload(
            try loop.settings(loop: "mode: \"observe\", environment: \"another\"", "suites: [\(quick)]"),
            path: "a.json5")
        #expect(
            loop.ears.said.contains("refused, the old configuration stays: a.json5 changes loop.environment from '"))
        host.reload(try loop.settings("suites: [\(quick)], quarantine: []"), path: "b.json5")
        #expect(loop.ears.said.contains("b.json5 is valid: in force from the next cycle on"))
        host.supervisor.tell(.stopRequested(StopRequested(now: true, by: "test")))
        _ = await running.value
    }

    @Test(.timeLimit(.minutes(5)))
    func `a deployment whose folder was replaced meanwhile is not begun`() async throws {
        // A copy takes the place of the folder while the permit is asked: the answer can be read, and the lock is another.
        let more = """
            repository: { path: ".", revisionCommand: { shell: "echo r1" } },
            deploy: { worktree: false, permit: { shell: "cp -a state copy && mv state gone && mv copy state" },
                      command: { shell: "touch deployed" } },
            suites: [\(quick)]
            """
        let host = try await loop.open(try loop.settings(loop: "mode: \"operate\"", more))
        #expect(reason(await host.run()).contains("/lock is not the file that this daemon locked"))
        #expect(loop.exists("gone") && !loop.exists("deployed"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a loop whose environment another has taken ends by itself, pages, and closes as always`() async throws {
        let more = """
            suites: [\(quick)],
            notify: [ { command: { shell: "cat >> \(loop.folder("pages"))" }, levels: ["page"] } ]
            """
        let loaded = try loop.settings(loop: "mode: \"observe\", environment: \"\(loop.name)-env\"", more)
        let path = EnvironmentPlaces.loopLock(loaded.settings)
        defer { try? Files.remove(path) }
        let host = try await loop.open(loaded)
        let running = Task { await host.run() }
        #expect(await eventually { !loop.ears.sealed.isEmpty })
        try Files.remove(path)
        let other = try #require(try FileLock.take(path, owner: "the second"))
        defer { other.release() }
        guard case .evicted(let reason) = await running.value else {
            Issue.record("it ended otherwise")
            return
        }
        #expect(reason.contains("the second"))
        #expect(loop.ears.said.contains("the loop ends"))
        #expect(try loop.folder.read("pages").contains("the loop has ended"))
        #expect(!loop.exists("state/\(loop.name)/control.sock"))
        // Its folder is its own: the next start has it.
        other.release()
        let again = try await loop.open(loaded, cycles: 1)
        #expect(await again.run() == .cycles(.healthy))
    }
}
