// SPDX-License-Identifier: Apache-2.0
// What failing tests say that a commit's changes may say too: source files and lines of their stacks, and words.

import Domain

/// What a path says about a file.
package enum FileKind {
    private static let documentEndings = ["md", "rst", "adoc", "txt", "png", "jpg", "jpeg", "svg", "gif", "pdf"]
    private static let documentNames = ["license", "copying", "authors", "changelog", "readme", "codeowners", "notice"]
    private static let testFolders: Set<Substring> = [
        "test", "tests", "spec", "specs", "__tests__", "e2e", "testing", "testdata",
    ]

    package static func isDocumentation(_ path: String) -> Bool {
        let parts = path.lowercased().split(separator: "/")
        guard let name = parts.last else { return false }
        if parts.dropLast().contains(where: { $0 == "docs" || $0 == "doc" }) { return true }
        // Dependencies of a Python program, and CMake's programs, are text files that break things.
        if name.hasPrefix("requirements") || name == "cmakelists.txt" { return false }
        let stem = name.prefix { $0 != "." }
        return documentNames.contains(String(stem))
            || documentEndings.contains { name.hasSuffix("." + $0) }
    }

    package static func isTest(_ path: String) -> Bool {
        let lower = path.lowercased()
        let parts = lower.split(separator: "/")
        guard let name = parts.last else { return false }
        if parts.dropLast().contains(where: testFolders.contains) { return true }
        let stem = name.prefix { $0 != "." }
        let original = path.split(separator: "/").last?.prefix { $0 != "." } ?? ""
        return stem.hasPrefix("test_") || stem.hasSuffix("_test") || stem.hasSuffix("_spec")
            || name.contains(".test.") || name.contains(".spec.") || original.hasSuffix("Test")
            || original.hasSuffix("Tests")
    }
}

struct CulpritClues {
    struct Frame: Hashable {
        var file: String
        var line: Int?
    }
    /// Places in source files, in the order in which the failures name them, at most 200.
    private(set) var frames: [Frame] = []
    private(set) var words: Set<String> = []
    private var testFiles: Set<String> = []

    init(_ failing: [TestResult]) {
        for result in failing.prefix(50) {
            if let file = result.file { testFiles.insert(file) }
            words.formUnion(CulpritClues.words(result.id))
            words.formUnion(CulpritClues.words(result.message ?? ""))
            for text in [result.message ?? "", result.details ?? ""] where frames.count < 200 {
                for frame in CulpritClues.frames(in: text) where !frames.contains(frame) && !isTestFile(frame.file) {
                    frames.append(frame)
                }
            }
        }
        words.subtract(CulpritClues.common)
    }

    func isTestFile(_ path: String) -> Bool { testFiles.contains { CulpritClues.isSame(path, $0) } }

    /// Whether two paths may be one file: one ends with the other, at a slash. A stack may name a file by its last part
    /// alone, or with the folder that it was deployed to in front.
    static func isSame(_ one: String, _ other: String) -> Bool {
        one == other || one.hasSuffix("/" + other) || other.hasSuffix("/" + one)
    }

    // MARK: - Text

    /// `src/chat/hub.js:42`, `File "app/x.py", line 7`, `Hub.java:42`: each word that looks like a file with an ending,
    /// and the number behind it.
    static func frames(in text: String) -> [Frame] {
        var found: [Frame] = []
        for line in text.utf8.prefix(64 << 10).split(separator: 10) {
            let line = String(Substring(line))
            var rest = line[...]
            while let start = rest.firstIndex(where: isPath) {
                let end = rest[start...].firstIndex { !isPath($0) } ?? rest.endIndex
                let word = rest[start..<end]
                rest = rest[end...]
                guard let file = fileName(word) else { continue }
                found.append(Frame(file: file, line: lineNumber(rest)))
            }
        }
        return found
    }

    private static func isPath(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "_-./@+".contains(character))
    }

    private static func fileName(_ word: Substring) -> String? {
        guard let dot = word.lastIndex(of: "."), dot != word.startIndex else { return nil }
        let ending = word[word.index(after: dot)...]
        guard (1...6).contains(ending.count), ending.first?.isLetter == true, ending.allSatisfy(\.isASCII),
            ending.allSatisfy({ $0.isLetter || $0.isNumber })
        else { return nil }
        var name = word[...]
        while name.hasPrefix("./") || name.hasPrefix("../") { name = name.drop { $0 != "/" }.dropFirst() }
        return name.isEmpty ? nil : String(name)
    }

    /// `:42`, `(42`, `", line 42` right behind the file's name.
    private static func lineNumber(_ rest: Substring) -> Int? {
        var text = rest.drop { $0 == "\"" || $0 == "'" }
        if text.hasPrefix(", line ") {
            text = text.dropFirst(7)
        } else if text.hasPrefix(":") || text.hasPrefix("(") {
            text = text.dropFirst()
        } else {
            return nil
        }
        return Int(text.prefix { $0.isASCII && $0.isNumber })
    }

    static func words(_ text: String) -> Set<String> { FileChange.words(in: text.utf8.prefix(16 << 10)) }

    static func words(ofCommit commit: CommitInfo) -> Set<String> {
        var all = words(commit.subject)
        for file in commit.files { all.formUnion(words(file)) }
        for change in commit.changes { all.formUnion(change.words) }
        return all
    }

    /// Words of every failure and every program.
    private static let common: Set<String> = [
        "test", "tests", "spec", "error", "assert", "assertion", "expected", "actual", "failed", "failure", "false",
        "true", "null", "none", "undefined", "exception", "line", "file", "self", "this", "that", "with", "from",
        "when", "then", "should", "have", "been", "value", "equal", "object", "string", "array", "function", "return",
        "class", "import", "const", "public", "static", "void", "code", "type", "name", "data", "main", "index",
        "https", "http", "call", "called", "seconds", "after", "before", "does", "into", "message", "result",
    ]
}
