// SPDX-License-Identifier: Apache-2.0
// One message to people, whoever gets it: what happened, since when, what it means, and the one command to type.

package import Domain

/// A message as it is decided; each receiver has a form of its own for it.
package struct Notice: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// Something began, or got worse.
        case opened
        /// It still is so.
        case reminder
        /// It is over.
        case resolved
        /// Pages that were not sent one by one.
        case digest
    }

    /// Unique over the life of the loop and the same each time it is decided anew: `staging/INC-57.2`.
    package var id: String
    /// The same for all that is said about one thing; receivers that group messages group by it.
    package var key: String
    package var kind: Kind
    package var level: NoticeLevel
    package var loop: String
    package var host: String
    package var at: Timestamp
    /// One line, at most 200 characters.
    package var title: String
    /// What fails, since when, what staging serves, what is likely and ruled out, what comes next: a line each.
    package var facts: [String]
    /// What a person can do, each a command to type.
    package var commands: [String]
    package var incident: String?
    package var cycle: Int?
    package var revision: Revision?
    /// Nothing is sent before this time (quiet hours).
    package var notBefore: Timestamp?
    /// Of what is over: the levels at which it was told. Whoever heard of it hears the end.
    package var told: [NoticeLevel]?

    /// Counts what is said about one thing: the end of `id`.
    var sequence: Int { id.split(separator: ".").last.flatMap { Int($0) } ?? 0 }

    package init(
        id: String, key: String, kind: Kind, level: NoticeLevel, loop: String, host: String, at: Timestamp,
        title: String, facts: [String] = [], commands: [String] = [], incident: String? = nil, cycle: Int? = nil,
        revision: Revision? = nil, notBefore: Timestamp? = nil
    ) {
        self.id = id
        self.key = key
        self.kind = kind
        self.level = level
        self.loop = loop
        self.host = host
        self.at = at
        self.title = title
        self.facts = facts
        self.commands = commands
        self.incident = incident
        self.cycle = cycle
        self.revision = revision
        self.notBefore = notBefore
    }
}

/// What has been said about each thing: the memory that keeps a change of state from being told twice.
package struct NoticeMemory: Codable, Hashable, Sendable {
    package struct Entry: Codable, Hashable, Sendable {
        /// The highest level that was told.
        package var level: NoticeLevel
        package var since: Timestamp
        package var lastTold: Timestamp
        /// Counted up with each notice: it makes ids that a crash cannot double.
        package var sequence: Int
        /// The last title, for the message that says it is over.
        package var title: String
        package var isOver: Bool
        /// All levels at which it was told, the least first; memories of earlier versions have none.
        package var levels: [NoticeLevel]?

        package init(
            level: NoticeLevel, since: Timestamp, lastTold: Timestamp, sequence: Int, title: String,
            isOver: Bool = false
        ) {
            self.level = level
            self.since = since
            self.lastTold = lastTold
            self.sequence = sequence
            self.title = title
            self.isOver = isOver
        }

        /// The receivers of another level heard of it as well.
        mutating func noteTold(_ level: NoticeLevel) {
            levels = Set((levels ?? [self.level]) + [level]).sorted()
        }
    }

    package var entries: [String: Entry] = [:]
    /// When pages were sent, newest last, as far back as a shift.
    package var pages: [Timestamp] = []
    /// Keys whose pages the budget withheld since the last digest.
    package var withheld: [String] = []
    package var lastDigest: Timestamp?

    package init() {}
}
