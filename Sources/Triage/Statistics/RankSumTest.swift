// SPDX-License-Identifier: Apache-2.0
// Whether values of today are larger or smaller than those of before, or whether chance alone does as much.

/// The two-sided rank-sum test of Wilcoxon, Mann and Whitney with mid-ranks for ties. It asks nothing of the distribution.
///
/// Up to `exactValues` values the probability is exact, given the ties: all ways to deal the ranks out are counted by the
/// shift algorithm (Streitberg and Röhmel, "Exakte Verteilungen für Rang- und Randomisierungstests", EDV in Medizin und
/// Biologie 18, 1987). Beyond, it is the normal approximation with correction for ties and continuity (Hollander, Wolfe
/// and Chicken, "Nonparametric Statistical Methods", 4.1).
package struct RankSumTest: Hashable, Sendable {
    /// Of a difference at least as large in either direction, where there is none.
    package var probability: Double
    /// The probability that a value of `now` is larger than one of `before`, ties counted half: 0.5 is no difference
    /// (Vargha and Delaney, Journal of Educational and Behavioral Statistics 25, 2000).
    package var superiority: Double
    package var isExact: Bool

    package static let exactValues = 50

    /// Nil where one side has no value.
    package init?(before: [Double], now: [Double]) {
        guard !before.isEmpty, !now.isEmpty else { return nil }
        let ranks = RankSumTest.doubledRanks(before + now)
        let sum = ranks.doubled.dropFirst(before.count).reduce(0, +)
        let (n, m) = (before.count, now.count)
        let pairs = Double(n) * Double(m)
        // Mann and Whitney's U of `now`, from its doubled rank sum.
        let u = Double(sum) / 2 - Double(m * (m + 1)) / 2
        superiority = u / pairs
        isExact = n + m <= RankSumTest.exactValues
        probability =
            isExact
            ? RankSumTest.exact(ranks.doubled, drawn: m, sum: sum)
            : RankSumTest.approximate(u: u, n: n, m: m, ties: ranks.ties)
    }

    /// Mid-ranks times two, which are whole numbers, in the order of the values; and the sizes of the groups of ties.
    private static func doubledRanks(_ values: [Double]) -> (doubled: [Int], ties: [Int]) {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var doubled = [Int](repeating: 0, count: values.count)
        var ties: [Int] = []
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { doubled[order[place]] = start + 1 + end }
            if end - start > 1 { ties.append(end - start) }
            start = end
        }
        return (doubled, ties)
    }

    /// How many of all ways to draw so many ranks have a sum that is as far from the middle, or farther.
    private static func exact(_ ranks: [Int], drawn: Int, sum: Int) -> Double {
        // Drawing few is the same as leaving few, and costs less.
        let total = ranks.reduce(0, +)
        let few = min(drawn, ranks.count - drawn)
        let target = few == drawn ? sum : total - sum
        // Without ties all doubled ranks are even: half of the table would stay empty.
        let scale = ranks.allSatisfy { $0.isMultiple(of: 2) } ? 2 : 1
        let steps = ranks.map { $0 / scale }.sorted()
        let width = steps.suffix(few).reduce(0, +) + 1
        var ways = [Double](repeating: 0, count: (few + 1) * width)
        ways[0] = 1
        ways.withUnsafeMutableBufferPointer { ways in
            var reached = 0
            for (index, step) in steps.enumerated() {
                reached = min(width - 1, reached + step)
                guard few > 0, reached >= step else { continue }
                for count in stride(from: min(few, index + 1), through: 1, by: -1) {
                    let (to, from) = (count * width, (count - 1) * width)
                    var place = reached
                    while place >= step {
                        ways[to + place] += ways[from + place - step]
                        place -= 1
                    }
                }
            }
        }
        // The mean is few/N of the whole; kept in whole numbers by multiplying with N.
        let count = ranks.count
        let distance = abs(target * count - few * total)
        var all = 0.0
        var far = 0.0
        for place in 0..<width {
            let number = ways[few * width + place]
            all += number
            if abs(place * scale * count - few * total) >= distance { far += number }
        }
        return min(1, far / all)
    }

    private static func approximate(u: Double, n: Int, m: Int, ties: [Int]) -> Double {
        let pairs = Double(n) * Double(m)
        let count = Double(n + m)
        let tied = ties.reduce(0) { $0 + Double($1) * (Double($1) * Double($1) - 1) }
        let variance = pairs / 12 * (count + 1 - tied / (count * (count - 1)))
        guard variance > 0 else { return 1 }
        let distance = max(0, abs(u - pairs / 2) - 0.5)
        return min(1, 2 * NormalTail.above(distance / variance.squareRoot()))
    }
}

enum NormalTail {
    /// The probability that a standard normal value is above `z`, for z from 0 on: the power series near the middle, the
    /// continued fraction of Laplace beyond it (Abramowitz and Stegun, 26.2.11 and 26.2.14).
    static func above(_ z: Double) -> Double {
        guard z > 0 else { return 0.5 }
        let density = RealMath.exp(-z * z / 2) * 0.398_942_280_401_432_68
        if z < 3 {
            var term = z
            var sum = z
            var odd = 3.0
            while term > sum * 1e-17 {
                term *= z * z / odd
                sum += term
                odd += 2
            }
            return 0.5 - density * sum
        }
        var fraction = z
        for step in stride(from: 80.0, through: 1, by: -1) { fraction = z + step / fraction }
        return density / fraction
    }
}
