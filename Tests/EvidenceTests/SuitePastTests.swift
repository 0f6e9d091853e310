// SPDX-License-Identifier: Apache-2.0
// What the soft rules learn from, and what they forget on request.

import Domain
import Platform
import TestSupport
import Testing

@testable import Evidence

@Suite struct SuitePastTests {
    private func newest(_ limit: Int, _ loop: TemporaryLoop, after cycle: Int = 0) throws -> [SuitePast] {
        try SuitePast.newest(limit, of: "chat", after: cycle, loop.layout)
    }

    @Test func `the newest sound runs come with what they used`() throws {
        let loop = try TemporaryLoop()
        try HistoryTests.write(
            (1...30).map { number in HistoryTests.cycle(number) { $0.hasContactedHosts = number % 2 == 0 } }, loop)
        let found = try newest(4, loop)
        #expect(found.map(\.cycle) == [27, 28, 29, 30])
        #expect(found.map(\.hasContactedHosts) == [false, true, false, true])
        let last = try #require(found.last)
        #expect((last.tests, last.skipped, last.failing, last.vanished) == (10, 0, 0, 0))
        #expect((last.durationSeconds, last.cpuSeconds, last.peakMemoryBytes) == (30, 2.5, 1 << 26))
        #expect(last.revision == Revision("r30"))
        #expect(try newest(20, loop, after: 28).map(\.cycle) == [29, 30])
        #expect(try SuitePast.newest(20, of: "other", after: 0, loop.layout).isEmpty)
    }

    @Test func `only what is whole, ordinary and undoubted teaches`() throws {
        let loop = try TemporaryLoop()
        let changes: [(inout HistoryRun) -> Void] = [
            { _ in }, { $0.isDoubtful = true }, { $0.isHollow = true }, { $0.isContradicted = true },
            { $0.isWhole = false }, { $0.purpose = .baseline }, { $0.outcome = .timedOut },
            { $0.totals.notRun = 1 }, { $0.outcome = .failed }, { $0.purpose = .reverify },
        ]
        var cycles = changes.enumerated().map { index, change in HistoryTests.cycle(index + 1, change: change) }
        cycles.append(HistoryTests.cycle(11, failing: Array(0..<9)))
        try HistoryTests.write(cycles, loop)
        #expect(try newest(20, loop).map(\.cycle) == [1, 9, 10])
    }

    @Test func `tests that are gone are counted against the sound run before`() throws {
        let loop = try TemporaryLoop()
        try HistoryTests.write(
            [
                HistoryTests.cycle(1), HistoryTests.cycle(2) { $0.tests.removeFirst(3) },
                HistoryTests.cycle(3) { run in
                    for index in 0..<4 { run.tests[index].id = "new \(index)" }
                    run.tests.removeLast()
                },
            ], loop)
        #expect(try newest(20, loop).map(\.vanished) == [0, 3, 2])
    }

    @Test(
        arguments: [
            ([0..<10], [0..<10], 0), ([0..<10], [], 10), ([0..<10], [2..<4, 6..<20], 4), ([0..<3, 8..<12], [1..<9], 4),
            ([5..<6], [0..<5, 6..<9], 1), ([], [0..<4], 0),
        ] as [([Range<Int>], [Range<Int>], Int)])
    func `ranges are taken from ranges`(old: [Range<Int>], new: [Range<Int>], missing: Int) {
        #expect(SuitePast.count(old, notIn: new) == missing)
    }

    @Test(arguments: [1, 100, 1000, 5000]) func `more runs than the end of the file holds are found`(bytes: Int) throws
    {
        let loop = try TemporaryLoop()
        try HistoryTests.write((1...40).map { HistoryTests.cycle($0) }, loop)
        #expect((Files.size(of: "\(loop.layout.history)/runs-000001") ?? 0) > 2000)
        let found = try SuitePast.newest(38, of: "chat", after: 0, loop.layout, tailBytes: bytes)
        #expect(found.map(\.cycle) == Array(3...40))
    }

    @Test func `the newest acceptance that concerns a suite counts`() throws {
        let loop = try TemporaryLoop()
        #expect(try AcceptedBaseline.newest(for: "chat", loop.layout) == nil)
        for (suite, cycle) in [("chat", 3), (nil, 5), ("other", 9)] as [(String?, Int)] {
            try AcceptedBaseline(suite: suite, by: "ann", reason: "split", at: Samples.start, cycle: cycle)
                .record(loop.layout)
        }
        #expect(try AcceptedBaseline.newest(for: "chat", loop.layout)?.cycle == 5)
        #expect(
            try AcceptedBaseline.newest(for: "other", loop.layout)?.words == "baseline accepted by ann after #9: split")
        try loop.put("{\"suite\":\"chat\",\"by\":\"to", at: loop.layout.acceptedBaselines)
        #expect(try AcceptedBaseline.newest(for: "chat", loop.layout) == nil)
    }

    @Test func `two runs share a timing print only to the last digit`() {
        func print(_ seconds: [Double]) -> UInt64 {
            TimingPrint.of(seconds.enumerated().map { ("t\($0.offset)", TestOutcome.passed, $0.element) })
        }
        let times = (0..<12).map { 0.1234 + Double($0) / 7 }
        #expect(print(times) != 0)
        #expect(print(times) == print(times))
        var other = times
        other[4] = other[4].nextUp
        #expect(print(other) != print(times))
        #expect(print(Array(times.prefix(7))) == 0)
        #expect(print(Array(repeating: 0.25, count: 50).map { $0 - 0.25 }) == 0)
        // Hundredths of a second repeat themselves by chance.
        #expect(print((0..<12).map { 0.1 + Double($0) / 100 }) == 0)
    }
}
