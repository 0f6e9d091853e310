// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of the configuration, printed from the table of keys. Editors complete and check with it.

/// JSON Schema (draft 2020-12) of `nightjar.json5`.
package enum ConfigurationSchema {
    /// The whole document, with a final line end.
    package static func document() -> String {
        var members: [(String, SchemaNode)] = [
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("title", .text("Nightjar configuration")),
            (
                "description",
                .text("One loop. Made from the table of keys that the decoder uses; see docs/configuration.md.")
            ),
        ]
        members += objectNode(KeyTable.root)
        members.append(
            ("$defs", .object([("command", commandNode), ("commandObject", .object(objectNode(KeyTable.command)))])))
        return SchemaNode.object(members).text(indent: 0) + "\n"
    }

    private static func objectNode(_ object: ObjectShape) -> [(String, SchemaNode)] {
        var members: [(String, SchemaNode)] = [("type", .text("object"))]
        members.append(("additionalProperties", .flag(false)))
        let required = object.keys.filter(\.isRequired).map { SchemaNode.text($0.name) }
        if !required.isEmpty { members.append(("required", .list(required))) }
        if !object.oneOf.isEmpty {
            let choices = object.oneOf.map { SchemaNode.object([("required", .list([.text($0)]))]) }
            members.append(("oneOf", .list(choices)))
        }
        members.append(("properties", .object(object.keys.map { ($0.name, keyNode($0)) })))
        return members
    }

    private static func keyNode(_ key: KeyShape) -> SchemaNode {
        let otherwise = key.otherwise.map { " Without it: \($0)." } ?? ""
        var members: [(String, SchemaNode)] = [("description", .text(key.help + otherwise))]
        if let standard = key.standardValue { members.append(("default", SchemaNode(standard))) }
        return .object(members + node(key.shape))
    }

    private static func node(_ shape: ValueShape) -> [(String, SchemaNode)] {
        switch shape {
        case .text(let rule): return [("type", .text("string"))] + pattern(rule.pattern)
        case .hiddenText: return [("type", .text("string"))]
        case .flag: return [("type", .text("boolean"))]
        case .integer(let range):
            let upper: [(String, SchemaNode)] =
                range.upperBound == .max ? [] : [("maximum", .integer(range.upperBound))]
            return [("type", .text("integer")), ("minimum", .integer(range.lowerBound))] + upper
        case .amount: return [("type", .text("number")), ("minimum", .integer(0))]
        case .number(let range):
            let bounds = [("minimum", range.lowerBound), ("maximum", range.upperBound)]
            return [("type", .text("number"))] + bounds.map { ($0.0, .raw(JSON5Number(value: $0.1).jsonText)) }
        case .duration(let zero):
            let nonZero = zero ? "" : "(?=[^1-9]*[1-9])"
            let units = ["d", "h", "m", "s", "ms"].map { "([0-9]+\($0))?" }.joined()
            return [("type", .text("string"))] + pattern("^(?=[0-9])\(nonZero)\(units)$")
        case .size: return [("type", .text("string"))] + pattern("^[0-9]+([KMGT]i?)?B$")
        case .choice(let words): return [("enum", .list(words.map(SchemaNode.text)))]
        case .list(let element, let atLeast): return listNode(element, atLeast)
        case .oneOrMany(let element):
            return [("anyOf", .list([.object(node(element)), .object(listNode(element, 1))]))]
        case .map(let rule, let value):
            return [
                ("type", .text("object")), ("propertyNames", .object(pattern(rule.pattern))),
                ("additionalProperties", .object(node(value))),
            ]
        case .object(let object): return objectNode(object)
        case .either(let short, let object):
            return [("anyOf", .list([.object(node(short)), .object(objectNode(object))]))]
        case .command: return [("$ref", .text("#/$defs/command"))]
        case .json: return []
        }
    }

    private static func listNode(_ element: ValueShape, _ atLeast: Int) -> [(String, SchemaNode)] {
        let bound: [(String, SchemaNode)] = atLeast > 0 ? [("minItems", .integer(atLeast))] : []
        return [("type", .text("array"))] + bound + [("items", .object(node(element)))]
    }

    private static func pattern(_ pattern: String?) -> [(String, SchemaNode)] {
        pattern.map { [("pattern", .text($0))] } ?? []
    }

    private static var commandNode: SchemaNode {
        .object([
            (
                "description",
                .text("Arguments, the program first; or an object, where a shell and limits can be named.")
            ),
            (
                "anyOf",
                .list([
                    .object(listNode(.text(.any), 1)), .object([("$ref", .text("#/$defs/commandObject"))]),
                ])
            ),
        ])
    }
}

/// JSON with its keys in a chosen order.
indirect enum SchemaNode {
    case text(String)
    case flag(Bool)
    case integer(Int)
    case list([SchemaNode])
    case object([(String, SchemaNode)])
    case raw(String)

    init(_ value: JSON5Value) {
        switch value.kind {
        case .list(let values): self = .list(values.map(SchemaNode.init))
        default: self = .raw(value.jsonText)
        }
    }

    func text(indent: Int) -> String {
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch self {
        case .text(let text): return text.jsonQuoted
        case .flag(let flag): return String(flag)
        case .integer(let integer): return String(integer)
        case .raw(let text): return text
        case .list(let values):
            let plain = values.allSatisfy { if case .object = $0 { false } else { true } }
            if plain { return "[" + values.map { $0.text(indent: 0) }.joined(separator: ", ") + "]" }
            return "[\n" + values.map { inner + $0.text(indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { inner + $0.0.jsonQuoted + ": " + $0.1.text(indent: indent + 2) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        }
    }
}
