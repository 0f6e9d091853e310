// SPDX-License-Identifier: Apache-2.0
// The history index on disk: what it gives back, what it takes, and what crashes and damage do to it.

import Domain
import Evidence
import Platform
import TestSupport
import Testing

@Suite struct HistoryTests {
    static func id(_ number: Int) -> String { "suite::test_\(number)" }

    /// A cycle in which `failing` of ten tests fail on revision `revision`.
    static func cycle(
        _ number: Int, revision: Int? = nil, failing: [Int] = [], tests: Int = 10, purpose: Purpose = .cycle,
        change: (inout HistoryRun) -> Void = { _ in }
    ) -> HistoryCycle {
        let revision = Revision("r\(revision ?? number)")
        let results = (0..<tests).map { test in
            HistoryRun.Test(
                id: id(test), outcome: failing.contains(test) ? .failed : .passed,
                durationSeconds: Double(test + 1) / 10)
        }
        var run = HistoryRun(
            suite: "chat", purpose: purpose, revision: revision, startedAt: Samples.at(number * 600),
            durationSeconds: 30, cpuSeconds: 2.5, peakMemoryBytes: 1 << 26, tests: results)
        change(&run)
        return HistoryCycle(
            cycle: number, endedAt: Samples.at(number * 600 + 60), verdict: failing.isEmpty ? .healthy : .failing,
            revision: revision, runs: [run])
    }

    static func write(_ cycles: [HistoryCycle], _ loop: TemporaryLoop) throws {
        var store = try HistoryStore(loop.layout)
        for cycle in cycles { try store.append(cycle) }
    }

    static func statistics(_ test: Int, _ loop: TemporaryLoop) throws -> TestStatistics? {
        try HistoryTable.load(loop.layout, suite: "chat", test: id(test))?.statistics(of: id(test))
    }

    private func files(_ loop: TemporaryLoop, _ prefix: String) throws -> [String] {
        try Files.list(loop.layout.history).filter { $0.hasPrefix(prefix) }
    }

    @Test func `an empty loop has no history`() throws {
        let loop = try TemporaryLoop()
        #expect(try HistoryTable.load(loop.layout, suite: "chat") == nil)
        #expect(try HistoryTable.suites(loop.layout).isEmpty)
    }

    @Test func `what was appended is read back`() throws {
        let loop = try TemporaryLoop()
        try Self.write([Self.cycle(1), Self.cycle(2, failing: [3]), Self.cycle(3, failing: [3, 9])], loop)
        let table = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        #expect(table.runCount == 3)
        #expect(table.cycles == 1...3)
        #expect(table.moments(of: Self.id(3)).map(\.outcome) == [.passed, .failed, .failed])
        #expect(table.moments(of: Self.id(9)).map(\.outcome) == [.passed, .passed, .failed])
        #expect(try HistoryTable.suites(loop.layout) == ["chat"])
    }

    @Test func `a cycle that is there already is not added again`() throws {
        let loop = try TemporaryLoop()
        try Self.write([Self.cycle(1), Self.cycle(2), Self.cycle(2), Self.cycle(1)], loop)
        #expect(try HistoryTable.load(loop.layout, suite: "chat")?.runCount == 2)
    }

    @Test func `tests come and go without moving the others`() throws {
        let loop = try TemporaryLoop()
        try Self.write(
            [
                Self.cycle(1, tests: 4), Self.cycle(2, failing: [6], tests: 8),
                Self.cycle(3, failing: [7], tests: 8) { $0.tests.remove(at: 2) },
            ], loop)
        let table = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        #expect(table.moments(of: Self.id(2)).map(\.cycle) == [1, 2])
        #expect(table.moments(of: Self.id(6)).map(\.outcome) == [.failed, .passed])
        #expect(table.moments(of: Self.id(7)).map(\.outcome) == [.passed, .failed])
        #expect(table.moments(of: Self.id(3)).map(\.outcome) == [.passed, .passed, .passed])
    }

    @Test func `a torn tail is cut and the cycle comes again`() throws {
        let loop = try TemporaryLoop()
        try Self.write([Self.cycle(1), Self.cycle(2)], loop)
        let path = "\(loop.layout.history)/runs-000001"
        let whole = try Files.read(path, limit: 1 << 20)
        for lost in 1..<60 {
            try AtomicFile.write(Array(whole.dropLast(lost)), to: path, durable: false)
            #expect(try HistoryTable.load(loop.layout, suite: "chat")?.runCount == 1, "lost \(lost) bytes")
            var store = try HistoryStore(loop.layout)
            #expect(store.lastCycle == 1)
            try store.append(Self.cycle(2))
            #expect(try Files.read(path, limit: 1 << 20) == whole)
        }
        #expect(try files(loop, "runs-") == ["runs-000001"])
    }

    @Test func `any damaged byte costs at most its own cycle, and the next writer puts it right`() throws {
        let loop = try TemporaryLoop()
        let cycles = (1...5).map { Self.cycle($0, failing: [$0]) }
        try Self.write(cycles, loop)
        let path = "\(loop.layout.history)/runs-000001"
        let whole = try Files.read(path, limit: 1 << 20)
        for offset in stride(from: 0, to: whole.count, by: 3) {
            let twin = try TemporaryLoop()
            try Self.write(cycles, twin)
            var bytes = whole
            bytes[offset] ^= 0x55
            try AtomicFile.write(bytes, to: "\(twin.layout.history)/runs-000001", durable: false)
            let before = try HistoryTable.load(twin.layout, suite: "chat")?.runCount ?? 0
            #expect(before >= 4, "byte \(offset)")
            try HistoryRebuild.run(twin.layout)
            let table = try HistoryTable.load(twin.layout, suite: "chat")
            #expect(table?.runCount == before)
            #expect(table?.damagedBytes == 0)
            #expect(try files(twin, "runs-") == ["runs-000002"])
            for moment in table?.moments(of: Self.id(5)) ?? [] {
                #expect((moment.outcome == .failed) == (moment.cycle == 5), "byte \(offset)")
            }
        }
    }

