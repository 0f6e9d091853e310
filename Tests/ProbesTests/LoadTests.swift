// SPDX-License-Identifier: Apache-2.0
// A load that is offered whatever the server does, only where it may be, and that tells users apart.

import Foundation
import Platform
import Testing
import WebSocket

@testable import Probes

@Suite struct LoadTests {
    private func contract(_ members: String, _ address: String = "127.0.0.1:1") throws -> ResilienceContract {
        let text = """
            {"connect": {"url": "ws://ADDRESS/ws"}, "loadTargets": ["ADDRESS"], "users": [{"user": "a"}, {"user": "b"}],
             "echo": {"send": {"id": "{unique}"}, "expect": {"/id": "{unique}"}}\(members)}
            """
        return try ResilienceContract(parsing: Array(text.replacing("ADDRESS", with: address).utf8), environment: [:])
    }

    private func load(
        _ plan: LoadPlan, _ members: String = "", _ talk: @escaping @Sendable (WebSocketConnection) throws -> Void
    ) async throws -> LoadReport {
        let peer = try ScriptedPeer(talk: talk)
        defer { peer.stop() }
        return try await LoadRun.run(
            plan, try contract(members, peer.address), environment: [:], workingDirectory: "/tmp")
    }

    private func outcomes(_ report: LoadReport) -> [String: ScenarioCase.Outcome] {
        Dictionary(report.cases.map { ($0.name, $0.outcome) }) { $1 }
    }

    // MARK: Open loop

    @Test func `nobody waits for an answer before the next message`() async throws {
        // Answers come in threes: who waits for the first one never says the second.
        let plan = LoadPlan(users: 2, duration: .milliseconds(300), interval: .milliseconds(50))
        let report = try await load(plan) { connection in
            var held: [String] = []
            while let text = connection.hear() {
                held.append(text)
                if held.count == 3 {
                    for text in held { try connection.tell(text) }
                    held = []
                }
            }
        }
        #expect(report.planned == 12 && report.sent == 12 && report.messages == 12 && report.unanswered == 0)
        #expect(report.isServed && report.foreign == 0)
        // The first of each three waited for two intervals, less what this machine was late.
        #expect(report.roundTripP95 > 50)
    }

    @Test func `a server that answers nothing, or ends, is said to`() async throws {
        let plan = LoadPlan(users: 2, duration: .milliseconds(100), interval: .milliseconds(50))
        let quick = #", "connect": {"url": "ws://ADDRESS/ws", "timeout": "200ms"}"#
        let silent = try await load(plan, quick) { connection in while connection.hear() != nil {} }
        #expect(silent.unanswered == 4 && silent.messages == 0 && !silent.isServed)
        #expect(outcomes(silent)["every message is answered"] == .failed)
        let gone = try await load(plan) { connection in
            _ = connection.hear()
            connection.end()
        }
        #expect(gone.dropped == 2 && outcomes(gone)["no connection is dropped"] == .failed)
        #expect(gone.sent < gone.planned && outcomes(gone)["the load was offered as planned"] == .failed)
    }

    @Test(arguments: [(95, ScenarioCase.Outcome.passed), (94, .failed)])
    func `less than 95 of 100 planned messages is another load`(_ sent: Int, _ wanted: ScenarioCase.Outcome) {
        var tally = LoadTally()
        tally.opens = [1]
        tally.sent = sent
        tally.trips = Array(repeating: 2, count: sent)
        let plan = LoadPlan(users: 1, duration: .seconds(10), interval: .milliseconds(100))
        let report = tally.report("ws://a", plan, isolation: nil, seconds: 10)
        #expect(outcomes(report)["the load was offered as planned"] == wanted)
        #expect(report.isServed == (wanted == .passed))
        #expect(report.junit.contains("<property name=\"roundTrip.p95\" value=\"2 ms\"/>"))
        #expect(report.junit.contains("<property name=\"offered.share\" value=\"\(sent) %\"/>"))
        #expect(report.junit.contains("failures=\"\(wanted == .passed ? 0 : 1)\""))
    }

    // MARK: Where it may go

