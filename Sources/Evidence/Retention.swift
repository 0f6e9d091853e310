// SPDX-License-Identifier: Apache-2.0
// Deletes old cycles, one at a time: a tombstone, a rename into the trash, then the files. A crash between these is
// finished by the next `finishDeletions`.

package import Domain
import Platform

package struct Retention: Sendable {
    package let layout: EvidenceLayout

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// Keeps a cycle for good (`nightjar keep`). Throws `notFound` where there is no such cycle.
    package func pin(_ cycle: Int) throws(EvidenceError) {
        let folder = layout.cycle(cycle)
        guard Files.exists(folder) else { throw .notFound(what: "cycle \(cycle)", path: folder) }
        let (pinned, pin) = (layout.pinned, layout.pin(cycle))
        try onDisk("pin", pin) { () throws(SystemError) in
            try Files.createDirectories(pinned)
            try Disk.replace(pin, with: [], durable: true)
        }
    }

    /// Gives a pinned cycle back to retention.
    package func unpin(_ cycle: Int) throws(EvidenceError) {
        let pin = layout.pin(cycle)
        try onDisk("unpin", pin) { () throws(SystemError) in try Files.remove(pin) }
    }

    /// The cycles that are kept for good.
    package func pinned() throws(EvidenceError) -> Set<Int> {
        Set(try names(in: layout.pinned).compactMap { EvidenceLayout.number($0) })
    }

    /// The deleted cycles, by number.
    package func tombstones() throws(EvidenceError) -> [Int: Tombstone] {
        try TombstoneFile(layout).read()
    }

    /// What the policy would delete now.
    package func plan(
        _ index: EvidenceIndex, settings: RetentionSettings, now: Timestamp, running: Int? = nil
    ) throws(EvidenceError) -> [RetentionDecision] {
        let pinned = try pinned()
        let candidates = index.cycles.map { cycle in
            RetentionCandidate(
                cycle: cycle.cycle, bytes: cycle.bytes, endedAt: cycle.endedAt, verdict: cycle.verdict,
                isPinned: pinned.contains(cycle.cycle))
        }
        return RetentionPolicy.plan(candidates, settings: settings, now: now, running: running)
    }

    /// Deletes one cycle. A pin that came since the plan was made is honored: nil is returned then.
    @discardableResult
    package func delete(_ decision: RetentionDecision, at now: Timestamp) throws(EvidenceError) -> Tombstone? {
        let cycle = decision.cycle
        guard !Files.exists(layout.pin(cycle)) else { return nil }
        let reader = CycleReader(layout)
        guard let hash = try reader.sealedHash(cycle) else {
            throw .notFound(what: "sealed cycle \(cycle)", path: layout.sums(cycle))
        }
        let stone = Tombstone(
            cycle: cycle, verdict: try reader.record(cycle).verdict, sha256: hash, deletedAt: now, rule: decision.rule,
            journalEnd: try SealChain(layout).journalEnd(of: cycle))
        try TombstoneFile(layout).append(stone)
        try discard(cycle)
        return stone
    }

    /// Finishes what a crash interrupted: empties the trash, and deletes the folders that have a tombstone.
    package func finishDeletions() throws(EvidenceError) {
        for cycle in try tombstones().keys.sorted() where Files.exists(layout.cycle(cycle)) {
            try discard(cycle)
        }
        let trash = layout.trash
        for name in try names(in: trash) {
            try onDisk("empty", trash) { () throws(SystemError) in try Files.removeTree(trash + "/" + name) }
        }
    }

    private func discard(_ cycle: Int) throws(EvidenceError) {
        let (folder, trash, trashed) = (layout.cycle(cycle), layout.trash, layout.trashed(cycle))
        try onDisk("delete", folder) { () throws(SystemError) in
            try Files.createDirectories(trash)
            try Files.removeTree(trashed)
            try Files.rename(folder, to: trashed)
            try Files.removeTree(trashed)
        }
    }
}
