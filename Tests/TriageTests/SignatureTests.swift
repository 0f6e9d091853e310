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
        ("a  b\tc", "a b c"),
    ])
    func `what changes from run to run does not tell failures apart`(_ one: String, _ other: String) {
        #expect(Signature.normalized(one) == Signature.normalized(other))
    }

    @Test(arguments: [
        ("connection refused", "connection reset"), ("cannot open /a/report.xml", "cannot open /a/index.html"),
        ("expected true", "expected false"), ("deadline exceeded", "face exceeded"),
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

    @Test func `a signature is short whatever the message`() {
        #expect(Signature.normalized(String(repeating: "word ", count: 100_000)).utf8.count <= 160)
        #expect(Signature.normalized(String(repeating: "\u{1F600}", count: 1000)).utf8.count <= 200)
        #expect(Signature.normalized("").isEmpty)
        #expect(Signature.normalized("///").isEmpty)
    }
}
