// SPDX-License-Identifier: Apache-2.0
// The stream of events: what a listener gets, when, and what it costs.

import Dispatch
import Domain
import Evidence
import Foundation
import Platform
import Reporting
import Testing

@testable import StatusServer

struct EventTests {
    static let ask = "GET /events HTTP/1.1\r\nHost: localhost\r\n"

    static var quick: ServerLimits {
        var limits = ServerLimits()
        limits.look = .milliseconds(50)
        limits.beat = .seconds(1)
        return limits
    }

    static func listen(_ server: RunningServer, _ fields: String = "", query: String = "") throws -> Socket {
        let socket = try server.connect()
        try socket.write(
            Array("GET /events\(query) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n".utf8),
            deadline: .after(.seconds(5)))
        return socket
    }

    @Test func `a listener gets everything at first and then what changes`() async throws {
        let loop = ChangingLoop(Scene.reading())
        let server = try RunningServer([loop.served], limits: Self.quick)
        let (first, second) = try await onThread {
            let socket = try Self.listen(server)
            let first = try RunningServer.read(socket, until: "\n\n")
            let all =
                first.contains("event: sections") ? first : first + (try RunningServer.read(socket, until: "\n\n"))
            loop.change { $0.status.doing.text = "testing chat, 3 of 25 tests" }
            return (all, try RunningServer.read(socket, until: "3 of 25 tests"))
        }
        #expect(first.contains("content-type: text/event-stream") || first.contains("Content-Type: text/event-stream"))
        #expect(first.contains("retry: 3000"))
        #expect(first.contains("\"id\":\"l0-head\"") && first.contains("\"id\":\"l0-now\""))
        let news = try #require(second.components(separatedBy: "data: ").last)
        #expect(news.contains("l0-now"))
        #expect(!news.contains("l0-head"), "only what changed is sent")
    }

    @Test func `who comes back gets what changed meanwhile, and a stranger's version means everything`() async throws {
        let loop = ChangingLoop(Scene.reading())
        let server = try RunningServer([loop.served], limits: Self.quick)
        let (known, missed, foreign) = try await onThread {
            let text = try RunningServer.read(try Self.listen(server), until: "event: sections")
            let line = text.components(separatedBy: "id: ").last?.components(separatedBy: "\n").first
            guard let known = line else { throw TestFailure("no id in \(text)") }
            loop.change { $0.status.doing.text = "deploying" }
            let back = try RunningServer.read(
                try Self.listen(server, "Last-Event-ID: \(known)\r\n"), until: "deploying")
            let foreign = try RunningServer.read(
                try Self.listen(server, "Last-Event-ID: other.1\r\n"), until: "l0-head")
            return (known, back, foreign)
        }
        #expect(known.hasSuffix(".1"))
        #expect(missed.contains("l0-now") && !missed.contains("l0-head"))
        #expect(foreign.contains("l0-head"))
    }

    @Test func `ages alone are no news`() {
        let earlier = Markup.age(Scene.minutes(5), at: Scene.now)
        let later = Markup.age(Scene.minutes(5), at: Scene.now + .seconds(300))
        #expect(earlier.text != later.text)
        #expect(Views.isSame("<p>\(earlier) x \(earlier)</p>", "<p>\(later) x \(later)</p>"))
        #expect(!Views.isSame("<p>\(earlier) x</p>", "<p>\(later) y</p>"))
        #expect(!Views.isSame("<p>\(earlier)</p>", "<p>\(Markup.age(Scene.minutes(6), at: Scene.now))</p>"))
    }

