// SPDX-License-Identifier: Apache-2.0
//
// What one health check adds: plain HTTP by our own client, HTTPS by a run of curl.

import Domain
import Foundation
import Platform
import Probes

enum ProbeBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) async throws {
        let rounds = arguments.number("rounds", standard: 200)
        let folder = try WorkFolder()
        let server = try HTTPServer()
        defer { server.close() }
        let prober = Prober(
            transport: .system(environment: Programs.environment), environment: Programs.environment)
        let plain = try await times(rounds, prober, "http://127.0.0.1:\(server.port)/health")
        report.add("http, own client", nanoseconds: plain)
        guard let secure = try SecureServer(folder) else { return }
        defer { secure.close() }
        var trusting = Programs.environment
        trusting["CURL_CA_BUNDLE"] = secure.certificate
        let curl = Prober(transport: .system(environment: trusting), environment: trusting)
        let encrypted = try await times(rounds, curl, "https://localhost:\(secure.port)/")
        report.add("https, curl", nanoseconds: encrypted)
    }

    private static func times(_ rounds: Int, _ prober: Prober, _ url: String) async throws -> [Int64] {
        let check = CheckSettings(name: "health", target: .http(url: url, method: "GET", headers: [:], body: nil))
        var taken: [Int64] = []
        for _ in 0..<rounds {
            let begin = SystemClock.monotonicNanoseconds
            let answer = await prober.ask(check)
            taken.append(SystemClock.monotonicNanoseconds - begin)
            guard answer.ok else { throw BenchError("\(url) did not answer: \(answer.finding)") }
        }
        return taken
    }
}

/// Answers every connection with a small page.
private final class HTTPServer: Sendable {
    private let listener: SocketListener
    var port: UInt16 { listener.port }

    init() throws {
        listener = try SocketListener.loopback()
        let listener = listener
        try PlatformThread.start("server") {
            let page = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".utf8)
            while let socket = try? listener.accept() {
                let deadline = SocketDeadline.after(.seconds(5))
                _ = try? socket.read(upTo: 4096, deadline: deadline)
                try? socket.write(page, deadline: deadline)
            }
        }
    }

    func close() { listener.shutdown() }
}

/// openssl's test server with a certificate made for the occasion.
private final class SecureServer {
    let port: UInt16
    let certificate: String
    private let process = Process()

    /// Nil where there is no openssl.
    init?(_ folder: WorkFolder) throws {
        // Free a moment ago; nothing else here asks for one.
        let free = try SocketListener.loopback()
        port = free.port
        free.shutdown()
        certificate = "\(folder.path)/certificate.pem"
        let key = "\(folder.path)/key.pem"
        guard Files.isExecutable("/usr/bin/openssl") else { return nil }
        let maker = Process()
        maker.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        maker.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ]
        maker.standardError = FileHandle.nullDevice
        try maker.run()
        maker.waitUntilExit()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-accept", String(port), "-cert", certificate, "-key", key, "-www", "-quiet"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: 0.5)
    }

    /// Killed, since SIGTERM was seen to leave it running. Not waited for: Foundation's wait hung here on a thread that
    /// runs tasks.
    func close() { kill(process.processIdentifier, SIGKILL) }
}
