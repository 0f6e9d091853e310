// SPDX-License-Identifier: Apache-2.0
// `nightjar help`: the list of commands, the help of one, or the whole manual.

struct HelpCommand: Command {
    static let description = CommandDescription(
        "help", "the list of commands, or the help of one",
        operands: [OperandDescription("COMMAND", "the command to tell about")],
        options: [.flag("manual", "print the manual of all commands as Markdown (docs/cli.md)")],
        examples: [.init("nightjar help show", "What `show` prints, and its options.")],
        exits: [.init(.ok, "printed"), .init(.usage, "no such command")])

    func run(_ context: Context) async throws -> ExitCode {
        let output = context.output
        if context.arguments.flag("manual") {
            output.write(CLIManual.text)
            return .ok
        }
        guard let name = context.arguments.operand(0) else {
            output.write(HelpText.program(CommandTable.groups, columns: output.columns, palette: output.palette))
            return .ok
        }
        guard let type = CommandTable.command(named: name) else {
            let names = CommandTable.all.map { $0.description.name }
            throw CommandError.usage(
                "unknown command '\(name)'\(NearestWord.hint(name, among: names))", command: nil)
        }
        output.write(HelpText.command(type.description, columns: output.columns, palette: output.palette))
        return .ok
    }
}
