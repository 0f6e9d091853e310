// SPDX-License-Identifier: Apache-2.0
// Whole WebSocket connections: client and server end, and servers that misbehave on purpose.

import Foundation
import Platform
import Testing

@testable import WebSocket

@Suite struct ConnectionTests {
    /// Runs `server` at one end of a connected pair and `client` at the other.
    private func converse<Value: Sendable>(
        limits: WebSocketLimits = WebSocketLimits(),
        server: @escaping @Sendable (WebSocketConnection) throws -> Void,
        client: @escaping @Sendable (WebSocketConnection) throws -> Value
    ) async throws -> Value {
        let (near, far) = try Socket.pair()
        // A thread from the start: a child task waits for its turn in the pool, which a busy machine may not give in time.
        Thread { try? server(WebSocketConnection(socket: far, role: .server, limits: limits)) }.start()
        return try await onThread {
            defer { near.shutdown() }
            return try client(WebSocketConnection(socket: near, role: .client))
        }
    }

    /// Answers every message with itself until the client closes.
    private static let echo: @Sendable (WebSocketConnection) throws -> Void = { connection in
        while true {
            switch try connection.receive(deadline: soon) {
            case .text(let text): try connection.send(text: text, deadline: soon)
            case .binary(let bytes): try connection.send(binary: bytes, deadline: soon)
            case .closed: return
            case .ping, .pong: continue
            }
        }
    }

    @Test func `messages come back, pings are answered, and both sides agree on the end`() async throws {
        let close = try await converse(server: Self.echo) { client in
            let large = String(repeating: "long 🌙 ", count: 20_000)
            for text in ["", "hello", large] {
                try client.send(text: text, deadline: soon)
                #expect(try client.receive(deadline: soon) == .text(text))
            }
            try client.send(binary: [0, 255], deadline: soon)
            #expect(try client.receive(deadline: soon) == .binary([0, 255]))
            try client.ping([1, 2, 3], deadline: soon)
            #expect(try client.receive(deadline: soon) == .pong([1, 2, 3]))
            return try client.close(CloseReason(1001, "leaving"), deadline: soon)
        }
        #expect(close == CloseReason(1001, "leaving"))
    }

    @Test func `a fragmented message with a ping between arrives as one, the pong first`() async throws {
        try await converse(server: Self.echo) { client in
            try client.send(Frame(.text, [0x61], isFinal: false), deadline: soon)
            try client.ping(deadline: soon)
            try client.send(Frame(.continuation, [0x62]), deadline: soon)
            #expect(try client.receive(deadline: soon) == .pong([]))
            #expect(try client.receive(deadline: soon) == .text("ab"))
        }
    }

    @Test func `a violation is answered with its close code`() async throws {
        let frames: [(Frame, UInt16)] = [
            (Frame(.text, [0xFF]), 1007), (Frame(.continuation), 1002),
            (Frame(.binary, [UInt8](repeating: 0, count: 200)), 1009), (Frame(.close, [0x03, 0xED]), 1002),
        ]
        for (frame, code) in frames {
            let event = try await converse(limits: WebSocketLimits(frame: 100), server: Self.echo) { client in
                try client.send(frame, deadline: soon)
                return try client.receive(deadline: soon)
            }
            guard case .closed(let reason) = event else {
                Issue.record("\(event)")
                continue
            }
            #expect(reason.code == code)
        }
    }

