// SPDX-License-Identifier: Apache-2.0
// All explanations of one suspicion, weighed: log-odds from the prior, from rules and from what experiments showed, added
// up and normalized. This is naive Bayes (Good, "Probability and the Weighing of Evidence", 1950) with stated weights.

import Domain

struct Hypotheses {
    struct Entry: Hashable {
        var category: Category
        var probability: Double
        /// What spoke for or against it, the strongest first.
        var because: [Reasoned]
    }
    struct Reasoned: Hashable {
        /// Nats.
        var weight: Double
        var rule: String
        var says: String
    }

    /// Likeliest first.
    let ranked: [Entry]

    init(_ account: Account, _ signs: Signs) {
        let rules = account.facts.rules
        var reasons: [Category: [Reasoned]] = [:]
        for (category, found) in Hypotheses.ruled(rules, signs) { reasons[category, default: []] += found }
        for (category, found) in Hypotheses.shown(rules, account) { reasons[category, default: []] += found }
        let scores = Category.allCases.map { category -> (Category, Double) in
            let prior = max(rules.prior[category] ?? 0, 0.001)
            return (category, RealMath.log(prior) + (reasons[category] ?? []).reduce(0) { $0 + $1.weight })
        }
        let highest = scores.map(\.1).max() ?? 0
        let parts = scores.map { RealMath.exp($0.1 - highest) }
        let sum = parts.reduce(0, +)
        ranked = zip(scores, parts)
            .map { score, part in
                let because = (reasons[score.0] ?? []).sorted { abs($0.weight) > abs($1.weight) }
                return Entry(category: score.0, probability: part / sum, because: because)
            }
            .sorted { ($1.probability, $0.category.rawValue) < ($0.probability, $1.category.rawValue) }
    }

    var best: Entry { ranked.first ?? Entry(category: .unknown, probability: 0, because: []) }

    func probability(_ category: Category) -> Double { ranked.first { $0.category == category }?.probability ?? 0 }

    /// Rules that speak of a named part, and not of how the failure behaves.
    private static let ofParts: Set<String> = [
        "dependency-unwell", "one-service-silent", "all-services-silent", "answering-service", "health-problem",
        "address-problem", "name-problem", "certificate-problem", "disk-problem", "descriptor-problem", "clock-problem",
    ]

    /// The rules that spoke clearly for a category by words that stand in the evidence, or by a part that is named there.
    func telling(_ category: Category) -> Set<String> {
        let because = ranked.first { $0.category == category }?.because ?? []
        let clear = because.filter { $0.weight >= 1.5 }
        return Set(clear.filter { $0.says.contains("(\"") || Hypotheses.ofParts.contains($0.rule) }.map(\.rule))
    }

    func probability(of categories: Set<Category>) -> Double {
        ranked.reduce(0) { $0 + (categories.contains($1.category) ? $1.probability : 0) }
    }

    // MARK: - Weights

    private static func ruled(_ rules: TriageRules, _ signs: Signs) -> [Category: [Reasoned]] {
        var found: [Category: [Reasoned]] = [:]
        var grouped: [String: [Category: Reasoned]] = [:]
        for rule in rules.rules where signs.satisfies(rule) {
            let says = signs.hit(rule).map { "\(rule.says) (\"\($0.word)\" in \($0.place.rawValue))" } ?? rule.says
            let strength = signs.strength(rule)
            for (category, full) in rule.weights where full != 0 {
                let weight = strength * full
                let reasoned = Reasoned(weight: weight, rule: rule.name, says: says)
                guard let group = rule.group else {
                    found[category, default: []].append(reasoned)
                    continue
                }
                let strongest = grouped[group]?[category]
                if abs(strongest?.weight ?? 0) < abs(weight) { grouped[group, default: [:]][category] = reasoned }
            }
        }
        for members in grouped.values {
            for (category, reasoned) in members { found[category, default: []].append(reasoned) }
        }
        return found
    }

