// SPDX-License-Identifier: Apache-2.0
// Many sockets served by one thread: readiness (epoll) and calls that never wait.

internal import CShims
internal import Glibc

/// What one call on a socket that must not wait brought.
package enum SocketProgress: Hashable, Sendable {
    /// So many bytes went through, at least one.
    case bytes(Int)
    /// Not now.
    case wouldWait
    /// The other side has ended its half (reading only).
    case ended
    /// The connection is broken; the errno.
    case failed(Int32)
}

extension Socket {
    /// Small writes go out at once (no Nagle).
    package func sendAtOnce() {
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Reads what is there into the start of `buffer`.
    package func readNow(into buffer: inout [UInt8]) -> SocketProgress {
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldWait : .failed(errno)
        }
    }

    /// Writes as much of `bytes` as there is room for.
    package func writeNow(_ bytes: ArraySlice<UInt8>) -> SocketProgress {
        while true {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldWait : .failed(errno)
        }
    }

    /// The numeric address at the other end of a TCP connection, without its port; nil where there is none.
    package var remoteAddress: String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 64)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getpeername(descriptor, address, &length) == 0
                    && getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard isKnown else { return nil }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Readiness of many sockets, for one thread that serves them all. Level triggered.
package final class SocketPoll: Sendable {
    /// What to wait for. Errors and hang-ups are always reported.
    package struct Interest: OptionSet, Hashable, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: 1)
        package static let write = Interest(rawValue: 2)
    }

    /// A socket that is ready, by the tag it was added with.
    package struct Event: Hashable, Sendable {
        package var tag: UInt64
        package var readable: Bool
        package var writable: Bool
        /// The connection has failed, or both halves are over.
        package var broken: Bool
    }

    /// The tag of `wake`.
    package static let wakeTag = UInt64.max

    private let poll: Descriptor
    private let wakeEnds: (read: Descriptor, write: Descriptor)

    package init() throws(SystemError) {
        let number = nightjar_poll_create()
        guard number >= 0 else { throw .last("create", "an epoll instance") }
        poll = Descriptor(owning: number)
        wakeEnds = try Descriptor.pipe()
        wakeEnds.read.makeNonBlocking()
        wakeEnds.write.makeNonBlocking()
        guard nightjar_poll_watch(number, wakeEnds.read.number, SocketPoll.wakeTag, 1) == 0 else {
            throw .last("watch", "a pipe")
        }
    }

    /// Watches a socket, or changes what is watched of it.
    package func watch(_ socket: Socket, tag: UInt64, _ interest: Interest) {
        _ = nightjar_poll_watch(poll.number, socket.descriptor, tag, interest.rawValue)
    }

    /// Watches a listener for connections to accept.
    package func watch(_ listener: SocketListener, tag: UInt64) {
        watch(listener.socket, tag: tag, .read)
    }

    package func forget(_ socket: Socket) {
        _ = nightjar_poll_forget(poll.number, socket.descriptor)
    }

    package func forget(_ listener: SocketListener) {
        forget(listener.socket)
    }

    /// Waits for events, at most `timeout` (nil: for ever), rounded up to milliseconds; empty at the timeout.
    package func wait(_ timeout: Duration?) -> [Event] {
        var tags = [UInt64](repeating: 0, count: 64)
        var states = [Int32](repeating: 0, count: 64)
        var milliseconds: Int32 = -1
        if let timeout {
            let (seconds, attoseconds) = timeout.components
            let whole = min(seconds, 3600) * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            milliseconds = Int32(max(0, whole))
        }
        let count = Int(nightjar_poll_wait(poll.number, &tags, &states, 64, milliseconds))
        guard count > 0 else { return [] }
        return (0..<count).map { index in
            if tags[index] == SocketPoll.wakeTag { drain() }
            let state = states[index]
            return Event(
                tag: tags[index], readable: state & 1 != 0, writable: state & 2 != 0, broken: state & 4 != 0)
        }
    }

    /// Ends a wait, from any thread; the event has `wakeTag`.
    package func wake() {
        var byte: UInt8 = 1
        _ = write(wakeEnds.write.number, &byte, 1)
    }

    private func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeEnds.read.number, &bytes, bytes.count) > 0 {}
    }
}

extension SocketListener {
    /// The next connection, or nil where none waits or the listener is over.
    package func acceptNow() -> Socket? {
        try? accept(deadline: .after(.zero))
    }
}
