// SPDX-License-Identifier: Apache-2.0
// The system calls beneath evidence: raw writes that tell a full disk from other trouble, atomic replacement, folders.

import Glibc

/// A system call's refusal.
package struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    package var code: Int32

    package init(code: Int32) {
        self.code = code
    }

    /// The file no longer has what was written into it.
    package static let inputOutput = DiskError(code: EIO)

    /// No room on the disk, or in the quota.
    package var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
    package var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
    package var description: String { String(cString: strerror(code)) }
}

/// An open file; closed with its last reference. Only the number is held, so that it may cross threads.
package final class DiskFile: Sendable {
    let descriptor: Int32

    package enum Mode: Sendable {
        case reading
        /// Created where missing, never truncated.
        case appending
        /// Created anew; an existing one is emptied.
        case writing
    }

    package init(_ path: String, _ mode: Mode) throws(DiskError) {
        let flags =
            switch mode {
            case .reading: O_RDONLY
            case .appending: O_RDWR | O_CREAT | O_APPEND
            case .writing: O_RDWR | O_CREAT | O_TRUNC
            }
        descriptor = try retrying { open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    }

    deinit {
        close(descriptor)
    }

    /// Writes everything or throws; after an error some bytes may have been written.
    package func write(_ bytes: some Collection<UInt8>) throws(DiskError) {
        let written: Result<Void, DiskError>? = bytes.withContiguousStorageIfAvailable {
            writeAll(UnsafeRawBufferPointer($0))
        }
        try (written ?? Array(bytes).withUnsafeBytes { writeAll($0) }).get()
    }

    private func writeAll(_ buffer: UnsafeRawBufferPointer) -> Result<Void, DiskError> {
        var offset = 0
        while offset < buffer.count {
            let count = Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(DiskError(code: errno))
            }
            // A device that takes nothing and says nothing is full.
            if count == 0 { return .failure(DiskError(code: ENOSPC)) }
            offset += count
        }
        return .success(())
    }

    /// Up to `limit` bytes from the current position; empty at the end.
    package func read(upTo limit: Int) throws(DiskError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            repeat { count = Glibc.read(descriptor, buffer.baseAddress, limit) } while count < 0 && errno == EINTR
            if count < 0 {
                failure = DiskError(code: errno)
                count = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// To the end of the file.
    package func readAll() throws(DiskError) -> [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(Int(try size()) + 1)
        while true {
            let bytes = try read(upTo: 1 << 20)
            if bytes.isEmpty { return all }
            all.append(contentsOf: bytes)
        }
    }

    /// Nil for an empty file.
    package func lastByte() throws(DiskError) -> UInt8? {
        let size = try size()
        guard size > 0 else { return nil }
        var byte: UInt8 = 0
        var count = 0
        repeat { count = pread(descriptor, &byte, 1, off_t(size - 1)) } while count < 0 && errno == EINTR
        if count < 0 { throw DiskError(code: errno) }
        return count == 1 ? byte : nil
    }

    package func size() throws(DiskError) -> Int64 {
        var status = stat()
        try retrying { fstat(descriptor, &status) }
        return Int64(status.st_size)
    }

    package func truncate(to size: Int64) throws(DiskError) {
        try retrying { ftruncate(descriptor, off_t(size)) }
    }

    /// fdatasync. After an error the kernel may have dropped the pages and report success next time: give the file up.
    package func sync() throws(DiskError) {
        try retrying { fdatasync(descriptor) }
    }

    /// Takes the exclusive lock for as long as this object lives; false where another open file holds it.
    package func tryLock() throws(DiskError) -> Bool {
        do {
            try retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.code == EWOULDBLOCK { return false }
            throw error
        }
    }
}

/// Names in the file system.
package enum Disk {
    package enum Kind: String, Hashable, Sendable {
        case file, folder, symlink, fifo, socket, device
    }

    package struct Status: Hashable, Sendable {
        package var kind: Kind
        package var bytes: Int64
    }

    /// Never follows a link.
    package static func status(_ path: String) throws(DiskError) -> Status {
        var status = stat()
        try retrying { lstat(path, &status) }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .symlink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .device
            }
        return Status(kind: kind, bytes: Int64(status.st_size))
    }

    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    package static func read(_ path: String) throws(DiskError) -> [UInt8] {
        try DiskFile(path, .reading).readAll()
    }

    /// The names in a folder, sorted by their bytes.
    package static func names(_ folder: String) throws(DiskError) -> [String] {
        try rawNames(Array(folder.utf8)).map { String(decoding: $0, as: UTF8.self) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// As the kernel gives them: a name need not be UTF-8.
    private static func rawNames(_ folder: [UInt8]) throws(DiskError) -> [[UInt8]] {
        guard let stream = withPath(folder, { opendir($0) }) else { throw DiskError(code: errno) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
            if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    private static func withPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a terminated path is never empty") }
            return body(base)
        }
    }

    /// Creates the folder and those above it, mode 0700; no error where it is there.
    package static func makeFolder(_ path: String) throws(DiskError) {
        if mkdir(path, 0o700) == 0 { return }
        let code = errno
        if code == EEXIST {
            guard try status(path).kind == .folder else { throw DiskError(code: ENOTDIR) }
            return
        }
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw DiskError(code: code)
        }
        try makeFolder(String(path[..<slash]))
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw DiskError(code: errno) }
    }

    /// Replaces `path` so that every reader sees the old bytes or the new ones. Durable: also after a power cut.
    package static func replace(_ path: String, with bytes: [UInt8], durable: Bool) throws(DiskError) {
        let temporary = path + ".new"
        do {
            let file = try DiskFile(temporary, .writing)
            try file.write(bytes)
            if durable { try file.sync() }
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
        if durable { try syncFolder(of: path) }
    }

    /// Makes `path` a symbolic link to `target`, replacing what was there in one step.
    package static func replaceLink(_ path: String, target: String) throws(DiskError) {
        let temporary = path + ".new"
        unlink(temporary)
        try retrying { symlink(target, temporary) }
        try rename(temporary, to: path)
    }

    /// Where a symbolic link points.
    package static func linkTarget(_ path: String) throws(DiskError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count >= 0 else { throw DiskError(code: errno) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func rename(_ path: String, to target: String) throws(DiskError) {
        try retrying { Glibc.rename(path, target) }
    }

    /// No error where it is not there.
    package static func remove(_ path: String) throws(DiskError) {
        if unlink(path) != 0, errno != ENOENT { throw DiskError(code: errno) }
    }

    /// Makes names that were created, renamed or removed in the folder of `path` durable.
    package static func syncFolder(of path: String) throws(DiskError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = try retrying { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        try retrying { fsync(descriptor) }
    }

    /// Removes a folder with everything in it, following no links. No error where it is not there.
    package static func removeTree(_ path: String) throws(DiskError) {
        try removeTree(Array(path.utf8))
    }

    private static func removeTree(_ path: [UInt8]) throws(DiskError) {
        var status = stat()
        if withPath(path, { lstat($0, &status) }) != 0 {
            if errno == ENOENT { return }
            throw DiskError(code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            if withPath(path, { unlink($0) }) != 0, errno != ENOENT { throw DiskError(code: errno) }
            return
        }
        // A stage may have left folders that even their owner cannot enter.
        _ = withPath(path) { chmod($0, 0o700) }
        for name in try rawNames(path) { try removeTree(path + [UInt8(ascii: "/")] + name) }
        if withPath(path, { rmdir($0) }) != 0, errno != ENOENT { throw DiskError(code: errno) }
    }
}

/// The result of a call that says -1 for an error, repeated when a signal interrupted it.
@discardableResult
private func retrying(_ call: () -> Int32) throws(DiskError) -> Int32 {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw DiskError(code: errno) }
    }
}
