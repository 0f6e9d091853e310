// SPDX-License-Identifier: Apache-2.0
// The few pieces of Markdown that reports are made of. Text from outside is escaped, so that it stays text: no link, no
// heading, no mention, no HTML.

enum Markdown {
    /// Inline text with everything that Markdown would read escaped.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in Printable.line(text, columns: Printable.columnsPerLine) {
            if special.contains(character) { result.append("\\") }
            result.append(character)
        }
        return result.replacing("://", with: "\\://").replacing("www.", with: "www\\.")
    }

    private static let special: Set<Character> = [
        "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "#", "|", "~", "&", "!", "$", "@",
    ]

    /// A code span whose fence is longer than any run of backticks inside (CommonMark 6.1).
    static func code(_ text: String) -> String {
        let line = Printable.line(text)
        let fence = String(repeating: "`", count: longestRun(of: "`", in: [line]) + 1)
        let space = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
        return fence + space + line + space + fence
    }

    /// A code block whose fence is longer than any run of backticks inside.
    static func block(_ text: String, lines limit: Int) -> String {
        let lines = Printable.lines(text, limit: limit)
        let fence = String(repeating: "`", count: max(2, longestRun(of: "`", in: lines)) + 1)
        return "\(fence)text\n\(lines.joined(separator: "\n"))\n\(fence)\n"
    }

    private static func longestRun(of wanted: Character, in lines: [String]) -> Int {
        var longest = 0
        for line in lines {
            var run = 0
            for character in line {
                run = character == wanted ? run + 1 : 0
                longest = max(longest, run)
            }
        }
        return longest
    }

    /// A link to a file of the cycle folder; a path that is not plain stays text.
    static func link(_ path: String, _ text: String? = nil, base: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 47, 95: true
            default: false
            }
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard isPlain, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            return escaped(text ?? path)
        }
        return "[\(escaped(text ?? path))](\(base)\(path))"
    }

    /// Cells are Markdown already.
    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines = [head, head.map { _ in "---" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    /// Items are Markdown already.
    static func list(_ items: [String]) -> String {
        items.map { "- \($0)\n" }.joined()
    }
}
