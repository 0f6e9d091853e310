// SPDX-License-Identifier: Apache-2.0
// Whether a series rises or falls, and how steeply, where single values may be far off.

/// The slope of Theil and Sen (the median of the slopes of all pairs) with the test of Mann and Kendall. Up to
/// `exactPoints` points without ties the probability is exact, from the number of orders with so many inversions; otherwise
/// it is the normal approximation with correction for ties (Hollander, Wolfe and Chicken, "Nonparametric Statistical
/// Methods", 8.1 and 9.3). The test supposes that the values do not depend on each other.
package struct TrendTest: Hashable, Sendable {
    /// Per unit of x.
    package var slope: Double
    /// Of a trend at least as clear in either direction, where there is none.
    package var probability: Double
    /// Where the line stands at the last point.
    package var level: Double
    package var isExact: Bool

    package static let exactPoints = 60

    package struct Point: Hashable, Sendable {
        package var x: Double
        package var y: Double

        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// Nil for fewer than three points. They come by rising `x`.
    package init?(_ points: [Point]) {
        guard points.count > 2, let last = points.last else { return nil }
        var slopes: [Double] = []
        var score = 0
        var hasTies = false
        for (index, right) in points.enumerated() {
            for left in points[..<index] where right.x > left.x {
                slopes.append((right.y - left.y) / (right.x - left.x))
                score += right.y > left.y ? 1 : right.y < left.y ? -1 : 0
                if right.y == left.y { hasTies = true }
            }
        }
        guard let slope = TrendTest.median(slopes),
            let intercept = TrendTest.median(points.map { $0.y - slope * $0.x })
        else { return nil }
        self.slope = slope
        level = intercept + slope * last.x
        isExact = !hasTies && points.count <= TrendTest.exactPoints
        probability =
            isExact
            ? TrendTest.exact(score: abs(score), points.count)
            : TrendTest.approximate(score: abs(score), points.map(\.y))
    }

    /// The share of orders of n values whose score is so far from 0: n(n-1)/2 minus twice the inversions, whose numbers
    /// follow from n - 1 by adding n neighbors.
    private static func exact(score: Int, _ n: Int) -> Double {
        let pairs = n * (n - 1) / 2
        var shares = [1.0]
        for length in 2...n {
            let width = length * (length - 1) / 2 + 1
            var next = [Double](repeating: 0, count: width)
            var window = 0.0
            for inversions in 0..<width {
                window += inversions < shares.count ? shares[inversions] : 0
                let leaving = inversions - length
                if leaving >= 0, leaving < shares.count { window -= shares[leaving] }
                next[inversions] = max(0, window) / Double(length)
            }
            shares = next
        }
        let far = shares.indices.reduce(0.0) { abs(pairs - 2 * $1) >= score ? $0 + shares[$1] : $0 }
        return min(1, far)
    }

    private static func approximate(score: Int, _ values: [Double]) -> Double {
        func term(_ count: Int) -> Double {
            let n = Double(count)
            return n * (n - 1) * (2 * n + 5)
        }
        let groups = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +).values
        let variance = (term(values.count) - groups.reduce(0) { $0 + ($1 > 1 ? term($1) : 0) }) / 18
        guard variance > 0, score > 0 else { return 1 }
        return min(1, 2 * NormalTail.above(Double(score - 1) / variance.squareRoot()))
    }

    package static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
