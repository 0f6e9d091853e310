// SPDX-License-Identifier: Apache-2.0
// The experiment with the most expected information per minute: how much less uncertain the causes would be after it, over
// the time it takes (Lindley, "On a measure of the information provided by an experiment", 1956).

import Domain

struct ExperimentChoice {
    /// Nothing is deployed where one explanation, or one kind of remedy, is this likely.
    static let certain = 0.97
    /// Nor for less than this, in bits over all open suspicions.
    static let leastGain = 0.05
    /// What a deployment and its proof are taken to cost where none was measured, seconds.
    private static let usualDeployment = 120.0

    let best: Experiment?

    init(_ open: [Account], _ facts: TriageCase) {
        let weighed = open.map { ($0, Hypotheses($0, Signs($0))) }
        var found: (gain: Double, experiment: Experiment)?
        for kind in [Experiment.Kind.again, .baseline] where Investigator.may(kind, facts) {
            let asking = weighed.filter { ExperimentChoice.isOpen(kind, $0.0) }
            guard !asking.isEmpty else { continue }
            let gain = asking.reduce(0) { $0 + ExperimentChoice.gain(kind, $1.0, $1.1) }
            let isNeeded = asking.contains { ExperimentChoice.isNeeded(kind, $0.0, $0.1) }
            guard gain >= ExperimentChoice.leastGain || isNeeded else { continue }
            let experiment = ExperimentChoice.experiment(kind, asking.map(\.0), gain, facts)
            var seconds = ExperimentChoice.seconds(experiment, facts)
            guard seconds <= facts.allowance.seconds else { continue }
            if kind == .baseline { seconds += ExperimentChoice.wayBack(asking.map(\.1), facts) }
            let rate = gain / max(seconds / 60, 0.01)
            if rate > found?.gain ?? -1 { found = (rate, experiment) }
        }
        best = found?.experiment
    }

    private static func isOpen(_ kind: Experiment.Kind, _ account: Account) -> Bool {
        switch kind {
        case .again:
            // What a suite reports is no matter of the surroundings.
            if case .proves = account.suspicion.predicate { return false }
            guard account.facts.experiments.count(where: { $0.experiment.kind == .again }) < 3 else { return false }
            // The redeployment of a wrong revision has asked already.
            return account.again == Observation() && account.wrong == nil
                && !account.green.isFailing && (account.green == Observation() || account.suspicion.mayBeSurroundings)
        case .baseline:
            // What lies there too, now and then, is measured: more often here than there is a difference all the same.
            let isUnclear = account.green.isMixed && account.green.runs < Reruns.measuring && !account.passesOnGreen
            return (account.green == Observation() || isUnclear) && !account.again.isPassing && !account.again.isMixed
        case .rerun, .bisect, .revert, .crossed, .burnIn: return false
        }
    }

    /// No commit is searched for before the last green revision has passed, nor, where the surroundings are suspected,
    /// before the wanted one has failed once more.
    private static func isNeeded(_ kind: Experiment.Kind, _ account: Account, _ hypotheses: Hypotheses) -> Bool {
        let ofCommits = hypotheses.probability(of: Conclusions.ofCommits)
        // However clear the words are: one deployment before the surroundings are blamed for what a commit may have done.
        let isUnasked = account.green.runs + account.again.runs == 0 && !account.facts.commits.isEmpty
        if isUnasked, ofCommits > 0.002 { return true }
        // The last green revision passes and the wanted one was not deployed once more: one deployment before the
        // surroundings are blamed, however much the words speak of them.
        if kind == .again, account.passesOnGreen, account.search.bayes != nil { return true }
        guard ofCommits > 0.2 else { return false }
        return kind == .baseline || account.suspicion.mayBeSurroundings
    }

    // MARK: - Information

    /// The expected loss of uncertainty, bits.
    static func gain(_ kind: Experiment.Kind, _ account: Account, _ hypotheses: Hypotheses) -> Double {
        guard hypotheses.best.probability < certain else { return 0 }
        let chances = account.facts.rules.shows[kind] ?? [:]
        let before = hypotheses.ranked.map(\.probability)
        let shows = hypotheses.ranked.map { chances[$0.category] ?? 0.5 }
        let failing = zip(before, shows).map { $0 * $1 }
        let passing = zip(before, shows).map { $0 * (1 - $1) }
        let chance = failing.reduce(0, +)
        let after =
            chance * Numbers.entropy(failing.map { $0 / max(chance, 1e-12) })
            + (1 - chance) * Numbers.entropy(passing.map { $0 / max(1 - chance, 1e-12) })
        return Numbers.entropy(before) - after
    }

    // MARK: - Cost

    /// What an experiment will take, from what deployments and tests took so far in this cycle.
    static func seconds(_ experiment: Experiment, _ facts: TriageCase) -> Double {
        let tests = experiment.tests.reduce(0) { $0 + seconds(of: $1, facts) } * Double(experiment.times)
        guard experiment.kind.deploys else { return tests }
        return deployment(facts) + tests
    }

    /// What leaves another revision behind costs the way back, except where a search among commits follows and pays it.
    private static func wayBack(_ asking: [Hypotheses], _ facts: TriageCase) -> Double {
        let search = asking.map { $0.probability(of: Conclusions.ofCommits) }.max() ?? 0
        return deployment(facts) * (1 - search)
    }

    static func deployment(_ facts: TriageCase) -> Double {
        let deploys = facts.records.filter { $0.run.kind == .deploy }.map(\.durationSeconds)
        let proofs = facts.records.filter { $0.run.kind == .stabilize && $0.outcome == .succeeded }.map(
            \.durationSeconds)
        guard let deploy = deploys.max() else { return usualDeployment }
        return deploy + (proofs.max() ?? 0)
    }

    /// The suite's start and its share of tests: a run of the whole suite is the upper bound.
    private static func seconds(of selection: Experiment.Selection, _ facts: TriageCase) -> Double {
        let runs = facts.records.filter { $0.run.kind == .test && $0.run.subject == selection.suite }
        let selected = runs.filter { $0.run.only != nil }.map(\.durationSeconds).max()
        return selected ?? runs.map(\.durationSeconds).max() ?? 10
    }

    private static func experiment(
        _ kind: Experiment.Kind, _ asking: [Account], _ gain: Double, _ facts: TriageCase
    ) -> Experiment {
        let bits = "\(Numbers.rounded(gain, 2)) bits expected"
        if kind == .again {
            let question = "deploy \(facts.wanted.short) once more: does the failure come back? (\(bits))"
            return Investigator.experiment(.again, facts.wanted, question, asking, facts)
        }
        let green = facts.lastGreen ?? facts.wanted
        let question = "last green \(green.short), now: the code or the environment? (\(bits))"
        var experiment = Investigator.experiment(.baseline, green, question, asking, facts)
        if asking.contains(where: \.green.isMixed) { experiment.times = Reruns.measuring }
        return experiment
    }
}
