// SPDX-License-Identifier: Apache-2.0
// What a service manager is told, and when: ready means that operators are heard.

import Domain
import Evidence
import Execution
import Platform
import TestSupport
import Testing

@testable import Configuration
@testable import Supervision

@Suite struct ReadinessTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Takes the first message, pings every control socket at once, and prints the two.
    private static let manager = """
        import os, socket, sys
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(sys.argv[1] + ".new")
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        print(notify.recv(4096).decode().split("\\n")[0])
        for path in sys.argv[2:]:
            control = socket.socket(socket.AF_UNIX)
            control.connect(path)
            control.sendall(b'{"verb":"ping","by":"test"}\\n')
            print(control.makefile().readline().strip())
        """

    private func host(_ number: Int, _ runner: CommandRunner) async throws -> LoopHost {
        let name = "ready-\(number)-\(folder.path.split(separator: "-").suffix(2).joined(separator: "-"))"
        let settings = LoopSettings(
            name: name, mode: .observe, environment: name, stateDirectory: folder("state-\(number)"),
            baseDirectory: folder.path)
        let loaded = LoadedSettings(settings: settings, effective: [], canonicalText: name, warnings: [])
        return try await LoopHost.open(
            LoopStart(
                loaded: loaded, path: folder("\(number).json5"), cycles: nil, version: "test", host: "nj1",
                environment: RoleFixture.environment, secretEnvironment: [:], echo: { _ in }),
            runner: runner)
    }

    @Test(.timeLimit(.minutes(2)))
    func `ready is said when every loop can be spoken to`() async throws {
        let runner = try CommandRunner(executablePath: Nightjar.path)
        let hosts = [try await host(1, runner), try await host(2, runner)]
        let socket = folder("notify")
        let sockets = hosts.map(\.layout.controlSocket)
        let manager = Task {
            try await HelperCommand.run(
                ["python3", "-c", Self.manager, socket] + sockets, environment: RoleFixture.environment,
                timeout: .seconds(60))
        }
        #expect(await eventually { Files.exists(socket) })
        let daemon = Daemon(
            hosts, paths: hosts.map(\.name), notifySocket: socket, watchdog: nil,
            reload: { _ in .failure(LoopError.cannotStart("not here")) })
        let running = Task { await daemon.run() }
        let heard = try await manager.value
        let lines = heard.text.split(separator: "\n")
        #expect(lines.first == "READY=1" && lines.count == 3, "\(heard.text) \(heard.errorText)")
        #expect(lines.dropFirst().allSatisfy { $0.contains("is here") })
        for host in hosts {
            host.supervisor.tell(.stopRequested(StopRequested(now: true, by: "test")))
        }
        #expect(await running.value.count == 2)
    }
}
