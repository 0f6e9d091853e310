// SPDX-License-Identifier: Apache-2.0
// The package's own source, as the rules of this folder read it.

import Foundation
import Glibc

/// One text file of the package.
struct SourceFile: Sendable {
    /// Relative to the package root: `Sources/Domain/Stage.swift`.
    let path: String
    let lines: [String]
    /// The lines as code: comments and the contents of string literals are blanked, so that words in prose are not
    /// taken for code. Good enough for rules, no parser: nested interpolations are blanked with their string.
    let code: [String]
    private let text: String
    private let lowercased: String

    init(path: String, lines: [String]) {
        self.path = path
        self.lines = lines
        text = lines.joined(separator: "\n")
        lowercased = text.lowercased()
        var stripper = CodeStripper()
        code = path.hasSuffix(".swift") ? lines.map { stripper.strip($0) } : []
    }

    /// Whether the file holds `word` anywhere, or lower-case `word` in any case. The C library searches: the rules ask
    /// this for every word of every file, and tests are compiled without optimization.
    func holds(_ word: String, ignoringCase: Bool = false) -> Bool {
        (ignoringCase ? lowercased : text).withCString { hay in
            word.withCString { strstr(hay, $0) != nil }
        }
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// `Domain` of `Sources/Domain/Stage.swift`.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    /// Names of the modules that the file imports, whatever the access level.
    var imports: [String] {
        lines.compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first != "import" {
                let isModifier = ["package", "public", "internal", "private", "fileprivate"].contains(first)
                guard isModifier || first.hasPrefix("@") else { return nil }
                words.removeFirst()
            }
            guard words.count > 1 else { return nil }
            // `import struct Foundation.Data` names its module in the last word.
            let isKind = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"].contains(words[1])
            let name = isKind ? words.dropFirst(2).first ?? "" : words[1]
            return name.split(separator: ".").first.map(String.init)
        }
    }
}

/// Blanks comments and string literals line by line; remembers open multi-line strings and block comments.
struct CodeStripper {
    private enum State {
        case code
        case blockComment
        case multilineString(pounds: Int)
    }
    private var state = State.code

    mutating func strip(_ line: String) -> String {
        let bytes = Array(line.utf8)
        var kept: [UInt8] = []
        var index = 0
        while index < bytes.count {
            switch state {
            case .blockComment:
                let ends = Self.starts(Self.commentEnd, bytes, index)
                if ends { state = .code }
                index += ends ? 2 : 1
            case .multilineString(let pounds):
                let ends = Self.starts(Self.close(quotes: 3, pounds: pounds), bytes, index)
                if ends { state = .code }
                index += ends ? 3 + pounds : 1
            case .code:
                guard let next = takeCode(bytes, index, into: &kept) else {
                    return String(decoding: kept, as: UTF8.self)
                }
                index = next
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static let lineComment = Array("//".utf8)
    private static let commentStart = Array("/*".utf8)
    private static let commentEnd = Array("*/".utf8)

    /// Takes one character, comment start or string of code; nil where a comment takes the rest of the line.
    private mutating func takeCode(_ bytes: [UInt8], _ index: Int, into kept: inout [UInt8]) -> Int? {
        switch bytes[index] {
        case UInt8(ascii: "/"):
            if Self.starts(Self.lineComment, bytes, index) { return nil }
            if Self.starts(Self.commentStart, bytes, index) {
                state = .blockComment
                return index + 2
            }
        case UInt8(ascii: "#"), UInt8(ascii: "\""):
            if let (pounds, quotes) = Self.opening(bytes, index) {
                kept += Array("\"\"".utf8)
                return skipString(bytes, from: index + pounds + quotes, pounds: pounds, quotes: quotes)
            }
        default: break
        }
        kept.append(bytes[index])
        return index + 1
    }

    private static func starts(_ wanted: [UInt8], _ bytes: [UInt8], _ index: Int) -> Bool {
        bytes[index] == wanted[0] && bytes[index...].starts(with: wanted)
    }

    private static func close(quotes: Int, pounds: Int) -> [UInt8] {
        Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: pounds)
    }

    /// How many `#` and quotation marks open a string here.
    private static func opening(_ bytes: [UInt8], _ index: Int) -> (pounds: Int, quotes: Int)? {
        let pounds = bytes[index...].prefix { $0 == UInt8(ascii: "#") }.count
        let quotes = bytes[(index + pounds)...].prefix { $0 == UInt8(ascii: "\"") }.count
        // Two quotation marks are an empty string: one opens it, the next closes.
        return quotes == 0 ? nil : (pounds, quotes >= 3 ? 3 : 1)
    }

    private mutating func skipString(_ bytes: [UInt8], from start: Int, pounds: Int, quotes: Int) -> Int {
        if quotes == 3 {
            state = .multilineString(pounds: pounds)
            return start
        }
        let close = Self.close(quotes: 1, pounds: pounds)
        let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: pounds)
        var index = start
        while index < bytes.count {
            if Self.starts(escape, bytes, index) {
                index += escape.count + 1
            } else if Self.starts(close, bytes, index) {
                return index + close.count
            } else {
                index += 1
            }
        }
        return index
    }
}

/// Every file that the rules look at.
enum SourceTree {
    /// The package root: this file is `Tests/TidyTests/SourceTree.swift` in it.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let files: [SourceFile] = {
        let folders = ["Sources", "Tests", "config", "docs", ".ci"]
        let single = ["Package.swift", "Dockerfile", "README.md", "CHANGELOG.md"]
        let below = folders.flatMap { folder in
            (FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?.allObjects ?? [])
                .compactMap { $0 as? String }.map { folder + "/" + $0 }
        }
        return (single + below).sorted().compactMap(read)
    }()

    static var swift: [SourceFile] { files.filter(\.isSwift) }
    static var sources: [SourceFile] { swift.filter { $0.path.hasPrefix("Sources/") } }

    private static func read(_ path: String) -> SourceFile? {
        // Fixtures are kept as foreign tools wrote them.
        guard !path.contains("/Fixtures/"), !path.contains("/__pycache__/"), !path.contains("/.pytest_cache/"),
            let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return SourceFile(path: path, lines: lines)
    }
}
