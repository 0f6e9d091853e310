// SPDX-License-Identifier: Apache-2.0
// HTTP heads, bodies and addresses: the pure part.

import Testing

@testable import WebSocket

@Suite struct HTTPTests {
    private func head(_ text: String, limits: HTTPHeadLimits = HTTPHeadLimits()) -> Result<HTTPHead?, HTTPError> {
        Result { () throws(HTTPError) -> HTTPHead? in
            var buffer = Array(text.utf8)
            return try HTTPHead.take(from: &buffer, limits: limits)
        }
    }

    private func isMalformed<Value>(_ result: Result<Value, HTTPError>) -> Bool {
        if case .failure(.malformed) = result { true } else { false }
    }

    @Test func `a head is taken and what follows stays, at every cut`() throws {
        let text = "HTTP/1.1 200 Fine by me\r\nA: 1\r\nb:  two \t\r\na: 3\r\nEmpty:\r\n\r\nbody"
        for cut in 0..<(text.utf8.count - 4) {
            #expect(head(text.cut(at: cut)) == .success(nil))
        }
        var buffer = Array(text.utf8)
        let head = try #require(try HTTPHead.take(from: &buffer))
        #expect(String(decoding: buffer, as: UTF8.self) == "body")
        #expect(try head.status() == (200, "Fine by me"))
        #expect(head.headers.all("A") == ["1", "3"])
        #expect(head.headers["B"] == "two")
        #expect(head.headers["empty"]?.isEmpty == true)
    }

    @Test func `bare line feeds end lines too`() throws {
        let result = try head("GET /x HTTP/1.1\nHost: a\n\n").get()
        let head = try #require(result)
        #expect(try head.request() == ("GET", "/x"))
        #expect(head.headers["host"] == "a")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n", "\r\n\r\n",
    ])
    func `a malformed head is refused`(_ text: String) {
        #expect(isMalformed(head(text)))
    }

    @Test(arguments: ["HTTP/2 200 OK", "HTTP/1.1", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc", "SSH-2.0-x y"])
    func `a malformed status line is refused`(_ line: String) {
        #expect(throws: HTTPError.self) { try HTTPHead(startLine: line, headers: HTTPHeaders()).status() }
    }

    @Test func `heads are bounded in bytes and in fields`() {
        let many = String(repeating: "A: 1\r\n", count: 101)
        #expect(head("HTTP/1.1 200 OK\r\n\(many)\r\n") == .failure(.tooManyHeaders(limit: 100)))
        let long = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 40_000)
        #expect(head(long) == .failure(.headTooLarge(limit: 32768)))
        #expect(head(long.cut(at: 32767)) == .success(nil))
    }

    private func decode(
        _ wire: String, _ headers: [(String, String)], status: Int = 200, limit: Int = 1000, pieces: Int = .max,
        ends: Bool = true
    ) -> Result<String, HTTPError> {
        Result { () throws(HTTPError) -> String in
            var decoder = try HTTPBodyDecoder(responseTo: status, headers: HTTPHeaders(headers), limit: limit)
            var rest = Array(wire.utf8)
            while !rest.isEmpty, !decoder.isComplete {
                try decoder.append(Array(rest.prefix(pieces)))
                rest.removeFirst(min(pieces, rest.count))
            }
            if ends { try decoder.end() }
            return String(decoding: decoder.body, as: UTF8.self) + (decoder.isCut ? "|cut" : "")
        }
    }

    private let chunked = [("Transfer-Encoding", "Chunked")]

    @Test func `bodies by length, in chunks and until the end, in pieces of every size`() {
        let wire = "5;name=value\r\nHello\r\n00D\r\n, chunked wor\r\n2\r\nld\r\n0\r\nTrailer: x\r\n\r\nextra"
        for size in 1...wire.utf8.count {
            #expect(decode(wire, chunked, pieces: size) == .success("Hello, chunked world"))
            #expect(decode("Hello!!!", [("Content-Length", "5")], pieces: size) == .success("Hello"))
            #expect(decode("Hello", [], pieces: size) == .success("Hello"))
        }
    }

    @Test func `what ends too early is truncated, never short`() {
        let wire = "5\r\nHello\r\n0\r\n\r\n"
        for cut in 0..<wire.utf8.count {
            guard case .failure(.truncated) = decode(wire.cut(at: cut), chunked) else {
                Issue.record("cut at \(cut)")
                continue
            }
        }
        #expect(decode("Hell", [("Content-Length", "5")]) == .failure(.truncated("the body, after 4 bytes")))
    }

    @Test func `a body over the limit is cut and says so`() {
        #expect(decode("Hello", [("Content-Length", "5")], limit: 4) == .success("Hell|cut"))
        #expect(decode("Hello", [("Content-Length", "5")], limit: 5) == .success("Hello"))
        #expect(decode("Hello", [], limit: 4) == .success("Hell|cut"))
        #expect(decode("5\r\nHello\r\n0\r\n\r\n", chunked, limit: 4) == .success("Hell|cut"))
    }

    @Test func `statuses without a body have none`() {
        for status in [204, 304, 101] { #expect(decode("x", [], status: status, ends: false) == .success("")) }
    }

    @Test(arguments: [
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "-5")], [("Content-Length", "+5")], [("Content-Length", "99999999999999999999")],
        [("Transfer-Encoding", "gzip, chunked")],
    ])
    func `ambiguous framing is refused`(_ headers: [(String, String)]) {
        #expect(isMalformed(decode("Hello", headers)))
    }

    @Test(arguments: [
        "-1\r\n", "x\r\n", "\r\n", "FFFFFFFFFFFFFFFFF\r\n", "1\r\nab\r\n", String(repeating: "0", count: 5000),
    ])
    func `malformed chunks are refused`(_ wire: String) {
        #expect(isMalformed(decode(wire, chunked)))
    }

    @Test func `addresses are taken apart`() throws {
        func parts(_ text: String) throws -> [String] {
            let address = try HTTPAddress(text, schemes: ["http", "ws"])
            return [address.host, "\(address.port)", address.target, address.authority]
        }
        #expect(try parts("http://a") == ["a", "80", "/", "a"])
        #expect(try parts("HTTP://a:8080/x/y?z=1#f") == ["a", "8080", "/x/y?z=1", "a:8080"])
        #expect(try parts("ws://[::1]:9/") == ["::1", "9", "/", "[::1]:9"])
        #expect(try parts("ws://[::1]") == ["::1", "80", "/", "[::1]"])
        #expect(try parts("http://a?q") == ["a", "80", "/?q", "a"])
        #expect(try parts("https://a/b") == ["a", "443", "/b", "a"])
        #expect(try parts("wss://a:80") == ["a", "80", "/", "a:80"])
        for bad in [
            "a", "ftp://a", "http://", "http://a:0", "http://a:70000", "http://a b", "http://u:p@a",
            "http://a/\r\nX: y",
        ] {
            #expect(throws: HTTPError.self) { try parts(bad) }
        }
    }

    @Test func `a header value cannot begin another header`() {
        #expect(throws: HTTPError.badRequestHeader(name: "A")) { try HTTPHeaders([("A", "1\r\nB: 2")]).validate() }
        #expect(throws: HTTPError.badRequestHeader(name: "A:")) { try HTTPHeaders([("A:", "1")]).validate() }
    }
}

extension String {
    /// The first `count` bytes. A line end counts as one character in Swift, so `prefix` would not do.
    fileprivate func cut(at count: Int) -> String {
        String(decoding: utf8.prefix(count), as: UTF8.self)
    }
}
