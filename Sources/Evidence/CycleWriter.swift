// SPDX-License-Identifier: Apache-2.0
// Writes the evidence of a cycle. The end of a cycle is four steps, each of which may be repeated with the same bytes:
//
//     writeDocument(record)          cycle.json
//     seal(cycle)                    previous, journal, unlisted.txt, SHA256SUMS; then all that is listed is synced at once
//     (the supervisor appends cycleSealed with the hash to the journal, durably)
//     publish(cycle)                 a line in index.jsonl, and `latest`

package import Domain
import Platform

/// What sealing came to.
package struct SealedCycle: Hashable, Sendable {
    package var cycle: Int
    /// Of the bytes of SHA256SUMS: what `cycleSealed` carries.
    package var sha256: String
    package var files: Int
    package var bytes: Int64

    package init(cycle: Int, sha256: String, files: Int, bytes: Int64) {
        self.cycle = cycle
        self.sha256 = sha256
        self.files = files
        self.bytes = bytes
    }

    package var reference: SealedReference { SealedReference(cycle: cycle, sha256: sha256) }
}

/// The writing half of the evidence of one loop. Its owner holds the journal, and so the lock.
package actor CycleWriter {
    package nonisolated let layout: EvidenceLayout
    private let queue = EvidenceQueue("evidence.cycles")
    /// Where the journal that is covered so far ends.
    private var covered: JournalPlace?
    /// Makes files below a folder durable.
    private let synchronize: Synchronize
    /// The cycle whose files a sync has given up, and the sums that they had: after a failed sync the next one may succeed
    /// without having written anything.
    private var unsynced: (cycle: Int, sums: [String: String])?

    typealias Synchronize = @Sendable (_ paths: [String], _ root: String) throws(SystemError) -> Void

    package nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    package init(_ layout: EvidenceLayout) {
        self.init(
            layout, synchronize: { (paths, root) throws(SystemError) in try Disk.synchronize(paths, below: root) })
    }

    init(_ layout: EvidenceLayout, synchronize: @escaping Synchronize) {
        self.layout = layout
        self.synchronize = synchronize
    }

    /// Makes the folder of a cycle, mode 0700; no error where it is there.
    package func createCycle(_ cycle: Int) throws(EvidenceError) {
        try makeFolder(layout.cycle(cycle))
    }

    /// Makes the folder of a stage run, and returns its path.
    @discardableResult
    package func createStage(_ run: StageRun) throws(EvidenceError) -> String {
        let path = layout.stage(run)
        try makeFolder(path)
        return path
    }

    private func makeFolder(_ path: String) throws(EvidenceError) {
        try onDisk("create", path) { () throws(SystemError) in try Files.createDirectories(path) }
    }

    /// Writes cycle.json in one step. Sealing makes it durable.
    package func writeDocument(_ record: CycleRecord) throws(EvidenceError) {
        let bytes = try EvidenceCoding.document(record, "cycle \(record.cycle)")
        try makeFolder(layout.cycle(record.cycle))
        try replace(layout.document(record.cycle), with: bytes)
    }

    /// Writes a file into a cycle folder in one step: a report, for example. `path` is relative to that folder.
    package func write(_ bytes: [UInt8], to path: String, inCycle cycle: Int) throws(EvidenceError) {
        guard let absolute = layout.file(path, inCycle: cycle) else {
            throw .system(attempt: "write", path: path, reason: "it leads out of the cycle folder")
        }
        try onDisk("write", absolute) { () throws(SystemError) in
            try Disk.replace(absolute, with: bytes, durable: false)
        }
    }

    private func replace(_ path: String, with bytes: [UInt8]) throws(EvidenceError) {
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: false) }
    }

    /// Lists every file of the cycle with its sum, names the cycle before, and returns when all of it would survive a
    /// loss of power: commands and readers wrote their files without waiting for the disk.
    ///
    /// `knownHashes` saves reading what was hashed as it was written (see `knownHashes(of:)`). `previous` is what the
    /// journal says was sealed before; without it the newest sealed cycle (or tombstone) on disk is taken.
    ///
    /// Where an earlier seal of this cycle did not come to its end, every file is written anew first. A file that has other
    /// bytes than before the sync that failed is an error that stays.
    package func seal(
        _ cycle: Int, knownHashes: [String: String] = [:], previous: SealedReference? = nil
    ) throws(EvidenceError) -> SealedCycle {
        let folder = layout.cycle(cycle)
        let before: SealedReference
        if let previous { before = previous } else { before = try SealChain(layout).before(cycle) }
        try replace(folder + "/" + EvidenceLayout.previousFile, with: Array(before.text.utf8))
        try writeCoverage(cycle, after: before)
        let found = try CycleFolder(folder)
        try writeAnew(cycle, found.files)
        let unlisted = folder + "/" + EvidenceLayout.unlistedFile
        var lines: [SumsFile.Line] = []
        if let text = found.unlistedText {
            try replace(unlisted, with: Array(text.utf8))
            lines.append(SumsFile.Line(sha256: SHA256.hex(of: Array(text.utf8)), path: EvidenceLayout.unlistedFile))
        } else {
            try onDisk("remove", unlisted) { () throws(SystemError) in try Files.remove(unlisted) }
        }
        for path in found.files {
            let hash: String
            if let known = unsynced?.sums[path] ?? knownHashes[path] {
                hash = known
            } else {
                hash = try sum(folder + "/" + path)
            }
            lines.append(SumsFile.Line(sha256: hash, path: path))
        }
        let text = Array(SumsFile(lines).text.utf8)
        try replace(layout.sums(cycle), with: text)
        let listed = (lines.map(\.path) + [EvidenceLayout.sumsFile]).map { "\(folder)/\($0)" }
        do {
            try synchronize(listed, folder)
        } catch {
            unsynced = (cycle, Dictionary(lines.map { ($0.path, $0.sha256) }) { $1 })
            // Not under the name by which readers know a sealed cycle. Where even that fails, the journal still says no.
            try? Files.rename(layout.sums(cycle), to: meantSums(cycle))
            throw EvidenceError(error, "sync", folder)
        }
        unsynced = nil
        return SealedCycle(cycle: cycle, sha256: SHA256.hex(of: text), files: lines.count, bytes: found.bytes)
    }

    /// Where the sums of a seal lie that did not come to its end; the next one takes the name for its own.
    private func meantSums(_ cycle: Int) -> String { layout.sums(cycle) + ".new" }

    /// Does nothing where no earlier seal of this cycle got as far as its sums.
    private func writeAnew(_ cycle: Int, _ files: [String]) throws(EvidenceError) {
        if unsynced?.cycle != cycle {
            // What an earlier daemon meant to seal may be lost by now with the power: what is there counts.
            let isBegun = Files.exists(layout.sums(cycle)) || Files.exists(meantSums(cycle))
            unsynced = isBegun ? (cycle, [:]) : nil
        }
        guard let sums = unsynced?.sums else { return }
        for path in files {
            let absolute = layout.cycle(cycle) + "/" + path
            let hash = try onDisk("write anew what a sync may have lost:", absolute) { () throws(SystemError) in
                try Disk.rewrite(absolute, wanted: sums[path])
            }
            unsynced?.sums[path] = hash
        }
    }

    private func sum(_ path: String) throws(EvidenceError) -> String {
        try onDisk("read", path) { () throws(SystemError) in try SHA256.hex(ofFile: path) }
    }

    /// Written once: what a restart adds to the journal must not change the bytes of a seal that is repeated.
    private func writeCoverage(_ cycle: Int, after previous: SealedReference) throws(EvidenceError) {
        guard try JournalCoverage.of(cycle: cycle, in: layout) == nil else { return }
        let end = try SealChain(layout).journalEnd(of: previous.cycle) ?? 0
        let (coverage, place) = try JournalCoverage.from(end + 1, in: layout, known: covered)
        let path = layout.cycle(cycle) + "/" + EvidenceLayout.journalFile
        try replace(path, with: Array(coverage.text.utf8))
        covered = place
    }

    /// The sums of console logs that were taken as the bytes passed, for those files that still have the size they had.
    package func knownHashes(of record: CycleRecord) -> [String: String] {
        var hashes: [String: String] = [:]
        for command in record.stages.flatMap(\.commands) where (command.logDroppedBytes ?? 0) == 0 {
            guard let log = command.log, let hash = command.logSHA256, let size = command.logBytes,
                let path = layout.file(log, inCycle: record.cycle), Files.kind(of: path) == .file,
                Files.size(of: path) == size
            else { continue }
            hashes[log] = hash
        }
        return hashes
    }

    /// Lists a sealed cycle in the index and points `latest` at it. After `cycleSealed` is durable.
    @discardableResult
    package func publish(_ record: CycleRecord, _ sealed: SealedCycle) throws(EvidenceError) -> CycleSummary {
        let summary = CycleSummary(record, bytes: sealed.bytes, sha256: sealed.sha256)
        let line = try EvidenceCoding.line(summary, "an index line")
        try LineFile.append(line, to: layout.index, durable: false)
        let (latest, target) = (layout.latest, "cycles/" + EvidenceLayout.name(sealed.cycle))
        try onDisk("point", latest) { () throws(SystemError) in try Files.replaceLink(latest, target: target) }
        return summary
    }

    /// Adds one line to `cycle.log`. `line` comes without its newline; any inside it would forge lines and become spaces.
    package func log(_ line: String) throws(EvidenceError) {
        let bytes = line.utf8.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
        try LineFile.append(bytes + [UInt8(ascii: "\n")], to: layout.cycleLog, durable: false)
    }
}

extension SealedReference {
    /// What the first cycle names.
    package static let beforeTheFirst = SealedReference(cycle: 0, sha256: String(repeating: "0", count: 64))
}

/// Who was sealed before whom, as the disk tells.
struct SealChain {
    let layout: EvidenceLayout

    init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// The newest sealed (or deleted) cycle before `cycle`.
    func before(_ cycle: Int) throws(EvidenceError) -> SealedReference {
        for number in stride(from: cycle - 1, to: 0, by: -1) {
            if let sums = try contents(layout.sums(number)) {
                return SealedReference(cycle: number, sha256: SHA256.hex(of: sums))
            }
            if let stone = try TombstoneFile(layout).read()[number] {
                return SealedReference(cycle: number, sha256: stone.sha256)
            }
        }
        return .beforeTheFirst
    }

    /// The last journal line that `cycle` covers.
    func journalEnd(of cycle: Int) throws(EvidenceError) -> Int? {
        if let coverage = try JournalCoverage.of(cycle: cycle, in: layout) { return coverage.last }
        return try TombstoneFile(layout).read()[cycle]?.journalEnd
    }
}
