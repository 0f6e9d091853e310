// SPDX-License-Identifier: Apache-2.0
// What counts as a flake, and what does not.

import Domain
import Evidence
import TestSupport
import Testing

@Suite struct TestStatisticsTests {
    private func statistics(_ test: Int, _ cycles: [HistoryCycle]) throws -> TestStatistics {
        let loop = try TemporaryLoop()
        try HistoryTests.write(cycles, loop)
        return try #require(try HistoryTests.statistics(test, loop))
    }

    private static func rerun(_ number: Int, revision: Int, failing: Bool) -> HistoryCycle {
        HistoryTests.cycle(number, revision: revision, failing: failing ? [0] : [], tests: 1, purpose: .rerun) {
            $0.isWhole = false
        }
    }

    @Test func `pass and fail on one revision is a flake`() throws {
        let found = try statistics(
            0,
            [
                HistoryTests.cycle(1, revision: 1), HistoryTests.cycle(2, revision: 1, failing: [0]),
                HistoryTests.cycle(3, revision: 2), HistoryTests.cycle(4, revision: 2),
            ])
        #expect((found.runs, found.failures) == (4, 1))
        #expect((found.flakes.failures, found.flakes.runs) == (1, 4))
        #expect((found.repeatedRevisions, found.mixedRevisions) == (2, 1))
        #expect(found.lastFlakeCycle == 2)
        #expect(found.lastPassed == Revision("r2"))
        #expect(found.passesInARow == 2)
    }

    @Test func `a revision on which it always fails says nothing of flakes`() throws {
        let found = try statistics(
            0,
            [HistoryTests.cycle(1), HistoryTests.cycle(2, failing: [0])]
                + (3...6).map {
                    Self.rerun($0, revision: 2, failing: true)
                } + [HistoryTests.cycle(7, revision: 1), HistoryTests.cycle(8, revision: 3)])
        #expect((found.runs, found.failures) == (8, 5))
        #expect((found.flakes.failures, found.flakes.runs) == (0, 3))
        #expect(found.mixedRevisions == 0)
        #expect(!found.isFlaky)
    }

    @Test func `a pass when run again alone bears witness, and is no trial itself`() throws {
        let found = try statistics(
            0,
            [
                HistoryTests.cycle(1, failing: [0]), Self.rerun(2, revision: 1, failing: false),
                Self.rerun(3, revision: 1, failing: false), HistoryTests.cycle(4),
            ])
        #expect((found.flakes.failures, found.flakes.runs) == (1, 2))
        #expect(found.mixedRevisions == 1)
    }

    @Test func `a lone failure between passes counts although it was never run again`() throws {
        let lone = try statistics(
            0, [HistoryTests.cycle(1), HistoryTests.cycle(2, failing: [0]), HistoryTests.cycle(3)])
        #expect((lone.flakes.failures, lone.flakes.runs) == (1, 3))
        let inCompany = try statistics(
            0, [HistoryTests.cycle(1), HistoryTests.cycle(2, failing: [0, 4]), HistoryTests.cycle(3)])
        #expect((inCompany.flakes.failures, inCompany.flakes.runs) == (0, 2))
        let twice = try statistics(
            0,
            [
                HistoryTests.cycle(1), HistoryTests.cycle(2, failing: [0]), HistoryTests.cycle(3, failing: [0]),
                HistoryTests.cycle(4),
            ])
        #expect(twice.flakes.failures == 0)
        let open = try statistics(0, [HistoryTests.cycle(1), HistoryTests.cycle(2, failing: [0])])
        #expect(open.flakes.failures == 0)
    }

