// SPDX-License-Identifier: Apache-2.0
// What can go wrong with an HTTP exchange or a WebSocket handshake.

package import Platform

/// Why an HTTP exchange failed.
package enum HTTPError: Error, Hashable, Sendable {
    case badAddress(String, reason: String)
    /// TLS did not come about: no openssl, no trust in the certificate, no common version.
    case tls(String)
    /// A header of the request cannot be sent as it is.
    case badRequestHeader(name: String)
    case socket(SocketError)
    case headTooLarge(limit: Int)
    case tooManyHeaders(limit: Int)
    /// The bytes are not HTTP/1.x.
    case malformed(String)
    /// The other side ended the connection too early.
    case truncated(String)
}

extension HTTPError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badAddress(let text, let reason): "cannot use the address \(text.quoted): \(reason)"
        case .tls(let what): "cannot open a TLS connection: \(what)"
        case .badRequestHeader(let name): "cannot send the header \(name.quoted): it contains a forbidden character"
        case .socket(let error): error.description
        case .headTooLarge(let limit): "the head of the message has more than \(limit) bytes"
        case .tooManyHeaders(let limit): "the message has more than \(limit) headers"
        case .malformed(let what): "the message is not HTTP: \(what)"
        case .truncated(let what): "the connection ended in the middle of \(what)"
        }
    }
}

/// Why a WebSocket connection could not be opened or used.
package enum WebSocketError: Error, Hashable, Sendable {
    case http(HTTPError)
    case socket(SocketError)
    /// The server answered the upgrade with another status; 401 and 403 mean that it wants other credentials.
    case refused(status: Int, reason: String)
    /// The server said 101, but its handshake is wrong.
    case badHandshake(String)
    case violation(ProtocolViolation)
    /// The connection ended without a close frame (what browsers report as 1006).
    case abnormalClosure
    /// This side has closed already.
    case alreadyClosed
}

extension WebSocketError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .http(let error): error.description
        case .socket(let error): error.description
        case .refused(let status, let reason): "the server refused the upgrade with \(status) \(reason.quoted)"
        case .badHandshake(let what): "the handshake is wrong: \(what)"
        case .violation(let violation): "the peer broke the protocol: \(violation)"
        case .abnormalClosure: "the connection ended without a close frame"
        case .alreadyClosed: "cannot send after the close frame"
        }
    }
}

extension String {
    /// The text in quotes, cut and without control characters: it came from outside and goes into a message.
    var quoted: String {
        let shown = unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
        return "\"\(shown.joined())\(unicodeScalars.count > 200 ? "…" : "")\""
    }
}
