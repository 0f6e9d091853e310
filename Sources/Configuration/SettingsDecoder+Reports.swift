// SPDX-License-Identifier: Apache-2.0
// Targets and readiness, and what they must name.

import Domain

extension SettingsDecoder {
    func target(_ section: Section) -> TargetSettings? {
        let source = targetSource(section)
        refuseSampling(section, of: source)
        let isFloor = section.flag("atLeast") ?? false
        let written = section.text("limit")
        let suite = section.text("suite")
        let percentile = Double(section.integer("percentile") ?? 95)
        let blocking = section.flag("blocking") ?? false
        let relevant = section.amount("relevant") ?? 10
        guard let limit = written.flatMap({ Measure($0) }), let name = section.text("name"), let source else {
            return nil
        }
        var target = TargetSettings(
            name: name, limit: limit.value, unit: limit.unit, isFloor: isFloor, source: source, suite: suite,
            percentile: percentile, blocking: blocking)
        target.relevantPercent = relevant
        switch source {
        case .http, .webSocket:
            if Measure(value: 1, unit: "ms").value(in: limit.unit) == nil {
                notes.add(
                    join(section.path, "limit"), found: (written ?? "").jsonQuoted,
                    allowed: "a time with its unit, such as \"100ms\": what is measured is a time")
            }
        case .command, .property: target.warmup = section.integer("warmup") ?? 0
        case .tests: break
        }
        return target
    }

    private func targetSource(_ section: Section) -> TargetSettings.Source? {
        if section.has("command") {
            let place = Place(timeout: .seconds(300), timeoutOrigin: "default of target commands")
            return command(section, "command", place, role: .suite).map(TargetSettings.Source.command)
        }
        if section.has("tests") { return section.text("tests").map(TargetSettings.Source.tests) }
        if section.has("property") { return section.text("property").map(TargetSettings.Source.property) }
        let sampling = TargetSampling(
            samples: section.integer("samples") ?? 20, warmup: section.integer("warmup") ?? 3,
            interval: section.duration("interval") ?? .zero, timeout: section.duration("timeout") ?? .seconds(5),
            failuresAllowedPercent: section.amount("mayFail") ?? 10, secrets: section.texts("secrets"))
        if section.has("websocket") { return .webSocket(exchange(section), sampling) }
        guard section.has("http") else { return nil }
        var check = CheckSettings(
            name: "target", target: target(section, timeout: sampling.timeout), timeout: sampling.timeout)
        expectations(section, into: &check)
        return .http(check, timing: section.choice("timing", TargetTiming.self) ?? .total, sampling)
    }

    private func exchange(_ section: Section) -> WebSocketExchange {
        guard let value = section.written("websocket"), case .object = value.kind else {
            return WebSocketExchange(url: section.text("websocket") ?? "", headers: section.hiddenTexts("headers"))
        }
        let inner = Section(value, KeyTable.socket, at: join(section.path, "websocket"), notes: notes)
        return WebSocketExchange(
            url: inner.text("url") ?? "", headers: inner.hiddenTexts("headers"),
            subprotocols: inner.texts("subprotocols"), message: inner.hiddenText("send"), reply: inner.text("receive"))
    }

    /// Keys that mean nothing for what is measured would be ignored, which is worse than an error.
    private func refuseSampling(_ section: Section, of source: TargetSettings.Source?) {
        let sampling = ["samples", "interval", "timeout", "mayFail", "secrets"]
        let request = ["method", "headers", "body", "expect", "timing"]
        let (kind, meaningless): (String, [String])
        switch source {
        case nil: return
        case .command: (kind, meaningless) = ("a command, which has its own", sampling + request)
        case .property: (kind, meaningless) = ("a property", sampling + request)
        case .tests: (kind, meaningless) = ("tests", sampling + request + ["warmup"])
        case .webSocket:
            let isObject = if case .object = section.written("websocket")?.kind { true } else { false }
            (kind, meaningless) = ("a websocket", request.filter { isObject || $0 != "headers" })
        case .http: return
        }
        for key in meaningless where section.has(key) {
            notes.add(join(section.path, key), what: "means nothing beside \(kind)")
        }
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
