// SPDX-License-Identifier: Apache-2.0
// Finds functions and their lengths by indentation: the formatter makes that exact enough.

enum FunctionScan {
    struct Function: Hashable {
        /// Counted from 1.
        var line: Int
        /// From the declaration to the closing brace, both included.
        var length: Int
    }

    /// Functions and initializers of formatted code. One ends at the first line that closes at its own indentation.
    static func functions(in code: [String]) -> [Function] {
        var found: [Function] = []
        for (start, line) in code.enumerated() where declaresFunction(line) {
            let indent = line.prefix { $0 == " " }.count
            // A requirement of a protocol has no body: nothing deeper follows, and nothing is found.
            for end in start..<code.count {
                let text = code[end]
                let closes = text.dropFirst(indent).hasPrefix("}") && text.prefix { $0 == " " }.count == indent
                let isOneLine = end == start && text.hasSuffix("}")
                if isOneLine || (end > start && closes) {
                    found.append(Function(line: start + 1, length: end - start + 1))
                    break
                }
                let isBlank = text.allSatisfy { $0 == " " }
                let leaves = end > start && !isBlank && text.prefix { $0 == " " }.count < indent
                if leaves || (end > start && text.prefix { $0 == " " }.count == indent && declaresFunction(text)) {
                    break
                }
            }
        }
        return found
    }

    private static func declaresFunction(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(where: { $0 == "func" || $0.hasPrefix("init(") || $0.hasPrefix("init?(") })
        else { return false }
        let modifiers = [
            "package", "private", "fileprivate", "internal", "public", "static", "mutating", "override", "final",
        ]
        return words[..<keyword].allSatisfy { word in
            modifiers.contains(String(word)) || word.hasPrefix("@")
                || ["nonisolated", "consuming", "isolated"].contains(word)
        }
    }
}
