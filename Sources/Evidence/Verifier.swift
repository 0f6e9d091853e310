// SPDX-License-Identifier: Apache-2.0
// `nightjar verify`: is everything as it was sealed? Reads only.
//
// Four nets, each of which catches what slips through the others: every file against its sum, every SHA256SUMS against
// the journal's `cycleSealed`, against what the next cycle names as the one before, and the journal's lines against the
// hash that the cycle folders carry.

import Domain
import Platform

package struct Verifier: Sendable {
    package let layout: EvidenceLayout

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// Looks at everything. Throws only where the loop's folder itself cannot be listed.
    package func verify() throws(EvidenceError) -> VerificationReport {
        guard Files.exists(layout.root) else { throw .notFound(what: "loop", path: layout.root) }
        var run = Verification(layout)
        try run.collect()
        for number in run.numbers { run.check(number) }
        run.checkJournal()
        run.checkIndex()
        return run.report
    }

    /// Whether a cycle may be what an answer rests on: it is as it was sealed, and no cycle after it is gone, reopened or
    /// has another document, since that one might have said something else. `intact` is 1 where the cycle itself is sound.
    package func verify(answering cycle: Int) throws(EvidenceError) -> VerificationReport {
        guard Files.exists(layout.root) else { throw .notFound(what: "loop", path: layout.root) }
        var run = Verification(layout)
        try run.collect()
        run.check(cycle)
        for later in run.numbers where later > cycle { run.checkHead(later) }
        run.checkJournal()
        run.report.findings.removeAll { finding in
            finding.cycle.map { $0 < cycle } ?? (finding.kind != .journalDamaged)
        }
        return run.report
    }
}

/// What a cycle came to.
private struct Said: Equatable {
    var verdict: Verdict
    var recommendation: Recommendation
    var revision: Revision

    init(_ verdict: Verdict, _ recommendation: Recommendation, _ revision: Revision) {
        (self.verdict, self.recommendation, self.revision) = (verdict, recommendation, revision)
    }

    var words: String { "\(revision.short) \(verdict.rawValue) -> \(recommendation.rawValue)" }
}

/// One verification under way.
private struct Verification {
    let layout: EvidenceLayout
    var report = VerificationReport()
    var folders: Set<Int> = []
    var stones: [Int: Tombstone] = [:]
    /// What the journal says was sealed; the last word for each cycle.
    var sealed: [Int: CycleSealed] = [:]
    var coverages: [(cycle: Int, coverage: JournalCoverage)] = []
    /// What the document of each cycle that was looked at says.
    private var records: [Int: Said] = [:]
    /// The hash of each cycle that was looked at.
    var hashes: [Int: String] = [:]

    init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    var newest: Int { max(folders.max() ?? 0, stones.keys.max() ?? 0, sealed.keys.max() ?? 0) }
    var numbers: ClosedRange<Int> { 1...max(1, newest) }

    private mutating func find(_ kind: VerificationFinding.Kind, _ cycle: Int?, _ path: String, _ text: String) {
        report.findings.append(VerificationFinding(kind: kind, cycle: cycle, path: path, text: text))
    }

    private func name(_ cycle: Int) -> String { "cycles/" + EvidenceLayout.name(cycle) }

    mutating func collect() throws(EvidenceError) {
        folders = Set(try CycleReader(layout).numbers())
        var unreadable = 0
        stones = try TombstoneFile(layout).read(unreadable: &unreadable)
        report.tombstones = stones.count
        if unreadable > 0 { find(.tombstone, nil, "tombstones.jsonl", "\(unreadable) lines cannot be read") }
        for name in try names(in: layout.cycles) where EvidenceLayout.number(name) == nil {
            find(.extra, nil, "cycles/" + name, "it is no cycle folder")
        }
        var found: [Int: CycleSealed] = [:]
        var count = 0
        do {
            try JournalReader(layout).forEach { entry in
                count += 1
                if case .cycleSealed(let fact) = entry.event { found[fact.cycle] = fact }
            }
        } catch {
            find(.journalDamaged, nil, "journal", "\(error)")
        }
        sealed = found
        report.journalEntries = count
    }

    mutating func check(_ cycle: Int) {
        guard newest > 0 else { return }
        let stone = stones[cycle]
        if let stone {
            hashes[cycle] = stone.sha256
            check(stone)
        }
        guard folders.contains(cycle) else {
            if stone == nil { find(.gap, cycle, name(cycle), "it is not there, and no tombstone says why") }
            return
        }
        if stone != nil {
            report.notes.append("\(name(cycle)) has a tombstone and is still there: its deletion was interrupted")
            return
        }
        let before = report.findings.count
        do {
            try checkFolder(cycle)
        } catch {
            find(.unreadable, cycle, name(cycle), "\(error)")
        }
        if report.findings.count == before, hashes[cycle] != nil { report.intact += 1 }
    }

