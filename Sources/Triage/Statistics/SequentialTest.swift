// SPDX-License-Identifier: Apache-2.0
// Wald's sequential probability ratio test: after each run it says deterministic, flaky, or run once more, and its error
// rates hold whenever it stops.

/// How often a run fails: at a known rate, or at a rate about which something is believed.
package enum RateModel: Hashable, Sendable {
    case known(Double)
    case believed(BetaDistribution)

    /// The probability of one given order of these outcomes, as a logarithm.
    package func logLikelihood(_ counts: RunCounts) -> Double {
        switch self {
        case .known(let rate):
            let fails = counts.fails == 0 ? 0 : Double(counts.fails) * RealMath.log(rate)
            let passes = counts.passes == 0 ? 0 : Double(counts.passes) * RealMath.log1p(-rate)
            return fails + passes
        case .believed(let belief): return belief.logLikelihood(counts)
        }
    }

    /// The probability that the next run fails.
    package func nextFails(after counts: RunCounts) -> Double {
        switch self {
        case .known(let rate): rate
        case .believed(let belief): belief.after(counts).mean
        }
    }
}

/// "Fails deterministically" against "fails at its own flake rate".
///
/// A. Wald, "Sequential Tests of Statistical Hypotheses", Annals of Mathematical Statistics 16 (1945). The thresholds are
/// `1/alpha` and `beta` instead of Wald's `(1 - beta)/alpha` and `beta/(1 - alpha)`: with these each error rate is at most
/// the stated one, not only their sum, because a likelihood ratio exceeds `c` with a probability of at most `1/c` under
/// the hypothesis in its denominator (Ville). Where the flake rate is believed and not known, `alpha` holds on average
/// over that belief.
package struct SequentialTest: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case deterministic, flaky, undecided
    }
    package let flaky: RateModel
    package let deterministic: RateModel
    /// At most this probability to call a flaky test deterministic.
    package let alpha: Double
    /// At most this probability to call a deterministic failure flaky.
    package let beta: Double

    /// A deterministic failure may pass once in so many runs: a test that was not really run, a stale answer.
    package static let deterministicRate = 0.998

    package init(
        flaky: RateModel, deterministic: RateModel = .known(SequentialTest.deterministicRate), alpha: Double = 0.01,
        beta: Double = 0.01
    ) {
        precondition(alpha > 0 && alpha < 0.5 && beta > 0 && beta < 0.5, "error rates of \(alpha) and \(beta)")
        self.flaky = flaky
        self.deterministic = deterministic
        self.alpha = alpha
        self.beta = beta
    }

    /// The logarithm of how much likelier the outcomes are if deterministic than if flaky.
    package func logRatio(_ seen: RunCounts) -> Double {
        deterministic.logLikelihood(seen) - flaky.logLikelihood(seen)
    }

    /// What is decided once these outcomes have been seen, if nothing was decided before.
    package func decision(_ seen: RunCounts) -> Decision {
        let ratio = logRatio(seen)
        if ratio >= -RealMath.log(alpha) { return .deterministic }
        return ratio <= RealMath.log(beta) ? .flaky : .undecided
    }

    /// How many more failures in a row would decide for deterministic; nil where `limit` runs would not.
    package func furtherFailuresNeeded(_ seen: RunCounts, limit: Int = 1000) -> Int? {
        (0...limit).first { decision(seen + RunCounts(fails: $0)) == .deterministic }
    }

    /// What the test does in truth: the probability of each decision within `limit` runs, and the mean number of runs.
    package struct Characteristic: Hashable, Sendable {
        package var deterministic = 0.0
        package var flaky = 0.0
        package var undecided = 0.0
        package var meanRuns = 0.0
    }

    /// Computed over all orders of outcomes, where each run fails as `truth` says.
    package func characteristic(under truth: RateModel, limit: Int) -> Characteristic {
        var result = Characteristic()
        // The probability of having reached each number of failures undecided.
        var open = [0: 1.0]
        for run in 0..<limit {
            var next: [Int: Double] = [:]
            for (fails, probability) in open.sorted(by: { $0.key < $1.key }) {
                result.meanRuns += probability
                let seen = RunCounts(fails: fails, passes: run - fails)
                let failing = truth.nextFails(after: seen)
                for (outcome, share) in [(RunCounts(fails: 1), failing), (RunCounts(passes: 1), 1 - failing)]
                where share > 0 {
                    let reached = seen + outcome
                    switch decision(reached) {
                    case .deterministic: result.deterministic += probability * share
                    case .flaky: result.flaky += probability * share
                    case .undecided: next[reached.fails, default: 0] += probability * share
                    }
                }
            }
            open = next
        }
        result.undecided = open.values.reduce(0, +)
        return result
    }
}
