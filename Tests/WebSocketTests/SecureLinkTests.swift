// SPDX-License-Identifier: Apache-2.0
// TLS through openssl: real certificates, made for the test, and a real server; and what must be refused.

import Foundation
import Platform
import Testing

@testable import WebSocket

/// A `openssl s_server` with a certificate of its own making for `localhost`.
private final class SecureServer {
    let folder: String
    let port: UInt16
    private let process = Process()
    var authorities: String { folder + "/cert.pem" }

    init(name: String = "localhost") throws {
        folder = NSTemporaryDirectory() + "nightjar-tls-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try SecureServer.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout",
            folder + "/key.pem", "-out", folder + "/cert.pem", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name)",
        ])
        try #require(made == 0)
        // A port that was free a moment ago.
        port = try SocketListener.loopback().port
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        // -rev answers every line reversed: a conversation without a server of ours.
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:\(port)", "-cert", folder + "/cert.pem", "-key", folder + "/key.pem",
            "-rev",
            "-quiet",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    private static func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Until the server listens.
    func wait() throws {
        let deadline = soon
        while true {
            if (try? Socket.connect(host: "127.0.0.1", port: port, deadline: soon)) != nil { return }
            guard !deadline.isPast else { return }
        }
    }

    deinit {
        process.terminate()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is installed"))
struct SecureLinkTests {
    private func ask(_ url: String, _ path: NetworkPath) async -> HTTPError? {
        await #expect(throws: HTTPError.self) {
            try await onThread { try HTTPClient.get(url, over: path, deadline: soon) }
        }
    }

    @Test func `bytes go there and back through TLS, lines that openssl could obey included`() async throws {
        try await onThread {
            let server = try SecureServer()
            try server.wait()
            let address = try HTTPAddress("https://localhost:\(server.port)/")
            let path = NetworkPath(connectTo: .init("127.0.0.1", server.port), authorities: server.authorities)
            let link = try Link.open(address, over: path, deadline: soon)
            defer { link.end() }
            #expect(link.isSecure)
            for line in ["Quit", "Renegotiate", "hello"] {
                try link.socket.write(Array("\(line)\n".utf8), deadline: soon)
                var answer: [UInt8] = []
                while answer.last != 10 { answer += try link.socket.read(upTo: 100, deadline: soon) }
                #expect(String(decoding: answer, as: UTF8.self) == String(line.reversed()) + "\n")
            }
        }
    }

    @Test func `a certificate that nobody vouches for is refused before a byte is sent`() async throws {
        let server = try SecureServer()
        try server.wait()
        let error = await ask(
            "https://localhost:\(server.port)/", NetworkPath(connectTo: .init("127.0.0.1", server.port)))
        guard case .tls(let what) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("not trusted") && what.contains("self"), "\(what)")
    }

    @Test func `a certificate for another name is refused`() async throws {
        let server = try SecureServer(name: "elsewhere.example")
        try server.wait()
        let error = await ask(
            "https://localhost:\(server.port)/",
            NetworkPath(
                connectTo: .init("127.0.0.1", server.port), authorities: server.authorities))
        #expect(error == .tls("the certificate is not trusted (hostname mismatch)"))
    }

    @Test func `no server, no TLS and no openssl are told apart`() async throws {
        let port = try SocketListener.loopback().port
        guard case .tls(let refused) = await ask("https://127.0.0.1:\(port)/", .direct) else {
            Issue.record("a closed port")
            return
        }
        #expect(refused.contains("no connection"), "\(refused)")
        let plain = try ScriptedServer { try $0.write(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), deadline: soon) }
        guard case .tls(let words) = await ask("https://127.0.0.1:\(plain.port)/", .direct) else {
            Issue.record("a server without TLS")
            return
        }
        #expect(words.contains("wrong version") || words.contains("packet length"), "\(words)")
        let nowhere = NetworkPath(environment: ["PATH=/nowhere"])
        #expect(await ask("https://127.0.0.1:\(port)/", nowhere) == .tls("openssl is not installed"))
    }
}
