// SPDX-License-Identifier: Apache-2.0
// What values mean together: the second pass over settings that were read.

import Domain

struct CrossChecks {
    let notes: DecodingNotes
    let settings: LoopSettings
    let now: Timestamp

    func run() {
        checkMode()
        checkSuites()
        checkSecrets()
        checkRemedy()
        checkTriage()
        checkQuarantine()
        checkLiterals()
        checkReports()
    }

    private func checkMode() {
        guard !notes.isBroken("loop.mode") else { return }
        switch settings.mode {
        case .operate:
            if settings.deploy == nil {
                notes.add(
                    "deploy", what: "missing", hint: "mode operate deploys; use observe or verify where others do")
            } else if settings.health.liveRevision.isEmpty {
                notes.warn(
                    "health.liveRevision",
                    "missing: nothing proves that what was deployed is what runs, so no cycle can be better than "
                        + "unproven and nothing ships", hint: "an address or a command that names the live revision")
            }
        case .verify:
            if settings.health.liveRevision.isEmpty, !notes.isBroken("health.liveRevision") {
                notes.add(
                    "health.liveRevision", what: "missing",
                    hint: "mode verify waits for a new live revision, and must see it")
            }
        case .observe:
            if settings.triage.mayDeploy { notes.warn("triage.mayDeploy", "has no effect in mode observe") }
            if settings.health.liveRevision.isEmpty {
                notes.warn("health.liveRevision", "none: nothing proves which revision answers")
            }
        }
        if settings.health.checks.isEmpty {
            notes.warn("health.checks", "none: whether the environment is up is only seen by the tests")
        }
    }

    private func checkSuites() {
        var seen: [String: Int] = [:]
        for (index, suite) in settings.suites.enumerated() {
            let path = "suites[\(index)]"
            if let first = seen[suite.name], !suite.name.isEmpty {
                notes.add(
                    "\(path).name", found: "\(suite.name.jsonQuoted) twice", hint: "the first is suites[\(first)]")
            }
            seen[suite.name] = seen[suite.name] ?? index
            checkReport(of: suite, at: path)
            checkSelect(of: suite, at: path)
            checkCapabilities(of: suite, at: path)
            checkSources(of: suite, at: path)
        }
    }

    /// The tests come from one place.
    private func checkSources(of suite: SuiteSettings, at path: String) {
        guard suite.worktree else { return }
        if suite.repository != nil {
            notes.warn("\(path).worktree", "is not used: the tests have a repository of their own")
        } else if settings.repository == nil || settings.repository?.revisionCommand != nil {
            notes.add(
                "\(path).worktree", what: "is true, but git does not tell the revision under test",
                allowed: "a top-level repository without revisionCommand")
        }
    }

    private func checkReport(of suite: SuiteSettings, at path: String) {
        guard !suite.command.arguments.isEmpty, !notes.isBroken("\(path).report") else { return }
        let onConsole = [.console, .goTestJSON, .tap].contains(suite.reportFormat)
        let commands = [("command", suite.command)] + (suite.select.map { [("select", $0)] } ?? [])
        if let reportPath = suite.reportPath {
            for (key, command) in commands where command.mentions("report") {
                notes.add(
                    "\(path).report.path", found: reportPath.jsonQuoted,
                    allowed: "either report.path or {report} in \(key), not both")
            }
        } else if !onConsole {
            for (key, command) in commands where !command.mentions("report") {
                notes.add(
                    "\(path).\(key)", what: "does not say where the \(suite.reportFormat.rawValue) report goes",
                    hint: "put {report} into the command, set report.path, or report: { format: \"console\" }")
            }
        }
        if suite.reportFormat == .console, suite.console == .none {
            notes.add(
                "\(path).console", what: "missing", allowed: "pytest, go-test-json, swift-testing, tap",
                hint: "with report.format console the results are read from there")
        }
        if suite.reportPath?.hasPrefix("{") == true || Placeholders.uses(in: suite.reportPath ?? "").isEmpty == false {
            notes.add("\(path).report.path", found: "a placeholder", allowed: "a path or glob")
        }
    }

    private func checkSelect(of suite: SuiteSettings, at path: String) {
        if let select = suite.select, !select.isShell, !Placeholders.ofTests.contains(where: select.mentions) {
            notes.add(
                "\(path).select", what: "would run all tests", allowed: "{tests}, {testNames} or {testsRegex} in it")
        }
        if suite.testTimeout != nil, suite.console == .none, !notes.isBroken("\(path).console") {
            notes.warn(
                "\(path).testTimeout", "has no effect: the console does not tell when a test starts",
                hint: "set console")
        }
    }

