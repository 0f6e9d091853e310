// SPDX-License-Identifier: Apache-2.0
// The fault proxy with real sockets: every fault as both ends see it, its moments, and what must not happen.

import Foundation
import Platform
import Testing
import WebSocket

@testable import Probes

/// Runs blocking work on a thread of its own.
func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
}

/// An echo server for bytes.
private final class ByteEcho: Sendable {
    let listener: SocketListener
    var hop: NetworkPath.Hop { .init("127.0.0.1", listener.port) }

    init() throws {
        listener = try SocketListener.loopback()
        let listener = listener
        Thread {
            while let socket = try? listener.accept() {
                Thread { ByteEcho.serve(socket) }.start()
            }
        }.start()
    }

    private static func serve(_ socket: Socket) {
        while let bytes = try? socket.read(upTo: 65536, deadline: .after(.seconds(60))), !bytes.isEmpty {
            guard (try? socket.write(bytes, deadline: .after(.seconds(60)))) != nil else { return }
        }
    }

    deinit { listener.shutdown() }
}

@Suite struct FaultProxyTests {
    private var soon: SocketDeadline { .after(.seconds(60)) }

    private func withProxy<Value: Sendable>(
        _ rules: [String] = [], _ body: @escaping @Sendable (FaultProxy, () throws -> Socket) throws -> Value
    ) async throws -> Value {
        let echo = try ByteEcho()
        let proxy = try FaultProxy(target: .to(echo.hop), rules: rules.map { try ProxyRule(parsing: $0) })
        defer { proxy.stop() }
        return try await onOwnThread {
            let value = try body(proxy) { try Socket.connect(host: "127.0.0.1", port: proxy.port, deadline: soon) }
            withExtendedLifetime(echo) {}
            return value
        }
    }

    private func read(_ socket: Socket, _ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try socket.read(upTo: count - bytes.count, deadline: soon)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    @Test func `bytes pass unchanged, more than all buffers hold, on many connections at once`() async throws {
        try await withProxy { proxy, open in
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
            let sockets = try (0..<5).map { _ in try open() }
            for socket in sockets {
                Thread { try? socket.write(bytes, deadline: soon) }.start()
            }
            for socket in sockets {
                let back = try read(socket, bytes.count)
                #expect(back == bytes)
            }
            #expect(proxy.statistics.connections == 5)
        }
    }

    @Test func `an end of one half travels on, and the other half goes on`() async throws {
        try await withProxy { _, open in
            let socket = try open()
            try socket.write([1, 2, 3], deadline: soon)
            socket.finishWriting()
            #expect(try read(socket, 10) == [1, 2, 3])
        }
    }

    @Test func `latency delays both ways and keeps the order`() async throws {
        try await withProxy(["latency:40ms,jitter:20ms"]) { _, open in
            let socket = try open()
            let clock = ContinuousClock()
            let took = try clock.measure {
                for byte in UInt8(0)..<20 { try socket.write([byte], deadline: soon) }
                let back = try read(socket, 20)
                #expect(back == Array(0..<20))
            }
            #expect(took >= .milliseconds(40), "\(took)")
        }
    }

    @Test func `bandwidth holds bytes back`() async throws {
        try await withProxy(["bandwidth:100KB,direction:down"]) { _, open in
            let socket = try open()
            let took = try ContinuousClock().measure {
                try socket.write([UInt8](repeating: 7, count: 50 << 10), deadline: soon)
                let count = try read(socket, 50 << 10).count
                #expect(count == 50 << 10)
            }
            // 50 KB at 100 KB/s, less the first twentieth of a second.
            #expect(took > .milliseconds(380), "\(took)")
        }
    }

    @Test func `a reset after so many bytes lets exactly these through`() async throws {
        try await withProxy(["reset,bytes:700,direction:down"]) { proxy, open in
            let socket = try open()
            try socket.write([UInt8](repeating: 7, count: 1000), deadline: soon)
            #expect(try read(socket, 700).count == 700)
            let error = #expect(throws: SocketError.self) { try socket.read(upTo: 1, deadline: soon) }
            guard case .system = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(proxy.statistics.faults == ["reset": 1])
        }
    }

    @Test func `a close after so many bytes is an orderly end`() async throws {
        try await withProxy(["close,bytes:10,direction:down"]) { _, open in
            let socket = try open()
            try socket.write([UInt8](repeating: 7, count: 100), deadline: soon)
            #expect(try read(socket, 100).count == 10)
        }
    }

    @Test func `only the second connection is hit`() async throws {
        try await withProxy(["close,connection:2,bytes:3,direction:down"]) { _, open in
            let sockets = try (0..<3).map { _ in try open() }
            let counts = try sockets.map { socket in
                try socket.write([1, 2, 3, 4, 5], deadline: soon)
                return try read(socket, 5).count
            }
            #expect(counts == [5, 3, 5])
        }
    }

    @Test func `a stall keeps what was sent and lets it go on when it ends`() async throws {
        try await withProxy { proxy, open in
            let socket = try open()
            try socket.write([1], deadline: soon)
            #expect(try read(socket, 1) == [1])
            proxy.set([ProxyRule(.stall)])
            // The rule is in force when the proxy has counted it.
            while proxy.statistics.faults["stall"] == nil { sched_yield() }
            try socket.write([2], deadline: soon)
            let error = #expect(throws: SocketError.self) {
                try socket.read(upTo: 1, deadline: .after(.milliseconds(80)))
            }
            guard case .timedOut = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            proxy.heal()
            #expect(try read(socket, 1) == [2])
        }
    }

