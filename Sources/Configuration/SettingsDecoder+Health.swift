// SPDX-License-Identifier: Apache-2.0
// Checks of the environment, and how to read which revision is live.

import Domain

extension SettingsDecoder {
    func health(_ section: Section) -> HealthSettings {
        var health = HealthSettings()
        var names: Set<String> = []
        for (index, section) in sections(section, "checks", KeyTable.check).enumerated() {
            health.checks.append(check(section, number: index + 1, names: &names))
        }
        health.liveRevision = sections(section, "liveRevision", KeyTable.liveRevision).map(liveRevision)
        health.stableFor = section.duration("stableFor") ?? .zero
        health.deadline = section.duration("deadline") ?? .zero
        health.interval = section.duration("interval") ?? .seconds(1)
        checkServices(health.liveRevision, at: join(section.path, "liveRevision"))
        return health
    }

    private func check(_ section: Section, number: Int, names: inout Set<String>) -> CheckSettings {
        let timeout = section.duration("timeout") ?? .seconds(5)
        let target = target(section, timeout: timeout)
        let summary = target.summary
        let derived = names.contains(summary) ? "\(summary) (check \(number))" : summary
        var check = CheckSettings(
            name: section.text("name", or: Derived(value: derived, because: "what is asked")) ?? derived,
            target: target, timeout: timeout)
        if !names.insert(check.name).inserted {
            notes.add(join(section.path, "name"), found: "\(check.name.jsonQuoted) twice", allowed: "names that differ")
        }
        expectations(section, into: &check)
        return check
    }

    /// What the answer must be.
    func expectations(_ section: Section, into check: inout CheckSettings) {
        let expect = section.sectionOrDefaults("expect", KeyTable.expect)
        let isCommand = if case .command = check.target { true } else { false }
        check.statuses = expect.integers(isCommand ? "exit" : "status")
        check.contains = expect.text("contains")
        check.json = (expect.written("json")?.members ?? []).map { member in
            let text = member.value.jsonText
            notes.effect(join(join(expect.path, "json"), member.key), text, origin: .file(member.keyPosition.line))
            return CheckSettings.JSONExpectation(pointer: member.key, value: text)
        }
        refuseExpectations(expect, of: check.target)
    }

    /// Expectations that a target of this kind cannot meet would be ignored, which is worse than an error.
    private func refuseExpectations(_ expect: Section, of target: CheckTarget) {
        let (kind, meaningless): (String, [String]) =
            switch target {
            case .http: ("http", ["exit"])
            case .tcp: ("tcp", ["status", "json", "contains", "exit"])
            case .command: ("command", ["status", "json"])
            }
        for key in meaningless where expect.has(key) {
            notes.add(join(expect.path, key), what: "means nothing for a \(kind) check")
        }
    }

    private func liveRevision(_ section: Section) -> LiveRevisionSettings {
        let timeout = section.duration("timeout") ?? .seconds(5)
        return LiveRevisionSettings(
            service: section.text("service"), target: target(section, timeout: timeout),
            pointer: section.text("pointer"), answers: section.integer("answers") ?? 1, timeout: timeout)
    }

    private func checkServices(_ entries: [LiveRevisionSettings], at path: String) {
        guard entries.count > 1 else { return }
        var seen: Set<String> = []
        for (index, entry) in entries.enumerated() {
            guard let service = entry.service else {
                notes.add("\(path)[\(index)].service", what: "missing", hint: "several entries need a service each")
                continue
            }
            if !seen.insert(service).inserted {
                notes.add(
                    "\(path)[\(index)].service", found: "\(service.jsonQuoted) twice", allowed: "one entry per service")
            }
        }
    }

    /// What is asked. Details of the request may stand beside the address or inside `http`, not both.
    func target(_ section: Section, timeout: Duration) -> CheckTarget {
        if section.has("command") {
            refuseRequest(section, of: "command")
            let place = Place(timeout: timeout, timeoutOrigin: "from \(join(section.path, "timeout"))")
            return .command(command(section, "command", place) ?? .standIn)
        }
        if section.shape.key("tcp") != nil, section.has("tcp") {
            refuseRequest(section, of: "tcp")
            let address = section.text("tcp").flatMap(HostPort.init)
            return .tcp(host: address?.host ?? "", port: address?.port ?? 0)
        }
        if let value = section.written("http"), case .object = value.kind {
            refuseRequest(section, of: "http object, which has its own")
            let http = Section(value, KeyTable.http, at: join(section.path, "http"), notes: notes)
            return request(http, url: http.text("url") ?? "")
        }
        return request(section, url: section.text("http") ?? "")
    }

    private func request(_ section: Section, url: String) -> CheckTarget {
        .http(
            url: url, method: section.text("method") ?? "GET", headers: section.hiddenTexts("headers"),
            body: section.hiddenText("body"))
    }

    private func refuseRequest(_ section: Section, of kind: String) {
        for key in ["method", "headers", "body"] where section.has(key) {
            notes.add(join(section.path, key), what: "means nothing beside a \(kind)")
        }
    }
}

extension CheckTarget {
    /// The target in a few words, without query: tokens like to stand there.
    var summary: String {
        switch self {
        case .http(let url, _, _, _):
            String(url.prefix { $0 != "?" && $0 != "#" }.drop { $0 != "/" }.dropFirst(2))
        case .tcp(let host, let port): "\(host):\(port)"
        case .command(let command):
            command.isShell ? "shell command" : String(command.arguments.first?.split(separator: "/").last ?? "command")
        }
    }
}
