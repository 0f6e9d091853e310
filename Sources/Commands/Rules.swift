// SPDX-License-Identifier: Apache-2.0
// `nightjar rules`: what triage weighs explanations with.

import Configuration
import Domain
import Foundation
import Reporting

struct RulesCommand: Command {
    static let description = CommandDescription(
        "rules", "the rules by which causes are weighed, and what each says",
        details: [
            "A rule adds its weights, log-odds in nats, to the categories it speaks for (+) or against (-) where its "
                + "condition holds: +2.3 makes a category ten times as likely beside the others. With a configuration file "
                + "at hand its triage.rules are part of the list. docs/triage.md explains the method."
        ],
        operands: [OperandDescription("NAME", "one rule, or a category such as data-state (default: all rules)")],
        options: [
            .value(
                "config", "FILE", short: "c", "configuration file (default: ./nightjar.json5, if it is there)",
                completion: .file),
            .json,
        ],
        examples: [
            .init("nightjar rules", "All rules, with their weights."),
            .init("nightjar rules words-space", "One rule: its words, where they are looked for, and why it counts."),
            .init("nightjar rules network", "What speaks for and against network as the cause."),
        ],
        exits: [
            .init(.ok, "shown"), .init(.usage, "the configuration or a rule file is invalid"),
            .init(.notFound, "no such file, rule or category"),
        ])

    /// A rule as `--json` gives it.
    struct Listed: Codable {
        var name: String
        var says: String
        var group: String?
        var when: [String]
        var unless: [String]
        var words: [String]
        var places: [String]
        var files: [String]
        var weights: [String: Double]

        init(_ rule: TriageRule) {
            name = rule.name
            says = rule.says
            group = rule.group
            when = rule.when.map(\.rawValue)
            unless = rule.unless.map(\.rawValue)
            words = rule.words
            places = rule.words.isEmpty ? [] : rule.places.map(\.rawValue)
            files = rule.files
            weights = Dictionary(uniqueKeysWithValues: rule.weights.map { ($0.key.rawValue, $0.value) })
        }
    }

    func run(_ context: Context) async throws -> ExitCode {
        let rules = try RulesCommand.rules(context)
        let name = context.arguments.operand(0)
        let category = name.flatMap(Category.init(rawValue:))
        let chosen = rules.rules.filter { rule in
            guard let name else { return true }
            return category.map { rule.weights[$0] != nil } ?? (rule.name == name)
        }
        if let name, chosen.isEmpty {
            let known = rules.rules.map(\.name) + Category.allCases.map(\.rawValue)
            throw CommandError.notFound(
                "there is no rule or category '\(name)'\(NearestWord.hint(name, among: known))")
        }
        let output = context.output
        try output.result(chosen.map(Listed.init), json: context.wantsJSON) {
            let isOne = name != nil && category == nil
            return isOne
                ? chosen.map { RulesCommand.explained($0, output) }.joined(separator: "\n")
                : RulesCommand.table(chosen, category, output)
        }
        return .ok
    }

    private static func rules(_ context: Context) throws -> TriageRules {
        let isNamed = context.arguments.value("config") != nil
        guard isNamed || FileManager.default.fileExists(atPath: SettingsLoader.path(context)) else {
            return RuleFile.builtIn
        }
        return try SettingsLoader.load(context).settings.rules
    }

    // MARK: - Text

    /// Strongest first; `+4.5 resource-exhaustion`.
    private static func weights(_ rule: TriageRule) -> [String] {
        rule.weights.filter { $0.value != 0 }
            .sorted { (abs($1.value), $0.key.rawValue) < (abs($0.value), $1.key.rawValue) }
            .map { "\($0.value > 0 ? "+" : "")\($0.value) \($0.key.rawValue)" }
    }

    private static func table(_ rules: [TriageRule], _ category: Category?, _ output: Output) -> String {
        let width = rules.map(\.name.count).max() ?? 0
        return rules.map { rule in
            let weights: [String]
            if let category, let weight = rule.weights[category] {
                weights = ["\(weight > 0 ? "+" : "")\(weight)", rule.says]
            } else {
                weights = Self.weights(rule)
            }
            let text = weights.joined(separator: category == nil ? ", " : "  ")
            let lines = Printable.wrapped(text, width: max(30, output.columns - width - 2))
            let rest = lines.dropFirst().map { String(repeating: " ", count: width + 2) + $0 + "\n" }.joined()
            return output.palette(Printable.padded(rule.name, to: width), .bold) + "  " + (lines.first ?? "") + "\n"
                + rest
        }.joined()
    }

    private static func explained(_ rule: TriageRule, _ output: Output) -> String {
        var lines: [(String, String)] = [("says", rule.says)]
        for sign in rule.when { lines.append(("when", "\(sign.rawValue): \(sign.meaning)")) }
        for sign in rule.unless { lines.append(("unless", "\(sign.rawValue): \(sign.meaning)")) }
        if !rule.words.isEmpty {
            lines.append(("words", rule.words.map { "\"\($0)\"" }.joined(separator: ", ")))
            lines.append(("in", rule.places.map(\.rawValue).joined(separator: ", ")))
        }
        if !rule.files.isEmpty { lines.append(("files", rule.files.joined(separator: ", "))) }
        if let group = rule.group { lines.append(("group", "\(group): only the strongest of its rules counts")) }
        lines.append(("for", weights(rule).joined(separator: ", ")))
        let body = lines.map { head, text in
            let wrapped = Printable.wrapped(Printable.line(text, columns: 2000), width: max(30, output.columns - 10))
            let rest = wrapped.dropFirst().map { String(repeating: " ", count: 10) + $0 + "\n" }.joined()
            return "  " + output.palette(Printable.padded(head, to: 8), .dim) + (wrapped.first ?? "") + "\n" + rest
        }
        return output.palette(rule.name, .bold) + "\n" + body.joined()
    }
}
