// SPDX-License-Identifier: Apache-2.0
// Reads a command line against a command's description: `--flag`, `--key value`, `--key=value`, `-k value`, `-kvalue`,
// operands, and `--` after which everything is an operand.

package struct ParsedArguments: Equatable, Sendable {
    package let command: String
    private(set) var values: [String: [String]] = [:]
    package private(set) var operands: [String] = []

    init(command: String) {
        self.command = command
    }

    package func flag(_ name: String) -> Bool { values[name] != nil }

    /// The value of an option, the last one where it repeats.
    package func value(_ name: String) -> String? { values[name]?.last }

    package func all(_ name: String) -> [String] { values[name] ?? [] }

    package func operand(_ index: Int) -> String? { index < operands.count ? operands[index] : nil }

    /// The value as a whole number in `range`.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(CommandError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let most =
                range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw .usage("option '--\(name)' takes a whole number, \(most), not '\(text)'", command: command)
        }
        return number
    }

    mutating func add(_ option: OptionDescription, _ value: String) throws(CommandError) {
        if !option.repeats, values[option.name] != nil {
            throw .usage("option '--\(option.name)' is given twice", command: command)
        }
        if !option.allowed.isEmpty, !option.allowed.contains(value) {
            let nearest = NearestWord.hint(value, among: option.allowed)
            throw .usage(
                "option '--\(option.name)' takes \(option.allowed.joined(separator: ", ")), not '\(value)'\(nearest)",
                command: command)
        }
        values[option.name, default: []].append(value)
    }

    mutating func add(operand: String) { operands.append(operand) }
}

package struct ArgumentParser: Sendable {
    private let description: CommandDescription

    package init(_ description: CommandDescription) {
        self.description = description
    }

    /// `arguments` without the program's and the command's name.
    package func parse(_ arguments: [String]) throws(CommandError) -> ParsedArguments {
        var parsed = ParsedArguments(command: description.name)
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" {
                for operand in rest { parsed.add(operand: operand) }
                break
            } else if word.hasPrefix("--") {
                try long(word.dropFirst(2), &rest, into: &parsed)
            } else if word.hasPrefix("-"), word.count > 1 {
                try short(word.dropFirst(), &rest, into: &parsed)
            } else {
                parsed.add(operand: word)
            }
        }
        if !parsed.flag("help") { try checkOperands(parsed) }
        return parsed
    }

    private func long(_ word: Substring, _ rest: inout ArraySlice<String>, into parsed: inout ParsedArguments)
        throws(CommandError)
    {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = description.allOptions.first(where: { $0.name == name }) else {
            let names = description.allOptions.map { "--" + $0.name }
            throw .usage(
                "unknown option '--\(name)' of '\(description.name)'\(NearestWord.hint("--" + name, among: names))",
                command: description.name)
        }
        if parts.count == 2 {
            guard option.value != nil else {
                throw .usage("option '--\(name)' takes no value", command: description.name)
            }
            try parsed.add(option, String(parts[1]))
        } else {
            try parsed.add(option, try value(of: option, &rest))
        }
    }

    /// `-f`, `-fj` (two flags), `-n 20`, `-n20`.
    private func short(_ letters: Substring, _ rest: inout ArraySlice<String>, into parsed: inout ParsedArguments)
        throws(CommandError)
    {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let option = description.allOptions.first(where: { $0.short == letter }) else {
                throw .usage("unknown option '-\(letter)' of '\(description.name)'", command: description.name)
            }
            if option.value != nil, !letters.isEmpty {
                try parsed.add(option, String(letters))
                return
            }
            try parsed.add(option, try value(of: option, &rest))
        }
    }

    /// The next word as the value; nothing for a flag.
    private func value(of option: OptionDescription, _ rest: inout ArraySlice<String>) throws(CommandError) -> String {
        guard let placeholder = option.value else { return "" }
        guard let next = rest.first, next != "--", !(next.hasPrefix("-") && next.count > 1) else {
            throw .usage("option '--\(option.name)' needs its \(placeholder)", command: description.name)
        }
        rest.removeFirst()
        return next
    }

    private func checkOperands(_ parsed: ParsedArguments) throws(CommandError) {
        let operands = description.operands
        if parsed.operands.count > operands.count {
            let extra = parsed.operands[operands.count]
            throw .usage("unexpected '\(extra)' after '\(description.name)'", command: description.name)
        }
        if let missing = operands.dropFirst(parsed.operands.count).first(where: \.isRequired) {
            throw .usage("'\(description.name)' needs \(missing.name): \(missing.help)", command: description.name)
        }
    }
}
