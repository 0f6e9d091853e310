// SPDX-License-Identifier: Apache-2.0
// Whom the loop tells what, and how much of it a person must bear.

/// How much a message asks of a person, the least first.
package enum NoticeLevel: String, Codable, Sendable, CaseIterable, Comparable {
    /// Worth a line in `cycle.log` and nothing else.
    case log
    /// Worth knowing when somebody looks.
    case chat
    /// Somebody should act, in working hours.
    case ticket
    /// Somebody must act now.
    case page

    private var rank: Int {
        switch self {
        case .log: 0
        case .chat: 1
        case .ticket: 2
        case .page: 3
        }
    }

    package static func < (left: NoticeLevel, right: NoticeLevel) -> Bool { left.rank < right.rank }
}

/// An address that may be a secret: chat systems put their credential into it.
package enum AddressSource: Hashable, Sendable {
    case text(String)
    case secret(SecretSource)
}

/// One place that messages go to.
package struct ReceiverSettings: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Slack incoming webhook.
        case slack(url: AddressSource)
        /// PagerDuty Events API v2.
        case pagerduty(routingKey: SecretSource, url: String)
        /// Alertmanager API v2; the address up to `/api/v2`.
        case alertmanager(url: String)
        /// JSON by POST, signed where a secret is given.
        case webhook(url: AddressSource, secret: SecretSource?)
        /// Through a program that takes a message as `sendmail -t -i` does.
        case email(to: [String], from: String, program: [String])
        /// Gets the message as JSON on its standard input.
        case command(CommandSettings)
    }

    /// Unique among the receivers of a loop: it names files of the spool.
    package var name: String
    package var kind: Kind
    package var levels: [NoticeLevel]

    package init(name: String, kind: Kind, levels: [NoticeLevel]) {
        self.name = name
        self.kind = kind
        self.levels = levels
    }
}

/// How often a person may be called, and when not.
package struct PagingSettings: Hashable, Sendable {
    package enum Resolve: String, Codable, Sendable, CaseIterable {
        /// After two green cycles.
        case auto
        /// After two green cycles, and once somebody has acknowledged it.
        case afterAcknowledgement = "after-ack"
    }
    /// How long a failure may stay unrestored before it pages.
    package var holdFor: Duration
    /// Pages within `shift`; beyond it they are gathered into one.
    package var pagesPerShift: Int
    package var shift: Duration
    /// The least time between two reminders of one thing.
    package var remindEvery: Duration
    package var resolve: Resolve
    /// Hours in which chat and tickets wait; pages do not.
    package var quietHours: ScheduleSettings.Window?

    package init(
        holdFor: Duration = .seconds(45 * 60), pagesPerShift: Int = 6, shift: Duration = .seconds(12 * 3600),
        remindEvery: Duration = .seconds(4 * 3600), resolve: Resolve = .auto,
        quietHours: ScheduleSettings.Window? = nil
    ) {
        self.holdFor = holdFor
        self.pagesPerShift = pagesPerShift
        self.shift = shift
        self.remindEvery = remindEvery
        self.resolve = resolve
        self.quietHours = quietHours
    }
}

/// A sign of life for somebody outside who notices its absence.
package struct DeadmanSettings: Hashable, Sendable {
    package var url: AddressSource
    package var every: Duration

    package init(url: AddressSource, every: Duration = .seconds(300)) {
        self.url = url
        self.every = every
    }
}

package struct NotifySettings: Hashable, Sendable {
    package var receivers: [ReceiverSettings]
    package var paging: PagingSettings
    package var deadman: DeadmanSettings?

    package init(
        receivers: [ReceiverSettings] = [], paging: PagingSettings = PagingSettings(), deadman: DeadmanSettings? = nil
    ) {
        self.receivers = receivers
        self.paging = paging
        self.deadman = deadman
    }
}