    /// Only what says that a cycle is there, and what it came to.
    mutating func checkHead(_ cycle: Int) {
        guard stones[cycle] == nil else { return }
        guard folders.contains(cycle) else {
            return find(.gap, cycle, name(cycle), "it is not there, and no tombstone says why")
        }
        do {
            guard let bytes = try contents(layout.sums(cycle)) else { return checkUnsealed(cycle) }
            checkAgainstJournal(cycle, SHA256.hex(of: bytes))
            let sums = SumsFile(text: String(decoding: bytes, as: UTF8.self))
            let document = try contents(layout.document(cycle)).map { SHA256.hex(of: $0) }
            guard document == nil || document != sums?.lines.first(where: { $0.path == "cycle.json" })?.sha256 else {
                return
            }
            find(.changed, cycle, name(cycle) + "/cycle.json", "its bytes are not the ones that were sealed")
        } catch {
            find(.unreadable, cycle, name(cycle), "\(error)")
        }
    }

    private mutating func check(_ stone: Tombstone) {
        guard let fact = sealed[stone.cycle] else { return }
        if fact.sha256 != stone.sha256 || fact.verdict != stone.verdict {
            find(
                .tombstone, stone.cycle, "tombstones.jsonl",
                "cycle \(stone.cycle) was sealed otherwise, says the journal")
        }
    }

    private mutating func checkFolder(_ cycle: Int) throws(EvidenceError) {
        guard let bytes = try contents(layout.sums(cycle)) else { return checkUnsealed(cycle) }
        let hash = SHA256.hex(of: bytes)
        hashes[cycle] = hash
        report.cycles += 1
        (report.newestCycle, report.newestHash) = (cycle, hash)
        checkAgainstJournal(cycle, hash)
        let path = name(cycle) + "/" + EvidenceLayout.sumsFile
        guard let sums = SumsFile(text: String(decoding: bytes, as: UTF8.self)), Array(sums.text.utf8) == bytes else {
            return find(.malformed, cycle, path, "it is not as sha256sum writes it")
        }
        try checkFiles(cycle, sums)
        try checkPrevious(cycle)
        try checkCoverage(cycle)
        try checkDocument(cycle)
    }

    private mutating func checkUnsealed(_ cycle: Int) {
        if cycle == newest, sealed[cycle] == nil {
            report.notes.append("\(name(cycle)) is not sealed yet: running, or interrupted by a crash")
        } else {
            find(.unsealed, cycle, name(cycle), "it has no \(EvidenceLayout.sumsFile)")
        }
    }

    private mutating func checkAgainstJournal(_ cycle: Int, _ hash: String) {
        let path = name(cycle) + "/" + EvidenceLayout.sumsFile
        if let fact = sealed[cycle] {
            if fact.sha256 != hash {
                find(.journalDisagrees, cycle, path, "the journal sealed \(fact.sha256), it has \(hash)")
            }
        } else if cycle == newest {
            report.notes.append("\(name(cycle)) is not yet sealed in the journal")
        } else {
            find(.journalDisagrees, cycle, path, "the journal does not know that it was sealed")
        }
    }

    private mutating func checkFiles(_ cycle: Int, _ sums: SumsFile) throws(EvidenceError) {
        let folder = try CycleFolder(layout.cycle(cycle))
        var present = Set(folder.files)
        if Files.exists(layout.cycle(cycle) + "/" + EvidenceLayout.unlistedFile) {
            present.insert(EvidenceLayout.unlistedFile)
        }
        report.bytes += folder.bytes
        for line in sums.lines {
            let path = name(cycle) + "/" + line.path
            guard let absolute = layout.file(line.path, inCycle: cycle) else {
                find(.malformed, cycle, path, "it leads out of the cycle folder")
                continue
            }
            guard present.remove(line.path) != nil else {
                find(.missing, cycle, path, "it was sealed and is not there")
                continue
            }
            report.files += 1
            do {
                if try SHA256.hex(ofFile: absolute) != line.sha256 {
                    find(.changed, cycle, path, "its bytes are not the ones that were sealed")
                }
            } catch {
                find(.unreadable, cycle, path, error.description)
            }
        }
        for path in present.sorted() {
            find(.extra, cycle, name(cycle) + "/" + path, "it was not there when the cycle was sealed")
        }
        try checkUnlisted(cycle, folder)
    }

