// SPDX-License-Identifier: Apache-2.0
// The statistics against other implementations, against exact enumeration and against what they promise.

import Foundation
import Testing

@testable import Triage

struct RealMathTests {
    @Test func `logarithm and exponential agree with the C library`() {
        for step in -3000...3000 {
            let x = Foundation.exp(Double(step) / 7)
            #expect(abs(RealMath.log(x) - Foundation.log(x)) <= 1e-14 * max(1, abs(Foundation.log(x))))
            let y = Double(step) / 4.3
            let (own, other) = (RealMath.exp(y), Foundation.exp(y))
            #expect(own == other || abs(own - other) <= 1e-14 * other + .leastNonzeroMagnitude)
            let z = Double(step) / 3100
            #expect(abs(RealMath.log1p(z) - Foundation.log1p(z)) <= 1e-14 * max(1e-3, abs(Foundation.log1p(z))))
        }
        #expect(RealMath.log(0) == -.infinity)
        #expect(RealMath.log(-1).isNaN)
        #expect(RealMath.exp(-1000) == 0)
        #expect(RealMath.exp(1000) == .infinity)
        #expect(abs(RealMath.exp(-744) / Foundation.exp(-744) - 1) < 0.5)
    }

    @Test func `the gamma function agrees with the C library`() {
        for step in 1...2800 {
            let x = Double(step) / 17
            let expected = Foundation.log(tgamma(x))
            #expect(abs(RealMath.logGamma(x) - expected) <= 1e-12 * max(1, abs(expected)), "\(x)")
        }
    }

    /// For whole parameters the incomplete beta function is a binomial tail.
    @Test func `the incomplete beta function is a binomial tail`() {
        for n in 1...12 {
            for k in 1...n {
                for x in [0.01, 0.2, 0.5, 0.77, 0.999] {
                    var tail = 0.0
                    for i in k...n {
                        tail += Foundation.exp(RealMath.logChoose(n, i)) * pow(x, Double(i)) * pow(1 - x, Double(n - i))
                    }
                    #expect(abs(RealMath.regularizedBeta(x, Double(k), Double(n - k + 1)) - tail) < 1e-12)
                }
            }
        }
        let belief = BetaDistribution(a: 0.1, b: 6.6)
        for share in [0.01, 0.5, 0.9, 0.999] {
            #expect(abs(belief.cumulative(belief.quantile(share)) - share) < 1e-9)
        }
    }
}

struct RateIntervalTests {
    @Test func `known intervals`() {
        // Values of R 4: binom::binom.confint(1, 20, methods = c("wilson", "bayes")) and qbeta.
        let wilson = RateInterval.wilson(RunCounts(fails: 1, passes: 19))
        #expect(abs(wilson.low - 0.008881) < 1e-5)
        #expect(abs(wilson.high - 0.236131) < 1e-5)
        let jeffreys = RateInterval.jeffreys(RunCounts(fails: 0, passes: 10))
        #expect(jeffreys.low == 0)
        #expect(abs(BetaDistribution(a: 0.5, b: 10.5).cumulative(jeffreys.high) - 0.975) < 1e-9)
        #expect(RateInterval.wilson(RunCounts()) == RateInterval(estimate: 0, low: 0, high: 1))
    }

    /// Mean coverage over rates, computed exactly.
    @Test func `intervals hold the true rate as often as they say`() {
        for interval in [RateInterval.wilson, RateInterval.jeffreys] {
            var coverage = 0.0
            let runs = 25
            let all = (0...runs).map { interval(RunCounts(fails: $0, passes: runs - $0), 0.95) }
            for point in 1..<200 {
                let rate = Double(point) / 200
                for fails in 0...runs where all[fails].low <= rate && rate <= all[fails].high {
                    coverage +=
                        exp(
                            RealMath.logChoose(runs, fails) + Double(fails) * log(rate)
                                + Double(runs - fails) * log(1 - rate)) / 199
                }
            }
            #expect(coverage > 0.945 && coverage < 0.97)
        }
    }
}

struct FlakeJudgementTests {
    @Test func `failing each time here and never there is no flake`() {
        let steady = BetaDistribution.flakeRate(of: TestHistory(runs: 200, failures: 1, flakeRate: 0.005))
        let judged = FlakeJudgement(here: RunCounts(fails: 3), there: RunCounts(passes: 5), flakeRate: steady)
        #expect(judged.flaky < 0.001)
        #expect(judged.deterministic > 0.9)
        #expect(abs(judged.flaky + judged.deterministic + judged.partial - 1) < 1e-12)
    }

    @Test func `a test that fails now and then has failed once more`() {
        let flaky = BetaDistribution.flakeRate(of: TestHistory(runs: 200, failures: 20, flakeRate: 0.1))
        #expect(FlakeJudgement(here: RunCounts(fails: 1), flakeRate: flaky).flaky > 0.9)
        #expect(FlakeJudgement(here: RunCounts(fails: 1, passes: 2), flakeRate: flaky).flaky > 0.95)
        let needed = FlakeJudgement.failuresNeeded(here: RunCounts(fails: 1), flakeRate: flaky)
        #expect(needed == 4)
    }

    @Test func `a race that a revision brought is partial`() {
        let steady = BetaDistribution.flakeRate(of: TestHistory(runs: 400, failures: 0))
        let judged = FlakeJudgement(
            here: RunCounts(fails: 5, passes: 10), there: RunCounts(passes: 10), flakeRate: steady)
        #expect(judged.partial > 0.9)
    }

    @Test func `a new test is given the benefit of the doubt for a while`() {
        let once = FlakeJudgement(here: RunCounts(fails: 1), flakeRate: .flakeRate(of: nil)).flaky
        let thrice = FlakeJudgement(here: RunCounts(fails: 3), flakeRate: .flakeRate(of: nil)).flaky
        #expect(once > 0.5)
        #expect(thrice < once / 2)
    }
}

struct OutcomeComparisonTests {
    @Test func `Fisher's test agrees with counting all tables`() {
        // The lady tasting tea: 3 of 4 against 1 of 4 has 17/70.
        let tea = OutcomeComparison(here: RunCounts(fails: 3, passes: 1), there: RunCounts(fails: 1, passes: 3))
        #expect(abs(tea.fisher - 17.0 / 70) < 1e-12)
        let clear = OutcomeComparison(here: RunCounts(fails: 3), there: RunCounts(passes: 5))
        #expect(abs(clear.fisher - 1.0 / 56) < 1e-12)
        #expect(abs(OutcomeComparison(here: RunCounts(passes: 3), there: RunCounts(passes: 5)).fisher - 1) < 1e-12)
    }
}
