// SPDX-License-Identifier: Apache-2.0
// `cycle.json` has every key of the design, and documents of earlier versions are still read.

import Domain
import Foundation
import Testing

struct DocumentCodingTests {
    private static let at = Timestamp(milliseconds: 1_795_262_400_000)

    private func record() -> CycleRecord {
        let run = StageRun(
            cycle: 1, kind: .test, purpose: .cycle, subject: "chat", attempt: 2, revision: Revision("aaaaaaa"))
        func command(_ role: String, exit: Int32, _ host: String, peak: Int64) -> CommandRecord {
            CommandRecord(
                role: role, command: ["./\(role).sh", "a"], exit: exit, startedAt: Self.at, durationSeconds: 1,
                resources: ResourceUse(cpuSeconds: 1.5, peakMemoryBytes: peak), hosts: [host, "a:1"],
                log: "test-2-chat.\(role)/console.log")
        }
        let stage = StageRecord(
            run: run, outcome: .failed, summary: "no", startedAt: Self.at, endedAt: Self.at, durationSeconds: 2,
            commands: [command("before", exit: 0, "b:2", peak: 7), command("main", exit: 3, "c:3", peak: 5)],
            limitHit: "timeout 5s")
        return CycleRecord(
            loop: "staging", cycle: 1, mode: .operate, startedAt: Self.at, endedAt: Self.at, durationSeconds: 2,
            trigger: .once, revision: RevisionRecord(wanted: Revision("aaaaaaa")), verdict: .failing,
            recommendation: .hold, reasons: [], value: ValueRecord(unit: "USD", total: 0, protected: 0, atRisk: 0),
            stages: [stage],
            suites: [SuiteRecord(name: "chat", priority: 2, blocking: false, value: nil, status: .failed)],
            capabilities: [], incidents: [], experiments: [], actions: [],
            environment: EnvironmentRecord(serving: nil, state: .unknown), writtenBy: "test", settingsHash: "")
    }

    private func object(_ record: CycleRecord) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
    }

    @Test func `a stage has the keys by which a reader looks for it`() throws {
        let stage = try #require((object(record())["stages"] as? [[String: Any]])?.first)
        #expect(stage["stage"] as? String == "test" && stage["attempt"] as? Int == 2)
        #expect(stage["outcome"] as? String == "failed" && stage["limitHit"] as? String == "timeout 5s")
        #expect(stage["command"] as? [String] == ["./main.sh", "a"] && stage["exit"] as? Int == 3)
        #expect(stage["hosts"] as? [String] == ["a:1", "b:2", "c:3"])
        #expect(stage["logs"] as? [String] == ["test-2-chat.before/console.log", "test-2-chat.main/console.log"])
        let resources = try #require(stage["resources"] as? [String: Double])
        #expect(resources == ["cpuSeconds": 3, "peakMemoryBytes": 7])
        #expect((stage["run"] as? [String: Any])?["subject"] as? String == "chat")
    }

    @Test func `what is empty is there`() throws {
        let document = try object(record())
        #expect((document["audit"] as? [Any])?.isEmpty == true && (document["targets"] as? [Any])?.isEmpty == true)
        #expect(document["readiness"] is NSNull)
        #expect((document["suites"] as? [[String: Any]])?.first?["priority"] as? String == "P2")
    }

    @Test func `a document comes back as it was`() throws {
        let record = record()
        #expect(try JSONDecoder().decode(CycleRecord.self, from: JSONEncoder().encode(record)) == record)
    }

    @Test func `a document of an earlier version is read`() throws {
        let record = record()
        var document = try object(record)
        for key in ["audit", "targets", "readiness"] { document[key] = nil }
        var suites = try #require(document["suites"] as? [[String: Any]])
        suites[0]["priority"] = 2
        document["suites"] = suites
        var stages = try #require(document["stages"] as? [[String: Any]])
        for key in ["stage", "attempt", "command", "exit", "resources", "hosts", "logs"] { stages[0][key] = nil }
        document["stages"] = stages
        let old = try JSONSerialization.data(withJSONObject: document)
        #expect(try JSONDecoder().decode(CycleRecord.self, from: old) == record)
        suites[0]["priority"] = "high"
        document["suites"] = suites
        let bad = try JSONSerialization.data(withJSONObject: document)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(CycleRecord.self, from: bad) }
    }
}
