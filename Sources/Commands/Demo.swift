// SPDX-License-Identifier: Apache-2.0
// `nightjar demo`.

struct DemoCommand: Command {
    static let description = CommandDescription(
        "demo", "see it work in a minute: a staging service that breaks, is diagnosed and repaired",
        options: [
            .value(
                "directory", "DIR", "keep configuration and evidence there, instead of a temporary folder",
                completion: .directory),
            .flag("keep", "keep the folder and say where it is"),
        ],
        examples: [
            .init("nightjar demo", "Needs nothing: no configuration, no network, no account.")
        ],
        exits: [
            .init(.ok, "the demo ended as it should"), .init(.infrastructure, "the demo could not run here"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        throw CommandError.unavailable("'demo' is not part of this build")
    }
}
