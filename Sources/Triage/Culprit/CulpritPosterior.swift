// SPDX-License-Identifier: Apache-2.0
// The posterior of a culprit search. Hypotheses between two tested positions share their likelihood, so a search over a
// thousand commits costs as much as one over the dozen that were tested.

import Domain

/// Neighboring hypotheses that the runs so far do not tell apart.
struct CulpritSegment {
    /// The first hypothesis, and the one after the last. "None" is not among them.
    var start: Int
    var end: Int
    /// The posterior probability of all of them together.
    var mass: Double
    /// What is believed of the rates if one of them is right: weights of `CulpritRates.good` and `.bad`, each adding up to 1.
    var good: [Double]
    var bad: [Double]
}

struct CulpritPosterior {
    let suspects: [Double]
    let none: Double
    let segments: [CulpritSegment]
    /// Weights of `CulpritRates.good` if no suspect is to blame.
    let noneRates: [Double]
    let goodRate: Double
    let badRate: Double

    init(_ search: CulpritSearch) {
        let rates = search.rates
        let count = search.suspects.count
        let total = search.seen.reduce(RunCounts(), +)
        let none = CulpritPosterior.none(rates, total)
        var drafts: [(start: Int, end: Int, log: Double, good: [Double], bad: [Double])] = []
        // Runs on positions up to `start` were on good revisions, if the culprit is in the segment.
        var before = RunCounts()
        var start = 0
        for position in 0..<count {
            before = before + search.seen[position]
            let isCut = position + 1 == count || search.seen[position + 1].runs > 0
            guard isCut else { continue }
            let after = RunCounts(fails: total.fails - before.fails, passes: total.passes - before.passes)
            let fit = CulpritPosterior.fit(rates, before, after)
            drafts.append((start, position + 1, fit.log, fit.good, fit.bad))
            start = position + 1
        }
        let largest = drafts.reduce(none.log) { max($0, $1.log) }
        let noneWeight = search.settings.nonePrior * RealMath.exp(none.log - largest)
        var weights: [Double] = []
        weights.reserveCapacity(count)
        for draft in drafts {
            let factor = RealMath.exp(draft.log - largest)
            for hypothesis in draft.start..<draft.end { weights.append(search.priors[hypothesis] * factor) }
        }
        let sum = weights.reduce(noneWeight, +)
        let posterior = weights.map { $0 / sum }
        suspects = posterior
        self.none = noneWeight / sum
        noneRates = none.weights
        segments = drafts.map { draft in
            CulpritSegment(
                start: draft.start, end: draft.end, mass: posterior[draft.start..<draft.end].reduce(0, +),
                good: draft.good, bad: draft.bad)
        }
        goodRate =
            segments.reduce(self.none * CulpritPosterior.mean(noneRates, rates.good)) {
                $0 + $1.mass * CulpritPosterior.mean($1.good, rates.good)
            }
        let blamed = segments.reduce(0) { $0 + $1.mass }
        let badSum = segments.reduce(0) { $0 + $1.mass * CulpritPosterior.mean($1.bad, rates.bad) }
        badRate = blamed > 0 ? badSum / blamed : 0
    }

    /// The probability that the revision at a position is bad: that a suspect up to it is to blame.
    func isBad(at position: Int) -> Double { suspects[..<position].reduce(0, +) }

    private static func mean(_ weights: [Double], _ rates: [Double]) -> Double {
        zip(weights, rates).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func none(_ rates: CulpritRates, _ total: RunCounts) -> (log: Double, weights: [Double]) {
        let logs = rates.goodLogs.map { $0.times(total) }
        let largest = logs.max() ?? 0
        let weights = rates.noneWeights.indices.map { rates.noneWeights[$0] * RealMath.exp(logs[$0] - largest) }
        let sum = weights.reduce(0, +)
        return (largest + RealMath.log(sum), weights.map { $0 / sum })
    }

    private static func fit(
        _ rates: CulpritRates, _ before: RunCounts, _ after: RunCounts
    ) -> (log: Double, good: [Double], bad: [Double]) {
        let goodLogs = rates.goodLogs.map { $0.times(before) }
        let badLogs = rates.badLogs.map { $0.times(after) }
        let largest = rates.pairs.reduce(-Double.infinity) { max($0, goodLogs[$1.good] + badLogs[$1.bad]) }
        var good = Array(repeating: 0.0, count: rates.good.count)
        var bad = Array(repeating: 0.0, count: rates.bad.count)
        var sum = 0.0
        for pair in rates.pairs {
            let weight = pair.weight * RealMath.exp(goodLogs[pair.good] + badLogs[pair.bad] - largest)
            good[pair.good] += weight
            bad[pair.bad] += weight
            sum += weight
        }
        for index in good.indices { good[index] /= sum }
        for index in bad.indices { bad[index] /= sum }
        return (largest + RealMath.log(sum), good, bad)
    }
}
