// SPDX-License-Identifier: Apache-2.0
// Processes by descriptor: a pidfd names one process for ever, whatever becomes of its number.

import CShims
import Glibc
import Synchronization

/// A process, held by descriptor. Readable (in the sense of poll) once the process has ended.
package struct Pidfd: Sendable {
    package let pid: Int32
    let descriptor: Descriptor

    /// Fails with ESRCH where no such process exists.
    package init(_ pid: Int32) throws(SystemError) {
        let number = nj_pidfd_open(pid)
        guard number >= 0 else { throw .last("watch", "process \(pid)") }
        self.pid = pid
        descriptor = Descriptor(owning: number)
    }

    /// The descriptor number, for poll.
    package var number: Int32 { descriptor.number }

    /// Sends a signal; false where the process has ended or may not be signalled.
    @discardableResult
    package func send(_ signal: Int32) -> Bool {
        nj_pidfd_send_signal(descriptor.number, signal) == 0
    }

    package var hasEnded: Bool {
        var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        return uninterrupted { poll(&entry, 1, 0) } == 1
    }
}

/// One thread that waits for the end of many processes.
package final class ExitWatcher: Sendable {
    /// What ended the wait.
    package enum Outcome: Sendable {
        case ended, deadlinePassed
    }
    package typealias Handler = @Sendable (Outcome) -> Void

    private struct Watch {
        var process: Pidfd
        /// Where the process may say that it is done, until it has closed it without a word.
        var word: Descriptor?
        var deadline: Int64?
        var handler: Handler
    }
    private struct State {
        var watches: [Watch] = []
        var isRunning = false
    }
    private let state = Mutex(State())
    private let wakeRead: Descriptor
    private let wakeWrite: Descriptor

    package init() throws(SystemError) {
        (wakeRead, wakeWrite) = try Descriptor.pipe()
        wakeRead.makeNonBlocking()
        wakeWrite.makeNonBlocking()
    }

    /// Calls `handler` once, on the watcher's thread: when the process has ended or says so, or at the deadline.
    ///
    /// - Parameters:
    ///   - word: a byte that can be read here counts as the end: what the process was there for is done, and to wait until
    ///     the kernel has taken it apart would be idle. Its mere end counts for nothing.
    ///   - deadline: nanoseconds of the monotonic clock; nil waits for ever.
    /// - Throws: where the thread cannot be started; `handler` is not called then.
    package func watch(
        _ process: Pidfd, word: Descriptor? = nil, deadline: Int64? = nil, handler: @escaping Handler
    ) throws(SystemError) {
        word?.makeNonBlocking()
        let mustStart = state.withLock { state in
            state.watches.append(Watch(process: process, word: word, deadline: deadline, handler: handler))
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart {
            do throws(SystemError) {
                try PlatformThread.start("exit-watcher") { [self] in loop() }
            } catch {
                // Nobody looks: the next watch tries to start the thread again, and this one is its caller's to mend.
                state.withLock { state in
                    state.isRunning = false
                    state.watches.removeAll { $0.process.number == process.number }
                }
                throw error
            }
        } else {
            var byte: UInt8 = 1
            _ = write(wakeWrite.number, &byte, 1)
        }
    }

    private func loop() {
        while true {
            let watches = state.withLock { $0.watches }
            var entries = watches.map { pollfd(fd: $0.process.number, events: Int16(POLLIN), revents: 0) }
            entries += watches.map { pollfd(fd: $0.word?.number ?? -1, events: Int16(POLLIN), revents: 0) }
            entries.append(pollfd(fd: wakeRead.number, events: Int16(POLLIN), revents: 0))
            let timeout = ExitWatcher.timeout(until: watches.compactMap(\.deadline).min())
            _ = poll(&entries, nfds_t(entries.count), timeout)
            drainWakePipe()
            let now = SystemClock.monotonicNanoseconds
            var ended = Set(entries.prefix(watches.count).filter { $0.revents != 0 }.map(\.fd))
            let heard = Set(entries.dropFirst(watches.count).dropLast().filter { $0.revents != 0 }.map(\.fd))
            for watch in watches {
                if let word = watch.word, heard.contains(word.number), hear(word) { ended.insert(watch.process.number) }
            }
            for (handler, outcome) in takeFinished(ended: ended, now: now) { handler(outcome) }
        }
    }

    private func takeFinished(ended: Set<Int32>, now: Int64) -> [(Handler, Outcome)] {
        state.withLock { state in
            var finished: [(Handler, Outcome)] = []
            state.watches.removeAll { watch in
                let isOver = ended.contains(watch.process.number)
                guard isOver || (watch.deadline.map { $0 <= now } ?? false) else { return false }
                finished.append((watch.handler, isOver ? .ended : .deadlinePassed))
                return true
            }
            return finished
        }
    }

    /// Whether a word came. Closed without one, it is not listened to any more: the process itself will tell.
    private func hear(_ word: Descriptor) -> Bool {
        var byte: UInt8 = 0
        if uninterrupted({ read(word.number, &byte, 1) }) == 1 { return true }
        state.withLock { state in
            for index in state.watches.indices where state.watches[index].word?.number == word.number {
                state.watches[index].word = nil
            }
        }
        return false
    }

    private func drainWakePipe() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeRead.number, &bytes, bytes.count) > 0 {}
    }

    /// Milliseconds for poll until a monotonic time, rounded up; -1 without one.
    private static func timeout(until deadline: Int64?) -> Int32 {
        guard let deadline else { return -1 }
        let nanoseconds = max(0, deadline - SystemClock.monotonicNanoseconds)
        return Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
    }
}
