// SPDX-License-Identifier: Apache-2.0
// TLS through openssl: real certificates, made for the test, and a real server; and what must be refused.

import Foundation
import Platform
import Testing

@testable import WebSocket

/// A `openssl s_server` with a certificate of its own making for `localhost`.
private final class SecureServer: Sendable {
    let folder: String
    let port: UInt16
    private let process = Process()
    private let output = Pipe()
    var authorities: String { folder + "/cert.pem" }

    /// One that listens, on a port that the system chose.
    static func start(name: String = "localhost") async throws -> SecureServer {
        try await onThread { try SecureServer(name: name) }
    }

    /// Waits for two openssl programs: not for a thread that tests share.
    private init(name: String) throws {
        folder = NSTemporaryDirectory() + "nightjar-tls-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try SecureServer.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout",
            folder + "/key.pem", "-out", folder + "/cert.pem", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name)",
        ])
        try #require(made == 0)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        // -rev answers every line reversed: a conversation without a server of ours.
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:0", "-cert", folder + "/cert.pem", "-key", folder + "/key.pem", "-rev",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        port = try #require(SecureServer.port(in: output.fileHandleForReading), "openssl s_server did not listen")
    }

    /// From the line `ACCEPT 127.0.0.1:41863`, which it prints once it listens.
    private static func port(in output: FileHandle) -> UInt16? {
        var text = ""
        while let bytes = try? output.read(upToCount: 1), !bytes.isEmpty {
            text += String(decoding: bytes, as: UTF8.self)
            guard text.hasSuffix("\n") else { continue }
            if text.hasPrefix("ACCEPT ") { return text.split(separator: ":").last.flatMap { UInt16($0.dropLast()) } }
            text = ""
        }
        return nil
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
        let server = try await SecureServer.start()
        try await onThread {
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
        let server = try await SecureServer.start()
        let error = await ask(
            "https://localhost:\(server.port)/", NetworkPath(connectTo: .init("127.0.0.1", server.port)))
        guard case .tls(let what) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("not trusted") && what.contains("self"), "\(what)")
    }

    @Test func `a certificate for another name is refused`() async throws {
        let server = try await SecureServer.start(name: "elsewhere.example")
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
