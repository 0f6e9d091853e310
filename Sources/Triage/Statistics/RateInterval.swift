// SPDX-License-Identifier: Apache-2.0
// The range in which a failure rate lies, given how often it failed.

/// A rate with the range that holds the true one with the stated confidence.
package struct RateInterval: Hashable, Sendable {
    package var estimate: Double
    package var low: Double
    package var high: Double

    package init(estimate: Double, low: Double, high: Double) {
        self.estimate = estimate
        self.low = low
        self.high = high
    }

    /// Jeffreys' interval: equal tails of Beta(fails + 1/2, passes + 1/2), and 0 or 1 itself where only one outcome was
    /// seen (Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001).
    package static func jeffreys(_ counts: RunCounts, confidence: Double = 0.95) -> RateInterval {
        guard counts.runs > 0 else { return RateInterval(estimate: 0, low: 0, high: 1) }
        let belief = BetaDistribution(a: 0.5, b: 0.5).after(counts)
        let tail = (1 - confidence) / 2
        return RateInterval(
            estimate: Double(counts.fails) / Double(counts.runs),
            low: counts.fails == 0 ? 0 : belief.quantile(tail),
            high: counts.passes == 0 ? 1 : belief.quantile(1 - tail))
    }

    /// Wilson's score interval (Journal of the American Statistical Association 22, 1927).
    package static func wilson(_ counts: RunCounts, confidence: Double = 0.95) -> RateInterval {
        guard counts.runs > 0 else { return RateInterval(estimate: 0, low: 0, high: 1) }
        let n = Double(counts.runs)
        let rate = Double(counts.fails) / n
        let z = normalQuantile((1 + confidence) / 2)
        let middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
        return RateInterval(
            estimate: rate, low: counts.fails == 0 ? 0 : max(0, middle - reach),
            high: counts.passes == 0 ? 1 : min(1, middle + reach))
    }

    /// The point below which a share of the normal distribution lies, for shares from 0.5: halving on the error
    /// function's continued fraction and series.
    static func normalQuantile(_ share: Double) -> Double {
        var low = 0.0
        var high = 40.0
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if normalCumulative(middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// `Φ(z)` for `z >= 0` by Marsaglia's series (Journal of Statistical Software 11, 2004).
    private static func normalCumulative(_ z: Double) -> Double {
        guard z < 8 else { return 1 }
        var term = z
        var sum = z
        var odd = 3.0
        while term > 1e-17 * sum {
            term *= z * z / odd
            sum += term
            odd += 2
        }
        return 0.5 + sum * RealMath.exp(-z * z / 2 - 0.918_938_533_204_672_74)
    }
}
