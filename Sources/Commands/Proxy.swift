// SPDX-License-Identifier: Apache-2.0
// `nightjar proxy`: the fault proxy by itself, in front of anything that speaks TCP.

import Foundation
import Platform
import Probes
import Reporting
import WebSocket

struct ProxyCommand: Command {
    static let description = CommandDescription(
        "proxy", "a TCP proxy that makes trouble on purpose: latency, stalls, resets, flapping",
        details: [
            "With --to it stands in front of one server. Without, it is an HTTP proxy (CONNECT and http:// addresses): "
                + "programs that honor HTTPS_PROXY go through it wherever they go. TLS passes as it is, so certificates "
                + "stay right; only messages cannot be counted in it.",
            "A fault is a word with its value, and then when and where, separated by commas: latency:50ms,jitter:10ms; "
                + "bandwidth:64KB (per second); stall; blackhole; reset; close; half-close; slow-close:1s; refuse; "
                + "flap:2s,down:500ms.",
            "When: bytes:N, messages:N (WebSocket, both counted in the fault's direction), after:TIME; nothing means from "
                + "the start. How long: for:TIME. Which: connection:2, connection:2-5, connection:3+; direction:up (to the "
                + "server) or down. The same --seed gives the same jitter.",
        ],
        options: [
            .value("listen", "ADDRESS", short: "l", "[HOST:]PORT to listen on (default 127.0.0.1:0, a free port)"),
            .value("to", "HOST:PORT", short: "t", "the server; without it, wherever the client asks for"),
            .value("fault", "FAULT", short: "f", "a fault, see above; may be repeated", repeats: true),
            .value("seed", "N", "for the jitter (default 1)"),
            .value("for", "TIME", "ends by itself after so long, such as 30s"),
            .flag("quiet", short: "q", "no line for every connection and fault"),
            .flag("json", "print the summary as JSON"),
        ],
        examples: [
            .init(
                "nightjar proxy --listen 9000 --to staging.example:443 --fault latency:200ms,jitter:50ms",
                "A slow way to staging; TLS stays whole."),
            .init(
                "nightjar proxy -l 9000 -t 127.0.0.1:8080 -f reset,connection:2,messages:3,direction:down",
                "Resets the second connection after the third message of the server."),
            .init(
                "nightjar proxy -l 9000 -f flap:5s,down:1s & HTTPS_PROXY=http://127.0.0.1:9000 pytest",
                "Any suite behind a network that comes and goes."),
        ],
        exits: [
            .init(.ok, "ended by Ctrl-C, SIGTERM or --for"), .init(.usage, "a fault or an address is wrong"),
            .init(.infrastructure, "cannot listen there"),
        ])

    struct Summary: Codable {
        var address: String
        var connections: Int
        var unreachable: Int
        var bytesUp: Int
        var bytesDown: Int
        var faults: [String: Int]
        var seconds: Double
    }

    func run(_ context: Context) async throws -> ExitCode {
        let arguments = context.arguments
        let rules = try arguments.all("fault").map { text in
            do {
                return try ProxyRule(parsing: text)
            } catch {
                throw CommandError.usage("\(error)", command: "proxy")
            }
        }
        let duration = try arguments.value("for").map { try Self.time($0) }
        let seed = try arguments.integer("seed", in: 0...Int.max) ?? 1
        let listen = try Self.hop(arguments.value("listen") ?? "127.0.0.1:0", default: "127.0.0.1", least: 0)
        let target: FaultProxy.Target =
            try arguments.value("to").map { .to(try Self.hop($0, default: nil, least: 1)) }
            ?? .requested
        let isQuiet = arguments.flag("quiet")
        let output = context.output
        let started = ContinuousClock.now
        let proxy: FaultProxy
        do {
            proxy = try FaultProxy(
                address: listen.host, port: listen.port, target: target, rules: rules, seed: UInt64(seed)
            ) { line in
                if !isQuiet { output.note(Self.stamp(started) + " " + Printable.line(line)) }
            }
        } catch {
            throw CommandError.unavailable("the proxy cannot listen on \(listen.host):\(listen.port): \(error)")
        }
        output.note("listening on \(proxy.address):\(proxy.port); Ctrl-C ends it")
        await Self.waitForEnd(duration)
        proxy.heal()
        proxy.cut(resetting: false)
        let summary = Self.summary(proxy, seconds: (ContinuousClock.now - started) / .seconds(1))
        proxy.stop()
        try output.result(summary, json: context.wantsJSON) { Self.text(summary) }
        return .ok
    }

    /// Until a signal or the end of the time.
    private static func waitForEnd(_ duration: Duration?) async {
        let (events, continuation) = AsyncStream<Void>.makeStream()
        try? SignalSource.start([SignalSource.interrupt, SignalSource.terminate]) { _ in continuation.yield() }
        let timer = duration.map { duration in
            Task {
                try? await Task.sleep(for: duration)
                continuation.yield()
            }
        }
        for await _ in events { break }
        timer?.cancel()
    }

    private static func summary(_ proxy: FaultProxy, seconds: Double) -> Summary {
        // The connections that are cut are counted as soon as the proxy's thread has done so.
        let deadline = SocketDeadline.after(.seconds(1))
        while proxy.statistics.open > 0, !deadline.isPast { sched_yield() }
        let found = proxy.statistics
        return Summary(
            address: "\(proxy.address):\(proxy.port)", connections: found.connections, unreachable: found.unreachable,
            bytesUp: found.up, bytesDown: found.down, faults: found.faults, seconds: seconds)
    }

    private static func text(_ summary: Summary) -> String {
        let faults = summary.faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return """
            \(Plurals.count(summary.connections, "connection")) in \(String(format: "%.1f", summary.seconds)) s, \
            \(summary.unreachable) without an answer from the server
            \(summary.bytesUp) bytes up, \(summary.bytesDown) bytes down
            faults: \(faults.isEmpty ? "none" : faults.joined(separator: ", "))

            """
    }

    private static func stamp(_ started: ContinuousClock.Instant) -> String {
        String(format: "%8.3f", (ContinuousClock.now - started) / .seconds(1))
    }

    private static func time(_ text: String) throws(CommandError) -> Duration {
        guard let duration = ShortDuration.parse(text) else {
            throw .usage("a time is written like 500ms, 30s or 5m, not '\(text)'", command: "proxy")
        }
        return duration
    }

    /// `HOST:PORT`, `[::1]:PORT`, or a port alone where there is a default host.
    private static func hop(_ text: String, default host: String?, least: UInt16) throws(CommandError)
        -> NetworkPath.Hop
    {
        if let host, let port = UInt16(text), port >= least { return .init(host, port) }
        let colon = text.lastIndex(of: ":")
        if let colon, let port = UInt16(text[text.index(after: colon)...]), port >= least {
            var name = String(text[..<colon])
            if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
            if !name.isEmpty { return .init(name, port) }
        }
        throw .usage("an address is written like \(host ?? "host"):8080, not '\(text)'", command: "proxy")
    }
}
