// SPDX-License-Identifier: Apache-2.0
// The rules of the house that a formatter does not know.

import Testing

struct TidyTests {
    struct BannedWord: Sendable {
        var word: String
        /// What to write instead.
        var instead: String
        /// Where it is fine.
        var exempt: @Sendable (SourceFile) -> Bool = { _ in false }
    }

    static let bannedInSources: [BannedWord] = [
        BannedWord(word: "print(", instead: "the command's output value") {
            // The demo's checker is a test tool of its own: its console is what it is for.
            $0.path.hasSuffix("/Output.swift") || $0.module == "DemoStaging"
        },
        BannedWord(word: "debugPrint(", instead: "nothing"),
        BannedWord(word: "dump(", instead: "nothing"),
        BannedWord(word: "Date()", instead: "the clock that is passed in"),
        BannedWord(word: "Date.now", instead: "the clock that is passed in"),
        BannedWord(word: "try!", instead: "a typed error"),
        BannedWord(word: "fatalError(", instead: "a typed error, or a precondition that names the broken promise"),
        BannedWord(word: "unsafeBitCast", instead: "a conversion"),
        BannedWord(word: "nonisolated(unsafe)", instead: "a Mutex"),
        BannedWord(word: "NSLock", instead: "Mutex"),
        BannedWord(word: "Thread.sleep", instead: "a deadline in a poll"),
        BannedWord(word: "readabilityHandler", instead: "a thread that reads (the handler loses the tail on Linux)"),
        BannedWord(word: "terminationStatus", instead: "result.json (the status is invented where another reaped)"),
        // Where the end is known already it only breaks a cycle of references.
        BannedWord(word: "waitUntilExit", instead: "the pidfd") { $0.path.hasSuffix("/ShepherdLauncher.swift") },
        BannedWord(word: "Process()", instead: "Execution") { $0.module == "Execution" },
        BannedWord(word: "DispatchSemaphore", instead: "a continuation, or a Mutex") { $0.module == "Platform" },
    ]

    @Test func `banned words have a replacement`() {
        for rule in Self.bannedInSources {
            var found: [String: [String]] = [:]
            // The benchmark runs the peers that the product is compared with, in their own ways.
            let files = SourceTree.sources.filter { $0.module != "nightjar-bench" }
            for file in files where file.holds(rule.word) && !rule.exempt(file) {
                for (index, line) in file.code.enumerated() where Self.holds(line, rule.word) {
                    found[file.path, default: []].append(":\(index + 1): write \(rule.instead) for \(rule.word)")
                }
            }
            for complaint in RatchetList.judge("banned " + rule.word, found) { Issue.record("\(complaint)") }
        }
    }

    /// Whether `word` stands in `line` as a word of its own: `print(` is not in `fingerprint(`.
    static func holds(_ line: String, _ word: String) -> Bool {
        var rest = line[...]
        while let range = rest.firstRange(of: word) {
            let before = line[..<range.lowerBound].last
            let isPart = before.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
            // A member or a declaration of that name is something else.
            let isOther = before == "." || line[..<range.lowerBound].hasSuffix("func ")
            if !isPart, !(isOther && word.hasSuffix("(")) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    @Test func `files stay short`() {
        var found: [String: [String]] = [:]
        for file in SourceTree.swift where file.lines.count > 400 {
            found[file.path] = [": \(file.lines.count) lines, at most 400: split by topic"]
        }
        for complaint in RatchetList.judge("long file", found) { Issue.record("\(complaint)") }
    }

    @Test func `functions fit a screen`() {
        var found: [String: [String]] = [:]
        for file in SourceTree.swift {
            for function in FunctionScan.functions(in: file.code) where function.length > 60 {
                found[file.path, default: []]
                    .append(":\(function.line): \(function.length) lines, at most 60: split it")
            }
        }
        for complaint in RatchetList.judge("long function", found) { Issue.record("\(complaint)") }
    }

    @Test func `every file says its license first and then what it is`() {
        let license = "// SPDX-License-Identifier: Apache-2.0"
        for file in SourceTree.swift {
            // The manifest's first line belongs to the tools version.
            let start = file.path.hasSuffix("Package.swift") ? 1 : 0
            // A manifest for development without the line is nobody's concern but the developer's.
            guard start == 0 || file.lines.count > 1 && file.lines[1].hasPrefix("//") else { continue }
            #expect(file.lines.dropFirst(start).first == license, "\(file.path): the license line is missing")
            guard start == 0 else { continue }
            #expect(
                file.lines.dropFirst().prefix(2).contains { $0.hasPrefix("// ") },
                "\(file.path): line 2 must say what the file is")
        }
        for file in SourceTree.files where file.path.hasSuffix(".sh") || file.path.hasSuffix(".c") {
            #expect(
                file.lines.prefix(3).contains { $0.contains("SPDX-License-Identifier: Apache-2.0") }, "\(file.path)")
        }
    }

