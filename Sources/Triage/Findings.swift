// SPDX-License-Identifier: Apache-2.0
// What triage can say before it concludes: how failures are grouped, and what each experiment showed, value against
// threshold. For the log; nothing is decided here.

package import Domain

package enum Findings {
    /// Failures by signature, as they are before anything was asked about them.
    package static func grouping(_ facts: TriageCase) -> [Incident] {
        Suspicion.all(in: facts).map { suspicion in
            Incident(
                id: "", signature: suspicion.signature, title: suspicion.title, tests: suspicion.results.map(\.id),
                suites: suspicion.suites, firstSeen: facts.openedAt, firstCycle: facts.cycle)
        }
    }

    /// What the newest experiment came to; nil where it tells nothing.
    package static func newest(_ facts: TriageCase) -> String? {
        guard let last = facts.experiments.last, !last.refused else { return nil }
        let suspicions = Suspicion.all(in: facts)
        let asked = suspicions.filter { isAsked($0, last.experiment) }
        let accounts = asked.map { Account($0, facts, among: suspicions) }
        guard let first = accounts.first else { return nil }
        switch last.experiment.kind {
        case .rerun where accounts.contains(where: \.isOfTests):
            return behavior(accounts.filter(\.isOfTests), facts)
        case .bisect, .revert:
            return search(first, before(last, facts)) ?? weighed(first, before(last, facts))
        case .rerun, .baseline, .again, .crossed: return weighed(first, before(last, facts))
        case .burnIn: return nil
        }
    }

    private static func isAsked(_ suspicion: Suspicion, _ experiment: Experiment) -> Bool {
        if suspicion.results.isEmpty { return true }
        return experiment.tests.contains { selection in
            suspicion.suites.contains(selection.suite)
                && (selection.only.isEmpty || suspicion.results.contains { selection.only.contains($0.id) })
        }
    }

    /// The case as it was before an experiment.
    private static func before(_ experiment: ExperimentRecord, _ facts: TriageCase) -> TriageCase {
        var facts = facts
        facts.experiments.removeLast()
        facts.records.removeAll { $0.run.experiment == experiment.experiment.number }
        return facts
    }

    // MARK: - Deterministic or not

    /// The past of the tests and the probability that their failures are their own, against the rate of errors that is
    /// kept; of several the one that is the least sure.
    private static func behavior(_ accounts: [Account], _ facts: TriageCase) -> String? {
        if let loose = accounts.first(where: { $0.here.passes > 0 }) {
            let counts = RunCounts(fails: loose.here.fails, passes: loose.here.passes)
            let rate = RateInterval.jeffreys(counts)
            return "not deterministic: fails \(counts.fails)/\(counts.runs), "
                + "\(Numbers.exact(rate.low)) to \(Numbers.exact(rate.high)) of runs at 95 %; \(past(loose, facts))"
        }
        let judged = accounts.filter { $0.here.fails > 0 }.map { account in
            let judgement = FlakeJudgement(
                here: RunCounts(fails: account.here.fails, passes: account.here.passes),
                there: RunCounts(fails: account.green.fails, passes: account.green.passes),
                flakeRate: account.suspicion.flakeRate(facts))
            return (account: account, flaky: judgement.flaky)
        }
        guard let worst = judged.max(by: { $0.flaky < $1.flaky }) else { return nil }
        let wanted = Numbers.exact(Reruns.wanted)
        let verdict =
            worst.flaky <= Reruns.wanted ? "<= \(wanted): deterministic" : "> \(wanted): may be flaky all the same"
        return "\(past(worst.account, facts)); p(flake) \(Numbers.percent(worst.flaky)) \(verdict)"
    }

    /// `never failed in 40 runs before`, of the test that failed most often.
    private static func past(_ account: Account, _ facts: TriageCase) -> String {
        let suspicion = account.suspicion
        let known = suspicion.results.flatMap { result in
            suspicion.suites.compactMap { facts.history[TriageCase.historyKey(result.id, of: $0)] }
        }
        guard let worst = known.max(by: { ($0.failures, $1.runs) < ($1.failures, $0.runs) }), worst.runs > 0 else {
            return "not run before"
        }
        let runs = "\(worst.runs) \(worst.runs == 1 ? "run" : "runs") before"
        return worst.failures == 0 ? "never failed in \(runs)" : "failed in \(worst.failures) of \(runs)"
    }

    // MARK: - Whose fault

    /// How the likeliest explanation moved, what it needs, and what is ruled out by it.
    private static func weighed(_ account: Account, _ facts: TriageCase) -> String? {
        let now = Hypotheses(account, Signs(account))
        let suspicions = Suspicion.all(in: facts)
        let then = suspicions.first { $0.signature == account.suspicion.signature }.map { suspicion in
            let account = Account(suspicion, facts, among: suspicions)
            return Hypotheses(account, Signs(account))
        }
        let best = now.best
        guard best.category != .unknown else { return nil }
        let reached = Numbers.exact(best.probability)
        let before = then.map { Numbers.exact($0.probability(best.category)) }
        let moved = before.flatMap { $0 == reached ? nil : "\($0) -> " } ?? ""
        let sign = best.probability >= Diagnosing.likely ? ">=" : "<"
        let known = Set((then?.ruledOut(facts.rules) ?? []).map(\.category))
        let out = now.ruledOut(facts.rules).map(\.category).filter { !known.contains($0) }.prefix(3)
        let ruledOut = out.isEmpty ? "" : "; rules out \(out.map(\.rawValue).joined(separator: ", "))"
        return "\(best.category.rawValue) \(moved)\(reached) \(sign) "
            + "\(Numbers.exact(Diagnosing.likely))\(ruledOut)"
    }

    /// How the likeliest commit moved, against what it takes to name one; nil where none is searched for.
    private static func search(_ account: Account, _ facts: TriageCase) -> String? {
        guard let bayes = account.search.bayes, let top = account.search.ranked.first else { return nil }
        let suspicions = Suspicion.all(in: facts)
        let then = suspicions.first { $0.signature == account.suspicion.signature }.flatMap { suspicion in
            Account(suspicion, facts, among: suspicions).search.ranked.first { $0.commit == top.commit }?.probability
        }
        let reached = Numbers.exact(top.probability)
        let moved = then.map(Numbers.exact).flatMap { $0 == reached ? nil : "\($0) -> " } ?? ""
        let needed = Numbers.exact(bayes.settings.confidence)
        let figures = "\(top.commit.revision.short) \(moved)\(reached)"
        if account.culprit == top.commit {
            let proven = account.isProven && account.taken.runs > 0 ? ", and without it the failure is gone" : ""
            return "culprit \(figures) >= \(needed)\(proven)"
        }
        let left = account.search.suspects.count
        let sign = top.probability >= bayes.settings.confidence ? ">= \(needed), to be seen to fail" : "< \(needed)"
        return "likeliest \(figures) \(sign); \(left) \(left == 1 ? "suspect" : "suspects") left"
    }
}
