// SPDX-License-Identifier: Apache-2.0
// The commands that steer a running daemon. Each sends one request over the control socket.

import Domain
import Evidence
import Platform
import Reporting
import Supervision

struct PauseCommand: Command {
    static let description = CommandDescription(
        "pause", "let the running stage end, then do nothing until resumed",
        options: ControlCommand.options + [
            .value("reason", "TEXT", short: "m", "why; everybody sees it in status"),
            .value("for", "TIME", "resume by itself after 30m, 2h, 3d (default 8h)"),
        ],
        examples: [.init("nightjar pause -m 'database upgrade' --for 2h", "Staging is left alone for two hours.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode {
        guard let reason = context.arguments.value("reason"), !reason.allSatisfy(\.isWhitespace) else {
            throw CommandError.usage("'pause' needs a reason: --reason TEXT", command: "pause")
        }
        let text = context.arguments.value("for") ?? "8h"
        guard let duration = DurationArgument.parse(text) else {
            throw CommandError.usage(
                "option '--for' takes a time such as 30m, 2h or 3d, not '\(text)'", command: "pause")
        }
        let loop = try LoopFinder.find(context)
        if let before = try? StatusReader(loop, now: context.now()).snapshot().pause {
            let until = before.until.map { " until \($0.wholeSeconds)" } ?? ""
            context.output.note(
                Printable.line("this replaces the pause of \(before.owner)\(until): \(before.reason)", columns: 400))
        }
        return try await ControlCommand.send(.pause, argument: reason, until: context.now() + duration, context)
    }
}

/// A duration as it is written on a command line.
enum DurationArgument {
    /// A whole number and `s`, `m`, `h` or `d`, up to a year; nil for anything else.
    static func parse(_ text: String) -> Duration? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let number = Int(text.dropLast()), number > 0,
            number <= 31_536_000 / unit
        else { return nil }
        return .seconds(number * unit)
    }
}

struct ResumeCommand: Command {
    static let description = CommandDescription(
        "resume", "end a pause",
        details: ["Works with and without a running daemon: `nightjar once` respects a pause too."],
        options: ControlCommand.options,
        examples: [.init("nightjar resume", "Goes on at once.")],
        exits: [
            .init(.ok, "done"), .init(.failing, "refused, with the reason"), .init(.infrastructure, "no answer"),
            .init(.notFound, "no such loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        do {
            return try await ControlCommand.send(.resume, context)
        } catch CommandError.notFound(let words) {
            guard Files.exists(loop.layout.journal), LoopHolder.find(loop.layout) == nil else {
                throw CommandError.notFound(words)
            }
        }
        let by = context.arguments.value("by") ?? context.user
        let answer = try await PauseDesk.resume(by: by, at: context.now(), loop.layout)
        let reply = ControlReply(ok: answer.isDone, message: "\(loop.name): \(answer.words)")
        if reply.ok || context.wantsJSON {
            try context.output.result(reply, json: context.wantsJSON) { Printable.line(reply.message) + "\n" }
        } else {
            context.output.problem(reply.message)
        }
        return reply.ok ? .ok : .failing
    }
}

struct TriggerCommand: Command {
    static let description = CommandDescription(
        "trigger", "begin a cycle now instead of at the next look",
        options: ControlCommand.options,
        examples: [
            .init("nightjar trigger", "Does not wait for the schedule; deploys a known-bad or aborted revision again.")
        ],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode { try await ControlCommand.send(.trigger, context) }
}

struct AcknowledgeCommand: Command {
    static let description = CommandDescription(
        "ack", "say that somebody looks at an incident",
        operands: [OperandDescription("INCIDENT", "such as INC-57", isRequired: true)],
        options: ControlCommand.options,
        examples: [.init("nightjar ack INC-57", "Status shows it as acknowledged.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode {
        let incident = context.arguments.operand(0).map(WhyCommand.identifier)
        return try await ControlCommand.send(.acknowledge, argument: incident, context)
    }
}

struct SkipCommand: Command {
    static let description = CommandDescription(
        "skip", "end the running test or experiment and go on with the next step",
        options: ControlCommand.options,
        examples: [.init("nightjar skip", "What was cut counts as not run, never as passed.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode { try await ControlCommand.send(.skip, context) }
}

struct AbortCommand: Command {
    static let description = CommandDescription(
        "abort", "end the running cycle as interrupted; the daemon goes on",
        details: [
            "In mode operate the schedule does not deploy the aborted revision again: the loop waits for a newer one, or for "
                + "'nightjar trigger'."
        ],
        options: ControlCommand.options + [.value("reason", "TEXT", short: "m", "why, for the record")],
        examples: [.init("nightjar abort -m 'wrong revision'", "Restores the environment where it was moved.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode {
        try await ControlCommand.send(.abort, argument: context.arguments.value("reason"), context)
    }
}

struct StopCommand: Command {
    static let description = CommandDescription(
        "stop", "end the daemon; a running deploy is left to end and taken up by the next start",
        options: ControlCommand.options,
        examples: [.init("nightjar stop", "The same as SIGTERM; a second one ends at once.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode { try await ControlCommand.send(.stop, context) }
}
