// SPDX-License-Identifier: Apache-2.0
// `nightjar run`.

struct RunCommand: Command {
    static let description = CommandDescription(
        "run", "the daemon: cycle after cycle until it is told to stop",
        options: CommandDescription.loopOptions + [
            .value("max-cycles", "N", "stop after N cycles, whatever the configuration says"),
            .flag("takeover", "wait for another instance to end instead of refusing to start"),
        ],
        examples: [
            .init("nightjar run --config staging.json5", "In the foreground; a service manager restarts it at will."),
            .init("nightjar run --max-cycles 1", "One cycle by the daemon's rules, with its schedule and control socket."),
        ],
        exits: [
            .init(.ok, "stopped as asked"), .init(.usage, "wrong configuration"),
            .init(.infrastructure, "the state directory cannot be used"), .init(.held, "another instance runs this loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        throw CommandError.unavailable("'run' is not part of this build")
    }
}
