// SPDX-License-Identifier: Apache-2.0
// Clients that are slow, endless, half-closed, many, or up to something: each costs a bounded piece and no one else's time.

import Domain
import Foundation
import Platform
import Testing

@testable import StatusServer

struct HostileClientTests {
    static func limits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits()
        change(&limits)
        return limits
    }

    @Test func `a head that comes byte by byte is cut at its limit, and the rest is served meanwhile`() async throws {
        let limits = Self.limits { $0.head = .seconds(2) }
        let server = try RunningServer([Scene.loop(Scene.reading())], limits: limits)
        async let slow = onThread {
            let socket = try server.connect()
            let start = ContinuousClock.now
            for byte in Array("GET / HTTP/1.1\r\nHost: localhost\r\nX: ".utf8) {
                try socket.write([byte], deadline: .after(.seconds(5)))
            }
            let text = try RunningServer.readToEnd(socket)
            return (text, ContinuousClock.now - start)
        }
        #expect(try await server.get("/readyz").status == 200)
        let (text, took) = try await slow
        #expect(try Answer(text).status == 408)
        #expect(took < .seconds(8))
    }

    @Test func `who says nothing is cut without a word`() async throws {
        let limits = Self.limits { $0.head = .seconds(1) }
        let server = try RunningServer([Scene.loop(Scene.reading())], limits: limits)
        #expect(try await onThread { try RunningServer.readToEnd(server.connect()) } == "")
        #expect(try await server.get("/metrics").body.contains("cut_total{reason=\"silent\"} 1"))
    }

    @Test func `an endless head ends at 8 KiB`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        let text = try await onThread {
            let socket = try server.connect()
            try socket.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n".utf8), deadline: .after(.seconds(5)))
            let line = Array("X-Filler: \(String(repeating: "a", count: 1000))\r\n".utf8)
            // The server stops listening long before a hundred megabytes; then writing fails, which is the point.
            for _ in 0..<100_000 {
                do { try socket.write(line, deadline: .after(.seconds(5))) } catch { break }
            }
            return (try? RunningServer.readToEnd(socket)) ?? ""
        }
        // A reset may take the last words with it.
        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 431"))
        #expect(try await server.get("/readyz").status == 200)
    }

    @Test func `who closes his half after asking still gets the answer`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        let text = try await server.say("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", thenFinish: true)
        #expect(try Answer(text).body == "ready\n")
    }

    @Test func `requests in a row on one connection are answered in their order`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        let one = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let two = "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let three = "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        let text = try await server.say(one + two + one + three + one)
        let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
        #expect(statuses == ["200", "200", "200", "404"])
    }

    @Test func `what follows a doubtful request is never answered`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        let hidden = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for shape in [
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        ] {
            let text = try await server.say(shape + hidden)
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(shape)")
            #expect(!text.contains("nightjar_loop_up"), "\(shape)")
        }
    }

    @Test func `the connection that is idle longest makes room for the next`() async throws {
        let limits = Self.limits { $0.connections = 8 }
        let server = try RunningServer([Scene.loop(Scene.reading())], limits: limits)
        let ended = try await onThread {
            let idle = try (0..<30).map { _ in try server.connect() }
            // The first ones were ended for the later ones.
            return try RunningServer.readToEnd(idle[0])
        }
        #expect(ended == "")
        #expect(try await server.get("/readyz").status == 200)
    }

    @Test func `a reader who takes nothing is cut, and only he`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nightjar-page-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(
            atPath: "\(folder)/cycles/000214/deploy-1", withIntermediateDirectories: true)
        let log = "\(folder)/cycles/000214/deploy-1/console.log"
        try Data(count: 64 << 20).write(to: URL(fileURLWithPath: log))
        let limits = Self.limits {
            $0.stall = .seconds(1)
            $0.bytesPerSecond = 1 << 30
        }
        let server = try RunningServer([Scene.loop(Scene.reading(), root: folder)], limits: limits)
        let target = "/loops/staging/cycles/214/files/deploy-1/console.log"
        let stalled = try await onThread {
            let socket = try server.connect()
            try socket.write(
                Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), deadline: .after(.seconds(5)))
            return socket
        }
        let answer = try await server.get("/readyz")
        #expect(answer.status == 200)
        var isCut = false
        for _ in 0..<100 where !isCut {
            isCut = try await server.get("/metrics").body.contains("cut_total{reason=\"slowReader\"} 1")
            if !isCut { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(isCut)
        withExtendedLifetime(stalled) {}
    }

    @Test func `no path leads out of a cycle folder`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nightjar-page-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cycle = "\(folder)/cycles/000214"
        try FileManager.default.createDirectory(atPath: "\(cycle)/test-1-chat", withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(fileURLWithPath: "\(folder)/secret.txt"))
        try Data("<script>alert(1)</script>".utf8).write(to: URL(fileURLWithPath: "\(cycle)/test-1-chat/page.html"))
        try Data("<b>".utf8).write(to: URL(fileURLWithPath: "\(cycle)/test-1-chat/console.log"))
        try Data("<p>report".utf8).write(to: URL(fileURLWithPath: "\(cycle)/report.html"))
        for (link, target) in [
            ("out.txt", "\(folder)/secret.txt"), ("up", folder), ("passwd.txt", "/etc/passwd"),
            ("dev.log", "/dev/zero"),
        ] {
            try FileManager.default.createSymbolicLink(atPath: "\(cycle)/\(link)", withDestinationPath: target)
        }
        let server = try RunningServer([Scene.loop(Scene.reading(), root: folder)])
        let base = "/loops/staging/cycles/214/files"
        for path in [
            "/out.txt", "/up/secret.txt", "/passwd.txt", "/dev.log", "/../../secret.txt", "/%2e%2e/%2e%2e/secret.txt",
            "/..%2f..%2fsecret.txt", "/test-1-chat/../../../secret.txt", "/test-1-chat", "/", "", "//etc/passwd",
            "/test-1-chat/console.log/x", "/%2e%2e", "/nothing",
        ] {
            let answer = try await server.get(base + path)
            #expect([400, 404].contains(answer.status), "\(path)")
            #expect(!answer.body.contains("secret\n") && answer.body != "secret" && !answer.body.contains("root:"))
        }
        let log = try await server.get(base + "/test-1-chat/console.log")
        #expect(log.fields["content-type"] == "text/plain; charset=utf-8")
        #expect(log.fields["content-disposition"] == "inline; filename=\"console.log\"")
        #expect(log.fields["content-security-policy"]?.contains("sandbox") == true)
        let page = try await server.get(base + "/test-1-chat/page.html")
        #expect(page.fields["content-type"] == "application/octet-stream")
        #expect(page.fields["content-disposition"] == "attachment; filename=\"page.html\"")
        let report = try await server.get(base + "/report.html")
        #expect(report.fields["content-type"] == "text/html; charset=utf-8")
        #expect(report.fields["content-security-policy"]?.contains("sandbox") == true)
    }

    @Test func `a name of a file or a loop cannot break a header`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nightjar-page-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/cycles/000214", withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/cycles/000214/a\"b;é.bin"))
        let server = try RunningServer([Scene.loop(Scene.reading(), root: folder)])
        let answer = try await server.get("/loops/staging/cycles/214/files/a%22b;%C3%A9.bin")
        #expect(answer.status == 200)
        #expect(answer.fields["content-disposition"] == "attachment; filename=\"a_b__.bin\"")
    }
}