    /// Written so that this file does not contain the words.
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]

    @Test func `nothing is left for later`() {
        for file in SourceTree.files where Self.unfinished.contains(where: { file.holds($0) }) {
            for (index, line) in file.lines.enumerated() {
                for word in Self.unfinished where Self.marksWork(line, word) {
                    Issue.record("\(file.path):\(index + 1): \(word)")
                }
            }
        }
    }

    /// Whether `word` marks work that is left; TAP has a directive of that name, which readers of TAP may speak of.
    static func marksWork(_ line: String, _ word: String) -> Bool {
        line.contains(word + ":") || line.contains(word + "(") || line.hasSuffix("// " + word)
    }

    /// Places that exist only on the machine of whoever wrote it.
    static let privatePlaces = ["/" + "work/", "/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/"]

    @Test func `no file names a place on somebody's machine`() {
        for file in SourceTree.files where Self.privatePlaces.contains(where: { file.holds($0) }) {
            for (index, line) in file.lines.enumerated() {
                for place in Self.privatePlaces where Self.startsPath(line, place) {
                    Issue.record("\(file.path):\(index + 1): names \(place)")
                }
            }
        }
    }

    /// Whether `place` begins a path in `line`: `build/work/` and `https://example/work/` do not count.
    static func startsPath(_ line: String, _ place: String) -> Bool {
        var rest = line[...]
        while let range = rest.firstRange(of: place) {
            let before = line[..<range.lowerBound].last
            if !(before.map { $0.isLetter || $0.isNumber || "._-}>$*".contains($0) } ?? false) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    /// British to American, as far as the words of this field go. Not `canceled`: the language itself says
    /// `isCancelled`.
    static let spelling = [
        "beha" + "viour": "behavior", "col" + "our": "color", "cen" + "tre": "center", "initial" + "ise": "initialize",
        "normal" + "ise": "normalize", "recogn" + "ise": "recognize", "serial" + "ise": "serialize",
        "summar" + "ise": "summarize", "util" + "ise": "utilize", "organ" + "ise": "organize",
        "final" + "ise": "finalize",
        "synchron" + "ise": "synchronize", "author" + "ise": "authorize", "optim" + "ise": "optimize",
        "minim" + "ise": "minimize", "anal" + "yse": "analyze", "hon" + "our": "honor", "fav" + "our": "favor",
        "neigh" + "bour": "neighbor", "cata" + "logue": "catalog", "lic" + "ence": "license", "def" + "ence": "defense",
        "grey" + "ed": "grayed", "art" + "efact": "artifact",
    ]

    @Test func `spelling is American`() {
        for file in SourceTree.files {
            for (british, american) in Self.spelling where file.holds(british, ignoringCase: true) {
                for (index, line) in file.lines.enumerated() where line.lowercased().contains(british) {
                    Issue.record("\(file.path):\(index + 1): \(british), write \(american)")
                }
            }
        }
    }

    @Test func `unchecked promises carry their proof`() {
        for file in SourceTree.sources where file.holds("@unchecked Sendable") {
            for (index, line) in file.code.enumerated() where line.contains("@unchecked Sendable") {
                let above = file.lines[max(0, index - 6)..<index]
                #expect(above.contains { $0.contains("//") }, "\(file.path):\(index + 1): say above why this is safe")
            }
        }
    }

    @Test(arguments: [
        ("print(x)", "print(", true), ("fingerprint(x)", "print(", false), ("x.print(y)", "print(", false),
        ("let now = Date()", "Date()", true), ("let at = MyDate()", "Date()", false),
        ("func print(_ x: Int)", "print(", false),
        ("Foundation.Date()", "Date()", true),
    ])
    func `a banned word is a word of its own`(line: String, word: String, found: Bool) {
        #expect(Self.holds(line, word) == found)
    }

    @Test func `comments and strings are no code`() {
        let lines = [
            "let a = \"try! \\\" x\" // fatalError(", "let b = #\"say \"print(\" \\(x)\"#; go()", "let c = \"\"\"",
            "  try! no",
            "  \"\"\" + d", "/* Date()", " more */ e()",
        ]
        let code = SourceFile(path: "x.swift", lines: lines).code
        #expect(code == ["let a = \"\" ", "let b = \"\"; go()", "let c = \"\"", "", " + d", "", " e()"])
    }
}