    @Test func `a quiet stream has a beat`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())], limits: Self.quick)
        let text = try await onThread {
            try RunningServer.read(try Self.listen(server), until: "event: beat\ndata: 2026-11-21T03:23:00.000Z")
        }
        #expect(text.contains("event: beat"))
    }

    @Test func `one listener too many is told to come later`() async throws {
        var limits = Self.quick
        limits.listeners = 2
        let server = try RunningServer([Scene.loop(Scene.reading())], limits: limits)
        let (kept, refused) = try await onThread {
            let kept = try (0..<2).map { _ in try Self.listen(server) }
            for socket in kept { _ = try RunningServer.read(socket, until: "sections") }
            return (kept, try RunningServer.read(try Self.listen(server), until: "listeners"))
        }
        #expect(refused.hasPrefix("HTTP/1.1 503"))
        #expect(refused.contains("Retry-After: 30"))
        #expect(try await server.get("/readyz").status == 200)
        withExtendedLifetime(kept) {}
    }

    @Test func `a thousand idle listeners all hear a change, and the page stays quick beside them`() async throws {
        #expect(ThisProcess.allowDescriptors(4096) >= 2100)
        let loop = ChangingLoop(Scene.reading())
        var limits = Self.quick
        limits.beat = .seconds(60)
        let server = try RunningServer([loop.served], limits: limits)
        let heard = try await onThread {
            let sockets = try (0..<1000).map { _ in try Self.listen(server) }
            for socket in sockets { _ = try RunningServer.read(socket, until: "l0-head") }
            let start = ContinuousClock.now
            let page = try server.connect()
            try page.write(
                Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8),
                deadline: .after(.seconds(5)))
            #expect(try RunningServer.readToEnd(page).hasPrefix("HTTP/1.1 200"))
            #expect(ContinuousClock.now - start < .seconds(2))
            loop.change { $0.status.doing.text = "stabilizing" }
            return try sockets.count { try RunningServer.read($0, until: "stabilizing").contains("stabilizing") }
        }
        #expect(heard == 1000)
    }

    @Test func `all browsers may come back at once, while the first look still takes its time`() async throws {
        #expect(ThisProcess.allowDescriptors(4096) >= 1400)
        let gate = DispatchSemaphore(value: 0)
        let reading = Scene.reading()
        let slow = ServedLoop(name: reading.status.loop, layout: EvidenceLayout(root: "/nonexistent")) { _ in
            gate.wait()
            gate.signal()
            return reading
        }
        let server = try RunningServer([slow], limits: Self.quick)
        let welcomed = try await onThread {
            let sockets = try (0..<600).map { _ in try Self.listen(server) }
            // What needs no disk is answered meanwhile, and after those that came before it.
            let page = try server.connect()
            try page.write(
                Array("GET /assets/page.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8),
                deadline: .after(.seconds(5)))
            #expect(try RunningServer.readToEnd(page).hasPrefix("HTTP/1.1 200"))
            gate.signal()
            return try sockets.count { try RunningServer.read($0, until: "\r\n\r\n").hasPrefix("HTTP/1.1 200") }
        }
        #expect(welcomed == 600)
    }

    @Test func `a listener that reads nothing is cut and costs a bounded buffer`() async throws {
        let loop = ChangingLoop(Scene.reading())
        var limits = Self.quick
        limits.stall = .seconds(2)
        limits.waitingEventBytes = 200_000
        let server = try RunningServer([loop.served], limits: limits)
        let deaf = try await onThread { try Self.listen(server, query: "?loop=staging") }
        var isCut = false
        for round in 0..<400 where !isCut {
            loop.change { $0.status.doing.text = "round \(round) " + String(repeating: "x", count: 250) }
            loop.change { reading in
                reading.log = (0..<30).map { _ in
                    var entry = reading.log[0]
                    entry.text = "\(round) " + String(repeating: "y", count: 390)
                    return entry
                }
            }
            isCut = try await server.get("/metrics").body.contains("cut_total{reason=\"slowReader\"} 1")
            if !isCut { try await Task.sleep(for: .milliseconds(50)) }
        }
        // The kernel takes some hundred kilobytes itself; the rest is the server's own bound.
        #expect(isCut)
        withExtendedLifetime(deaf) {}
    }
}
