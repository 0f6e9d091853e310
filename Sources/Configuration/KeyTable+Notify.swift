// SPDX-License-Identifier: Apache-2.0
// The keys that say whom to tell what, and how often a person may be called.

import Domain

extension KeyTable {
    private static let address = ValueShape.either(.text(.url), secret)
    private static let levelNames = NoticeLevel.allCases.filter { $0 != .log }.map(\.rawValue)

    static let receiver = ObjectShape(
        name: "receiver",
        keys: [
            KeyShape(name: "slack", shape: .object(slack), help: "A Slack incoming webhook."),
            KeyShape(name: "pagerduty", shape: .object(pagerduty), help: "PagerDuty, Events API v2."),
            KeyShape(name: "alertmanager", shape: .object(alertmanager), help: "Alertmanager, API v2."),
            KeyShape(name: "webhook", shape: .object(webhook), help: "JSON by POST to any address."),
            KeyShape(name: "email", shape: .object(email), help: "Mail through sendmail."),
            KeyShape(
                name: "command", shape: .command,
                help: "Gets the message as JSON on standard input. Exit 0 delivered, 75 try again. Timeout 1m."),
            KeyShape(
                name: "name", shape: .text(.name), otherwise: "the kind, with a number where there are several",
                help: "What lines about it call it."),
            KeyShape(
                name: "levels", shape: .list(.choice(levelNames), atLeast: 1),
                otherwise: "chat, ticket, page for slack and webhook; ticket, page for alertmanager and email; page",
                help: "What it gets."),
        ],
        oneOf: ["slack", "pagerduty", "alertmanager", "webhook", "email", "command"])

    private static let slackKeys = [
        KeyShape(name: "url", shape: address, isRequired: true, help: "The webhook's address: best kept as a secret.")
    ]
    static let slack = ObjectShape(name: "slack", keys: slackKeys)

    static let pagerduty = ObjectShape(
        name: "pagerduty",
        keys: [
            KeyShape(
                name: "routingKey", shape: .object(secret), isRequired: true, help: "The key of the integration."),
            KeyShape(
                name: "url", shape: .text(.url), standard: "\"https://events.pagerduty.com/v2/enqueue\"",
                help: "Where events go."),
        ])

    static let alertmanager = ObjectShape(
        name: "alertmanager",
        keys: [
            KeyShape(
                name: "url", shape: .text(.url), isRequired: true, help: "Its address, without /api/v2/alerts.")
        ])

    static let webhook = ObjectShape(
        name: "webhook",
        keys: [
            KeyShape(name: "url", shape: address, isRequired: true, help: "Where the message goes."),
            KeyShape(
                name: "secret", shape: .object(secret), otherwise: "not signed",
                help: "Signs `timestamp.body` with HMAC-SHA256 in X-Nightjar-Signature."),
        ])

    static let email = ObjectShape(
        name: "email",
        keys: [
            KeyShape(name: "to", shape: .list(.text(.words), atLeast: 1), isRequired: true, help: "Addresses."),
            KeyShape(name: "from", shape: .text(.words), isRequired: true, help: "The sender's address."),
            KeyShape(
                name: "program", shape: .list(.text(.any), atLeast: 1),
                standard: "[\"/usr/sbin/sendmail\", \"-t\", \"-i\"]",
                help: "Reads the message, with its recipients, on standard input."),
        ])

    static let paging = ObjectShape(
        name: "paging",
        keys: [
            KeyShape(
                name: "holdFor", shape: .duration(zeroAllowed: true), standard: "\"45m\"",
                help: "How long a failure may stay unrestored before it pages."),
            KeyShape(
                name: "pagesPerShift", shape: .integer(0...1000), standard: "6",
                help: "Pages within shift. What goes beyond becomes tickets, and one page that names them."),
            KeyShape(
                name: "shift", shape: .duration(zeroAllowed: false), standard: "\"12h\"",
                help: "The time over which pages are counted."),
            KeyShape(
                name: "remindEvery", shape: .duration(zeroAllowed: false), standard: "\"4h\"",
                help: "The least time between two reminders of one thing."),
            KeyShape(
                name: "resolve", shape: .choice(PagingSettings.Resolve.allCases.map(\.rawValue)),
                standard: "\"auto\"",
                help: "auto: over after two green cycles; after-ack: and once somebody acknowledged it."),
            KeyShape(
                name: "quietHours", shape: .object(window), otherwise: "none",
                help: "Hours in which chat and tickets wait. Pages do not."),
        ])

    static let deadman = ObjectShape(
        name: "deadman",
        keys: [
            KeyShape(
                name: "url", shape: address, isRequired: true,
                help: "Asked for while the loop is alive, so that somebody outside notices when it is not."),
            KeyShape(
                name: "every", shape: .duration(zeroAllowed: false), standard: "\"5m\"", help: "The time between two."),
        ])
}
