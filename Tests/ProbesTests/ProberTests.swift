// SPDX-License-Identifier: Apache-2.0
// Which way a question travels, and what becomes of the answers.

import Domain
import Synchronization
import Testing

@testable import Probes

/// Notes what was asked and answers from a list.
final class FakeTransport: Sendable {
    let commands = Mutex<[ProbeCommand]>([])
    let requests = Mutex<[PlainRequest]>([])
    private let bodies: Mutex<[String]>
    private let end: ProbeCommandEnd

    init(bodies: [String] = [], end: ProbeCommandEnd = .exited(0)) {
        self.bodies = Mutex(bodies)
        self.end = end
    }

    var transport: ProbeTransport {
        ProbeTransport(
            run: { [self] command in
                commands.withLock { $0.append(command) }
                let figures = "nightjar-probe 200 0.001 0.002 0.003 0.004 0.005 "
                return ProbeCommandReply(
                    end: end, output: Array("from a command".utf8), errors: Array(figures.utf8), milliseconds: 9)
            },
            exchange: { [self] request in
                requests.withLock { $0.append(request) }
                let body = bodies.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let body else { return .noAnswer(problem: "connection refused", timings: ProbeTimings(total: 1)) }
                return .http(status: 200, body: Array(body.utf8), timings: ProbeTimings(total: 1))
            },
            connect: { _, port, _ in
                port == 1
                    ? .noAnswer(problem: "connection refused", timings: ProbeTimings(total: 1))
                    : .connected(ProbeTimings(total: 1))
            })
    }
}

struct ProberTests {
    static func http(_ url: String, contains: String? = nil) -> CheckSettings {
        CheckSettings(
            name: url, target: .http(url: url, method: "GET", headers: [:], body: nil), contains: contains)
    }

    @Test(
        arguments: [
            ("http://h/", [:], false), ("https://h/", [:], true), ("HTTP://h/", [:], false),
            ("http://u:p@h/", [:], true),
            ("http://h/x@y", [:], false), ("http://h/", ["http_proxy": "http://p:1"], true),
            ("http://h/", ["ALL_PROXY": "http://p:1"], true), ("http://h/", ["HTTP_PROXY": "http://p:1"], false),
            ("http://h/", ["http_proxy": ""], false),
        ] as [(String, [String: String], Bool)])
    func `curl is used only where it is needed`(url: String, environment: [String: String], byCurl: Bool) async {
        let fake = FakeTransport(bodies: ["x"])
        let answer = await Prober(transport: fake.transport, environment: environment).ask(Self.http(url))
        #expect(answer.ok)
        #expect(fake.commands.withLock { $0.map(\.arguments) } == (byCurl ? [CurlCall.arguments] : []))
        #expect(fake.requests.withLock { $0.count } == (byCurl ? 0 : 1))
    }

    @Test func `a secret in a URL is not in the argument vector`() async {
        let fake = FakeTransport()
        _ = await Prober(transport: fake.transport, environment: [:]).ask(Self.http("https://h/?token=s3cret"))
        let command = fake.commands.withLock { $0.first }
        #expect(command?.arguments.joined().contains("s3cret") == false)
        #expect(command.map { String(decoding: $0.input, as: UTF8.self) }?.contains("s3cret") == true)
    }

    @Test func `answers come in the order of the checks`() async {
        let fake = FakeTransport(bodies: Array(repeating: "x", count: 40))
        let checks = (0..<40).map { Self.http("http://h/\($0)") }
        let answers = await Prober(transport: fake.transport, environment: [:]).ask(checks)
        #expect(answers.map(\.check) == checks.map(\.name) && answers.allSatisfy(\.ok))
    }

    @Test func `a refused request is a finding and nothing is sent`() async {
        let fake = FakeTransport(bodies: ["x"])
        let answer = await Prober(transport: fake.transport, environment: [:]).ask(Self.http("ftp://h/"))
        #expect(!answer.ok && answer.finding == "the URL must begin with http:// or https://")
        #expect(fake.requests.withLock { $0.isEmpty } && fake.commands.withLock { $0.isEmpty })
    }

    @Test(
        arguments: [
            (.exited(0), true, "exit 0"), (.exited(7), false, "exit 7, expected 0"),
            (.signaled(9), false, "./check.sh was ended by signal 9"),
            (.timedOut, false, "./check.sh did not end within 2 s"),
            (.didNotStart("no such file"), false, "./check.sh could not be started: no such file"),
        ] as [(ProbeCommandEnd, Bool, String)])
    func `a command check says how the command ended`(end: ProbeCommandEnd, ok: Bool, finding: String) async {
        let fake = FakeTransport(end: end)
        let command = CommandSettings(arguments: ["./check.sh", "a b"], timeout: .seconds(2))
        let check = CheckSettings(name: "jobs", target: .command(command), timeout: .seconds(5))
        let answer = await Prober(transport: fake.transport, environment: [:]).ask(check)
        #expect(answer.ok == ok && answer.finding == finding)
        #expect(fake.commands.withLock { $0.first?.arguments } == ["./check.sh", "a b"])
    }

    @Test func `a shell takes part only where the settings say so`() async {
        let fake = FakeTransport()
        let command = CommandSettings(arguments: ["true && false"], isShell: true, timeout: .seconds(2))
        _ = await Prober(transport: fake.transport, environment: [:]).reply(to: .command(command), timeout: .seconds(1))
        #expect(fake.commands.withLock { $0.first?.arguments } == ["/bin/sh", "-c", "true && false"])
        #expect(fake.commands.withLock { $0.first?.timeout } == .seconds(1))
    }

    @Test func `a port is open or it is not`() async {
        let prober = Prober(transport: FakeTransport().transport, environment: [:])
        let open = await prober.ask(CheckSettings(name: "db", target: .tcp(host: "h", port: 5432)))
        let shut = await prober.ask(CheckSettings(name: "db", target: .tcp(host: "h", port: 1)))
        #expect(open.ok && open.finding == "connected")
        #expect(!shut.ok && shut.finding == "connection refused")
    }

    static func live(answers: Int) -> LiveRevisionSettings {
        LiveRevisionSettings(target: .http(url: "http://h/", method: "GET", headers: [:], body: nil), answers: answers)
    }

    @Test func `every answer is asked for and counted`() async {
        let bodies = Array(repeating: "4f2e91c", count: 6) + ["77af001", "4f2e91c"]
        let fake = FakeTransport(bodies: bodies)
        let reading = await Prober(transport: fake.transport, environment: [:])
            .reading(Self.live(answers: 8), wanted: Revision("4f2e91c"))
        #expect(reading.revision == nil && reading.asked == 8)
        #expect(reading.problem == "7 × 4f2e91c, 1 × 77af001 of 8 answers, wanted 4f2e91c in every one")
    }

    @Test func `a dead environment is not asked twenty times`() async {
        let fake = FakeTransport()
        let reading = await Prober(transport: fake.transport, environment: [:]).reading(Self.live(answers: 20))
        #expect(reading.asked == Prober.revisionBatch)
        #expect(reading.problem == "4 of 4 answers name no revision: connection refused")
    }
}
