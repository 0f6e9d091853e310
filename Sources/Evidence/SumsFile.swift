// SPDX-License-Identifier: Apache-2.0
// The text of SHA256SUMS, as coreutils' `sha256sum` writes and checks it.
//
// `<64 hex digits>  <path>`; a path with a backslash, newline or carriage return has these escaped, and its line begins with a
// backslash (GNU coreutils manual, "cksum output modes").

/// The sums of one cycle folder, sorted by path.
package struct SumsFile: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        /// 64 lower-case hexadecimal digits.
        package var sha256: String
        /// Relative to the cycle folder.
        package var path: String

        package init(sha256: String, path: String) {
            self.sha256 = sha256
            self.path = path
        }
    }
    package var lines: [Line]

    package init(_ lines: [Line]) {
        self.lines = lines.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    package var text: String {
        lines.map { line in
            let escaped = SumsFile.escaped(line.path)
            return (escaped == line.path ? "" : "\\") + "\(line.sha256)  \(escaped)\n"
        }.joined()
    }

    /// Reads exactly what `text` writes: anything else is nil, since the bytes are themselves hashed.
    package init?(text: some StringProtocol) {
        var lines: [Line] = []
        var rest = text.utf8[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = SumsFile.line(rest[..<end]) else { return nil }
            lines.append(line)
            rest = rest[rest.index(after: end)...]
        }
        guard rest.isEmpty else { return nil }
        self.lines = lines
    }

    private static func line(_ bytes: some Sequence<UInt8>) -> Line? {
        var rest = Array(bytes)[...]
        let isEscaped = rest.first == UInt8(ascii: "\\")
        if isEscaped { rest = rest.dropFirst() }
        guard rest.count > 66, rest.prefix(64).allSatisfy(isHexDigit),
            rest.dropFirst(64).prefix(2).elementsEqual([0x20, 0x20])
        else { return nil }
        let name = String(decoding: rest.dropFirst(66), as: UTF8.self)
        guard let path = isEscaped ? unescaped(name) : name else { return nil }
        return Line(sha256: String(decoding: rest.prefix(64), as: UTF8.self), path: path)
    }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte)
    }

    private static func escaped(_ path: String) -> String {
        var text = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func unescaped(_ name: String) -> String? {
        var path = String.UnicodeScalarView()
        var scalars = name.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                path.append(scalar)
                continue
            }
            switch scalars.next() {
            case "\\": path.append("\\")
            case "n": path.append("\n")
            case "r": path.append("\r")
            default: return nil
            }
        }
        return String(path)
    }
}

/// A sealed cycle: its number, and the hash of its SHA256SUMS. The text of the file `previous` of the next one.
package struct SealedReference: Hashable, Sendable {
    package var cycle: Int
    package var sha256: String

    package init(cycle: Int, sha256: String) {
        self.cycle = cycle
        self.sha256 = sha256
    }

    package var text: String { "\(cycle) \(sha256)\n" }

    package init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let cycle = Int(words[0]), words[1].last == "\n", words[1].utf8.count == 65,
            words[1].utf8.dropLast().allSatisfy(SumsFile.isHexDigit)
        else { return nil }
        self.init(cycle: cycle, sha256: String(words[1].dropLast()))
    }
}
