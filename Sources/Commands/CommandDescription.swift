// SPDX-License-Identifier: Apache-2.0
// What a command says about itself. Parsing, help, completions and the manual all read this and nothing else.

/// An option such as `--config FILE`, or a flag where it takes no value.
package struct OptionDescription: Hashable, Sendable {
    /// What a shell may offer as the value.
    package enum Completion: Hashable, Sendable {
        case none
        case file
        case directory
        case words([String])
    }

    package var name: String
    package var short: Character?
    /// The placeholder of the value; nil makes it a flag.
    package var value: String?
    package var help: String
    package var completion: Completion
    /// Whether it may be given more than once.
    package var repeats: Bool

    package static func flag(_ name: String, short: Character? = nil, _ help: String) -> OptionDescription {
        OptionDescription(name: name, short: short, value: nil, help: help, completion: .none, repeats: false)
    }

    package static func value(
        _ name: String, _ placeholder: String, short: Character? = nil, _ help: String,
        completion: Completion = .none, repeats: Bool = false
    ) -> OptionDescription {
        OptionDescription(
            name: name, short: short, value: placeholder, help: help, completion: completion, repeats: repeats)
    }

    package static let json = OptionDescription.flag("json", "print JSON instead of text")

    /// The words that the value may be; empty where anything goes.
    package var allowed: [String] {
        if case .words(let words) = completion { return words }
        return []
    }

    /// `-f, --follow`, `--config FILE`
    package var label: String {
        (short.map { "-\($0), " } ?? "") + "--\(name)" + (value.map { " \($0)" } ?? "")
    }
}

/// A word after the options, such as `CYCLE`.
package struct OperandDescription: Hashable, Sendable {
    package var name: String
    package var help: String
    package var isRequired: Bool
    /// The words that it may be, for completion; anything else is judged by the command.
    package var words: [String]
    /// Whether it may be given several times; only the last operand may.
    package var repeats: Bool

    package init(
        _ name: String, _ help: String, isRequired: Bool = false, words: [String] = [], repeats: Bool = false
    ) {
        self.repeats = repeats
        self.name = name
        self.help = help
        self.isRequired = isRequired
        self.words = words
    }
}

package struct CommandDescription: Hashable, Sendable {
    package struct Example: Hashable, Sendable {
        package var line: String
        package var says: String

        package init(_ line: String, _ says: String) {
            self.line = line
            self.says = says
        }
    }

    package struct Exit: Hashable, Sendable {
        package var code: ExitCode
        package var when: String

        package init(_ code: ExitCode, _ when: String) {
            self.code = code
            self.when = when
        }
    }

    package var name: String
    package var summary: String
    /// Paragraphs for the help.
    package var details: [String]
    package var operands: [OperandDescription]
    package var options: [OptionDescription]
    package var examples: [Example]
    package var exits: [Exit]

    package init(
        _ name: String, _ summary: String, details: [String] = [], operands: [OperandDescription] = [],
        options: [OptionDescription] = [], examples: [Example] = [], exits: [Exit] = []
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.operands = operands
        self.options = options
        self.examples = examples
        self.exits = exits
    }

    /// With what every command understands.
    package var allOptions: [OptionDescription] { options + CommandDescription.everywhere }

    package static let everywhere: [OptionDescription] = [
        .value(
            "color", "WHEN", "color on a terminal: auto, always, never (also: NO_COLOR)",
            completion: .words(["auto", "always", "never"])),
        .flag("help", short: "h", "this help"),
    ]

    /// How commands find their loop.
    package static let loopOptions: [OptionDescription] = [
        .value(
            "config", "FILE", short: "c", "configuration file (default: ./nightjar.json5)", completion: .file),
        .value("state", "DIR", "state directory, instead of the configuration's", completion: .directory),
        .value("loop", "NAME", "the loop, where there are several"),
    ]

    /// `nightjar show [CYCLE] [options]`
    package var usage: String {
        let words = operands.map { ($0.isRequired ? $0.name : "[\($0.name)]") + ($0.repeats ? "…" : "") }
        return (["nightjar", name] + words + ["[options]"]).joined(separator: " ")
    }
}
