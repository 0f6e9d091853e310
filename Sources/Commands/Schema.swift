// SPDX-License-Identifier: Apache-2.0
// `nightjar schema`: the JSON Schemas of what Nightjar reads and writes.

import Domain

struct SchemaCommand: Command {
    static let description = CommandDescription(
        "schema", "print a JSON Schema, for editors and checkers",
        operands: [OperandDescription("WHICH", "config (the default) or cycle", words: ["config", "cycle"])],
        examples: [.init("nightjar schema config > nightjar.schema.json", "Completion and checking in an editor.")],
        exits: [.init(.ok, "printed"), .init(.usage, "no such schema")])

    func run(_ context: Context) async throws -> ExitCode {
        .ok
    }
}
