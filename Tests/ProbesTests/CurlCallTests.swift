// SPDX-License-Identifier: Apache-2.0
// What curl is told, and what its answers mean.

import Domain
import Testing

@testable import Probes

struct CurlCallTests {
    static func call(
        _ url: String = "https://staging.example/health", method: String = "GET", headers: [String: String] = [:],
        body: String? = nil
    ) -> CurlCall? {
        CurlCall(url: url, method: method, headers: headers, body: body, timeout: .milliseconds(2500))
    }

    static func lines(_ call: CurlCall?) throws -> [String] {
        String(decoding: try #require(call).configuration, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `everything that may be secret goes to standard input`() throws {
        let lines = try Self.lines(Self.call("https://h/?key=s3cret", headers: ["Authorization": "Bearer \"t\\k"]))
        #expect(lines.contains(#"url = "https://h/?key=s3cret""#))
        #expect(lines.contains(#"header = "Authorization: Bearer \"t\\k""#))
        #expect(lines.contains("max-time = 2.500"))
        #expect(CurlCall.arguments == ["curl", "-q", "-K", "-"])
    }

    @Test func `a body keeps its line breaks and quotation marks and says what it is`() throws {
        let lines = try Self.lines(Self.call(method: "post", body: "{\"a\":\n\"@b\"}"))
        #expect(lines.contains("request = \"POST\""))
        #expect(lines.contains(#"data-raw = "{\"a\":\n\"@b\"}""#))
        #expect(lines.contains("header = \"Content-Type: application/json\""))
    }

    @Test(
        arguments: [
            ("file:///etc/passwd", "GET", [:], "the URL must begin with http:// or https://"),
            ("http://h/\nuser = x", "GET", [:], "the URL holds a space or a control character"),
            ("http://h/", "GET x", [:], "the method must be letters such as GET"),
            ("http://h/", "GET", ["X": "a\r\nY: b"], "the header X is empty or holds a colon or a control character"),
            ("http://h/", "GET", ["X:": "a"], "the header X: is empty or holds a colon or a control character"),
        ] as [(String, String, [String: String], String)])
    func `what would smuggle a line is refused`(
        url: String, method: String, headers: [String: String], refusal: String
    ) {
        #expect(Self.call(url, method: method, headers: headers) == nil)
        #expect(CurlCall.refusal(url: url, method: method, headers: headers) == refusal)
    }

    @Test func `an answer carries status, body and the times of its parts`() throws {
        let figures = "nightjar-probe 200 0.000100 0.002000 0.010000 0.020000 0.021000 "
        let reply = try #require(Self.call()).reply(exit: 0, output: [1, 2], errors: Array(figures.utf8))
        let timings = ProbeTimings(nameLookup: 0.1, connect: 2, tls: 10, firstByte: 20, total: 21)
        #expect(reply == .http(status: 200, body: [1, 2], timings: timings))
    }

    @Test(
        arguments: [
            (6, "the name staging.example cannot be resolved"),
            (7, "no connection to staging.example:443: Couldn't connect"),
            (28, "no answer from staging.example:443 within 2.5 s"),
            (52, "staging.example:443 closed the connection without an answer"),
            (60, "the certificate of staging.example:443 is not trusted: Couldn't connect"),
            (63, "the answer is larger than 1 MiB"), (99, "curl ended with 99: Couldn't connect"),
        ] as [(Int32, String)])
    func `curl's exit codes become words`(exit: Int32, problem: String) throws {
        let figures = "nightjar-probe 000 0.0 0.0 0.0 0.0 1.5 Couldn't connect"
        let reply = try #require(Self.call()).reply(exit: exit, output: [], errors: Array(figures.utf8))
        #expect(reply == .noAnswer(problem: problem, timings: ProbeTimings(total: 1500)))
    }

    @Test func `without figures curl's own words are kept, in one line`() throws {
        let call = try #require(Self.call())
        let told = call.reply(exit: 2, output: [], errors: Array("curl: option -K\n: bad".utf8))
        #expect(told == .noAnswer(problem: "curl ended with 2: curl: option -K : bad", timings: ProbeTimings(total: 0)))
        let broken = call.reply(exit: 0, output: [], errors: Array("nightjar-probe x".utf8))
        #expect(broken == .noAnswer(problem: "curl's figures cannot be read", timings: ProbeTimings(total: 0)))
    }

    @Test(arguments: [
        ("http://h/x", "h", 80), ("https://u:p@h:8443/x@y", "h", 8443), ("http://[::1]:81/", "[::1]", 81),
        ("https://[::1]/", "[::1]", 443), ("http://h?x=1:2", "h", 80),
    ])
    func `host and port are read without user and password`(url: String, host: String, port: Int) {
        #expect(CurlCall.authority(of: url) == (host, port))
    }
}
