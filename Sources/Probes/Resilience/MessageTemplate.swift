// SPDX-License-Identifier: Apache-2.0
// Placeholders filled in, and messages compared with what is expected. Pure.

internal import Domain

/// Why a template cannot be filled in.
struct TemplateProblem: Error, CustomStringConvertible {
    var description: String
}

/// The variables of one client: those of the file, of its user, and what it captured.
struct TemplateVariables: Sendable {
    var values: [String: JSONValue]

    /// `{name}` in a text; a name is letters, digits and underscores, so that other braces stay as they are.
    func fill(_ text: String) throws(TemplateProblem) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let after = rest.index(after: open)
            let name = rest[after...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            if !name.isEmpty, rest[name.endIndex...].hasPrefix("}") {
                guard let value = values[String(name)] else {
                    throw TemplateProblem(description: "there is no value for {\(name)}")
                }
                result += Self.text(value)
                rest = rest[name.endIndex...].dropFirst()
            } else {
                result += "{"
                rest = rest[after...]
            }
        }
        return result + rest
    }

    /// Fills in every text of a value. A text that is one placeholder and nothing else becomes the value itself, so
    /// that numbers stay numbers.
    func fill(_ value: JSONValue) throws(TemplateProblem) -> JSONValue {
        switch value {
        case .string(let text):
            if text.hasPrefix("{"), text.hasSuffix("}"), let whole = values[String(text.dropFirst().dropLast())] {
                return whole
            }
            return .string(try fill(text))
        case .array(let elements):
            var filled: [JSONValue] = []
            for element in elements { filled.append(try fill(element)) }
            return .array(filled)
        case .object(let members):
            var filled: [(key: String, value: JSONValue)] = []
            for (key, member) in members { filled.append((key, try fill(member))) }
            return .object(filled)
        default: return value
        }
    }

    static func text(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { value.description }
    }
}

extension MessagePattern {
    /// Whether a message meets every condition; placeholders in the conditions are filled in first.
    func accepts(_ message: JSONValue, _ variables: TemplateVariables) -> Bool {
        conditions.allSatisfy { pointer, condition in
            let found = message.value(at: pointer)
            switch condition {
            case .exists(let wanted): return (found != nil) == wanted
            case .equals(let wanted): return found != nil && found == (try? variables.fill(wanted))
            case .oneOf(let list): return list.contains { found == (try? variables.fill($0)) }
            case .matches(let pattern):
                guard let found, let glob = try? variables.fill(pattern) else { return false }
                return Glob.matches(glob, TemplateVariables.text(found))
            }
        }
    }
}
