// SPDX-License-Identifier: Apache-2.0
// `nightjar schema`: the JSON Schemas of what Nightjar reads and writes.

import Configuration
import Reporting

struct SchemaCommand: Command {
    static let description = CommandDescription(
        "schema", "print a JSON Schema, for editors and checkers",
        operands: [OperandDescription("WHICH", "config (the default) or cycle", words: ["config", "cycle"])],
        examples: [.init("nightjar schema config > nightjar.schema.json", "Completion and checking in an editor.")],
        exits: [.init(.ok, "printed"), .init(.usage, "no such schema")])

    func run(_ context: Context) async throws -> ExitCode {
        switch context.arguments.operand(0) ?? "config" {
        case "config": context.output.write(ConfigurationSchema.document())
        case "cycle": context.output.write(CycleSchema.document)
        case let other:
            let hint = NearestWord.hint(other, among: ["config", "cycle"])
            throw CommandError.usage("no schema '\(other)': config or cycle\(hint)", command: "schema")
        }
        return .ok
    }
}
