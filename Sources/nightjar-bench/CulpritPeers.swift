// SPDX-License-Identifier: Apache-2.0
//
// Culprit searches side by side: ours, bisection as people do it, and flake-aware culprit finding after its description.

import Domain
import Foundation
import Triage

enum RealPower {
    static func power(_ base: Double, _ exponent: Double) -> Double { Foundation.pow(base, exponent) }
    static func exp(_ x: Double) -> Double { Foundation.exp(x) }
}

/// What a search said in the end, and what it spent.
struct CulpritOutcome {
    enum Answer: Equatable {
        case culprit(Int)
        case none
        /// It names nobody.
        case undecided
    }
    var answer = Answer.undecided
    var runs = 0
    var deploys = 0
}

/// Runs the test for a method and counts. The head is deployed when a search begins, because it just failed there.
struct CulpritRunner {
    let history: CulpritHistory
    private(set) var runs = 0
    private(set) var deploys = 0
    private var deployed: Int
    private var counts: [Int: Int] = [:]

    init(_ history: CulpritHistory) {
        self.history = history
        deployed = history.commits
    }

    mutating func fails(at position: Int) -> Bool {
        if position != deployed { deploys += 1 }
        deployed = position
        runs += 1
        counts[position, default: 0] += 1
        return history.fails(at: position, run: counts[position] ?? 0)
    }

    func outcome(_ answer: CulpritOutcome.Answer) -> CulpritOutcome {
        CulpritOutcome(answer: answer, runs: runs, deploys: deploys)
    }
}

/// One way to search.
struct CulpritMethod: Sendable {
    var name: String
    var search: @Sendable (CulpritHistory) -> CulpritOutcome

    /// No method may run the test more often.
    static let budget = 400

    // MARK: - Bisection

    enum Vote: Sendable {
        case once
        /// The majority of three; two alike are enough.
        case majority
        /// Bad only where so many runs fail; one pass is good.
        case all(Int)
    }

    /// `git bisect` takes the head for bad and the last green revision for good; `checkingHead` looks at the head first.
    static func bisect(_ name: String, _ vote: Vote, checkingHead: Bool) -> CulpritMethod {
        CulpritMethod(name: name) { history in
            var runner = CulpritRunner(history)
            func isBad(_ position: Int) -> Bool {
                switch vote {
                case .once: return runner.fails(at: position)
                case .majority:
                    let first = runner.fails(at: position)
                    let second = runner.fails(at: position)
                    return first == second ? first : runner.fails(at: position)
                case .all(let count): return (0..<count).allSatisfy { _ in runner.fails(at: position) }
                }
            }
            if checkingHead, !isBad(history.commits) { return runner.outcome(.none) }
            var (good, bad) = (0, history.commits)
            while bad - good > 1 {
                let middle = (good + bad) / 2
                if isBad(middle) { bad = middle } else { good = middle }
            }
            return runner.outcome(.culprit(bad - 1))
        }
    }

    // MARK: - Flake-aware culprit finding

