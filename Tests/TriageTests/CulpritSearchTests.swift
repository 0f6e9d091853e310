// SPDX-License-Identifier: Apache-2.0
// The search against brute-force Bayes on small cases, and against worlds whose culprit is known.

import Domain
import Foundation
import Testing

@testable import Triage

/// A small generator whose seed a failing test prints (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

/// Where each run ends as it does in truth.
struct CulpritWorld {
    var count: Int
    /// The bad suspect's number; nil where none is.
    var culprit: Int?
    var flakeRate = 0.0
    var badRate = 1.0
    var untestable: Set<Int> = []
    var random: SplitMix

    static let green = Revision("green")
    var suspects: [Revision] { (0..<count).map { Revision("c\($0)") } }

    mutating func fails(at position: Int) -> Bool {
        let isBad = culprit.map { position > $0 } ?? false
        return random.chance(isBad ? 1 - (1 - badRate) * (1 - flakeRate) : flakeRate)
    }

    /// Lets a search run to its end; the number of deployments and runs that it took.
    mutating func run(_ search: inout CulpritSearch, deployCost: Double) -> (deploys: Int, runs: Int) {
        var deployed: Revision? = search.head
        var deploys = 0
        while deploys < 200, let step = search.next(deployed: deployed, deployCost: deployCost) {
            if step.revision != deployed { deploys += 1 }
            deployed = step.revision
            let position = search.position(of: step.revision) ?? 0
            if untestable.contains(position) {
                search.markUntestable(step.revision)
                deployed = nil
                continue
            }
            for _ in 0..<step.times[0] {
                search.note(fails(at: position) ? RunCounts(fails: 1) : RunCounts(passes: 1), on: step.revision)
            }
        }
        return (deploys, search.runs)
    }
}

struct CulpritPosteriorTests {
    /// Every hypothesis and every pair of rates by itself, without logarithms, segments or sharing.
    static func bruteForce(_ search: CulpritSearch) -> [Double] {
        let rates = search.rates
        func likelihood(_ rate: Double, _ counts: RunCounts) -> Double {
            pow(rate, Double(counts.fails)) * pow(1 - rate, Double(counts.passes))
        }
        var weights: [Double] = []
        for hypothesis in search.suspects.indices {
            var sum = 0.0
            for pair in rates.pairs {
                var product = pair.weight
                for (position, counts) in search.seen.enumerated() {
                    product *= likelihood(position > hypothesis ? rates.bad[pair.bad] : rates.good[pair.good], counts)
                }
                sum += product
            }
            weights.append(sum * search.priors[hypothesis])
        }
        var none = 0.0
        for (rate, weight) in zip(rates.good, rates.noneWeights) {
            none += search.seen.reduce(weight) { $0 * likelihood(rate, $1) }
        }
        weights.append(none * search.settings.nonePrior)
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    @Test(arguments: 0..<60)
    func `the posterior is that of brute-force Bayes`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let count = Int.random(in: 1...9, using: &random)
        let settings = CulpritSettings(
            flakeRate: BetaDistribution(a: Double.random(in: 0.1...5, using: &random), b: 8),
            nonePrior: Double.random(in: 0.01...0.9, using: &random),
            partialShare: Double.random(in: 0...0.5, using: &random), wasTriggered: random.chance(0.5))
        var search = CulpritSearch(
            green: CulpritWorld.green, suspects: (0..<count).map { Revision("c\($0)") },
            weights: (0..<count).map { _ in Double.random(in: 0.1...3, using: &random) }, settings: settings)
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let position = Int.random(in: 0...count, using: &random)
            search.note(
                RunCounts(fails: Int.random(in: 0...4, using: &random), passes: Int.random(in: 0...4, using: &random)),
                on: search.revision(at: position))
        }
        let posterior = CulpritPosterior(search)
        let expected = Self.bruteForce(search)
        for (own, other) in zip(posterior.suspects + [posterior.none], expected) {
            #expect(abs(own - other) < 1e-9, "seed \(seed)")
        }
        #expect(abs(posterior.suspects.reduce(posterior.none, +) - 1) < 1e-12)
        #expect(abs(search.ranked.reduce(search.noneProbability) { $0 + $1.probability } - 1) < 1e-12)
    }

    /// The expected information, against the posterior after each outcome: what a step tells about "up to here, later,
    /// or none" is what it lowers that question's entropy by.
    @Test func `the offered information is the expected loss of entropy`() {
        var search = CulpritSearch(
            green: CulpritWorld.green, suspects: (0..<6).map { Revision("c\($0)") },
            settings: CulpritSettings(flakeRate: BetaDistribution(a: 2, b: 15)))
        search.note(RunCounts(fails: 2), on: Revision("c5"))
        search.note(RunCounts(fails: 1, passes: 1), on: Revision("c2"))
        func entropy(_ posterior: CulpritPosterior, _ position: Int) -> Double {
            let bad = posterior.isBad(at: position)
            return [bad, 1 - bad - posterior.none, posterior.none].reduce(0) { $0 - ($1 > 1e-15 ? $1 * log2($1) : 0) }
        }
        for position in 0...6 {
            let before = CulpritPosterior(search)
            // The probability that the next run fails, from the rates of each hypothesis.
            var failing = before.none * zip(before.noneRates, search.rates.good).reduce(0) { $0 + $1.0 * $1.1 }
            for segment in before.segments {
                for hypothesis in segment.start..<segment.end {
                    let weights = position > hypothesis ? segment.bad : segment.good
                    let rates = position > hypothesis ? search.rates.bad : search.rates.good
                    failing += before.suspects[hypothesis] * zip(weights, rates).reduce(0) { $0 + $1.0 * $1.1 }
                }
            }
            var after = 0.0
            for (counts, share) in [(RunCounts(fails: 1), failing), (RunCounts(passes: 1), 1 - failing)] {
                var next = search
                next.note(counts, on: search.revision(at: position))
                after += share * entropy(CulpritPosterior(next), position)
            }
            let expected = entropy(before, position) - after
            let offered = CulpritOffers(search).offers(at: position)[0]
            #expect(offered.times == 1)
            #expect(abs(offered.information - expected) < 1e-7, "position \(position)")
        }
    }
}

