// SPDX-License-Identifier: Apache-2.0
// From a checked value tree to settings. Broken values are stood in for, so that the rest can still be checked.

import Domain

/// Builds the settings of one file.
struct SettingsDecoder {
    let notes: DecodingNotes
    /// Absolute folder of the file.
    let base: String

    /// What the commands of one section share.
    struct Place {
        var timeout: Duration
        var timeoutOrigin: String
        var idleTimeout: Duration?
        var workingDirectory: String?
        var environment: [String: String] = [:]
        var secrets: [String] = []
    }

    func settings(_ document: JSON5Value) -> LoopSettings {
        let root = Section(document, KeyTable.root, at: "", notes: notes)
        let loop = root.sectionOrDefaults("loop", KeyTable.loop)
        let name = loop.text("name") ?? ""
        let mode = loop.choice("mode", Mode.self) ?? .observe
        let state = resolve(root.text("state") ?? ".nightjar")
        notes.effect("stateDirectory", state.jsonQuoted, origin: .derived("state and the file's folder"))
        var settings = LoopSettings(
            name: name, mode: mode,
            environment: loop.text("environment", or: Derived(value: name, because: "from loop.name")) ?? name,
            stateDirectory: state + "/" + name, baseDirectory: base)
        settings.shipDegraded = loop.flag("shipDegraded") ?? false
        settings.failFast = loop.flag("failFast") ?? false
        settings.stopGrace = loop.duration("stopGrace") ?? .seconds(60)
        settings.valueUnit = loop.text("valueUnit") ?? ""
        settings.schedule = schedule(root.sectionOrDefaults("schedule", KeyTable.schedule))
        settings.secrets = secrets(root.written("secrets"))
        settings.repository = root.section("repository", KeyTable.repository).map(repository)
        settings.deploy = root.section("deploy", KeyTable.deploy).map {
            deploy($0, hasRepository: settings.repository != nil)
        }
        settings.health = health(root.sectionOrDefaults("health", KeyTable.health))
        settings.suites = sections(root, "suites", KeyTable.suite).map(suite)
        settings.targets = sections(root, "targets", KeyTable.target).compactMap(target)
        settings.readiness = root.section("readiness", KeyTable.readiness).map(readiness)
        let triage = root.sectionOrDefaults("triage", KeyTable.triage)
        settings.triage = self.triage(triage)
        settings.ruleFiles = triage.texts("rules").map(resolve)
        settings.remedy = remedy(root.sectionOrDefaults("remedy", KeyTable.remedy))
        settings.quarantine = sections(root, "quarantine", KeyTable.quarantine).map(quarantine)
        settings.fingerprint = fingerprint(root.sectionOrDefaults("fingerprint", KeyTable.fingerprint))
        settings.retention = retention(root.sectionOrDefaults("retention", KeyTable.retention))
        settings.notify = notify(root)
        let storage = root.sectionOrDefaults("storage", KeyTable.storage)
        settings.outputBytes = storage.size("outputBytes") ?? 0
        settings.minFreeBytes = storage.size("minFreeBytes") ?? 0
        return settings
    }

    /// The objects of a list of objects.
    func sections(_ parent: Section, _ key: String, _ shape: ObjectShape) -> [Section] {
        guard let value = parent.written(key) else {
            notes.effect(join(parent.path, key), "[]", origin: .standard)
            return []
        }
        let single: Bool
        if case .list = value.kind { single = false } else { single = true }
        return value.elements.enumerated().map { index, element in
            let path = join(parent.path, key) + (single ? "" : "[\(index)]")
            return Section(element, shape, at: path, notes: notes)
        }
    }

    // MARK: Sections

    private func schedule(_ section: Section) -> ScheduleSettings {
        var schedule = ScheduleSettings()
        schedule.window = section.section("window", KeyTable.window).map(window)
        schedule.every = section.duration("every") ?? .zero
        schedule.stopWhen = section.choice("stopWhen", ScheduleSettings.StopWhen.self) ?? .never
        schedule.maxCycles = section.integer("maxCycles")
        schedule.skipUnchanged = section.flag("skipUnchanged") ?? false
        return schedule
    }

