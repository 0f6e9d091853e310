// SPDX-License-Identifier: Apache-2.0
// Follows a growing file, like `tail -F`, on a thread of its own.

import CShims
import Glibc
import Synchronization

/// Hands over what is appended to a file, in order, from an offset on.
///
/// inotify wakes it within microseconds; a look every 250 ms serves file systems that do not tell.
package final class FileFollower: Sendable {
    /// Gets each run of new bytes and the offset of its first, on the follower's thread. It may block: the file waits.
    package typealias Handler = @Sendable (_ bytes: [UInt8], _ offset: Int64) -> Void

    private static let pollMilliseconds: Int32 = 250
    private static let pieceBytes = 256 << 10

    private let path: String
    private let handler: Handler
    private let wakeRead: Descriptor
    private let wakeWrite: Descriptor
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Starts following `path`, which need not exist yet.
    package init(_ path: String, from offset: Int64 = 0, handler: @escaping Handler) throws(SystemError) {
        self.path = path
        self.handler = handler
        (wakeRead, wakeWrite) = try Descriptor.pipe()
        wakeWrite.makeNonBlocking()
        try PlatformThread.start("follower") { [self] in
            let watch = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
            let notifier = watch >= 0 ? Descriptor(owning: watch) : nil
            follow(from: offset, notifier)
            let waiting = state.withLock { state in
                state.hasEnded = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
            // Closed only now: the kernel takes 10 to 20 ms to let go of a watch, and nobody should wait for that.
            withExtendedLifetime(notifier) {}
        }
    }

    /// Stops after everything that the file holds by now was handed over. Returns when the last handler call is done.
    package func finish() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                state.isStopping = true
                if !state.hasEnded { state.waiting.append(continuation) }
                return state.hasEnded
            }
            var byte: UInt8 = 1
            _ = write(wakeWrite.number, &byte, 1)
            if hasEnded { continuation.resume() }
        }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func follow(from offset: Int64, _ notifier: Descriptor?) {
        var position = offset
        var file: Descriptor?
        // Until the file exists its folder is watched, then the file itself.
        watchChanges(notifier, of: Files.parent(of: path), UInt32(IN_CREATE) | UInt32(IN_MOVED_TO))
        while true {
            // Asked before reading: what was written before the stop is then surely read.
            let isLast = isStopping
            if file == nil, let opened = try? Descriptor.open(path, O_RDONLY) {
                file = opened
                watchChanges(notifier, of: path, UInt32(IN_MODIFY))
            }
            if let file { drain(file, &position) }
            if isLast { return }
            sleepUntilChange(notifier)
        }
    }

    private func watchChanges(_ notifier: Descriptor?, of path: String, _ mask: UInt32) {
        if let notifier { _ = inotify_add_watch(notifier.number, path, mask) }
    }

    private func drain(_ file: Descriptor, _ position: inout Int64) {
        // A file that became shorter was begun again.
        if let size = file.size, size < position { position = 0 }
        while let size = file.size, size > position {
            let piece = Int(min(Int64(FileFollower.pieceBytes), size - position))
            let bytes = [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in
                count = max(0, uninterrupted { pread(file.number, buffer.baseAddress, buffer.count, off_t(position)) })
            }
            if bytes.isEmpty { return }
            handler(bytes, position)
            position += Int64(bytes.count)
        }
    }

    private func sleepUntilChange(_ notifier: Descriptor?) {
        var entries = [
            pollfd(fd: wakeRead.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: notifier?.number ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&entries, 2, FileFollower.pollMilliseconds)
        guard let notifier, entries[1].revents != 0 else { return }
        var events = [UInt8](repeating: 0, count: 4096)
        while read(notifier.number, &events, events.count) > 0 {}
    }
}
