// SPDX-License-Identifier: Apache-2.0
// Samples over real sockets: what counts, what failed, and when it is given up.

import Domain
import Platform
import Synchronization
import Testing
import WebSocket

@testable import Probes

/// A WebSocket server for one connection after another; `answer` nil stays silent.
private final class SocketServer: Sendable {
    private let listener: SocketListener
    var url: String { "ws://127.0.0.1:\(listener.port)/" }

    /// - Parameter limit: how many messages or pings are answered before it says goodbye.
    init(limit: Int = .max, answer: @escaping @Sendable (String) -> [String]) throws {
        let listener = try SocketListener.loopback()
        self.listener = listener
        try PlatformThread.start("socket-server") {
            while let socket = try? listener.accept() {
                try? SocketServer.serve(socket, limit, answer)
                socket.shutdown()
            }
        }
    }

    deinit { listener.shutdown() }

    private static func serve(_ socket: Socket, _ limit: Int, _ answer: (String) -> [String]) throws {
        let deadline = SocketDeadline.after(.seconds(20))
        var buffer: [UInt8] = []
        var head: HTTPHead?
        while head == nil {
            buffer += try socket.read(upTo: 4096, deadline: deadline)
            head = try HTTPHead.take(from: &buffer)
        }
        let accept = WebSocketHandshake.accept(for: head?.headers["Sec-WebSocket-Key"] ?? "")
        let reply =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"
        try socket.write(Array(reply.utf8), deadline: deadline)
        let connection = WebSocketConnection(socket: socket, role: .server, leftover: buffer)
        var answered = 0
        while true {
            switch try connection.receive(deadline: deadline) {
            case .closed: return
            case .text(let text):
                for line in answer(text) { try connection.send(text: line, deadline: deadline) }
                answered += 1
            case .ping: answered += 1
            case .binary, .pong: break
            }
            if answered >= limit {
                try connection.close(CloseReason(1001), deadline: .after(.seconds(2)))
                return
            }
        }
    }
}

struct TargetSamplerTests {
    private let sampler = TargetSampler(
        prober: Prober(transport: .system(environment: SystemTransportTests.environment), environment: [:]),
        environment: SystemTransportTests.environment, now: { Timestamp(milliseconds: 0) })

    private func sampling(
        _ samples: Int, warmup: Int = 2, timeout: Duration = .seconds(10), mayFail: Double = 10
    ) -> TargetSampling {
        TargetSampling(
            samples: samples, warmup: warmup, interval: .milliseconds(1), timeout: timeout,
            failuresAllowedPercent: mayFail)
    }

    // MARK: - HTTP

    @Test func `every exchange is kept, and those after the warm-up count`() async throws {
        let server = try CannedServer(answer: CannedServer.response("{}"))
        let check = SystemTransportTests.check(server.port)
        let run = await sampler.http(check, timing: .total, sampling(8))
        #expect(run.problem == nil && run.samples.count == 10 && run.milliseconds.count == 8 && run.failures.isEmpty)
        #expect(run.samples.map(\.check).prefix(3) == ["warm-up", "warm-up", "sample"])
        #expect(run.samples.allSatisfy { $0.connectMilliseconds != nil && $0.firstByteMilliseconds != nil })
        let connects = await sampler.http(check, timing: .connect, sampling(3))
        #expect(connects.samples.allSatisfy { $0.milliseconds == $0.connectMilliseconds })
        // A plain exchange has no time of TLS: that is a failure, not a zero.
        let secure = await sampler.http(check, timing: .tls, sampling(3, warmup: 0))
        #expect(secure.milliseconds.isEmpty && secure.failures.first == "the exchange has no time for tls")
    }

    @Test func `answers that are not what was expected are failed samples, and too many end it`() async throws {
        let server = try CannedServer(answer: CannedServer.response("no", status: "503 Service Unavailable"))
        let run = await sampler.http(SystemTransportTests.check(server.port), timing: .total, sampling(100, warmup: 0))
        #expect(run.milliseconds.isEmpty && run.failures.count == 11)
        #expect(run.problem == "11 of 11 samples failed > 10 allowed: status 503, expected 200...299")
        // A dead server is seen in the warm-up already.
        let dead = await sampler.http(SystemTransportTests.check(1), timing: .total, sampling(100, warmup: 3))
        #expect(dead.samples.count == 3 && dead.problem?.hasPrefix("all 3 warm-up samples failed") == true)
    }

    @Test func `a canceled measurement stops`() async throws {
        let server = try CannedServer(answer: CannedServer.response("{}"))
        let check = SystemTransportTests.check(server.port)
        var endless = sampling(1000)
        endless.interval = .seconds(3600)
        let settings = endless
        let task = Task { await sampler.http(check, timing: .total, settings) }
        task.cancel()
        let run = await task.value
        #expect(run.problem == "stopped" && run.samples.count < 3)
    }

    // MARK: - WebSocket

    @Test func `pings on one connection`() async throws {
        let server = try SocketServer { _ in [] }
        let run = await sampler.webSocket(WebSocketExchange(url: server.url), sampling(12))
        #expect(run.problem == nil && run.milliseconds.count == 12 && run.samples.count == 14)
        #expect(run.milliseconds.allSatisfy { $0 > 0 && $0 < 10_000 })
    }

    @Test func `a message and the answer that belongs to it, whatever else comes`() async throws {
        let server = try SocketServer { text in ["news", "noise 99", "echo \(text)"] }
        let exchange = WebSocketExchange(url: server.url, message: "#{sample}#", reply: "echo #{sample}#")
        let run = await sampler.webSocket(exchange, sampling(10))
        #expect(run.problem == nil && run.milliseconds.count == 10)
    }

    @Test func `an answer that does not come fails its sample; without a number nothing may follow`() async throws {
        let every = Atomic(0)
        let server = try SocketServer { text in
            // The third one is swallowed.
            every.add(1, ordering: .relaxed).newValue == 3 ? [] : ["echo \(text)"]
        }
        let quick = sampling(10, warmup: 0, timeout: .milliseconds(300))
        let numbered = WebSocketExchange(url: server.url, message: "{sample}", reply: "echo {sample}")
        let run = await sampler.webSocket(numbered, quick)
        #expect(run.problem == nil && run.milliseconds.count == 9 && run.failures == ["no answer within 0.3 s"])
        let silent = try SocketServer { _ in [] }
        let plain = await sampler.webSocket(WebSocketExchange(url: silent.url, message: "hello"), quick)
        #expect(plain.problem == "the WebSocket was lost after 1 of 10 round trips: no answer within 0.3 s")
    }

    @Test func `a connection that ends is lost and not counted as fast`() async throws {
        let server = try SocketServer(limit: 4) { _ in [] }
        let run = await sampler.webSocket(WebSocketExchange(url: server.url), sampling(20, warmup: 0))
        // The goodbye is seen while waiting for the next turn, or instead of the next answer.
        let problem = try #require(run.problem)
        #expect(
            [4, 5].contains { problem.hasPrefix("the WebSocket was lost after \($0) of 20 round trips: ") },
            "\(problem)")
        #expect(run.milliseconds.count <= 5)
        let none = await sampler.webSocket(WebSocketExchange(url: "ws://127.0.0.1:1/"), sampling(3))
        #expect(none.samples.isEmpty && none.problem?.hasPrefix("the WebSocket did not open: ") == true)
    }
}