    @Test func `a blackhole loses bytes and ends the connection when it heals`() async throws {
        try await withProxy(["blackhole"]) { proxy, open in
            let socket = try open()
            try socket.write([1, 2, 3], deadline: soon)
            _ = #expect(throws: SocketError.self) { try socket.read(upTo: 1, deadline: .after(.milliseconds(80))) }
            proxy.heal()
            #expect(try read(socket, 3).isEmpty)
        }
    }

    @Test func `a half-close downwards tells the client and lets the server hear on`() async throws {
        try await withProxy(["half-close,bytes:2,direction:down"]) { proxy, open in
            let socket = try open()
            try socket.write([1, 2, 3], deadline: soon)
            #expect(try read(socket, 3) == [1, 2])
            // The way up is open: a write does not fail.
            try socket.write([4], deadline: soon)
            #expect(proxy.statistics.faults["half-close"] == 1)
        }
    }

    @Test func `slow-close tells an end late`() async throws {
        try await withProxy(["slow-close:100ms"]) { _, open in
            let socket = try open()
            socket.finishWriting()
            let took = try ContinuousClock().measure {
                let rest = try read(socket, 1)
                #expect(rest.isEmpty)
            }
            #expect(took >= .milliseconds(190), "\(took): both halves are told late")
        }
    }

    @Test func `refuse refuses for its time, and the port is the same afterwards`() async throws {
        try await withProxy { proxy, open in
            proxy.set([ProxyRule(.refuse, lasts: .milliseconds(150))])
            while proxy.statistics.faults["refuse"] == nil { sched_yield() }
            #expect(throws: SocketError.self) { try open() }
            let deadline = soon
            var socket: Socket?
            while socket == nil, !deadline.isPast { socket = try? open() }
            let again = try #require(socket)
            try again.write([9], deadline: soon)
            #expect(try read(again, 1) == [9])
        }
    }

    @Test func `flap resets what is open and lets connect again, over and over`() async throws {
        try await withProxy(["flap:60ms,down:30ms"]) { proxy, open in
            var resets = 0
            let deadline = soon
            while resets < 3, !deadline.isPast {
                guard let socket = try? open() else { continue }
                if (try? socket.read(upTo: 1, deadline: soon)) == nil { resets += 1 }
            }
            #expect(resets == 3)
            #expect(proxy.statistics.faults["flap"] ?? 0 >= 3)
        }
    }

    @Test func `cut ends what is open and nothing else`() async throws {
        try await withProxy { proxy, open in
            let socket = try open()
            try socket.write([1], deadline: soon)
            #expect(try read(socket, 1) == [1])
            proxy.cut(resetting: true)
            #expect(throws: SocketError.self) { try socket.read(upTo: 1, deadline: soon) }
            let next = try open()
            try next.write([2], deadline: soon)
            #expect(try read(next, 1) == [2])
        }
    }

    @Test func `stop ends everything`() async throws {
        try await withProxy { proxy, open in
            let socket = try open()
            try socket.write([1], deadline: soon)
            #expect(try read(socket, 1) == [1])
            proxy.stop()
            #expect((try? socket.read(upTo: 1, deadline: soon))?.isEmpty ?? true)
            let deadline = soon
            while (try? open()) != nil, !deadline.isPast { sched_yield() }
            #expect(!deadline.isPast)
        }
    }

    @Test func `a server that is not there ends the connection and is counted`() async throws {
        let gone = try SocketListener.loopback().port
        let proxy = try FaultProxy(target: .to(.init("127.0.0.1", gone)))
        defer { proxy.stop() }
        try await onOwnThread {
            let socket = try Socket.connect(host: "127.0.0.1", port: proxy.port, deadline: soon)
            #expect(try read(socket, 1).isEmpty)
        }
        #expect(proxy.statistics.unreachable == 1)
    }

