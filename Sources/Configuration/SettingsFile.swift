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
    /// name it by its last part. `now` dates the quarantine.
    package static func load(
        bytes: [UInt8], path: String, now: Timestamp
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
            return decode(document, path: path, notes, now)
        }
    }

    private static func decode(
        _ document: JSON5Value, path: String, _ notes: DecodingNotes, _ now: Timestamp
    ) -> Result<LoadedSettings, ConfigurationProblems> {
        ShapeChecker(notes: notes).check(document, .object(KeyTable.root), at: "")
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let settings = SettingsDecoder(notes: notes, base: normalized(folder)).settings(document)
        CrossChecks(notes: notes, settings: settings, now: now).run()
        guard notes.problems.isEmpty else {
            return .failure(ConfigurationProblems(inFileOrder(notes.problems)))
        }
        let canonical = notes.canonical.sorted().joined(separator: "\n") + "\n"
        return .success(
            LoadedSettings(
                settings: settings, effective: notes.effective, canonicalText: canonical,
                warnings: inFileOrder(notes.warnings)))
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
    fileprivate func problem(in file: String) -> ConfigurationProblem {
        ConfigurationProblem(
            path: "", file: file, line: position.line, column: position.column, found: found, allowed: expected,
            hint: hint)
    }
}
