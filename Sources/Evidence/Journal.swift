// SPDX-License-Identifier: Apache-2.0
// The loop's memory: every fact is one line here before anything is done about it. One writer at a time.

package import Domain
import Foundation
import Platform

/// What opening the journal found.
package struct JournalOpening: Sendable {
    /// The newest segment: its fold is the loop's state. Empty for a new loop.
    package var entries: [JournalEntry]
    /// What a crash had left behind the last whole line; it was cut off and kept aside.
    package var torn: TornTail?
}

/// Bytes that were no whole line.
package struct TornTail: Hashable, Sendable {
    /// The segment they were cut from.
    package var segment: String
    /// Where they are kept.
    package var keptAt: String
    package var bytes: Int
}

/// The loop's journal, open for writing; the lock on the loop is held while it is open.
package actor Journal {
    package nonisolated let layout: EvidenceLayout
    private let queue = EvidenceQueue("evidence.journal")
    private var state: Open?

    private struct Open {
        var lock: DiskFile
        var number: Int
        var file: SegmentFile
        var lastSequence: Int
        /// Where the newest line ends that carries the loop's memory, and how long it is.
        var carriedEnd: Int64 = 0
        var carriedBytes: Int64 = 0
        /// A segment that could not be begun and still has its name.
        var leftover: String?
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    private init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// Takes the lock, reads the newest segment and repairs its end.
    ///
    /// Throws `locked` where another process (or journal) has it, `newerFormat` and `damaged` without touching anything.
    package static func open(
        _ layout: EvidenceLayout
    ) async throws(EvidenceError) -> (journal: Journal, opening: JournalOpening) {
        let journal = Journal(layout)
        return (journal, try await journal.start())
    }

    private func start() throws(EvidenceError) -> JournalOpening {
        let folder = layout.journal
        try onDisk("create", folder) { () throws(SystemError) in try Files.createDirectories(folder) }
        let lock = try takeLock()
        let reader = JournalReader(layout)
        let number = try reader.segments().last ?? 1
        let segment = try reader.segment(number, isNewest: true)
        let torn = try keepAside(segment)
        var file = try SegmentFile(path: layout.segment(number))
        if torn != nil { try file.cut(to: Int64(segment.wholeBytes)) }
        let path = file.path
        try onDisk("sync the folder of", path) { () throws(SystemError) in
            try Files.synchronizeDirectory(Files.parent(of: path))
        }
        var open = Open(lock: lock, number: number, file: file, lastSequence: segment.entries.last?.sequence ?? 0)
        let carried = segment.entries.lastIndex { if case .memoryCarried = $0.event { true } else { false } }
        if let carried {
            open.carriedEnd = Int64(segment.ends[carried])
            open.carriedBytes = Int64(segment.line(carried).count)
        }
        state = open
        return JournalOpening(entries: segment.entries, torn: torn)
    }

    private func takeLock() throws(EvidenceError) -> DiskFile {
        let path = layout.lock
        let file = try onDisk("open", path) { () throws(SystemError) in try DiskFile(path, .appending) }
        guard try onDisk("lock", path, { () throws(SystemError) in try file.tryLock() }) else {
            let owner = try contents(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw .locked(path: path, owner: owner.isEmpty ? "another process" : String(owner.prefix { $0 != "\n" }))
        }
        let owner = "process \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName)\n"
        // Only a courtesy to whoever is refused: a full disk must not keep the loop from starting.
        try? file.truncate(to: 0)
        try? file.write(Array(owner.utf8))
        return file
    }

    private func keepAside(_ segment: JournalSegment) throws(EvidenceError) -> TornTail? {
        guard !segment.tail.isEmpty else { return nil }
        var number = 1
        while Files.exists(layout.tornTail(number)) { number += 1 }
        let path = layout.tornTail(number)
        do {
            try Disk.replace(path, with: Array(segment.tail), durable: false)
        } catch {
            // Without room for the copy the bytes stay where they are, and the loop does not start.
            throw EvidenceError(error, "keep a torn tail as", path)
        }
        return TornTail(segment: segment.path, keptAt: path, bytes: segment.tail.count)
    }

    /// Writes one fact down. When this returns, a SIGKILL cannot lose it; where `durable`, a power cut cannot either.
    ///
    /// After an error the fact is not in the journal, and the same call may be repeated.
    @discardableResult
    package func append(
        _ event: Event, at: Timestamp, cycle: Int, durable: Bool
    ) throws(EvidenceError) -> JournalEntry {
        try withdraw()
        guard var open = state else { throw .notFound(what: "open journal", path: layout.journal) }
        let entry = JournalEntry(sequence: open.lastSequence + 1, at: at, cycle: cycle, event: event)
        let line = try EvidenceCoding.line(entry, "an event")
        // The segment keeps what it learned about its file, also where it throws.
        defer { state = open }
        try open.file.append(line, durable: durable)
        open.lastSequence = entry.sequence
        return entry
    }

    /// Writes the loop's memory down, not durably, where as many bytes were written since the last time as it took then: a
    /// journal, whose segments are kept, is at most twice as long for it, however much a loop remembers. Returns the entry,
    /// or nil where nothing was due.
    @discardableResult
    package func carry(_ memory: LoopMemory, at: Timestamp, cycle: Int) throws(EvidenceError) -> JournalEntry? {
        guard let open = state else { throw .notFound(what: "open journal", path: layout.journal) }
        let before = open.file.size
        guard before - open.carriedEnd >= open.carriedBytes else { return nil }
        let entry = try append(.memoryCarried(memory), at: at, cycle: cycle, durable: false)
        let after = state?.file.size ?? before
        state?.carriedEnd = after
        state?.carriedBytes = after - before
        return entry
    }

    /// The first file of an open journal that is no longer where its path says: the loop's folder was removed, moved away
    /// or replaced. Whoever comes next finds no lock on it, and nothing that is written can be found again.
    package func displaced() -> String? {
        guard let open = state else { return nil }
        return !open.lock.isInPlace ? open.lock.path : !open.file.isInPlace ? open.file.path : nil
    }

    /// Closes the segment where it is longer than `limit` bytes and begins the next one with `memory`, in one step: a
    /// crash leaves the one or the other. Returns the entry that carries the memory, or nil where nothing was due.
    @discardableResult
    package func rotate(
        _ memory: LoopMemory, at: Timestamp, cycle: Int, beyond limit: Int64 = Limits.journalSegmentBytes
    ) throws(EvidenceError) -> JournalEntry? {
        try withdraw()
        guard var open = state else { throw .notFound(what: "open journal", path: layout.journal) }
        guard open.file.size > limit else { return nil }
        let entry = JournalEntry(
            sequence: open.lastSequence + 1, at: at, cycle: cycle, event: .memoryCarried(memory))
        let line = try EvidenceCoding.line(entry, "the loop's memory")
        let path = layout.segment(open.number + 1)
        do {
            try onDisk("begin", path) { () throws(SystemError) in try Disk.replace(path, with: line, durable: true) }
            open.file = try SegmentFile(path: path)
        } catch {
            state?.leftover = path
            try withdraw()
            throw error
        }
        open.number += 1
        open.lastSequence = entry.sequence
        open.carriedEnd = open.file.size
        open.carriedBytes = open.file.size
        state = open
        return entry
    }

    /// Takes back a segment that has its name and could not be begun: the next start would take it for the newest, and
    /// forget what goes on in the one before. Nothing is written as long as it stays; each call tries to remove it first.
    private func withdraw() throws(EvidenceError) {
        guard let path = state?.leftover else { return }
        try onDisk("withdraw", path) { () throws(SystemError) in
            try Files.remove(path)
            try Files.synchronizeDirectory(Files.parent(of: path))
        }
        state?.leftover = nil
    }

    /// Gives the lock back. Entries that were appended stay readable through `JournalReader`.
    package func close() {
        state?.lock.unlock()
        state = nil
    }
}
