// SPDX-License-Identifier: Apache-2.0
// The columns file: answers are those of a plain count over all runs, with it, without it, and whatever became of it.

import Domain
import Platform
import TestSupport
import Testing

@testable import Evidence

/// The definition of the figures, run by run, without an index.
struct PlainCount {
    var suite: String
    var cycles: [HistoryCycle]

    private struct Event {
        var cycle: Int
        var run: HistoryRun
        var test: HistoryRun.Test
        var counts: Bool
    }

    private func events(_ test: String) -> [Event] {
        cycles.flatMap { cycle in
            cycle.runs.filter { $0.suite == suite }.compactMap { run in
                run.tests.first { $0.id == test }.map { found in
                    let polluted = run.isContradicted || run.isHollow || run.isMassFailure || run.purpose == .crossed
                    return Event(cycle: cycle.cycle, run: run, test: found, counts: !polluted)
                }
            }
        }
    }

    func statistics(of test: String) -> TestStatistics? {
        let all = events(test)
        guard let first = all.first, let last = all.last else { return nil }
        var result = TestStatistics(suite: suite, test: test)
        (result.firstCycle, result.lastCycle) = (first.cycle, last.cycle)
        let ran = all.filter { $0.counts && $0.test.outcome != .skipped && $0.test.outcome != .notRun }
        result.runs = ran.count
        let failed = ran.filter { $0.test.outcome.isFailure }
        result.failures = failed.count
        result.explained = failed.count { $0.test.isExplained }
        result.lastFailedCycle = failed.last?.cycle
        result.passesInARow = ran.reversed().prefix { !$0.test.outcome.isFailure }.count
        let passed = ran.last { !$0.test.outcome.isFailure }
        (result.lastPassed, result.lastPassedCycle) = (passed?.run.revision, passed?.cycle)
        let noted = ran.filter { !$0.test.isExplained }
        let lone = lone(noted.filter(\.run.isWhole))
        var green: Set<Revision> = []
        for (revision, runs) in Dictionary(grouping: noted, by: \.run.revision) {
            let passes = runs.count { !$0.test.outcome.isFailure }
            let isRetried = runs.contains { $0.test.outcome == .flaky }
            if runs.count > 1 || isRetried { result.repeatedRevisions += 1 }
            if (passes > 0 && passes < runs.count) || isRetried { result.mixedRevisions += 1 }
            if passes > 0 || (runs.count == 1 && lone.contains(revision)) { green.insert(revision) }
        }
        let trials = noted.filter { $0.run.isWhole && green.contains($0.run.revision) }
        let isFlake = { (event: Event) in event.test.outcome.isFailure || event.test.outcome == .flaky }
        result.lastFlakeCycle = trials.last(where: isFlake)?.cycle
        result.flakes = Rate(failures: trials.count(where: isFlake), runs: trials.count)
        let (recent, before) = (trials.suffix(50), trials.dropLast(50))
        result.recent = Rate(failures: recent.count(where: isFlake), runs: recent.count)
        result.before = Rate(failures: before.count(where: isFlake), runs: before.count)
        if before.count >= 20 {
            let difference = result.recent.difference(result.before)
            result.trend = difference.lowerBound > 0 ? .rising : difference.upperBound < 0 ? .falling : .steady
        }
        return result
    }

    /// Revisions where it failed alone between two whole runs that it passed.
    private func lone(_ whole: [Event]) -> Set<Revision> {
        var found: Set<Revision> = []
        for index in whole.indices.dropFirst().dropLast()
        where whole[index].test.outcome.isFailure && whole[index].run.totals.failing == 1
            && !whole[index - 1].test.outcome.isFailure && !whole[index + 1].test.outcome.isFailure
        {
            found.insert(whole[index].run.revision)
        }
        return found
    }
}

/// Histories in which everything happens: tests come and go, revisions come back, tools skip and retry, hosts break down.
struct RandomPast {
    private var generator: SeededGenerator
    private var tests: [String]
    private var made: Int
    private(set) var cycles: [HistoryCycle] = []

    init(seed: UInt64, tests count: Int) {
        generator = SeededGenerator(seed: seed)
        tests = (0..<count).map { "suite::test_\($0)" }
        made = count
    }

    private mutating func chance(_ one: UInt64, in many: UInt64) -> Bool { generator.next() % many < one }

