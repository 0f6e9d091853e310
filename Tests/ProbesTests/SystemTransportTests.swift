// SPDX-License-Identifier: Apache-2.0
// Probes over real sockets on loopback and real commands.

import Domain
import Platform
import Testing

@testable import Probes

/// Answers every connection with the same bytes, on a thread of its own, until it goes.
final class CannedServer: Sendable {
    private let listener: SocketListener
    var port: Int { Int(listener.port) }

    /// `answer` nil accepts and stays silent.
    init(answer: String?) throws {
        let listener = try SocketListener.loopback()
        self.listener = listener
        try PlatformThread.start("canned") {
            var silent: [Socket] = []
            while let socket = try? listener.accept() {
                guard let answer else {
                    silent.append(socket)
                    continue
                }
                _ = try? socket.read(upTo: 64 << 10, deadline: .after(.seconds(5)))
                try? socket.write(Array(answer.utf8), deadline: .after(.seconds(5)))
                socket.finishWriting()
                // Reads to the end: closing with unread bytes would reset the connection under the client.
                while let more = try? socket.read(upTo: 4096, deadline: .after(.seconds(5))), !more.isEmpty {}
            }
        }
    }

    deinit { listener.shutdown() }

    static func response(_ body: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }
}

struct SystemTransportTests {
    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    let prober = Prober(transport: .system(environment: environment), environment: [:])

    static func check(
        _ port: Int, path: String = "/health", json: [(String, String)] = [], timeout: Duration = .seconds(10),
        user: String = ""
    ) -> CheckSettings {
        CheckSettings(
            name: "health",
            target: .http(url: "http://\(user)127.0.0.1:\(port)\(path)", method: "GET", headers: [:], body: nil),
            json: json.map { CheckSettings.JSONExpectation(pointer: $0.0, value: $0.1) }, timeout: timeout)
    }

