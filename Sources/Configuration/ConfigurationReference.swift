// SPDX-License-Identifier: Apache-2.0
// The reference of keys for people, printed from the table of keys: Markdown between the marks of
// docs/configuration.md.

/// Tables of all keys.
package enum ConfigurationReference {
    /// Markdown with one table per object, in the order of the file.
    package static func markdown() -> String {
        var sections: [String] = []
        append(KeyTable.root, path: "", heading: "The file", to: &sections)
        append(KeyTable.command, path: "", heading: "Commands, as objects", to: &sections)
        return sections.joined(separator: "\n")
    }

    private static func append(_ object: ObjectShape, path: String, heading: String, to sections: inout [String]) {
        var text = "### \(heading)\n\n"
        if !object.oneOf.isEmpty {
            text += "Exactly one of \(object.oneOf.map { "`\($0)`" }.joined(separator: ", ")) is needed.\n\n"
        }
        text += "| key | value | default | meaning |\n|---|---|---|---|\n"
        for key in object.keys { text += row(key) }
        sections.append(text)
        for key in object.keys {
            guard let (inner, suffix) = key.shape.innerObject else { continue }
            let innerPath = join(path, key.name) + suffix
            append(inner, path: innerPath, heading: "`\(innerPath)`", to: &sections)
        }
    }

    private static func row(_ key: KeyShape) -> String {
        let standard =
            key.standard.map { "`\($0)`" } ?? key.otherwise ?? (key.isRequired ? "**required**" : "none")
        return "| `\(key.name)` | \(cell(key.shape.summary)) | \(cell(standard)) | \(cell(key.help)) |\n"
    }

    private static func cell(_ text: String) -> String {
        String(text.flatMap { $0 == "|" ? ["\\", "|"] : [$0] })
    }
}

extension ValueShape {
    /// The object inside, and what its path ends with.
    fileprivate var innerObject: (ObjectShape, String)? {
        switch self {
        case .object(let object): (object, "")
        case .either(_, let object): (object, "")
        case .list(.object(let object), _): (object, "[]")
        case .oneOrMany(.object(let object)): (object, "")
        case .map(_, .object(let object)): (object, ".NAME")
        default: nil
        }
    }

    /// The shape in a few words.
    fileprivate var summary: String {
        switch self {
        case .object: "object"
        case .either(let short, _): short.summary + ", or object"
        case .list(.object, _): "list of objects"
        case .list(let element, _): "list of: " + element.summary
        case .oneOrMany(.object): "object, or list of objects"
        case .oneOrMany(let element): element.summary + ", or a list of these"
        case .map(let key, .object): "objects by name (\(key.rawValue))"
        case .map(let key, let value): "\(value.summary) by name (\(key.rawValue))"
        case .command: "command"
        case .duration(let zero): zero ? "duration" : "duration, not zero"
        case .size: "size"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        default: allowed
        }
    }
}
