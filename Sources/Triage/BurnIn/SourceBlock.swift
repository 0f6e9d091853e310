// SPDX-License-Identifier: Apache-2.0
// Where a test begins and ends in its source, by name and indentation. No parser: it holds for languages whose blocks
// are indented, and where it fails a test is run once more for nothing.

enum SourceBlock {
    /// What a changed line is part of.
    enum Meaning: Hashable {
        /// Blank, a comment, or what brings other names in.
        case nothing
        /// A function, type or value of this name.
        case named(String)
        case unclear
    }

    /// The lines of the test of this name, counted from 1: from what is written above it to its last line.
    static func ofTest(named name: String, in lines: [Substring]) -> ClosedRange<Int>? {
        guard !name.isEmpty, let head = lines.firstIndex(where: { isHead($0, name) }) else { return nil }
        let depth = indentation(lines[head])
        var start = head
        while start > 0, isAttribute(lines[start - 1]), indentation(lines[start - 1]) == depth { start -= 1 }
        var end = head
        for index in lines.indices[(head + 1)...] {
            let line = lines[index]
            if isBlank(line) { continue }
            guard indentation(line) > depth || (indentation(line) == depth && isClosing(line)) else { break }
            end = index
        }
        return (start + 1)...(end + 1)
    }

    /// The innermost declaration around a line.
    static func meaning(of number: Int, in lines: [Substring]) -> Meaning {
        guard lines.indices.contains(number - 1) else { return .nothing }
        let line = lines[number - 1]
        if isBlank(line) || isComment(line) || isImport(line) { return .nothing }
        var depth = indentation(line) + 1
        for index in lines.indices[..<number].reversed() {
            let above = lines[index]
            guard !isBlank(above), indentation(above) < depth else { continue }
            if isClosing(above) || isAttribute(above) {
                // What is written above a declaration belongs to the one below it.
                if isAttribute(above), index == number - 1, let below = declared(below: index, in: lines) {
                    return .named(below)
                }
                continue
            }
            if let name = declaredName(above) { return .named(name) }
            depth = indentation(above)
            if depth == 0 { return .unclear }
        }
        return .unclear
    }

    private static func declared(below index: Int, in lines: [Substring]) -> String? {
        lines[(index + 1)...].prefix(5).lazy.compactMap(declaredName).first
    }

    // MARK: - Lines

    private static let declaring: Set<Substring> = [
        "def", "class", "func", "function", "fn", "struct", "enum", "extension", "interface", "type",
    ]
    private static let modifiers: Set<Substring> = [
        "async", "static", "public", "private", "internal", "package", "export", "default", "pub", "final", "const",
        "let", "var", "override", "protected", "abstract",
    ]

    /// The name that a line declares: of a function or type anywhere, of a value where it is not indented.
    static func declaredName(_ line: Substring) -> String? {
        let words = names(in: plain(line))
        guard let first = words.first(where: { !modifiers.contains($0) }) else { return nil }
        if declaring.contains(first) {
            return words.drop { modifiers.contains($0) || declaring.contains($0) }.first.map(String.init)
        }
        let isValue = indentation(line) == 0 && line.contains("=")
        return isValue ? String(first) : nil
    }

    private static func isHead(_ line: Substring, _ name: String) -> Bool {
        guard !isComment(line), names(in: line).contains(where: { $0 == name }) else { return false }
        return declaredName(line) == name || isCalledTest(line)
    }

    /// Without what is written before a declaration in its own line: `@Test func adds() {`.
    private static func plain(_ line: Substring) -> Substring {
        var text = line
        while trimmed(text).first == "@" {
            let rest = trimmed(text).drop { !$0.isWhitespace }
            if rest.allSatisfy(\.isWhitespace) { return line }
            text = rest
        }
        return text.startIndex == line.startIndex ? line : Substring(line.prefix { $0 == " " } + trimmed(text))
    }

    /// `test('name', () => {`, `it("name"`: the name is a text there.
    private static func isCalledTest(_ line: Substring) -> Bool {
        ["test", "it", "specify", "func", "void"].contains(names(in: plain(line)).first.map(String.init) ?? "")
    }

    static func names(in line: Substring) -> [Substring] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func indentation(_ line: Substring) -> Int { line.prefix { $0 == " " || $0 == "\t" }.count }

    private static func trimmed(_ line: Substring) -> Substring { line.drop { $0 == " " || $0 == "\t" } }

    private static func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }

    private static func isClosing(_ line: Substring) -> Bool {
        trimmed(line).first.map { ")]}{".contains($0) } ?? false
    }

    private static func isAttribute(_ line: Substring) -> Bool {
        let text = trimmed(line)
        return (text.hasPrefix("@") && declaredName(line) == nil) || text.hasPrefix("#[")
    }

    private static func isComment(_ line: Substring) -> Bool {
        let text = trimmed(line)
        return ["//", "/*", "* ", "# ", "#!", "\"\"\"", "'''"].contains { text.hasPrefix($0) } || text == "#"
    }

    private static func isImport(_ line: Substring) -> Bool {
        ["import", "from", "using", "use", "include", "require", "package"].contains(
            names(in: line).first.map(String.init) ?? "")
    }
}
