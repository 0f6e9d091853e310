// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 exchange: connect, send, read, measure. Blocking; follows no redirects.

package import Platform

/// How long the parts of an exchange took, each since its start.
package struct HTTPTimings: Hashable, Sendable {
    /// Until the connection stood, with name resolution.
    package var connect: Duration
    /// Until the first byte of the answer.
    package var firstByte: Duration
    /// Until the last byte that was read.
    package var total: Duration

    package init(connect: Duration, firstByte: Duration, total: Duration) {
        self.connect = connect
        self.firstByte = firstByte
        self.total = total
    }
}

/// An answer to a request.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    package var reason: String
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// Whether the body was longer than the limit and is kept only so far.
    package var bodyIsCut: Bool
    package var timings: HTTPTimings

    /// The body as text; what is not UTF-8 is replaced.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A client for `http://` and `https://` addresses. Every call opens a connection, so that each measures what a new visitor sees.
package enum HTTPClient {
    /// Asks for `url`. Blocks the calling thread, at most until `deadline`; keeps at most `bodyLimit` bytes.
    package static func get(
        _ url: String, headers: HTTPHeaders = HTTPHeaders(), over path: NetworkPath = .direct,
        deadline: SocketDeadline, bodyLimit: Int = 1 << 20
    ) throws(HTTPError) -> HTTPResponse {
        try send("GET", url, headers: headers, over: path, deadline: deadline, bodyLimit: bodyLimit)
    }

    /// Sends a request with any method and body.
    package static func send(
        _ method: String, _ url: String, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8]? = nil,
        over path: NetworkPath = .direct, deadline: SocketDeadline, bodyLimit: Int = 1 << 20
    ) throws(HTTPError) -> HTTPResponse {
        let address = try HTTPAddress(url)
        var headers = headers
        if headers["User-Agent"] == nil { headers.fields.append(.init(name: "User-Agent", value: "nightjar")) }
        headers.fields.append(.init(name: "Connection", value: "close"))
        if let body { headers.fields.append(.init(name: "Content-Length", value: "\(body.count)")) }
        var exchange = try HTTPExchange(address: address, over: path, deadline: deadline)
        defer { exchange.link.end() }
        try exchange.send(method, address, headers, body: body ?? [])
        var (head, status, reason) = try exchange.readHead()
        // Interim answers (100, 103) come before the real one; a server that sends nothing else is not waited for.
        for _ in 0..<8 where (100..<200).contains(status) && status != 101 {
            (head, status, reason) = try exchange.readHead()
        }
        guard status >= 200 || status == 101 else { throw .malformed("only interim answers came") }
        var decoder = try HTTPBodyDecoder(responseTo: status, headers: head.headers, limit: bodyLimit)
        try exchange.readBody(into: &decoder)
        return HTTPResponse(
            status: status, reason: reason, headers: head.headers, body: decoder.body, bodyIsCut: decoder.isCut,
            timings: exchange.timings())
    }
}

/// A connection on which one request is answered; the WebSocket handshake goes over it as well.
struct HTTPExchange {
    let link: Link
    private let deadline: SocketDeadline
    private let started = ContinuousClock.now
    private let connected: Duration
    private var firstByte: Duration?
    /// Bytes that were read and belong to what follows the head.
    private(set) var buffer: [UInt8] = []

    init(address: HTTPAddress, over path: NetworkPath, deadline: SocketDeadline) throws(HTTPError) {
        self.deadline = deadline
        link = try Link.open(address, over: path, deadline: deadline)
        connected = ContinuousClock.now - started
    }

    /// Sends the request; `Host` comes first as RFC 9110 section 7.2 advises.
    func send(_ method: String, _ address: HTTPAddress, _ headers: HTTPHeaders, body: [UInt8]) throws(HTTPError) {
        guard !method.isEmpty, method.utf8.allSatisfy(HTTPSyntax.isToken) else {
            throw .badRequestHeader(name: method)
        }
        try headers.validate()
        let host = headers["Host"] == nil ? "Host: \(address.authority)\r\n" : ""
        let head = "\(method) \(address.target) HTTP/1.1\r\n\(host)\(headers.lines)\r\n"
        do {
            try link.socket.write(Array(head.utf8) + body, deadline: deadline)
        } catch .closed {
            // The server may have answered and closed before it read all; what it said is still to be read.
            return
        } catch {
            throw .socket(error)
        }
    }

    mutating func readHead() throws(HTTPError) -> (head: HTTPHead, status: Int, reason: String) {
        while true {
            if let head = try HTTPHead.take(from: &buffer) {
                let (status, reason) = try head.status()
                return (head, status, reason)
            }
            let bytes = try read()
            guard !bytes.isEmpty else {
                if buffer.isEmpty, let failure = link.failure() { throw failure }
                throw .truncated(buffer.isEmpty ? "nothing: no answer came" : "the head of the message")
            }
            buffer += bytes
        }
    }

    mutating func readBody(into decoder: inout HTTPBodyDecoder) throws(HTTPError) {
        try decoder.append(buffer)
        buffer = []
        while !decoder.isComplete {
            let bytes = try read()
            if bytes.isEmpty { return try decoder.end() }
            try decoder.append(bytes)
        }
    }

    func timings() -> HTTPTimings {
        let total = ContinuousClock.now - started
        return HTTPTimings(connect: connected, firstByte: firstByte ?? total, total: total)
    }

    private mutating func read() throws(HTTPError) -> [UInt8] {
        do {
            let bytes = try link.socket.read(upTo: 16 << 10, deadline: deadline)
            if firstByte == nil { firstByte = ContinuousClock.now - started }
            return bytes
        } catch {
            // A child of openssl that ended with our request unread shows itself as a reset.
            if buffer.isEmpty, case .system = error, let failure = link.failure() { throw failure }
            throw .socket(error)
        }
    }
}
