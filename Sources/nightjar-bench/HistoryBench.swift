// SPDX-License-Identifier: Apache-2.0
//
// The history index at full size: its bytes, what a cycle adds, and how long an answer takes; beside SQLite with the same
// rows and the same question.

import Domain
import Evidence
import Foundation
import Platform

enum HistoryBench {
    static let childName = "__history"
    private static let questions = 60

    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) async throws {
        let cycles = arguments.number("cycles", standard: 100_000)
        let tests = arguments.number("tests", standard: 1000)
        let folder = try WorkFolder()
        let layout = EvidenceLayout(root: "\(folder.path)/loop")
        let peer = arguments.number("peer", standard: 1) == 1 ? HistoryPeer(folder) : nil
        let past = SimulatedPast(tests: tests)
        let (appends, compactions) = try write(past, cycles, layout, peer)
        report.add("cycles", Double(cycles), "")
        report.add("tests", Double(tests), "")
        report.add("index on disk", Double(Files.treeBytes(layout.history)) / 1e6, "MB")
        report.add("columns written again, times", Double(compactions.count), "")
        if let last = compactions.last {
            report.add("columns written again, the last time", Double(last) / 1e6, "ms")
        }
        report.add("append a cycle, store open", nanoseconds: appends)
        report.add("append a cycle, store opened for it", nanoseconds: try reopened(past, cycles, layout, peer))
        let asked = (0..<questions).map { past.name($0 * 7919 % tests) }
        report.add("one test, cold, fresh process", nanoseconds: try asked.prefix(20).map { try cold($0, layout) })
        report.add("one test, warm", nanoseconds: try asked.map { try warm($0, layout).nanoseconds })
        report.add("all tests, warm", nanoseconds: try (0..<5).map { _ in try all(layout) })
        if let peer {
            let flakes = try asked.map { try warm($0, layout).flakes }
            try peer.compare(asked.map { Int($0.dropFirst(past.prefix.count)) ?? 0 }, flakes, tests: tests, &report)
        }
        try await rebuild(past, cycles: min(cycles, 200), folder, &report)
    }

    // MARK: - Writing

    /// So many cycles at the end are left out of the columns: more than the daemon would leave.
    private static let uncovered = 1000

    private static func write(
        _ past: SimulatedPast, _ cycles: Int, _ layout: EvidenceLayout, _ peer: HistoryPeer?
    ) throws -> (appends: [Int64], compactions: [Int64]) {
        var past = past
        var store = try HistoryStore(layout)
        var appends: [Int64] = []
        var compactions: [Int64] = []
        for number in 1...cycles {
            let cycle = past.next(number)
            let begin = SystemClock.monotonicNanoseconds
            try store.append(cycle)
            let middle = SystemClock.monotonicNanoseconds
            appends.append(middle - begin)
            if number <= cycles - uncovered, try store.compactIfDue() {
                compactions.append(SystemClock.monotonicNanoseconds - middle)
            }
            try peer?.take(cycle)
        }
        return (appends, compactions)
    }

    /// As the daemon does it: the store is opened when a cycle is over, and nothing stays in memory.
    private static func reopened(
        _ past: SimulatedPast, _ cycles: Int, _ layout: EvidenceLayout, _ peer: HistoryPeer?
    ) throws -> [Int64] {
        var past = past
        return try (1...50).map { number in
            let cycle = past.next(cycles + number)
            let begin = SystemClock.monotonicNanoseconds
            var store = try HistoryStore(layout)
            try store.append(cycle)
            let time = SystemClock.monotonicNanoseconds - begin
            try peer?.take(cycle)
            return time
        }
    }

    // MARK: - Asking

    private static func warm(_ test: String, _ layout: EvidenceLayout) throws -> (nanoseconds: Int64, flakes: Rate) {
        let begin = SystemClock.monotonicNanoseconds
        let found = try HistoryTable.load(layout, suite: "suite", test: test)?.statistics(of: test)
        let time = SystemClock.monotonicNanoseconds - begin
        guard let found else { throw BenchError("there is no history of \(test)") }
        return (time, found.flakes)
    }

    private static func all(_ layout: EvidenceLayout) throws -> Int64 {
        let begin = SystemClock.monotonicNanoseconds
        guard try HistoryTable.load(layout, suite: "suite")?.statistics().tests.isEmpty == false else {
            throw BenchError("no test ever failed")
        }
        return SystemClock.monotonicNanoseconds - begin
    }

    private static func cold(_ test: String, _ layout: EvidenceLayout) throws -> Int64 {
        for name in try Files.list(layout.history) { try PageCache.forget("\(layout.history)/\(name)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Programs.bench)
        process.arguments = [childName, layout.root, test]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard let time = Int64(String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        else { throw BenchError("the fresh process gave no time") }
        return time
    }

    /// Prints the nanoseconds of one question.
    static func child(_ operands: [String]) throws {
        guard operands.count == 2 else { throw BenchError("usage: \(childName) FOLDER TEST") }
        print(try warm(operands[1], EvidenceLayout(root: operands[0])).nanoseconds)
    }

    // MARK: - Real folders

    private static func rebuild(
        _ past: SimulatedPast, cycles: Int, _ folder: WorkFolder, _ report: inout BenchReport
    ) async throws {
        var past = past
        let layout = EvidenceLayout(root: "\(folder.path)/real")
        let writer = CycleWriter(layout)
        for number in 1...cycles {
            let record = past.record(past.next(number))
            for (stage, run) in zip(record.stages, past.lastRuns) {
                let path = try await writer.createStage(stage.run)
                try TestsFile.write(
                    run.tests.map {
                        TestResult(id: $0.id, outcome: $0.outcome, durationSeconds: $0.durationSeconds)
                    }, to: "\(path)/tests.jsonl")
            }
            try await writer.writeDocument(record)
            _ = try await writer.seal(number)
        }
        let begin = SystemClock.monotonicNanoseconds
        let added = try HistoryStore.update(layout).added
        let nanoseconds = SystemClock.monotonicNanoseconds - begin
        guard added == cycles else { throw BenchError("\(added) of \(cycles) cycles were taken from their folders") }
        report.add(
            "index made from \(cycles) cycle folders, per cycle", Double(nanoseconds) / 1e6 / Double(cycles), "ms")
    }
}

enum PageCache {
    /// Writes the file's pages out and drops them.
    static func forget(_ path: String) throws {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw BenchError("cannot open \(path)") }
        defer { close(descriptor) }
        _ = fsync(descriptor)
        guard posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0 else {
            throw BenchError("the kernel keeps \(path)")
        }
    }
}

/// A loop's past: two cycles a revision, 2 % of the tests flaky with rates up to 10 %, one revision in fifty with a
/// regression, one cycle in a thousand with a mass failure; what fails is run again alone, twice.
struct SimulatedPast {
    let prefix = "tests.e2e.test_module.TestClass::test_case_"
    private let tests: Int
    private var random = SplitMix(state: 20_261_121)
    private var template: [HistoryRun.Test]
    private var broken: [Int] = []
    private var revision = Revision("")
    private(set) var lastRuns: [HistoryRun] = []

    init(tests: Int) {
        self.tests = tests
        let prefix = prefix
        template = (0..<tests).map {
            HistoryRun.Test(id: prefix + String($0), outcome: .passed, durationSeconds: 0.05 + Double($0 % 97) / 50)
        }
    }

    func name(_ test: Int) -> String { prefix + String(test) }

    mutating func next(_ number: Int) -> HistoryCycle {
        if number % 2 == 1 {
            revision = Revision(hexadecimal(40))
            broken = random.next() % 50 == 0 ? (0..<3).map { _ in Int(random.next() % UInt64(tests)) } : []
        }
        var failing = Set(broken)
        for flaky in stride(from: 0, to: tests, by: 50) where random.unit() < rate(flaky) { failing.insert(flaky) }
        if random.next() % 1000 == 0 { failing = Set(0..<tests) }
        var run = self.run(number, .cycle, template)
        for test in failing { run.tests[test].outcome = .failed }
        var runs = [HistoryRun(run, run.tests)]
        if !failing.isEmpty, failing.count < tests / 2 {
            for _ in 0..<2 {
                var again = self.run(number, .rerun, failing.sorted().map { template[$0] })
                for index in again.tests.indices {
                    let test = Int(again.tests[index].id.dropFirst(prefix.count)) ?? 0
                    if broken.contains(test) || random.unit() < rate(test) { again.tests[index].outcome = .failed }
                }
                runs.append(HistoryRun(again, again.tests))
            }
        }
        lastRuns = runs
        return HistoryCycle(
            cycle: number, endedAt: at(number), verdict: failing.isEmpty ? .healthy : .failing, revision: revision,
            runs: runs)
    }

    /// As the loop would write it.
    func record(_ cycle: HistoryCycle) -> CycleRecord {
        let stages = cycle.runs.enumerated().map { index, run in
            let stageRun = StageRun(
                cycle: cycle.cycle, kind: .test, purpose: run.purpose, subject: run.suite, attempt: index + 1,
                revision: run.revision, only: run.isWhole ? nil : run.tests.map(\.id))
            return StageRecord(
                run: stageRun, outcome: run.totals.failing == 0 ? .succeeded : .failed, summary: "",
                startedAt: run.startedAt, endedAt: run.startedAt, durationSeconds: run.durationSeconds,
                suite: SuiteReading(totals: run.totals, testsFile: "\(stageRun.folder)/tests.jsonl"))
        }
        return CycleRecord(
            loop: "bench", cycle: cycle.cycle, mode: .observe, startedAt: cycle.endedAt, endedAt: cycle.endedAt,
            durationSeconds: 1, trigger: .schedule, revision: RevisionRecord(wanted: cycle.revision),
            verdict: cycle.verdict, recommendation: .hold, reasons: [],
            value: ValueRecord(unit: "", total: 0, protected: 0, atRisk: 0), stages: stages, suites: [],
            capabilities: [], incidents: [], experiments: [], actions: [],
            environment: EnvironmentRecord(serving: nil, state: .unknown), writtenBy: "bench", settingsHash: "")
    }

    private func rate(_ test: Int) -> Double { test % 50 == 0 ? 0.005 * Double(1 + test / 50 % 20) : 0 }

    private func at(_ number: Int) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * 600_000) }

    private func run(_ number: Int, _ purpose: Purpose, _ tests: [HistoryRun.Test]) -> HistoryRun {
        HistoryRun(
            suite: "suite", purpose: purpose, revision: revision, isWhole: purpose == .cycle, startedAt: at(number),
            durationSeconds: 300, cpuSeconds: 120, peakMemoryBytes: 200 << 20, tests: tests)
    }

    private mutating func hexadecimal(_ digits: Int) -> String {
        var text = ""
        while text.count < digits {
            let word = String(random.next(), radix: 16)
            text += String(repeating: "0", count: 16 - word.count) + word
        }
        return String(text.prefix(digits))
    }
}

extension HistoryRun {
    /// The same run with its sums counted anew.
    fileprivate init(_ run: HistoryRun, _ tests: [Test]) {
        self = run
        totals = tests.reduce(into: Totals()) { $0.add($1.outcome) }
        self.tests = tests
    }
}

/// Steele, Lea, Flood 2014.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
