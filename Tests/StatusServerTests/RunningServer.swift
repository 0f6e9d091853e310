// SPDX-License-Identifier: Apache-2.0
// A server on a free port of loopback with loops made of values, and a client that speaks to it byte by byte.

import Domain
import Evidence
import Foundation
import Platform
import Reporting
import Synchronization

@testable import StatusServer

final class RunningServer: Sendable {
    let port: UInt16
    private let server: StatusServer

    init(
        _ loops: [ServedLoop], token: String? = nil, hosts: [String] = [], limits: ServerLimits = ServerLimits(),
        now: @escaping @Sendable () -> Timestamp = { Scene.now }
    ) throws {
        guard let listen = ListenAddress("127.0.0.1:0") else { throw TestFailure("no address") }
        let server = try StatusServer(
            loops, ServerOptions(listen: listen, hosts: hosts, token: token, version: "test", limits: limits, now: now))
        self.server = server
        port = server.port
        try PlatformThread.start("page") { try? server.run() }
    }

    deinit { server.stop() }

    func connect() throws -> Socket {
        try Socket.connect(host: "127.0.0.1", port: port, deadline: .after(.seconds(10)))
    }

    /// Sends `text` on a new connection and answers everything that comes until the server ends it.
    func say(_ text: String, thenFinish: Bool = false) async throws -> String {
        try await onThread { [self] in
            let socket = try connect()
            try socket.write(Array(text.utf8), deadline: .after(.seconds(10)))
            if thenFinish { socket.finishWriting() }
            return try Self.readToEnd(socket)
        }
    }

    /// One GET on a connection of its own.
    func get(_ target: String, _ fields: String = "", host: String = "localhost") async throws -> Answer {
        let text = try await say("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\(fields)Connection: close\r\n\r\n")
        return try Answer(text)
    }

    static func readToEnd(_ socket: Socket) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let more = try socket.read(upTo: 64 << 10, deadline: .after(.seconds(20)))
            if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += more
        }
    }

    /// Reads until `text` holds `words`.
    static func read(_ socket: Socket, until words: String) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let more = try socket.read(upTo: 64 << 10, deadline: .after(.seconds(20)))
            bytes += more
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains(words) || more.isEmpty { return text }
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Blocking calls belong on a thread of their own.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let body: @Sendable () -> Void = { continuation.resume(with: Result { try work() }) }
        do {
            try PlatformThread.start("client", body)
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

struct Answer {
    var status: Int
    var fields: [String: String]
    var body: String

    init(_ text: String) throws {
        guard let end = text.firstRange(of: "\r\n\r\n") else {
            throw TestFailure("no whole head in '\(text.prefix(200))'")
        }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        status = Int(lines[0].split(separator: " ")[1]) ?? 0
        fields = [:]
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            fields[halves[0].lowercased(), default: ""] += halves[1].drop { $0 == " " }
        }
        body = String(text[end.upperBound...])
    }
}
