// SPDX-License-Identifier: Apache-2.0
// The TCP connections of this network namespace, by sock_diag (0.3 ms, where /proc/net/tcp costs 4 to 8).

import CShims

/// A TCP connection that is or was open.
package struct Connection: Hashable, Sendable {
    /// The inode of its socket, as in the links of `/proc/PID/fd`.
    package var inode: UInt64
    /// `192.0.2.7:443`, `[2001:db8::1]:443`.
    package var remote: String
}

package enum Connections {
    private static let capacity = 16_384
    private static let listening: UInt8 = 10
    /// Established, both FIN_WAIT states, CLOSE_WAIT, LAST_ACK, CLOSING: the remote side has answered.
    private static let connected: Set<UInt8> = [1, 4, 5, 8, 9, 11]

    /// The connections that were made from here: those accepted on a listening port are left out.
    package static func outgoing() -> [Connection] {
        let buffer = UnsafeMutableBufferPointer<nj_connection>.allocate(capacity: capacity)
        defer { buffer.deallocate() }
        let count = Int(nj_connections(buffer.baseAddress, Int32(capacity)))
        guard count > 0 else { return [] }
        let sockets = buffer.prefix(count)
        let served = Set(sockets.filter { $0.state == listening }.map(\.local_port))
        return sockets.compactMap { socket in
            guard connected.contains(socket.state), socket.inode != 0, !served.contains(socket.local_port) else {
                return nil
            }
            return Connection(inode: socket.inode, remote: address(of: socket) + ":\(socket.remote_port)")
        }
    }

    private static func address(of socket: nj_connection) -> String {
        let bytes = withUnsafeBytes(of: socket.address) { Array($0) }
        if socket.version == 4 { return dotted(bytes[0..<4]) }
        if bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff { return dotted(bytes[12..<16]) }
        return "[" + compressed(bytes) + "]"
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map(String.init).joined(separator: ".")
    }

    /// An IPv6 address with its longest run of zero groups written `::` (RFC 5952).
    private static func compressed(_ bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        let text = groups.map { String($0, radix: 16) }
        guard !best.isEmpty else { return text.joined(separator: ":") }
        return text[..<best.lowerBound].joined(separator: ":") + "::" + text[best.upperBound...].joined(separator: ":")
    }
}
