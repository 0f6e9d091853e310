// SPDX-License-Identifier: Apache-2.0
// The statistics of targets against other implementations, against enumeration, and against what they promise.

import Foundation
import Testing

@testable import Triage

struct RankSumTests {
    /// All ways to choose, each with its own rank sum: what the shift algorithm counts without listing.
    private func enumerated(_ before: [Double], _ now: [Double]) -> Double {
        let all = before + now
        func midRank(_ value: Double) -> Double {
            Double(all.count { $0 < value }) + Double(all.count { $0 == value } + 1) / 2
        }
        let ranks = all.map(midRank)
        let middle = Double(now.count) * Double(all.count + 1) / 2
        let distance = abs(ranks.suffix(now.count).reduce(0, +) - middle)
        var (far, ways) = (0, 0)
        for mask in 0..<(1 << all.count) where mask.nonzeroBitCount == now.count {
            let sum = ranks.indices.reduce(0.0) { mask >> $1 & 1 == 1 ? $0 + ranks[$1] : $0 }
            ways += 1
            if abs(sum - middle) >= distance - 1e-9 { far += 1 }
        }
        return Double(far) / Double(ways)
    }

    @Test func `the exact probability is that of all ways to deal the ranks out, with and without ties`() throws {
        var random = SeededGenerator(seed: 11)
        for round in 0..<60 {
            let (n, m) = (Int.random(in: 1...6, using: &random), Int.random(in: 1...6, using: &random))
            // Half of the rounds are full of ties.
            let values = (0..<(n + m)).map { _ in
                round.isMultiple(of: 2)
                    ? Double(Int.random(in: 0...4, using: &random)) : Double.random(in: 0...1, using: &random)
            }
            let (before, now) = (Array(values[..<n]), Array(values[n...]))
            let test = try #require(RankSumTest(before: before, now: now))
            #expect(test.isExact)
            #expect(abs(test.probability - enumerated(before, now)) < 1e-12, "seed 11, round \(round)")
            let wins = now.reduce(0.0) { sum, value in
                sum + before.reduce(0.0) { $0 + (value > $1 ? 1 : value == $1 ? 0.5 : 0) }
            }
            #expect(abs(test.superiority - wins / Double(n * m)) < 1e-12)
        }
    }

    @Test func `both ways to compute agree with another implementation`() throws {
        // SciPy 1.x: mannwhitneyu(now, before, method="exact") and method="asymptotic", use_continuity=True.
        let small = try #require(
            RankSumTest(before: [1.1, 2.2, 3.3, 4.4, 9.0], now: [5.5, 6.6, 7.7, 8.8, 9.9, 2.5]))
        #expect(abs(small.probability - 0.17748917748917747) < 1e-12 && small.isExact)
        let before = (0..<60).map { Double(100 + $0 * 7 % 31) }
        let now = (0..<60).map { Double(104 + $0 * 11 % 29) }
        let large = try #require(RankSumTest(before: before, now: now))
        #expect(!large.isExact && abs(large.probability - 0.08358028215028446) < 1e-9)
    }

    @Test func `no values and equal values say nothing`() {
        #expect(RankSumTest(before: [], now: [1]) == nil)
        #expect(RankSumTest(before: [2, 2, 2, 2, 2], now: [2, 2, 2, 2, 2])?.probability == 1)
        let many = [Double](repeating: 3, count: 100)
        #expect(RankSumTest(before: many, now: many)?.probability == 1)
    }

    @Test func `the tail of the normal distribution`() {
        // SciPy: norm.sf.
        let known: [(Double, Double)] = [
            (0, 0.5), (0.5, 0.3085375387259869), (1, 0.15865525393145707), (1.96, 0.024997895148220435),
            (2.9, 0.0018658133003840378), (3, 0.0013498980316300933), (3.1, 0.0009676032132183561),
            (5, 2.866515718791939e-07), (8, 6.220960574271784e-16),
        ]
        for (z, tail) in known { #expect(abs(NormalTail.above(z) / tail - 1) < 1e-10, "\(z)") }
    }
}

