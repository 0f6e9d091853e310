// SPDX-License-Identifier: Apache-2.0
// Opening a WebSocket as a client.

package import Platform

/// Opens WebSockets.
package enum WebSocketClient {
    /// Opens `url` (`ws://` or `wss://`). Blocks until the handshake is checked or the deadline passes.
    package static func connect(
        _ url: String, headers: HTTPHeaders = HTTPHeaders(), subprotocols: [String] = [],
        over path: NetworkPath = .direct, deadline: SocketDeadline,
        limits: WebSocketLimits = WebSocketLimits(), answersPings: Bool = true
    ) throws(WebSocketError) -> WebSocketConnection {
        var random = SystemRandomNumberGenerator()
        let request = WebSocketHandshake.requestHeaders(
            nonce: random.bytes(16), subprotocols: subprotocols, extra: headers)
        let (exchange, head) = try ask(url, request, over: path, deadline: deadline)
        let subprotocol = try WebSocketHandshake.checkResponse(
            status: head.status, reason: head.reason, headers: head.head.headers,
            key: request["Sec-WebSocket-Key"] ?? "", subprotocols: subprotocols)
        return WebSocketConnection(
            link: exchange.link, role: .client, leftover: exchange.buffer, subprotocol: subprotocol,
            limits: limits, answersPings: answersPings)
    }

    /// Asks for the upgrade and returns the whole answer, body included, where the server refuses it; nil where it accepts.
    package static func refusal(
        _ url: String, headers: HTTPHeaders = HTTPHeaders(), subprotocols: [String] = [],
        over path: NetworkPath = .direct, deadline: SocketDeadline
    ) throws(WebSocketError) -> HTTPResponse? {
        var random = SystemRandomNumberGenerator()
        let request = WebSocketHandshake.requestHeaders(
            nonce: random.bytes(16), subprotocols: subprotocols, extra: headers)
        var (exchange, answer) = try ask(url, request, over: path, deadline: deadline)
        defer { exchange.link.end() }
        guard answer.status != 101 else { return nil }
        do throws(HTTPError) {
            let fields = answer.head.headers
            var decoder = try HTTPBodyDecoder(responseTo: answer.status, headers: fields, limit: 64 << 10)
            try exchange.readBody(into: &decoder)
            return HTTPResponse(
                status: answer.status, reason: answer.reason, headers: fields, body: decoder.body,
                bodyIsCut: decoder.isCut, timings: exchange.timings())
        } catch {
            throw .http(error)
        }
    }

    private typealias Answer = (head: HTTPHead, status: Int, reason: String)

    private static func ask(
        _ url: String, _ headers: HTTPHeaders, over path: NetworkPath, deadline: SocketDeadline
    ) throws(WebSocketError) -> (HTTPExchange, Answer) {
        do throws(HTTPError) {
            let address = try HTTPAddress(url, schemes: ["ws", "http"])
            var exchange = try HTTPExchange(address: address, over: path, deadline: deadline)
            try exchange.send("GET", address, headers, body: [])
            let answer = try exchange.readHead()
            return (exchange, answer)
        } catch {
            throw .http(error)
        }
    }
}
