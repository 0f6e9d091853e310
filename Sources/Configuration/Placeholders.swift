// SPDX-License-Identifier: Apache-2.0
// The words in braces that commands may contain, and where each of them means something.

/// Placeholders of commands.
package enum Placeholders {
    /// Every placeholder, without braces.
    package static let known = [
        "revision", "lastGreen", "previous", "report", "tests", "testNames", "testsRegex", "cycle", "loop", "suite",
        "stageStart", "component", "folder", "worktree",
    ]
    /// Those whose values come from reports and diagnoses: bytes that others chose. A shell would obey them.
    static let foreign = ["tests", "testNames", "testsRegex", "component"]
    static let ofTests = ["tests", "testNames", "testsRegex"]

    /// A word in braces, and whether a `$` stands before it.
    struct Use: Hashable {
        var name: String
        var afterDollar: Bool
    }

    /// All `{word}` of a text, where a word is a letter followed by letters, digits and `_`.
    static func uses(in text: String) -> [Use] {
        let bytes = Array(text.utf8)
        var uses: [Use] = []
        var index = 0
        while let open = bytes[index...].firstIndex(of: UInt8(ascii: "{")) {
            let word = bytes[(open + 1)...].prefix { $0 < 0x80 && $0 != UInt8(ascii: "$") && $0.isNamePart }
            index = open + 1
            guard let first = word.first, !first.isDigit, word.endIndex < bytes.count,
                bytes[word.endIndex] == UInt8(ascii: "}")
            else { continue }
            uses.append(
                Use(
                    name: String(decoding: word, as: UTF8.self),
                    afterDollar: open > 0 && bytes[open - 1] == UInt8(ascii: "$")))
            index = word.endIndex
        }
        return uses
    }

    /// What kind of command it is, which decides what means something in it.
    enum Role {
        case ordinary, suite, select, runbook

        var placeholders: [String] {
            let general = known.filter { !Placeholders.foreign.contains($0) && $0 != "report" && $0 != "suite" }
            switch self {
            case .ordinary: return general
            case .suite: return general + ["report", "suite"]
            case .select: return general + ["report", "suite"] + ofTests
            case .runbook: return general + ["component"]
            }
        }
    }
}

extension DecodingNotes {
    /// Reports what is wrong with the placeholders of one command.
    func checkPlaceholders(_ arguments: [String], isShell: Bool, role: Placeholders.Role, at path: String) {
        for (index, argument) in arguments.enumerated() where !isShell || index == arguments.count - 1 {
            for use in Placeholders.uses(in: argument) {
                check(use, in: argument, isShell: isShell, role: role, at: path)
            }
        }
    }

    private func check(
        _ use: Placeholders.Use, in argument: String, isShell: Bool, role: Placeholders.Role, at path: String
    ) {
        let isKnown = Placeholders.known.contains(use.name)
        let list = role.placeholders.map { "{\($0)}" }.joined(separator: " ")
        if use.afterDollar {
            if isShell && !isKnown { return }
            let found = "${\(use.name)}".jsonQuoted
            let hint =
                isKnown
                ? "write {\(use.name)} without $"
                : "no shell takes part here: set it in environment, or use { shell: … }"
            return add(path, found: found, allowed: list, hint: hint)
        }
        if !isKnown {
            let near = nearest(to: use.name, among: role.placeholders).map { "did you mean {\($0)}?" }
            let space = isShell ? "write { \(use.name) } with spaces if it is meant for the shell" : nil
            return add(path, what: "unknown placeholder", found: "{\(use.name)}", allowed: list, hint: near ?? space)
        }
        if !role.placeholders.contains(use.name) {
            return add(path, what: "{\(use.name)} means nothing here", allowed: list)
        }
        if isShell, Placeholders.foreign.contains(use.name) {
            return add(
                path, what: "{\(use.name)} in shell text would let test names run as commands",
                hint: "use [\"sh\", \"-c\", \"… \\\"$@\\\"\", \"sh\", \"{\(use.name)}\"]")
        }
        if use.name == "tests", argument != "{tests}" {
            add(
                path, found: shortened(argument).jsonQuoted, allowed: "{tests} as an argument of its own",
                hint: "it becomes one argument per test; {testsRegex} and {testNames} become one word")
        }
    }
}
