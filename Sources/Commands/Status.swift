// SPDX-License-Identifier: Apache-2.0
// `nightjar status`: one screen for somebody who was just woken.

import Domain
import Evidence
import Platform
import Reporting

struct StatusCommand: Command {
    static let description = CommandDescription(
        "status", "one screen: is it fine, what is it doing, since when, what do I do",
        details: ["Reads files only: it works while the daemon is stuck or gone, and says so."],
        options: CommandDescription.loopOptions + [
            .flag("check", "only whether a daemon runs the loop and moves, whatever the verdict: exit 0 or 1"), .json,
        ],
        examples: [
            .init("nightjar status", "In the order of the questions at 3 a.m."),
            .init("nightjar status --check", "For a container's health check."),
            .init("nightjar status --json | jq -r .light", "green, red or gray, for a prompt or a wall."),
        ],
        exits: [
            .init(.ok, "the newest verdict ships, or there is none yet"), .init(.failing, "failing or hold"),
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted"), .init(.notFound, "no such loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        if context.arguments.flag("check") { return check(context) }
        let loop = try LoopFinder.find(context)
        let status = try StatusReader(loop, now: context.now()).snapshot()
        try context.output.result(status, json: context.wantsJSON) {
            StatusText(status, columns: context.output.columns, palette: context.output.palette).text
        }
        guard let verdict = status.verdict, let recommendation = status.recommendation else { return .ok }
        return ExitCode(verdict, recommendation)
    }

    /// The daemon touches a file only after its supervisor has answered: an old one means stuck or gone.
    private func check(_ context: Context) -> ExitCode {
        let patience = StatusSnapshot.Daemon.patience.milliseconds / 1000
        let loop: LoopPlace
        do {
            loop = try LoopFinder.find(context)
        } catch {
            context.output.line(error.description)
            return .failing
        }
        guard let touched = Files.modifiedMilliseconds(loop.layout.alive) else {
            context.output.line("\(loop.name): no daemon has run here")
            return .failing
        }
        let age = (context.now().milliseconds - touched) / 1000
        let isHeld = LoopHolder.find(loop.layout) != nil
        let isMoving = isHeld && age <= patience
        let word = isMoving ? "moving" : isHeld ? "stuck" : "not running"
        context.output.line("\(loop.name): \(word), last sign of life \(age)s ago (limit \(patience)s)")
        return isMoving ? .ok : .failing
    }
}
