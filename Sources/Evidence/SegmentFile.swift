// SPDX-License-Identifier: Apache-2.0
// The newest segment as its one writer holds it.

import Platform

/// An append-only file that either has a whole line or does not have it.
///
/// A short write is taken back. After a failed sync the kernel may have dropped the pages and say "synced" the next time,
/// so the file is given up: what was acknowledged is written into a new one that takes its name.
struct SegmentFile {
    let path: String
    private var file: DiskFile
    /// Bytes that were acknowledged.
    private(set) var size: Int64
    /// Those of them that came after the last good sync, in case it turns out to have been the last good one.
    private var unsynced: [UInt8] = []
    private var isGivenUp = false
    /// Replaced by tests: a disk that fails to sync is not to be had in a test.
    var sync: @Sendable (DiskFile) throws(SystemError) -> Void = { (file) throws(SystemError) in try file.sync() }

    private static let unsyncedLimit = 1 << 20

    init(path: String) throws(EvidenceError) {
        self.path = path
        file = try onDisk("open", path) { () throws(SystemError) in try DiskFile(path, .appending) }
        let file = file
        size = try onDisk("measure", path) { () throws(SystemError) in try file.size() }
    }

    mutating func append(_ line: [UInt8], durable: Bool) throws(EvidenceError) {
        if isGivenUp { return try rewrite(adding: line) }
        do {
            try file.write(line)
        } catch {
            takeBack()
            throw EvidenceError(error, "append to", path)
        }
        if durable || unsynced.count + line.count > SegmentFile.unsyncedLimit {
            do {
                try sync(file)
            } catch {
                isGivenUp = true
                return try rewrite(adding: line)
            }
            unsynced = []
        } else {
            unsynced += line
        }
        size += Int64(line.count)
    }

    /// Whether the file is still the one that its path names.
    var isInPlace: Bool { file.isInPlace }

    /// Cuts everything behind `length` bytes, durably.
    mutating func cut(to length: Int64) throws(EvidenceError) {
        let file = file
        try onDisk("cut", path) { () throws(SystemError) in
            try file.truncate(to: length)
            try file.sync()
        }
        size = length
    }

    private mutating func takeBack() {
        do {
            try file.truncate(to: size)
        } catch {
            isGivenUp = true
        }
    }

    private mutating func rewrite(adding line: [UInt8]) throws(EvidenceError) {
        let path = path
        let synced = size - Int64(unsynced.count)
        let rest = unsynced + line
        do {
            file = try onDisk("write again", path) { () throws(SystemError) in
                let old = try Disk.read(path)
                guard old.count >= synced else { throw Disk.lost(path) }
                try Disk.replace(path, with: old.prefix(Int(synced)) + rest, durable: true)
                return try DiskFile(path, .appending)
            }
        } catch {
            takeBack()
            throw error
        }
        size = synced + Int64(rest.count)
        unsynced = []
        isGivenUp = false
    }
}
