// SPDX-License-Identifier: Apache-2.0
// What a daemon finds after it died at each point: the rows of the recovery table.

import Domain
import Platform
import Shepherd
import TestSupport
import Testing

@testable import Execution

@Suite struct RecoveryTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Counts how often a command really ran.
    private func counting(_ rest: String, timeout: Duration = .seconds(60)) -> CommandSpec {
        .shell("echo ran >> \(folder("count")); \(rest)", in: folder, timeout: timeout)
    }

    private var runs: Int {
        (try? folder.read("count"))?.split(separator: "\n").count ?? 0
    }

    /// A daemon that launched `spec` and then died.
    private func leaveBehind(_ spec: CommandSpec) async throws {
        let first = try CommandRunner.forTests()
        Task { _ = await first.run(spec) }
        #expect(await eventually { runs == 1 })
        first.detach()
    }

    private var claimedPid: Int32? {
        (try? folder.read("run/claim")).flatMap { text in
            text.firstRange(of: "\"pid\":").flatMap { Int32(text[$0.upperBound...].prefix { $0.isNumber }) }
        }
    }

    @Test func `row 1: no folder, so the command runs`() async throws {
        let result = await (try CommandRunner.forTests()).run(counting("exit 3"))
        #expect(result.exit == 3)
        #expect(runs == 1)
    }

    @Test func `rows 4 and 5: the claim says which limits its shepherd keeps`() async throws {
        let spec = counting("exit 0", timeout: .seconds(7))
        #expect(await (try CommandRunner.forTests()).run(spec).succeeded)
        #expect(try ClaimFile.read(in: StageFolder(spec.folder)).limit == spec.timeout + spec.grace)
        let fenced = CommandSpec.shell("exit 0", in: folder, name: "fenced")
        try Files.createDirectories(fenced.folder)
        _ = await (try CommandRunner.forTests()).run(fenced)
        #expect(try ClaimFile.read(in: StageFolder(fenced.folder)).limit == nil)
    }

    @Test func `one runner detaches and its sibling goes on`() async throws {
        let first = try CommandRunner.forTests()
        let second = first.sibling()
        let left = CommandSpec.shell("sleep 1012", in: folder, name: "left")
        Task { _ = await first.run(left) }
        #expect(await eventually { Files.exists(left.folder + "/claim") })
        first.detach()
        #expect(await second.run(counting("exit 0")).succeeded)
        second.stop(folder: left.folder)
        #expect(await second.run(left).outcome == .stopped)
    }

    @Test func `of all runs with one lock only one is at work`() async throws {
        let runner = try CommandRunner.forTests()
        func spec(_ name: String, _ script: String) -> CommandSpec {
            var spec = CommandSpec.shell(script, in: folder, name: name)
            spec.lock = folder("lock")
            return spec
        }
        let first = spec("first", "until [ -e \(folder("go")) ]; do sleep 0.01; done")
        async let running = runner.run(first)
        #expect(await eventually { FileLock.owner(of: folder("lock")) == first.folder })
        let second = await runner.run(spec("second", "echo ran >> \(folder("count"))"))
        #expect(second.outcome == .couldNotStart)
        #expect(second.notes.first?.contains(first.folder) == true)
        try folder.write("go", "")
        #expect(await running.succeeded)
        #expect(await runner.run(spec("third", "exit 0")).succeeded)
        #expect(runs == 0)
    }

    @Test func `row 2: a folder without a claim is fenced, twice with the same answer`() async throws {
        let spec = counting("exit 0")
        try Files.createDirectories(spec.folder)
        for _ in 0..<2 {
            let result = await (try CommandRunner.forTests()).run(spec)
            #expect(result.outcome == .neverRan)
            #expect(result.recovery?.hasPrefix("fenced") == true)
        }
        #expect(runs == 0)
    }

    @Test func `row 3: a shepherd that comes after the fence runs nothing`() async throws {
        let spec = counting("exit 0")
        try Files.createDirectories(spec.folder)
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .neverRan)
        let late = try await shepherd(spec)
        #expect(late.exit == ShepherdExit.nothingClaimed)
        #expect(runs == 0)
    }

    @Test func `rows 4 and 5: a running shepherd is adopted and its end is learned`() async throws {
        let spec = counting("until test -e \(folder("go")); do sleep 0.01; done; exit 42")
        try await leaveBehind(spec)
        let second = try CommandRunner.forTests()
        let pid = try #require(claimedPid)
        async let adopted = second.run(spec)
        // Two runners in this process hold the shepherd: the one that launched it and the one that adopted it.
        #expect(await eventually { holders(of: pid) == 2 })
        try folder.write("go", "")
        let result = await adopted
        #expect(result.exit == 42)
        #expect(result.recovery?.hasPrefix("re-attached to shepherd") == true)
        #expect(runs == 1)
    }

    @Test func `row 5: a stop reaches a shepherd that another daemon launched`() async throws {
        let spec = counting("sleep 1006")
        try await leaveBehind(spec)
        let second = try CommandRunner.forTests()
        async let adopted = second.run(spec)
        second.stop(folder: spec.folder)
        let result = await adopted
        #expect(result.outcome == .stopped)
        #expect(survivors(folder).isEmpty)
    }

    @Test func `rows 6 and 7: a result that was written meanwhile is read, as often as asked`() async throws {
        let spec = counting("exit 5")
        try await leaveBehind(spec)
        // Its result is written a moment before the shepherd lets go of the claim.
        let hasEnded = await eventually {
            Files.exists(spec.folder + "/result.json") && (try? FileLock.isHeld(spec.folder + "/claim")) == false
        }
        #expect(hasEnded)
        for _ in 0..<2 {
            let result = await (try CommandRunner.forTests()).run(spec)
            #expect(result.exit == 5)
            #expect(result.recovery == "finished while the daemon was away")
        }
        #expect(runs == 1)
    }

    @Test func `row 8: a killed shepherd is lost, and what it looked after is ended`() async throws {
        let spec = counting("echo here; sleep 1007")
        try await leaveBehind(spec)
        let pid = try #require(claimedPid)
        try Pidfd(pid).send(9)
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .lost)
        #expect(result.recovery == "lost: its shepherd ended without a result")
        #expect(!result.leftovers.isEmpty)
        #expect(result.leftovers.map(\.ended).contains(false) == false)
        #expect(survivors(folder).isEmpty)
        #expect(runs == 1)
    }

    @Test func `row 8: a shepherd killed under a living daemon is lost at once`() async throws {
        let runner = try CommandRunner.forTests()
        async let running = runner.run(counting("sleep 1008"))
        #expect(await eventually { runs == 1 })
        try Pidfd(try #require(claimedPid)).send(9)
        let result = await running
        #expect(result.outcome == .lost)
        #expect(survivors(folder).isEmpty)
    }

    @Test func `row 8: services of a lost deploy stay`() async throws {
        var spec = counting("setsid sleep 1009 >/dev/null 2>&1 & sleep 1010")
        spec.leavesServices = true
        try await leaveBehind(spec)
        // A service is one only when `setsid` has made it so, and the claim tells its session from the command's.
        let claimed = spec.folder + "/claim"
        let hasService = await eventually {
            let found = survivors(folder)
            let claim = (try? Files.read(claimed, limit: 4096)) ?? []
            guard String(decoding: claim, as: UTF8.self).contains("\"command\"") else { return false }
            return found.count >= 3 && found.contains { ProcessTable.commandLine($0.pid) == "sleep 1009" }
        }
        #expect(hasService)
        try Pidfd(try #require(claimedPid)).send(9)
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .lost)
        let services = survivors(folder)
        #expect(services.map { ProcessTable.commandLine($0.pid) } == ["sleep 1009"])
        for service in services { try Pidfd(service.pid).send(9) }
    }

    @Test(arguments: ["", "{\"version\":1,\"stage\"", "[1]", "{\"version\":1}"])
    func `row 12: a torn result is lost and named`(_ text: String) async throws {
        let spec = counting("exit 0")
        _ = await (try CommandRunner.forTests()).run(spec)
        try folder.write("run/result.json", text)
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .lost)
        #expect(result.recovery?.contains(spec.folder + "/result.json") == true)
    }

    @Test func `row 12: a result of another run is not believed`() async throws {
        var spec = counting("exit 0")
        _ = await (try CommandRunner.forTests()).run(spec)
        spec.stageID += "-other"
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .lost)
    }

    @Test func `row 12: a torn claim without a result is lost and named`() async throws {
        let spec = counting("exit 0")
        try Files.createDirectories(spec.folder)
        try folder.write("run/claim", "{\"ver")
        let result = await (try CommandRunner.forTests()).run(spec)
        #expect(result.outcome == .lost)
        #expect(result.recovery?.contains(spec.folder + "/claim") == true)
        #expect(runs == 0)
    }

    @Test func `racing shepherds run the command once`() async throws {
        let spec = counting("sleep 0.2; exit 0")
        try Files.createDirectories(spec.folder)
        let exits = try await withThrowingTaskGroup(of: Int32?.self) { group in
            for _ in 0..<6 { group.addTask { try await shepherd(spec).exit } }
            return try await group.reduce(into: [Int32?]()) { $0.append($1) }
        }
        #expect(exits.filter { $0 == ShepherdExit.done }.count == 1)
        #expect(exits.filter { $0 == ShepherdExit.nothingClaimed }.count == 5)
        #expect(runs == 1)
    }

    @Test func `an incomplete order claims nothing`() async throws {
        let spec = counting("exit 0")
        try Files.createDirectories(spec.folder)
        let whole = order(spec).encoded()
        for cut in [0, 4, 15, whole.count / 2, whole.count - 1] {
            let output = try await HelperCommand.run(
                [Nightjar.path, "__shepherd"], environment: [:], standardInput: Array(whole.prefix(cut)),
                timeout: .seconds(20))
            #expect(output.exit == ShepherdExit.nothingClaimed)
        }
        #expect(try Files.list(spec.folder) == [])
        #expect(runs == 0)
    }

    @Test func `a stop before the launch keeps the command from running or ends it`() async throws {
        let runner = try CommandRunner.forTests()
        for number in 0..<10 {
            let spec = CommandSpec.shell("sleep 1011", in: folder, name: "run-\(number)")
            async let running = runner.run(spec)
            #expect(await eventually { Files.exists(spec.folder) })
            runner.stop(folder: spec.folder)
            let result = await running
            #expect(result.outcome == .stopped)
        }
    }

    /// How many pidfds of this process stand for `pid`.
    private func holders(of pid: Int32) -> Int {
        ((try? Files.list("/proc/self/fdinfo")) ?? []).filter { number in
            let text = (try? Files.read("/proc/self/fdinfo/" + number, limit: 4096)) ?? []
            return String(decoding: text, as: UTF8.self).contains("\nPid:\t\(pid)\n")
        }.count
    }

    private func order(_ spec: CommandSpec) -> ShepherdOrder {
        ShepherdOrder(
            stageID: spec.stageID, folder: spec.folder, arguments: spec.argv, environment: ["PATH=/usr/bin:/bin"],
            workingDirectory: spec.workingDirectory, timeoutMilliseconds: 60_000, idleTimeoutMilliseconds: 0,
            graceMilliseconds: 1000, leavesServices: false, outputLimit: 1 << 20, needles: [], standardInput: [])
    }

    /// A shepherd started by hand.
    private func shepherd(_ spec: CommandSpec) async throws -> HelperOutput {
        try await HelperCommand.run(
            [Nightjar.path, "__shepherd"], environment: [:], standardInput: order(spec).encoded(), timeout: .seconds(30)
        )
    }
}