    /// After the public description of Henderson et al., "Flake Aware Culprit Finding", ICST 2023: hypotheses C1 to Cn
    /// and "no culprit"; a run at i passes with probability 0 where Cj with j <= i, and fails with the flake rate elsewhere;
    /// the next run is at the first i whose cumulative posterior reaches one half, or at the last; it ends at a
    /// posterior threshold. It gets the priors that ours gets, and the flake rate from the same past.
    ///
    /// That rule asks the same question for ever where one suspect holds more than half of the posterior and an earlier
    /// one some of the rest: a run at the former fails, whichever of them it is. `nearest` takes instead the position
    /// whose cumulative posterior is nearest to one half.
    static func flakeAware(
        _ name: String, threshold: Double, knowsRate: Bool = false, nearest: Bool = true
    ) -> CulpritMethod {
        CulpritMethod(name: name) { history in
            var runner = CulpritRunner(history)
            let estimate = (Double(history.past.fails) + 0.5) / (Double(history.past.runs) + 1)
            let rate = min(0.999, max(1e-4, knowsRate ? history.flakeRate : estimate))
            let sum = history.weights.reduce(0, +)
            var posterior = history.weights.map { $0 / sum * (1 - CulpritMix.noneShare) } + [CulpritMix.noneShare]
            while runner.runs < budget {
                let top = posterior.indices.max { posterior[$0] < posterior[$1] } ?? 0
                if posterior[top] >= threshold {
                    return runner.outcome(top == history.commits ? .none : .culprit(top))
                }
                var cumulative = 0.0
                var next = history.commits - 1
                for index in 0..<history.commits {
                    let before = cumulative
                    cumulative += posterior[index]
                    if cumulative >= 0.5 {
                        let isFirstNearer = nearest && index > 0 && 0.5 - before < cumulative - 0.5
                        next = isFirstNearer ? index - 1 : index
                        break
                    }
                }
                let isFail = runner.fails(at: next + 1)
                for index in posterior.indices {
                    let isBad = index <= next
                    posterior[index] *= isFail ? (isBad ? 1 : rate) : (isBad ? 0 : 1 - rate)
                }
                let all = posterior.reduce(0, +)
                // Every hypothesis is refuted: a partial culprit passed where its own model cannot.
                guard all > 0 else { return runner.outcome(.undecided) }
                for index in posterior.indices { posterior[index] /= all }
            }
            return runner.outcome(.undecided)
        }
    }

    // MARK: - Ours

    /// - deployCost: in runs of the test.
    /// - confidence: the posterior at which it names a culprit, or none.
    static func nightjar(_ name: String, deployCost: Double, confidence: Double = 0.99) -> CulpritMethod {
        CulpritMethod(name: name) { history in
            var runner = CulpritRunner(history)
            let suspects = (1...history.commits).map { Revision("\($0)") }
            let settings = CulpritSettings(
                flakeRate: BetaDistribution.unknownTest.after(history.past), nonePrior: CulpritMix.noneShare,
                confidence: confidence)
            var search = CulpritSearch(
                green: Revision("0"), suspects: suspects, weights: history.weights, settings: settings)
            var deployed: Revision? = search.head
            while let step = search.next(deployed: deployed, deployCost: deployCost) {
                let position = search.position(of: step.revision) ?? 0
                for _ in 0..<step.times[0] {
                    let isFail = runner.fails(at: position)
                    search.note(isFail ? RunCounts(fails: 1) : RunCounts(passes: 1), on: step.revision)
                }
                deployed = step.revision
            }
            switch search.standing {
            case .culprit(let revision, _):
                return runner.outcome(.culprit((search.position(of: revision) ?? 0) - 1))
            case .none: return runner.outcome(.none)
            case .open, .unconfirmed: return runner.outcome(.undecided)
            }
        }
    }

    static let all = [
        nightjar("nightjar, a deploy costs 10 runs", deployCost: 10),
        nightjar("nightjar, a deploy costs 1 run", deployCost: 1),
        nightjar("nightjar, deploys are free", deployCost: 0),
        nightjar("nightjar, deploys are free, 0.92", deployCost: 0, confidence: 0.92),
        bisect("git bisect", .once, checkingHead: false),
        bisect("git bisect, head run again first", .once, checkingHead: true),
        bisect("bisect, majority of 3, head first", .majority, checkingHead: true),
        bisect("bisect, bad if 3 of 3 fail, head first", .all(3), checkingHead: true),
        bisect("bisect, bad if 8 of 8 fail, head first", .all(8), checkingHead: true),
        flakeAware("flake-aware 0.9999, as described", threshold: 0.9999, nearest: false),
        flakeAware("flake-aware 0.9999, nearest to half", threshold: 0.9999),
        flakeAware("flake-aware 0.99, nearest to half", threshold: 0.99),
        flakeAware("flake-aware 0.9999, told the true rate", threshold: 0.9999, knowsRate: true, nearest: false),
    ]
}
