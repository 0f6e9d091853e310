// SPDX-License-Identifier: Apache-2.0
// Regressions and trends told from noise: what is found, what is not, and how often the loop would cry wolf.

import Domain
import Foundation
import Testing

@testable import Triage

struct TargetJudgeTests {
    private static let latency = TargetSettings(name: "api", limit: 200, unit: "ms", source: .tests("*"))

    static func record(_ values: [Double], limit: Double = 200, floor: Bool = false) -> TargetRecord {
        var target = latency
        (target.limit, target.isFloor) = (limit, floor)
        return TargetRecord(target, values: values, evidence: nil)
    }

    /// Log-normal around `middle` with the usual tail of a service.
    static func sample(_ count: Int, around middle: Double, _ random: inout SeededGenerator) -> [Double] {
        (0..<count).map { _ in middle * Foundation.exp(0.15 * normal(&random)) }
    }

    static func normal(_ random: inout SeededGenerator) -> Double {
        let radius = (-2 * Foundation.log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
        return radius * Foundation.cos(2 * Double.pi * Double.random(in: 0..<1, using: &random))
    }

    /// Where nothing is said of earlier green cycles, there were five that differed by a hundredth.
    private func change(_ now: [Double], _ before: [Double], earlier: [Double]? = nil) -> TargetChange? {
        let green = Self.record(before)
        let usual = [0.99, 1, 1.01, 1, 0.99].map { $0 * (green.measured ?? 0) }
        return TargetJudge.change(
            Self.record(now), since: green, cycle: 41, relevantPercent: 10, earlier: earlier ?? usual)
    }

    // MARK: - Against the last green cycle

    @Test func `a quarter slower is worse, with how sure`() throws {
        var random = SeededGenerator(seed: 1)
        let before = Self.sample(20, around: 100, &random)
        let found = try #require(change(before.map { $0 * 1.25 }, before))
        #expect(found.finding == .worse && found.worseByPercent == 25)
        #expect((found.probability ?? 1) <= 0.01 && (found.superiority ?? 0) > 0.8)
        #expect(found.words.hasPrefix("25 % worse than last green #41 (p "))
        let back = try #require(change(before.map { $0 * 0.7 }, before))
        #expect(back.finding == .better && back.words.hasPrefix("30 % better than last green #41 (p "))
    }

    @Test func `sure but small, large but unsure, and within the usual spread are no regression`() throws {
        var random = SeededGenerator(seed: 2)
        let before = (0..<400).map { _ in 100 + Self.normal(&random) }
        let small = try #require(change(before.map { $0 * 1.04 }, before))
        #expect(small.finding == .same && (small.probability ?? 1) < 0.001)
        #expect(small.words.contains("below the 10 % that matter"))
        // Twice as slow, and nobody is nearer to the limit of 200: 0.165 ms and 0.33 ms are both nothing.
        let tiny = try #require(change(before.map { $0 * 0.0033 }, before.map { $0 * 0.00165 }))
        #expect(tiny.finding == .same && tiny.worseByPercent == 100)
        #expect(tiny.words.contains("less than 1 % of the limit"))
        let unsure = try #require(change([100, 100, 100, 100, 160], [99, 101, 100, 98, 102]))
        #expect(unsure.finding == .same && (unsure.worseByPercent ?? 0) > 50 && (unsure.probability ?? 0) > 0.1)
        let slower = before.map { $0 * 1.3 }
        #expect(change(slower, before, earlier: [101, 132, 99, 118, 127, 103])?.finding == .same)
        #expect(change(slower, before, earlier: [101, 102, 99, 101, 100, 103])?.finding == .worse)
    }

    @Test func `until five green cycles are known nothing is called a regression`() throws {
        let before = (0..<20).map { 100 + Double($0) }
        let found = try #require(change(before.map { $0 * 2 }, before, earlier: [118, 119]))
        #expect(found.finding == .unknown && (found.probability ?? 1) < 0.001)
        #expect(
            found.words
                == "not told from noise against last green #41: 100 % worse, p < 0.001, only 2 of 5 green cycles "
                + "show how cycles differ")
    }

