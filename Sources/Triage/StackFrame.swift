// SPDX-License-Identifier: Apache-2.0
// The place in the program's own code that the stack of a failure names last: neither of a library nor of a test.

import Domain

struct StackFrame: Hashable {
    /// As the stack prints it.
    var file: String
    var line: Int?
    var function: String?

    private var name: String { file.split(separator: "/").last.map(String.init) ?? file }

    /// What stays when lines move: the file without its folders, which differ from machine to machine, and the function.
    var place: String { function.map { "\(name) \(Signature.normalized($0))" } ?? name }

    /// For people: `threads.py:88, list_threads`.
    var words: String { "\(file)\(line.map { ":\($0)" } ?? "")\(function.map { ", \($0)" } ?? "")" }

    /// The first that a failure names.
    static func top(ofAll results: [TestResult]) -> StackFrame? {
        results.prefix(20).lazy.compactMap { top(of: $0) }.first
    }

    static func top(of result: TestResult) -> StackFrame? {
        guard let details = result.details else { return nil }
        var python: StackFrame?
        var other: StackFrame?
        var definition: String?
        for line in details.utf8.prefix(64 << 10).split(separator: 10) {
            let line = String(Substring(line))
            // Behind it stands what the test printed.
            if line.hasPrefix("---"), line.contains(" Captured ") { break }
            // Source and message, as pytest prints them.
            if line.hasPrefix(">") || line.hasPrefix("E  ") { continue }
            if definition == nil { definition = defined(line) }
            if let frame = ofPython(line, definition) {
                definition = nil
                // The most recent call is the last.
                if isOfProgram(frame, result) { python = frame }
            } else if other == nil, let frame = ofOthers(line), isOfProgram(frame, result) {
                other = frame
            }
        }
        return python ?? other
    }

    // MARK: - Lines of stacks

    /// `list_threads` of `    async def list_threads(store):`, as pytest prints the source above a place.
    private static func defined(_ line: String) -> String? {
        var text = line.drop(while: \.isWhitespace)
        if text.hasPrefix("async ") { text = text.dropFirst(6) }
        guard text.hasPrefix("def ") else { return nil }
        let name = text.dropFirst(4).prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return name.isEmpty ? nil : String(name)
    }

    /// `File "tern/threads.py", line 7, in list_threads`, `tern/threads.py:7: in list_threads`, `tern/threads.py:7: KeyError`.
    private static func ofPython(_ line: String, _ definition: String?) -> StackFrame? {
        let text = line.drop(while: \.isWhitespace)
        if text.hasPrefix("File \"") {
            let parts = text.dropFirst(6).split(separator: "\"", maxSplits: 1)
            guard parts.count == 2, parts[1].hasPrefix(", line ") else { return nil }
            let number = Int(parts[1].dropFirst(7).prefix(while: \.isNumber))
            return StackFrame(file: String(parts[0]), line: number, function: word(behind: ", in ", parts[1]))
        }
        guard text.startIndex == line.startIndex, let end = line.firstRange(of: ".py:") else { return nil }
        let file = line[..<line.index(end.lowerBound, offsetBy: 3)]
        let rest = line[end.upperBound...]
        let digits = rest.prefix(while: \.isNumber)
        guard let number = Int(digits), rest.dropFirst(digits.count).hasPrefix(":"), !file.contains(" ") else {
            return nil
        }
        return StackFrame(file: String(file), line: number, function: word(behind: ": in ", rest) ?? definition)
    }

    private static func word(behind mark: String, _ text: some StringProtocol) -> String? {
        guard let range = text.firstRange(of: mark) else { return nil }
        let name = text[range.upperBound...].prefix { $0.isLetter || $0.isNumber || "_.<>".contains($0) }
        return name.isEmpty || name.hasPrefix("<") ? nil : String(name)
    }

    /// `at Hub.send (src/chat/hub.js:42:7)`, `at com.acme.Hub.send(Hub.java:42)`, and lines of other languages that name a
    /// source file with a line.
    private static func ofOthers(_ line: String) -> StackFrame? {
        guard !foreign.contains(where: { line.contains($0) }),
            let found = CulpritClues.frames(in: line).first(where: { $0.line != nil })
        else { return nil }
        var frame = StackFrame(file: found.file, line: found.line)
        var text = line.drop(while: \.isWhitespace)
        guard text.hasPrefix("at "), let open = text.firstIndex(of: "(") else { return frame }
        text = text[..<open].dropFirst(3)
        for mark in ["async ", "new "] where text.hasPrefix(mark) { text = text.dropFirst(mark.count) }
        let name = text.split(separator: ".").suffix(2).joined(separator: ".").filter { !$0.isWhitespace }
        if libraries.contains(where: { text.hasPrefix($0) }) { return nil }
        frame.function = name.isEmpty || name.contains("<") ? nil : name
        return frame
    }

    // MARK: - Whose code

    private static let libraries = [
        "java.", "javax.", "jdk.", "sun.", "org.junit.", "kotlin.", "scala.", "org.gradle.", "Module.", "node:",
    ]
    private static let foreign = [
        "site-packages/", "dist-packages/", "node_modules/", "/usr/lib/", "/usr/local/", "lib/python", "venv/",
        "/pkg/mod/", ".cargo/", "rustc/", "vendor/", "<frozen", "node:",
    ]
    private static let endings: Set<Substring> = [
        "py", "js", "mjs", "cjs", "ts", "jsx", "tsx", "java", "kt", "scala", "go", "rs", "rb", "php", "swift", "c",
        "cc",
        "cpp", "h", "hpp", "m", "cs", "ex", "exs", "erl", "clj", "lua", "pl", "sh",
    ]

    private static func isOfProgram(_ frame: StackFrame, _ result: TestResult) -> Bool {
        guard let dot = frame.file.lastIndex(of: "."), endings.contains(frame.file[dot...].dropFirst()),
            !foreign.contains(where: { frame.file.contains($0) }), frame.name != "conftest.py"
        else { return false }
        return !FileKind.isTest(frame.file) && !Paths.isSource(frame.file, of: result)
    }
}