struct TrendTests {
    private func test(_ values: [Double]) throws -> TrendTest {
        try #require(TrendTest(values.enumerated().map { .init(x: Double($0.offset), y: $0.element) }))
    }

    @Test func `slope and probability agree with other implementations`() throws {
        // SciPy: theilslopes, and kendalltau(method="exact").
        let rising = try test([3.1, 2.9, 3.6, 3.4, 4.0, 3.8, 4.4, 4.1, 4.9])
        #expect(rising.isExact && abs(rising.slope - 0.2166666666666667) < 1e-12)
        #expect(abs(rising.probability - 0.0024250440917107582) < 1e-12)
        // With ties: the normal approximation with continuity correction.
        let tied = try test([3, 3, 4, 4, 5, 5, 5, 6, 7, 6, 8, 8])
        #expect(!tied.isExact && abs(tied.probability - 9.18350089603453e-05) < 1e-12)
    }

    @Test func `the line goes through the newest point of a straight series, and gaps count`() throws {
        let points = [1, 2, 5, 9, 10].map { TrendTest.Point(x: Double($0), y: 20 + 3 * Double($0)) }
        let test = try #require(TrendTest(points))
        #expect(abs(test.slope - 3) < 1e-12 && abs(test.level - 50) < 1e-12)
        #expect(abs(test.probability - 2.0 / 120) < 1e-12)
        #expect(TrendTest(Array(points.prefix(2))) == nil)
    }

    @Test func `a constant series has no trend`() throws {
        let flat = try test([Double](repeating: 7, count: 12))
        #expect(flat.slope == 0 && flat.probability == 1 && flat.level == 7)
    }
}

struct QuantileIntervalTests {
    @Test func `the ranks are those of the binomial distribution`() {
        // SciPy: the largest k with binom.cdf(k - 1, n, p) <= 0.025, the smallest with binom.sf(k - 1, n, p) <= 0.025.
        let known: [(n: Int, p: Double, low: Int?, high: Int?)] = [
            (20, 95, 17, nil), (100, 95, 90, 100), (20, 50, 6, 15), (73, 95, 65, 73), (71, 95, 63, nil),
            (1000, 99, 983, 997), (10, 50, 2, 9),
        ]
        for (n, p, low, high) in known {
            let values = (1...n).map(Double.init).shuffled()
            let interval = QuantileInterval(values, percentile: p)
            #expect(interval.low == low.map(Double.init), "low of \(n) at \(p)")
            #expect(interval.high == high.map(Double.init), "high of \(n) at \(p)")
        }
        #expect(QuantileInterval([], percentile: 50).low == nil)
    }

    @Test func `a failed sample bounds nothing`() {
        let values = (1...100).map(Double.init)
        let some = QuantileInterval(values.dropLast(5) + [Double](repeating: .infinity, count: 5), percentile: 95)
        #expect(some.high == nil && some.low == 90)
    }

    /// Exponential latencies: far from normal on purpose.
    @Test(arguments: [(20, 50.0), (100, 95.0), (200, 90.0)])
    func `the true percentile is inside as often as promised`(count: Int, percentile: Double) {
        var random = SeededGenerator(seed: 95)
        let truth = -Foundation.log(1 - percentile / 100)
        let rounds = 1200
        var inside = 0
        for _ in 0..<rounds {
            let values = (0..<count).map { _ in -Foundation.log(Double.random(in: 0..<1, using: &random) + 1e-300) }
            let interval = QuantileInterval(values, percentile: percentile)
            if (interval.low ?? 0) <= truth, (interval.high ?? .infinity) >= truth { inside += 1 }
        }
        let share = Double(inside) / Double(rounds)
        print("coverage of p\(Int(percentile)) of \(count) values: \(share), promised at least 0.95 (seed 95)")
        // Three standard errors below the promise.
        #expect(share >= 0.95 - 3 * (0.95 * 0.05 / Double(rounds)).squareRoot())
    }
}
