// SPDX-License-Identifier: Apache-2.0
// As much of JSON Schema 2020-12 as our schema uses; an unknown keyword fails, so that nothing is silently unchecked.

import Configuration
import Testing

struct SchemaValidator {
    let root: JSON5Value
    private let patterns: [String: Regex<AnyRegexOutput>]
    private static let known: Set<String> = [
        "$schema", "$defs", "$ref", "title", "description", "default", "type", "additionalProperties", "required",
        "oneOf", "anyOf", "properties", "enum", "pattern", "minimum", "maximum", "minItems", "items", "propertyNames",
    ]

    init(root: JSON5Value) throws {
        self.root = root
        var patterns: [String: Regex<AnyRegexOutput>] = [:]
        try Self.collect(root, into: &patterns)
        self.patterns = patterns
    }

    private static func collect(_ schema: JSON5Value, into patterns: inout [String: Regex<AnyRegexOutput>]) throws {
        if case .list(let values) = schema.kind { for value in values { try collect(value, into: &patterns) } }
        guard case .object(let members) = schema.kind else { return }
        for member in members {
            if member.key == "pattern", case .text(let text) = member.value.kind { patterns[text] = try Regex(text) }
            try collect(member.value, into: &patterns)
        }
    }

    func accepts(_ value: JSON5Value) throws -> Bool {
        try accepts(value, root)
    }

    private func accepts(_ value: JSON5Value, _ schema: JSON5Value) throws -> Bool {
        if case .flag(let flag) = schema.kind { return flag }
        guard case .object(let keywords) = schema.kind else { throw Unknown(keyword: "a schema that is no object") }
        for keyword in keywords {
            guard Self.known.contains(keyword.key) else { throw Unknown(keyword: keyword.key) }
            if try !holds(keyword.key, keyword.value, value, in: schema) { return false }
        }
        return true
    }

    private func holds(_ keyword: String, _ rule: JSON5Value, _ value: JSON5Value, in schema: JSON5Value) throws -> Bool
    {
        switch (keyword, value.kind) {
        case ("$ref", _):
            let name = text(rule).replacing("#/$defs/", with: "")
            guard let target = root["$defs"]?[name] else { throw Unknown(keyword: text(rule)) }
            return try accepts(value, target)
        case ("type", _): return type(text(rule), matches: value)
        case ("required", .object): return elements(rule).allSatisfy { value[text($0)] != nil }
        case ("oneOf", _): return try elements(rule).filter { try accepts(value, $0) }.count == 1
        case ("anyOf", _): return try elements(rule).contains { try accepts(value, $0) }
        case ("enum", _): return elements(rule).contains { $0.isEqual(to: value) }
        case ("pattern", .text(let text)): return patterns[self.text(rule)].map(text.contains) ?? false
        case ("minimum", .number(let number)): return number.value >= self.number(rule)
        case ("maximum", .number(let number)): return number.value <= self.number(rule)
        case ("minItems", .list(let values)): return Double(values.count) >= number(rule)
        case ("items", .list(let values)): return try values.allSatisfy { try accepts($0, rule) }
        case ("properties", .object(let members)):
            return try members.allSatisfy { member in
                try rule[member.key].map { try accepts(member.value, $0) } ?? true
            }
        case ("additionalProperties", .object(let members)):
            return try members.allSatisfy { member in
                try schema["properties"]?[member.key] != nil || accepts(member.value, rule)
            }
        case ("propertyNames", .object(let members)):
            return try members.allSatisfy { try accepts(JSON5Value(.text($0.key), at: $0.keyPosition), rule) }
        default: return true
        }
    }

    private func type(_ name: String, matches value: JSON5Value) -> Bool {
        switch (name, value.kind) {
        case ("object", .object), ("array", .list), ("string", .text), ("boolean", .flag), ("number", .number): true
        case ("integer", .number(let number)): number.value.rounded() == number.value
        default: false
        }
    }

    private func text(_ value: JSON5Value) -> String {
        if case .text(let text) = value.kind { text } else { "" }
    }

    private func number(_ value: JSON5Value) -> Double {
        if case .number(let number) = value.kind { number.value } else { .nan }
    }

    private func elements(_ value: JSON5Value) -> [JSON5Value] {
        if case .list(let values) = value.kind { values } else { [] }
    }

    struct Unknown: Error {
        var keyword: String
    }
}