    func window(_ section: Section) -> ScheduleSettings.Window {
        let from = section.text("from").flatMap(Quantity.timeOfDay)
        let to = section.text("to").flatMap(Quantity.timeOfDay)
        if let from, from == to {
            notes.add(
                section.path, what: "opens and closes at the same time", hint: "leave the window out to be always open")
        }
        let zone = section.text("timeZone") ?? ""
        let days = section.texts("days").compactMap(KeyTable.dayNames.firstIndex).map { $0 + 1 }
        return ScheduleSettings.Window(
            fromMinute: from ?? 0, toMinute: to ?? 0, timeZone: zone, days: Array(Set(days)).sorted())
    }

    private func secrets(_ value: JSON5Value?) -> [String: SecretSource] {
        var sources: [String: SecretSource] = [:]
        for member in value?.members ?? [] {
            let section = Section(member.value, KeyTable.secret, at: join("secrets", member.key), notes: notes)
            // Its problem is reported already; commands that name the secret are right to do so.
            sources[member.key] = secretSource(section) ?? .environment(member.key)
        }
        return sources
    }

    /// Where a secret comes from; nil where the section does not say it.
    func secretSource(_ section: Section) -> SecretSource? {
        if section.has("fromFile"), let path = section.text("fromFile") { return .file(resolve(path)) }
        if section.has("fromEnv"), let name = section.text("fromEnv") { return .environment(name) }
        return section.has("fromCommand") ? .command(section.texts("fromCommand")) : nil
    }

    private func repository(_ section: Section) -> RepositorySettings {
        let place = Place(timeout: .seconds(60), timeoutOrigin: "default of revisionCommand")
        return RepositorySettings(
            path: resolve(section.text("path") ?? ""), ref: section.text("ref") ?? "",
            fetch: section.flag("fetch") ?? false, revisionCommand: command(section, "revisionCommand", place),
            green: section.text("green"))
    }

    private func triage(_ section: Section) -> TriageSettings {
        let kinds = section.choices("experiments", Experiment.Kind.self)
        return TriageSettings(
            budgetSeconds: section.duration("budget")?.inSeconds ?? 0, mayDeploy: section.flag("mayDeploy") ?? false,
            deploysPerIncident: section.integer("deploysPerIncident") ?? 0,
            deploysPerNight: section.integer("deploysPerNight") ?? 0, experiments: kinds,
            burnIn: burnIn(section.sectionOrDefaults("burnIn", KeyTable.burnIn)))
    }

    private func burnIn(_ section: Section) -> BurnInSettings {
        BurnInSettings(
            runs: section.integer("runs") ?? 0, tests: section.integer("tests") ?? 1,
            budgetSeconds: section.duration("budget")?.inSeconds ?? 0)
    }

    private func quarantine(_ section: Section) -> QuarantineEntry {
        QuarantineEntry(
            test: section.text("test") ?? "", owner: section.text("owner") ?? "", reason: section.text("reason") ?? "",
            until: section.text("until") ?? "")
    }

    private func retention(_ section: Section) -> RetentionSettings {
        RetentionSettings(
            cycles: section.integer("cycles") ?? 0, age: section.duration("age") ?? .zero,
            bytes: section.size("bytes") ?? 0)
    }

    // MARK: Paths

    /// An absolute path; relative ones start at the folder of the file. One that begins with a placeholder stays.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("{") { return path }
        return normalized(path.hasPrefix("/") ? path : base + "/" + path)
    }
}

/// A path without `.`, `..` and doubled slashes, by its letters alone.
func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

extension CommandSettings {
    /// In the place of a command that could not be read; never leaves the decoder.
    static let standIn = CommandSettings(arguments: [], timeout: .seconds(60))
}