    @Test func `mass failures, contradictions and explained failures pollute nothing`() throws {
        let base = (1...20).map { HistoryTests.cycle($0, revision: 1) }
        let polluted: [(String, HistoryCycle)] = [
            ("mass", HistoryTests.cycle(21, revision: 1, failing: Array(0..<9))),
            (
                "contradicted",
                HistoryTests.cycle(21, revision: 1, failing: [0]) { $0.isContradicted = true }
            ),
            ("hollow", HistoryTests.cycle(21, revision: 1, failing: [0]) { $0.isHollow = true }),
            ("crossed", HistoryTests.cycle(21, revision: 1, failing: [0], purpose: .crossed)),
        ]
        for (name, cycle) in polluted {
            let found = try statistics(0, base + [cycle])
            #expect((found.runs, found.failures) == (20, 0), "\(name)")
            #expect((found.flakes.failures, found.flakes.runs) == (0, 20), "\(name)")
        }
        let explained = try statistics(
            0, base + [HistoryTests.cycle(21, revision: 1, failing: [0]) { $0.tests[0].isExplained = true }])
        #expect((explained.runs, explained.failures, explained.explained) == (21, 1, 1))
        #expect((explained.flakes.failures, explained.flakes.runs) == (0, 20))
        #expect(explained.mixedRevisions == 0)
    }

    @Test func `eight of ten is no mass failure, and four of four is too few`() {
        func totals(_ failed: Int, _ passed: Int) -> Totals {
            var totals = Totals()
            for _ in 0..<failed { totals.add(.failed) }
            for _ in 0..<passed { totals.add(.passed) }
            return totals
        }
        #expect(!HistoryRun.isMassFailure(totals(8, 2)))
        #expect(HistoryRun.isMassFailure(totals(9, 1)))
        #expect(!HistoryRun.isMassFailure(totals(4, 0)))
        #expect(HistoryRun.isMassFailure(totals(5, 0)))
    }

    @Test func `a tool's own retries are flakes too`() throws {
        let found = try statistics(
            0, [HistoryTests.cycle(1), HistoryTests.cycle(2) { $0.tests[0].outcome = .flaky }])
        #expect((found.flakes.failures, found.flakes.runs, found.failures) == (1, 2, 0))
        #expect(found.mixedRevisions == 1)
    }

    @Test func `the trend needs a difference that chance does not make`() throws {
        func cycles(_ before: Int, _ recent: Int) -> [HistoryCycle] {
            (1...150).map { number in
                let isFailing = number <= 100 ? number <= 2 * before && number % 2 == 0 : number <= 100 + recent
                return HistoryTests.cycle(number, revision: 1, failing: isFailing ? [0] : [])
            }
        }
        #expect(try statistics(0, cycles(1, 15)).trend == .rising)
        #expect(try statistics(0, cycles(30, 0)).trend == .falling)
        #expect(try statistics(0, cycles(2, 2)).trend == .steady)
        #expect(try statistics(0, Array(cycles(2, 2).prefix(40))).trend == .unknown)
    }

    @Test(arguments: [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
    func `the interval is Wilson's`(failures: Int, runs: Int, low: Double, high: Double) {
        let rate = Rate(failures: failures, runs: runs)
        #expect(abs(rate.low - low) < 0.0005)
        #expect(abs(rate.high - high) < 0.0005)
    }

    @Test func `on random histories the figures are those of a plain count`() throws {
        var generator = SplitMix(seed: 20_261_121)
        for _ in 0..<20 {
            let cycles = (1...60).map { number in
                HistoryTests.cycle(
                    number, revision: Int(generator.next() % 12),
                    failing: (0..<10).filter { _ in generator.next() % 6 == 0 })
            }
            for test in 0..<10 {
                let counting = cycles.flatMap(\.runs).filter { !$0.isMassFailure }
                let outcomes = counting.map { ($0.revision, $0.tests[test].outcome == .failed) }
                let byRevision = Dictionary(grouping: outcomes) { $0.0 }
                let green = byRevision.values.filter { runs in runs.contains { !$0.1 } }
                let found = try statistics(test, cycles)
                #expect(found.runs == outcomes.count, "seed 20261121")
                #expect(found.failures == outcomes.count { $0.1 })
                #expect(found.repeatedRevisions == byRevision.values.count { $0.count > 1 })
                #expect(found.mixedRevisions == green.count { runs in runs.contains { $0.1 } })
                // A lone failure may add one run per revision that is not green otherwise.
                let plain = green.reduce(0) { $0 + $1.count }
                #expect((plain...(plain + 12)).contains(found.flakes.runs))
            }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
