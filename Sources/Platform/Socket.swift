// SPDX-License-Identifier: Apache-2.0
// A connected stream socket, TCP or Unix: blocking calls that keep deadlines, close-on-exec, no SIGPIPE.

internal import CShims
internal import Glibc

/// A connected stream socket.
///
/// The calls block the calling thread, so they belong on a thread of their own, never in a task. The descriptor is
/// closed when the last reference goes: `shutdown()` may therefore be called from any thread at any time, and wakes
/// whoever waits, without the descriptor being reused under their hands.
package final class Socket: Sendable {
    let descriptor: Int32
    /// What is at the other end, as messages name it.
    package let peer: String

    /// Takes over `descriptor`, which must be non-blocking and close-on-exec.
    init(owning descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
    }

    deinit {
        close(descriptor)
    }

    /// Connects to a TCP port. Every address of the host is tried in turn, each with its share of the time left.
    /// `source` is the numeric local address to come from, nil for the one that the route has.
    package static func connect(
        host: String, port: UInt16, from source: String? = nil, deadline: SocketDeadline
    ) throws(SocketError) -> Socket {
        let target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let addresses = try SocketAddress.resolve(host: host, port: port, deadline: deadline)
        var failure = SocketError.unresolved(host: host, reason: "it has no address")
        for (index, address) in addresses.enumerated() {
            let share = deadline.remaining.map { deadline.atMost($0 / (addresses.count - index)) } ?? deadline
            do {
                let socket = try connect(to: address, from: source, target: target, deadline: share)
                socket.sendAtOnce()
                return socket
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Connects to a Unix stream socket; `@name` is a name in the abstract name space.
    package static func connect(unix path: String, deadline: SocketDeadline) throws(SocketError) -> Socket {
        try connect(to: SocketAddress.unix(path), target: path, deadline: deadline)
    }

    /// Two Unix sockets connected to each other.
    package static func pair() throws(SocketError) -> (Socket, Socket) {
        var descriptors: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, streamType, 0, &descriptors) == 0 else {
            throw .system(operation: "create", target: "a socket pair", code: errno)
        }
        return (Socket(owning: descriptors[0], peer: "the pair"), Socket(owning: descriptors[1], peer: "the pair"))
    }

    static let streamType =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func connect(
        to address: SocketAddress, from source: String? = nil, target: String, deadline: SocketDeadline
    ) throws(SocketError) -> Socket {
        let descriptor = socket(address.family, streamType, 0)
        guard descriptor >= 0 else { throw .system(operation: "create a socket for", target: target, code: errno) }
        let connection = Socket(owning: descriptor, peer: target)
        if let source {
            guard let local = SocketAddress.numeric(source, port: 0), local.family == address.family else {
                throw .unresolved(host: source, reason: "a local address must be numeric and of the target's family")
            }
            guard local.withPointer({ bind(descriptor, $0, $1) }) == 0 else {
                throw .system(operation: "come from \(source) to", target: target, code: errno)
            }
        }
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        if result == 0 { return connection }
        guard errno == EINPROGRESS || errno == EINTR else {
            throw .system(operation: "connect to", target: target, code: errno)
        }
        try connection.wait(for: POLLOUT, until: deadline, "connect to")
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw .system(operation: "connect to", target: target, code: code) }
        return connection
    }
}

// MARK: - Reading and writing

extension Socket {
    /// Reads what is there, at most `count` bytes; waits for the first one. Empty means that the other side has ended
    /// its half.
    package func read(upTo count: Int, deadline: SocketDeadline) throws(SocketError) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                let received = recv(descriptor, buffer.baseAddress, count, 0)
                failure = received < 0 ? errno : 0
                initialized = max(0, received)
            }
            switch failure {
            case 0: return bytes
            case EINTR: continue
            case EAGAIN: try wait(for: POLLIN, until: deadline, "read from")
            default: throw .system(operation: "read from", target: peer, code: failure)
            }
        }
    }

    /// Writes all of `bytes`.
    package func write(_ bytes: [UInt8], deadline: SocketDeadline) throws(SocketError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(for: POLLOUT, until: deadline, "write to")
            case EPIPE: throw .closed(operation: "write to", target: peer)
            case let code: throw .system(operation: "write to", target: peer, code: code)
            }
        }
    }

    /// Ends both directions and wakes whoever waits on this socket. Harmless when repeated.
    package func shutdown() {
        _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Says that nothing more will be written; reading goes on.
    package func finishWriting() {
        _ = Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the close of this TCP socket a reset instead of an orderly end, as a crashed or cut off peer shows itself.
    package func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// The user and the process at the other end of a Unix socket, as the kernel noted them at connect.
    package func peerCredentials() throws(SocketError) -> (user: UInt32, process: Int32) {
        var user: UInt32 = 0
        var process: Int32 = 0
        guard nightjar_socket_peer(descriptor, &user, &process) == 0 else {
            throw .system(operation: "ask who is at the other end of", target: peer, code: errno)
        }
        return (user, process)
    }

    /// Waits until the descriptor is ready, has an error, or the deadline passes.
    func wait(for events: Int32, until deadline: SocketDeadline, _ operation: String) throws(SocketError) {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let ready = poll(&request, 1, deadline.pollMilliseconds)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .system(operation: operation, target: peer, code: errno) }
            if deadline.isPast { throw .timedOut(operation: operation, target: peer) }
        }
    }
}
