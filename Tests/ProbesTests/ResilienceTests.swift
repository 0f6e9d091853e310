// SPDX-License-Identifier: Apache-2.0
// The pure parts of the scenarios: contracts read, templates filled in, events counted, statuses given, reports written.

import Foundation
import Testing

@testable import Probes

@Suite struct ResilienceTests {
    private static let demo = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "config/examples/resilience/demo.json")

    private func problems(_ text: String) -> [String] {
        do {
            _ = try ResilienceContract(parsing: Array(text.utf8), environment: [:])
            return []
        } catch {
            return error.problems
        }
    }

    // MARK: Contracts

    @Test func `the demo's scenario file is read whole`() throws {
        let bytes = Array(try Data(contentsOf: Self.demo))
        let contract = try ResilienceContract(parsing: bytes, environment: ["NIGHTJAR_DEMO_ADDRESS": "there:1"])
        #expect(contract.variables["address"] == .string("there:1"))
        #expect(contract.variables["nightjar"] == .string("nightjar"), "the default where the environment has none")
        #expect(contract.users.count == 2)
        #expect(contract.heartbeat?.interval == .milliseconds(400) && contract.heartbeat?.isPing == false)
        #expect(contract.stream?.count == 41 && contract.rateLimit?.after == 300)
        #expect(contract.values.count == 11 && contract.trials == 20)
        #expect(contract.resume?.capture == ["session": "/session"])
    }

    @Test(arguments: ["socket-io", "phoenix", "graphql-ws"])
    func `the example of a contract is read whole`(name: String) throws {
        let file = Self.demo.deletingLastPathComponent().appending(path: "\(name).json")
        let bytes = Array(try Data(contentsOf: file))
        let contract = try ResilienceContract(parsing: bytes, environment: ["RESILIENCE_ADDRESS": "there:1"])
        #expect(contract.variables["address"] == .string("there:1"))
        #expect(contract.connect.authenticate != nil && contract.login != nil && contract.stream?.end != nil)
    }

    @Test func `what a contract asks of a client is answered in its own framing`() throws {
        let text = #"""
            {"connect": {"url": "ws://a", "answers": [{"expect": {"/0": "2"}, "send": "3"},
             {"expect": {"/0": "42", "/1/0": "ask"}, "send": ["42", ["tell", "{name}"]]}]}, "prefixDigits": true}
            """#
        let contract = try ResilienceContract(parsing: Array(text.utf8), environment: [:])
        let variables = TemplateVariables(values: ["name": .string("ada")])
        func replies(_ text: String) -> [String] {
            ScenarioClient.replies(to: ScenarioClient.message(text, prefixDigits: true), contract, variables)
        }
        #expect(replies("2") == ["3"])
        #expect(replies(#"42["ask"]"#) == [#"42["tell","ada"]"#])
        #expect(replies(#"42["event"]"#).isEmpty && replies("3").isEmpty)
    }

    @Test func `every problem is said at once, with its place`() {
        let text = #"""
            {"connect": {"uri": "ws://a"}, "resumes": {}, "trials": 0, "heartbeat": {"interval": "fast"},
             "stream": {"sequence": "seq"}, "queue": {}, "echo": {"expect": {"type": 1}}, "accepted": [{"case": "x"}],
             "variables": {"a": {"env": "NOT_THERE"}}, "rateLimit": {}}
            """#
        let found = problems(text)
        for place in [
            "connect.url: is missing", "connect.uri: is not known here",
            "resumes: is not known here; did you mean resume?",
            "trials: expected a whole number from 1 to 1000", "heartbeat.interval: expected a time",
            "stream.sequence: expected a JSON pointer", "stream.end: is missing", "queue.publish: a queue has either",
            "queue.sequence: is missing", "rateLimit.after: is missing",
            "echo.expect: expected a JSON pointer", "accepted[0].case: case and reason",
            "variables.a: is not in the environment",
        ] {
            #expect(found.contains { $0.hasPrefix(place) }, "\(place) in \(found)")
        }
        let beat = #"{"connect": {"url": "ws://a"}, "heartbeat": {"by": "ping", "message": {"/type": "beat"}}}"#
        #expect(problems(beat) == ["heartbeat.message: is not looked at with by: ping"])
        #expect(problems("{").first?.hasPrefix("the file is no JSON") == true)
        #expect(problems("[]").contains("the file: expected an object"))
    }

    // MARK: Templates

    @Test func `placeholders are filled in, whole values keep their kind, other braces stay`() throws {
        let variables = TemplateVariables(values: ["last": .number("7"), "name": .string("a\"b")])
        #expect(try variables.fill("x{name}y{last}{}{ a }{") == "xa\"by7{}{ a }{")
        let filled = try variables.fill(try JSONValue(parsing: #"{"n":"{last}","t":"no {last}","l":["{name}"],"z":1}"#))
        #expect(filled.description == #"{"n":7,"t":"no 7","l":["a\"b"],"z":1}"#)
        #expect(throws: TemplateProblem.self) { try variables.fill("{missing}") }
    }

    @Test func `a pattern needs all of its conditions`() throws {
        let variables = TemplateVariables(values: ["id": .string("x1")])
        let message = try JSONValue(parsing: #"{"type":"ok","id":"x1","n":3,"deep":{"a":[1,2]}}"#)
        func accepts(_ conditions: [(String, MessagePattern.Condition)]) -> Bool {
            MessagePattern(conditions: conditions.map { (pointer: $0.0, condition: $0.1) }).accepts(message, variables)
        }
        #expect(accepts([("/type", .equals(.string("ok"))), ("/id", .equals(.string("{id}")))]))
        #expect(!accepts([("/type", .equals(.string("ok"))), ("/id", .equals(.string("other")))]))
        #expect(accepts([("/n", .oneOf([.number("1"), .number("3")])), ("/deep/a/1", .exists(true))]))
        #expect(accepts([("/missing", .exists(false)), ("/id", .matches("x*"))]))
        #expect(!accepts([("/missing", .equals(.null))]))
    }

    @Test func `Socket IO messages are digits and JSON, both ways`() throws {
        let message = ScenarioClient.message(#"42["event",{"a":1}]"#, prefixDigits: true)
        #expect(message.value(at: "/0") == .string("42"))
        #expect(message.value(at: "/1/1/a") == .number("1"))
        #expect(ScenarioClient.wire(message, prefixDigits: true) == #"42["event",{"a":1}]"#)
        #expect(ScenarioClient.message("2", prefixDigits: true).value(at: "/0") == .string("2"))
        #expect(ScenarioClient.wire(.string("3"), prefixDigits: true) == "3")
        #expect(ScenarioClient.message("plain", prefixDigits: false) == .string("plain"))
    }

    // MARK: Counting

    @Test func `gaps, duplicates and disorder are counted apart`() {
        func reading(_ numbers: [Int], to last: Int) -> [Int] {
            let found = SequenceReading(numbers, from: 1, to: last)
            return [found.expected, found.missing, found.duplicates, found.disordered, found.beyond]
        }
        #expect(reading([1, 2, 3], to: 3) == [3, 0, 0, 0, 0])
        #expect(reading([1, 3], to: 3) == [3, 1, 0, 0, 0])
        #expect(reading([1, 2, 2, 3], to: 3) == [3, 0, 1, 0, 0])
        #expect(reading([1, 3, 2], to: 3) == [3, 0, 0, 1, 0])
        #expect(reading([0, 1, 2, 9], to: 2) == [2, 0, 0, 0, 1], "more than there were")
        #expect(reading([], to: 0) == [0, 0, 0, 0, 0])
        var sum = SequenceReading([1], from: 1, to: 2)
        sum.add(SequenceReading([1, 2], from: 1, to: 2))
        #expect(sum.kpis(ResilienceLimits()).map(\.isMet) == [false, true, true, true])
        #expect(
            SequenceReading([1, 2], from: 1, to: 1).kpis(ResilienceLimits()).map(\.isMet) == [true, true, true, false])
        #expect(!SequenceReading().kpis(ResilienceLimits())[0].isMet, "nothing expected is nothing delivered")
    }

    @Test func `without a number of events no delivery is told, and gaps still fail`() {
        var reading = SequenceReading()
        reading.add(SequenceReading([1, 2], from: 1, to: 2))
        reading.add(SequenceReading([1, 2], from: 1, to: 2, isTold: false))
        #expect(
            !reading.isTold && reading.kpis(ResilienceLimits()).map(\.name) == ["gaps", "duplicates", "out of order"])
        let gap = SequenceReading([1, 3], from: 1, to: 3, isTold: false)
        #expect(gap.kpis(ResilienceLimits()).map(\.isMet) == [false, true, true])
    }

    @Test func `a mean and a maximum have their 95th percentile from twenty samples on`() {
        let samples = (1...20).map(Double.init)
        let kpi = ScenarioKPI.mean("reconnect", samples, atMost: 10)
        #expect(kpi.measured == 10.5 && kpi.p95 == 19 && !kpi.isMet)
        #expect(ScenarioKPI.mean("a", [1, 2], atMost: 10).p95 == nil)
        #expect(ScenarioKPI.worst("a", samples, atMost: 10).p95 == 19)
        #expect(kpi.text == "reconnect mean 10.5 ms <= 10 ms (n 20, p95 19)")
    }

    // MARK: Judgment

    private func found(_ outcomes: [ScenarioCase.Outcome]) -> ScenarioResult {
        let cases = outcomes.enumerated().map { index, outcome in
            ScenarioCase(
                name: "case <\(index)>", outcome: outcome, reason: outcome == .passed ? nil : "needs \"this\" & that",
                notes: ["a\u{1b}[31mnote"], kpis: [.worst("open", [1.5], atMost: 2)], seconds: 0.25)
        }
        return ScenarioResult(.queueing, cases: cases, value: 10, seconds: 1)
    }

    @Test func `one failure rejects, one thing untold is conditional, and nothing at all approves nothing`() {
        #expect(found([.passed, .passed]).status == .approved)
        #expect(found([.passed, .skipped]).status == .conditional)
        #expect(found([.passed, .skipped]).prerequisites == ["needs \"this\" & that"])
        #expect(found([.passed, .skipped, .failed]).status == .rejected)
        #expect(found([.errored]).status == .rejected)
        #expect(found([]).status == .conditional)
        let report = ResilienceReport(
            name: "n", endpoint: "ws://a", seed: 1, results: [found([.passed]), found([.skipped])], roundTrip: 1,
            seconds: 2, faults: [:])
        #expect(report.status == .conditional && report.value == 20 && report.valueApproved == 10)
    }

    @Test func `recorder: a missed limit fails, an impossible one is a prerequisite, an accepted failure is named`() {
        let accepted = [ResilienceContract.Accepted(pattern: "known*", reason: "ticket 7")]
        let recorder = ScenarioRecorder(floor: 800, accepted: accepted, prepare: {}, progress: { _ in })
        recorder.test("too slow") { CaseFindings(kpis: [.worst("open", [900], atMost: 850)]) }
        recorder.test("too far") { CaseFindings(kpis: [.worst("open", [900], atMost: 500)]) }
        recorder.test("missing", needs: [("a stream", false)]) { .none }
        recorder.test("known to fail") { throw ScenarioFailure(reason: "boom") }
        recorder.test("known but good") { .none }
        recorder.test("no login") { throw ScenarioFailure(reason: "refused", isSurroundings: true) }
        recorder.test("half told") { CaseFindings(kpis: [.worst("open", [1], atMost: 2)], needs: "a count") }
        recorder.test("half told and bad") {
            CaseFindings(kpis: [.worst("open", [900], atMost: 850)], needs: "a count")
        }
        let outcomes = recorder.cases.map(\.outcome)
        #expect(outcomes == [.failed, .skipped, .skipped, .skipped, .passed, .errored, .skipped, .failed])
        #expect(recorder.cases[6].reason == "needs a count")
        #expect(recorder.cases[1].reason?.contains("nearer endpoint") == true)
        #expect(recorder.cases[2].reason == "needs a stream")
        #expect(recorder.cases[3].reason == "accepted, ticket 7: boom")
        #expect(recorder.cases[4].notes.count == 1)
    }

    @Test func `JUnit holds every case, its figures, and nothing that XML forbids`() {
        let report = ResilienceReport(
            name: "a & b", endpoint: "ws://a", seed: 1, results: [found([.passed, .failed, .errored, .skipped])],
            roundTrip: 1, seconds: 2, faults: [:])
        let text = report.junit
        #expect(text.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""))
        #expect(text.contains("classname=\"resilience.queueing\" name=\"case &lt;0&gt;\""))
        #expect(text.contains("<property name=\"kpi\" value=\"open max 1.5 ms &lt;= 2 ms (n 1)\"/>"))
        for property in [
            "open.max\" value=\"1.5 ms", "open.n\" value=\"1", "open.limit\" value=\"2 ms", "value\" value=\"10",
        ] {
            #expect(text.contains("<property name=\"\(property)\"/>"), "\(property)")
        }
        #expect(!text.contains("open.p95"), "one sample has none")
        #expect(ScenarioKPI.worst("heartbeat too early by", [1], atMost: 2).key == "heartbeatTooEarlyBy")
        #expect(text.contains("<skipped message=\"needs &quot;this&quot; &amp; that\"/>"))
        #expect(!text.contains("\u{1b}"))
    }
}
