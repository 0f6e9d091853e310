// SPDX-License-Identifier: Apache-2.0
// The live service: its tokens, its sessions over connections, and that each breakage breaks just what it names.

import Foundation
import Platform
import Testing
import WebSocket

@testable import DemoStaging

@Suite struct LiveServiceTests {
    private var soon: SocketDeadline { .after(.seconds(30)) }

    private func withLive<Value: Sendable>(
        _ breakages: Set<LiveBreakage> = [], _ body: @escaping @Sendable (LiveVisitor) throws -> Value
    ) async throws -> Value {
        let service = try LiveService(folder: nil, breakages: breakages)
        Thread { service.run() }.start()
        defer { service.stop() }
        return try await onThread { try body(LiveVisitor(port: service.port)) }
    }

    @Test func `the shipped scenario file is the one that is built in`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try String(contentsOf: root.appending(path: "config/examples/resilience/demo.json"), encoding: .utf8)
        #expect(LiveScenarios.text + "\n" == file || LiveScenarios.text == file)
    }

    @Test func `a session comes back with its context and its events, once and in order`() async throws {
        let numbers = try await withLive { visitor in
            let (first, hello) = try visitor.open(visitor.token())
            try visitor.say(["type": "set", "key": "k", "value": "v"], on: first)
            let stored = try visitor.next("set-done", on: first)["key"]?.text
            #expect(stored == "k")
            try visitor.say(["type": "stream", "count": 5, "interval": 0], on: first)
            _ = try visitor.next("event", on: first)
            first.end()
            let (second, _) = try visitor.open(visitor.token())
            try visitor.say(["type": "resume", "resume": hello["resume"] ?? .null, "last": 1], on: second)
            let resumed = try visitor.next("resumed", on: second)["session"]
            #expect(resumed == hello["session"])
            var numbers: [Int] = []
            while numbers.last != 6 {
                let event = try visitor.next(nil, on: second)
                if let number = event["seq"]?.number { numbers.append(number) }
            }
            try visitor.say(["type": "get", "key": "k"], on: second)
            let value = try visitor.next("value", on: second)["value"]?.text
            #expect(value == "v")
            return numbers
        }
        #expect(numbers == [2, 3, 4, 5, 6])
    }

    @Test func `tokens are sealed, expire, and are refreshed once`() {
        let store = LiveStore(folder: nil)
        let token = store.token(for: "ada", lasting: .seconds(60))
        #expect(store.user(of: token)?.name == "ada")
        #expect(store.user(of: token.replacing("ada", with: "bob")) == nil)
        #expect(store.user(of: store.token(for: "ada", lasting: .seconds(-1))) == nil)
        #expect(store.user(of: token, kind: "refresh") == nil)
        let refresh = store.token(for: "ada", lasting: .seconds(60), kind: "refresh")
        #expect(store.redeem(refresh) == "ada")
        #expect(store.redeem(refresh) == nil)
        let forgiving = LiveStore(folder: nil, breakages: [.acceptsForged, .acceptsExpired])
        #expect(forgiving.user(of: token)?.name == "ada", "sealed by another store")
        #expect(forgiving.user(of: forgiving.token(for: "ada", lasting: .seconds(-1)))?.name == "ada")
    }

    @Test func `somebody else's session stays theirs`() async throws {
        try await withLive { visitor in
            let (_, hello) = try visitor.open(visitor.token("ada"))
            let (other, _) = try visitor.open(visitor.token("eve"))
            try visitor.say(["type": "resume", "resume": hello["resume"] ?? .null, "last": 0], on: other)
            _ = try visitor.next("resume-refused", on: other)
        }
    }

    @Test func `sessions survive a new store over the same folder`() async throws {
        try await withDirectory { folder in
            let store = LiveStore(folder: folder)
            let (near, far) = try Socket.pair()
            let connection = WebSocketConnection(socket: near, role: .server)
            let session = store.create(for: "ada", connection, from: "here")
            store.setContext("k", "v", of: session.id)
            store.publish(["type": "event"], to: session.id)
            store.save()
            let again = LiveStore(folder: folder)
            #expect(again.context("k", of: session.id) == "v")
            #expect(again.user(of: store.token(for: "ada", lasting: .seconds(60)))?.name == "ada", "the same secret")
            #expect(LiveStore(folder: folder, breakages: [.forgetsOnRestart]).owner(of: session.id) == nil)
            withExtendedLifetime(far) {}
        }
    }

    @Test(arguments: [(Set<LiveBreakage>(), 41), (Set([LiveBreakage.dropsTail]), 21)])
    func `a stream is whole, or ends early without a gap`(_ breakages: Set<LiveBreakage>, _ last: Int) async throws {
        let numbers = try await withLive(breakages) { visitor in
            let (connection, _) = try visitor.open(visitor.token())
            try visitor.say(["type": "stream", "count": 40, "interval": 0], on: connection)
            var numbers: [Int] = []
            while true {
                let event = try visitor.next(nil, on: connection)
                if let number = event["seq"]?.number { numbers.append(number) }
                if event["type"]?.text == "stream-end" { return numbers }
            }
        }
        #expect(numbers == Array(1...last))
    }

    @Test(arguments: [(Set<LiveBreakage>(), true), (Set([LiveBreakage.noRateLimit]), false)])
    func `who says too much is told so, and only what is too much`(
        _ breakages: Set<LiveBreakage>, _ isLimited: Bool
    ) async throws {
        let kinds = try await withLive(breakages) { visitor in
            let (connection, _) = try visitor.open(visitor.token())
            // Ten times the limit: some are too many on any machine that says them within nine seconds.
            let count = 10 * LiveConversation.messagesPerSecond
            let echo: DemoJSON = ["type": "echo"]
            Thread { for _ in 0..<count { try? visitor.say(echo, on: connection) } }.start()
            return try (0..<count).map { _ in try visitor.next(nil, on: connection)["type"]?.text ?? "" }
        }
        #expect(kinds.prefix(LiveConversation.messagesPerSecond).allSatisfy { $0 == "echo" })
        #expect(kinds.contains("rate-limited") == isLimited)
    }

    @Test func `a wrong password, a wrong path and no token are refused`() async throws {
        try await withLive { visitor in
            let base = "http://127.0.0.1:\(visitor.port)"
            let body = Array(#"{"user":"ada","password":"guess"}"#.utf8)
            let login = try HTTPClient.send("POST", base + "/login", body: body, deadline: soon).status
            #expect(login == 401)
            let nothing = try HTTPClient.get(base + "/nothing", deadline: soon).status
            #expect(nothing == 404)
            let error = #expect(throws: WebSocketError.self) { try visitor.open("nonsense") }
            #expect(error == .refused(status: 401, reason: "Unauthorized"))
        }
    }
}

