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
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted"),
            .init(.infrastructure, "its files may not be read"), .init(.notFound, "no such loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        if context.arguments.flag("check") { return try check(context) }
        let loop = try LoopFinder.find(context)
        let status = try StatusReader(loop, now: context.now()).snapshot()
        try context.output.result(status, json: context.wantsJSON) {
            StatusText(status, columns: context.output.columns, palette: context.output.palette).text
        }
        guard let verdict = status.verdict, let recommendation = status.recommendation else { return .ok }
        return ExitCode(verdict, recommendation)
    }

    /// The answer of `--check --json`.
    struct Movement: Codable, Equatable {
        var loop: String?
        var isMoving = false
        /// Whether a daemon holds the loop.
        var isHeld = false
        /// Since the last sign of life.
        var ageSeconds: Int64?
        var limitSeconds: Int64
        var because: String
    }

    /// The daemon touches a file only after its supervisor has answered: an old one means stuck or gone.
    private func check(_ context: Context) throws -> ExitCode {
        let patience = StatusSnapshot.Daemon.patience.milliseconds / 1000
        var answer = Movement(limitSeconds: patience, because: "")
        do throws(CommandError) {
            let loop = try LoopFinder.find(context)
            answer.loop = loop.name
            answer.isHeld = LoopHolder.find(loop.layout) != nil
            if let touched = Files.modifiedMilliseconds(loop.layout.alive) {
                let age = (context.now().milliseconds - touched) / 1000
                answer.ageSeconds = age
                answer.isMoving = answer.isHeld && age <= patience
                let word = answer.isMoving ? "moving" : answer.isHeld ? "stuck" : "not running"
                answer.because = "\(word), last sign of life \(age)s ago (limit \(patience)s)"
            } else {
                answer.because = "no daemon has run here"
            }
        } catch {
            // Whether it moves is not known where its files may not be read.
            if error.exitCode == .infrastructure { throw error }
            answer.because = error.description
        }
        try context.output.result(answer, json: context.wantsJSON) {
            (answer.loop.map { "\($0): " } ?? "") + answer.because + "\n"
        }
        return answer.isMoving ? .ok : .failing
    }
}
