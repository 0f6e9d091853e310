// SPDX-License-Identifier: Apache-2.0
// What clients say to an HTTP proxy (RFC 9110 section 9.3.6, RFC 9112 section 3.2): CONNECT, and absolute addresses.

internal import WebSocket

/// A request to the proxy itself.
enum ProxyRequest: Equatable {
    case incomplete
    case refused
    /// Connect there; `rest` is what the server gets first, and `answers` says whether the client waits for a 200.
    case connect(NetworkPath.Hop, rest: [UInt8], answers: Bool)

    static let established = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)
    static let badRequest = Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
    static let badGateway = Array("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)

    static func read(_ bytes: [UInt8]) -> ProxyRequest {
        var rest = bytes
        do {
            guard let head = try HTTPHead.take(from: &rest) else { return .incomplete }
            let (method, target) = try head.request()
            if method == "CONNECT" {
                let address = try HTTPAddress("https://" + target)
                return .connect(.init(address.host, address.port), rest: rest, answers: true)
            }
            let address = try HTTPAddress(target)
            guard !address.isSecure else { return .refused }
            // One request per connection: the next one may be for another server.
            let fields = head.headers.fields.filter {
                !["connection", "proxy-connection", "proxy-authorization"].contains($0.name.lowercased())
            }
            let lines = fields.map { "\($0.name): \($0.value)\r\n" }.joined()
            let text = "\(method) \(address.target) HTTP/1.1\r\n\(lines)Connection: close\r\n\r\n"
            return .connect(.init(address.host, address.port), rest: Array(text.utf8) + rest, answers: false)
        } catch {
            return .refused
        }
    }
}
