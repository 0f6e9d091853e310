// SPDX-License-Identifier: Apache-2.0
// The opening handshake, both sides (RFC 6455 section 4). Pure: keys come from the caller.

/// The opening handshake.
package enum WebSocketHandshake {
    /// The answer to a key that proves that the server speaks WebSocket.
    package static func accept(for key: String) -> String {
        Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    /// The headers of a client's request. `nonce` has 16 random bytes.
    static func requestHeaders(nonce: [UInt8], subprotocols: [String], extra: HTTPHeaders) -> HTTPHeaders {
        var headers = HTTPHeaders([
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", Base64.encode(nonce)),
        ])
        if !subprotocols.isEmpty {
            headers.fields.append(.init(name: "Sec-WebSocket-Protocol", value: subprotocols.joined(separator: ", ")))
        }
        headers.fields += extra.fields
        return headers
    }

    /// Checks what a server answered (RFC 6455 section 4.1, the six points of the client). Returns the subprotocol it chose.
    package static func checkResponse(
        status: Int, reason: String, headers: HTTPHeaders, key: String, subprotocols: [String]
    ) throws(WebSocketError) -> String? {
        guard status == 101 else { throw .refused(status: status, reason: reason) }
        guard headers.tokens("Upgrade") == ["websocket"] else {
            throw .badHandshake("the Upgrade header is not websocket")
        }
        guard headers.tokens("Connection").contains("upgrade") else {
            throw .badHandshake("the Connection header does not say Upgrade")
        }
        let answers = headers.all("Sec-WebSocket-Accept")
        guard answers.count == 1 else {
            throw .badHandshake("it has \(answers.count) Sec-WebSocket-Accept headers instead of one")
        }
        guard answers == [accept(for: key)] else {
            throw .badHandshake("Sec-WebSocket-Accept does not answer the key that was sent")
        }
        guard headers.all("Sec-WebSocket-Extensions").allSatisfy({ $0.trimmed.isEmpty }) else {
            throw .badHandshake("the server chose an extension that was not offered")
        }
        let chosen = headers.all("Sec-WebSocket-Protocol")
        guard chosen.count <= 1, chosen.allSatisfy(subprotocols.contains) else {
            throw .badHandshake(
                "the server chose the subprotocol \(chosen.joined(separator: ", ").quoted), not offered")
        }
        return chosen.first
    }

    /// What a server does with a request for an upgrade.
    package enum ServerAnswer: Hashable, Sendable {
        /// Send these bytes; frames follow.
        case accept([UInt8])
        /// Send these bytes and close.
        case refuse(status: Int, [UInt8])
    }

    /// The subprotocols that a client offers, in its order and with their case.
    package static func offeredSubprotocols(_ headers: HTTPHeaders) -> [String] {
        headers.all("Sec-WebSocket-Protocol").flatMap { $0.split(separator: ",") }.map(\.trimmed).filter { !$0.isEmpty }
    }

    /// Checks a client's request (RFC 6455 section 4.2.1) and writes the answer. Of the subprotocols that are offered
    /// the first one out of `subprotocols` is chosen.
    package static func answer(to head: HTTPHead, subprotocols: [String] = []) -> ServerAnswer {
        guard let (method, _) = try? head.request(), method == "GET", head.startLine.hasSuffix("HTTP/1.1") else {
            return refusal(405, "Method Not Allowed", "Allow: GET\r\n")
        }
        let headers = head.headers
        guard headers.tokens("Upgrade").contains("websocket"), headers.tokens("Connection").contains("upgrade") else {
            return refusal(426, "Upgrade Required", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
        }
        guard headers.all("Sec-WebSocket-Version") == ["13"] else {
            return refusal(426, "Upgrade Required", "Sec-WebSocket-Version: 13\r\n")
        }
        let keys = headers.all("Sec-WebSocket-Key")
        guard keys.count == 1, Base64.isSixteenBytes(keys[0]), headers.all("Host").count == 1 else {
            return refusal(400, "Bad Request", "")
        }
        let chosen = offeredSubprotocols(headers).first(where: subprotocols.contains)
        let text =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + (chosen.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? "")
            + "Sec-WebSocket-Accept: \(accept(for: keys[0]))\r\n\r\n"
        return .accept(Array(text.utf8))
    }

    private static func refusal(_ status: Int, _ reason: String, _ headers: String) -> ServerAnswer {
        let text = "HTTP/1.1 \(status) \(reason)\r\n\(headers)Content-Length: 0\r\n\r\n"
        return .refuse(status: status, Array(text.utf8))
    }
}
