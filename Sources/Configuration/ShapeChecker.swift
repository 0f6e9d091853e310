// SPDX-License-Identifier: Apache-2.0
// Holds a value tree against the table of keys and reports everything that does not fit.

/// The first pass of decoding: keys and single values. What values mean together is checked later.
struct ShapeChecker {
    let notes: DecodingNotes

    func check(_ value: JSON5Value, _ shape: ValueShape, at path: String) {
        notes.note(value.position, of: path)
        switch shape {
        case .object(let object): checkObject(value, object, at: path)
        case .either(let short, let object):
            if case .object = value.kind { checkObject(value, object, at: path) } else { check(value, short, at: path) }
        case .oneOrMany(let element):
            if case .list = value.kind {
                checkList(value, element, atLeast: 1, shape, at: path)
            } else {
                check(value, element, at: path)
            }
        case .list(let element, let atLeast): checkList(value, element, atLeast: atLeast, shape, at: path)
        case .map(let rule, let element): checkMap(value, rule, element, at: path)
        case .command: checkCommand(value, at: path)
        default:
            if !shape.accepts(value) { refuse(value, shape, at: path) }
        }
    }

    private func refuse(_ value: JSON5Value, _ shape: ValueShape, at path: String) {
        notes.add(
            path, at: value.position, found: shape.display(value), allowed: shape.allowed,
            hint: shape.hint(for: value))
    }

    private func checkObject(_ value: JSON5Value, _ object: ObjectShape, at path: String) {
        guard case .object(let members) = value.kind else { return refuse(value, .object(object), at: path) }
        for member in members where !notes.isFull {
            let memberPath = join(path, member.key)
            if let key = object.key(member.key) {
                check(member.value, key.shape, at: memberPath)
            } else {
                unknown(member, object, at: memberPath)
            }
        }
        let given = members.map(\.key)
        for key in object.keys where key.isRequired && !given.contains(key.name) {
            notes.add(join(path, key.name), at: value.position, what: "missing", allowed: key.shape.allowed)
        }
        let chosen = given.filter(object.oneOf.contains)
        if !object.oneOf.isEmpty, chosen.count != 1 {
            notes.add(
                path, at: value.position, found: chosen.isEmpty ? "none of them" : chosen.joined(separator: " and "),
                allowed: "exactly one of " + object.oneOf.joined(separator: ", "))
        }
    }

    private func unknown(_ member: JSON5Member, _ object: ObjectShape, at path: String) {
        if object.unsupported.contains(member.key) {
            return notes.add(
                path, at: member.keyPosition, what: "not supported by this version", hint: "remove the key")
        }
        let near = nearest(to: member.key, among: object.keys.map(\.name))
        notes.add(
            path, at: member.keyPosition, what: "unknown key",
            allowed: near == nil ? object.keyList : nil, hint: near.map { "did you mean \($0)?" })
    }

    private func checkList(
        _ value: JSON5Value, _ element: ValueShape, atLeast: Int, _ shape: ValueShape, at path: String
    ) {
        guard case .list(let values) = value.kind else { return refuse(value, shape, at: path) }
        if values.count < atLeast {
            notes.add(path, at: value.position, found: "an empty list", allowed: shape.allowed)
        }
        for (index, value) in values.enumerated() where !notes.isFull { check(value, element, at: "\(path)[\(index)]") }
    }

    private func checkMap(_ value: JSON5Value, _ rule: TextRule, _ element: ValueShape, at path: String) {
        guard case .object(let members) = value.kind else {
            return refuse(value, .map(key: rule, value: element), at: path)
        }
        for member in members {
            let memberPath = join(path, member.key)
            if !rule.accepts(member.key) {
                notes.add(
                    memberPath, at: member.keyPosition, found: "the key \(shortened(member.key).jsonQuoted)",
                    allowed: rule.allowed)
            }
            check(member.value, element, at: memberPath)
        }
    }

    private func checkCommand(_ value: JSON5Value, at path: String) {
        switch value.kind {
        case .object: checkObject(value, KeyTable.command, at: path)
        case .list:
            checkList(value, .text(.any), atLeast: 1, .command, at: path)
        default: refuse(value, .command, at: path)
        }
        let program = value["command"] ?? value
        if case .list(let arguments) = program.kind, let first = arguments.first, case .text("") = first.kind {
            notes.add(path, at: first.position, found: "\"\"", allowed: "the name of a program first")
        }
    }
}

extension ValueShape {
    /// Whether a single value fits.
    func accepts(_ value: JSON5Value) -> Bool {
        switch (self, value.kind) {
        case (.json, _), (.flag, .flag), (.hiddenText, .text): true
        case (.text(let rule), .text(let text)): rule.accepts(text)
        case (.integer(let range), .number(let number)): number.whole.map(range.contains) ?? false
        case (.amount, .number(let number)): number.value >= 0
        case (.number(let range), .number(let number)): range.contains(number.value)
        case (.duration(let zero), .text(let text)): Quantity.duration(text).map { zero || $0 > .zero } ?? false
        case (.size, .text(let text)): Quantity.size(text) != nil
        case (.choice(let words), .text(let text)): words.contains(text)
        default: false
        }
    }

    /// A value as a message shows it.
    func display(_ value: JSON5Value) -> String {
        switch value.kind {
        case .list: return "a list"
        case .object: return "an object"
        case .text(let text):
            return mayBeSecret ? "text" : shortened(text).jsonQuoted
        default:
            return mayBeSecret ? "something else" : value.jsonText
        }
    }

    /// Whether somebody may have put a secret here, by the rules or by mistake.
    private var mayBeSecret: Bool {
        switch self {
        case .hiddenText, .text(.variable): true
        case .object(let object): object.name == KeyTable.secret.name
        default: false
        }
    }

    /// The likeliest way out.
    func hint(for value: JSON5Value) -> String? {
        switch (self, value.kind) {
        case (.command, .text(let text)):
            let words = text.split(whereSeparator: \.isWhitespace).map { String($0).jsonQuoted }
            let list = "[" + words.joined(separator: ", ") + "]"
            return text.count > 60 ? nil : "write \(list), or { shell: \(text.jsonQuoted) } where a shell is needed"
        case (.duration, .number(let number)): return "did you mean \"\(number.jsonText)s\"?"
        case (.size, .number(let number)): return "did you mean \"\(number.jsonText)B\"?"
        case (.flag, .text(let text)) where text == "true" || text == "false": return "without quotes"
        case (.integer, .text(let text)) where Int(text) != nil: return "without quotes"
        case (.choice(let words), .text(let text)):
            if ["fix", "fix-test"].contains(text), words.contains("runbook") { return "not supported by this version" }
            return nearest(to: text, among: words).map { "did you mean \($0)?" }
        case (.hiddenText, .number), (.hiddenText, .flag), (.text, .number), (.text, .flag):
            return "put quotes around it"
        case (.list(let element, _), _) where element.accepts(value): return "put it into [ ]"
        default: return nil
        }
    }
}
