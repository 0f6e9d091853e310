// SPDX-License-Identifier: Apache-2.0
// Findings: what was found, the comparator, the threshold.

import Domain
import Testing

@testable import Probes

struct ProbeReplyTests {
    static let timings = ProbeTimings(total: 3)

    static func check(
        _ statuses: [Int] = [], json: [(String, String)] = [], contains: String? = nil
    ) -> CheckSettings {
        CheckSettings(
            name: "health", target: .http(url: "http://127.0.0.1/", method: "GET", headers: [:], body: nil),
            statuses: statuses,
            json: json.map { CheckSettings.JSONExpectation(pointer: $0.0, value: $0.1) }, contains: contains)
    }

    static func http(_ status: Int, _ body: String = "") -> ProbeReply {
        .http(status: status, body: Array(body.utf8), timings: timings)
    }

    @Test(arguments: [
        ([], 204, true, "status 204"), ([], 302, false, "status 302, expected 200...299"),
        ([200], 503, false, "status 503, expected 200"), ([200, 404], 500, false, "status 500, expected 200 or 404"),
        ([404], 404, true, "status 404"), ([404], 200, false, "status 200, expected 404"),
    ])
    func `the status must be one of the expected`(statuses: [Int], found: Int, ok: Bool, finding: String) {
        let answer = Self.check(statuses).judge(Self.http(found))
        #expect(answer.ok == ok && answer.finding == finding)
    }

    @Test(
        arguments: [
            (#"{"status":"healthy"}"#, nil), (#"{"status":"degraded"}"#, #"/status is "degraded", expected "healthy""#),
            (#"{"state":1}"#, #"/status is missing, expected "healthy""#),
            ("<html>", "the answer is no JSON: it unexpected '<' at byte 0: <html>"),
            (#"{"status":["#, "the answer is no JSON: it ends in the middle of a value: {\"status\":["),
        ] as [(String, String?)])
    func `a JSON value must be the expected one`(body: String, missed: String?) {
        for wanted in ["\"healthy\"", "healthy"] {
            let answer = Self.check(json: [("/status", wanted)]).judge(Self.http(200, body))
            #expect(answer.ok == (missed == nil))
            #expect(answer.finding == missed ?? "status 200")
        }
    }

    @Test func `an answer must contain the words`() {
        #expect(Self.check(contains: "ready").judge(Self.http(200, "not quite ready")).ok)
        let missed = Self.check(contains: "ready").judge(Self.http(200, "read\u{1b}[31m\ny"))
        #expect(missed.finding == "the answer does not contain \"ready\": read [31m y")
        #expect(
            Self.check(contains: "ready").judge(Self.http(200)).finding
                == "the answer does not contain \"ready\": (empty)")
    }

    @Test func `a command is judged by its exit status and its output`() {
        let reply = ProbeReply.exited(status: 3, output: Array("3 jobs".utf8), timings: Self.timings)
        #expect(Self.check().judge(reply).finding == "exit 3, expected 0")
        #expect(Self.check([3], contains: "jobs").judge(reply).ok)
    }

    @Test func `no answer is never good, whatever is expected`() {
        let reply = ProbeReply.noAnswer(problem: "connection refused 127.0.0.1:8080", timings: Self.timings)
        let answer = Self.check([0]).judge(reply)
        #expect(!answer.ok && answer.finding == "connection refused 127.0.0.1:8080")
        #expect(answer.sample(at: Timestamp(milliseconds: 7)).milliseconds == 3)
    }

    static func live(_ pointer: String?) -> LiveRevisionSettings {
        LiveRevisionSettings(target: .tcp(host: "127.0.0.1", port: 1), pointer: pointer)
    }

    @Test(
        arguments: [
            (nil, " 4f2e91c\n", "4f2e91c", nil), ("/revision", #"{"revision":"v1.2"}"#, "v1.2", nil),
            ("/build", #"{"build":1042}"#, "1042", nil), (nil, "", nil, "the answer is empty, expected a revision"),
            (nil, "<h1>Not found</h1>", nil, "the answer is no single word: <h1>Not found</h1>"),
            ("/image", #"{"image":"r.example:5000/a/b@sha256:0f"}"#, "r.example:5000/a/b@sha256:0f", nil),
            (nil, "--output=x", nil, "the answer is no revision (letters, digits and ._-+/:@=): --output=x"),
            (nil, "$(reboot)", nil, "the answer is no revision (letters, digits and ._-+/:@=): $(reboot)"),
            (
                "/build", #"{"build":-5}"#, nil, "/build is no revision (letters, digits and ._-+/:@=): -5"
            ),
            ("/revision", #"{"revision":null}"#, nil, "/revision is null, expected a revision"),
            ("/revision", #"{"revision":""}"#, nil, "/revision is empty, expected a revision"),
            ("/revision", "{}", nil, "/revision is missing in the answer"),
        ] as [(String?, String, String?, String?)])
    func `a revision is read from an answer`(pointer: String?, body: String, revision: String?, problem: String?) {
        let answer = Self.live(pointer).answer(Self.http(200, body))
        #expect(answer.revision?.id == revision)
        #expect(answer.problem == problem)
    }

    @Test func `a bad status or exit names no revision even where the body looks like one`() {
        #expect(Self.live(nil).answer(Self.http(502, "4f2e91c")).problem == "status 502, expected 200...299")
        let exited = ProbeReply.exited(status: 1, output: Array("4f2e91c".utf8), timings: Self.timings)
        #expect(
            Self.live(nil).answer(exited)
                == RevisionAnswer(revision: nil, problem: "exit 1, expected 0", milliseconds: 3))
    }

    @Test func `foreign text in findings is one bounded line without control characters`() {
        let hostile = "a\u{1b}]0;x\u{7}\r\n\u{202E}b" + String(repeating: "z", count: 500)
        let line = Excerpt.cut(hostile)
        #expect(line.hasPrefix("a ]0;x    bzz") && line.hasSuffix("…") && line.unicodeScalars.count == 121)
    }

    @Test func `bytes are found at every place and not beyond the end`() {
        let hay = Array("aaab".utf8)
        #expect(hay.holds(Array("aab".utf8)) && hay.holds(Array("aaab".utf8)) && hay.holds(Array("b".utf8)))
        #expect(!hay.holds(Array("ba".utf8)) && !hay.holds(Array("aaabb".utf8)) && hay.holds([]))
    }
}
