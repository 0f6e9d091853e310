// SPDX-License-Identifier: Apache-2.0
// A small server whose conversations a test writes itself: a login over HTTP, and a WebSocket for everything else.

import Foundation
import Platform
import WebSocket

@testable import Probes

/// `GET /login` gives the token that `token` makes of the query; `/ws` is the conversation; nothing else is answered.
final class ScriptedPeer: Sendable {
    private let listener: SocketListener
    private let token: @Sendable (String) -> String
    private let talk: @Sendable (WebSocketConnection) throws -> Void

    var address: String { "127.0.0.1:\(listener.port)" }

    init(
        token: @escaping @Sendable (String) -> String = { "t-\($0)" },
        talk: @escaping @Sendable (WebSocketConnection) throws -> Void
    ) throws {
        listener = try SocketListener.loopback()
        self.token = token
        self.talk = talk
        let accept = listener
        let serve: @Sendable (Socket) -> Void = { [self] socket in try? self.serve(socket) }
        Thread {
            while let socket = try? accept.accept() { Thread { serve(socket) }.start() }
        }.start()
    }

    func stop() { listener.shutdown() }

    private func serve(_ socket: Socket) throws {
        let deadline = SocketDeadline.after(.seconds(60))
        var buffer: [UInt8] = []
        var found: HTTPHead?
        while found == nil {
            found = try HTTPHead.take(from: &buffer)
            if found != nil { break }
            let bytes = try socket.read(upTo: 4096, deadline: deadline)
            if bytes.isEmpty { return }
            buffer += bytes
        }
        guard let head = found else { return }
        let target = try head.request().1
        if target.hasPrefix("/login") {
            let body = "{\"token\":\"\(token(String(target.drop { $0 != "?" }.dropFirst())))\"}"
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
            try socket.write(Array(answer.utf8), deadline: deadline)
        } else if target == "/ws", case .accept(let bytes) = WebSocketHandshake.answer(to: head, subprotocols: []) {
            try socket.write(bytes, deadline: deadline)
            try talk(WebSocketConnection(socket: socket, role: .server, leftover: buffer))
        }
    }

    /// Runs one scenario over a scenario file of these members, and the usual ones.
    func cases(_ scenario: ScenarioKind, _ members: String) async throws -> [ScenarioCase] {
        let text = """
            {"connect": {"url": "ws://\(address)/ws"}, "trials": 1, "echo": {"send": {"type": "echo", "id": "{unique}"},
             "expect": {"/type": "echo", "/id": "{unique}"}}, \(members.replacing("ADDRESS", with: address))}
            """
        let contract = try ResilienceContract(parsing: Array(text.utf8), environment: [:])
        let report = try await ResilienceSuite.run(
            contract, scenarios: [scenario], environment: [:], workingDirectory: "/tmp", seed: 1, progress: { _ in })
        return report.results.flatMap(\.cases)
    }
}

extension WebSocketConnection {
    /// The next text message; nil where the connection is over.
    func hear() -> String? {
        while let event = try? receive(deadline: .after(.seconds(60))) {
            switch event {
            case .text(let text): return text
            case .closed: return nil
            case .binary, .ping, .pong: continue
            }
        }
        return nil
    }

    func tell(_ text: String) throws { try send(text: text, deadline: .after(.seconds(60))) }
}