    private mutating func checkUnlisted(_ cycle: Int, _ folder: CycleFolder) throws(EvidenceError) {
        let written = try contents(layout.cycle(cycle) + "/" + EvidenceLayout.unlistedFile)
        let now = folder.unlistedText.map { Array($0.utf8) }
        guard written != now else { return }
        find(
            .extra, cycle, name(cycle) + "/" + EvidenceLayout.unlistedFile,
            "links or special files came, went or changed")
    }

    private mutating func checkPrevious(_ cycle: Int) throws(EvidenceError) {
        let path = name(cycle) + "/" + EvidenceLayout.previousFile
        let bytes = try contents(layout.cycle(cycle) + "/" + EvidenceLayout.previousFile) ?? []
        guard let named = SealedReference(text: String(decoding: bytes, as: UTF8.self)) else {
            return find(.malformed, cycle, path, "it does not name a cycle and a hash")
        }
        let expected =
            cycle == 1
            ? SealedReference.beforeTheFirst
            : hashes[cycle - 1].map { SealedReference(cycle: cycle - 1, sha256: $0) }
        guard let expected else { return }
        if named != expected {
            find(
                .chainBroken, cycle, path,
                "it names cycle \(named.cycle) \(named.sha256), which should be \(expected.text.dropLast())")
        }
    }

    private mutating func checkCoverage(_ cycle: Int) throws(EvidenceError) {
        guard let coverage = try JournalCoverage.of(cycle: cycle, in: layout) else {
            let path = name(cycle) + "/" + EvidenceLayout.journalFile
            return find(.malformed, cycle, path, "it does not say which journal lines it covers")
        }
        coverages.append((cycle, coverage))
    }

    private mutating func checkDocument(_ cycle: Int) throws(EvidenceError) {
        let path = name(cycle) + "/cycle.json"
        do {
            let record = try CycleReader(layout).record(cycle)
            if record.cycle != cycle { find(.malformed, cycle, path, "it is about cycle \(record.cycle)") }
            records[cycle] = Said(record.verdict, record.recommendation, record.revision.wanted)
            if let fact = sealed[cycle], fact.verdict != record.verdict {
                find(.journalDisagrees, cycle, path, "it says \(record.verdict), the journal sealed \(fact.verdict)")
            }
        } catch {
            find(.malformed, cycle, path, "\(error)")
        }
    }

    /// The index is not sealed, and what lists cycles reads it: its lines must say what the sealed cycles say.
    mutating func checkIndex() {
        let index: EvidenceIndex
        do {
            index = try EvidenceIndex.load(layout)
        } catch {
            return find(.unreadable, nil, "index.jsonl", "it cannot be read: \(error)")
        }
        // Of a cycle that is not as it was sealed that is told already.
        let changed = Set(report.findings.compactMap(\.cycle))
        for line in index.cycles where !changed.contains(line.cycle) {
            guard let said = records[line.cycle] else { continue }
            let listed = Said(line.verdict, line.recommendation, line.revision)
            guard listed != said || line.sha256 != hashes[line.cycle] else { continue }
            find(
                .indexDisagrees, line.cycle, "index.jsonl",
                "its line about \(name(line.cycle)) says \(listed.words), the sealed cycle \(said.words); "
                    + "without the file it is made again from the folders")
        }
    }

    /// Hashes the lines of the journal again, in one pass over its segments.
    mutating func checkJournal() {
        var waiting = coverages.filter { $0.coverage.first <= $0.coverage.last }.sorted {
            $0.coverage.first < $1.coverage.first
        }[...]
        var digest = SHA256()
        var damaged: [Int] = []
        do {
            try JournalReader(layout).forEachSegment { segment in
                for (index, entry) in segment.entries.enumerated() {
                    guard let next = waiting.first, entry.sequence >= next.coverage.first else { continue }
                    digest.update(Array(segment.line(index)))
                    guard entry.sequence >= next.coverage.last else { continue }
                    if digest.hexDigest() != next.coverage.sha256 { damaged.append(next.cycle) }
                    digest = SHA256()
                    waiting = waiting.dropFirst()
                }
            }
        } catch {
            // `collect` has reported why the journal cannot be read.
            return
        }
        damaged += waiting.map(\.cycle)
        for cycle in damaged {
            find(.journalDamaged, cycle, "journal", "its lines are not the ones that cycle \(cycle) was sealed with")
        }
    }
}
