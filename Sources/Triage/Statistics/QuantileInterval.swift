// SPDX-License-Identifier: Apache-2.0
// The range in which a percentile lies, whatever the distribution: two of the sorted values themselves.

/// A confidence interval for a quantile from order statistics. The number of values below the true quantile q(p) is
/// binomial with n and p whatever the distribution, so the i-th smallest value lies above q(p) with the probability
/// P(B < i), and below it with P(B >= i) (David and Nagaraja, "Order Statistics", 3rd edition, 7.1). Never narrower than
/// stated; for values with ties it is wider.
package struct QuantileInterval: Hashable, Sendable {
    /// Nil where so few values cannot bound the quantile on this side.
    package var low: Double?
    package var high: Double?
    package var confidence: Double

    /// - Parameters:
    ///   - values: in any order; an infinite one stands for a measurement that failed, and bounds nothing.
    ///   - percentile: between 0 and 100.
    ///   - confidence: both sides together; each may err with half of the rest.
    package init(_ values: [Double], percentile: Double, confidence: Double = 0.95) {
        self.confidence = confidence
        let sorted = values.sorted()
        let p = min(max(percentile / 100, 0), 1)
        let tail = (1 - confidence) / 2
        let (below, above) = QuantileInterval.ranks(count: sorted.count, p: p, tail: tail)
        low = below.map { sorted[$0 - 1] }.flatMap { $0.isFinite ? $0 : nil }
        high = above.map { sorted[$0 - 1] }.flatMap { $0.isFinite ? $0 : nil }
    }

    /// The largest rank that lies above the quantile, and the smallest that lies below it, with at most the probability
    /// `tail`; ranks count from 1.
    private static func ranks(count: Int, p: Double, tail: Double) -> (Int?, Int?) {
        guard count > 0, p > 0 else { return (nil, nil) }
        // P(B >= k) falls with k: for both sides the border is found by halving.
        let high = (1...count).firstBorder { atLeast($0, of: count, p: p) <= tail }
        let firstTooHigh = (1...count).firstBorder { 1 - atLeast($0, of: count, p: p) > tail } ?? count + 1
        return (firstTooHigh > 1 ? firstTooHigh - 1 : nil, high)
    }

    /// P(B >= k) for B binomial with n and p: an incomplete beta function.
    private static func atLeast(_ k: Int, of n: Int, p: Double) -> Double {
        p >= 1 ? 1 : RealMath.regularizedBeta(p, Double(k), Double(n - k + 1))
    }
}

extension ClosedRange<Int> {
    /// The first number that holds, where all after it hold too; nil where none does.
    fileprivate func firstBorder(_ holds: (Int) -> Bool) -> Int? {
        var low = lowerBound
        var high = upperBound + 1
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low <= upperBound ? low : nil
    }
}