    private func checkCapabilities(of suite: SuiteSettings, at path: String) {
        var names: Set<String> = []
        for (index, capability) in suite.capabilities.enumerated() {
            if !names.insert(capability.name).inserted, !capability.name.isEmpty {
                notes.add("\(path).capabilities[\(index)].name", found: "\(capability.name.jsonQuoted) twice")
            }
        }
        let sum = suite.capabilities.compactMap(\.value).reduce(0, +)
        if let value = suite.value, sum > value {
            notes.warn(
                "\(path).capabilities",
                "are worth \(JSON5Number(value: sum).jsonText), more than the suite's \(JSON5Number(value: value).jsonText)"
            )
        }
    }

    private func checkSecrets() {
        var used: Set<String> = []
        let commands = settings.commandsByPath.map { ($0.0, $0.1.secrets) }
        for (path, secrets) in commands + settings.sampledSecrets {
            for name in secrets {
                used.insert(name)
                guard settings.secrets[name] == nil else { continue }
                let near = nearest(to: name, among: Array(settings.secrets.keys).sorted())
                notes.addOnce(
                    "\(path).secrets", found: "a name that is not in secrets",
                    allowed: settings.secrets.isEmpty
                        ? "names under secrets, which is empty"
                        : settings.secrets.keys.sorted().joined(separator: ", "),
                    hint: near.map { "did you mean \($0)?" })
            }
        }
        for name in settings.secrets.keys.sorted() where !used.contains(name) {
            notes.warn(
                join("secrets", name), "is given to no command", hint: "name it in the secrets of a section or command")
        }
    }

    private func checkRemedy() {
        let remedy = settings.remedy
        for (index, kind) in remedy.allow.enumerated() {
            let path = "remedy.allow[\(index)]"
            if remedy.allow[..<index].contains(kind) { notes.add(path, found: "\(kind.rawValue.jsonQuoted) twice") }
            switch kind {
            case .runbook where remedy.runbook.isEmpty:
                notes.add(path, what: "allows runbook commands, but remedy.runbook has none")
            case .rollback where settings.repository == nil && settings.deploy?.rollback == nil:
                notes.add(
                    path, what: "allows rollback, but there is no way back", allowed: "a repository or deploy.rollback")
            case .redeploy where settings.deploy == nil, .rollback where settings.deploy == nil:
                notes.add(path, what: "allows \(kind.rawValue), but there is no deploy")
            case .fix: checkFix(path, "allows")
            default: break
            }
        }
        if !remedy.runbook.isEmpty, !remedy.allow.contains(.runbook), !remedy.approve.contains(.runbook) {
            notes.warn("remedy.runbook", "is not used: neither remedy.allow nor remedy.approve names runbook")
        }
        checkApprovals()
    }

    private func checkFix(_ path: String, _ verb: String) {
        let remedy = settings.remedy
        if remedy.fix == nil {
            notes.add(path, what: "\(verb) fixes, but there is no remedy.fix")
        } else if remedy.roles.implement == nil {
            notes.add(path, what: "\(verb) fixes, but remedy.roles.implement names nobody to make them")
        } else if settings.repository == nil {
            notes.add(path, what: "\(verb) fixes, but there is no repository")
        } else if settings.repository?.revisionCommand != nil {
            notes.warn(path, "a fix is a commit; what repository.revisionCommand prints must be one too")
        }
    }

    private func checkApprovals() {
        let remedy = settings.remedy
        for (index, subject) in remedy.approve.enumerated() {
            let path = "remedy.approve[\(index)]"
            if remedy.approve[..<index].contains(subject) {
                notes.add(path, found: "\(subject.rawValue.jsonQuoted) twice")
            }
            switch subject {
            case .runbook where remedy.runbook.isEmpty:
                notes.add(path, what: "asks about runbook commands, but remedy.runbook has none")
            case .redeploy where settings.deploy == nil, .rollback where settings.deploy == nil:
                notes.add(path, what: "asks about \(subject.rawValue), but there is no deploy")
            case .rollback where settings.repository == nil && settings.deploy?.rollback == nil:
                notes.add(
                    path, what: "asks about rollback, but there is no way back",
                    allowed: "a repository or deploy.rollback")
            case .fix: checkFix(path, "asks about")
            case .experiments where !settings.triage.mayDeploy:
                notes.warn(path, "is never asked: triage.mayDeploy is false")
            default: break
            }
        }
    }

