// SPDX-License-Identifier: Apache-2.0
// Cases that must not pass for having done or seen nothing, each against a server that is made for it.

import Foundation
import Platform
import Testing
import WebSocket

@testable import Probes

@Suite struct ScenarioHonestyTests {
    private static let login = #"""
        "login": {"method": "GET", "url": "http://ADDRESS/login?fresh", "capture": {"token": "/token"}},
        "expiredLogin": {"method": "GET", "url": "http://ADDRESS/login?expired", "capture": {"token": "/token"}}
        """#

    private func outcome(_ name: String, _ cases: [ScenarioCase]) throws -> ScenarioCase {
        try #require(cases.first { $0.name == name }, "\(name) in \(cases.map(\.name))")
    }

    // MARK: Events that are lost at the end

    private static let stream = #"""
        "stream": {"start": {"type": "stream"}, "item": {"/type": "event"}, "sequence": "/n", "end": {"/type": "end"}
        """#

    @Test(arguments: [
        (#", "count": 5}"#, ScenarioCase.Outcome.passed), (#", "count": 10}"#, .failed), (#", "count": 4}"#, .failed),
        (#", "total": "/made"}"#, .failed), ("}", .skipped),
    ])
    func `a stream that ends early is whole only for who counts what came`(
        _ count: String, _ wanted: ScenarioCase.Outcome
    ) async throws {
        let peer = try ScriptedPeer { connection in
            while let text = connection.hear() {
                guard text.contains("stream") else { continue }
                for number in 1...5 { try connection.tell(#"{"type":"event","n":\#(number)}"#) }
                try connection.tell(#"{"type":"end","made":10}"#)
            }
        }
        defer { peer.stop() }
        let cases = try await peer.cases(.midStream, Self.stream + count)
        for name in ["a stream arrives whole without trouble", "latency with jitter keeps the order"] {
            #expect(try outcome(name, cases).outcome == wanted, "\(count): \(name)")
        }
        if wanted == .skipped {
            let reason = try outcome("a stream arrives whole without trouble", cases).reason
            #expect(reason == "needs the number of events of a stream (stream.count or stream.total)")
        }
    }

    // MARK: Tokens in a message

    private static let firstMessage = #"""
        "connect": {"url": "ws://ADDRESS/ws", "authenticate": {"send": {"type": "hello", "token": "{token}"},
         "expect": {"/type": "welcome"}}}, "refusal": {"close": [4401]}, \#(login), \#(stream)}
        """#

    @Test(arguments: [(5, ScenarioCase.Outcome.failed), (0, .passed)])
    func `an expired token in a message is presented, and data before its refusal are seen`(
        _ early: Int, _ wanted: ScenarioCase.Outcome
    ) async throws {
        let peer = try ScriptedPeer { connection in
            while let text = connection.hear() {
                if text.contains("t-expired") {
                    for number in 0..<early { try connection.tell(#"{"type":"event","n":\#(number + 1)}"#) }
                    try connection.close(CloseReason(4401, "expired"), deadline: .after(.seconds(60)))
                    return
                }
                if text.contains("hello") { try connection.tell(#"{"type":"welcome"}"#) }
                if text.contains("echo") { try connection.tell(text) }
            }
        }
        defer { peer.stop() }
        let name = "no data comes before the refusal of an expired token"
        let found = try outcome(name, await peer.cases(.expiredToken, Self.firstMessage))
        #expect(found.outcome == wanted)
        #expect(found.reason == (early > 0 ? "5 events came with an expired token" : nil))
    }

    @Test func `a server that never says no to an expired token refuses nothing`() async throws {
        let peer = try ScriptedPeer { connection in
            while let text = connection.hear() {
                if text.contains("hello") { try connection.tell(#"{"type":"welcome"}"#) }
            }
        }
        defer { peer.stop() }
        let name = "no data comes before the refusal of an expired token"
        let quick = Self.firstMessage.replacing("/ws\",", with: "/ws\", \"timeout\": \"200ms\",")
        #expect(try outcome(name, await peer.cases(.expiredToken, quick)).outcome == .failed)
    }

    // MARK: What does not apply, and what cannot be told

    @Test(arguments: [("opaque", 0), ("header.claims.signature", 2)])
    func `a forgery that a token does not have is no case`(_ token: String, _ forged: Int) async throws {
        let peer = try ScriptedPeer(token: { _ in token }) { connection in
            while let text = connection.hear() { try connection.tell(text) }
        }
        defer { peer.stop() }
        let cases = try await peer.cases(.security, Self.login)
        #expect(cases.count { $0.name.contains("seal") || $0.name.contains("alg none") } == forged)
        #expect(!cases.contains { $0.notes.contains { $0.contains("does not apply") } })
        // This server answers no plain request: nobody knows what it would say.
        let plain = try outcome("what plain requests get gives nothing away", cases)
        #expect(plain.outcome == .skipped && plain.reason?.contains("plain HTTP request") == true)
        let errors = try outcome("errors give nothing away", cases)
        #expect(errors.outcome == .passed && errors.notes.first?.contains("answers were read") == true)
    }

    @Test func `a server that says nothing to what is wrong gives nothing away that was seen`() async throws {
        let peer = try ScriptedPeer { connection in while connection.hear() != nil {} }
        defer { peer.stop() }
        let quick = #""connect": {"url": "ws://ADDRESS/ws", "timeout": "200ms"}"#
        let errors = try outcome("errors give nothing away", await peer.cases(.security, quick))
        #expect(errors.outcome == .skipped)
    }

    @Test(arguments: [(true, false), (false, true)])
    func `where sessions survive a restart none has to be refused`(_ kept: Bool, _ isThere: Bool) async throws {
        let peer = try ScriptedPeer { connection in while connection.hear() != nil {} }
        defer { peer.stop() }
        let cases = try await peer.cases(
            .restart, #""restart": {"command": ["false"], "timeout": "200ms", "keepsSessions": \#(kept)}"#)
        #expect(cases.contains { $0.name == "a lost session is refused openly after a restart" } == isThere)
    }

    @Test func `a session without a name is never the same`() async throws {
        let peer = try ScriptedPeer { connection in
            while let text = connection.hear() { try connection.tell(text) }
        }
        defer { peer.stop() }
        let cases = try await peer.cases(.reconnection, #""resume": {}"#)
        let same = cases.filter { $0.name.hasPrefix("the session is the same") }
        #expect(same.count == 2 && same.allSatisfy { $0.reason == "needs a name of the session (capture {session})" })
    }

    // MARK: Pings

    @Test(arguments: [true, false])
    func `ping frames are a heartbeat where the file says so`(_ beats: Bool) async throws {
        let peer = try ScriptedPeer { connection in
            while true {
                do {
                    switch try connection.receive(deadline: .after(.milliseconds(100))) {
                    case .text(let text): try connection.tell(text)
                    case .closed: return
                    case .binary, .ping, .pong: continue
                    }
                } catch WebSocketError.socket(.timedOut) {
                    if beats { try connection.ping(deadline: .after(.seconds(60))) }
                }
            }
        }
        defer { peer.stop() }
        let cases = try await peer.cases(
            .heartbeat, #""heartbeat": {"by": "ping", "interval": "100ms", "tolerance": 20}"#)
        for name in ["heartbeats keep their interval", "a silent network shows itself in the missing heartbeat"] {
            #expect(try outcome(name, cases).outcome == (beats ? .passed : .failed), "\(name)")
        }
    }
}
