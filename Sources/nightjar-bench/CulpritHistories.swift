// SPDX-License-Identifier: Apache-2.0
//
// Synthetic histories for culprit searches: commits of which one or none broke a test that may also fail by itself.

import Triage

/// Random numbers by counter: the same question has the same answer, whoever asks, and in whatever order.
struct Draws {
    var seed: UInt64

    /// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in 0..<1.
    func uniform(_ keys: UInt64...) -> Double {
        var state = Draws.mixed(seed)
        for key in keys { state = Draws.mixed(state ^ Draws.mixed(key)) }
        return Double(state >> 11) * 0x1p-53
    }

    /// Normal with mean 0 and variance 1: twelve uniform numbers less six are near enough.
    func normal(_ keys: UInt64...) -> Double {
        var sum = -6.0
        for number in 0..<12 as Range<UInt64> {
            var state = Draws.mixed(seed ^ Draws.mixed(number + 77))
            for key in keys { state = Draws.mixed(state ^ Draws.mixed(key)) }
            sum += Double(state >> 11) * 0x1p-53
        }
        return sum
    }
}

/// One history, and all that any method could see of it.
struct CulpritHistory {
    enum Kind: String, CaseIterable {
        /// A commit makes every run fail.
        case deterministic
        /// A commit makes a share of the runs fail.
        case partial
        /// The head failed by the test's own flakiness, or by a passing trouble of the surroundings.
        case none
    }
    var number: Int
    var commits: Int
    var flakeRate: Double
    var kind: Kind
    var culprit: Int?
    var partialRate = 1.0
    /// How suspicious each commit looks; all 1 where nothing is known of them.
    var weights: [Double]
    /// Runs on good revisions in the past: what any method may know of the flake rate.
    var past: RunCounts
    var draws: Draws

    /// The outcome of one run: position 0 is before the first commit. The n-th run at a position is the same for each
    /// method.
    func fails(at position: Int, run: Int) -> Bool {
        let isBad = culprit.map { position > $0 } ?? false
        let rate = isBad ? 1 - (1 - partialRate) * (1 - flakeRate) : flakeRate
        return draws.uniform(1, UInt64(number), UInt64(position), UInt64(run)) < rate
    }
}

/// How histories are made.
struct CulpritMix {
    var seed: UInt64
    /// Whether commits differ in how suspicious they look.
    var hasClues: Bool
    /// Fixed sizes and rates; nil for a mix of all.
    var commits: Int?
    var flakeRate: Double?
    /// As the reference simulation has it: no partial culprits.
    var isReference = false

    static let pastRuns = 100
    static let flakeRates = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3]
    static let noneShare = 0.4
    static let partialShare = 0.1
    /// The culprit's suspicion is drawn from a normal distribution so much above that of the others; the weight is the
    /// likelihood ratio. At 1.5 the culprit is in the first tenth in about six of ten histories.
    static let clue = 1.5

    func history(_ number: Int) -> CulpritHistory {
        let draws = Draws(seed: seed)
        let id = UInt64(number)
        // 8 to 1000 commits, each order of magnitude alike.
        let spread = RealPower.power(125, draws.uniform(2, id))
        let count = commits ?? min(1000, Int(8 * spread))
        let rate = flakeRate ?? Self.flakeRates[Int(draws.uniform(3, id) * Double(Self.flakeRates.count))]
        let share = draws.uniform(4, id)
        let kind: CulpritHistory.Kind =
            share < Self.noneShare
            ? .none : share < Self.noneShare + Self.partialShare && !isReference ? .partial : .deterministic
        let culprit = kind == .none ? nil : Int(draws.uniform(5, id) * Double(count))
        var history = CulpritHistory(
            number: number, commits: count, flakeRate: rate, kind: kind, culprit: culprit,
            weights: Array(repeating: 1, count: count), past: RunCounts(), draws: draws)
        if kind == .partial { history.partialRate = 0.2 + 0.7 * draws.uniform(6, id) }
        for run in 0..<Self.pastRuns {
            let isFail = draws.uniform(7, id, UInt64(run)) < rate
            history.past = history.past + (isFail ? RunCounts(fails: 1) : RunCounts(passes: 1))
        }
        guard hasClues else { return history }
        for commit in 0..<count {
            let score = draws.normal(8, id, UInt64(commit)) + (commit == culprit ? Self.clue : 0)
            history.weights[commit] = RealPower.exp(Self.clue * score - Self.clue * Self.clue / 2)
        }
        return history
    }
}
