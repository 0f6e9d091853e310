// SPDX-License-Identifier: Apache-2.0
// `nightjar status`: one screen for somebody who was just woken.

import Domain
import Reporting

struct StatusCommand: Command {
    static let description = CommandDescription(
        "status", "one screen: is it fine, what is it doing, since when, what do I do",
        details: ["Reads files only: it works while the daemon is stuck or gone, and says so."],
        options: CommandDescription.loopOptions + [.json],
        examples: [
            .init("nightjar status", "In the order of the questions at 3 a.m."),
            .init("nightjar status --json | jq -r .light", "green, red or gray, for a prompt or a wall."),
        ],
        exits: [
            .init(.ok, "the newest verdict ships, or there is none yet"), .init(.failing, "failing or hold"),
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted"), .init(.notFound, "no such loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let status = try StatusReader(loop, now: context.now()).snapshot()
        try context.output.result(status, json: context.wantsJSON) {
            StatusText(status, columns: context.output.columns, palette: context.output.palette).text
        }
        guard let verdict = status.verdict, let recommendation = status.recommendation else { return .ok }
        return ExitCode(verdict, recommendation)
    }
}
