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
        return ExitCode(verdict, recommendation, [])
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

    private static let patience = StatusSnapshot.Daemon.patience.milliseconds / 1000

    /// The daemon touches a file only after its supervisor has answered: an old one means stuck or gone. Of several loops
    /// in a state directory the one that does not move is the answer.
    private func check(_ context: Context) throws -> ExitCode {
        var answer = Movement(limitSeconds: Self.patience, because: "")
        do throws(CommandError) {
            let moves = try places(context).map { movement(of: $0, at: context.now()) }
            answer = moves.first { !$0.isMoving } ?? moves.first ?? answer
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

    private func places(_ context: Context) throws(CommandError) -> [LoopPlace] {
        let arguments = context.arguments
        if let state = arguments.value("state"), arguments.value("config") == nil, arguments.value("loop") == nil {
            let all = LoopFinder.all(in: context.absolute(state))
            if all.count > 1 { return all }
        }
        return [try LoopFinder.find(context)]
    }

    private func movement(of loop: LoopPlace, at now: Timestamp) -> Movement {
        let patience = Self.patience
        var answer = Movement(loop: loop.name, limitSeconds: patience, because: "no daemon has run here")
        answer.isHeld = LoopHolder.find(loop.layout) != nil
        guard let touched = Files.modifiedMilliseconds(loop.layout.alive) else { return answer }
        let age = (now.milliseconds - touched) / 1000
        answer.ageSeconds = age
        answer.isMoving = answer.isHeld && age <= patience
        let word = answer.isMoving ? "moving" : answer.isHeld ? "stuck" : "not running"
        answer.because = "\(word), last sign of life \(age)s ago (limit \(patience)s)"
        return answer
    }
}