    mutating func next() -> HistoryCycle {
        let number = cycles.count + 1
        if chance(1, in: 25), tests.count > 3 { tests.remove(at: Int(generator.next() % UInt64(tests.count))) }
        if chance(1, in: 25) {
            tests.append("suite::test_\(made)")
            made += 1
        }
        let back = chance(1, in: 6) ? Int(generator.next() % UInt64(number)) : number / 2
        let revision = back % 7 == 3 ? Revision("tag-\(back)") : Revision(String(repeating: "0", count: 36) + pad(back))
        var runs = [run("chat", number, revision, tests)]
        if chance(1, in: 3) {
            let again = tests.filter { _ in chance(1, in: 3) }
            if !again.isEmpty { runs.append(run("chat", number, revision, again, isWhole: false)) }
        }
        if chance(1, in: 4) { runs.append(run("other", number, revision, ["suite::test_0", "suite::x"])) }
        let cycle = HistoryCycle(
            cycle: number, endedAt: Samples.at(number * 600), verdict: .healthy, revision: revision, runs: runs)
        cycles.append(cycle)
        return cycle
    }

    private func pad(_ number: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 4 - text.count) + text
    }

    private mutating func run(
        _ suite: String, _ number: Int, _ revision: Revision, _ ids: [String], isWhole: Bool = true
    ) -> HistoryRun {
        let isMass = chance(1, in: 30)
        let results = ids.map { id -> HistoryRun.Test in
            guard isMass || chance(1, in: 12) else { return HistoryRun.Test(id: id, outcome: .passed) }
            let outcomes: [TestOutcome] = [.failed, .failed, .failed, .errored, .timedOut, .skipped, .notRun, .flaky]
            let outcome = isMass ? .failed : outcomes[Int(generator.next() % UInt64(outcomes.count))]
            return HistoryRun.Test(id: id, outcome: outcome, isExplained: outcome.isFailure && chance(1, in: 5))
        }
        let purposes: [Purpose] =
            isWhole ? [.cycle, .cycle, .cycle, .baseline, .reverify] : [.rerun, .crossed, .rerun]
        return HistoryRun(
            suite: suite, purpose: purposes[Int(generator.next() % UInt64(purposes.count))], revision: revision,
            isWhole: isWhole, isContradicted: chance(1, in: 40), isHollow: chance(1, in: 40),
            startedAt: Samples.at(number * 600), durationSeconds: 30, tests: results)
    }
}

@Suite struct HistoryColumnsTests {
    private static let columns = "columns-000001"

    private func generation(_ loop: TemporaryLoop) throws -> HistoryGeneration {
        try #require(try HistoryGeneration.newest(loop.layout))
    }

    private func path(_ loop: TemporaryLoop, _ name: String) -> String { "\(loop.layout.history)/\(name)" }

    private func runs(_ past: RandomPast) -> Int {
        past.cycles.reduce(0) { sum, cycle in sum + cycle.runs.count { $0.suite == "chat" } }
    }

