// SPDX-License-Identifier: Apache-2.0
// The server over real sockets: what it answers, and what it refuses.

import Domain
import Foundation
import Platform
import Reporting
import Testing

@testable import StatusServer

struct ServerTests {
    @Test func `every address of the interface answers with its type and its protections`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        for (target, type) in [
            ("/", "text/html; charset=utf-8"), ("/loops/staging", "text/html; charset=utf-8"),
            ("/loops/staging/cycles", "text/html; charset=utf-8"), ("/healthz", "text/plain; charset=utf-8"),
            ("/readyz", "text/plain; charset=utf-8"), ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
            ("/api/v1/loops", "application/json"), ("/api/v1/loops/staging", "application/json"),
            ("/api/v1/loops/staging/cycles", "application/json"),
            ("/api/v1/loops/staging/incidents", "application/json"), ("/badge.svg", "image/svg+xml"),
            ("/assets/page.css", "text/css; charset=utf-8"), ("/assets/page.js", "text/javascript; charset=utf-8"),
        ] {
            let answer = try await server.get(target)
            #expect(answer.status == 200, "\(target)")
            #expect(answer.fields["content-type"] == type, "\(target)")
            #expect(answer.fields["content-length"] == "\(answer.body.utf8.count)", "\(target)")
            #expect(answer.fields["x-content-type-options"] == "nosniff", "\(target)")
            #expect(answer.fields["referrer-policy"] == "no-referrer", "\(target)")
            let policy = try #require(answer.fields["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'"), "\(target)")
            #expect(!policy.contains("unsafe"), "\(target)")
            #expect(answer.fields["set-cookie"] == nil)
        }
    }

    @Test func `no page holds a script, a style or a handler of its own`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading("staging", .failing))])
        let page = try await server.get("/").body
        #expect(page.contains("<script src=\"/assets/page.js\" defer></script>"))
        #expect(page.components(separatedBy: "<script").count == 2)
        #expect(!page.contains("<style"))
        #expect(!page.contains(" style="))
        #expect(!page.contains(" onclick") && !page.contains(" onload"))
    }

    @Test func `HEAD answers the head of GET and nothing more`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        let get = try await server.get("/metrics")
        let text = try await server.say("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        let head = try Answer(text)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        let length = try #require(head.fields["content-length"].flatMap { Int($0) })
        // The counters of the server itself may have one digit more by now.
        #expect(abs(length - get.body.utf8.count) < 40)
    }

    @Test func `another method is told which ones there are`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"] {
            let answer = try Answer(try await server.say("\(method) / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            #expect(answer.status == 405)
            #expect(answer.fields["allow"] == "GET, HEAD")
            #expect(answer.fields["connection"] == "close")
        }
    }

    @Test func `a name that was not told is misdirected`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())], hosts: ["ci.example.org"])
        for (host, status) in [
            ("evil.example", 421), ("localhost.evil.example", 421), ("1.2.3.4.evil.example", 421), ("localhost", 200),
            ("LOCALHOST:9", 200), ("127.0.0.1:8787", 200), ("[::1]:8787", 200), ("ci.example.org", 200),
            ("CI.example.org:443", 200), ("256.1.1.1", 421),
        ] {
            #expect(try await server.get("/readyz", host: host).status == status, "\(host)")
        }
    }

    @Test func `a token opens all, and health alone says one word without it`() async throws {
        let token = "0123456789abcdef0123"
        let server = try RunningServer([Scene.loop(Scene.reading())], token: token)
        let closed = try await server.get("/")
        #expect(closed.status == 401)
        #expect(closed.fields["www-authenticate"]?.contains("Bearer") == true)
        #expect(!closed.body.contains("staging"))
        #expect(try await server.get("/metrics", "Authorization: Bearer \(token)x\r\n").status == 401)
        #expect(try await server.get("/metrics", "Authorization: Bearer \(token)\r\n").status == 200)
        let basic = Data("anybody:\(token)".utf8).base64EncodedString()
        #expect(try await server.get("/", "Authorization: Basic \(basic)\r\n").status == 200)
        let health = try await server.get("/healthz")
        #expect(health.status == 200)
        #expect(health.body == "ok\n")
        #expect(try await server.get("/healthz", "Authorization: Bearer \(token)\r\n").body.contains("staging: moving"))
    }

    @Test func `health fails when a loop does not move, and says which and why`() async throws {
        var stuck = Scene.reading("b")
        stuck.lastSignOfLife = Scene.now + .seconds(-95)
        var gone = Scene.reading("c")
        gone.status.daemon.alive = false
        let server = try RunningServer([Scene.loop(Scene.reading("a", .failing)), Scene.loop(stuck), Scene.loop(gone)])
        let all = try await server.get("/healthz")
        #expect(all.status == 503)
        #expect(
            all.body == """
                a: moving, last sign of life 10s ago (limit 60s)
                b: stuck, last sign of life 95s ago (limit 60s)
                c: not running, last sign of life 10s ago (limit 60s)

                """)
        #expect(try await server.get("/healthz?loop=a").status == 200)
        #expect(try await server.get("/healthz?loop=b").status == 503)
        #expect(try await server.get("/healthz?loop=d").status == 404)
    }

    @Test func `a loop that cannot be read is unknown everywhere and well nowhere`() async throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "cannot list <cycles>" } }
        var broken = Scene.loop(Scene.reading("b"))
        broken.read = { _ in throw Broken() }
        let server = try RunningServer([Scene.loop(Scene.reading("a")), broken])
        let page = try await server.get("/")
        #expect(page.status == 200)
        #expect(page.body.contains("cannot list &lt;cycles&gt;"))
        #expect(try await server.get("/healthz").status == 503)
        let ready = try await server.get("/readyz")
        #expect(ready.status == 503)
        #expect(ready.body == "b: cannot list <cycles>\n")
        #expect(try await server.get("/metrics").body.contains("nightjar_loop_readable{loop=\"b\"} 0"))
        #expect(try await server.get("/api/v1/loops/b/cycles").status == 503)
    }

    @Test func `who has it already is told so`() async throws {
        let server = try RunningServer([Scene.loop(Scene.reading())])
        for target in ["/api/v1/loops", "/api/v1/loops/staging/cycles", "/assets/page.js", "/badge.svg"] {
            let first = try await server.get(target)
            let tag = try #require(first.fields["etag"], "\(target)")
            let second = try await server.get(target, "If-None-Match: \"other\", \(tag)\r\n")
            #expect(second.status == 304, "\(target)")
            #expect(second.body.isEmpty)
            #expect(second.fields["etag"] == tag)
            #expect(try await server.get(target, "If-None-Match: \"other\"\r\n").status == 200)
        }
    }

    @Test func `cycles come in pages, and what is wrong with a question is said in JSON`() async throws {
        var reading = Scene.reading()
        reading.cycles = (1...7).map { Scene.brief($0, .healthy, minutesAgo: 10 * (8 - $0)) }
        let server = try RunningServer([Scene.loop(reading)])
        let first = try await server.get("/api/v1/loops/staging/cycles?limit=3")
        #expect(first.body.contains("\"next\" : \"/api/v1/loops/staging/cycles?before=5&limit=3\""))
        let last = try await server.get("/api/v1/loops/staging/cycles?before=3&limit=3")
        #expect(!last.body.contains("\"next\""))
        for target in [
            "/api/v1/loops/nobody", "/api/v1/nothing", "/api/v1/loops/staging/cycles/99",
            "/api/v1/loops/staging/cycles/0x1",
        ] {
            let answer = try await server.get(target)
            #expect(answer.status == 404, "\(target)")
            #expect(answer.body.contains("\"error\""), "\(target)")
            #expect(answer.fields["content-type"] == "application/json")
        }
        for query in ["limit=0", "limit=201", "limit=x", "before=x"] {
            #expect(try await server.get("/api/v1/loops/staging/cycles?\(query)").status == 400)
        }
    }
}
