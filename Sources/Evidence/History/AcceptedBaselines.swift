// SPDX-License-Identifier: Apache-2.0
// Where operators said that a suite is to be learned anew: `accepted-baselines.jsonl`, one line each, never deleted.

package import Domain

extension EvidenceLayout {
    package var acceptedBaselines: String { root + "/accepted-baselines.jsonl" }
}

package struct AcceptedBaseline: Codable, Hashable, Sendable {
    /// Nil for all suites.
    package var suite: String?
    package var by: String
    /// The user who asked, as the kernel tells it; an older nightjar did not write it.
    package var uid: UInt32?
    package var reason: String
    package var at: Timestamp
    /// The newest cycle then: what it and those before it were like no longer counts.
    package var cycle: Int

    package init(suite: String?, by: String, reason: String, at: Timestamp, cycle: Int) {
        self.suite = suite
        self.by = by
        self.reason = reason
        self.at = at
        self.cycle = cycle
    }

    /// `accepted by ann at #12: suite was split`
    package var words: String { "baseline accepted by \(by) after #\(cycle): \(reason)" }

    /// Durable when it returns.
    package func record(_ layout: EvidenceLayout) throws(EvidenceError) {
        try LineFile.append(
            try EvidenceCoding.line(self, "an accepted baseline"), to: layout.acceptedBaselines, durable: true)
    }

    /// All, oldest first. A line that cannot be read is left out: the suite then goes on being held to what was usual.
    package static func all(_ layout: EvidenceLayout) throws(EvidenceError) -> [AcceptedBaseline] {
        LineFile.lines(try contents(layout.acceptedBaselines) ?? []).compactMap {
            try? EvidenceCoding.value(AcceptedBaseline.self, from: $0)
        }
    }

    /// The newest that is about `suite`.
    package static func newest(
        for suite: String, _ layout: EvidenceLayout
    ) throws(EvidenceError) -> AcceptedBaseline? {
        try all(layout).last { $0.suite == nil || $0.suite == suite }
    }
}