    /// Every test, alone and among the others, against the plain count.
    private func compare(
        _ loop: TemporaryLoop, _ cycles: [HistoryCycle], _ comment: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for suite in ["chat", "other"] {
            let plain = PlainCount(suite: suite, cycles: cycles)
            let table = try HistoryTable.load(loop.layout, suite: suite)
            let runs = cycles.flatMap { cycle in cycle.runs.filter { $0.suite == suite }.map { (cycle.cycle, $0) } }
            #expect(table?.runCount ?? 0 == runs.count, "\(comment)", sourceLocation: sourceLocation)
            for test in Set(runs.flatMap { $0.1.tests.map(\.id) }).sorted() {
                let wanted = plain.statistics(of: test)
                let alone = try HistoryTable.load(loop.layout, suite: suite, test: test)
                #expect(table?.statistics(of: test) == wanted, "\(comment), \(test)", sourceLocation: sourceLocation)
                #expect(alone?.statistics(of: test) == wanted, "\(comment), \(test)", sourceLocation: sourceLocation)
                let moments = runs.compactMap { cycle, run in
                    run.tests.first { $0.id == test }.map { "\(cycle) \($0.outcome) \(run.purpose)" }
                }
                let found = alone?.moments(of: test).map { "\($0.cycle) \($0.outcome) \($0.purpose)" }
                #expect(found == moments, "\(comment), \(test)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random histories come to what a plain count comes to`(seed: UInt64) throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: seed, tests: 9)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<120 { try store.append(past.next()) }
        try compare(loop, past.cycles, "seed \(seed), without columns")
        try HistoryCompaction.run(generation(loop))
        try compare(loop, past.cycles, "seed \(seed), all in columns")
        for _ in 0..<40 { try store.append(past.next()) }
        try compare(loop, past.cycles, "seed \(seed), columns and the runs since")
        try HistoryCompaction.run(generation(loop))
        let merged = try Files.read(path(loop, Self.columns), limit: 1 << 24)
        try compare(loop, past.cycles, "seed \(seed), merged columns")
        try Files.remove(path(loop, Self.columns))
        try HistoryCompaction.run(generation(loop))
        #expect(try Files.read(path(loop, Self.columns), limit: 1 << 24) == merged, "seed \(seed)")
        let all = try #require(try HistoryTable.load(loop.layout, suite: "chat")).statistics()
        let plain = PlainCount(suite: "chat", cycles: past.cycles)
        #expect(all.tests == all.tests.compactMap { plain.statistics(of: $0.test) }, "seed \(seed)")
        let ever = Set(past.cycles.flatMap(\.runs).filter { $0.suite == "chat" }.flatMap { $0.tests.map(\.id) })
        #expect(all.tests.count + all.neverFailed == ever.count, "seed \(seed)")
    }

    @Test func `a selection of cycles is counted alike, with columns and without`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 11, tests: 6)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<100 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        let plain = PlainCount(suite: "chat", cycles: past.cycles.filter { (30...70).contains($0.cycle) })
        let selection = HistoryTable.Selection(cycles: 30...70)
        let table = try #require(try HistoryTable.load(loop.layout, suite: "chat", selection: selection))
        for test in table.tests {
            #expect(table.statistics(of: test) == plain.statistics(of: test), "seed 11, \(test)")
        }
    }

