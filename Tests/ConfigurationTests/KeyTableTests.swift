// SPDX-License-Identifier: Apache-2.0
// The table of keys against decoder, schema and documentation: each key with good and bad values.

import Domain
import Foundation
import Testing

@testable import Configuration

struct KeyTableTests {
    private static func parsed(_ text: String) throws -> JSON5Value {
        guard case .value(let value) = JSON5Parser.parse(Array(text.utf8)) else { throw Broken(text: text) }
        return value
    }

    struct Broken: Error {
        var text: String
    }

    private static func validator() throws -> SchemaValidator {
        try SchemaValidator(root: try parsed(ConfigurationSchema.document()))
    }

    /// Keys that mean something for a command only, which the file with every key does not ask with.
    static let commandOnly = ["health.checks[0].expect.exit", "targets[0].expect.exit"]

    /// A file that has every key of the table; `put` may replace the value of one of them.
    static func complete(_ object: ObjectShape, _ path: String, _ put: (path: String, text: String)?) -> String {
        let chosen = object.oneOf.first { put?.path.hasPrefix(join(path, $0)) ?? false } ?? object.oneOf.first
        let keys = object.keys.filter { !object.oneOf.contains($0.name) || $0.name == chosen }
        let members = keys.compactMap { key -> String? in
            let keyPath = join(path, key.name)
            if commandOnly.contains(keyPath) { return nil }
            let text = put?.path == keyPath ? put?.text ?? "" : good(key.shape, keyPath, put)
            return "\(key.name.jsonQuoted): \(text)"
        }
        return "{ " + members.joined(separator: ", ") + " }"
    }

