// SPDX-License-Identifier: Apache-2.0
// `docs/cli.md`, made from the command table; a test compares the file with this text.

package enum CLIManual {
    package static var text: String {
        var text = """
            # The command line

            This page is made from the command table of the program (`nightjar help --manual`); a test keeps it true.

            Every command that prints has `--json`, but for three: `help` is text for people, `completions` a script for a
            shell, and `schema` JSON in any case. `run` and `tail` print one object per line of the log, `serve` one when it listens; all others one
            document. Results go to standard output, everything else to standard error. Color appears on a terminal only, and never where `NO_COLOR` is set. Commands find their loop by
            `--config FILE` (default `./nightjar.json5`), or by `--state DIR` and `--loop NAME`; where a state directory
            holds one loop, that one is taken.

            | exit code | means |
            | --- | --- |

            """
        for code in ExitCode.allCases { text += "| \(code.rawValue) | \(cell(code.meaning)) |\n" }
        for group in CommandTable.groups {
            text += "\n## \(HelpText.sentence(group.title).dropLast())\n"
            for command in group.commands { text += section(command.description) }
        }
        return text
    }

    private static func section(_ command: CommandDescription) -> String {
        var text = "\n### nightjar \(command.name)\n\n    \(command.usage)\n\n\(HelpText.sentence(command.summary))\n"
        for detail in command.details { text += "\n\(detail)\n" }
        text += "\n| argument or option | |\n| --- | --- |\n"
        for operand in command.operands { text += "| `\(operand.name)` | \(cell(operand.help)) |\n" }
        for option in command.allOptions { text += "| `\(option.label)` | \(cell(option.help)) |\n" }
        if !command.examples.isEmpty {
            text += "\n```sh\n"
            for example in command.examples { text += "\(example.line)    # \(example.says)\n" }
            text += "```\n"
        }
        if !command.exits.isEmpty {
            let codes = command.exits.map { "\($0.code.rawValue) \($0.when)" }
            text += "\nExit codes: \(codes.joined(separator: "; ")).\n"
        }
        return text
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("<", with: "\\<") }
}
