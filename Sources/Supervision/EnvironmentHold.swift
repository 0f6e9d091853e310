// SPDX-License-Identifier: Apache-2.0
// The hold of a loop on its environment, for as long as it runs.

import Domain
import Platform
import Synchronization

/// Loops that name the same environment exclude each other, whatever their state folders. A loop that names none has one
/// called like itself, which it shares with its namesakes: two projects may both call their loop `staging`.
final class EnvironmentHold: Sendable {
    /// As the settings call it.
    let name: String
    private let path: String
    private let owner: String
    private let isShared: Bool
    private let lock: Mutex<FileLock>

    private init(_ settings: LoopSettings, owner: String, _ lock: FileLock) {
        name = settings.environment
        path = EnvironmentPlaces.loopLock(settings)
        isShared = EnvironmentPlaces.isShared(settings)
        self.owner = owner
        self.lock = Mutex(lock)
    }

    /// - Throws: `LoopError.held` where another loop has it.
    static func take(_ settings: LoopSettings, host: String) throws -> EnvironmentHold {
        let owner = "loop \(settings.name), process \(ThisProcess.id) on \(host), state \(settings.stateDirectory)"
        let lock = try lock(
            EnvironmentPlaces.loopLock(settings), environment: settings.environment, owner: owner,
            isShared: EnvironmentPlaces.isShared(settings))
        return EnvironmentHold(settings, owner: owner, lock)
    }

    private static func lock(_ path: String, environment: String, owner: String, isShared: Bool) throws -> FileLock {
        let base = EnvironmentPlaces.base
        try Files.createDirectories(EnvironmentPlaces.folder)
        // Anybody may create names in /tmp, and links in a folder of others would lead our writes astray.
        guard Files.isPrivate(base) else {
            throw LoopError.cannotStart(
                "\(base) keeps the locks on environments and must belong to this user alone (mode 0700); remove it")
        }
        guard let lock = try FileLock.take(path, owner: owner, isShared: isShared) else {
            throw LoopError.held("environment \(environment): \(FileLock.owner(of: path) ?? "unknown owner")")
        }
        return lock
    }

    /// Keeps the lock's file young, since old ones are cleared out of /tmp. Where it was removed the lock is taken again:
    /// then the answer is true. Throws where another loop was faster.
    func keep() throws -> Bool {
        try lock.withLock { lock in
            lock.touch()
            if lock.isInPlace { return false }
            lock = try EnvironmentHold.lock(path, environment: name, owner: owner, isShared: isShared)
            return true
        }
    }

    /// Why the environment is not this loop's now; nil where it is. Takes the lock again where it can.
    var missing: String? {
        do {
            _ = try keep()
            return nil
        } catch {
            return "the lock on environment \(name) is missing: \(error)"
        }
    }

    func release() { lock.withLock { $0.release() } }
}
