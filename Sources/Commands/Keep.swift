// SPDX-License-Identifier: Apache-2.0
// `nightjar keep`: pins a cycle, so that retention never deletes it.

import Domain
import Evidence
import Reporting

struct KeepCommand: Command {
    static let description = CommandDescription(
        "keep", "pin a cycle: retention never deletes it",
        operands: [OperandDescription("CYCLE", "its number, or latest", isRequired: true, words: ["latest"])],
        options: CommandDescription.loopOptions + [.flag("undo", "let retention have it again"), .json],
        examples: [.init("nightjar keep 214", "For the incident's review in three months.")],
        exits: [.init(.ok, "done"), .init(.notFound, "no such loop or cycle")])

    struct Answer: Codable {
        var cycle: Int
        var kept: Bool
    }

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let number = try CycleChoice.number(context.arguments.operand(0), loop, command: "keep")
        let undo = context.arguments.flag("undo")
        let retention = Retention(loop.layout)
        try await EvidenceReading.run { () throws(EvidenceError) in
            if undo { try retention.unpin(number) } else { try retention.pin(number) }
        }
        try context.output.result(Answer(cycle: number, kept: !undo), json: context.wantsJSON) {
            "cycle #\(number) is \(undo ? "left to retention" : "kept")\n"
        }
        return .ok
    }
}
