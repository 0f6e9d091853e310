// SPDX-License-Identifier: Apache-2.0
// The live service: sessions over WebSocket, with tokens, resume and queues; a peer for the resilience scenarios.

internal import Foundation
internal import Platform
internal import Synchronization
internal import WebSocket

/// Login and publishing over HTTP, everything else over a WebSocket at `/live`.
final class LiveService: Sendable {
    private let store: LiveStore
    private let listener: SocketListener
    private let heartbeat: Duration
    private let isStopping = Atomic(false)

    var port: UInt16 { listener.port }

    /// More connections at once than this are turned away with 503.
    private static let maximumConnections = 2000
    private let open = Atomic(0)

    init(
        folder: String?, port: UInt16 = 0, heartbeat: Duration = .milliseconds(400),
        breakages: Set<LiveBreakage> = []
    ) throws(SocketError) {
        store = LiveStore(folder: folder, breakages: breakages)
        listener = try SocketListener.loopback(port: port)
        self.heartbeat = heartbeat
    }

    /// Serves until `stop`. Blocks the calling thread.
    func run() {
        // A secret that is written down at once: tokens hold over a restart.
        store.save()
        while let socket = try? listener.accept() {
            guard open.load(ordering: .relaxed) < Self.maximumConnections else {
                try? socket.write(DemoAnswer(503, "too many connections").bytes, deadline: .after(.seconds(1)))
                continue
            }
            open.add(1, ordering: .relaxed)
            let thread = Thread { [self] in
                try? serve(socket)
                socket.shutdown()
                open.subtract(1, ordering: .relaxed)
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
    }

    /// Says goodbye with 1012 (service restart), keeps what must be kept, and ends.
    func stop() {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        // First of all: who stops it may not wait for ever.
        store.save()
        for connection in store.connections {
            let body: [UInt8] = [UInt8(1012 >> 8), UInt8(1012 & 0xFF)]
            try? connection.send(Frame(.close, body), deadline: .after(.milliseconds(200)))
        }
        store.save()
        for connection in store.connections { connection.end() }
        // Last: `run` returns with it, and the process ends.
        listener.shutdown()
    }

    private func serve(_ socket: Socket) throws {
        let deadline = SocketDeadline.after(.seconds(10))
        var buffer: [UInt8] = []
        var head: HTTPHead?
        while head == nil {
            head = try HTTPHead.take(from: &buffer)
            if head != nil { break }
            let bytes = try socket.read(upTo: 4096, deadline: deadline)
            if bytes.isEmpty { return }
            buffer += bytes
        }
        guard let head else { return }
        let (method, target) = try head.request()
        let path = target.prefix { $0 != "?" }
        if path == "/live" { return try upgrade(head, target: target, buffer, socket) }
        var decoder = try HTTPBodyDecoder(requestWith: head.headers, limit: 64 << 10)
        try decoder.append(buffer)
        while !decoder.isComplete {
            let bytes = try socket.read(upTo: 4096, deadline: deadline)
            if bytes.isEmpty { try decoder.end() } else { try decoder.append(bytes) }
        }
        let body = DemoJSON(parsing: String(decoding: decoder.body, as: UTF8.self))
        try socket.write(answer(method, String(path), head, body).bytes, deadline: deadline)
    }

    // MARK: HTTP

    private func answer(_ method: String, _ path: String, _ head: HTTPHead, _ body: DemoJSON?) -> DemoAnswer {
        switch (method, path) {
        case ("GET", "/health"): return DemoAnswer(200, body: ["status": "healthy"])
        case ("POST", "/login"): return login(body)
        case ("POST", "/publish"):
            guard let user = store.user(of: token(of: head, target: path) ?? "")?.name else { return refusal() }
            guard let session = body?["session"]?.text, store.owner(of: session) == user else {
                return DemoAnswer(404, "there is no such session")
            }
            let event: [String: DemoJSON] = [
                "type": "event", "session": .string(session), "text": body?["text"] ?? .null,
            ]
            store.publish(event, to: session)
            return DemoAnswer(201, body: ["published": .bool(true)])
        default: return DemoAnswer(404, "there is no \(path)")
        }
    }

    private func login(_ body: DemoJSON?) -> DemoAnswer {
        guard let user = body?["user"]?.text, !user.isEmpty, body?["password"]?.text == "staging" else {
            return DemoAnswer(401, "user or password is wrong")
        }
        let milliseconds = min(max(1, body?["ttl"]?.number ?? 900_000), 900_000)
        return DemoAnswer(
            200,
            body: [
                "token": .string(store.token(for: user, lasting: .milliseconds(milliseconds))),
                "refresh": .string(store.token(for: user, lasting: .seconds(86_400), kind: "refresh")),
                "expiresInMilliseconds": .number(milliseconds),
            ])
    }

    private func refusal() -> DemoAnswer {
        let isLeaky = store.breakages.contains(.leakyErrors)
        return DemoAnswer(
            401,
            isLeaky
                ? "Fatal error: no such token in postgres://live:hunter2@db/live\n at /srv/live/Sources/Store.swift:42"
                : "a valid token is needed")
    }

    /// `Authorization: Bearer`, a subprotocol `bearer.TOKEN`, or `?token=`.
    private func token(of head: HTTPHead, target: String) -> String? {
        let header = head.headers["Authorization"] ?? ""
        if header.hasPrefix("Bearer ") { return String(header.dropFirst(7)) }
        let offered = WebSocketHandshake.offeredSubprotocols(head.headers).first { $0.hasPrefix("bearer.") }
        if let offered { return String(offered.dropFirst(7)) }
        return target.split(separator: "?").last?.split(separator: "&").first { $0.hasPrefix("token=") }
            .map { String($0.dropFirst(6)) }
    }

    // MARK: WebSocket

    private func upgrade(_ head: HTTPHead, target: String, _ leftover: [UInt8], _ socket: Socket) throws {
        let deadline = SocketDeadline.after(.seconds(10))
        guard let (user, expires) = store.user(of: token(of: head, target: target) ?? "") else {
            return try socket.write(refusal().bytes, deadline: deadline)
        }
        if store.breakages.contains(.slowToOpen) {
            // The client says nothing before it is answered: this waits.
            _ = try? socket.read(upTo: 1, deadline: .after(.milliseconds(700)))
        }
        switch WebSocketHandshake.answer(to: head, subprotocols: ["live.v1"]) {
        case .refuse(_, let bytes): try socket.write(bytes, deadline: deadline)
        case .accept(let bytes):
            try socket.write(bytes, deadline: deadline)
            let connection = WebSocketConnection(
                socket: socket, role: .server, leftover: leftover,
                limits: WebSocketLimits(frame: 256 << 10, message: 256 << 10),
                answersPings: !store.breakages.contains(.noPong))
            var conversation = LiveConversation(
                store: store, connection: connection, user: user, expires: expires, heartbeat: heartbeat,
                address: socket.remoteAddress)
            do {
                try conversation.run()
            } catch WebSocketError.violation where store.breakages.contains(.diesOnMalformed) {
                exit(134)
            }
        }
    }
}