struct CulpritSearchTests {
    @Test(arguments: [1, 2, 3, 8, 40, 200])
    func `without noise every culprit is found and confirmed`(count: Int) {
        for culprit in stride(from: 0, to: count, by: max(1, count / 5)) {
            var world = CulpritWorld(count: count, culprit: culprit, random: SplitMix(state: 1))
            var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects)
            let spent = world.run(&search, deployCost: 10)
            guard case .culprit(let named, let probability) = search.standing else {
                Issue.record("\(culprit) of \(count): \(search.standing)")
                continue
            }
            #expect(named == Revision("c\(culprit)"))
            #expect(probability >= 0.99)
            #expect(search.counts(on: named).fails > 0)
            let parent = culprit == 0 ? CulpritWorld.green : Revision("c\(culprit - 1)")
            #expect(search.counts(on: parent).passes > 0)
            #expect(spent.deploys <= Int(log2(Double(count)).rounded(.up)) + 3, "\(culprit) of \(count): \(spent)")
        }
    }

    @Test func `the head is run again first`() {
        let search = CulpritSearch(green: CulpritWorld.green, suspects: (0..<20).map { Revision("c\($0)") })
        #expect(search.next(deployed: nil, deployCost: 10)?.revision == Revision("c19"))
        #expect(search.next(deployed: Revision("c3"), deployCost: 10)?.revision == Revision("c19"))
    }

    @Test func `no culprit is recognized on the head alone`() {
        var world = CulpritWorld(count: 50, culprit: nil, random: SplitMix(state: 3))
        var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects)
        let spent = world.run(&search, deployCost: 10)
        guard case .none = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(spent.deploys == 0)
    }

    @Test func `what fails on every revision blames none of them`() {
        var world = CulpritWorld(count: 12, culprit: nil, flakeRate: 1, random: SplitMix(state: 3))
        var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects)
        _ = world.run(&search, deployCost: 5)
        guard case .none = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(search.counts(on: CulpritWorld.green).fails > 0)
    }

    @Test func `a commit that cannot be deployed is stepped around and its neighbor named`() {
        var world = CulpritWorld(count: 16, culprit: 9, untestable: [4, 8, 12], random: SplitMix(state: 3))
        var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects)
        _ = world.run(&search, deployCost: 5)
        guard case .culprit(let named, _) = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(named == Revision("c9"))
    }

    @Test func `commits that cannot be told apart are ranked and not named`() {
        // Positions 9 and 10 cannot be deployed: the culprit is one of three commits.
        var world = CulpritWorld(count: 16, culprit: 9, untestable: [9, 10], random: SplitMix(state: 3))
        var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects)
        _ = world.run(&search, deployCost: 5)
        #expect(search.standing == .open)
        #expect(search.next(deployed: nil, deployCost: 5) == nil)
        #expect(Set(search.ranked.prefix(3).map(\.revision)) == [Revision("c8"), Revision("c9"), Revision("c10")])
        #expect(search.ranked.prefix(3).reduce(0) { $0 + $1.probability } > 0.97)
    }

    @Test func `a posterior alone names nobody`() {
        var weights = Array(repeating: 1e-6, count: 10)
        weights[4] = 1
        var search = CulpritSearch(
            green: CulpritWorld.green, suspects: (0..<10).map { Revision("c\($0)") }, weights: weights)
        search.note(RunCounts(fails: 6), on: Revision("c9"))
        guard case .unconfirmed(let top, _) = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(top == Revision("c4"))
        var world = CulpritWorld(count: 10, culprit: 4, random: SplitMix(state: 1))
        _ = world.run(&search, deployCost: 5)
        guard case .culprit = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(search.counts(on: Revision("c4")).fails > 0)
        #expect(search.counts(on: Revision("c3")).passes > 0)
    }

    @Test func `a misleading prior costs runs and not the truth`() {
        var weights = Array(repeating: 1.0, count: 30)
        weights[7] = 200
        var world = CulpritWorld(count: 30, culprit: 20, random: SplitMix(state: 5))
        var search = CulpritSearch(green: CulpritWorld.green, suspects: world.suspects, weights: weights)
        _ = world.run(&search, deployCost: 5)
        guard case .culprit(let named, _) = search.standing else {
            Issue.record("\(search.standing)")
            return
        }
        #expect(named == Revision("c20"))
    }

    /// Named culprits are right at least as often as the posterior says.
    @Test(arguments: [(0.05, 1.0), (0.3, 1.0), (0.02, 0.4)])
    func `named culprits are right nearly always`(flakeRate: Double, badRate: Double) {
        var named = 0
        var wrong = 0
        for seed in 0..<30 {
            var random = SplitMix(state: UInt64(seed) &+ 1000)
            let count = Int.random(in: 4...40, using: &random)
            let culprit = seed % 3 == 0 ? nil : Int.random(in: 0..<count, using: &random)
            var world = CulpritWorld(
                count: count, culprit: culprit, flakeRate: flakeRate, badRate: badRate, random: random)
            let history = BetaDistribution.unknownTest.after(
                RunCounts(fails: Int(flakeRate * 100), passes: Int(100 - flakeRate * 100)))
            var search = CulpritSearch(
                green: CulpritWorld.green, suspects: world.suspects,
                settings: CulpritSettings(
                    flakeRate: history, nonePrior: 0.33, partialShare: badRate < 1 ? 0.5 : 0.1, noneConfidence: 0.99))
            _ = world.run(&search, deployCost: 5)
            if case .culprit(let revision, _) = search.standing {
                named += 1
                if revision != culprit.map({ Revision("c\($0)") }) { wrong += 1 }
            }
        }
        #expect(named >= 15, "named \(named)")
        #expect(wrong <= 1, "wrong \(wrong) of \(named)")
    }

    @Test func `the budget of runs is kept`() {
        var world = CulpritWorld(count: 100, culprit: 40, flakeRate: 0.4, badRate: 0.2, random: SplitMix(state: 9))
        var search = CulpritSearch(
            green: CulpritWorld.green, suspects: world.suspects, settings: CulpritSettings(maximumRuns: 30))
        _ = world.run(&search, deployCost: 1)
        #expect(search.runs <= 30)
    }
}

