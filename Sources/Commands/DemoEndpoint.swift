// SPDX-License-Identifier: Apache-2.0
// The live service of the demo, started for `nightjar resilience --demo` and ended with it.

import DemoStaging
import Foundation
import Platform

/// A running live service in a folder of its own.
final class DemoEndpoint: Sendable {
    let environment: [String: String]
    private let root: String

    /// The scenario file of the demo, as it is shipped.
    static var scenarios: String { LiveScenarios.text }

    private init(root: String, environment: [String: String]) {
        self.root = root
        self.environment = environment
    }

    /// Starts it and waits until it listens.
    static func start(_ context: Context) async throws -> DemoEndpoint {
        let breakage = context.arguments.value("break")
        if let breakage, !LiveScenarios.breakages.contains(breakage) {
            throw CommandError.usage(
                "option '--break' takes \(LiveScenarios.breakages.joined(separator: ", ")), not '\(breakage)'",
                command: context.arguments.command)
        }
        let root = NSTemporaryDirectory() + "nightjar-live-\(UInt32.random(in: 0 ... .max))"
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? context.program
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // The settings of a service that ran before: it is started like one that is restarted.
        let port = try SocketListener.loopback().port
        try "\(port)\n\(breakage ?? "")\n".write(toFile: root + "/settings", atomically: true, encoding: .utf8)
        let output = try await HelperCommand.run(
            [program, "__demo-live", "--restart", root], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
            timeout: .seconds(40))
        guard output.succeeded else {
            throw CommandError.unavailable("the demo's live service did not start: \(output.errorText)")
        }
        return DemoEndpoint(
            root: root,
            environment: [
                "NIGHTJAR_DEMO_ADDRESS": "127.0.0.1:\(port)", "NIGHTJAR_DEMO_PROGRAM": program,
                "NIGHTJAR_DEMO_ROOT": root,
            ])
    }

    /// Ends the service and removes its folder.
    func stop() {
        let text = (try? String(contentsOfFile: root + "/service.pid", encoding: .utf8)) ?? ""
        if let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), let process = try? Pidfd(pid) {
            process.send(SignalSource.terminate)
        }
        try? FileManager.default.removeItem(atPath: root)
    }
}