    @Test func `damaged names give no number to anybody else`() throws {
        let loop = try TemporaryLoop()
        try Self.write([Self.cycle(1, tests: 4), Self.cycle(2, failing: [6], tests: 8)], loop)
        let path = "\(loop.layout.history)/names-000001"
        var bytes = try Files.read(path, limit: 1 << 20)
        bytes[bytes.count - 20] ^= 1
        try AtomicFile.write(bytes, to: path, durable: false)
        var store = try HistoryStore(loop.layout)
        try store.append(
            Self.cycle(3, tests: 5) { run in run.tests[4].id = "suite::fresh" })
        let table = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        #expect(table.runCount == 3)
        #expect(table.moments(of: "suite::fresh").map(\.cycle) == [3])
        #expect(table.moments(of: Self.id(1)).map(\.cycle) == [1, 2, 3])
        #expect(table.moments(of: Self.id(6)).isEmpty)
    }

    @Test func `a file of a newer version is left alone`() throws {
        let loop = try TemporaryLoop()
        try Self.write([Self.cycle(1)], loop)
        let path = "\(loop.layout.history)/runs-000001"
        let newer = Array("nightjar.history/2\nsomething".utf8)
        try AtomicFile.write(newer, to: path, durable: false)
        #expect(throws: EvidenceError.self) { try HistoryTable.load(loop.layout, suite: "chat") }
        #expect(throws: EvidenceError.self) { try HistoryStore.update(loop.layout) }
        #expect(try Files.read(path, limit: 1 << 20) == newer)
    }

    @Test func `cycles are taken from their folders, once, and outlive them`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: Samples.tests(5))
        #expect(try HistoryStore.update(loop.layout).added == 3)
        #expect(try HistoryStore.update(loop.layout).added == 0)
        let fresh = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        #expect(fresh.moments(of: Samples.failure.id).map(\.outcome) == [.failed, .failed, .failed])
        try Files.removeTree(loop.layout.cycle(1))
        try HistoryRebuild.run(loop.layout)
        let table = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        #expect(table.moments(of: Samples.failure.id).map(\.cycle) == [1, 2, 3])
        #expect(try HistoryStore.update(loop.layout).added == 0)
        try Files.removeTree(loop.layout.history)
        #expect(try HistoryStore.update(loop.layout).added == 2)
    }

    @Test func `the usual duration is the median of the newest runs`() throws {
        let loop = try TemporaryLoop()
        try Self.write(
            (1...300).map { number in
                Self.cycle(number) { run in run.tests[0].durationSeconds = number < 200 ? 5 : 0.25 }
            }, loop)
        let seconds = try #require(try Self.statistics(0, loop)?.usualSeconds)
        #expect(abs(seconds - 0.25) < 0.02)
        let size = Files.size(of: "\(loop.layout.history)/durations-000001-0") ?? 0
        #expect(size < 130 * 60)
    }

    @Test func `hostile names and revisions survive`() throws {
        let loop = try TemporaryLoop()
        let odd = "weird \u{0} \u{1B}[2J 🦉 \n" + String(repeating: "x", count: 5000)
        let commit = "9e1b7a3300000000000000000000000000000abc"
        try Self.write(
            [
                Self.cycle(1) { run in
                    run.tests[0].id = odd
                    run.revision = Revision(commit)
                },
                Self.cycle(2) { run in
                    run.tests[0].id = odd
                    run.tests[0].outcome = .errored
                    run.revision = Revision("")
                },
            ], loop)
        let statistics = try #require(
            try HistoryTable.load(loop.layout, suite: "chat", test: odd)?.statistics(of: odd))
        #expect(statistics.lastPassed == Revision(commit))
        #expect(statistics.failures == 1)
    }

    @Test func `one test read alone and among all others is the same`() throws {
        let loop = try TemporaryLoop()
        var generator = SeededGenerator(seed: 7)
        try Self.write(
            (1...80).map { number in
                Self.cycle(number, revision: number / 3, tests: 14, purpose: number % 4 == 0 ? .rerun : .cycle) { run in
                    run.isWhole = number % 4 != 0
                    for index in run.tests.indices where generator.next() % 5 == 0 {
                        run.tests[index].outcome = [.failed, .skipped, .flaky, .notRun][Int(generator.next() % 4)]
                    }
                    run.tests.removeAll { _ in generator.next() % (number % 4 == 0 ? 2 : 9) == 0 }
                }
            }, loop)
        let all = try #require(try HistoryTable.load(loop.layout, suite: "chat"))
        for test in 0..<14 {
            let alone = try #require(try HistoryTable.load(loop.layout, suite: "chat", test: Self.id(test)))
            #expect(alone.statistics(of: Self.id(test)) == all.statistics(of: Self.id(test)), "seed 7, test \(test)")
            #expect(alone.moments(of: Self.id(test)).map(\.outcome) == all.moments(of: Self.id(test)).map(\.outcome))
        }
    }
}
