// SPDX-License-Identifier: Apache-2.0
//
// What the fault proxy costs while it makes no trouble: throughput and added latency, beside socat in the same run.

import Foundation
import Platform
import Probes
import WebSocket

enum ProxyBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) throws {
        let megabytes = arguments.number("megabytes", standard: 512)
        let rounds = arguments.number("rounds", standard: 5000)
        let server = try EchoServer()
        defer { server.close() }
        let proxy = try FaultProxy(target: .to(.init("127.0.0.1", server.port)))
        defer { proxy.stop() }
        let socat = try Relay(to: server.port)
        defer { socat?.close() }
        let ways: [(String, UInt16)] =
            [("direct", server.port), ("nightjar proxy", proxy.port)] + (socat.map { [("socat", $0.port)] } ?? [])
        // Three passes, taken in turn, so that no way has the quiet moments for itself.
        var speeds: [String: [Double]] = [:]
        var times: [String: [Int64]] = [:]
        for _ in 0..<3 {
            for (name, port) in ways {
                speeds[name, default: []].append(try throughput(port, megabytes: megabytes))
                times[name, default: []] += try roundTrips(port, rounds: rounds)
            }
        }
        for (name, _) in ways {
            report.add("\(name), throughput", Samples.median(speeds[name] ?? []), "MB/s")
        }
        for (name, _) in ways {
            let taken = times[name] ?? []
            report.add("\(name), round trip of 64 bytes", nanoseconds: taken)
            report.add("\(name), round trip of 64 bytes, p99", Samples.percentile(taken, 0.99) / 1e6, "ms")
        }
    }

    /// Sends so many megabytes one way and waits for the answer that they have come.
    private static func throughput(_ port: UInt16, megabytes: Int) throws -> Double {
        let socket = try Socket.connect(host: "127.0.0.1", port: port, deadline: .after(.seconds(5)))
        let deadline = SocketDeadline.after(.seconds(120))
        let piece = [UInt8](repeating: 0x2A, count: 256 << 10)
        let begin = SystemClock.monotonicNanoseconds
        // An upper-case letter first: the proxy looks whether this is HTTP, as it does with everything.
        try socket.write([0x53], deadline: deadline)
        for _ in 0..<megabytes * 4 { try socket.write(piece, deadline: deadline) }
        socket.finishWriting()
        guard try !socket.read(upTo: 1, deadline: deadline).isEmpty else { throw BenchError("nothing came back") }
        let seconds = Double(SystemClock.monotonicNanoseconds - begin) / 1e9
        return Double(megabytes) * 1.048576 / seconds
    }

    private static func roundTrips(_ port: UInt16, rounds: Int) throws -> [Int64] {
        let socket = try Socket.connect(host: "127.0.0.1", port: port, deadline: .after(.seconds(5)))
        let deadline = SocketDeadline.after(.seconds(120))
        let message = [0x45] + [UInt8](repeating: 0x2A, count: 63)
        var taken: [Int64] = []
        for _ in 0..<rounds {
            let begin = SystemClock.monotonicNanoseconds
            try socket.write(message, deadline: deadline)
            var left = message.count
            while left > 0 {
                let bytes = try socket.read(upTo: left, deadline: deadline)
                guard !bytes.isEmpty else { throw BenchError("the echo ended early") }
                left -= bytes.count
            }
            taken.append(SystemClock.monotonicNanoseconds - begin)
        }
        return taken
    }
}

/// Connections that begin with E are echoed; those that begin with S are read to their end and answered with a byte.
private final class EchoServer: Sendable {
    private let listener: SocketListener
    var port: UInt16 { listener.port }

    init() throws {
        listener = try SocketListener.loopback()
        let listener = listener
        try PlatformThread.start("echo") {
            while let socket = try? listener.accept() {
                _ = try? PlatformThread.start("echo-one") { EchoServer.serve(socket) }
            }
        }
    }

    private static func serve(_ socket: Socket) {
        let deadline = SocketDeadline.after(.seconds(300))
        var isSink: Bool?
        while let bytes = try? socket.read(upTo: 256 << 10, deadline: deadline) {
            if bytes.isEmpty {
                if isSink == true { try? socket.write([1], deadline: deadline) }
                return
            }
            if isSink == nil { isSink = bytes[0] == 0x53 }
            if isSink == false, (try? socket.write(bytes, deadline: deadline)) == nil { return }
        }
    }

    func close() { listener.shutdown() }
}

/// socat as a plain relay, the usual way to put something between two programs.
private final class Relay {
    let port: UInt16
    private let process = Process()

    /// Nil where there is no socat.
    init?(to target: UInt16) throws {
        let free = try SocketListener.loopback()
        port = free.port
        free.shutdown()
        guard let path = ["/usr/bin/socat", "/usr/local/bin/socat"].first(where: { Files.isExecutable($0) }) else {
            return nil
        }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = [
            "-b", "65536", "TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr,nodelay",
            "TCP:127.0.0.1:\(target),nodelay",
        ]
        try process.run()
        let deadline = SocketDeadline.after(.seconds(5))
        while (try? Socket.connect(host: "127.0.0.1", port: port, deadline: deadline)) == nil {
            guard !deadline.isPast else { throw BenchError("socat does not listen") }
            usleep(10_000)
        }
    }

    func close() {
        process.terminate()
        process.waitUntilExit()
    }
}
