// SPDX-License-Identifier: Apache-2.0
// What a grade rests on, for the log: the value, the threshold that it met or missed, and what was seen.

import Domain

extension Diagnosing {
    func grounds(_ category: Category, _ grade: Grade) -> String {
        let probability = hypotheses.probability(category)
        switch grade {
        case .proven: return proof
        case .unknown:
            let best = hypotheses.ranked.first { $0.category != .unknown }
            let words = best.map { "\($0.category.rawValue) \(Numbers.exact($0.probability))" } ?? "nothing fits"
            return "at best \(words) < \(Numbers.exact(Diagnosing.possible))"
        case .likely:
            if account.wrong != nil { return "another revision answers than was deployed" }
            if case .proves = account.suspicion.predicate { return "the evidence carries no pass" }
            let needed = hasAsked ? Diagnosing.likely : Diagnosing.likelyUnasked
            return "\(Numbers.exact(probability)) >= \(Numbers.exact(needed))\(seen)"
        case .possible:
            let needed = hasAsked ? Diagnosing.likely : Diagnosing.likelyUnasked
            if probability >= needed {
                return "\(Numbers.exact(probability)), and no experiment shows that the last green revision passes"
            }
            return "\(Numbers.exact(probability)) < \(Numbers.exact(needed))\(seen)"
        }
    }

    /// The culprit's probability against what is asked of it, and what was seen there and at its parent.
    private var proof: String {
        guard let culprit = account.culprit, let found = account.search.culprit else { return "" }
        let needed = account.search.bayes?.settings.confidence ?? 1
        let parent = account.parent(of: culprit).map { ", parent \($0.short) \(account.parentOfCulprit.words)" } ?? ""
        let taken = account.taken.runs > 0 ? ", without it \(account.taken.words)" : ""
        let sure = "\(Numbers.exact(found.probability)) >= \(Numbers.exact(needed))"
        return "\(sure): it \(account.atCulprit.words)\(parent)\(taken)"
    }

    private var seen: String { account.green.runs > 0 ? ", \(account.green.words) on last green" : "" }
}