    @Test func `too few values are said to be too few`() {
        let found = change([150], [100])
        #expect(found?.finding == .unknown && found?.probability == nil)
        #expect(found?.words == "not told from noise against last green #41: only 1 value, 5 are needed")
    }

    @Test func `another unit, percentile or source is not compared`() {
        let now = Self.record([1, 2, 3, 4, 5])
        var other = now
        other.unit = "s"
        #expect(TargetJudge.change(now, since: other, cycle: 1, relevantPercent: 10, earlier: []) == nil)
        other = now
        other.percentile = 50
        #expect(TargetJudge.change(now, since: other, cycle: 1, relevantPercent: 10, earlier: []) == nil)
        other = now
        other.source = "http total"
        #expect(TargetJudge.change(now, since: other, cycle: 1, relevantPercent: 10, earlier: []) == nil)
        other.source = nil
        #expect(TargetJudge.change(now, since: other, cycle: 1, relevantPercent: 10, earlier: []) != nil)
    }

    @Test func `for a floor less is worse`() throws {
        let before = (0..<20).map { 99 + Double($0) / 100 }
        let now = Self.record(before.map { $0 * 0.8 }, limit: 50, floor: true)
        let found = try #require(
            TargetJudge.change(
                now, since: Self.record(before, limit: 50, floor: true), cycle: 3, relevantPercent: 10,
                earlier: [99, 99.01, 98.9, 99.1, 99]))
        #expect(found.finding == .worse && found.worseByPercent == 20)
    }

    @Test func `the interval of a floor counts from above`() throws {
        let values = (1...100).map(Double.init)
        let ceiling = try #require(TargetJudge.interval(Self.record(values)))
        let floor = try #require(TargetJudge.interval(Self.record(values, floor: true)))
        let (low, high) = (try #require(ceiling.low), try #require(ceiling.high))
        #expect(floor.low == 101 - high && floor.high == 101 - low)
    }

    // MARK: - False alarms

    /// How often noise alone is called a regression.
    private func alarms(_ rounds: Int, cycleNoise: Double, earlier: Int, seed: UInt64) -> Int {
        var random = SeededGenerator(seed: seed)
        var alarms = 0
        for _ in 0..<rounds {
            func cycle() -> TargetRecord {
                let middle = 100 * Foundation.exp(cycleNoise * Self.normal(&random))
                return Self.record(Self.sample(20, around: middle, &random))
            }
            let past = (0..<earlier).map { _ in cycle() }
            guard let green = past.last else { continue }
            let found = TargetJudge.change(
                cycle(), since: green, cycle: 1, relevantPercent: 10, earlier: past.compactMap(\.measured))
            if found?.finding == .worse { alarms += 1 }
        }
        return alarms
    }

    @Test func `noise is seldom called a regression`() {
        let rounds = 500
        let young = alarms(rounds, cycleNoise: 0, earlier: 5, seed: 41)
        let old = alarms(rounds, cycleNoise: 0, earlier: 20, seed: 42)
        // Machines that differ by 10 % from cycle to cycle: requests within a cycle are alike, cycles are not.
        let restless = alarms(rounds, cycleNoise: 0.1, earlier: 5, seed: 43)
        let known = alarms(rounds, cycleNoise: 0.1, earlier: 20, seed: 44)
        print(
            "false alarms of \(rounds) comparisons: steady service, 5 earlier cycles \(young) (seed 41), 20 earlier \(old) "
                + "(42); cycles that differ by 10 %, 5 earlier \(restless) (43), 20 earlier \(known) (44)")
        // 0.5 % is what one side of the test may err with.
        #expect(young <= 5 && old <= 5)
        #expect(restless <= 25 && known <= 10)
    }

    @Test func `a real regression of a third is found nearly always`() {
        var random = SeededGenerator(seed: 46)
        var found = 0
        for _ in 0..<200 {
            let past = (0..<10).map { _ in Self.record(Self.sample(20, around: 100, &random)) }
            let now = Self.record(Self.sample(20, around: 135, &random))
            guard let green = past.last else { continue }
            let change = TargetJudge.change(
                now, since: green, cycle: 1, relevantPercent: 10, earlier: past.compactMap(\.measured))
            if change?.finding == .worse { found += 1 }
        }
        print("regressions of 35 % found: \(found)/200 (seed 46)")
        #expect(found >= 140)
    }

    // MARK: - Trends

    private func trend(_ values: [Double], limit: Double, floor: Bool = false) -> TargetTrend? {
        let points = values.dropLast().enumerated().map {
            TargetPoint(cycle: 10 + $0.offset, measured: $0.element, isGreen: true)
        }
        return TargetJudge.trend(
            Self.record([values.last ?? 0], limit: limit, floor: floor), cycle: 9 + values.count, earlier: points)
    }

    @Test func `a creeping value reaches its limit in so many cycles`() throws {
        let rising = (0..<12).map { 100 + 5 * Double($0) + ($0.isMultiple(of: 2) ? 1 : -1) }
        let found = try #require(trend(rising, limit: 185))
        #expect(found.cycles == 12 && found.fromCycle == 10 && abs(found.slopePerCycle - 5) < 0.3)
        #expect(found.cyclesToLimit == 6)
        #expect(found.warning("ms")?.hasPrefix("reaches the limit in about 6 cycles: rises ") == true)
        let falling = rising.map { 300 - $0 }
        #expect(trend(falling, limit: 115, floor: true)?.cyclesToLimit == 6)
        // The same values away from the limit, a limit far away, and too few cycles.
        #expect(trend(falling, limit: 300)?.cyclesToLimit == nil)
        #expect(trend(rising, limit: 1000)?.cyclesToLimit == nil)
        #expect(trend(Array(rising.prefix(7)), limit: 185) == nil)
    }

    @Test func `a value beyond its limit is missed and not predicted`() {
        #expect(trend((0..<12).map { 100 + 10 * Double($0) }, limit: 150)?.cyclesToLimit == nil)
    }

    /// The share of cycles with a warning in series that go nowhere.
    private func warnings(memory: Double, spread: Double, limit: Double, seed: UInt64) -> (Int, Int) {
        var random = SeededGenerator(seed: seed)
        var (count, warned) = (0, 0)
        for _ in 0..<30 {
            var level = 0.0
            var points: [TargetPoint] = []
            for cycle in 1...60 {
                // An autoregressive series with the same spread whatever its memory.
                level = memory * level + (1 - memory * memory).squareRoot() * Self.normal(&random)
                let record = Self.record([100 * (1 + spread * level)], limit: limit)
                let found = TargetJudge.trend(record, cycle: cycle, earlier: points)
                points.append(TargetPoint(cycle: cycle, measured: record.measured ?? 0, isGreen: true))
                guard cycle >= 8 else { continue }
                count += 1
                if found?.cyclesToLimit != nil { warned += 1 }
            }
        }
        return (warned, count)
    }

    @Test func `flat noise seldom seems to go somewhere`() {
        let white = warnings(memory: 0, spread: 0.1, limit: 150, seed: 51)
        let near = warnings(memory: 0, spread: 0.1, limit: 125, seed: 52)
        let lasting = warnings(memory: 0.5, spread: 0.1, limit: 150, seed: 53)
        print(
            "trend warnings on flat series: noise of 10 % \(white.0)/\(white.1) cycles (seed 51), limit near "
                + "\(near.0)/\(near.1) (52), noise that lasts (0.5) \(lasting.0)/\(lasting.1) (53)")
        #expect(Double(white.0) / Double(white.1) <= 0.01)
        #expect(Double(near.0) / Double(near.1) <= 0.01)
        #expect(Double(lasting.0) / Double(lasting.1) <= 0.06)
    }
}
