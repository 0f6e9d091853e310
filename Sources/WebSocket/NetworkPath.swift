// SPDX-License-Identifier: Apache-2.0
// The way to a server: where to connect really, from where, and TLS through a child of openssl.

package import Platform

/// How connections reach a server, where that is not simply the address itself.
package struct NetworkPath: Hashable, Sendable {
    /// A host and a port.
    package struct Hop: Hashable, Sendable {
        package var host: String
        package var port: UInt16

        package init(_ host: String, _ port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// Where to connect instead of the address, for example a fault proxy. Names in headers and certificates stay those
    /// of the address.
    package var connectTo: Hop?
    /// The numeric local address to come from.
    package var source: String?
    /// A file with the certificates to trust, instead of the system's.
    package var authorities: String?
    /// The environment of `openssl`, `NAME=value`.
    package var environment: [String]

    package init(
        connectTo: Hop? = nil, source: String? = nil, authorities: String? = nil,
        environment: [String] = ["PATH=/usr/local/bin:/usr/bin:/bin"]
    ) {
        self.connectTo = connectTo
        self.source = source
        self.authorities = authorities
        self.environment = environment
    }

    /// Straight to the address.
    package static let direct = NetworkPath()
}

/// What a conversation goes over: a TCP socket, or for TLS the socket to a child of `openssl s_client`.
package final class Link: Sendable {
    package let socket: Socket
    private let child: SocketChild?

    /// A link over a socket that is connected already.
    package init(_ socket: Socket) {
        self.socket = socket
        child = nil
    }

    private init(child: SocketChild) {
        socket = child.socket
        self.child = child
    }

    /// Whether the bytes go over TLS.
    package var isSecure: Bool { child != nil }

    /// Opens the way to `address`. For TLS only the child is started: whether certificate and handshake are good shows
    /// at the first read, and `failure()` says what was wrong.
    static func open(
        _ address: HTTPAddress, over path: NetworkPath, deadline: SocketDeadline
    ) throws(HTTPError) -> Link {
        let hop = path.connectTo ?? .init(address.host, address.port)
        guard address.isSecure else {
            do {
                return Link(
                    try Socket.connect(host: hop.host, port: hop.port, from: path.source, deadline: deadline))
            } catch {
                throw .socket(error)
            }
        }
        do {
            let arguments = TLSCommand.arguments(to: hop, for: address.host, over: path)
            return Link(child: try SocketChild(arguments, environment: path.environment))
        } catch {
            throw .tls(error.isMissing ? "openssl is not installed" : error.description)
        }
    }

    /// After an end without an answer: what was wrong with TLS, or nil.
    func failure() -> HTTPError? {
        guard let child, child.waitForEnd(deadline: .after(.seconds(1))) else { return nil }
        return TLSCommand.problem(in: child.errorText).map(HTTPError.tls)
    }

    /// Ends the connection at once and wakes whoever waits on it.
    package func end() {
        socket.shutdown()
        child?.end()
    }
}

/// `openssl s_client` as a pipe through TLS.
enum TLSCommand {
    /// The certificate is verified against the name, and a failure ends the child before any byte of ours is sent.
    ///
    /// `-quiet` keeps session dumps out of the stream, and turns off what s_client otherwise does with our bytes: a
    /// line that begins with Q would end it, R would renegotiate. HTTP/2 is not offered: there is no ALPN.
    static func arguments(to hop: NetworkPath.Hop, for host: String, over path: NetworkPath) -> [String] {
        let target = hop.host.contains(":") ? "[\(hop.host)]:\(hop.port)" : "\(hop.host):\(hop.port)"
        let isNumeric = host.contains(":") || host.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        var arguments = [
            "openssl", "s_client", "-quiet", "-connect", target, "-verify_return_error", "-verify", "16",
        ]
        // RFC 6066 allows no addresses as server names.
        arguments +=
            isNumeric ? ["-verify_ip", host, "-noservername"] : ["-verify_hostname", host, "-servername", host]
        if let file = path.authorities { arguments += ["-CAfile", file, "-no-CApath", "-no-CAstore"] }
        if let source = path.source { arguments += ["-bind", source.contains(":") ? "[\(source)]:0" : "\(source):0"] }
        return arguments
    }

    /// The line that says why TLS failed, or nil where openssl complained about nothing.
    static func problem(in errors: String) -> String? {
        let lines = errors.split(separator: "\n").map(String.init)
        if let line = lines.first(where: { $0.hasPrefix("verify error:") }) {
            let reason = line.split(separator: ":").last.map(String.init) ?? line
            return "the certificate is not trusted (\(reason))"
        }
        let refused = lines.first { $0.hasPrefix("connect:errno=") || $0.contains("BIO_connect") }
        if let refused { return "no connection (\(refused.split(separator: ":").last ?? ""))" }
        guard let line = lines.first(where: { $0.contains(":error:") }) else { return nil }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        return fields.count > 5 ? String(fields[5]) : line
    }
}
