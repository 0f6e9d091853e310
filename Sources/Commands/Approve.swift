// SPDX-License-Identifier: Apache-2.0
// `nightjar approve` and `nightjar reject`: a person's word where the loop waits for one.

import Domain

struct ApproveCommand: Command {
    static let description = CommandDescription(
        "approve", "allow what the loop waits for",
        details: [
            "`nightjar status` and the cycle log say what is waited for, until when, and the command to type. What is "
                + "named here must be what is asked: a word for one thing is never taken for another.",
            "Who approved, and why, is in the evidence (`actions[].approvedBy`).",
        ],
        operands: ApprovalArguments.operands,
        options: ControlCommand.options + [
            .flag("past-migration", "yes, across the irreversible change that the question names"),
            .value("reason", "TEXT", short: "m", "why, for the record"),
        ],
        examples: [
            .init("nightjar approve", "Allows the only question."),
            .init("nightjar approve INC-57 rollback --past-migration", "Rolls back although a migration lies between."),
            .init("nightjar approve INC-57 runbook restart-dependency", "Allows this command of the runbook."),
        ],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode {
        let arguments = try ApprovalArguments(context)
        return try await ControlCommand.send(.approve, argument: arguments.incident, answer: arguments.words, context)
    }
}

struct RejectCommand: Command {
    static let description = CommandDescription(
        "reject", "forbid what the loop waits for; the cycle goes on without it",
        operands: ApprovalArguments.operands,
        options: ControlCommand.options + [.value("reason", "TEXT", short: "m", "why, for the record")],
        examples: [.init("nightjar reject INC-57 -m 'fixing forward'", "What was asked about is not done.")],
        exits: ControlCommand.exits)

    func run(_ context: Context) async throws -> ExitCode {
        let arguments = try ApprovalArguments(context)
        return try await ControlCommand.send(.reject, argument: arguments.incident, answer: arguments.words, context)
    }
}

/// `[INCIDENT] [WHAT] [NAME]`, each of which may be left out.
struct ApprovalArguments {
    static let operands = [
        OperandDescription("INCIDENT", "what it is for (default: the only question)"),
        OperandDescription(
            "WHAT", "what is allowed, where that is to be made sure of", words: ApprovalSubject.allCases.map(\.rawValue)
        ),
        OperandDescription("NAME", "the runbook command"),
    ]

    let incident: String?
    let words: ApprovalWords

    init(_ context: Context) throws(CommandError) {
        let arguments = context.arguments
        var rest = arguments.operands[...]
        let allowed = ApprovalSubject.allCases.map(\.rawValue)
        let isSubject = rest.first.map(allowed.contains) ?? false
        incident = isSubject ? nil : rest.popFirst().map(WhyCommand.identifier)
        var answer = ApprovalWords(reason: arguments.value("reason"))
        if let word = rest.popFirst() {
            guard let subject = ApprovalSubject(rawValue: word) else {
                throw .usage(
                    "'\(word)' is nothing that is approved: \(allowed.joined(separator: ", "))"
                        + NearestWord.hint(word, among: allowed), command: arguments.command)
            }
            answer.subject = subject
        }
        if let name = rest.popFirst() {
            guard answer.subject == .runbook else {
                throw .usage(
                    "unexpected '\(name)': only a runbook command is named", command: arguments.command)
            }
            answer.name = name
        }
        if let extra = rest.first {
            throw .usage("unexpected '\(extra)' after '\(arguments.command)'", command: arguments.command)
        }
        if arguments.flag("past-migration") { answer.pastMigration = true }
        words = answer
    }
}