/// A client of the live service.
struct LiveVisitor: Sendable {
    let port: UInt16
    private var soon: SocketDeadline { .after(.seconds(30)) }

    init(port: UInt16) { self.port = port }

    func token(_ user: String = "ada") throws -> String {
        let body = Array("{\"user\":\"\(user)\",\"password\":\"staging\"}".utf8)
        let answer = try HTTPClient.send("POST", "http://127.0.0.1:\(port)/login", body: body, deadline: soon)
        return try #require(DemoJSON(parsing: answer.text)?["token"]?.text)
    }

    func open(_ token: String) throws -> (WebSocketConnection, DemoJSON) {
        let connection = try WebSocketClient.connect(
            "ws://127.0.0.1:\(port)/live", headers: HTTPHeaders([("Authorization", "Bearer \(token)")]), deadline: soon)
        return (connection, try next("welcome", on: connection))
    }

    func say(_ message: DemoJSON, on connection: WebSocketConnection) throws {
        try connection.send(text: "\(message)", deadline: soon)
    }

    /// The next message of a type, any where it is nil; heartbeats and pings are passed over.
    func next(_ type: String?, on connection: WebSocketConnection) throws -> DemoJSON {
        while true {
            guard case .text(let text) = try connection.receive(deadline: soon) else { continue }
            let message = try #require(DemoJSON(parsing: text))
            if type.map({ message["type"]?.text == $0 }) ?? (message["type"]?.text != "heartbeat") { return message }
        }
    }
}
