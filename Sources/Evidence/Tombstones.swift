// SPDX-License-Identifier: Apache-2.0
// What is left of a deleted cycle: one line, so that the chain of hashes holds.

package import Domain

/// One line of `tombstones.jsonl`.
package struct Tombstone: Codable, Hashable, Sendable {
    package var cycle: Int
    package var verdict: Verdict
    /// Of its SHA256SUMS.
    package var sha256: String
    package var deletedAt: Timestamp
    /// The limit that it was beyond.
    package var rule: String
    /// The last journal line that it covered; nil where it covered none.
    package var journalEnd: Int?

    package init(
        cycle: Int, verdict: Verdict, sha256: String, deletedAt: Timestamp, rule: String, journalEnd: Int? = nil
    ) {
        self.cycle = cycle
        self.verdict = verdict
        self.sha256 = sha256
        self.deletedAt = deletedAt
        self.rule = rule
        self.journalEnd = journalEnd
    }
}

struct TombstoneFile {
    let path: String

    init(_ layout: EvidenceLayout) {
        path = layout.tombstones
    }

    /// By cycle. A line that cannot be read is left out, and counted in `unreadable`.
    func read(unreadable: inout Int) throws(EvidenceError) -> [Int: Tombstone] {
        var stones: [Int: Tombstone] = [:]
        for line in LineFile.lines(try contents(path) ?? []) {
            do {
                let stone = try EvidenceCoding.value(Tombstone.self, from: line)
                stones[stone.cycle] = stone
            } catch {
                unreadable += 1
            }
        }
        return stones
    }

    func read() throws(EvidenceError) -> [Int: Tombstone] {
        var ignored = 0
        return try read(unreadable: &ignored)
    }

    func append(_ stone: Tombstone) throws(EvidenceError) {
        try LineFile.append(try EvidenceCoding.line(stone, "a tombstone"), to: path, durable: true)
    }
}
