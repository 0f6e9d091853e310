// SPDX-License-Identifier: Apache-2.0
// Request heads, whole, torn and hostile: what could be understood in two ways is refused.

import Testing

@testable import StatusServer

struct HeadTests {
    static func read(_ text: String) -> HeadReading { HTTPHead.read(Array(text.utf8)) }

    static func request(_ text: String) -> HTTPRequest? {
        if case .request(let request, _) = read(text) { return request }
        return nil
    }

    static func refusal(_ text: String) -> Int? {
        if case .refused(let refusal) = read(text) { return refusal.status }
        return nil
    }

    static func get(_ target: String, _ fields: String = "Host: localhost\r\n", version: String = "1.1") -> String {
        "GET \(target) HTTP/\(version)\r\n\(fields)\r\n"
    }

    @Test func `a request is read with its path, query and fields`() throws {
        let fields = "Host: LOCALHOST:8787\r\nIf-None-Match: \"a\", W/\"b\"\r\nLast-Event-ID: x.7\r\n"
        let request = try #require(Self.request(Self.get("/loops/a%20b/cycles?before=12&limit=%35", fields)))
        #expect(request.path == ["loops", "a b", "cycles"])
        #expect(request.query == ["before": "12", "limit": "5"])
        #expect(request.host == "localhost")
        #expect(request.knownTags == ["\"a\"", "W/\"b\""])
        #expect(request.lastEventID == "x.7")
        #expect(request.keepsAlive)
        #expect(!request.isHead)
    }

    @Test func `what follows a request is left for the next one`() throws {
        let first = Self.get("/a")
        guard case .request(_, let length) = Self.read(first + Self.get("/b")) else {
            Issue.record("no request")
            return
        }
        #expect(length == first.utf8.count)
    }

    @Test func `every beginning of a request is incomplete and nothing else`() {
        let whole = Self.get("/metrics", "Host: localhost:8787\r\nAccept: */*\r\n")
        for count in 0..<whole.utf8.count {
            let part = Array(whole.utf8.prefix(count))
            #expect(HTTPHead.read(part) == .incomplete, "\(count) bytes")
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET evil.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", 417),
        ("\u{16}\u{3}\u{1}", 400), ("GET/ HTTP/1.1", 400), ("SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
    ])
    func `what could mean two things is refused`(text: String, status: Int) {
        #expect(Self.refusal(text) == status)
    }

    @Test(arguments: [
        "/..", "/loops/../x", "/loops/%2e%2e/x", "/loops/%2E%2e", "/a//b", "/a/%2f/b", "/a%2Fb", "/a/./b", "/%00",
        "/a%0ab",
        "/%", "/%4", "/%zz", "/%c0%ae%c0%ae/", "/%ff", "/a?x=%00", "/a?x=1&x=2", "/a%7f",
    ])
    func `a path that would need cleaning is refused`(target: String) {
        #expect(Self.refusal(Self.get(target)) == 400)
    }

    @Test func `a head that does not end is refused at its limit`() {
        let long = String(repeating: "a", count: HTTPHead.limit)
        #expect(Self.refusal("GET /\(long)") == 414)
        #expect(Self.refusal("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)") == 431)
        #expect(Self.refusal("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n") == 431)
        let many = String(repeating: "X: y\r\n", count: 100)
        #expect(Self.refusal(Self.get("/", "Host: a\r\n" + many)) == 431)
        #expect(Self.refusal(String(repeating: "A", count: 20)) == 400)
    }

    @Test func `the absolute form names the host itself`() throws {
        let request = try #require(Self.request(Self.get("http://evil.example:1/metrics", "Host: localhost\r\n")))
        #expect(request.host == "evil.example")
        #expect(request.path == ["metrics"])
    }

    @Test func `an old client is not kept waiting for the next request`() throws {
        #expect(try #require(Self.request(Self.get("/", "", version: "1.0"))).keepsAlive == false)
        #expect(try #require(Self.request(Self.get("/", "Connection: Keep-Alive\r\n", version: "1.0"))).keepsAlive)
        #expect(
            try #require(Self.request(Self.get("/", "Host: a\r\nConnection: foo, Close\r\n"))).keepsAlive == false)
    }

    @Test func `random bytes never stop the reader`() {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &random)
        var generator = SplitMix(state: seed)
        let pieces = [
            "GET ", "/", "%2e", "\r\n", "\n", "Host: a", ":", " HTTP/1.1", "\u{0}", "é", "?", "&", "=", "\r\n\r\n",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            if case .request(let request, let length) = Self.read(text) {
                #expect(length <= text.utf8.count, "seed \(seed): \(text)")
                #expect(request.path.allSatisfy { $0 != ".." && !$0.contains("/") }, "seed \(seed): \(text)")
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
