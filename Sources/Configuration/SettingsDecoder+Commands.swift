// SPDX-License-Identifier: Apache-2.0
// Commands in their three forms, and how to deploy.

import Domain

extension SettingsDecoder {
    /// The command under a key; nil where there is none, or it could not be read.
    func command(
        _ section: Section, _ key: String, _ place: Place, role: Placeholders.Role = .ordinary
    ) -> CommandSettings? {
        let path = join(section.path, key)
        guard let value = section.written(key) else {
            if section.shape.key(key)?.isRequired == false { notes.effect(path, "none", origin: .standard) }
            return nil
        }
        let inner: Section
        if case .object = value.kind {
            inner = Section(value, KeyTable.command, at: path, notes: notes)
        } else {
            inner = Section(nil, KeyTable.command, at: path, notes: notes)
        }
        let shell = inner.written("shell")?.textValue
        let list = (inner.written("command") ?? value).listOfTexts
        guard let arguments = shell.map({ [$0] }) ?? list, !arguments.isEmpty else { return nil }
        let text = shell.map { "{ shell: \($0.jsonQuoted) }" } ?? jsonList(arguments)
        notes.effect(path, text, origin: .file(value.position.line))
        notes.checkPlaceholders(arguments, isShell: shell != nil, role: role, at: path)
        var command = CommandSettings(arguments: arguments, isShell: shell != nil, timeout: place.timeout)
        readLimits(of: inner, into: &command, place)
        return command
    }

    private func readLimits(of inner: Section, into command: inout CommandSettings, _ place: Place) {
        command.timeout =
            inner.has("timeout")
            ? inner.duration("timeout") ?? place.timeout
            : inherited(inner, "timeout", place.timeout, place.timeoutOrigin) { Quantity.text($0).jsonQuoted }
        command.idleTimeout = inner.has("idleTimeout") ? inner.duration("idleTimeout") : place.idleTimeout
        if inner.has("workingDirectory") {
            command.workingDirectory = workingDirectory(of: inner)
        } else {
            command.workingDirectory = place.workingDirectory
        }
        command.environment = place.environment.merging(inner.hiddenTexts("environment")) { $1 }
        command.secrets = inner.has("secrets") ? inner.texts("secrets") : place.secrets
    }

    private func workingDirectory(of section: Section) -> String? {
        guard let directory = section.text("workingDirectory") else { return nil }
        notes.checkPlaceholders(
            [directory], isShell: false, role: .ordinary, at: join(section.path, "workingDirectory"))
        return resolve(directory)
    }

    private func inherited<Value>(
        _ inner: Section, _ key: String, _ value: Value, _ origin: String, show: (Value) -> String
    ) -> Value {
        notes.effect(join(inner.path, key), show(value), origin: .derived(origin))
        return value
    }

    /// What the keys beside the commands of a section say about all of them.
    func place(_ section: Section) -> Place {
        Place(
            timeout: section.duration("timeout") ?? .seconds(60),
            timeoutOrigin: "from \(join(section.path, "timeout"))",
            idleTimeout: section.duration("idleTimeout"),
            workingDirectory: workingDirectory(of: section),
            environment: section.hiddenTexts("environment"), secrets: section.texts("secrets"))
    }

    func deploy(_ section: Section, hasRepository: Bool) -> DeploySettings {
        let main = place(section)
        let brief = main.limited(.seconds(60))
        var deploy = DeploySettings(command: command(section, "command", main) ?? .standIn)
        deploy.rollback = command(section, "rollback", main)
        deploy.permit = command(section, "permit", brief)
        deploy.cleanup = command(section, "cleanup", main.limited(.seconds(300)))
        deploy.logs = command(section, "logs", brief)
        deploy.attempts = section.integer("attempts") ?? 1
        deploy.grace = section.duration("grace") ?? .zero
        deploy.leavesServices = section.flag("leavesServices") ?? true
        let because = hasRepository ? "there is a repository" : "there is no repository"
        deploy.worktree = section.flag("worktree", or: Derived(value: hasRepository, because: because)) ?? hasRepository
        deploy.irreversible = section.texts("irreversible")
        if deploy.worktree, !hasRepository {
            notes.add(join(section.path, "worktree"), what: "there is no repository to make a worktree of")
        }
        return deploy
    }
}

extension SettingsDecoder.Place {
    /// The same place for a helping command with a limit of its own.
    func limited(_ timeout: Duration) -> SettingsDecoder.Place {
        var place = self
        place.timeout = timeout
        place.timeoutOrigin = "default of helping commands"
        place.idleTimeout = nil
        return place
    }
}

extension JSON5Value {
    /// The texts of a list of texts; nil for anything else.
    fileprivate var listOfTexts: [String]? {
        guard case .list(let values) = kind else { return nil }
        let texts = values.compactMap(\.textValue)
        return texts.count == values.count ? texts : nil
    }
}
