// SPDX-License-Identifier: Apache-2.0
// Receivers of messages, the rules of paging, and the sign of life.

import Domain

extension SettingsDecoder {
    func notify(_ root: Section) -> NotifySettings {
        var receivers: [ReceiverSettings] = []
        for section in sections(root, "notify", KeyTable.receiver) {
            guard let (word, kind, levels) = receiver(section) else { continue }
            let number = receivers.count { $0.name == word || $0.name.hasPrefix(word + "-") }
            let standard = number == 0 ? word : "\(word)-\(number + 1)"
            let name = section.text("name", or: Derived(value: standard, because: "its kind")) ?? standard
            if receivers.contains(where: { $0.name == name }) {
                notes.add(join(section.path, "name"), found: "\(name.jsonQuoted) twice", allowed: "unique names")
            }
            let wanted = section.has("levels") ? section.choices("levels", NoticeLevel.self) : levels
            receivers.append(ReceiverSettings(name: name, kind: kind, levels: wanted))
        }
        return NotifySettings(
            receivers: receivers, paging: paging(root.sectionOrDefaults("paging", KeyTable.paging)),
            deadman: root.section("deadman", KeyTable.deadman).map { section in
                DeadmanSettings(url: address(section, "url"), every: section.duration("every") ?? .seconds(300))
            })
    }

    private typealias Receiver = (word: String, kind: ReceiverSettings.Kind, levels: [NoticeLevel])

    private func receiver(_ section: Section) -> Receiver? {
        if let slack = section.section("slack", KeyTable.slack) {
            return ("slack", .slack(url: address(slack, "url")), [.chat, .ticket, .page])
        }
        if let duty = section.section("pagerduty", KeyTable.pagerduty) {
            let key = source(duty, "routingKey") ?? .environment("PAGERDUTY_ROUTING_KEY")
            return ("pagerduty", .pagerduty(routingKey: key, url: duty.text("url") ?? ""), [.page])
        }
        if let manager = section.section("alertmanager", KeyTable.alertmanager) {
            var url = manager.text("url") ?? ""
            while url.hasSuffix("/") { url.removeLast() }
            return ("alertmanager", .alertmanager(url: url), [.ticket, .page])
        }
        if let webhook = section.section("webhook", KeyTable.webhook) {
            let kind = ReceiverSettings.Kind.webhook(url: address(webhook, "url"), secret: source(webhook, "secret"))
            return ("webhook", kind, [.chat, .ticket, .page])
        }
        if let email = section.section("email", KeyTable.email) {
            let kind = ReceiverSettings.Kind.email(
                to: email.texts("to"), from: email.text("from") ?? "", program: email.texts("program"))
            return ("email", kind, [.ticket, .page])
        }
        let place = Place(timeout: .seconds(60), timeoutOrigin: "default of receivers", workingDirectory: base)
        return command(section, "command", place).map { ("command", .command($0), [.page]) }
    }

    private func paging(_ section: Section) -> PagingSettings {
        PagingSettings(
            holdFor: section.duration("holdFor") ?? .zero, pagesPerShift: section.integer("pagesPerShift") ?? 0,
            shift: section.duration("shift") ?? .zero, remindEvery: section.duration("remindEvery") ?? .zero,
            resolve: section.choice("resolve", PagingSettings.Resolve.self) ?? .auto,
            quietHours: section.section("quietHours", KeyTable.window).map(window))
    }

    /// An address as it stands, or where to find it.
    private func address(_ section: Section, _ key: String) -> AddressSource {
        if section.written(key)?.textValue != nil { return .text(section.text(key) ?? "") }
        return source(section, key).map(AddressSource.secret) ?? .text("")
    }

    private func source(_ section: Section, _ key: String) -> SecretSource? {
        section.section(key, KeyTable.secret).flatMap(secretSource)
    }
}
