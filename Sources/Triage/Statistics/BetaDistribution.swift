// SPDX-License-Identifier: Apache-2.0
// What is believed about a rate before and after runs were seen: a Beta distribution, which counts of runs update.

/// How often something failed and passed.
package struct RunCounts: Hashable, Sendable {
    package var fails: Int
    package var passes: Int

    package init(fails: Int = 0, passes: Int = 0) {
        self.fails = fails
        self.passes = passes
    }

    package var runs: Int { fails + passes }

    package static func + (left: RunCounts, right: RunCounts) -> RunCounts {
        RunCounts(fails: left.fails + right.fails, passes: left.passes + right.passes)
    }
}

/// A belief about a failure rate: as if `a` failures and `b` passes had been seen, in fractions of a run.
package struct BetaDistribution: Hashable, Sendable {
    package let a: Double
    package let b: Double

    /// Both must be greater than 0.
    package init(a: Double, b: Double) {
        precondition(a > 0 && b > 0, "a Beta distribution of \(a) and \(b)")
        self.a = a
        self.b = b
    }

    package var mean: Double { a / (a + b) }

    /// The belief after more runs.
    package func after(_ counts: RunCounts) -> BetaDistribution {
        BetaDistribution(a: a + Double(counts.fails), b: b + Double(counts.passes))
    }

    /// The probability of one given order of these outcomes, as a logarithm.
    package func logLikelihood(_ counts: RunCounts) -> Double {
        RealMath.logBeta(a + Double(counts.fails), b + Double(counts.passes)) - RealMath.logBeta(a, b)
    }

    /// The probability that the rate is at most `rate`.
    package func cumulative(_ rate: Double) -> Double { RealMath.regularizedBeta(rate, a, b) }

    /// The rate below which a share of the belief lies, by halving.
    package func quantile(_ share: Double) -> Double {
        var low = 0.0
        var high = 1.0
        for _ in 0..<200 where high - low > 1e-15 * high {
            let middle = (low + high) / 2
            if cumulative(middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

extension BetaDistribution {
    /// A test about which nothing is known. Its mean is the 1.5 % of runs that are flaky at Google (Micco, "The State of
    /// Continuous Integration Testing at Google", 2017); it weighs no more than 6.7 runs, so that a new test's own runs
    /// soon decide.
    package static let unknownTest = BetaDistribution(a: 0.1, b: 6.6)

    /// The past counts at most as this many runs: tests and their surroundings change.
    package static let longestMemory = 400.0

    /// What a test's past says about how often it fails without a reason.
    package static func flakeRate(of history: TestHistory?) -> BetaDistribution {
        guard let history, history.runs > 0 else { return unknownTest }
        let runs = min(Double(history.runs), longestMemory)
        let rate = min(max(history.flakeRate, 0), 1)
        return BetaDistribution(a: unknownTest.a + rate * runs, b: unknownTest.b + (1 - rate) * runs)
    }
}
