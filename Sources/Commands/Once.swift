// SPDX-License-Identifier: Apache-2.0
// `nightjar once`.

struct OnceCommand: Command {
    static let description = CommandDescription(
        "once", "one cycle in the foreground, for cron and pipelines",
        options: CommandDescription.loopOptions + [
            .value("revision", "REV", "the revision to deploy and test, instead of the newest"),
            .flag("no-deploy", "test what is live (mode observe)"), .json,
        ],
        examples: [
            .init("nightjar once", "Deploys, tests, triages, verifies; the verdict is the exit code."),
            .init("nightjar once --no-deploy --json", "Tests what is live and prints cycle.json."),
        ],
        exits: [
            .init(.ok, "healthy"), .init(.failing, "failing"), .init(.usage, "wrong configuration"),
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted"),
            .init(.infrastructure, "could not deploy or reach the environment"), .init(.held, "another instance runs this loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        throw CommandError.unavailable("'once' is not part of this build")
    }
}
