// SPDX-License-Identifier: Apache-2.0
// Which commit brought a failure, where runs may lie: Bayes over "commit i" and "none of them", with failure rates that are
// not known either. docs/triage.md has the formulas.
//
// A position is a place to test: 0 is the revision before the first suspect, i + 1 the one that suspect i made. A
// hypothesis is the number of the first bad suspect, or the number of suspects where none is to blame. So hypothesis h says
// that positions after h are bad.

package import Domain

/// What a search is told before it begins.
package struct CulpritSettings: Hashable, Sendable {
    /// What is known of how often the test fails on good revisions.
    package var flakeRate: BetaDistribution
    /// The probability, before any run, that no suspect is to blame.
    package var nonePrior: Double
    /// The probability that a culprit makes only some runs fail.
    package var partialShare: Double
    /// Whether the search began because the last suspect failed; that failure is no observation of its own.
    package var wasTriggered: Bool
    /// What one run of the test costs, in the unit of the deployment's cost.
    package var runCost: Double
    /// The posterior probability that a culprit must reach before it is named.
    package var confidence: Double
    /// The same for "none of them". Nobody is blamed by it and a later failure is searched for again, so less is asked:
    /// telling a rare race from a flaky test to 99 % takes dozens of runs.
    package var noneConfidence: Double
    /// A search ends undecided where no step tells so many bits for the cost of one run.
    package var leastInformation: Double
    /// No more runs than these. What 80 runs have not told of a commit that may be expected to fail each time, later ones
    /// tell in one of two hundred searches, and take a twentieth of all runs for it; a race is worth more.
    package var maximumRuns: Int

    package init(
        flakeRate: BetaDistribution = .unknownTest, nonePrior: Double = 0.2, partialShare: Double = 0.1,
        wasTriggered: Bool = true, runCost: Double = 1, confidence: Double = 0.99, noneConfidence: Double? = nil,
        leastInformation: Double = 0.001, maximumRuns: Int? = nil
    ) {
        self.flakeRate = flakeRate
        self.nonePrior = nonePrior
        self.partialShare = partialShare
        self.wasTriggered = wasTriggered
        self.runCost = runCost
        self.confidence = confidence
        self.noneConfidence = noneConfidence ?? min(0.9, confidence)
        self.leastInformation = leastInformation
        self.maximumRuns = maximumRuns ?? (partialShare < 0.5 ? 80 : 400)
    }

    /// How often one commit breaks one test, for `nonePrior(flakeRate:suspects:)`.
    static let breaksPerCommit = 0.002

    /// The odds that a failure is the test's own: its flake rate against the chance that one of so many commits broke it.
    package static func nonePrior(flakeRate: BetaDistribution, suspects: Int) -> Double {
        let broken = 1 - RealMath.exp(Double(suspects) * RealMath.log1p(-breaksPerCommit))
        return flakeRate.mean / (flakeRate.mean + broken)
    }
}

/// A suspect, and how probable it is that it is to blame.
package struct RankedSuspect: Hashable, Sendable {
    package var revision: Revision
    package var probability: Double

    package init(revision: Revision, probability: Double) {
        self.revision = revision
        self.probability = probability
    }
}

/// How a search stands.
package enum CulpritStanding: Hashable, Sendable {
    /// Nothing is certain enough yet.
    case open
    /// The posterior names it, and still it must be seen to fail there, or to pass before.
    case unconfirmed(Revision, probability: Double)
    /// It fails there, passes before, and the posterior reaches the wanted confidence.
    case culprit(Revision, probability: Double)
    /// None of the suspects brought the failure.
    case none(probability: Double)
}

package struct CulpritSearch: Hashable, Sendable {
    /// The revision before the first suspect.
    package let green: Revision
    /// Oldest first. The last one is where the failure was seen: the head.
    package let suspects: [Revision]
    package let settings: CulpritSettings
    /// Prior probabilities of the suspects; with `settings.nonePrior` they add up to 1.
    let priors: [Double]
    let rates: CulpritRates
    /// What was seen, by position.
    private(set) var seen: [RunCounts]
    /// Positions that cannot be deployed or tested.
    private(set) var untestable: Set<Int> = []
    private let places: [Revision: Int]

    /// - weights: how suspicious each suspect is, in any unit; alike where it is nil. See `CulpritPriors`.
    package init(
        green: Revision, suspects: [Revision], weights: [Double]? = nil, settings: CulpritSettings = CulpritSettings()
    ) {
        precondition(!suspects.isEmpty, "a search needs a suspect")
        precondition(weights == nil || weights?.count == suspects.count, "one weight for each suspect")
        self.green = green
        self.suspects = suspects
        self.settings = settings
        let weights = weights ?? Array(repeating: 1, count: suspects.count)
        let sum = weights.reduce(0, +)
        priors = weights.map { $0 / sum * (1 - settings.nonePrior) }
        rates = CulpritRates(
            flakeRate: settings.flakeRate, partialShare: settings.partialShare, wasTriggered: settings.wasTriggered)
        seen = Array(repeating: RunCounts(), count: suspects.count + 1)
        places = Dictionary(
            ([green] + suspects).enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    package var head: Revision { suspects[suspects.count - 1] }
    package var runs: Int { seen.reduce(0) { $0 + $1.runs } }

    /// Adds what was seen on a revision; false where the search does not know it.
    @discardableResult
    package mutating func note(_ counts: RunCounts, on revision: Revision) -> Bool {
        guard let place = places[revision] else { return false }
        seen[place] = seen[place] + counts
        return true
    }

    /// Takes a revision out: it cannot be deployed, does not get stable, or the test cannot run on it.
    package mutating func markUntestable(_ revision: Revision) {
        if let place = places[revision] { untestable.insert(place) }
    }

    package func counts(on revision: Revision) -> RunCounts { places[revision].map { seen[$0] } ?? RunCounts() }

    package func position(of revision: Revision) -> Int? { places[revision] }

    package func revision(at position: Int) -> Revision { position == 0 ? green : suspects[position - 1] }

    package func isTestable(_ revision: Revision) -> Bool { places[revision].map { !untestable.contains($0) } ?? false }

    /// The posterior probability that no suspect is to blame.
    package var noneProbability: Double { CulpritPosterior(self).none }

    /// All suspects with their posterior probabilities, the likeliest first, the older one first among equals.
    package var ranked: [RankedSuspect] {
        let posterior = CulpritPosterior(self)
        let order = suspects.indices.sorted { one, other in
            let (a, b) = (posterior.suspects[one], posterior.suspects[other])
            return a == b ? one < other : a > b
        }
        return order.map { RankedSuspect(revision: suspects[$0], probability: posterior.suspects[$0]) }
    }

    package var standing: CulpritStanding { standing(CulpritPosterior(self)) }

    func standing(_ posterior: CulpritPosterior) -> CulpritStanding {
        if posterior.none >= settings.noneConfidence { return .none(probability: posterior.none) }
        guard let top = posterior.suspects.indices.max(by: { posterior.suspects[$0] < posterior.suspects[$1] }),
            posterior.suspects[top] >= settings.confidence
        else { return .open }
        let probability = posterior.suspects[top]
        let isSeen = seen[top + 1].fails > 0 && seen[top].passes > 0
        return isSeen
            ? .culprit(suspects[top], probability: probability)
            : .unconfirmed(suspects[top], probability: probability)
    }

    /// What the search believes of the rates: how often the test fails on good revisions and, where a commit is to
    /// blame, on bad ones.
    package var estimatedRates: (good: Double, bad: Double) {
        let posterior = CulpritPosterior(self)
        return (posterior.goodRate, posterior.badRate)
    }
}
