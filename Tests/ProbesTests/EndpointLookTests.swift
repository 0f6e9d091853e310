// SPDX-License-Identifier: Apache-2.0
// What one look at a host tells: addresses, connections, clock, certificate.

import Domain
import Platform
import Synchronization
import Testing

@testable import Probes

struct EndpointLookTests {
    private func endpoint(_ url: String) -> Endpoint? {
        Endpoint(.http(url: url, method: "GET", headers: [:], body: nil))
    }

    @Test func `hosts and ports are read from what is asked`() {
        #expect(endpoint("http://a.example/x?y=1") == Endpoint(kind: .http, host: "a.example", port: 80))
        #expect(endpoint("https://a.example") == Endpoint(kind: .https, host: "a.example", port: 443))
        #expect(endpoint("https://a.example:8443/x:9") == Endpoint(kind: .https, host: "a.example", port: 8443))
        #expect(endpoint("http://[::1]:81/")?.name == "[::1]:81")
        #expect(endpoint("https://[::1]/")?.port == 443)
        #expect(endpoint("https://user:word@a.example/") == nil)
        #expect(Endpoint(.tcp(host: "db", port: 5432))?.name == "db:5432")
        #expect(Endpoint(.command(CommandSettings(arguments: ["true"], timeout: .seconds(1)))) == nil)
    }

    @Test func `a port that listens accepts connections, one that does not is told`() async throws {
        let listener = try SocketListener.loopback()
        let transport = ProbeTransport.system(environment: [:])
        let open = Endpoint(kind: .http, host: "127.0.0.1", port: Int(listener.port))
        let look = await EndpointLook.take(open, transport: transport)
        #expect(look.connectProblem == nil && look.nameProblem == nil && look.addresses.isEmpty)
        let closed = await EndpointLook.take(Endpoint(kind: .tcp, host: "127.0.0.1", port: 1), transport: transport)
        #expect(closed.connectProblem?.contains("refused") == true)
        let unnamed = await EndpointLook.take(Endpoint(kind: .tcp, host: "no such", port: 1), transport: transport)
        #expect(unnamed.nameProblem != nil && unnamed.connectProblem == nil)
    }

    @Test func `clock and certificate of https come from one run of curl, to which nothing secret is told`() async {
        let before = SystemClock.wallMilliseconds
        let date = "Sat, 21 Nov 2026 04:18:41 GMT"
        let output =
            "Date:\(date)\nSubject:CN = a\nStart date:Nov  1 00:00:00 2026 GMT\n"
            + "Expire date:Dec  1 12:00:00 2026 GMT\nCert:-----\nExpire date:Jan  1 00:00:00 2040 GMT\n"
        let inputs = Mutex<[String]>([])
        let transport = ProbeTransport(
            run: { command in
                inputs.withLock { $0.append(String(decoding: command.input, as: UTF8.self)) }
                return ProbeCommandReply(end: .exited(0), output: Array(output.utf8))
            },
            exchange: { _ in .noAnswer(problem: "not asked", timings: ProbeTimings(total: 0)) },
            connect: { _, _, _ in .noAnswer(problem: "not asked", timings: ProbeTimings(total: 0)) })
        let look = await EndpointLook.take(Endpoint(kind: .https, host: "127.0.0.1", port: 8443), transport: transport)
        #expect(look.certificateEnds == 1_796_126_400_000)
        // The look was taken at some time between the two, however long the test had to wait.
        let offset = look.clockOffset ?? 0
        #expect(offset <= Double(1_795_234_721_500 - before) / 1000 + 1)
        #expect(offset >= Double(1_795_234_721_500 - SystemClock.wallMilliseconds) / 1000 - 1)
        #expect(inputs.withLock { $0.count } == 1)
        #expect(inputs.withLock { $0.first?.contains("url = \"https://127.0.0.1:8443/\"") } == true)
    }

    @Test func `a certificate counts where the question itself got no answer, and silence is told`() async {
        func look(_ output: String) async -> EndpointLook {
            let transport = ProbeTransport(
                run: { _ in ProbeCommandReply(end: .exited(28), output: Array(output.utf8)) },
                exchange: { _ in .noAnswer(problem: "not asked", timings: ProbeTimings(total: 0)) },
                connect: { _, _, _ in .noAnswer(problem: "not asked", timings: ProbeTimings(total: 0)) })
            let endpoint = Endpoint(kind: .https, host: "127.0.0.1", port: 8443)
            return await EndpointLook.take(endpoint, transport: transport)
        }
        let shown = await look("Date:\nExpire date:Dec  1 12:00:00 2026 GMT\n")
        #expect(shown.certificateEnds == 1_796_126_400_000 && shown.connectProblem == nil)
        let silent = await look("Date:\n")
        #expect(silent.certificateEnds == nil && silent.connectProblem == "curl: no answer in time")
    }

    @Test(
        arguments: [
            ("Sat, 21 Nov 2026 04:18:41 GMT", 1_795_234_721_000), ("Nov 21 04:18:41 2026 GMT", 1_795_234_721_000),
            ("Nov  1 00:00:00 2026 GMT", 1_793_491_200_000), ("yesterday", nil), ("", nil), ("32 Nov 99:00 x", nil),
        ] as [(String, Int64?)])
    func `dates of headers and certificates are read`(text: String, expected: Int64?) {
        #expect(HTTPDate.milliseconds(text) == expected)
    }
}
