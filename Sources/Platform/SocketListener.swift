// SPDX-License-Identifier: Apache-2.0
// Listening sockets: TCP on loopback, and Unix sockets that only their owner may open. Also one-way Unix datagrams.

internal import CShims
internal import Glibc
internal import Synchronization

/// A listening socket. `accept` blocks; `shutdown()` from any thread ends it.
package final class SocketListener: Sendable {
    let socket: Socket
    private let isShutDown = Atomic<Bool>(false)
    /// The TCP port, zero for a Unix socket.
    package let port: UInt16

    private init(socket: Socket, port: UInt16) {
        self.socket = socket
        self.port = port
    }

    /// Listens on 127.0.0.1; port 0 asks the kernel for a free one.
    package static func loopback(port: UInt16 = 0) throws(SocketError) -> SocketListener {
        try tcp(address: "127.0.0.1", port: port)
    }

    /// Listens on a numeric local address; port 0 asks the kernel for a free one.
    package static func tcp(address text: String, port: UInt16) throws(SocketError) -> SocketListener {
        let target = "\(text):\(port)"
        guard let address = SocketAddress.numeric(text, port: port) else {
            throw .unresolved(host: text, reason: "an address to listen on must be numeric")
        }
        let descriptor = Glibc.socket(address.family, Socket.streamType, 0)
        guard descriptor >= 0 else { throw .system(operation: "create a socket for", target: target, code: errno) }
        let socket = Socket(owning: descriptor, peer: target)
        // A service that is restarted must get its port back although old connections still linger.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        try bindAndListen(socket, to: address)
        return SocketListener(socket: socket, port: SocketAddress.boundPort(of: descriptor))
    }

    /// Listens on a Unix stream socket with mode 0600. A socket file that nobody listens on any more is replaced; one
    /// that is alive is an error.
    package static func unix(path: String) throws(SocketError) -> SocketListener {
        let address = try SocketAddress.unix(path)
        try removeStale(path)
        let descriptor = Glibc.socket(AF_UNIX, Socket.streamType, 0)
        guard descriptor >= 0 else { throw .system(operation: "create a socket for", target: path, code: errno) }
        let socket = Socket(owning: descriptor, peer: path)
        // Linux gives the file the mode of the unbound socket, so there is no moment at which others could open it.
        guard fchmod(descriptor, 0o600) == 0 else {
            throw .system(operation: "restrict", target: path, code: errno)
        }
        try bindAndListen(socket, to: address)
        return SocketListener(socket: socket, port: 0)
    }

    /// Waits for the next connection. Throws `closed` after `shutdown()`.
    package func accept(deadline: SocketDeadline = .never) throws(SocketError) -> Socket {
        while true {
            // A Unix listener that was shut down answers EAGAIN for ever, and is always ready.
            if isShutDown.load(ordering: .acquiring) { throw .closed(operation: "accept on", target: socket.peer) }
            let descriptor = nightjar_socket_accept(socket.descriptor)
            if descriptor >= 0 {
                return Socket(owning: descriptor, peer: "the client of \(socket.peer)")
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: try socket.wait(for: POLLIN, until: deadline, "accept on")
            case EINVAL: throw .closed(operation: "accept on", target: socket.peer)
            case let code: throw .system(operation: "accept on", target: socket.peer, code: code)
            }
        }
    }

    /// Stops listening and ends a waiting `accept`.
    package func shutdown() {
        isShutDown.store(true, ordering: .releasing)
        socket.shutdown()
    }

    private static func bindAndListen(_ socket: Socket, to address: SocketAddress) throws(SocketError) {
        guard address.withPointer({ bind(socket.descriptor, $0, $1) }) == 0 else {
            throw .system(operation: "bind to", target: socket.peer, code: errno)
        }
        guard listen(socket.descriptor, 1024) == 0 else {
            throw .system(operation: "listen on", target: socket.peer, code: errno)
        }
    }

    private static func removeStale(_ path: String) throws(SocketError) {
        var information = stat()
        guard !path.hasPrefix("@"), lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else {
            throw .badPath(path: path, reason: "there is something else than a socket")
        }
        do {
            _ = try Socket.connect(unix: path, deadline: .after(.seconds(1)))
        } catch .system(_, _, ECONNREFUSED) {
            unlink(path)
            return
        }
        throw .badPath(path: path, reason: "another process listens there")
    }
}

/// One-way messages to a Unix datagram socket, as service managers take them (sd_notify(3)).
package enum UnixDatagram {
    /// Sends one message; `@name` is a name in the abstract name space. Never waits: a full receiver is an error.
    package static func send(_ message: [UInt8], to path: String) throws(SocketError) {
        let address = try SocketAddress.unix(path)
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .system(operation: "create a socket for", target: path, code: errno) }
        defer { close(descriptor) }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let sent = message.withUnsafeBytes { bytes in
            address.withPointer { sendto(descriptor, bytes.baseAddress, bytes.count, flags, $0, $1) }
        }
        guard sent == message.count else { throw .system(operation: "send to", target: path, code: errno) }
    }
}
