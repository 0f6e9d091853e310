// SPDX-License-Identifier: Apache-2.0
// What the folders say about the cycle that is not sealed yet, and who holds the loop.

import Domain
import Evidence
import Foundation
import Reporting

/// The cycle under way: its newest stage folder, and whether that stage has left its result yet.
struct RunningCycle: Equatable {
    var cycle: Int
    var stage: String?
    var since: Timestamp?
    var hasStageRunning: Bool

    static func find(_ layout: EvidenceLayout, newestSealed: Int) throws -> RunningCycle? {
        guard let number = try CycleReader(layout).numbers().last, number > newestSealed else { return nil }
        let folder = layout.cycle(number)
        var running = RunningCycle(cycle: number, stage: nil, since: modified(folder), hasStageRunning: false)
        let files = FileManager.default
        let stages = ((try? files.contentsOfDirectory(atPath: folder)) ?? []).compactMap { name in
            modified("\(folder)/\(name)/claim").map { (name: name, at: $0) }
        }
        guard let newest = stages.max(by: { ($0.at, $0.name) < ($1.at, $1.name) }) else { return running }
        running.stage = newest.name
        running.since = newest.at
        running.hasStageRunning = !files.fileExists(atPath: "\(folder)/\(newest.name)/result.json")
        return running
    }

    private static func modified(_ path: String) -> Timestamp? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let date = attributes?[.modificationDate] as? Date else { return nil }
        return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
    }
}

/// The process that holds a loop's lock.
///
/// Found in `/proc/locks`, since trying the lock would take it for a moment from a daemon that is just starting.
struct LoopHolder: Equatable {
    /// Nil where the holder lives in another container.
    var pid: Int32?

    static func find(_ layout: EvidenceLayout) -> LoopHolder? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: layout.lock)
        guard let inode = (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value else { return nil }
        // The kernel gives the table page by page: a lock that goes in between takes the line of another with it. What is
        // not there is looked for again.
        for _ in 0..<LoopHolder.looks {
            guard let table = FileManager.default.contents(atPath: "/proc/locks") else { return nil }
            if let holder = find(inode: inode, in: String(decoding: table, as: UTF8.self)) { return holder }
        }
        return nil
    }

    private static let looks = 3

    /// A line: `7: FLOCK  ADVISORY  WRITE 4711 08:01:123456 0 EOF` (proc_locks(5)).
    static func find(inode: UInt64, in table: String) -> LoopHolder? {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "FLOCK", fields[3] == "WRITE",
                fields[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode
            else { continue }
            let pid = Int32(fields[4]) ?? 0
            return LoopHolder(pid: pid > 0 ? pid : nil)
        }
        return nil
    }
}

/// The newest line of the cycle log.
enum LogTail {
    /// What the daemon says it waits for, where that is its newest line.
    static func waiting(_ layout: EvidenceLayout) -> String? {
        guard let entry = newest(layout), entry.topic == "waiting" else { return nil }
        return "waiting " + entry.text
    }

    static func newest(_ layout: EvidenceLayout) -> CycleLog.Entry? {
        tail(layout).last.flatMap { CycleLog.parse(String(decoding: $0, as: UTF8.self)) }
    }

    /// The newest lines, oldest first; what is no line of ours is left out.
    static func entries(_ layout: EvidenceLayout, limit: Int) -> [CycleLog.Entry] {
        tail(layout).suffix(limit).compactMap { CycleLog.parse(String(decoding: $0, as: UTF8.self)) }
    }

    private static func tail(_ layout: EvidenceLayout) -> [Data] {
        guard let handle = FileHandle(forReadingAtPath: layout.cycleLog) else { return [] }
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > window ? size - window : 0)
        let bytes = ((try? handle.readToEnd()) ?? nil) ?? Data()
        return bytes.split(separator: UInt8(ascii: "\n"))
    }

    private static let window: UInt64 = 16 << 10
}
