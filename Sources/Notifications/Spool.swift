// SPDX-License-Identifier: Apache-2.0
// What is still to be delivered, on disk: one file for each notice and receiver. A notice that is decided again after a
// crash has the same id, so that it is neither lost nor spooled twice.

package import Domain
import Foundation
import Platform

/// One notice on its way to one receiver.
package struct SpooledNotice: Codable, Hashable, Sendable {
    package var notice: Notice
    package var receiver: String
    package var attempts: Int
    /// Not tried before this time.
    package var nextAttempt: Timestamp
    /// What the last attempt came to.
    package var problem: String?

    /// The same for every attempt to bring this notice to this receiver.
    var key: String { Spool.key(notice.id, receiver) }
}

/// The folder `notify/` of a loop: `spool/`, `sent.jsonl`, `memory.json`.
package struct Spool: Sendable {
    private let folder: String
    /// Lines of `sent.jsonl` that are looked at: ids are only ever decided again right after a crash.
    private static let rememberedBytes = 256 << 10

    package init(_ folder: String) {
        self.folder = folder
    }

    private var waiting: String { "\(folder)/spool" }
    private var memoryFile: String { "\(folder)/memory.json" }
    private var sentFile: String { "\(folder)/sent.jsonl" }

    // MARK: - The memory

    /// What has been told; empty before the first notice. Throws where the file is damaged.
    package func memory() throws -> NoticeMemory {
        guard Files.exists(memoryFile) else { return NoticeMemory() }
        return try JSONDecoder().decode(NoticeMemory.self, from: Data(try Files.read(memoryFile, limit: 16 << 20)))
    }

    /// Spools the notices for those receivers that want their level, then remembers that they were decided.
    package func add(
        _ notices: [Notice], for receivers: [ReceiverSettings], remembering memory: NoticeMemory
    ) throws {
        try Files.createDirectories(waiting)
        let sent = sentKeys()
        for notice in notices {
            let levels = Set((notice.told ?? []) + [notice.level])
            for receiver in receivers where !levels.isDisjoint(with: receiver.levels) {
                let item = SpooledNotice(
                    notice: notice, receiver: receiver.name, attempts: 0, nextAttempt: notice.notBefore ?? notice.at)
                let path = self.path(item)
                if Files.exists(path) || sent.contains(Spool.key(notice.id, receiver.name)) { continue }
                try write(item, to: path)
            }
        }
        try write(memory, to: memoryFile)
    }

    // MARK: - What waits

    /// Everything that waits, oldest first.
    package func items() throws -> [SpooledNotice] {
        guard Files.exists(waiting) else { return [] }
        let items = try Files.list(waiting).filter { $0.hasSuffix(".json") }.compactMap { name -> SpooledNotice? in
            guard let bytes = try? Files.read("\(waiting)/\(name)", limit: 1 << 20) else { return nil }
            return try? JSONDecoder().decode(SpooledNotice.self, from: Data(bytes))
        }
        return items.sorted { ($0.notice.at, $0.notice.id, $0.receiver) < ($1.notice.at, $1.notice.id, $1.receiver) }
    }

    package func count() -> Int {
        ((try? Files.list(waiting)) ?? []).count { $0.hasSuffix(".json") }
    }

    /// Puts an attempt that failed back.
    package func put(_ item: SpooledNotice) throws {
        try write(item, to: path(item))
    }

    /// The notice has arrived (or never will, as `outcome` says): noted first, so that a crash between the two does
    /// not send it again.
    ///
    /// After an error the same call may be repeated: it notes nothing twice.
    package func finish(_ item: SpooledNotice, _ outcome: String, at now: Timestamp) throws {
        if !sentKeys().contains(item.key) {
            let line = Sent(
                id: item.notice.id, receiver: item.receiver, at: now, attempts: item.attempts, outcome: outcome)
            // A full disk may have taken the beginning of a line: what follows it must stay readable.
            let isTorn = (try? Files.tail(sentFile, 1)).map { !$0.isEmpty && $0 != [10] } ?? false
            let file = try DiskFile(sentFile, .appending)
            try file.write((isTorn ? [10] : []) + (try encoded(line)) + [10])
            try file.sync()
        }
        try Files.remove(path(item))
    }

    /// What was noted and not removed before a crash.
    package func sweep() throws {
        let sent = sentKeys()
        for item in try items() where sent.contains(item.key) {
            try Files.remove(path(item))
        }
    }

    /// Receivers whose newest message was refused or given up, and how: after a start as before it.
    package func troubles() -> [String: String] {
        var found: [String: String] = [:]
        for line in sentLines() {
            let isLost = line.outcome.hasPrefix("refused") || line.outcome.hasPrefix("given up")
            if isLost {
                found[line.receiver] = "\(line.outcome) (\(line.id))"
            } else if line.outcome == Spool.delivered {
                found[line.receiver] = nil
            }
        }
        return found
    }

    static let delivered = "delivered"

    private struct Sent: Codable {
        var id: String
        var receiver: String
        var at: Timestamp
        var attempts: Int
        var outcome: String
    }

    private func sentKeys() -> Set<String> {
        Set(sentLines().map { Spool.key($0.id, $0.receiver) })
    }

    private func sentLines() -> [Sent] {
        guard let bytes = try? Files.tail(sentFile, Spool.rememberedBytes) else { return [] }
        return bytes.split(separator: 10).compactMap { try? JSONDecoder().decode(Sent.self, from: Data($0)) }
    }

    fileprivate static func key(_ id: String, _ receiver: String) -> String { "\(id)@\(receiver)" }

    private func path(_ item: SpooledNotice) -> String {
        let id = item.notice.id.replacing("/", with: "_")
        return "\(waiting)/\(StageRun.fileName(id))@\(StageRun.fileName(item.receiver)).json"
    }

    private func write(_ value: some Encodable, to path: String) throws {
        try AtomicFile.write(try encoded(value), to: path, durable: true)
    }

    private func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
