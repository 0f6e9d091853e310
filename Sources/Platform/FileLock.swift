// SPDX-License-Identifier: Apache-2.0
// Locks by flock: held by an open descriptor, so a dead owner never leaves a stale one.

import Glibc

/// A lock on a file, held until it is released or its owner dies.
package final class FileLock: Sendable {
    package let path: String
    private let descriptor: Descriptor

    private init(path: String, descriptor: Descriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Takes the lock without waiting; nil where another holds it.
    ///
    /// - Parameters:
    ///   - owner: written into the file, as information for people and for who finds the lock busy.
    ///   - isShared: others may hold it as well, as long as they share it, too.
    package static func take(
        _ path: String, owner: String, isShared: Bool = false
    ) throws(SystemError) -> FileLock? {
        let descriptor = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
        guard try lock(descriptor, isShared ? LOCK_SH : LOCK_EX, path: path) else { return nil }
        guard ftruncate(descriptor.number, 0) == 0 else { throw .last("empty", path) }
        try descriptor.writeAll(Array(owner.utf8), path: path)
        return FileLock(path: path, descriptor: descriptor)
    }

    /// What the last owner wrote about itself; it may be gone.
    package static func owner(of path: String) -> String? {
        (try? Files.read(path, limit: 64 << 10)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether somebody holds the lock on an existing file now.
    package static func isHeld(_ path: String) throws(SystemError) -> Bool {
        let descriptor = try Descriptor.open(path, O_RDONLY)
        // Shared, so that two who ask at once do not see each other.
        return try !lock(descriptor, LOCK_SH, path: path)
    }

    /// Whether the file is still the one that its path names: another can take the lock otherwise.
    package var isInPlace: Bool { descriptor.isNamed(path) }

    /// Sets the time of the file to now: what clears old files out of /tmp leaves it alone.
    package func touch() {
        _ = futimens(descriptor.number, nil)
    }

    /// Releases the lock; the file stays.
    package func release() {
        _ = flock(descriptor.number, LOCK_UN)
    }

    private static func lock(_ descriptor: Descriptor, _ kind: Int32, path: String) throws(SystemError) -> Bool {
        if uninterrupted({ flock(descriptor.number, kind | LOCK_NB) }) == 0 { return true }
        let failure = SystemError.last("lock", path)
        guard failure.code == EWOULDBLOCK else { throw failure }
        return false
    }
}
