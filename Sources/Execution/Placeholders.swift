// SPDX-License-Identifier: Apache-2.0
// `{revision}` and its kin in the words of a command.

/// A placeholder that could not be filled.
package enum PlaceholderError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknown(String, known: [String])
    /// A list inside a longer word has no one meaning.
    case listInsideWord(String, word: String)

    package var description: String {
        switch self {
        case .unknown(let name, let known):
            "unknown placeholder {\(name)}; known here: "
                + known.map { "{\($0)}" }.joined(separator: ", ") + "; write {{ for a brace"
        case .listInsideWord(let name, let word):
            "placeholder {\(name)} stands for several arguments and must be a word of its own, found in '\(word)'"
        }
    }
}

/// Values for the placeholders of one command.
package struct Placeholders: Sendable {
    /// `revision`, `report`, `cycle` …
    package var values: [String: String]
    /// Placeholders that become several arguments, such as `tests`.
    package var lists: [String: [String]]

    package init(_ values: [String: String] = [:], lists: [String: [String]] = [:]) {
        self.values = values
        self.lists = lists
    }

    /// Sorted names of all placeholders.
    package var known: [String] { (Array(values.keys) + lists.keys).sorted() }

    /// Fills in an argument vector. `{{` stands for a brace and `{{name}}` for `{name}`; braces around anything but a
    /// name (`{"json": 1}`, `${HOME}`) are left as they are.
    package func fill(_ words: [String]) throws(PlaceholderError) -> [String] {
        var filled: [String] = []
        for word in words {
            if word.hasPrefix("{"), word.hasSuffix("}"), let list = lists[String(word.dropFirst().dropLast())] {
                filled += list
            } else {
                filled.append(try fill(word))
            }
        }
        return filled
    }

    /// Fills in one text.
    package func fill(_ word: String) throws(PlaceholderError) -> String {
        var result = ""
        var rest = Substring(word)
        while let brace = rest.firstIndex(of: "{") {
            let isShell = rest[..<brace].last == "$"
            result += rest[..<brace]
            rest = rest[rest.index(after: brace)...]
            if rest.first == "{" {
                rest = rest.dropFirst()
                result += "{"
                if let name = Placeholders.name(at: rest), rest.dropFirst(name.count).hasPrefix("}}") {
                    result += name + "}"
                    rest = rest.dropFirst(name.count + 2)
                }
            } else if !isShell, let name = Placeholders.name(at: rest) {
                result += try value(of: name, in: word)
                rest = rest.dropFirst(name.count + 1)
            } else {
                result += "{"
            }
        }
        return result + rest
    }

    private func value(of name: String, in word: String) throws(PlaceholderError) -> String {
        if let value = values[name] { return value }
        if lists[name] != nil { throw .listInsideWord(name, word: word) }
        throw .unknown(name, known: known)
    }

    /// The name before a closing brace: a letter, then letters and digits.
    private static func name(at text: Substring) -> String? {
        guard let end = text.firstIndex(of: "}") else { return nil }
        let name = text[..<end]
        guard let first = name.utf8.first, isLetter(first),
            name.utf8.allSatisfy({ isLetter($0) || (48...57).contains($0) })
        else { return nil }
        return String(name)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (97...122).contains(byte)
    }
}
