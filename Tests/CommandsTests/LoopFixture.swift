// SPDX-License-Identifier: Apache-2.0
// A loop's state in a temporary folder, and a command line that runs against it.

import Commands
import Domain
import Evidence
import Foundation
import Platform
import Reporting
import Synchronization

struct CommandResult {
    var code: ExitCode
    var output: String
    var error: String
}

final class LoopFixture: Sendable {
    let folder: String
    let layout: EvidenceLayout
    static let now = Timestamp("2026-11-21T03:23:00Z") ?? Timestamp(milliseconds: 0)

    init(_ loop: String = "staging") {
        folder = FileManager.default.temporaryDirectory.appending(path: "nightjar-\(UUID().uuidString)").path
        layout = EvidenceLayout(root: "\(folder)/state/\(loop)")
        try? FileManager.default.createDirectory(atPath: layout.root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func record(
        _ cycle: Int, _ verdict: Verdict, _ recommendation: Recommendation, revision: String, incidents: [Incident] = []
    ) -> CycleRecord {
        let end = Timestamp(milliseconds: now.milliseconds - Int64(10 - cycle) * 600_000)
        var totals = Totals()
        totals.add(verdict == .healthy ? .passed : .failed)
        let reason = Reason(rule: "suite-failed", verdict: verdict, text: "P0 chat: 1 of 1 tests failed")
        let failed = TestResult(id: "chat::streams\u{1B}[2J", outcome: .failed, message: "no partial")
        return CycleRecord(
            loop: "staging", cycle: cycle, mode: .operate, startedAt: end + .seconds(-300), endedAt: end,
            durationSeconds: 300, trigger: .schedule, revision: RevisionRecord(wanted: Revision(revision)),
            verdict: verdict, recommendation: recommendation, reasons: verdict == .healthy ? [] : [reason],
            value: ValueRecord(unit: "USD/month", total: 100, protected: 100, atRisk: 0), stages: [],
            suites: [
                SuiteRecord(
                    name: "chat", priority: 0, blocking: true, value: 100, status: .passed, totals: totals,
                    notPassed: verdict == .healthy ? [] : [failed])
            ], capabilities: [], incidents: incidents, experiments: [], actions: [],
            environment: EnvironmentRecord(serving: Revision(revision), state: .asWanted), writtenBy: "test",
            settingsHash: "0")
    }

    static let incident = Incident(
        id: "INC-57", signature: "s", title: "streaming chat times out", tests: ["chat::streams"], suites: ["chat"],
        firstSeen: now, firstCycle: 3)

    /// Writes cycle folders as readers need them: the document and its sum alone.
    func seal(_ records: [CycleRecord]) throws {
        for record in records {
            let folder = layout.cycle(record.cycle)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let document = try JSONText.pretty(record)
            try Data(document.utf8).write(to: URL(fileURLWithPath: layout.document(record.cycle)))
            let sum = SumsFile.Line(sha256: SHA256.hex(of: Array(document.utf8)), path: "cycle.json")
            try Data(SumsFile([sum]).text.utf8).write(to: URL(fileURLWithPath: layout.sums(record.cycle)))
        }
    }

    /// Seals cycles as a daemon does, from #1 on and with a journal: `verify` finds them intact.
    func sealAndJournal(_ records: [CycleRecord]) async throws {
        let (journal, _) = try await Journal.open(layout)
        let writer = CycleWriter(layout)
        for record in records {
            try await writer.writeDocument(record)
            let sealed = try await writer.seal(record.cycle)
            let fact = CycleSealed(cycle: record.cycle, sha256: sealed.sha256, verdict: record.verdict)
            try await journal.append(.cycleSealed(fact), at: record.endedAt, cycle: record.cycle, durable: false)
            try await writer.publish(record, sealed)
        }
        await journal.close()
    }

    func log(_ lines: [(LogLine, Int)]) throws {
        let text = lines.map { CycleLog.format($0.0, at: Self.now, cycle: $0.1) + "\n" }.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: layout.cycleLog))
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    /// Runs `nightjar` with `words`, standing in the fixture's folder.
    func run(_ words: String..., columns: Int = 80, isTerminal: Bool = false) async -> CommandResult {
        await run(words, columns: columns, isTerminal: isTerminal)
    }

    func run(_ words: [String], columns: Int = 80, isTerminal: Bool = false) async -> CommandResult {
        let collected = Collected()
        let output = Output(
            standardOutput: { text in collected.streams.withLock { $0.output += text } },
            standardError: { text in collected.streams.withLock { $0.error += text } },
            isTerminal: isTerminal, columns: columns)
        let code = await NightjarCommands.run(
            ["nightjar"] + words, output: output, workingDirectory: folder,
            environment: ["PATH": "/usr/bin:/bin", "USER": "ann"], now: { Self.now })
        let streams = collected.streams.withLock { $0 }
        return CommandResult(code: code, output: streams.output, error: streams.error)
    }

    private final class Collected: Sendable {
        let streams = Mutex((output: "", error: ""))
    }
}
