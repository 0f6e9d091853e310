// SPDX-License-Identifier: Apache-2.0
// A TCP listener and its connections for code that waits with a `Poller`: no call here blocks.

import CShims
import Glibc

/// A numeric address and a port, as `--listen` names them: `127.0.0.1:8787`, `[::1]:8787`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    /// Nil for anything but a numeric address with a port.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            text[text.index(after: colon)...].utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard host.contains(":") == isBracketed, SocketAddress.numeric(String(host), port: port) != nil else {
            return nil
        }
        self.host = String(host)
        self.port = port
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

package final class ServerSocket: Sendable {
    package enum Arrival: Sendable {
        case connection(Descriptor)
        /// Nobody is waiting.
        case none
        /// The process or the system has no room for another descriptor; it comes again.
        case noRoom
    }

    package let descriptor: Descriptor
    /// The port it got, where 0 was asked for.
    package let port: UInt16

    package init(_ address: ListenAddress) throws(SocketError) {
        let target = "\(address)"
        guard let place = SocketAddress.numeric(address.host, port: address.port) else {
            throw .unresolved(host: address.host, reason: "it is no numeric address")
        }
        let number = socket(place.family, Socket.streamType, 0)
        guard number >= 0 else { throw .system(operation: "create a socket for", target: target, code: errno) }
        descriptor = Descriptor(owning: number)
        // A restarted server must get its port back although old connections still linger.
        var yes: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard place.withPointer({ bind(number, $0, $1) }) == 0 else {
            throw .system(operation: "bind to", target: target, code: errno)
        }
        guard listen(number, 1024) == 0 else { throw .system(operation: "listen on", target: target, code: errno) }
        port = SocketAddress.boundPort(of: number)
    }

    package func accept() -> Arrival {
        while true {
            let number = nightjar_socket_accept(descriptor.number)
            if number >= 0 {
                var yes: Int32 = 1
                setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
                // Left to itself the kernel keeps up to 4 MB for a client that does not read.
                var bytes: Int32 = 128 << 10
                setsockopt(number, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
                return .connection(Descriptor(owning: number))
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return .none
            default: return .noRoom
            }
        }
    }
}

/// What came of one attempt to move bytes.
package enum Transfer: Equatable, Sendable {
    case moved(Int)
    /// Later: the poller tells when.
    case wouldBlock
    /// The other side ended its half, or the connection is broken.
    case ended
}

extension Descriptor {
    /// What a non-blocking socket has, at most `count` bytes, into `bytes`.
    package func receive(into bytes: inout [UInt8], upTo count: Int) -> Transfer {
        var failure: Int32 = 0
        bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let got = uninterrupted { recv(number, buffer.baseAddress, count, 0) }
            failure = got < 0 ? errno : 0
            initialized = max(0, got)
        }
        if !bytes.isEmpty { return .moved(bytes.count) }
        return failure == EAGAIN ? .wouldBlock : .ended
    }

    /// Hands `bytes` from `offset` on to a non-blocking socket, as many as it takes now.
    package func send(_ bytes: [UInt8], from offset: Int) -> Transfer {
        let sent = uninterrupted {
            bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    number, buffer.baseAddress?.advanced(by: offset), bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
        }
        if sent >= 0 { return .moved(sent) }
        return errno == EAGAIN ? .wouldBlock : .ended
    }

    /// Throws away what a non-blocking descriptor has to read, at most 4 KiB.
    package func discard() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        _ = uninterrupted { Glibc.read(number, &bytes, bytes.count) }
    }

    /// Says that nothing more will be written; reading goes on.
    package func finishSending() {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Up to `count` bytes of a file from `offset` on; empty at its end or where it cannot be read.
    package func piece(at offset: Int64, upTo count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, uninterrupted { pread(number, buffer.baseAddress, count, off_t(offset)) })
        }
    }

    /// Opens the regular file `parts` below the folder `root`. No part may be a symbolic link, so that what tests leave in
    /// an evidence folder cannot point out of it, not even while this looks.
    package static func openBeneath(_ root: String, _ parts: [String]) throws(SystemError) -> Descriptor {
        var folder = try open(root, O_RDONLY | O_DIRECTORY)
        let path = root + "/" + parts.joined(separator: "/")
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty, part != ".", part != "..", !part.utf8.contains(where: { $0 == 0 || $0 == 0x2F }) else {
                throw SystemError(code: ENOENT, attempted: "open", path: path)
            }
            let isLast = index == parts.count - 1
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY)
            let number = uninterrupted { openat(folder.number, part, flags) }
            guard number >= 0 else { throw .last("open", path) }
            folder = Descriptor(owning: number)
        }
        var status = stat()
        guard fstat(folder.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemError(code: ENOENT, attempted: "open what is no regular file,", path: path)
        }
        return folder
    }
}
