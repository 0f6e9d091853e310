// SPDX-License-Identifier: Apache-2.0
// What there is to tell in a situation, each matter with the level that it deserves.

import Domain

/// One thing that people may have to know of.
struct Matter: Hashable, Sendable {
    /// Its name within the loop: `INC-57`, `staging`, `approval-rollback-INC-57`.
    var name: String
    var level: NoticeLevel
    var title: String
    var facts: [String]
    var commands: [String]
    /// Whether it is mentioned again while it lasts.
    var reminds: Bool
    var incident: String?
}

enum Matters {
    static func of(_ situation: Situation, _ settings: PagingSettings, at now: Timestamp) -> [Matter] {
        let open = situation.incidents.filter { $0.state != .resolved }
        var matters = open.map { incident($0, situation, settings, now) }
        if let approval = situation.approval { matters.append(awaiting(approval, situation, now)) }
        if open.isEmpty, let urgent = urgency(situation, settings, now) { matters.append(staging(urgent, situation)) }
        // Whatever the verdict, and whoever has acknowledged what was before.
        if let left = situation.leftBehind, !matters.contains(where: { $0.level == .page }) {
            matters.append(staging(left, situation))
        }
        if let ended = situation.ended {
            matters.append(
                Matter(
                    name: "ended", level: .page, title: "\(situation.loop): the loop has ended: \(ended)",
                    facts: [Wording.serving(situation), "Nothing is deployed or tested until it is started again"],
                    commands: ["nightjar status", "nightjar tail"], reminds: false))
        }
        if situation.doubtfulInARow >= NotificationPolicy.doubtfulForTicket { matters.append(doubtful(situation)) }
        for (name, trouble) in situation.troubles.sorted(by: { $0.key < $1.key }) {
            matters.append(
                Matter(
                    name: "daemon-\(name)", level: .ticket, title: "\(situation.loop): \(trouble)",
                    facts: [Wording.serving(situation), situation.next].filter { !$0.isEmpty },
                    commands: ["nightjar status", "nightjar tail"], reminds: true))
        }
        return matters
    }

    private static func incident(
        _ incident: Incident, _ situation: Situation, _ settings: PagingSettings, _ now: Timestamp
    ) -> Matter {
        let category = incident.diagnosis?.category ?? .unknown
        let isAcknowledged = incident.state == .acknowledged
        // What healed by itself is worth a line in the log.
        var level: NoticeLevel = category == .transient ? .log : .chat
        var because: String?
        // A question about it is a page of its own, which says all that this one would.
        let isAsked = situation.approval.map { $0.incident == nil || $0.incident == incident.id } ?? false
        if !isAcknowledged, !isAsked, category != .transient, let urgent = urgency(situation, settings, now) {
            level = .page
            because = urgent
        }
        return Matter(
            name: incident.id, level: level, title: Wording.title(incident, situation, because),
            facts: Wording.facts(incident, situation, because, at: now),
            commands: Wording.commands(incident, situation),
            reminds: !isAcknowledged, incident: incident.id)
    }

    /// Why a person must act now; nil where the loop copes or has time left.
    private static func urgency(_ situation: Situation, _ settings: PagingSettings, _ now: Timestamp) -> String? {
        guard situation.verdict == .failing else { return nil }
        if situation.environment == .unknown, situation.provesRevision {
            guard let serving = situation.serving else { return "what staging runs is unknown" }
            // A deployment that failed may have left the last green one as it was: that can wait.
            if situation.lastGreen.map({ $0.names(serving) }) != true {
                return "staging is left at \(serving.short), which is neither what was wanted nor the last green one"
            }
        }
        guard situation.isBroken else { return nil }
        if let problem = situation.restoreProblem { return "NOT restored: \(problem)" }
        guard let since = situation.failingSince, now.since(since) >= settings.holdFor else { return nil }
        return "NOT restored for \(Wording.span(now.since(since))) >= paging.holdFor \(Wording.span(settings.holdFor))"
    }

    /// When a page is due although nothing is lost yet: the loop may still restore what is broken. Nil where nothing is held.
    static func pageDue(_ situation: Situation, _ settings: PagingSettings, _ now: Timestamp) -> Timestamp? {
        guard situation.verdict == .failing, situation.isBroken, situation.environment != .unknown,
            situation.restoreProblem == nil, let since = situation.failingSince, now.since(since) < settings.holdFor
        else { return nil }
        return since + settings.holdFor
    }

    private static let question = "approval-"

    static func isQuestion(_ name: String) -> Bool { name.hasPrefix(question) }

    /// Each question by itself: the next one may follow at once.
    private static func awaiting(_ approval: Approval, _ situation: Situation, _ now: Timestamp) -> Matter {
        let incident = situation.incidents.first { $0.id == approval.incident }
        let about = incident.map { Wording.facts($0, situation, nil, at: now) } ?? Wording.facts(situation)
        let why = incident.map { ["nightjar why \($0.id)"] } ?? ["nightjar status"]
        return Matter(
            name: question + approval.subject.rawValue + (approval.incident.map { "-\($0)" } ?? ""), level: .page,
            title: Wording.question(approval, incident, situation),
            facts: ["Asks: \(Wording.plain(approval.title, 120)), because \(Wording.plain(approval.because, 300))"]
                + about,
            commands: [approval.approveCommand, approval.rejectCommand] + why, reminds: true,
            incident: approval.incident)
    }

    /// Staging is broken and no incident says why: nobody would hear of it otherwise.
    private static func staging(_ urgent: String, _ situation: Situation) -> Matter {
        Matter(
            name: "staging", level: .page, title: "\(situation.loop): \(urgent)",
            facts: Wording.facts(situation),
            commands: ["nightjar status", "nightjar show latest"], reminds: true)
    }

    private static func doubtful(_ situation: Situation) -> Matter {
        Matter(
            name: "doubt", level: .ticket,
            title: "\(situation.loop): \(situation.doubtfulInARow) cycles in a row proved nothing",
            facts: [
                "unproven or superseded >= \(NotificationPolicy.doubtfulForTicket) in a row",
                Wording.serving(situation),
                situation.next,
            ].filter { !$0.isEmpty },
            commands: ["nightjar show latest"], reminds: true)
    }
}
