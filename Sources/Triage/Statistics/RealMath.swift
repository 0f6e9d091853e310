// SPDX-License-Identifier: Apache-2.0
// Logarithm, exponential, gamma and beta functions. Triage imports neither Foundation nor Glibc, and what it decides must
// be the same on every machine: a C library's last digit may differ between versions, this one's does not.

enum RealMath {
    // ln 2 in two parts, so that multiples of it lose nothing.
    private static let lnTwoHigh = 0x1.62e42fefa38p-1
    private static let lnTwoLow = 0x1.ef35793c7673p-45
    static let lnTwo = lnTwoHigh + lnTwoLow

    /// The natural logarithm; minus infinity at 0, NaN below it.
    static func log(_ x: Double) -> Double {
        guard x > 0 else { return x == 0 ? -.infinity : .nan }
        guard x.isFinite else { return x }
        var exponent = Double(x.exponent)
        var significand = x.significand
        if significand > 1.414_213_562_373_095 {
            significand /= 2
            exponent += 1
        }
        return exponent * lnTwoHigh + (atanhTwice((significand - 1) / (significand + 1)) + exponent * lnTwoLow)
    }

    /// `log(1 + x)`, exact also for small `x`.
    static func log1p(_ x: Double) -> Double {
        guard x > -0.25, x < 0.4 else { return log(1 + x) }
        return atanhTwice(x / (2 + x))
    }

    /// `2 atanh(s) = log((1 + s) / (1 - s))` for |s| up to 0.18.
    private static func atanhTwice(_ s: Double) -> Double {
        let square = s * s
        var sum = 0.0
        for odd in stride(from: 21.0, through: 3, by: -2) { sum = (sum + 1 / odd) * square }
        return 2 * (s + s * sum)
    }

    static func exp(_ x: Double) -> Double {
        guard x > -745.2 else { return x.isNaN ? .nan : 0 }
        guard x < 709.8 else { return .infinity }
        let count = (x / lnTwo).rounded()
        let rest = (x - count * lnTwoHigh) - count * lnTwoLow
        var sum = 1.0
        for term in stride(from: 14.0, through: 1, by: -1) { sum = 1 + sum * rest / term }
        // Two steps, because a subnormal result needs an exponent that a normal number does not have.
        let half = Int(count) / 2
        return sum * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: Int(count) - half, significand: 1)
    }

    /// `log(exp(a) + exp(b))` without overflow.
    static func logAdd(_ a: Double, _ b: Double) -> Double {
        let (low, high) = (min(a, b), max(a, b))
        return low == -.infinity ? high : high + log1p(exp(low - high))
    }

    /// `log Γ(x)` for `x > 0`: Stirling's series, reached by the recurrence (Abramowitz and Stegun, 6.1.41).
    static func logGamma(_ x: Double) -> Double {
        precondition(x > 0, "the gamma function is asked for at \(x)")
        var product = 1.0
        var y = x
        while y < 10 {
            product *= y
            y += 1
        }
        let inverse = 1 / (y * y)
        let series =
            (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse * (1.0 / 1680 - inverse / 1188)))) / y
        let halfLogTwoPi = 0.918_938_533_204_672_74
        return (y - 0.5) * log(y) - y + halfLogTwoPi + series - log(product)
    }

    static func logBeta(_ a: Double, _ b: Double) -> Double { logGamma(a) + logGamma(b) - logGamma(a + b) }

    /// `log (n choose k)`.
    static func logChoose(_ n: Int, _ k: Int) -> Double {
        guard k >= 0, k <= n else { return -.infinity }
        return logGamma(Double(n + 1)) - logGamma(Double(k + 1)) - logGamma(Double(n - k + 1))
    }

    /// The regularized incomplete beta function: the probability that a Beta(a, b) value is at most `x`. Continued
    /// fraction by Lentz's method (Press et al., Numerical Recipes, 6.4).
    static func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        let front = exp(a * log(x) + b * log1p(-x) - logBeta(a, b))
        if x < (a + 1) / (a + b + 2) { return front * betaFraction(x, a, b) / a }
        return 1 - front * betaFraction(1 - x, b, a) / b
    }

    private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func away(_ value: Double) -> Double { value.magnitude < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / away(1 - (a + b) * x / (a + 1))
        var result = d
        for step in 1...1000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / away(1 + even * d)
            c = away(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / away(1 + odd * d)
            c = away(1 + odd / c)
            result *= d * c
            if (d * c - 1).magnitude < 1e-15 { break }
        }
        return result
    }
}
