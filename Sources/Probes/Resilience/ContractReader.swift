// SPDX-License-Identifier: Apache-2.0
// A scenario file read: every problem at once, each with its place; unknown keys are problems.

/// All that is wrong with a scenario file, one line each: `connect.url: is missing`.
package struct ContractProblems: Error, Sendable, CustomStringConvertible {
    package var problems: [String]
    package var description: String { problems.joined(separator: "\n") }
}

/// One object of the file while it is read. The problems of all of them end up in one list.
final class ContractSection {
    final class Problems {
        var lines: [String] = []
    }

    let path: String
    private let members: [(key: String, value: JSONValue)]
    private var known: Set<String> = []
    let problems: Problems

    init(_ value: JSONValue, path: String, problems: Problems) {
        self.path = path
        self.problems = problems
        if case .object(let members) = value {
            self.members = members
        } else {
            members = []
            problems.lines.append("\(path.isEmpty ? "the file" : path): expected an object")
        }
    }

    private func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func complain(_ key: String, _ what: String) { problems.lines.append("\(place(key)): \(what)") }

    func value(_ key: String) -> JSONValue? {
        known.insert(key)
        guard let found = members.last(where: { $0.key == key })?.value, found != .null else { return nil }
        return found
    }

    /// To be called last: what was never asked for is a typo.
    func end() {
        for (key, _) in members where !known.contains(key) && key != "$schema" {
            let near = known.first { $0.lowercased() == key.lowercased() || $0.hasPrefix(key) || key.hasPrefix($0) }
            complain(key, "is not known here" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    func section(_ key: String) -> ContractSection? {
        value(key).map { ContractSection($0, path: place(key), problems: problems) }
    }

    func text(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        if case .string(let text) = value { return text }
        complain(key, "expected a text")
        return nil
    }

    func number(_ key: String) -> Double? {
        guard let value = value(key) else { return nil }
        if case .number(let text) = value, let number = Double(text), number >= 0 { return number }
        complain(key, "expected a number, 0 or more")
        return nil
    }

    func count(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        if case .number(let text) = value, let number = Int(text), range.contains(number) { return number }
        complain(key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    func flag(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        if case .bool(let flag) = value { return flag }
        complain(key, "expected true or false")
        return nil
    }

    func duration(_ key: String) -> Duration? {
        guard let text = text(key) else { return nil }
        if let duration = ShortDuration.parse(text) { return duration }
        complain(key, "expected a time such as 500ms or 30s, not \(Excerpt.cut(text))")
        return nil
    }

    func list(_ key: String) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        if case .array(let elements) = value { return elements }
        complain(key, "expected a list")
        return nil
    }

    func texts(_ key: String) -> [String]? {
        list(key)?.compactMap { element in
            if case .string(let text) = element { return text }
            complain(key, "expected texts only")
            return nil
        }
    }

    func numbers(_ key: String) -> [Int]? {
        list(key)?.compactMap { element in
            if case .number(let text) = element, let number = Int(text) { return number }
            complain(key, "expected whole numbers only")
            return nil
        }
    }

    func members(_ key: String) -> [(key: String, value: JSONValue)]? {
        guard let value = value(key) else { return nil }
        if case .object(let members) = value { return members }
        complain(key, "expected an object")
        return nil
    }

    /// An object of texts.
    func table(_ key: String) -> [String: String]? {
        members(key).map { members in
            var table: [String: String] = [:]
            for (name, value) in members {
                if case .string(let text) = value {
                    table[name] = text
                } else {
                    complain(key, "expected a text for \(name)")
                }
            }
            return table
        }
    }

    func pointer(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        if text.isEmpty || text.hasPrefix("/") { return text }
        complain(key, "expected a JSON pointer such as /seq, not \(Excerpt.cut(text))")
        return nil
    }

    // MARK: Parts of a contract

    func pattern(_ key: String) -> MessagePattern? {
        guard let members = members(key) else { return nil }
        guard !members.isEmpty else {
            complain(key, "is empty and would match everything")
            return nil
        }
        return MessagePattern(
            conditions: members.map { pointer, value in
                if !pointer.isEmpty, !pointer.hasPrefix("/") {
                    complain(key, "expected a JSON pointer such as /type, not \(Excerpt.cut(pointer))")
                }
                return (pointer, condition(key, value))
            })
    }

    private func condition(_ key: String, _ value: JSONValue) -> MessagePattern.Condition {
        guard case .object(let members) = value else { return .equals(value) }
        if members.count == 1, let (name, operand) = members.first {
            switch (name, operand) {
            case ("equals", _): return .equals(operand)
            case ("matches", .string(let text)): return .matches(text)
            case ("in", .array(let elements)): return .oneOf(elements)
            case ("exists", .bool(let flag)): return .exists(flag)
            default: break
            }
        }
        complain(key, "a condition is a value, or one of equals, matches, in, exists")
        return .equals(value)
    }

    func exchange(_ key: String) -> MessageExchange? {
        guard let section = section(key) else { return nil }
        return section.exchange()
    }

    func exchange() -> MessageExchange {
        let found = MessageExchange(
            send: value("send"), expect: pattern("expect"), capture: table("capture") ?? [:],
            refused: pattern("refused"))
        end()
        return found
    }

    func action(_ key: String) -> HTTPAction? {
        guard let section = section(key) else { return nil }
        var action = HTTPAction()
        action.method = section.text("method") ?? "POST"
        action.url = section.text("url") ?? ""
        if action.url.isEmpty { section.complain("url", "is missing") }
        action.headers = section.table("headers") ?? [:]
        action.json = section.value("json")
        action.status = section.numbers("status") ?? []
        action.capture = section.table("capture") ?? [:]
        action.wait = section.duration("wait") ?? .zero
        section.end()
        return action
    }
}
