// SPDX-License-Identifier: Apache-2.0
// What a culprit search does not know beside the culprit: how often the test fails on good revisions, and how often on bad
// ones. Both are believed, on a grid, and learned with the culprit.

/// The failure rates that are considered, each with its prior weight.
struct CulpritRates: Hashable, Sendable {
    /// Rates on good revisions, ascending. The last one is of what fails everywhere now: no commit brought it.
    let good: [Double]
    /// Rates on bad revisions. The first is the deterministic one.
    let bad: [Double]
    /// Pairs of a good and a bad rate, where a commit is to blame.
    let pairs: [Pair]
    /// Weights of `good`, where no commit is; they add up to 1.
    let noneWeights: [Double]
    let goodLogs: [Logs]
    let badLogs: [Logs]

    struct Pair: Hashable, Sendable {
        var good: Int
        var bad: Int
        /// Adds up to 1 over all pairs.
        var weight: Double
    }

    /// The logarithms of a rate and of what is left of it.
    struct Logs: Hashable, Sendable {
        var fail: Double
        var pass: Double

        init(_ rate: Double) {
            fail = RealMath.log(rate)
            pass = RealMath.log1p(-rate)
        }

        func times(_ counts: RunCounts) -> Double { Double(counts.fails) * fail + Double(counts.passes) * pass }
    }

    private static let flakeRates = [
        0.0005, 0.002, 0.005, 0.01, 0.02, 0.035, 0.055, 0.08, 0.11, 0.15, 0.2, 0.27, 0.35, 0.45, 0.6,
    ]
    /// How much a partial culprit adds: the share of runs that it makes fail.
    private static let partialRates = [0.1, 0.2, 0.3, 0.45, 0.6, 0.8]
    /// The prior share, within "no culprit", of what fails everywhere now.
    private static let everywhereShare = 0.02

    /// - partialShare: the probability that a culprit makes only some runs fail.
    /// - wasTriggered: the search began because the last suspect failed once. High rates are then likelier from the
    ///   start, by just that.
    init(flakeRate: BetaDistribution, partialShare: Double, wasTriggered: Bool) {
        let flakes = CulpritRates.flakeRates
        good = flakes + [FlakeJudgement.deterministicRate]
        var weights: [Double] = []
        var below = 0.0
        for index in flakes.indices {
            let edge = index + 1 < flakes.count ? (flakes[index] * flakes[index + 1]).squareRoot() : 1
            let cumulative = flakeRate.cumulative(edge)
            weights.append(max(0, cumulative - below))
            below = cumulative
        }
        var bad = [FlakeJudgement.deterministicRate]
        var pairs = flakes.indices.map { Pair(good: $0, bad: 0, weight: weights[$0] * (1 - partialShare)) }
        for index in flakes.indices {
            for partial in CulpritRates.partialRates {
                let share = weights[index] * partialShare / Double(CulpritRates.partialRates.count)
                pairs.append(Pair(good: index, bad: bad.count, weight: share))
                bad.append(1 - (1 - flakes[index]) * (1 - partial))
            }
        }
        let triggered = pairs.map { $0.weight * (wasTriggered ? bad[$0.bad] : 1) }
        let sum = triggered.reduce(0, +)
        for index in pairs.indices { pairs[index].weight = triggered[index] / sum }
        let none = weights.indices.map { weights[$0] * (wasTriggered ? flakes[$0] : 1) }
        let noneSum = none.reduce(0, +)
        let everywhere = CulpritRates.everywhereShare
        noneWeights = none.map { $0 / noneSum * (1 - everywhere) } + [everywhere]
        self.bad = bad
        self.pairs = pairs.filter { $0.weight > 1e-12 }
        goodLogs = good.map(Logs.init)
        badLogs = bad.map(Logs.init)
    }
}
