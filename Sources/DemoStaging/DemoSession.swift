// SPDX-License-Identifier: Apache-2.0
// One connection to the staging service: a request and its answer, or a WebSocket conversation.

internal import Foundation
internal import Platform
internal import WebSocket

/// One connection; lives on a thread of its own.
struct DemoSession {
    let service: DemoService
    let socket: Socket

    private var store: DemoStore { service.store }

    private struct Request {
        var method: String
        var path: String
        var query: [String: String]
        var head: HTTPHead
        var body: DemoJSON?
    }

    /// Serves the connection to its end. What the client does wrong ends only its own connection.
    func serve() {
        let deadline = SocketDeadline.after(.seconds(10))
        do {
            var buffer: [UInt8] = []
            guard let head = try readHead(into: &buffer, deadline: deadline) else { return }
            var request = try parse(head)
            if request.path == "/ws" { return try converse(request, leftover: buffer) }
            request.body = try readBody(head, buffer, deadline: deadline)
            let answer = answer(to: request)
            service.log("INFO  \(request.method) \(request.path) \(answer.status)")
            try socket.write(answer.bytes, deadline: deadline)
        } catch {
            service.log("WARN  connection ended: \(error)")
        }
    }

    private func readHead(into buffer: inout [UInt8], deadline: SocketDeadline) throws -> HTTPHead? {
        while true {
            if let head = try HTTPHead.take(from: &buffer) { return head }
            let bytes = try socket.read(upTo: 4096, deadline: deadline)
            if bytes.isEmpty { return nil }
            buffer += bytes
        }
    }

    private func readBody(_ head: HTTPHead, _ buffer: [UInt8], deadline: SocketDeadline) throws -> DemoJSON? {
        var decoder = try HTTPBodyDecoder(requestWith: head.headers, limit: 64 << 10)
        try decoder.append(buffer)
        while !decoder.isComplete {
            let bytes = try socket.read(upTo: 4096, deadline: deadline)
            if bytes.isEmpty { try decoder.end() } else { try decoder.append(bytes) }
        }
        return DemoJSON(parsing: String(decoding: decoder.body, as: UTF8.self))
    }

    private func parse(_ head: HTTPHead) throws -> Request {
        let (method, target) = try head.request()
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        var query: [String: String] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query[sides[0]] = sides.count > 1 ? sides[1] : ""
        }
        return Request(method: method, path: parts.first ?? "/", query: query, head: head)
    }

    // MARK: HTTP

    private func answer(to request: Request) -> DemoAnswer {
        switch (request.method, request.path) {
        case ("GET", "/health"):
            return DemoAnswer(200, body: ["status": "healthy", "revision": .string(store.release.revision)])
        case ("POST", "/api/login"):
            return login(request)
        case (_, "/api/threads"), (_, "/api/messages"):
            guard user(of: request) != nil else { return DemoAnswer(401, "send a token from /api/login") }
            return request.path == "/api/threads" ? threads(request) : messages(request)
        default:
            return DemoAnswer(404, "there is no \(request.path)")
        }
    }

    private func user(of request: Request) -> String? {
        let header = request.head.headers["Authorization"] ?? ""
        let token = header.hasPrefix("Bearer ") ? String(header.dropFirst(7)) : request.query["token"]
        return token.flatMap(store.user(of:))
    }

    private func login(_ request: Request) -> DemoAnswer {
        guard let user = request.body?["user"]?.text, let password = request.body?["password"]?.text else {
            return DemoAnswer(400, "send user and password")
        }
        guard let token = store.login(user: user, password: password) else {
            return DemoAnswer(401, "the password is wrong")
        }
        let greeting = store.release.greeting.replacing("{user}", with: user)
        return DemoAnswer(200, body: ["token": .string(token), "greeting": .string(greeting)])
    }

    private func threads(_ request: Request) -> DemoAnswer {
        guard let page = Int(request.query["page"] ?? "1") else { return DemoAnswer(400, "page is not a number") }
        guard let body = store.page(page) else { return DemoAnswer(404, "there is no page \(page)") }
        return DemoAnswer(200, body: body)
    }

    private func messages(_ request: Request) -> DemoAnswer {
        guard let thread = request.query["thread"], store.hasThread(thread) else {
            return DemoAnswer(404, "there is no such thread")
        }
        guard request.method == "POST" else {
            return DemoAnswer(200, body: ["messages": .array(store.messages(in: thread))])
        }
        guard let text = request.body?["text"]?.text else { return DemoAnswer(400, "send a text") }
        let (id, waiting) = store.post(text, to: thread)
        if waiting > 0 {
            service.log(
                "WARN  delivery: \(waiting) messages held back, the batch is not full (\(store.release.delivery))")
        }
        return DemoAnswer(201, body: ["id": .string(id)])
    }

    // MARK: WebSocket

    private func converse(_ request: Request, leftover: [UInt8]) throws {
        let deadline = SocketDeadline.after(.seconds(10))
        guard let user = user(of: request) else {
            return try socket.write(DemoAnswer(401, "send a token from /api/login").bytes, deadline: deadline)
        }
        switch WebSocketHandshake.answer(to: request.head) {
        case .refuse(let status, let bytes):
            service.log("WARN  upgrade refused with \(status)")
            try socket.write(bytes, deadline: deadline)
        case .accept(let bytes):
            service.log("INFO  websocket opened for \(user)")
            try socket.write(bytes, deadline: deadline)
            let connection = WebSocketConnection(socket: socket, role: .server, leftover: leftover)
            try send(
                ["type": "hello", "user": .string(user), "revision": .string(store.release.revision)], on: connection)
            try talk(on: connection)
            service.log("INFO  websocket closed for \(user)")
        }
    }

    private func talk(on connection: WebSocketConnection) throws {
        while true {
            switch try connection.receive(deadline: .after(.seconds(3600))) {
            case .closed: return
            case .ping, .pong: continue
            case .binary(let bytes): try connection.send(binary: bytes, deadline: .after(.seconds(10)))
            case .text(let text):
                let message = DemoJSON(parsing: text)
                switch message?["type"]?.text {
                case "echo": try send(message ?? .null, on: connection)
                case "ask": try stream(message?["text"]?.text ?? "", on: connection)
                default: try send(["type": "error", "error": "send echo or ask"], on: connection)
                }
            }
        }
    }

    /// Answers a question piece by piece. With batched delivery the pieces wait for a batch that never fills.
    private func stream(_ question: String, on connection: WebSocketConnection) throws {
        let release = store.release
        var waiting: [DemoJSON] = []
        for number in 1...release.partials + 1 {
            let isEnd = number > release.partials
            waiting.append(
                isEnd
                    ? ["type": "end", "partials": .number(release.partials)]
                    : ["type": "partial", "number": .number(number), "text": .string("\(question) (\(number))")])
            guard release.delivery.isDue(waiting: waiting.count) else { continue }
            for message in waiting { try send(message, on: connection) }
            waiting = []
            if !isEnd { Thread.sleep(forTimeInterval: release.streamInterval / .seconds(1)) }
        }
        if !waiting.isEmpty {
            service.log(
                "WARN  stream: \(waiting.count) partial results held back, the batch is not full (\(release.delivery))")
        }
    }

    private func send(_ message: DemoJSON, on connection: WebSocketConnection) throws {
        try connection.send(text: "\(message)", deadline: .after(.seconds(10)))
    }
}
