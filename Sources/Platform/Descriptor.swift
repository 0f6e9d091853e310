// SPDX-License-Identifier: Apache-2.0
// An owned file descriptor: opened close-on-exec, closed once.

import CShims
import Glibc

/// A file descriptor that is closed when the last reference to it goes.
package final class Descriptor: Sendable {
    /// The number, valid as long as this object is alive.
    package let number: Int32

    /// Takes over `number`, which must be open and owned by nobody else.
    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        _ = close(number)
    }

    /// Opens `path` with close-on-exec added to `flags`.
    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        let number = uninterrupted { Glibc.open(path, flags | O_CLOEXEC, mode) }
        guard number >= 0 else { throw .last("open", path) }
        return try Descriptor.aboveStandard(number)
    }

    /// A pipe with close-on-exec at both ends.
    package static func pipe() throws(SystemError) -> (read: Descriptor, write: Descriptor) {
        var ends: [Int32] = [-1, -1]
        guard nj_pipe(&ends) == 0 else { throw .last("create", "a pipe") }
        let read = try aboveStandard(ends[0])
        return (read, try aboveStandard(ends[1]))
    }

    /// Two Unix stream sockets connected to each other, close-on-exec.
    package static func socketPair() throws(SystemError) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw .last("create", "a socket pair") }
        let first = try aboveStandard(ends[0])
        return (first, try aboveStandard(ends[1]))
    }

    /// Sends `bytes` into a socket in one call that neither waits nor raises SIGPIPE; false where not all were taken.
    package func sendAtOnce(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        } == bytes.count
    }

    /// Of a socket: nothing more is sent, and its reader comes to the end; what the other side sends still arrives.
    package func endSending() {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// An anonymous file in memory that holds `bytes` and is positioned at its start.
    package static func memory(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let number = nj_memory_file("nightjar")
        guard number >= 0 else { throw .last("create", "a file in memory") }
        let file = try aboveStandard(number)
        try file.writeAll(bytes, path: "a file in memory")
        guard lseek(file.number, 0, SEEK_SET) == 0 else { throw .last("rewind", "a file in memory") }
        return file
    }

    /// Moves a number of 0, 1 or 2 (a daemon started without standard streams) out of the way of the spawn.
    private static func aboveStandard(_ number: Int32) throws(SystemError) -> Descriptor {
        guard number < 3 else { return Descriptor(owning: number) }
        let moved = fcntl(number, F_DUPFD_CLOEXEC, 3)
        let failure = SystemError.last("duplicate", "descriptor \(number)")
        _ = close(number)
        guard moved >= 0 else { throw failure }
        return Descriptor(owning: moved)
    }

    /// Makes reads and writes answer at once.
    package func makeNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }

    /// Writes all of `buffer`, waiting where needed.
    package func writeAll(_ buffer: UnsafeRawBufferPointer, path: String = "a descriptor") throws(SystemError) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
            let wrote = uninterrupted { write(number, rest.baseAddress, rest.count) }
            guard wrote > 0 else { throw .last("write", path) }
            done += wrote
        }
    }

    package func writeAll(_ bytes: [UInt8], path: String = "a descriptor") throws(SystemError) {
        try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
            try writeAll(UnsafeRawBufferPointer(buffer), path: path)
        }
    }

    /// Reads to the end, at most `limit` bytes; `truncated` where there was more.
    package func readAll(
        limit: Int, path: String = "a descriptor"
    ) throws(SystemError) -> (bytes: [UInt8], truncated: Bool) {
        var bytes: [UInt8] = []
        // A file says how long it is: an array that grows by doubling would need three times that for a moment.
        let expected = Int(clamping: size ?? 0)
        bytes.reserveCapacity(min(limit, expected))
        var chunk = [UInt8](repeating: 0, count: min(64 << 10, max(16 << 10, expected)))
        while true {
            let got = uninterrupted { read(number, &chunk, chunk.count) }
            guard got >= 0 else { throw .last("read", path) }
            if got == 0 { return (bytes, false) }
            let room = limit - bytes.count
            bytes.append(contentsOf: chunk.prefix(min(got, room)))
            if got > room { return (bytes, true) }
        }
    }

    /// Makes what was written survive a loss of power.
    package func synchronize(path: String) throws(SystemError) {
        guard uninterrupted({ fdatasync(number) }) == 0 else { throw .last("sync", path) }
    }

    package var size: Int64? {
        var status = stat()
        return fstat(number, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// Whether `path` names what is open here: not where it was removed, moved away or replaced. A disk that cannot be asked
    /// now (a server of files that is away, say) tells nothing of the kind, and is asked again.
    package func isNamed(_ path: String) -> Bool {
        var (named, held) = (stat(), stat())
        guard stat(path, &named) == 0 else { return !Descriptor.saysItIsGone(errno) }
        guard fstat(number, &held) == 0 else { return true }
        return named.st_ino == held.st_ino && named.st_dev == held.st_dev
    }

    /// Whether an error of a look at a path says that nothing is there.
    static func saysItIsGone(_ error: Int32) -> Bool { error == ENOENT || error == ENOTDIR }

    /// Whether any name leads to what is open: nothing that is written to it can be found otherwise.
    package var hasName: Bool {
        var status = stat()
        return fstat(number, &status) == 0 && status.st_nlink > 0
    }

    /// The inode number of what is open: for a pipe or socket, the number in `/proc/PID/fd` links.
    package var inode: UInt64? {
        var status = stat()
        return fstat(number, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