    @Test func `a healthy service is healthy, with its times`() async throws {
        let server = try CannedServer(answer: CannedServer.response(#"{"status":"healthy"}"#))
        let answer = await prober.ask(Self.check(server.port, json: [("/status", "healthy")]))
        #expect(answer.ok && answer.finding == "status 200")
        let connect = try #require(answer.timings.connect)
        let firstByte = try #require(answer.timings.firstByte)
        #expect(connect <= firstByte && firstByte <= answer.timings.total && answer.timings.total > 0)
    }

    @Test func `a command gets the secrets that it names, and what it prints is without them`() async {
        let prober = Prober(
            transport: .system(
                environment: Self.environment,
                secrets: { names in Dictionary(uniqueKeysWithValues: names.map { ($0, "s3cret-of-\($0)") }) }),
            environment: [:])
        let script = "test \"$TOKEN\" = s3cret-of-TOKEN && echo \"got $TOKEN\""
        let command = CommandSettings(
            arguments: ["/bin/sh", "-c", script], timeout: .seconds(30), secrets: ["TOKEN"])
        guard case .exited(0, let output, _) = await prober.reply(to: .command(command), timeout: .seconds(30)) else {
            Issue.record("the command did not get its secret")
            return
        }
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasPrefix("got ") && !text.contains("s3cret"))
    }

    @Test func `a command whose secret cannot be had is not run`() async {
        let command = CommandSettings(arguments: ["true"], timeout: .seconds(30), secrets: ["TOKEN"])
        guard case .noAnswer(let problem, _) = await prober.reply(to: .command(command), timeout: .seconds(30)) else {
            Issue.record("it was run")
            return
        }
        #expect(problem.contains("no secret can be had here"))
    }

    /// A user in the URL makes it a question for curl: the same server, the other way.
    @Test func `curl and our own client find the same`() async throws {
        let degraded = try CannedServer(answer: CannedServer.response(#"{"status":"degraded"}"#))
        let down = try CannedServer(answer: CannedServer.response("", status: "503 Service Unavailable"))
        let rude = try CannedServer(answer: "")
        for user in ["", "u:p@"] {
            let one = await prober.ask(Self.check(degraded.port, json: [("/status", "healthy")], user: user))
            #expect(!one.ok && one.finding == #"/status is "degraded", expected "healthy""#)
            let other = await prober.ask(Self.check(down.port, user: user))
            #expect(!other.ok && other.finding == "status 503, expected 200...299")
            #expect(other.timings.firstByte != nil)
            #expect(await prober.ask(Self.check(rude.port, user: user)).ok == false)
        }
    }

    @Test func `a silent service costs its timeout and no more`() async throws {
        let server = try CannedServer(answer: nil)
        for user in ["", "u:p@"] {
            let answer = await prober.ask(Self.check(server.port, timeout: .milliseconds(300), user: user))
            #expect(!answer.ok && answer.finding == "no answer from 127.0.0.1:\(server.port) within 0.3 s")
            #expect(answer.timings.total >= 250)
        }
    }

    @Test func `an answer past the limit is refused, not cut`() async throws {
        let body = String(repeating: "x", count: CurlCall.bodyLimit + 1)
        let server = try CannedServer(answer: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        for user in ["", "u:p@"] {
            let answer = await prober.ask(Self.check(server.port, user: user))
            #expect(!answer.ok && answer.finding == "the answer is larger than 1 MiB")
        }
    }

    @Test func `nobody listens`() async throws {
        let port = try { Int(try SocketListener.loopback().port) }()
        let http = await prober.ask(Self.check(port))
        #expect(!http.ok && http.finding == "connection refused 127.0.0.1:\(port)")
        let tcp = await prober.ask(CheckSettings(name: "db", target: .tcp(host: "127.0.0.1", port: port)))
        #expect(!tcp.ok && tcp.finding == "connection refused 127.0.0.1:\(port)")
        let curl = await prober.ask(Self.check(port, user: "u:p@"))
        #expect(!curl.ok && curl.finding.hasPrefix("no connection to 127.0.0.1:\(port)"))
    }

    @Test func `an open port is open and port 0 is none`() async throws {
        let server = try CannedServer(answer: "")
        let open = await prober.ask(CheckSettings(name: "db", target: .tcp(host: "127.0.0.1", port: server.port)))
        #expect(open.ok && open.finding == "connected")
        let none = await prober.ask(CheckSettings(name: "db", target: .tcp(host: "127.0.0.1", port: 0)))
        #expect(!none.ok && none.finding == "0 is no port, expected 1...65535")
    }

    @Test func `the live revision is read and proven over sockets`() async throws {
        let server = try CannedServer(answer: CannedServer.response(#"{"revision":"4f2e91c"}"#))
        let settings = LiveRevisionSettings(
            service: "web",
            target: .http(url: "http://127.0.0.1:\(server.port)/", method: "GET", headers: [:], body: nil),
            pointer: "/revision", answers: 10)
        let reading = await prober.reading(settings, wanted: Revision("4f2e91c00c4b8e7a"))
        #expect(reading.revision == Revision("4f2e91c") && reading.problem == nil && reading.asked == 10)
    }

    static func command(_ arguments: [String], isShell: Bool = false, timeout: Duration = .seconds(10)) -> CheckSettings
    {
        CheckSettings(
            name: "job",
            target: .command(
                CommandSettings(
                    arguments: arguments, isShell: isShell, timeout: timeout, environment: ["GREETING": "hello"])),
            contains: "hello", timeout: timeout)
    }

    @Test func `a command check runs, sees its environment and is judged`() async {
        let good = await prober.ask(Self.command(["echo $GREETING"], isShell: true))
        #expect(good.ok && good.finding == "exit 0")
        let bad = await prober.ask(Self.command(["echo hello; exit 3"], isShell: true))
        #expect(!bad.ok && bad.finding == "exit 3, expected 0")
        let missing = await prober.ask(Self.command(["/no/such/program"]))
        #expect(!missing.ok && missing.finding.hasPrefix("/no/such/program could not be started"))
        let slow = await prober.ask(Self.command(["sleep", "60"], timeout: .milliseconds(200)))
        #expect(!slow.ok && slow.finding == "sleep did not end within 0.2 s")
        let killed = await prober.ask(Self.command(["kill -9 $$"], isShell: true))
        #expect(!killed.ok && killed.finding == "kill -9 $$ was ended by signal 9")
    }
}
