// SPDX-License-Identifier: Apache-2.0
// What a reload brings with it, and when.

import Domain
import Engine
import Evidence
import Execution
import Platform
import TestSupport
import Testing

@testable import Supervision

@Suite struct SettingsCellTests {
    private static func settings(_ secrets: [String: SecretSource]) -> LoopSettings {
        var settings = LoopSettings(
            name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: ".")
        settings.secrets = secrets
        return settings
    }

    @Test func `a reload brings new secrets and new sources, and what was seen before stays redacted`() async throws {
        let environment = ["OLD": "value-of-old", "NEW": "value-of-new", "MORE": "value-of-more"]
        let cell = SettingsCell(Self.settings(["TOKEN": .environment("OLD")]), secretEnvironment: environment)
        let secrets = cell.secrets
        #expect(try await secrets.fetch(["TOKEN"]) == ["TOKEN": "value-of-old"])
        cell.stage(Self.settings(["TOKEN": .environment("NEW"), "KEY": .environment("MORE")]), hash: "1")
        #expect(try await secrets.fetch(["TOKEN"]) == ["TOKEN": "value-of-old"])
        cell.adoptStaged("1")
        #expect(try await secrets.fetch(["TOKEN", "KEY"]) == ["TOKEN": "value-of-new", "KEY": "value-of-more"])
        #expect(secrets.needles == ["value-of-more", "value-of-new", "value-of-old"])
        cell.stage(Self.settings([:]), hash: "2")
        cell.adoptStaged("2")
        await #expect(throws: SecretError.self) { try await secrets.fetch(["TOKEN"]) }
        #expect(secrets.needles.count == 3)
    }

    @Test func `only the settings that the machine decides by come into force`() {
        let cell = SettingsCell(Self.settings([:]), secretEnvironment: [:])
        let (second, third) = (Self.settings(["A": .environment("A")]), Self.settings(["B": .environment("B")]))
        cell.stage(second, hash: "2")
        cell.adoptStaged("1")
        #expect(cell.current.secrets.isEmpty && cell.newest.secrets.keys.contains("A"))
        cell.stage(third, hash: "3")
        cell.adoptStaged("2")
        #expect(cell.current.secrets.keys.contains("A") && cell.newest.secrets.keys.contains("B"))
        cell.adoptStaged("3")
        #expect(cell.current.secrets.keys.contains("B"))
        cell.adoptStaged("2")
        #expect(cell.current.secrets.keys.contains("B"))
    }

    @Test func `a reload during a look counts for the cycle that the look opens`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let context = fixture.context
        let performer = Performer(
            context, log: CycleLogFile(context.layout.cycleLog, echo: { _ in }), version: "test", onSealed: { _ in })
        func adopted(_ settings: LoopSettings, _ hash: String) -> Event {
            .settingsAdopted(SettingsAdopted(policy: LoopPolicy(settings), hash: hash, path: "staging.json5"))
        }
        var machine = CycleMachine()
        let now = context.now()
        _ = machine.handle(.daemonStarted(DaemonStarted(pid: 1, host: "nj1", version: "test")), at: now)
        var actions = machine.handle(adopted(context.settings.current, "1"), at: now)
        for case .wake(let timer, _) in actions { actions = machine.handle(.timerFired(timer), at: now) }
        #expect(machine.state == .waiting(looking: true))
        // The look is under way: what it does with the old settings is not performed here.
        var changed = context.settings.current
        changed.suites = [
            SuiteSettings(name: "added", priority: 0, command: RoleFixture.script("true"), blocking: true)
        ]
        context.settings.stage(changed, hash: "2")
        _ = machine.handle(adopted(changed, "2"), at: now)
        actions = machine.handle(.workSeen(WorkSeen(trigger: .schedule, wanted: fixture.wanted)), at: now)
        let opening = try #require(actions.first { $0 == .openCycle(1) })
        performer.perform(opening, machine, tell: { _ in })
        #expect(machine.cycle?.policy.suites.map(\.name) == ["added"])
        #expect(context.settings.current.suites.map(\.name) == ["added"])
    }

    @Test(.timeLimit(.minutes(5)))
    func `a look whose settings were replaced meanwhile is made again with the new ones`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let (context, folder) = (fixture.context, fixture.folder)
        func settings(_ shell: String) -> LoopSettings {
            var settings = context.settings.current
            settings.minFreeBytes = 0
            settings.repository?.revisionCommand = RoleFixture.script(shell)
            return settings
        }
        let slow = "touch \(folder("looking")); until test -e \(folder("go")); do sleep 0.01; done; echo old"
        context.settings.stage(settings(slow), hash: "1")
        context.settings.adoptStaged("1")
        let performer = Performer(
            context, log: CycleLogFile(context.layout.cycleLog, echo: { _ in }), version: "test", onSealed: { _ in })
        let (events, told) = AsyncStream.makeStream(of: Event.self)
        performer.perform(.lookForWork(.schedule), CycleMachine(), tell: { told.yield($0) })
        #expect(await eventually { Files.exists(folder("looking")) })
        context.settings.stage(settings("echo new"), hash: "2")
        try folder.write("go", "")
        var seen = events.makeAsyncIterator()
        guard case .workSeen(let work) = await seen.next() else {
            Issue.record("nothing was found")
            return
        }
        #expect(work.wanted == Revision("new"))
    }
}
