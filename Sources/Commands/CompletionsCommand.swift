// SPDX-License-Identifier: Apache-2.0
// `nightjar completions`: a completion script on standard output.

struct CompletionsCommand: Command {
    static let description = CommandDescription(
        "completions", "print a completion script for a shell",
        operands: [OperandDescription("SHELL", "bash, zsh or fish", isRequired: true, words: Completions.shells)],
        examples: [
            .init(
                "nightjar completions bash > ~/.local/share/bash-completion/completions/nightjar",
                "Completes in every new bash.")
        ],
        exits: [.init(.ok, "printed"), .init(.usage, "no such shell")])

    func run(_ context: Context) async throws -> ExitCode {
        let shell = context.arguments.operand(0) ?? ""
        guard let script = Completions.script(shell, CommandTable.all.map { $0.description }) else {
            let hint = NearestWord.hint(shell, among: Completions.shells)
            throw CommandError.usage("no completions for '\(shell)': bash, zsh or fish\(hint)", command: "completions")
        }
        context.output.write(script)
        return .ok
    }
}