struct CulpritScheduleTests {
    @Test func `two searches share their deployments`() {
        let suspects = (0..<32).map { Revision("c\($0)") }
        func spent(_ culprits: [Int]) -> (deploys: Int, named: [Revision?]) {
            var schedule = CulpritSchedule(
                culprits.map { _ in CulpritSearch(green: CulpritWorld.green, suspects: suspects) }, deployCost: 20)
            var deployed: Revision? = suspects.last
            var deploys = 0
            while deploys < 60, let step = schedule.next(deployed: deployed) {
                if step.revision != deployed { deploys += 1 }
                deployed = step.revision
                for (index, times) in step.times.enumerated() {
                    let isBad = (schedule.searches[index].position(of: step.revision) ?? 0) > culprits[index]
                    schedule.searches[index].note(
                        isBad ? RunCounts(fails: times) : RunCounts(passes: times), on: step.revision)
                }
            }
            return (
                deploys,
                schedule.searches.map { if case .culprit(let named, _) = $0.standing { named } else { nil } }
            )
        }
        let one = spent([11])
        #expect(one.named == [suspects[11]])
        let same = spent([11, 11])
        #expect(same.named == [suspects[11], suspects[11]])
        #expect(same.deploys <= one.deploys + 1)
        let apart = spent([5, 27])
        #expect(apart.named == [suspects[5], suspects[27]])
        #expect(apart.deploys < 2 * one.deploys)
    }

    @Test func `where a deployment is dear the tests run more often at each`() {
        var search = CulpritSearch(
            green: CulpritWorld.green, suspects: (0..<64).map { Revision("c\($0)") },
            settings: CulpritSettings(flakeRate: BetaDistribution(a: 30, b: 70)))
        search.note(RunCounts(fails: 4), on: search.head)
        let cheap = search.next(deployed: nil, deployCost: 0)
        let dear = search.next(deployed: nil, deployCost: 50)
        #expect((cheap?.times[0] ?? 0) < (dear?.times[0] ?? 0))
    }
}