    @Test func `an index without columns gets them at the next update, and keeps them near its end`() async throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 3, tests: 9)
        var store = try HistoryStore(loop.layout)
        var written = 0
        var compactions: [Int] = []
        while compactions.count < 2 {
            try store.append(past.next())
            written += 1
            if try store.compactIfDue() { compactions.append(written) }
            try #require(written < 20_000)
        }
        let size = try #require(Files.size(of: path(loop, "runs-000001")))
        #expect(size > 2 * 256 << 10 && size < 3 * 256 << 10)
        #expect(try HistoryStore.update(loop.layout).isCompacted == false)
        try Files.remove(path(loop, Self.columns))
        #expect(try HistoryStore.update(loop.layout).isCompacted)
        #expect(Files.exists(path(loop, Self.columns)))
    }

    @Test func `columns with any damaged byte are not trusted`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 5, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<30 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        for _ in 0..<5 { try store.append(past.next()) }
        let path = path(loop, Self.columns)
        let whole = try Files.read(path, limit: 1 << 20)
        let wanted = runs(past)
        for offset in stride(from: 0, to: whole.count, by: 7) {
            var bytes = whole
            bytes[offset] ^= 0x24
            try AtomicFile.write(bytes, to: path, durable: false)
            let table = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
            let plain = PlainCount(suite: "chat", cycles: past.cycles)
            #expect(table.runCount == wanted, "byte \(offset)")
            for test in ["suite::test_0", "suite::test_4"] {
                #expect(table.statistics(of: test) == plain.statistics(of: test), "byte \(offset)")
                let alone = try HistoryTable.load(loop.layout, suite: "chat", test: test)
                #expect(alone?.statistics(of: test) == plain.statistics(of: test), "byte \(offset)")
            }
        }
        for kept in stride(from: 0, to: whole.count, by: 97) {
            try AtomicFile.write(Array(whole.prefix(kept)), to: path, durable: false)
            #expect(try HistoryTable.load(loop.layout, suite: "chat")?.runCount == wanted, "\(kept) bytes kept")
        }
        try AtomicFile.write(Array("nightjar.columns/9\nof another time".utf8), to: path, durable: false)
        try compare(loop, past.cycles, "columns of another version")
        try HistoryCompaction.run(generation(loop))
        try compare(loop, past.cycles, "made anew")
    }

    @Test func `a torn tail behind the columns is cut and the cycle comes again`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 8, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<30 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        for _ in 0..<3 { try store.append(past.next()) }
        let path = path(loop, "runs-000001")
        let whole = try Files.read(path, limit: 1 << 20)
        for lost in [1, 5, 40] {
            try AtomicFile.write(Array(whole.dropLast(lost)), to: path, durable: false)
            try compare(loop, Array(past.cycles.dropLast()), "lost \(lost) bytes")
            var again = try HistoryStore(loop.layout)
            #expect(again.lastCycle == 32)
            try again.append(past.cycles[32])
            #expect(try Files.read(path, limit: 1 << 20) == whole)
            try compare(loop, past.cycles, "put right")
        }
    }

    /// A power failure may take runs that the columns have already, for neither file is synced.
    @Test func `columns that know more than the runs are not trusted`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 9, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<20 { try store.append(past.next()) }
        let path = path(loop, "runs-000001")
        let short = try Files.read(path, limit: 1 << 20)
        let fork = past
        for _ in 0..<10 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        try AtomicFile.write(short, to: path, durable: false)
        try compare(loop, fork.cycles, "runs lost")
        // Other cycles are written over the place that the columns speak of.
        var other = RandomPast(seed: 10, tests: 7)
        for _ in 0..<20 { _ = other.next() }
        var again = try HistoryStore(loop.layout)
        var cycles = fork.cycles
        for _ in 0..<30 {
            let cycle = other.next()
            try again.append(cycle)
            cycles.append(cycle)
        }
        try compare(loop, cycles, "other runs in their place")
        try HistoryCompaction.run(generation(loop))
        try compare(loop, cycles, "made anew")
    }

    @Test func `a compaction that a crash interrupts leaves the answers as they were`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 12, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<20 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        for _ in 0..<20 { try store.append(past.next()) }
        let (path, before) = (path(loop, Self.columns), try Files.read(path(loop, Self.columns), limit: 1 << 20))
        try HistoryCompaction.run(generation(loop))
        let after = try Files.read(path, limit: 1 << 20)
        try AtomicFile.write(before, to: path, durable: false)
        // The new file grows under a temporary name; a crash leaves any part of it.
        for written in stride(from: 0, through: after.count, by: 211) {
            try AtomicFile.write(Array(after.prefix(written)), to: path + ".new", durable: false)
            #expect(
                try HistoryTable.load(loop.layout, suite: "chat")?.runCount == runs(past), "\(written) bytes written")
        }
        try compare(loop, past.cycles, "interrupted")
        try HistoryCompaction.run(generation(loop))
        #expect(try Files.read(path, limit: 1 << 20) == after)
        #expect(!Files.exists(path + ".new"))
        try compare(loop, past.cycles, "done")
    }

    @Test func `a rebuild leaves the columns of the old files behind`() throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 13, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<25 { try store.append(past.next()) }
        try HistoryCompaction.run(generation(loop))
        var bytes = try Files.read(path(loop, "runs-000001"), limit: 1 << 20)
        bytes[bytes.count - 30] ^= 1
        try AtomicFile.write(bytes, to: path(loop, "runs-000001"), durable: false)
        // No folders are there, so the damaged cycle is gone and all others are carried over.
        try HistoryRebuild.run(loop.layout)
        #expect(try Files.list(loop.layout.history).filter { $0.hasPrefix("columns-") }.isEmpty)
        try compare(loop, Array(past.cycles.dropLast()), "rebuilt")
        try HistoryCompaction.run(generation(loop))
        try compare(loop, Array(past.cycles.dropLast()), "rebuilt, with columns")
    }

    @Test func `readers see every state between two appends and nothing else`() async throws {
        let loop = try TemporaryLoop()
        var past = RandomPast(seed: 14, tests: 5)
        var store = try HistoryStore(loop.layout)
        for _ in 0..<10 { try store.append(past.next()) }
        let layout = loop.layout
        let later = (0..<200).map { _ in past.next() }
        let all = past.cycles
        let writer = Task.detached {
            for (number, cycle) in later.enumerated() {
                try store.append(cycle)
                if number % 9 == 0, let generation = try HistoryGeneration.newest(layout) {
                    try HistoryCompaction.run(generation)
                }
            }
        }
        var last = 10
        for _ in 0..<300 {
            let table = try #require(try HistoryTable.load(layout, suite: "chat"))
            let newest = try #require(table.cycles?.upperBound)
            #expect(newest >= last, "seed 14")
            last = newest
            let plain = PlainCount(suite: "chat", cycles: Array(all.prefix(newest)))
            #expect(
                table.statistics(of: "suite::test_0") == plain.statistics(of: "suite::test_0"), "seed 14, \(newest)")
            #expect(table.damagedBytes == 0)
        }
        try await writer.value
        try compare(loop, all, "seed 14, in the end")
    }
}