    private func checkTriage() {
        let triage = settings.triage
        guard triage.mayDeploy else { return }
        if settings.deploy == nil { notes.add("triage.mayDeploy", what: "is true, but there is no deploy") }
        if triage.experiments.contains(.bisect), settings.repository == nil {
            notes.warn("triage.experiments", "bisect cannot be done without a repository")
        }
    }

    /// Text that is taken as it stands although it looks like more.
    private func checkLiterals() {
        for (path, command) in settings.commandsByPath {
            for (name, value) in command.environment.sorted(by: { $0.key < $1.key }) {
                let variable = join("\(path).environment", name)
                if Placeholders.uses(in: value).contains(where: { Placeholders.known.contains($0.name) }) {
                    notes.warn(variable, "placeholders are not replaced in environment", hint: "make it an argument")
                }
                let words = name.lowercased().split(separator: "_")
                if words.contains(where: { ["token", "password", "secret"].contains($0) }) {
                    notes.warn(
                        variable, "a secret in the file can be read by all who read the file", hint: "use secrets")
                }
            }
        }
        for (index, check) in settings.health.checks.enumerated() {
            guard case .http(let url, _, _, _) = check.target else { continue }
            if Placeholders.uses(in: url).contains(where: { Placeholders.known.contains($0.name) }) {
                notes.warn("health.checks[\(index)].http", "placeholders are not replaced in addresses")
            }
        }
    }

    private func checkQuarantine() {
        guard let today = CalendarDate(String(now.description.prefix(10))) else { return }
        for (index, entry) in settings.quarantine.enumerated() {
            let path = "quarantine[\(index)].until"
            guard let until = CalendarDate(entry.until) else { continue }
            if (until.year - 1, until.month, until.day) > (today.year, today.month, today.day) {
                notes.add(path, found: entry.until.jsonQuoted, allowed: "a date at most one year ahead")
            } else if until < today {
                notes.warn(path, "has passed: failures of \(shortened(entry.test).jsonQuoted) block again")
            }
        }
    }
}

extension DecodingNotes {
    /// A problem that several commands share is reported where it is written.
    fileprivate func addOnce(_ path: String, found: String, allowed: String, hint: String?) {
        // A single object of liveRevision has no index.
        var path = isWritten(path) ? path : path.replacing("liveRevision[0]", with: "liveRevision")
        if !isWritten(path) {
            // The list stands beside the command, not inside it: `deploy.command.secrets` is `deploy.secrets`.
            let parts = path.split(separator: ".")
            path = (parts.dropLast(2) + parts.suffix(1)).joined(separator: ".")
        }
        if !isBroken(path) { add(path, found: found, allowed: allowed, hint: hint) }
    }
}

extension LoopSettings {
    /// The secrets of targets that are measured without a command.
    fileprivate var sampledSecrets: [(String, [String])] {
        targets.enumerated().compactMap { index, target in
            switch target.source {
            case .http(_, _, let sampling), .webSocket(_, let sampling): ("targets[\(index)]", sampling.secrets)
            case .command, .tests, .property: nil
            }
        }
    }

    /// Every command, with the path of its key.
    fileprivate var commandsByPath: [(String, CommandSettings)] {
        var all: [(String, CommandSettings?)] = [("repository.revisionCommand", repository?.revisionCommand)]
        all += [
            ("deploy.command", deploy?.command), ("deploy.rollback", deploy?.rollback),
            ("deploy.permit", deploy?.permit), ("deploy.cleanup", deploy?.cleanup), ("deploy.logs", deploy?.logs),
        ]
        for (index, check) in health.checks.enumerated() {
            if case .command(let command) = check.target { all.append(("health.checks[\(index)].command", command)) }
        }
        for (index, entry) in health.liveRevision.enumerated() {
            guard case .command(let command) = entry.target else { continue }
            all += [("health.liveRevision[\(index)].command", command)]
        }
        for (index, suite) in suites.enumerated() {
            let path = "suites[\(index)]"
            all += [
                ("\(path).command", suite.command), ("\(path).select", suite.select),
                ("\(path).collect", suite.collect),
                ("\(path).before", suite.before), ("\(path).after", suite.after),
            ]
        }
        for (index, target) in targets.enumerated() {
            if case .command(let command) = target.source { all.append(("targets[\(index)].command", command)) }
        }
        all += remedy.runbook.map { (join("remedy.runbook", $0.name) + ".command", $0.command) }
        all += (remedy.fix?.audit ?? []).map { (join("remedy.fix.audit", $0.name) + ".command", $0.command) }
        all += Role.allCases.map { ("remedy.roles.\($0.rawValue)", remedy.roles[$0]) }
        return all.compactMap { path, command in command.map { (path, $0) } }
    }
}