    // MARK: HTTP proxy

    @Test func `CONNECT opens a tunnel, and what follows it at once is not lost`() async throws {
        let echo = try ByteEcho()
        let proxy = try FaultProxy(target: .requested)
        defer { proxy.stop() }
        let text = try await onOwnThread {
            let socket = try Socket.connect(host: "127.0.0.1", port: proxy.port, deadline: soon)
            let head = "CONNECT 127.0.0.1:\(echo.hop.port) HTTP/1.1\r\nHost: a\r\n\r\nhello"
            try socket.write(Array(head.utf8), deadline: soon)
            return String(decoding: try read(socket, 39 + 5), as: UTF8.self)
        }
        #expect(text == "HTTP/1.1 200 Connection established\r\n\r\nhello")
    }

    @Test func `requests to the proxy are read with care`() {
        func read(_ text: String) -> ProxyRequest { ProxyRequest.read(Array(text.utf8)) }
        #expect(read("CONNECT a:44") == .incomplete)
        #expect(read("CONNECT a:443 HTTP/1.1\r\n\r\nX") == .connect(.init("a", 443), rest: [88], answers: true))
        let plain = "GET http://a:81/b HTTP/1.1\r\nHost: a:81\r\nProxy-Connection: x\r\n\r\n"
        let sent = "GET /b HTTP/1.1\r\nHost: a:81\r\nConnection: close\r\n\r\n"
        #expect(read(plain) == .connect(.init("a", 81), rest: Array(sent.utf8), answers: false))
        for bad in [
            "GET /b HTTP/1.1\r\n\r\n", "GET https://a/ HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
            "CONNECT a:0 HTTP/1.1\r\n\r\n",
        ] {
            #expect(read(bad) == .refused)
        }
    }

    // MARK: Rules

    @Test func `rules are read from text, and what is wrong is said`() throws {
        #expect(try ProxyRule(parsing: "reset") == ProxyRule(.reset))
        #expect(
            try ProxyRule(parsing: "reset,connection:2,messages:3")
                == ProxyRule(.reset, connections: 2...2, trigger: .messages(3)))
        #expect(
            try ProxyRule(parsing: "latency:1.5s,jitter:10ms,direction:up,connection:3+")
                == ProxyRule(
                    .latency(.milliseconds(1500), jitter: .milliseconds(10)), direction: .up, connections: 3...Int.max))
        #expect(
            try ProxyRule(parsing: "stall,after:2s,for:5s")
                == ProxyRule(.stall, trigger: .time(.seconds(2)), lasts: .seconds(5)))
        #expect(try ProxyRule(parsing: "bandwidth:64KB") == ProxyRule(.bandwidth(65536)))
        for bad in [
            "", "rest", "latency", "latency:fast", "bandwidth:0", "reset,bytes:many", "reset,connection:0",
            "reset,connection:5-2", "reset,direction:left", "reset,sometimes:1", "flap",
        ] {
            #expect(throws: ProxyRuleProblem.self) { try ProxyRule(parsing: bad) }
        }
    }

    @Test func `messages are counted over any borders, and TLS is opaque`() {
        let head = Array("GET / HTTP/1.1\r\nA: b\r\n\r\n".utf8)
        let frames =
            FrameWriter.bytes(of: Frame(.text, [1], isFinal: false), maskedWith: [1, 2, 3, 4])
            + FrameWriter.bytes(of: Frame(.ping, [9]), maskedWith: [1, 2, 3, 4])
            + FrameWriter.bytes(of: Frame(.continuation, [2]), maskedWith: [1, 2, 3, 4])
            + FrameWriter.bytes(of: Frame(.binary, [UInt8](repeating: 5, count: 70_000)), maskedWith: [1, 2, 3, 4])
        let ending = head.count + 7 + 7 + 7
        for seed in UInt64(1)...50 {
            var random = SeededRandom(seed: seed)
            var watcher = FrameWatcher()
            var at = 0
            var first: Int?
            let bytes = head + frames
            while at < bytes.count {
                let end = min(bytes.count, at + Int.random(in: 1...(at < 60 ? 5 : 9000), using: &random))
                if let inside = watcher.pass(bytes[at..<end], upTo: 1) { first = at + inside }
                at = end
            }
            #expect(first == ending && watcher.messages == 2, "seed \(seed)")
        }
        var opaque = FrameWatcher()
        _ = opaque.pass([22, 3, 1] + ArraySlice(head + frames), upTo: 1)
        #expect(opaque.messages == 0)
    }
}
