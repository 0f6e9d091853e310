// SPDX-License-Identifier: Apache-2.0
// `nightjar version`.

/// What this build is.
package enum NightjarVersion {
    package static let number = "0.1.0"
}

struct VersionCommand: Command {
    static let description = CommandDescription(
        "version", "the version of this program and of its file formats", options: [.json],
        exits: [.init(.ok, "printed")])

    private struct Version: Codable {
        var version: String
        var cycleSchema: String
        var statusSchema: String
    }

    func run(_ context: Context) async throws -> ExitCode {
        let version = Version(
            version: NightjarVersion.number, cycleSchema: "nightjar.cycle/1", statusSchema: "nightjar.status/1")
        try context.output.result(version, json: context.wantsJSON) { "nightjar \(version.version)\n" }
        return .ok
    }
}
