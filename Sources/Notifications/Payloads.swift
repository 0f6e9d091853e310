// SPDX-License-Identifier: Apache-2.0
// The form that each receiver wants: Slack blocks, PagerDuty Events v2, Alertmanager v2, our own JSON, a mail.

import Domain
import Foundation
import Platform

/// What is sent to one receiver.
struct Parcel: Hashable, Sendable {
    /// Nil where there is nothing to send: a receiver may have no word for it.
    var body: [UInt8]
    var contentType: String
    var headers: [String: String] = [:]
}

enum Payloads {
    private static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    // MARK: - Slack

    /// https://docs.slack.dev/reference/block-kit/blocks: a header has at most 150 characters, a section 3,000.
    static func slack(_ notice: Notice) throws -> Parcel {
        var blocks = [SlackBlock(type: "header", text: SlackText(type: "plain_text", text: cut(mark(notice), 150)))]
        let facts = notice.facts.map { "• \(slackEscaped($0))" }.joined(separator: "\n")
        if !facts.isEmpty { blocks.append(section(facts)) }
        let commands = notice.commands.map { "`\(slackEscaped($0.replacing("`", with: "'")))`" }.joined(separator: "  ")
        if !commands.isEmpty { blocks.append(section(commands)) }
        let text = slackEscaped(mark(notice))
        return Parcel(body: try json(SlackMessage(text: text, blocks: blocks)), contentType: "application/json")
    }

    private static func section(_ text: String) -> SlackBlock {
        SlackBlock(type: "section", text: SlackText(type: "mrkdwn", text: cut(text, 3000)))
    }

    /// The three characters that Slack gives a meaning; without them no link, mention or formatting can be injected.
    private static func slackEscaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    // MARK: - PagerDuty

    /// https://developer.pagerduty.com/docs/send-alert-event: summary up to 1,024 characters, key up to 255.
    static func pagerDuty(_ notice: Notice, routingKey: String) throws -> Parcel {
        let isOver = notice.kind == .resolved
        let payload = PagerDutyPayload(
            summary: cut(notice.title, 1024), source: "\(notice.host)/\(notice.loop)", severity: severity(notice),
            timestamp: notice.at.description, component: notice.loop,
            customDetails: [
                "message": notice.facts.joined(separator: "\n"), "commands": notice.commands.joined(separator: "\n"),
            ])
        let event = PagerDutyEvent(
            routingKey: routingKey, eventAction: isOver ? "resolve" : "trigger", dedupKey: cut(notice.key, 255),
            payload: isOver ? nil : payload, client: isOver ? nil : "nightjar")
        return Parcel(body: try json(event), contentType: "application/json")
    }

    static func severity(_ notice: Notice) -> String {
        switch notice.level {
        case .page: "critical"
        case .ticket: "error"
        case .chat: "warning"
        case .log: "info"
        }
    }

    // MARK: - Alertmanager

    /// How long an alert lasts that nobody repeats: longer than any reminder interval.
    private static let alertLasts = Duration.seconds(7 * 86_400)

    /// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, `POST /api/v2/alerts`. The labels make
    /// the identity, so that nothing that changes may be among them.
    static func alertmanager(_ notice: Notice) throws -> Parcel {
        let isOver = notice.kind == .resolved
        let alert = Alert(
            labels: [
                "alertname": "NightjarIncident", "loop": notice.loop, "key": notice.key, "instance": notice.host,
            ],
            annotations: [
                "summary": notice.title, "description": notice.facts.joined(separator: "\n"),
                "commands": notice.commands.joined(separator: "\n"), "severity": severity(notice),
            ],
            startsAt: isOver ? nil : notice.at.description,
            endsAt: (isOver ? notice.at : notice.at + alertLasts).description)
        return Parcel(body: try json([alert]), contentType: "application/json")
    }

    // MARK: - Webhook, command

    /// Signed with the time of this attempt: an old one is refused by whoever guards against replays.
    static func webhook(_ notice: Notice, secret: String?, at now: Timestamp) throws -> Parcel {
        let body = try json(notice)
        var headers = ["Idempotency-Key": notice.id]
        if let secret {
            let stamp = String(now.milliseconds / 1000)
            let signed = Array(stamp.utf8) + [46] + body
            headers["X-Nightjar-Timestamp"] = stamp
            headers["X-Nightjar-Signature"] =
                "sha256=" + SHA256.hex(SHA256.authenticate(signed, key: Array(secret.utf8)))
        }
        return Parcel(body: body, contentType: "application/json", headers: headers)
    }

    // MARK: - Mail

    /// RFC 5322 with a header encoded by RFC 2047 where it needs to be. Nothing from outside can begin a header line.
    static func mail(_ notice: Notice, to: [String], from: String) -> Parcel {
        let lines = notice.facts + [""] + notice.commands.map { "    \($0)" }
        let id = notice.id.map { $0.isLetter && $0.isASCII || $0.isNumber && $0.isASCII ? $0 : "." }
        let text = """
            From: \(headerText(from))
            To: \(headerText(to.joined(separator: ", ")))
            Subject: \(encodedWord(mark(notice)))
            Date: \(mailDate(notice.at))
            Message-ID: <\(String(id))@nightjar.invalid>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: base64

            \(base64Lines(lines.joined(separator: "\n") + "\n"))

            """
        return Parcel(body: Array(text.utf8), contentType: "message/rfc822")
    }

    private static func headerText(_ text: String) -> String {
        String(text.filter { !$0.isNewline && $0 != "\0" })
    }

    private static func encodedWord(_ text: String) -> String {
        let line = headerText(text)
        guard line.utf8.contains(where: { $0 >= 127 || $0 < 32 }) else { return line }
        // An encoded word has at most 75 characters; whole characters only (RFC 2047, 2 and 5).
        var words: [String] = []
        var piece = ""
        for character in line {
            if (piece + String(character)).utf8.count > 42 {
                words.append(piece)
                piece = ""
            }
            piece.append(character)
        }
        words.append(piece)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\n ")
    }

    private static func base64Lines(_ text: String) -> String {
        Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
    }

    private static func mailDate(_ time: Timestamp) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = time.wholeSeconds
        let parts = text.dropLast().split { "-T".contains($0) }.map(String.init)
        guard parts.count == 4, let month = Int(parts[1]), months.indices.contains(month - 1) else { return text }
        return "\(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]) +0000"
    }

