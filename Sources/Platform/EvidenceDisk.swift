// SPDX-License-Identifier: Apache-2.0
// What evidence asks of the disk beyond `Files`: one descriptor for writing, cutting and locking, and replacement under a
// temporary name that a repeated step finds again.

import Glibc
import Synchronization

/// An open file that is never reached through a link.
package final class DiskFile: Sendable {
    package let path: String
    private let descriptor: Descriptor

    package enum Mode: Sendable {
        case reading
        /// Created where missing, never emptied.
        case appending
        /// Created anew; an existing one is emptied.
        case writing
    }

    package init(_ path: String, _ mode: Mode) throws(SystemError) {
        let flags =
            switch mode {
            case .reading: O_RDONLY
            case .appending: O_RDWR | O_CREAT | O_APPEND
            case .writing: O_RDWR | O_CREAT | O_TRUNC
            }
        self.path = path
        descriptor = try Descriptor.open(path, flags | O_NOFOLLOW)
    }

    /// Writes everything or throws; after an error some bytes may have been written.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        try descriptor.writeAll(bytes, path: path)
    }

    /// Up to `limit` bytes from the current position; empty at the end.
    package func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = uninterrupted { Glibc.read(descriptor.number, buffer.baseAddress, limit) }
            if count < 0 {
                failure = .last("read", path)
                count = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills `buffer` with the bytes from `offset` on; fewer than it holds at the end of the file. The position that
    /// other reads go on from does not move.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let got = uninterrupted {
                pread(descriptor.number, rest.baseAddress, rest.count, off_t(offset + count))
            }
            guard got >= 0 else { throw .last("read", path) }
            if got == 0 { break }
            count += got
        }
        return count
    }

    /// The bytes from `offset` to the end, as it is now.
    package func bytes(from offset: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, Int(clamping: try size()) - offset))
        var count = 0
        var failure: SystemError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(SystemError) {
                count = try read(into: buffer, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        bytes.removeSubrange(count...)
        return bytes
    }

    /// Nil for an empty file.
    package func lastByte() throws(SystemError) -> UInt8? {
        let size = try size()
        guard size > 0 else { return nil }
        var byte: UInt8 = 0
        let count = uninterrupted { pread(descriptor.number, &byte, 1, off_t(size - 1)) }
        guard count >= 0 else { throw .last("read", path) }
        return count == 1 ? byte : nil
    }

    /// Whether the file is still the one that its path names.
    package var isInPlace: Bool { descriptor.isNamed(path) }

    package func size() throws(SystemError) -> Int64 {
        guard let size = descriptor.size else { throw .last("measure", path) }
        return size
    }

    package func truncate(to size: Int64) throws(SystemError) {
        guard uninterrupted({ ftruncate(descriptor.number, off_t(size)) }) == 0 else { throw .last("cut", path) }
    }

    /// After an error the kernel may have dropped the pages and report success next time: give the file up.
    package func sync() throws(SystemError) {
        try descriptor.synchronize(path: path)
    }

    /// Takes the exclusive lock for as long as this object lives; false where another open file holds it.
    ///
    /// Not `FileLock`, which must write its owner's name: a full disk must not keep a loop from starting.
    package func tryLock() throws(SystemError) -> Bool {
        if uninterrupted({ flock(descriptor.number, LOCK_EX | LOCK_NB) }) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw .last("lock", path)
    }

    /// Gives the lock back at once: a child that is just being spawned may still hold a copy of the descriptor, and
    /// closing ours alone would leave the lock with it for a moment.
    package func unlock() {
        _ = flock(descriptor.number, LOCK_UN)
    }
}

package enum Disk {
    /// Whether the error is of a file that no longer has what was written into it.
    package static func lost(_ path: String) -> SystemError {
        SystemError(code: EIO, attempted: "read back", path: path)
    }

    package static func read(_ path: String) throws(SystemError) -> [UInt8] {
        try Files.read(path, limit: .max)
    }

    /// Replaces `path` so that every reader sees the old bytes or the new ones.
    ///
    /// Not `AtomicFile`, whose temporary name is a new one each time: what a crash leaves here is overwritten when the
    /// step is repeated, and would otherwise be sealed as part of the evidence.
    package static func replace(_ path: String, with bytes: [UInt8], durable: Bool) throws(SystemError) {
        let temporary = path + ".new"
        do throws(SystemError) {
            let file = try DiskFile(temporary, .writing)
            try file.write(bytes)
            if durable { try file.sync() }
            try Files.rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
        if durable { try Files.synchronizeDirectory(Files.parent(of: path)) }
    }

    /// Writes the bytes of `path` once more, into a new file that takes its name: what a sync has reported as lost is not
    /// reported again, and the pages in memory count as clean. Answers the SHA-256 of what was written.
    ///
    /// `wanted` is that of what the file held: other bytes are not put in its place (the error is that of `lost`).
    package static func rewrite(_ path: String, wanted: String?) throws(SystemError) -> String {
        let temporary = path + ".new"
        do throws(SystemError) {
            let (old, new) = (try DiskFile(path, .reading), try DiskFile(temporary, .writing))
            var sum = SHA256()
            while true {
                let bytes = try old.read(upTo: 1 << 20)
                if bytes.isEmpty { break }
                sum.update(bytes)
                try new.write(bytes)
            }
            let found = sum.hexDigest()
            if let wanted, wanted != found { throw lost(path) }
            try Files.rename(temporary, to: path)
            return found
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Makes files that were written at leisure, and their names in all folders from `root` down, survive a loss of power.
    ///
    /// Several at once: a file system commits what waits together in one go, so twenty syncs side by side take hardly longer
    /// than one, and one after the other twenty times as long. Their order is of no account, as nothing is promised before
    /// all of them are done. After the first failure no more are begun; that one is thrown.
    package static func synchronize(_ paths: [String], below root: String) throws(SystemError) {
        try synchronize(
            paths, below: root, file: { (path) throws(SystemError) in try DiskFile(path, .reading).sync() },
            folder: Files.synchronizeDirectory)
    }

    static func synchronize(
        _ paths: [String], below root: String, file: @escaping SyncWork.Step, folder: @escaping SyncWork.Step
    ) throws(SystemError) {
        var folders: Set<String> = [root]
        for path in paths {
            var folder = Files.parent(of: path)
            while folder.utf8.count > root.utf8.count, folders.insert(folder).inserted {
                folder = Files.parent(of: folder)
            }
        }
        let work = SyncWork(paths.map { ($0, file) } + folders.sorted().map { ($0, folder) })
        PlatformThread.together("sync", helpers: min(syncsAtOnce, work.count) - 1) { work.take() }
        if let failure = work.failure { throw failure }
    }

    /// Beyond eight, the files of a cycle take no less time (docs/benchmarks.md).
    private static let syncsAtOnce = 8
}

/// What several threads sync together.
final class SyncWork: Sendable {
    typealias Step = @Sendable (String) throws(SystemError) -> Void

    private let steps: [(path: String, step: Step)]
    private let state = Mutex<(next: Int, failure: SystemError?)>((0, nil))

    init(_ steps: [(path: String, step: Step)]) {
        self.steps = steps
    }

    var count: Int { steps.count }

    var failure: SystemError? { state.withLock { $0.failure } }

    /// Syncs until nothing is left to begin.
    func take() {
        while let (path, step) = next() {
            do throws(SystemError) {
                try step(path)
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }

    private func next() -> (String, Step)? {
        state.withLock { state in
            guard state.failure == nil, state.next < steps.count else { return nil }
            state.next += 1
            return steps[state.next - 1]
        }
    }
}