    @Test func `a client refuses a masked frame`() async throws {
        let (near, far) = try Socket.pair()
        try far.write(FrameWriter.bytes(of: Frame(.text, [0x61]), maskedWith: [1, 2, 3, 4]), deadline: soon)
        let error = await #expect(throws: WebSocketError.self) {
            try await onThread { try WebSocketConnection(socket: near, role: .client).receive(deadline: soon) }
        }
        #expect(error == .violation(.maskedByServer))
    }

    @Test func `an end without a close frame is abnormal`() async throws {
        let (near, far) = try Socket.pair()
        far.shutdown()
        let error = await #expect(throws: WebSocketError.self) {
            try await onThread { try WebSocketConnection(socket: near, role: .client).receive(deadline: soon) }
        }
        #expect(error == .abnormalClosure)
    }

    @Test func `a deadline in the middle of a frame loses nothing`() async throws {
        let (near, far) = try Socket.pair()
        try await onThread {
            let connection = WebSocketConnection(socket: near, role: .client)
            let wire = FrameWriter.bytes(of: Frame(.text, Array("slow".utf8)))
            try far.write(Array(wire.prefix(3)), deadline: soon)
            let error = #expect(throws: WebSocketError.self) {
                try connection.receive(deadline: .after(.milliseconds(30)))
            }
            guard case .socket(.timedOut) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            try far.write(Array(wire.dropFirst(3)), deadline: soon)
            #expect(try connection.receive(deadline: soon) == .text("slow"))
        }
    }

    @Test func `end wakes a waiting receiver`() async throws {
        let (near, far) = try Socket.pair()
        let connection = WebSocketConnection(socket: near, role: .client)
        let received = Task { try await onThread { try connection.receive(deadline: .never) } }
        connection.end()
        await #expect(throws: WebSocketError.self) { try await received.value }
        _ = far
    }

    @Test func `nothing is sent after a close frame`() async throws {
        let (near, far) = try Socket.pair()
        try await onThread {
            let connection = WebSocketConnection(socket: near, role: .client)
            try connection.send(Frame(.close), deadline: soon)
            #expect(throws: WebSocketError.alreadyClosed) { try connection.send(text: "late", deadline: soon) }
        }
        _ = far
    }

    @Test func `ten times the fragments take about ten times as long, not a hundred`() throws {
        func time(_ count: Int) throws -> Duration {
            let piece = Frame(.continuation, [UInt8](repeating: 0x61, count: 100), isFinal: false)
            return try ContinuousClock().measure {
                var assembler = MessageAssembler(limit: .max)
                _ = try assembler.accept(Frame(.binary, isFinal: false))
                for _ in 0..<count { _ = try assembler.accept(piece) }
            }
        }
        // Other tests share the machine, so that one round may say anything. A hundredfold would never pass.
        var rounds: [(short: Duration, long: Duration)] = []
        for _ in 0..<20 {
            rounds.append((try time(3000), try time(30_000)))
            if let last = rounds.last, last.long < last.short * 40 { return }
        }
        Issue.record("3000 and 30000 fragments took \(rounds)")
    }

    // MARK: Opening

    private func open(_ server: ScriptedServer, subprotocols: [String] = []) async throws -> WebSocketConnection {
        let port = server.port
        return try await onThread {
            try WebSocketClient.connect("ws://127.0.0.1:\(port)/ws", subprotocols: subprotocols, deadline: soon)
        }
    }

    @Test func `a client opens a connection, and a frame right behind the handshake is not lost`() async throws {
        let server = try ScriptedServer { socket in
            var bytes = Array(try socket.readRequest().utf8)
            let head = try #require(try HTTPHead.take(from: &bytes))
            guard case .accept(let answer) = WebSocketHandshake.answer(to: head) else { return }
            try socket.write(answer + FrameWriter.bytes(of: Frame(.text, Array("hi".utf8))), deadline: soon)
            try? Self.echo(WebSocketConnection(socket: socket, role: .server))
        }
        let connection = try await open(server)
        try await onThread {
            let greeting = try connection.receive(deadline: soon)
            #expect(greeting == .text("hi"))
            let close = try connection.close(deadline: soon)
            #expect(close == .normal)
        }
    }

    @Test func `refusals and false servers are told apart`() async throws {
        func failure(_ answer: String) async throws -> WebSocketError? {
            let server = try ScriptedServer(answer: answer)
            return await #expect(throws: WebSocketError.self) { try await open(server) }
        }
        #expect(
            try await failure("HTTP/1.1 401 Unauthorized\r\n\r\n") == .refused(status: 401, reason: "Unauthorized"))
        #expect(try await failure("HTTP/1.1 200 OK\r\n\r\nhello") == .refused(status: 200, reason: "OK"))
        #expect(
            try await failure(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                    + "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
                == .badHandshake("Sec-WebSocket-Accept does not answer the key that was sent"))
        #expect(try await failure("nonsense\r\n\r\n") == .http(.malformed("the status line is \"nonsense\"")))
        #expect(try await failure("") == .http(.truncated("nothing: no answer came")))
    }
}
