// SPDX-License-Identifier: Apache-2.0
// `--help` of the program and of each command.

import Reporting

enum HelpText {
    /// The list of all commands.
    static func program(_ groups: [CommandTable.Group], columns: Int, palette: Palette) -> String {
        var text = paragraph(
            "Nightjar deploys, tests, finds out why, and writes down the evidence; again and again.", columns: columns)
        text += "\n"
        text += palette("usage", .bold) + "  nightjar COMMAND [options]\n"
        let width = groups.flatMap { $0.commands }.map { $0.description.name.count }.max() ?? 0
        for group in groups {
            text += "\n" + palette(group.title, .bold) + "\n"
            text += rows(
                group.commands.map { ($0.description.name, $0.description.summary) }, columns: columns, left: width)
        }
        text += "\n" + palette("exit codes", .bold) + "\n"
        text += rows(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) }, columns: columns, left: width)
        return text + "\nnightjar help COMMAND tells more, with examples. Start with: nightjar demo\n"
    }

    static func command(_ command: CommandDescription, columns: Int, palette: Palette) -> String {
        var text = palette(command.usage, .bold) + "\n\n" + paragraph(sentence(command.summary), columns: columns)
        for detail in command.details { text += "\n" + paragraph(detail, columns: columns) }
        if !command.operands.isEmpty {
            text += "\n" + palette("arguments", .bold) + "\n"
            text += rows(command.operands.map { ($0.name, $0.help) }, columns: columns)
        }
        text += "\n" + palette("options", .bold) + "\n"
        text += rows(
            command.allOptions.map { (($0.short == nil ? "    " : "") + $0.label, $0.help) }, columns: columns)
        if !command.examples.isEmpty {
            text += "\n" + palette("examples", .bold) + "\n"
            for example in command.examples {
                text += "  " + palette(example.line, .cyan) + "\n"
                text += paragraph(example.says, columns: columns, indent: 6)
            }
        }
        if !command.exits.isEmpty {
            text += "\n" + palette("exit codes", .bold) + "\n"
            text += rows(command.exits.map { ("\($0.code.rawValue)", $0.when) }, columns: columns)
        }
        return text
    }

    static func sentence(_ summary: String) -> String {
        summary.prefix(1).uppercased() + summary.dropFirst() + (summary.hasSuffix("?") ? "" : ".")
    }

    private static func paragraph(_ text: String, columns: Int, indent: Int = 0) -> String {
        let space = String(repeating: " ", count: indent)
        return Printable.wrapped(text, width: min(100, columns) - indent).map { space + $0 + "\n" }.joined()
    }

    /// Two columns, the second one wrapped under itself.
    private static func rows(_ rows: [(String, String)], columns: Int, left: Int? = nil) -> String {
        let left = left ?? min(26, rows.map(\.0.count).max() ?? 0)
        var text = ""
        for (name, help) in rows {
            let lines = Printable.wrapped(help, width: max(20, min(110, columns) - left - 4))
            let indent = String(repeating: " ", count: left + 4)
            let head = "  " + Printable.padded(name, to: left) + "  "
            text += name.count > left ? "  \(name)\n\(indent)\(lines[0])\n" : head + lines[0] + "\n"
            text += lines.dropFirst().map { indent + $0 + "\n" }.joined()
        }
        return text
    }
}
