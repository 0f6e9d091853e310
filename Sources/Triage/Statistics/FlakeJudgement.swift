// SPDX-License-Identifier: Apache-2.0
// How probable it is that a failure is the test's own flakiness, after what was seen here, on the last green revision and
// in the past.

/// The three explanations of a test that failed on the new revision, and how probable each is.
package struct FlakeJudgement: Hashable, Sendable {
    /// It fails at the same rate as ever: p(flake).
    package var flaky: Double
    /// Since the new revision it fails (nearly) every time.
    package var deterministic: Double
    /// Since the new revision it fails more often than before, not every time: a race, a leak.
    package var partial: Double

    /// How often a test that ran begins to fail because of a new revision, before anything was seen: one in two hundred,
    /// a tenth of that in part. What matters is its size beside the flake rate; docs/triage.md says what follows from it.
    package static let regressionRate = 0.005
    static let partialShare = 0.1
    /// A deterministic failure may pass once in so many runs: a test that was not really run, a stale answer.
    static let deterministicRate = 0.998

    /// - here: all runs on the new revision, the first failure included; that it was noticed only because it failed is
    ///   accounted for by `regressionRate` being a rate of tests that ran.
    /// - there: runs on the last green revision, in the same surroundings.
    package init(
        here: RunCounts, there: RunCounts = RunCounts(), flakeRate: BetaDistribution,
        regressionRate: Double = FlakeJudgement.regressionRate
    ) {
        let before = flakeRate.logLikelihood(there)
        let same = flakeRate.logLikelihood(here + there) + RealMath.log1p(-regressionRate)
        let always =
            FlakeJudgement.logLikelihood(here, failingAt: FlakeJudgement.deterministicRate) + before
            + RealMath.log(regressionRate * (1 - FlakeJudgement.partialShare))
        let inPart =
            BetaDistribution(a: 1, b: 1).logLikelihood(here) + before
            + RealMath.log(regressionRate * FlakeJudgement.partialShare)
        let whole = RealMath.logAdd(same, RealMath.logAdd(always, inPart))
        flaky = RealMath.exp(same - whole)
        deterministic = RealMath.exp(always - whole)
        partial = RealMath.exp(inPart - whole)
    }

    /// The probability of one given order of these outcomes, as a logarithm.
    private static func logLikelihood(_ counts: RunCounts, failingAt rate: Double) -> Double {
        Double(counts.fails) * RealMath.log(rate) + Double(counts.passes) * RealMath.log1p(-rate)
    }

    /// How many more runs, all failing, bring p(flake) to `wanted` or below; nil where `limit` do not.
    package static func failuresNeeded(
        here: RunCounts, there: RunCounts = RunCounts(), flakeRate: BetaDistribution, wanted: Double = 0.01,
        limit: Int = 100
    ) -> Int? {
        (0...limit).first { more in
            FlakeJudgement(here: here + RunCounts(fails: more), there: there, flakeRate: flakeRate).flaky <= wanted
        }
    }
}
