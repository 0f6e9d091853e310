// SPDX-License-Identifier: Apache-2.0
// Which cycle a command is about: a number, `latest`, or `-1` for the one before.

import Domain
import Evidence

enum CycleChoice {
    static let operand = OperandDescription(
        "CYCLE", "its number, or latest (the default)", words: ["latest"])

    static let revision = OptionDescription.value(
        "revision", "SHA", "the newest cycle that judged this revision (one that was interrupted judged nothing)")

    /// By `--revision`, or by the operand.
    static func number(_ context: Context, _ loop: LoopPlace) throws -> Int {
        let command = context.arguments.command
        guard let text = context.arguments.value("revision") else {
            return try number(context.arguments.operand(0), loop, command: command)
        }
        if context.arguments.operand(0) != nil {
            throw CommandError.usage("a cycle and '--revision' exclude each other", command: command)
        }
        let wanted = GateCommand.revision(text)
        let found = try GateCommand.find(wanted, loop.layout).decisive
        guard let found, found.verdict != .interrupted else {
            let but = found.map { "; #\($0.cycle) was interrupted" } ?? ""
            throw CommandError.notFound("no cycle of loop '\(loop.name)' has judged \(wanted.short)\(but)")
        }
        return found.cycle
    }

    /// The number of a sealed cycle.
    static func number(_ text: String?, _ loop: LoopPlace, command: String) throws -> Int {
        let reader = CycleReader(loop.layout)
        guard let text, text != "latest" else {
            guard let latest = try reader.latest() else {
                throw CommandError.notFound("loop '\(loop.name)' has no finished cycle yet")
            }
            return latest
        }
        let digits = text.hasPrefix("#") ? String(text.dropFirst()) : text
        guard let number = Int(digits), number > 0 else {
            throw CommandError.usage("a cycle is a number from 1, or latest; not '\(text)'", command: command)
        }
        guard try reader.numbers().contains(number) else {
            let newest = try reader.latest().map { "; the newest is #\($0)" } ?? ""
            throw CommandError.notFound("loop '\(loop.name)' has no cycle #\(number)\(newest)")
        }
        guard reader.isSealed(number) else {
            throw CommandError.notFound("cycle #\(number) is not finished; follow it with: nightjar tail -f")
        }
        return number
    }
}

extension EvidenceError: ExitingError {
    package var exitCode: ExitCode {
        switch self {
        case .notFound: .notFound
        case .locked: .held
        case .noSpace, .system, .unwritable: .infrastructure
        case .newerFormat, .damaged: .unproven
        }
    }
}