    /// What experiments say: the logarithm of how likely their outcome is under a category, against `unknown`.
    private static func shown(_ rules: TriageRules, _ account: Account) -> [Category: [Reasoned]] {
        var found: [Category: [Reasoned]] = [:]
        for outcome in Outcome.all(account) {
            let chances = rules.shows[outcome.kind] ?? [:]
            let reference = outcome.likelihood(.unknown, chances)
            for category in Category.allCases {
                let weight = RealMath.log(outcome.likelihood(category, chances) / reference)
                if abs(weight) < 0.05 { continue }
                found[category, default: []].append(
                    Reasoned(weight: weight, rule: outcome.kind.rawValue, says: outcome.words))
            }
        }
        return found
    }

    /// What an experiment showed, where it was one or the other.
    struct Outcome {
        var kind: Experiment.Kind
        var fails: Bool
        var runs: Int
        var words: String

        /// A cause that stays shows in all runs or in none; luck is asked anew each time.
        func likelihood(_ category: Category, _ chances: [Category: Double]) -> Double {
            let shows = chances[category] ?? 0.5
            let once = fails ? shows : 1 - shows
            // Passes alone: of a flake whose rate nobody knows, Beta(1, 3), and not that of the usual one.
            if category == .flakyTest, kind == .rerun, !fails { return 3 / (3 + Double(runs)) }
            return category == .flakyTest ? max(Numbers.power(once, runs), 1e-6) : once
        }

        static func all(_ account: Account) -> [Outcome] {
            var found: [Outcome] = []
            let reruns = account.undisturbed.dropFirst()
            let wanted = account.facts.wanted.short
            if account.isRepeated, !reruns.isEmpty, !reruns.contains(false), !account.comesAndGoes {
                found.append(
                    Outcome(
                        kind: .rerun, fails: true, runs: reruns.count,
                        words: "fails \(reruns.count)/\(reruns.count) run again alone"))
            }
            if account.healed, account.isRepeated {
                let passes = reruns.count { !$0 }
                found.append(
                    Outcome(
                        kind: .rerun, fails: false, runs: passes,
                        words: "passes \(passes)/\(passes) run again where it was"))
            }
            let again = account.again
            if again.isFailing || again.isPassing {
                found.append(
                    Outcome(
                        kind: .again, fails: again.isFailing, runs: again.runs,
                        words: "\(again.words) on \(wanted) deployed once more"))
            }
            let green = account.green
            // A test that changed since is no witness of what was before: its failure there tells nothing.
            // Where any deployment cures, that of the last green revision tells nothing of its own.
            if (green.isPassing && !again.isPassing) || (green.isFailing && account.changedTest == nil) {
                found.append(
                    Outcome(
                        kind: .baseline, fails: green.isFailing, runs: green.runs,
                        words: account.groundFault.map { "the last green revision \($0)" }
                            ?? "\(green.words) on the last green revision, now"))
            }
            return found
        }
    }

    // MARK: - For the record

    /// The explanations that are worth a line, likeliest first.
    var records: [HypothesisRecord] {
        ranked.filter { $0.probability >= 0.01 }.prefix(6).map { entry in
            HypothesisRecord(
                category: entry.category, probability: Numbers.rounded(entry.probability, 4),
                because: entry.because.prefix(6).map { "\(Numbers.signed($0.weight)) \($0.rule): \($0.says)" })
        }
    }

    /// Explanations that were likely enough to be thought of, and what speaks against them now.
    func ruledOut(_ rules: TriageRules) -> [RuledOut] {
        let whole = rules.prior.values.reduce(0, +)
        let thoughtOf = ranked.filter { $0.probability < 0.05 && (rules.prior[$0.category] ?? 0) >= 0.03 * whole }
        let found = thoughtOf.compactMap { entry -> RuledOut? in
            guard let against = entry.because.first(where: { $0.weight <= -2 }) else { return nil }
            return RuledOut(category: entry.category, because: against.says)
        }
        return Array(found.sorted { (rules.prior[$1.category] ?? 0) < (rules.prior[$0.category] ?? 0) }.prefix(6))
    }
}

extension Observation {
    var runs: Int { passes + fails }

    /// `fails 2/2`, `passes 2/2`, `fails 1/3`.
    var words: String { isPassing ? "passes \(passes)/\(runs)" : "fails \(fails)/\(runs)" }
}
