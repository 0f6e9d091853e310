// SPDX-License-Identifier: Apache-2.0
// Whom to tell what, and when: a pure decision. A message goes out on a change of state only; a page means that a person
// must act now. docs/notifications.md has the rules as a table.

package import Domain

package struct NotificationPolicy: Sendable {
    package let settings: PagingSettings

    package init(_ settings: PagingSettings) {
        self.settings = settings
    }

    /// Cycles in a row without a proof that make a ticket.
    static let doubtfulForTicket = 3
    /// Between two pages that name what the budget withheld.
    static let digestPause = Duration.seconds(1800)

    /// What is to be told now; `memory` takes in that it will be.
    ///
    /// - Parameter quietUntil: the end of the quiet hours under way.
    package func decide(
        _ situation: Situation, _ memory: inout NoticeMemory, at now: Timestamp, quietUntil: Timestamp? = nil
    ) -> [Notice] {
        let matters = Matters.of(situation, settings, at: now)
        var notices: [Notice] = []
        for matter in matters { told(matter, situation, &memory, now).map { notices.append($0) } }
        notices += overs(matters, situation, &memory, now)
        memory.pages.removeAll { now.since($0) > settings.shift }
        notices = withinBudget(notices, situation, &memory, now)
        return notices.map { notice in
            var notice = notice
            if notice.level < .page { notice.notBefore = quietUntil }
            return notice
        }
    }

    /// For the log, where an incident is told and its page is held: until when, and by which rule. Empty elsewhere.
    package func held(_ notice: Notice, _ situation: Situation, at now: Timestamp) -> String {
        guard notice.incident != nil, notice.kind == .opened, notice.level < .page,
            let due = Matters.pageDue(situation, settings, now)
        else { return "" }
        return "; page held to \(due.clockMinute), paging.holdFor \(Wording.span(settings.holdFor))"
    }

    /// A notice where a matter is new, got worse, came back, or has not been mentioned for long.
    private func told(
        _ matter: Matter, _ situation: Situation, _ memory: inout NoticeMemory, _ now: Timestamp
    ) -> Notice? {
        guard matter.level > .log else { return nil }
        let key = "\(situation.loop)/\(matter.name)"
        let before = memory.entries[key]
        let kind: Notice.Kind
        if let before, !before.isOver {
            if matter.level > before.level {
                kind = .opened
            } else if matter.reminds, before.level >= .ticket, now.since(before.lastTold) >= settings.remindEvery {
                kind = .reminder
            } else {
                return nil
            }
        } else {
            kind = .opened
        }
        let isNew = before?.isOver ?? true
        var entry = NoticeMemory.Entry(
            level: isNew ? matter.level : max(matter.level, before?.level ?? matter.level),
            since: isNew ? now : before?.since ?? now, lastTold: now, sequence: (before?.sequence ?? 0) + 1,
            title: matter.title)
        let levels = (isNew ? nil : before.map { $0.levels ?? [$0.level] }) ?? []
        entry.levels = Set(levels + [matter.level]).sorted()
        memory.entries[key] = entry
        return notice(matter, kind, key, entry.sequence, situation, now)
    }

    /// The good news: what was told and is no more.
    private func overs(
        _ matters: [Matter], _ situation: Situation, _ memory: inout NoticeMemory, _ now: Timestamp
    ) -> [Notice] {
        let present = Set(matters.map { "\(situation.loop)/\($0.name)" })
        var notices: [Notice] = []
        for key in memory.entries.keys.sorted() where !present.contains(key) {
            guard var entry = memory.entries[key], !entry.isOver else { continue }
            let name = String(key.dropFirst(situation.loop.utf8.count + 1))
            let incident = situation.incidents.first { $0.id == name }
            if let incident, !isOver(incident) { continue }
            entry.isOver = true
            entry.sequence += 1
            entry.lastTold = now
            memory.entries[key] = entry
            memory.withheld.removeAll { $0 == key }
            let matter = Matter(
                name: name, level: entry.level,
                title: Wording.over(
                    incident.map { Wording.name($0, situation) } ?? entry.title, isQuestion: Matters.isQuestion(name)),
                facts: [
                    "Over after \(Wording.span(now.since(incident?.firstSeen ?? entry.since)))",
                    Wording.serving(situation), situation.next,
                ].filter { !$0.isEmpty },
                commands: [],
                reminds: false,
                incident: incident?.id)
            var over = notice(matter, .resolved, key, entry.sequence, situation, now)
            over.told = entry.levels
            notices.append(over)
        }
        // What is long over needs no memory: an incident that comes back has a number of its own or is told anew.
        let old = memory.entries.filter { $0.value.isOver && now.since($0.value.lastTold) > .seconds(30 * 86_400) }
        for key in old.keys { memory.entries[key] = nil }
        return notices
    }

    private func isOver(_ incident: Incident) -> Bool {
        guard incident.state == .resolved else { return false }
        return settings.resolve == .auto || incident.acknowledgedAt != nil || incident.acknowledgedBy != nil
    }

    private func notice(
        _ matter: Matter, _ kind: Notice.Kind, _ key: String, _ sequence: Int, _ situation: Situation, _ now: Timestamp
    ) -> Notice {
        Notice(
            id: "\(key).\(sequence)", key: key, kind: kind, level: matter.level, loop: situation.loop,
            host: situation.host, at: now, title: String(matter.title.prefix(200)), facts: matter.facts,
            commands: matter.commands, incident: matter.incident, cycle: situation.cycle, revision: situation.wanted)
    }

    // MARK: - The budget of pages

    /// Pages beyond the budget of a shift become tickets, and one page names them all.
    private func withinBudget(
        _ notices: [Notice], _ situation: Situation, _ memory: inout NoticeMemory, _ now: Timestamp
    ) -> [Notice] {
        var allowed: [Notice] = []
        for notice in notices {
            guard notice.level == .page, notice.kind != .resolved else {
                allowed.append(notice)
                continue
            }
            if memory.pages.count < settings.pagesPerShift {
                memory.pages.append(now)
                allowed.append(notice)
            } else {
                var ticket = notice
                ticket.level = .ticket
                memory.entries[notice.key]?.noteTold(.ticket)
                ticket.facts.append(
                    "not paged: \(memory.pages.count) pages in the last \(Wording.span(settings.shift)) >= "
                        + "paging.pagesPerShift \(settings.pagesPerShift)")
                if !memory.withheld.contains(notice.key) { memory.withheld.append(notice.key) }
                allowed.append(ticket)
            }
        }
        if let digest = digest(situation, &memory, now) { allowed.append(digest) }
        return allowed
    }

    private func digest(_ situation: Situation, _ memory: inout NoticeMemory, _ now: Timestamp) -> Notice? {
        guard !memory.withheld.isEmpty else { return nil }
        if let last = memory.lastDigest, now.since(last) < NotificationPolicy.digestPause { return nil }
        let key = "\(situation.loop)/digest"
        let sequence = (memory.entries[key]?.sequence ?? 0) + 1
        let titles = memory.withheld.map { memory.entries[$0]?.title ?? $0 }
        let title = "\(titles.count) more \(titles.count == 1 ? "page" : "pages") withheld by the budget of this shift"
        memory.entries[key] = NoticeMemory.Entry(
            level: .page, since: now, lastTold: now, sequence: sequence, title: title, isOver: true)
        memory.lastDigest = now
        memory.withheld = []
        return Notice(
            id: "\(key).\(sequence)", key: key, kind: .digest, level: .page, loop: situation.loop, host: situation.host,
            at: now, title: title, facts: titles, commands: ["nightjar status"], cycle: situation.cycle)
    }
}
