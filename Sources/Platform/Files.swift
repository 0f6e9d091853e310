// SPDX-License-Identifier: Apache-2.0
// Small operations on files and folders, without Foundation.

import Glibc

package enum Files {
    package enum Kind: Sendable {
        case file, directory, link, other
    }

    /// Creates `path` and the folders above it, each with mode 0700; fine where it exists.
    package static func createDirectories(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 { return }
        let failure = SystemError.last("create folder", path)
        switch failure.code {
        case EEXIST:
            guard kind(of: path, followingLinks: true) == .directory else { throw failure }
        case ENOENT:
            let parent = Files.parent(of: path)
            guard parent != path else { throw failure }
            try createDirectories(parent)
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last("create folder", path) }
        default:
            throw failure
        }
    }

    /// Creates the folder `path` itself; answers false where something of that name exists.
    package static func createDirectory(_ path: String) throws(SystemError) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        let failure = SystemError.last("create folder", path)
        guard failure.alreadyExists else { throw failure }
        return false
    }

    /// What is at `path`; nil where there is nothing or it cannot be seen.
    package static func kind(of path: String, followingLinks: Bool = false) -> Kind? {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .link
        default: .other
        }
    }

    package static func exists(_ path: String) -> Bool {
        kind(of: path, followingLinks: true) != nil
    }

    package static func isExecutable(_ path: String) -> Bool {
        kind(of: path, followingLinks: true) == .file && access(path, X_OK) == 0
    }

    /// Bytes in the file at `path`; nil where it cannot be seen.
    package static func size(of path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// Opens a regular file for reading. What commands leave in the place of a file may be a pipe that nobody writes to or
    /// a device without an end: neither is waited for.
    private static func openForReading(_ path: String) throws(SystemError) -> Descriptor {
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .last("look at", path) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return file
        case S_IFDIR: throw SystemError(code: EISDIR, attempted: "read", path: path)
        default: throw SystemError(code: EINVAL, attempted: "read what is no regular file,", path: path)
        }
    }

    /// The last `count` bytes of a file, or all of a shorter one.
    package static func tail(_ path: String, _ count: Int) throws(SystemError) -> [UInt8] {
        let file = try openForReading(path)
        let end = lseek(file.number, 0, SEEK_END)
        guard end >= 0, lseek(file.number, max(0, end - off_t(count)), SEEK_SET) >= 0 else {
            throw .last("seek in", path)
        }
        return try file.readAll(limit: count, path: path).bytes
    }

    /// At most `count` bytes of a file from byte `start` on; fewer at its end.
    package static func read(_ path: String, from start: Int, count: Int) throws(SystemError) -> [UInt8] {
        let file = try openForReading(path)
        guard lseek(file.number, off_t(start), SEEK_SET) >= 0 else { throw .last("seek in", path) }
        return try file.readAll(limit: count, path: path).bytes
    }

    /// Whether `path` is a folder that this user owns and nobody else may change or look into.
    package static func isPrivate(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
            && information.st_uid == geteuid() && information.st_mode & 0o077 == 0
    }

    /// The whole regular file; fails with EFBIG past `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let (bytes, truncated) = try openForReading(path).readAll(limit: limit, path: path)
        if truncated { throw SystemError(code: EFBIG, attempted: "read", path: path) }
        return bytes
    }

    /// Hands the bytes of a regular file to `body` in pieces, in bounded memory.
    package static func readInPieces(
        _ path: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(SystemError) {
        let file = try openForReading(path)
        // No larger than the file: most of the files of a cycle are small, and to fill a large buffer takes longer than they do.
        var chunk = [UInt8](repeating: 0, count: min(256 << 10, max(4096, Int(clamping: file.size ?? 0) + 1)))
        while true {
            let got = uninterrupted { Glibc.read(file.number, &chunk, chunk.count) }
            guard got >= 0 else { throw .last("read", path) }
            if got == 0 { return }
            chunk.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.prefix(got))) }
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    package static func list(_ path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw .last("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package static func rename(_ old: String, to new: String) throws(SystemError) {
        guard Glibc.rename(old, new) == 0 else { throw .last("rename", "\(old) to \(new)") }
    }

    package static func remove(_ path: String) throws(SystemError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .last("remove", path) }
    }

    /// Makes the names in a folder survive a loss of power.
    package static func synchronizeDirectory(_ path: String) throws(SystemError) {
        let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        guard fsync(folder.number) == 0 else { throw .last("sync folder", path) }
    }

    /// Points the symbolic link `path` at `target`, in one step where it existed.
    package static func replaceLink(_ path: String, target: String) throws(SystemError) {
        let temporary = "\(path).\(getpid()).tmp"
        _ = unlink(temporary)
        guard symlink(target, temporary) == 0 else { throw .last("create link", temporary) }
        guard Glibc.rename(temporary, path) == 0 else {
            let failure = SystemError.last("replace link", path)
            _ = unlink(temporary)
            throw failure
        }
    }

    /// Where the symbolic link `path` points; nil where it is none.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { raw -> Int in
            guard let base = raw.baseAddress else { return -1 }
            return readlink(path, base.assumingMemoryBound(to: CChar.self), raw.count)
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    /// Bytes that an unprivileged writer may still use on the file system of `path`.
    package static func freeBytes(at path: String) throws(SystemError) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .last("ask for free space at", path) }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Room on the disk of `path`; inodes are nil where its file system does not count them.
    package static func space(at path: String) throws(SystemError) -> DiskSpace {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .last("ask for free space at", path) }
        let block = UInt64(status.f_frsize)
        return DiskSpace(
            freeBytes: Int64(clamping: UInt64(status.f_bavail) * block),
            bytes: Int64(clamping: UInt64(status.f_blocks) * block),
            freeInodes: status.f_files > 0 ? Int64(clamping: status.f_favail) : nil,
            inodes: status.f_files > 0 ? Int64(clamping: status.f_files) : nil)
    }

    /// The path without its last component; `.` for a bare name, `/` for the root.
    package static func parent(of path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    /// The file that a command name stands for: a name with a slash is one already, another is searched in `path`
    /// (the value of PATH). A relative name with a slash counts from `directory`.
    package static func executable(_ name: String, path: String?, directory: String?) -> String? {
        if name.contains("/") {
            let whole = name.hasPrefix("/") || directory == nil ? name : "\(directory ?? ".")/\(name)"
            return exists(whole) ? whole : nil
        }
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if isExecutable(candidate) { return candidate }
        }
        return nil
    }
}

/// What a file system has, and has left for this user.
package struct DiskSpace: Hashable, Sendable {
    package var freeBytes: Int64
    package var bytes: Int64
    package var freeInodes: Int64?
    package var inodes: Int64?
}