    static func good(_ shape: ValueShape, _ path: String, _ put: (path: String, text: String)?) -> String {
        if path.hasSuffix("window.to") || path.hasSuffix("quietHours.to") { return "\"06:00\"" }
        if path == "suites[0].select" { return #"["tool", "{report}", "{tests}"]"# }
        if path == "suites[0].command" { return #"["tool", "{report}"]"# }
        if path == "suites[0].report" { return #"{ format: "junit" }"# }
        switch shape {
        case .text(let rule): return (samples[rule]?.good.first ?? "").jsonQuoted
        case .hiddenText: return "\"hidden\""
        case .flag: return "true"
        case .integer(let range): return String(range.upperBound == .max ? 77 : range.upperBound)
        case .amount: return "12.5"
        case .number(let range): return String(range.upperBound)
        case .duration: return "\"77s\""
        case .size: return "\"77MiB\""
        case .choice(let words): return (words.last ?? "").jsonQuoted
        case .list(.text(.variable), _): return #"["TOKEN"]"#
        case .list(let element, _): return "[\(good(element, path + "[0]", put))]"
        case .oneOrMany(let element): return good(element, path, put)
        case .map(let rule, let value):
            let name = rule == .variable ? "TOKEN" : samples[rule]?.good.first ?? "x"
            return "{ \(name.jsonQuoted): \(good(value, join(path, name), put)) }"
        case .object(let object): return complete(object, path, put)
        case .either(let short, _): return good(short, path, put)
        case .command: return #"["tool"]"#
        case .json: return "[1, { a: null }]"
        }
    }

    static let samples: [TextRule: (good: [String], bad: [String])] = [
        .words: (["words here", "ä"], ["", "  "]),
        .name: (["name", "a.b-c_1", "9"], ["", "a b", "-a", "a/b", "..", "ä", String(repeating: "x", count: 65)]),
        .path: (["some/folder", "/x y"], ["", "a\nb"]),
        .url: (
            ["https://a.example/x?y=1", "http://[::1]:80"], ["", "a.example", "ftp://a", "https://", "http://u:p@a/"]
        ),
        .hostPort: (["db.example:5432", "[::1]:80"], ["", "db", "db:", ":80", "db:123456", "d b:1"]),
        .timeZone: (
            ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+3"], ["", "Europe/", "+01:00", "a b"]
        ),
        .socketURL: (
            ["wss://a.example/live?x=1", "ws://[::1]:80"], ["", "a.example", "http://a", "wss://", "ws://u:p@a/"]
        ),
        .timeOfDay: (["22:00", "00:00", "23:59"], ["", "24:00", "7:00", "12:60", "12:5a"]),
        .date: (["2026-12-31", "2027-01-01"], ["", "31.12.2026", "2026-1-1"]),
        .variable: (["TOKEN", "_a1"], ["", "1A", "A-B", "A=B"]),
        .header: (["X-Trace", "Accept"], ["", "A:", "a b"]),
        .pointer: (["/status", "", "/a~1b/0"], ["status", "/a~", "/~2"]),
        .measure: (["100ms", "2 s", "99.95%", "0", "1e3"], ["", "ms", "-1", "1 2", "10 ms!"]),
        .any: (["anything", ""], []),
    ]

    static func bad(_ shape: ValueShape) -> [String] {
        switch shape {
        case .text(let rule): return (samples[rule]?.bad.map(\.jsonQuoted) ?? []) + ["7", "null", "[]"]
        case .hiddenText: return ["7", "{}"]
        case .flag: return ["\"true\"", "1", "null"]
        case .integer(let range): return ["1.5", "\"1\"", String(range.lowerBound - 1), "true"]
        case .amount: return ["-1", "\"5\""]
        case .number(let range): return [String(range.lowerBound - 1), "\"5\""]
        case .duration(let zero):
            return ["\"\"", "\"30\"", "30", "\"1m1h\"", "\"-1s\"", "\"1.5h\""] + (zero ? [] : ["\"0s\""])
        case .size: return ["20", "\"20\"", "\"GB\"", "\"1gb\""]
        case .choice: return ["\"nonsense\"", "1"]
        case .list(let element, let atLeast):
            return (atLeast > 0 ? ["[]"] : []) + ["{}"] + bad(element).map { "[\($0)]" }
        case .oneOrMany(let element): return bad(element).filter { $0 != "[]" }
        case .map: return ["[]", "1", "{ \"a b\": {} }"]
        case .object(let object):
            return ["[]", "1", "{ nonsense: 1 }", object.keys.contains(where: \.isRequired) ? "{}" : "7"]
        case .either: return ["1", "\"x\"", "{}"]
        case .command: return ["\"tool\"", "[]", "[1]", "{}", "{ command: [\"a\"], shell: \"a\" }", "{ shell: \"\" }"]
        case .json: return []
        }
    }

    /// Every key with its path, in all objects.
    static func allKeys(_ object: ObjectShape, _ path: String) -> [(path: String, key: KeyShape)] {
        object.keys.flatMap { key -> [(path: String, key: KeyShape)] in
            let keyPath = join(path, key.name)
            let inner: [(path: String, key: KeyShape)]
            switch key.shape {
            case .object(let object): inner = keyPath == "suites[0].report" ? [] : allKeys(object, keyPath)
            case .list(.object(let object), _): inner = allKeys(object, keyPath + "[0]")
            case .oneOrMany(.object(let object)): inner = allKeys(object, keyPath)
            case .map(let rule, .object(let object)):
                let name = rule == .variable ? "TOKEN" : samples[rule]?.good.first ?? "x"
                inner = allKeys(object, join(keyPath, name))
            default: inner = []
            }
            return [(keyPath, key)] + inner
        }
    }

    @Test func `a file with every key loads, and every key makes a difference`() throws {
        let text = Self.complete(KeyTable.root, "", nil)
        let full = try loaded(text)
        let paths = Set(full.effective.map(\.path))
        for (path, key) in Self.allKeys(KeyTable.root, "") {
            if path == "$schema" || Self.commandOnly.contains(path) { continue }
            let noted = paths.contains { $0 == path || $0.hasPrefix(path + ".") || $0.hasPrefix(path + "[") }
            let alternative = [
                "fromEnv", "fromCommand", "tcp", "command", "shell", "websocket", "property", "tests",
            ].contains(key.name)
            let otherReceiver = KeyTable.receiver.oneOf.dropFirst().contains { path.hasPrefix("notify[0].\($0)") }
            #expect(noted || alternative || otherReceiver, "\(path) is not among the effective values")
        }
        #expect(try Self.validator().accepts(Self.parsed(text)))
    }

    @Test func `each key refuses bad values at its own place, and so does the schema`() throws {
        let validator = try Self.validator()
        var count = 0
        for (path, key) in Self.allKeys(KeyTable.root, "") {
            for bad in Self.bad(key.shape) where !Self.commandOnly.contains(path) {
                let text = Self.complete(KeyTable.root, "", (path, bad))
                guard text.contains(": \(bad)") else { continue }
                let found = problems(text)
                #expect(found.contains { $0.contains("  \(path)") }, "\(path): \(bad) gives \(found)")
                let isNUL = bad == "[\"\"]"
                #expect(try isNUL || !validator.accepts(Self.parsed(text)), "the schema accepts \(path): \(bad)")
                count += 1
            }
        }
        #expect(count > 600, "\(count) cases")
    }

    @Test func `the rules of text agree with their patterns`() throws {
        for rule in TextRule.allCases {
            let samples = try #require(Self.samples[rule])
            for (text, expected) in samples.good.map({ ($0, true) }) + samples.bad.map({ ($0, false) }) {
                #expect(rule.accepts(text) == expected, "\(rule): \(text)")
                let matches = try rule.pattern.map { try text.contains(Regex($0)) } ?? true
                #expect(matches == expected, "the pattern of \(rule): \(text)")
            }
        }
        #expect(!TextRule.date.accepts("2026-02-29") && TextRule.date.accepts("2028-02-29"))
    }

    @Test func `an unknown key is an error in every object`() {
        for (path, key) in Self.allKeys(KeyTable.root, "") {
            guard case .object(let object) = key.shape, object.oneOf.isEmpty else { continue }
            let whole = Self.complete(object, path, nil).dropLast(2)
            let text = Self.complete(KeyTable.root, "", (path, whole + ", zzzzzz: 1 }"))
            #expect(problems(text).contains { $0.contains("\(path).zzzzzz: unknown key") }, "\(path)")
        }
    }

    @Test func `words of the design that nothing acts upon are refused as such`() {
        for (object, path) in [(KeyTable.root, ""), (KeyTable.triage, "triage"), (KeyTable.remedy, "remedy")] {
            for word in object.unsupported {
                let inner = "\(word): []"
                let found = problems(minimal(path.isEmpty ? inner : "\(path): { \(inner) }"))
                #expect(found.count == 1 && found[0].contains("\(join(path, word)): not supported by this version"))
            }
        }
    }

    @Test func `the published schema and reference are those of the table`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        if ProcessInfo.processInfo.environment["NIGHTJAR_WRITE_DOCUMENTS"] != nil { try rewrite(root) }
        let schema = try String(contentsOf: root.appending(path: "docs/schema/nightjar.schema.json"), encoding: .utf8)
        #expect(schema == ConfigurationSchema.document())
        let page = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(page.contains(ConfigurationReference.markdown()))
    }

    /// `NIGHTJAR_WRITE_DOCUMENTS=1 swift test --filter KeyTableTests` brings both up to date.
    private func rewrite(_ root: URL) throws {
        let schema = root.appending(path: "docs/schema/nightjar.schema.json")
        try ConfigurationSchema.document().write(to: schema, atomically: true, encoding: .utf8)
        let page = root.appending(path: "docs/configuration.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->")
        guard let first = text.range(of: begin), let last = text.range(of: end) else { throw Broken(text: begin) }
        let new = text[..<first.upperBound] + ConfigurationReference.markdown() + text[last.lowerBound...]
        try new.write(to: page, atomically: true, encoding: .utf8)
    }
}
