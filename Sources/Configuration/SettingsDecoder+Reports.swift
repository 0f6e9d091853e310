// SPDX-License-Identifier: Apache-2.0
// Targets and readiness, and what they must name.

import Domain

extension SettingsDecoder {
    func target(_ section: Section) -> TargetSettings? {
        let place = Place(timeout: .seconds(300), timeoutOrigin: "default of target commands")
        let command = section.has("command") ? command(section, "command", place, role: .suite) : nil
        let tests = section.has("tests") ? section.text("tests") : nil
        let isFloor = section.flag("atLeast") ?? false
        let written = section.text("limit")
        let suite = section.text("suite")
        let percentile = Double(section.integer("percentile") ?? 95)
        let blocking = section.flag("blocking") ?? false
        guard let limit = written.flatMap({ Measure($0) }), let name = section.text("name"),
            let source = command.map(TargetSettings.Source.command) ?? tests.map(TargetSettings.Source.tests)
        else { return nil }
        return TargetSettings(
            name: name, limit: limit.value, unit: limit.unit, isFloor: isFloor, source: source, suite: suite,
            percentile: percentile, blocking: blocking)
    }

    func readiness(_ section: Section) -> ReadinessSettings {
        ReadinessSettings(
            components: sections(section, "components", KeyTable.component).map { component in
                let from = KeyTable.sourceOf(component)
                return ReadinessSettings.Component(
                    name: component.text("name") ?? "", weight: component.amount("weight") ?? 1,
                    suites: from.texts("suites"), capabilities: from.texts("capabilities"),
                    targets: from.texts("targets"))
            })
    }
}

extension CrossChecks {
    /// Names that nothing has are slips: a component made of them would count as 0.
    func checkReports() {
        let suites = settings.suites.map(\.name)
        let capabilities = settings.suites.flatMap(\.capabilities).map(\.name)
        var targets: Set<String> = []
        for (index, target) in settings.targets.enumerated() {
            if !targets.insert(target.name).inserted {
                notes.add("targets[\(index)].name", found: "\(target.name.jsonQuoted) twice")
            }
            if let suite = target.suite { check(suite, among: suites, "targets[\(index)].suite", "suite") }
        }
        for (index, component) in (settings.readiness?.components ?? []).enumerated() {
            let path = "readiness.components[\(index)].from"
            for name in component.suites { check(name, among: suites, "\(path).suites", "suite") }
            for name in component.capabilities {
                check(name, among: capabilities, "\(path).capabilities", "capability")
            }
            for name in component.targets { check(name, among: targets.sorted(), "\(path).targets", "target") }
            if component.suites.isEmpty, component.capabilities.isEmpty, component.targets.isEmpty {
                notes.add(path, what: "names nothing", allowed: "suites, capabilities or targets")
            }
        }
    }

    private func check(_ name: String, among known: [String], _ path: String, _ noun: String) {
        guard !known.contains(name) else { return }
        let near = nearest(to: name, among: known)
        notes.add(
            path, found: name.jsonQuoted, allowed: "the name of a \(noun)", hint: near.map { "did you mean \($0)?" })
    }
}
