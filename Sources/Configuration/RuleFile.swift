// SPDX-License-Identifier: Apache-2.0
// Rule files of triage: bytes to rules, or all problems with what is allowed.

package import Domain

/// A file of rules for triage, built in or a user's.
package enum RuleFile {
    /// The rules that are built in. A test holds that the text has no problem.
    package static let builtIn: TriageRules = {
        switch load(bytes: Array(builtInText.utf8), file: "built-in rules", beside: [:]) {
        case .success(let rules): rules
        case .failure: TriageRules()
        }
    }()

    /// Reads a file's bytes; messages name it `file`.
    ///
    /// - beside: lists of words that the file may use and add to.
    package static func load(
        bytes: [UInt8], file: String, beside known: [String: [String]] = builtIn.lists
    ) -> Result<TriageRules, ConfigurationProblems> {
        let notes = DecodingNotes(file: file)
        guard bytes.count <= Limits.configurationBytes else {
            notes.add("", found: "\(bytes.count) bytes", allowed: "at most \(Limits.configurationBytes)")
            return .failure(ConfigurationProblems(notes.problems))
        }
        switch JSON5Parser.parse(bytes) {
        case .problems(let problems):
            return .failure(ConfigurationProblems(problems.map { $0.problem(in: file) }))
        case .value(let document):
            ShapeChecker(notes: notes).check(document, .object(RuleTable.root), at: "")
            let rules = rules(document, known, notes)
            guard notes.problems.isEmpty else { return .failure(ConfigurationProblems(notes.problems)) }
            return .success(rules)
        }
    }

    private static func rules(
        _ document: JSON5Value, _ known: [String: [String]], _ notes: DecodingNotes
    ) -> TriageRules {
        var all = TriageRules(prior: numbers(document["prior"]))
        for member in document["lists"]?.members ?? [] {
            all.lists[member.key] = texts(member.value).map { $0.lowercased() }
        }
        let lists = known.merging(all.lists) { old, own in old + own.filter { !old.contains($0) } }
        for member in document["shows"]?.members ?? [] {
            guard let kind = Experiment.Kind(rawValue: member.key) else { continue }
            all.shows[kind] = numbers(member.value)
        }
        var names: Set<String> = []
        for (index, value) in (document["rules"]?.elements ?? []).enumerated() {
            guard case .object = value.kind else { continue }
            let rule = rule(value, lists)
            let path = "rules[\(index)]"
            for (place, word) in texts(value["words"]).enumerated() where word.hasPrefix("@") {
                guard lists[String(word.dropFirst())] == nil else { continue }
                let names = lists.keys.sorted().map { "@\($0)" }
                notes.add(
                    "\(path).words[\(place)]", found: "\(word.jsonQuoted), which is no list",
                    allowed: names.joined(separator: ", "),
                    hint: nearest(to: word, among: names).map { "did you mean \($0)?" })
            }
            if !rule.name.isEmpty, !names.insert(rule.name).inserted {
                notes.add(
                    "\(path).name", found: "\(rule.name.jsonQuoted) twice", allowed: "a name of its own for each rule")
            }
            let conditions = ["when", "words", "files"].flatMap { value[$0]?.elements ?? [] }
            if conditions.isEmpty {
                notes.add(path, what: "has no condition", allowed: "at least one of when, words, files")
            }
            all.rules.append(rule)
        }
        return all
    }

    /// `@name` among the words stands for those of a list.
    private static func rule(_ value: JSON5Value, _ lists: [String: [String]]) -> TriageRule {
        let written = texts(value["words"]).map { $0.lowercased() }
        let named = written.filter { $0.hasPrefix("@") }.map { String($0.dropFirst()) }
        let words = written.filter { !$0.hasPrefix("@") } + named.flatMap { lists[$0] ?? [] }
        let places = choices(value["in"], TriagePlace.self)
        return TriageRule(
            name: value["name"]?.textValue ?? "", says: value["says"]?.textValue ?? "",
            group: value["group"]?.textValue, when: choices(value["when"], TriageSign.self),
            unless: choices(value["unless"], TriageSign.self),
            words: words, lists: named,
            places: places.isEmpty ? TriagePlace.allCases : places, files: texts(value["files"]),
            weights: numbers(value["for"]))
    }

    private static func numbers(_ value: JSON5Value?) -> [Category: Double] {
        var found: [Category: Double] = [:]
        for member in value?.members ?? [] {
            guard let category = Category(rawValue: member.key), let number = member.value.amountValue else { continue }
            found[category] = number
        }
        return found
    }

    private static func texts(_ value: JSON5Value?) -> [String] {
        value?.elements.compactMap(\.textValue) ?? []
    }

    private static func choices<Choice: RawRepresentable>(_ value: JSON5Value?, _ type: Choice.Type) -> [Choice]
    where Choice.RawValue == String {
        texts(value).compactMap(Choice.init(rawValue:))
    }
}

/// The keys of a rule file.
enum RuleTable {
    static let root = ObjectShape(
        name: "rules",
        keys: [
            KeyShape(name: "$schema", shape: .text(.any), help: "Not read."),
            KeyShape(
                name: "prior", shape: .object(perCategory("prior", 0...1000)),
                help: "How likely each category is before anything is known, as parts of any whole."),
            KeyShape(
                name: "shows", shape: .object(shows),
                help: "How likely the failure shows in an experiment if the category is its cause."),
            KeyShape(
                name: "lists", shape: .map(key: .name, value: .list(.text(.words), atLeast: 1)),
                help: "Words that several rules look for, by a name: \"@name\" among a rule's words stands for them."),
            KeyShape(name: "rules", shape: .list(.object(rule), atLeast: 0), help: "The rules."),
        ])

    private static let shows = ObjectShape(
        name: "shows",
        keys: [Experiment.Kind.rerun, .again, .baseline].map { kind in
            KeyShape(
                name: kind.rawValue, shape: .object(perCategory("chances", 0.001...0.999)),
                help: "By category, between 0.001 and 0.999.")
        })

    static let rule = ObjectShape(
        name: "rule",
        keys: [
            KeyShape(name: "name", shape: .text(.name), isRequired: true, help: "Names the rule."),
            KeyShape(name: "says", shape: .text(.words), isRequired: true, help: "Why, in one sentence."),
            KeyShape(name: "group", shape: .text(.name), help: "Of a group only the strongest counts."),
            KeyShape(name: "when", shape: .list(sign, atLeast: 0), help: "Signs that must all be there."),
            KeyShape(name: "unless", shape: .list(sign, atLeast: 0), help: "Signs of which none may be there."),
            KeyShape(name: "words", shape: .list(.text(.words), atLeast: 0), help: "One of these must occur; \"@name\" stands for a list."),
            KeyShape(
                name: "in", shape: .list(.choice(TriagePlace.allCases.map(\.rawValue)), atLeast: 0),
                help: "Where the words are looked for."),
            KeyShape(
                name: "files", shape: .list(.text(.words), atLeast: 0),
                help: "A suspected file must match one of these globs."),
            KeyShape(
                name: "for", shape: .object(perCategory("weights", -10...10)), isRequired: true,
                help: "Log-odds in nats by category."),
        ])

    private static let sign = ValueShape.choice(TriageSign.allCases.map(\.rawValue))

    private static func perCategory(_ name: String, _ range: ClosedRange<Double>) -> ObjectShape {
        ObjectShape(
            name: name,
            keys: Category.allCases.map { category in
                KeyShape(name: category.rawValue, shape: .number(range), help: "The number of \(category.rawValue).")
            })
    }
}
