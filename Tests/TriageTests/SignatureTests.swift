// SPDX-License-Identifier: Apache-2.0
// What two failures must share to be one incident.

import Domain
import Testing

@testable import Triage

struct SignatureTests {
    @Test(arguments: [
        ("took 1.25 s > 0.5 s", "took 3.75 s > 0.5 s"),
        ("no route to 10.0.0.7:8443", "no route to 10.0.12.99:443"),
        ("object at 0x7f3ab0 is gone", "object at 0x81bc0e is gone"),
        ("order (id=4f2a9c1d) is missing", "order (id=9e1b7a33) is missing"),
        ("job '0b9e2c4a-17d3-4e0f-9a51-3c1f2d4e5b60' failed", "job 'ffeed2c4-9a51-17d3-4e0f-3c1f2d4e5b61' failed"),
        ("cannot open /tmp/run-17/out/report.xml", "cannot open /var/folders/9x/report.xml"),
        ("at 12:30:45 the service was down", "at 03:01:59 the service was down"),
        ("a  b\tc", "a b c"), ("answered 404 rows", "answered 500 rows"), ("took 404 ms", "took 503 ms"),
        ("expected 404 tokens, got 410", "expected 500 tokens, got 503"), ("job 404 is gone", "job 500 is gone"),
        ("answered 503, expected 200", "answered 503, expected 201"),
        ("answered 503, expected 401", "answered 503, expected 200"),
        ("expected status 401 but got 503", "expected status 404 but got 503"), ("assert 404 == 3", "assert 500 == 7"),
    ])
    func `what changes from run to run does not tell failures apart`(_ one: String, _ other: String) {
        #expect(Signature.normalized(one) == Signature.normalized(other))
    }

    @Test(arguments: [
        ("connection refused", "connection reset"), ("cannot open /a/report.xml", "cannot open /a/index.html"),
        ("expected true", "expected false"), ("deadline exceeded", "face exceeded"),
        ("POST /v1/threads answered 404, expected 200", "POST /v1/threads answered 503, expected 200"),
        ("assert 503 == 200", "assert 401 == 200"), ("HTTP/1.1 503", "HTTP/1.1 404"),
        ("status=500 body={}", "status=404 body={}"),
        ("the reply has status 200, expected 401", "the reply has status 200, expected 403"),
        ("<Response [502 Bad Gateway]>", "<Response [429 Too Many Requests]>"),
    ])
    func `two causes stay two`(_ one: String, _ other: String) {
        #expect(Signature.normalized(one) != Signature.normalized(other))
    }

    @Test func `the type counts, and a hanging test is known by its name`() {
        let one = TestResult(id: "s::a", outcome: .failed, message: "no", type: "KeyError")
        let other = TestResult(id: "s::a", outcome: .failed, message: "no", type: "IndexError")
        #expect(Signature.of(one) != Signature.of(other))
        let hanging = TestResult(id: "s::a", outcome: .timedOut, message: "cut after 30s")
        #expect(Signature.of(hanging) == "timed out: a")
        #expect(Signature.of(TestResult(id: "s::b", outcome: .errored)) == "errored: b")
    }

    /// The innermost place outside of tests and libraries, by function: lines move with every commit.
    @Test(arguments: [
        (
            "Traceback:\n  File \"tests/test_a.py\", line 3, in test_a\n  File \"/srv/app/tern/threads.py\", line 88, in "
                + "list_threads\n  File \"/usr/lib/python3/json.py\", line 5, in loads\nKeyError: 'x'",
            "threads.py list_threads"
        ),
        (
            "    def test_a():\n>       page()\n\ntests/test_a.py:3: \n_ _ _\n\n    async def page(store):\n>       raise "
                + "KeyError\nE       KeyError: hub.py:9: x\n\ntern/threads.py:88: KeyError\n--- Captured log call ---\n"
                + "  File \"tern/other.py\", line 1, in other",
            "threads.py page"
        ),
        (
            "Error: no\n    at Object.parse (node:internal/x.js:1:2)\n    at async Hub.send (src/chat/hub.js:42:7)\n    at "
                + "main (src/main.js:1:1)", "hub.js Hub.send"
        ),
        (
            "java.lang.IllegalStateException\n\tat java.util.ArrayList.get(ArrayList.java:42)\n\tat "
                + "com.acme.chat.Hub.send(Hub.java:17)", "Hub.java Hub.send"
        ),
        ("thread 'main' panicked at src/hub.rs:10:5", "hub.rs"),
        ("tests/e2e/test_a.py:32: AssertionError", ""), ("no route to example.com:443", ""),
    ])
    func `the place of a failure is that in the program`(_ details: String, _ place: String) {
        var result = TestResult(
            id: "tests.test_a::test_a", outcome: .failed, message: "it broke", type: "KeyError", details: details)
        let signature = Signature.of(result)
        #expect(signature == (place.isEmpty ? "KeyError: it broke" : "KeyError: it broke in \(place)"))
        // Another line of the same function is the same place.
        result.details = details.replacing("88", with: "90").replacing("42:7", with: "44:9")
        #expect(Signature.of(result) == signature)
    }

    @Test func `comparisons of numbers alone are told apart by the module of their test`() {
        func signature(_ id: String, _ message: String) -> String {
            Signature.of(TestResult(id: id, outcome: .failed, message: message, type: "AssertionError"))
        }
        #expect(signature("t.test_a::x", "assert 1 == 2") == signature("t.test_a::y", "assert 7 == 0"))
        #expect(signature("t.test_a::x", "assert 1 == 2") != signature("t.test_b::x", "assert 7 == 0"))
        // What says something is one cause wherever it is said.
        #expect(signature("t.test_a::x", "pool is empty: 1") == signature("t.test_b::x", "pool is empty: 2"))
        #expect(signature("t.test_a::x", "assert 503 == 200") == signature("t.test_b::x", "assert 503 == 201"))
    }

    @Test func `a signature is short whatever the message`() {
        #expect(Signature.normalized(String(repeating: "word ", count: 100_000)).utf8.count <= 160)
        #expect(Signature.normalized(String(repeating: "\u{1F600}", count: 1000)).utf8.count <= 200)
        #expect(Signature.normalized("").isEmpty)
        #expect(Signature.normalized("///").isEmpty)
    }
}