    @Test func `every endpoint on a user's way must be listed`() throws {
        #expect(try LoadRun.targets(of: contract("")) == ["127.0.0.1:1"])
        for way in [#", "login": {"url": "http://127.0.0.2:2/login"}"#, #", "signUp": {"url": "http://other/{user}"}"#]
        {
            #expect(throws: LoadRefused.self) { try LoadRun.targets(of: contract(way)) }
        }
        let listed = #", "login": {"url": "http://127.0.0.2:2/"}, "loadTargets": ["127.0.0.1:1", "127.0.0.2:2"]"#
        #expect(try LoadRun.targets(of: contract(listed)).count == 2)
        // A user's own variables lead elsewhere.
        let astray =
            #", "users": [{"user": "a", "host": "127.0.0.1:1"}, {"host": "b:1"}], "login": {"url": "http://{host}/"}"#
        let error = #expect(throws: LoadRefused.self) { try LoadRun.targets(of: contract(astray)) }
        #expect(error?.description.contains("b:1 (login)") == true)
        let unknown = #", "login": {"url": "http://{captured}/"}"#
        #expect(throws: LoadRefused.self) { try LoadRun.targets(of: contract(unknown)) }
    }

    @Test func `what a login captures cannot lead a user elsewhere`() async throws {
        let peer = try ScriptedPeer(token: { _ in "127.0.0.9:9" }) { connection in while connection.hear() != nil {} }
        defer { peer.stop() }
        let members = #"""
            , "variables": {"host": "ADDRESS"}, "connect": {"url": "ws://{host}/ws"},
            "login": {"method": "GET", "url": "http://ADDRESS/login", "capture": {"host": "/token"}}
            """#
        let plan = LoadPlan(users: 1, duration: .milliseconds(50), interval: .milliseconds(50))
        let report = try await LoadRun.run(
            plan, try contract(members, peer.address), environment: [:], workingDirectory: "/tmp")
        #expect(report.opened == 0)
        #expect(report.refused.keys.first?.contains("127.0.0.9:9 is not listed in loadTargets") == true)
    }

    // MARK: Isolation and limits

    @Test func `a mark says whose message it is`() {
        let marks = LoadMarks(run: "njabc", accounts: 2)
        #expect(marks.users(in: #"{"a":"\#(marks.mark(12, 7))","b":"\#(marks.mark(3, 1))"}"#) == [12, 3])
        #expect(marks.isForeign(marks.mark(3, 1), to: 12))
        #expect(!marks.isForeign(marks.mark(4, 1), to: 12), "the same account")
        #expect(!marks.isForeign("njabdu3n1z and njabcux", to: 12))
    }

    @Test func `an answer that reaches somebody else is found`() async throws {
        let everybody = Everybody()
        let plan = LoadPlan(users: 2, duration: .milliseconds(200), interval: .milliseconds(50))
        let report = try await load(plan) { connection in
            everybody.add(connection)
            while let text = connection.hear() { everybody.tell(text) }
        }
        #expect((report.foreign ?? 0) > 0 && report.messages == 8)
        #expect(outcomes(report)["no answer reaches another user"] == .failed && !report.isServed)
        let alone = try await load(LoadPlan(users: 1, duration: .milliseconds(50), interval: .milliseconds(50))) {
            while let text = $0.hear() { try $0.tell(text) }
        }
        #expect(alone.foreign == nil && alone.isServed)
        #expect(outcomes(alone)["no answer reaches another user"] == .skipped)
    }

    @Test(arguments: [
        ("answer", ScenarioCase.Outcome.passed), ("close", .passed), ("silence", .failed), ("early", .failed),
    ])
    func `a rate limit is told with its message or its code, and not before its time`(
        _ way: String, _ wanted: ScenarioCase.Outcome
    ) async throws {
        let plan = LoadPlan(users: 2, duration: .milliseconds(50), interval: .milliseconds(50))
        let limit = #", "rateLimit": {"after": 20, "within": "2s", "answer": {"/type": "slow down"}}"#
        let report = try await load(plan, limit) { connection in
            var count = 0
            while let text = connection.hear() {
                count += 1
                switch way {
                case "answer" where count > 20, "early" where count > 5: try connection.tell(#"{"type":"slow down"}"#)
                case "close" where count > 20:
                    try connection.close(CloseReason(1013, "slow down"), deadline: .after(.seconds(60)))
                    return
                default: try connection.tell(text)
                }
            }
        }
        #expect(outcomes(report)["who says too much is refused, and others are served"] == wanted)
    }
}

/// The connections of a server that keeps nobody apart.
private final class Everybody: @unchecked Sendable {
    // Guarded by the lock.
    private var connections: [WebSocketConnection] = []
    private let lock = NSLock()

    func add(_ connection: WebSocketConnection) { lock.withLock { connections.append(connection) } }

    func tell(_ text: String) {
        for connection in lock.withLock({ connections }) { try? connection.tell(text) }
    }
}
