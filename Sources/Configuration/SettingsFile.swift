// SPDX-License-Identifier: Apache-2.0
// The door of the module: the bytes of a file in, settings or all problems out.

package import Domain

/// Settings, and how each of them came about.
package struct LoadedSettings: Sendable {
    package var settings: LoopSettings
    /// Every value in effect, in the order of the reference. Safe to print: what may be secret is hidden.
    package var effective: [EffectiveValue]
    /// One line per value in effect, sorted: the same for two files that mean the same. It is there to be hashed.
    /// Never print it: unlike `effective` it hides nothing.
    package var canonicalText: String
    /// What is allowed but probably not meant.
    package var warnings: [ConfigurationProblem]
}

/// A configuration file.
package enum SettingsFile {
    package static let defaultName = "nightjar.json5"

    /// Reads a file's bytes. `path` must be absolute: relative paths inside the file start at its folder, and messages
    /// name it by its last part. `now` dates the quarantine. `ruleFile` gives the bytes of a rule file by its absolute path,
    /// and `knowsTimeZone` whether there is a time zone of that name.
    package static func load(
        bytes: [UInt8], path: String, now: Timestamp, ruleFile: (String) -> [UInt8]? = { _ in nil },
        knowsTimeZone: (String) -> Bool = { _ in true }
    ) -> Result<LoadedSettings, ConfigurationProblems> {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let notes = DecodingNotes(file: file)
        guard path.hasPrefix("/") else {
            notes.add("", what: "the path of the file is not absolute")
            return .failure(ConfigurationProblems(notes.problems))
        }
        guard bytes.count <= Limits.configurationBytes else {
            notes.add("", found: "\(bytes.count) bytes", allowed: "at most \(Limits.configurationBytes)")
            return .failure(ConfigurationProblems(notes.problems))
        }
        switch JSON5Parser.parse(bytes) {
        case .problems(let problems):
            return .failure(ConfigurationProblems(problems.map { $0.problem(in: file) }))
        case .value(let document):
            return decode(document, path: path, notes, now, ruleFile, knowsTimeZone)
        }
    }

    private static func decode(
        _ document: JSON5Value, path: String, _ notes: DecodingNotes, _ now: Timestamp,
        _ ruleFile: (String) -> [UInt8]?, _ knowsTimeZone: (String) -> Bool
    ) -> Result<LoadedSettings, ConfigurationProblems> {
        ShapeChecker(notes: notes).check(document, .object(KeyTable.root), at: "")
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        var settings = SettingsDecoder(notes: notes, base: normalized(folder)).settings(document)
        CrossChecks(notes: notes, settings: settings, now: now).run()
        let zonePath = "schedule.window.timeZone"
        let zone = settings.schedule.window?.timeZone ?? ""
        if !zone.isEmpty, !notes.isBroken(zonePath), !knowsTimeZone(zone) {
            notes.add(zonePath, found: zone.jsonQuoted, allowed: "a time zone such as \"Europe/Berlin\"")
        }
        let rules = rules(settings.ruleFiles, notes, ruleFile)
        guard notes.problems.isEmpty, rules.problems.isEmpty else {
            return .failure(ConfigurationProblems(inFileOrder(notes.problems) + rules.problems))
        }
        settings.rules = rules.rules
        let canonical = notes.canonical.sorted().joined(separator: "\n") + "\n"
        return .success(
            LoadedSettings(
                settings: settings, effective: notes.effective, canonicalText: canonical,
                warnings: inFileOrder(notes.warnings)))
    }

    /// The built-in rules with what the files add, or what is wrong with the files.
    private static func rules(
        _ files: [String], _ notes: DecodingNotes, _ read: (String) -> [UInt8]?
    ) -> (rules: TriageRules, problems: [ConfigurationProblem]) {
        var rules = RuleFile.builtIn
        var problems: [ConfigurationProblem] = []
        for (index, path) in files.enumerated() {
            guard let bytes = read(path) else {
                notes.add("triage.rules[\(index)]", what: "cannot be read", found: path.jsonQuoted)
                continue
            }
            let name = path.split(separator: "/").last.map(String.init) ?? path
            switch RuleFile.load(bytes: bytes, file: name, beside: rules.lists) {
            case .success(let more): rules = rules.extended(by: more)
            case .failure(let found): problems += found.problems
            }
        }
        return (rules, problems)
    }

    /// What several files that one daemon is given may not share.
    package static func conflicts(among files: [(file: String, settings: LoopSettings)]) -> [ConfigurationProblem] {
        var seen: [String: String] = [:]
        return files.compactMap { file, settings in
            guard let first = seen.updateValue(file, forKey: settings.name) else { return nil }
            return ConfigurationProblem(
                path: "loop.name", file: file, line: 1, column: 1, found: settings.name.jsonQuoted,
                allowed: "a name of its own for each loop", hint: "\(first) has the same")
        }
    }

    private static func inFileOrder(_ problems: [ConfigurationProblem]) -> [ConfigurationProblem] {
        problems.enumerated()
            .sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }
            .map(\.element)
    }
}

extension JSON5Problem {
    func problem(in file: String) -> ConfigurationProblem {
        ConfigurationProblem(
            path: "", file: file, line: position.line, column: position.column, found: found, allowed: expected,
            hint: hint)
    }
}
