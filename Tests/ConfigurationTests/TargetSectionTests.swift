// SPDX-License-Identifier: Apache-2.0
// Targets of every kind as the file writes them, and what does not go together.

import Domain
import Testing

@testable import Configuration

struct TargetSectionTests {
    private func target(_ text: String, _ more: String = "") throws -> TargetSettings {
        try #require(
            try loaded(minimal("targets: [{ name: 't', limit: '100ms', \(text) }], \(more)")).settings.targets.first)
    }

    private func complaints(_ text: String, limit: String = "100ms") -> [String] {
        problems(minimal("targets: [{ name: 't', limit: '\(limit)', \(text) }]"))
    }

    @Test func `an address is enough`() throws {
        let target = try target("http: 'https://a.example/x'")
        guard case .http(let check, .total, let sampling) = target.source else {
            Issue.record("\(target.source)")
            return
        }
        #expect(check.target == .http(url: "https://a.example/x", method: "GET", headers: [:], body: nil))
        #expect(sampling == TargetSampling() && check.timeout == .seconds(5))
        #expect(target.percentile == 95 && target.relevantPercent == 10)
    }

    @Test func `everything about an HTTP sample can be said`() throws {
        let target = try target(
            """
            http: 'http://a.example/x', method: 'POST', body: '{}', headers: { Authorization: 'Bearer {TOKEN}' },
            expect: { status: [200, 201], json: { '/ok': true } }, timing: 'firstByte', samples: 50, warmup: 0,
            interval: '0s', timeout: '2s', mayFail: 2.5, secrets: ['TOKEN'], relevant: 25, percentile: 50
            """, "secrets: { TOKEN: { fromEnv: 'T' } }")
        guard case .http(let check, .firstByte, let sampling) = target.source else {
            Issue.record("\(target.source)")
            return
        }
        #expect(check.statuses == [200, 201] && check.json.first?.pointer == "/ok" && check.timeout == .seconds(2))
        #expect(sampling.samples == 50 && sampling.warmup == 0 && sampling.interval == .zero)
        #expect(sampling.failuresAllowed == 1 && sampling.secrets == ["TOKEN"])
        #expect(target.relevantPercent == 25)
    }

    @Test func `a WebSocket is pinged, or sent a message`() throws {
        let ping = try target("websocket: 'wss://a.example/live', headers: { 'X-A': 'b' }, samples: 5")
        guard case .webSocket(let exchange, let sampling) = ping.source else {
            Issue.record("\(ping.source)")
            return
        }
        #expect(exchange == WebSocketExchange(url: "wss://a.example/live", headers: ["X-A": "b"]))
        #expect(sampling.samples == 5 && ping.source.words == "websocket ping")
        let message = try target(
            "websocket: { url: 'ws://a.example/', send: 'n {sample}', receive: '{sample}', subprotocols: ['v1'] }")
        guard case .webSocket(let talk, _) = message.source else { return }
        #expect(talk.message == "n {sample}" && talk.reply == "{sample}" && talk.subprotocols == ["v1"])
    }

    @Test func `a property, and numbers that do not count`() throws {
        let target = try target("property: 'p95', warmup: 2")
        #expect(target.source == .property("p95") && target.warmup == 2)
    }

    @Test(arguments: [
        ("http: 'http://a/', tests: '*'", "exactly one of"), ("samples: 3", "exactly one of"),
        ("tests: '*', samples: 3", "targets[0].samples: means nothing beside tests"),
        ("command: ['x'], interval: '1s'", "targets[0].interval: means nothing beside a command"),
        ("tests: '*', warmup: 3", "targets[0].warmup: means nothing beside tests"),
        ("property: 'p', expect: { status: 200 }", "targets[0].expect: means nothing beside a property"),
        ("websocket: 'ws://a/', timing: 'total'", "targets[0].timing: means nothing beside a websocket"),
        ("websocket: { url: 'ws://a/' }, headers: { A: 'b' }", "targets[0].headers: means nothing beside a websocket"),
        ("http: { url: 'http://a/' }, method: 'PUT'", "targets[0].method: means nothing beside a http object"),
        ("http: 'http://a/', expect: { exit: 1 }", "targets[0].expect.exit: means nothing for a http check"),
        ("http: 'http://a/', secrets: ['NONE']", "targets[0].secrets: found a name that is not in secrets"),
        ("http: 'ws://a/'", "targets[0].http"), ("websocket: 'http://a/'", "targets[0].websocket"),
    ])
    func `what does not go together is refused`(text: String, complaint: String) {
        #expect(complaints(text).contains { $0.contains(complaint) }, "\(complaints(text))")
    }

    @Test func `a time is compared with a time`() {
        #expect(complaints("http: 'http://a/'", limit: "5").contains { $0.contains("targets[0].limit: found \"5\"") })
        #expect(complaints("websocket: 'ws://a/'", limit: "5 %").contains { $0.contains("targets[0].limit") })
        #expect(complaints("http: 'http://a/'", limit: "0.4 s").isEmpty)
    }
}