    // MARK: - Words

    static func mark(_ notice: Notice) -> String {
        switch notice.kind {
        case .resolved: notice.title
        case .reminder: "[\(notice.level.rawValue), reminder] \(notice.title)"
        case .opened, .digest: "[\(notice.level.rawValue)] \(notice.title)"
        }
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        text.count <= limit ? text : String(text.prefix(limit - 1)) + "…"
    }
}

private struct SlackText: Encodable {
    var type: String
    var text: String
}

private struct SlackBlock: Encodable {
    var type: String
    var text: SlackText
}

private struct SlackMessage: Encodable {
    var text: String
    var blocks: [SlackBlock]
}

private struct PagerDutyPayload: Encodable {
    var summary: String
    var source: String
    var severity: String
    var timestamp: String
    var component: String
    var customDetails: [String: String]

    enum CodingKeys: String, CodingKey {
        case summary, source, severity, timestamp, component
        case customDetails = "custom_details"
    }
}

private struct PagerDutyEvent: Encodable {
    var routingKey: String
    var eventAction: String
    var dedupKey: String
    var payload: PagerDutyPayload?
    var client: String?

    enum CodingKeys: String, CodingKey {
        case payload, client
        case routingKey = "routing_key"
        case eventAction = "event_action"
        case dedupKey = "dedup_key"
    }
}

private struct Alert: Encodable {
    var labels: [String: String]
    var annotations: [String: String]
    var startsAt: String?
    var endsAt: String
}
