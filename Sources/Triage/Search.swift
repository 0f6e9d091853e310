// SPDX-License-Identifier: Apache-2.0
// Which commit brought what a suspicion is about: the Bayesian search over what deployments showed, and its next step.

import Domain

struct Search {
    /// Named only where the posterior is this sure; for what comes and goes a little less, as runs are dear there.
    private static let confidence = 0.99
    private static let confidenceOfLuck = 0.98

    /// Nil without commits between the last green and the wanted revision.
    let bayes: CulpritSearch?
    /// All commits, the likeliest first.
    let ranked: [(commit: CommitInfo, probability: Double)]
    /// The commit that the posterior is sure of and that was seen to fail, its parent to pass; each deployed for it.
    let culprit: (commit: CommitInfo, probability: Double)?
    /// A commit of which the posterior is sure, and that must still be seen failing after a deployment.
    let unconfirmed: Revision?

    /// - undisturbed: runs on the wanted revision as the cycle had deployed it; nil where they may have seen the surroundings.
    /// - trivial: revisions that kept answering whatever was deployed. That they answer after their own deployment tells
    ///   nothing.
    init(
        _ suspicion: Suspicion, _ facts: TriageCase, undisturbed: RunCounts?, isLuck: Bool,
        trivial: Set<Revision> = []
    ) {
        guard let green = facts.lastGreen, !facts.commits.isEmpty, green != facts.wanted else {
            bayes = nil
            ranked = facts.commits.map { ($0, 1 / Double(facts.commits.count)) }
            culprit = nil
            unconfirmed = nil
            return
        }
        var search = CulpritSearch(
            green: green, suspects: facts.commits.map(\.revision),
            weights: Search.weights(suspicion, facts),
            settings: Search.settings(suspicion, facts, isLuck: isLuck))
        let deployed = Suspicion.afterDeployments(facts)
        var seen: [Revision: Observation] = [:]
        for revision in [green] + search.suspects {
            var observation = suspicion.observation(on: revision, in: deployed)
            if trivial.contains(where: { $0.names(revision) }) {
                observation.passes = 0
                search.markUntestable(revision)
            }
            seen[revision] = observation
            if observation.untestable, observation.runs == 0 { search.markUntestable(revision) }
        }
        // Where nothing that is deployed answers any more, failures tell nothing about commits either.
        let isSound = trivial.isEmpty || search.suspects.contains { (seen[$0]?.passes ?? 0) > 0 }
        for (revision, observation) in seen where isSound {
            search.note(RunCounts(fails: observation.fails, passes: observation.passes), on: revision)
        }
        if let undisturbed, isSound { search.note(undisturbed, on: search.head) }
        bayes = search
        let commits = Dictionary(facts.commits.map { ($0.revision, $0) }) { first, _ in first }
        let posterior = CulpritPosterior(search)
        ranked = zip(facts.commits, posterior.suspects).map { ($0, $1) }.sorted { $0.1 > $1.1 }
        switch search.standing(posterior) {
        case .culprit(let revision, let probability):
            let place = search.position(of: revision) ?? 1
            let before = seen[search.revision(at: place - 1)] ?? Observation()
            let fails = (seen[revision]?.fails ?? 0) > 0
            let passes = before.passes > 0 && (!isLuck || Search.isBeyondLuck(before, after: place, search))
            culprit = fails && passes ? commits[revision].map { ($0, probability) } : nil
            unconfirmed = fails && passes ? nil : passes ? revision : search.revision(at: place - 1)
        case .unconfirmed(let revision, _):
            culprit = nil
            unconfirmed = search.isTestable(revision) ? revision : nil
        case .open, .none:
            culprit = nil
            unconfirmed = nil
        }
    }

    /// Whether passes before the culprit are too many for luck at the rate seen from it on: one in a hundred.
    private static func isBeyondLuck(_ before: Observation, after place: Int, _ search: CulpritSearch) -> Bool {
        let counts = ([search.green] + search.suspects)[place...].map(search.counts(on:)).reduce(RunCounts(), +)
        // The lower end: that it was noticed at all makes the rate look higher than it is.
        let rate = RateInterval.jeffreys(counts, confidence: 0.8).low
        return Numbers.power(1 - rate, before.passes) <= 0.02
    }

    /// Stages that deploy and start are broken by what deploys, starts and configures, more than by anything else.
    private static func weights(_ suspicion: Suspicion, _ facts: TriageCase) -> [Double] {
        let weights = CulpritPriors.weights(facts.commits, failing: suspicion.results)
        if suspicion.isRepeated { return weights }
        return zip(facts.commits, weights).map { commit, weight in
            let isOfStages = commit.files.contains {
                switch suspicion.predicate {
                case .deploys, .getsStable:
                    Paths.isOfDeployment($0) || Paths.isMigration($0) || Paths.isConfiguration($0)
                case .proves, .passes, .meets: FileKind.isTest($0)
                }
            }
            return isOfStages ? 8 * weight : weight
        }
    }

    private static func settings(_ suspicion: Suspicion, _ facts: TriageCase, isLuck: Bool) -> CulpritSettings {
        guard case .passes = suspicion.predicate else {
            // A deployment, a proof or a whole suite hardly fails for no reason.
            return CulpritSettings(
                flakeRate: BetaDistribution(a: 0.02, b: 4), nonePrior: 0.05, partialShare: 0.02, confidence: 0.97)
        }
        return CulpritSettings(
            flakeRate: suspicion.flakeRate(facts), nonePrior: isLuck ? 0.3 : 0.1, partialShare: isLuck ? 0.9 : 0.1,
            confidence: isLuck ? confidenceOfLuck : confidence)
    }

    /// Suspects that are not ruled out: likelier than one in fifty of an even share.
    var suspects: [CommitInfo] {
        let floor = 0.02 / Double(max(1, ranked.count))
        return ranked.filter { $0.probability > floor }.map(\.commit)
    }

    // MARK: - The next step

    /// The next deployment for all suspicions whose cause is a commit; they share it.
    ///
    /// - beside: what comes and goes; its tests are run on the same deployments, which cost it nothing.
    static func experiment(_ open: [Account], beside: [Account], _ facts: TriageCase) -> Experiment? {
        guard let experiment = experiment(open, facts) else { return nil }
        let flakes = beside.filter { $0.isNewFlake && $0.search.culprit == nil }
        guard !flakes.isEmpty, experiment.tests.allSatisfy({ !$0.only.isEmpty }) else { return experiment }
        var shared = experiment
        shared.tests = Investigator.merged((open + flakes).map(\.suspicion), deployed: true)
        let once = ExperimentChoice.seconds(shared, facts) - ExperimentChoice.deployment(facts)
        // As many runs as the deployment takes time, at least those that were planned.
        let runs = Int(ExperimentChoice.deployment(facts) * Double(shared.times) / max(once, 0.1))
        shared.times = max(experiment.times, min(runs, besideRuns))
        return shared
    }

    /// Runs of what comes and goes on a deployment made for something else, at most.
    private static let besideRuns = 4

    private static func experiment(_ open: [Account], _ facts: TriageCase) -> Experiment? {
        guard Investigator.may(.bisect, facts) else { return nil }
        let searched = open.filter { account in
            guard account.passesOnGreen, !account.again.isPassing, !account.again.isMixed else { return false }
            if account.suspicion.mayBeSurroundings, account.wrong == nil, account.again == Observation() {
                return false
            }
            return account.search.culprit == nil && account.search.bayes != nil
        }
        if let experiment = control(searched, open, facts) { return experiment }
        let sound = searched.filter { $0.wrong == nil || $0.hasControl }
        guard !sound.isEmpty else { return nil }
        let first = sound.lazy.compactMap { account in account.search.unconfirmed.map { (account, $0) } }.first
        if let (account, revision) = first, account.asked(revision) < 2 {
            let question = "bisect: 1 suspect; deploy \(revision.short) once more: does the failure come back?"
            return Investigator.experiment(.bisect, revision, question, open, facts)
        }
        return scheduled(sound, open, facts, times: 2)
    }

    /// What keeps answering in spite of deployments may outlast any of them: then all fail, whichever commit began it. So the
    /// oldest suspect is deployed first, and where it is not what answers then, no search would be sound.
    private static func control(_ searched: [Account], _ open: [Account], _ facts: TriageCase) -> Experiment? {
        guard let oldest = facts.commits.first?.revision, oldest != facts.wanted,
            searched.contains(where: { $0.wrong != nil && !$0.hasControl }),
            !facts.experiments.contains(where: { $0.experiment.revision == oldest })
        else { return nil }
        let question = "\(oldest.short), the first after last green: does what is deployed answer at all?"
        return Investigator.experiment(.bisect, oldest, question, open, facts)
    }

    /// What comes and goes: whether the commits between brought that. It takes many runs, so only where the rate is high,
    /// and the test is not known to be flaky.
    static func experimentOfLuck(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        guard Investigator.may(.bisect, facts) else { return nil }
        let searched = accounts.filter { $0.isNewFlake && $0.search.culprit == nil && $0.search.bayes != nil }
        guard !searched.isEmpty else { return nil }
        // A flake that the last green revision has too was not brought by a commit: that is the first question.
        if searched.contains(where: { $0.green.runs < Reruns.measuring }), Investigator.may(.baseline, facts) {
            let green = facts.lastGreen ?? facts.wanted
            let question = "last green \(green.short), \(Reruns.measuring)x: was the test flaky there?"
            var experiment = Investigator.experiment(.baseline, green, question, searched, facts)
            experiment.times = Reruns.measuring
            return experiment
        }
        let first = searched.lazy.compactMap { account in account.search.unconfirmed.map { (account, $0) } }.first
        if let (account, revision) = first, account.asked(revision) < 4 {
            let question = "bisect: is it \(revision.short)'s child? \(Reruns.measuring)x on \(revision.short)"
            var experiment = Investigator.experiment(.bisect, revision, question, searched, facts)
            experiment.times = Reruns.measuring
            return experiment
        }
        return scheduled(searched, searched, facts, times: 4)
    }

    private static func scheduled(
        _ searched: [Account], _ open: [Account], _ facts: TriageCase, times least: Int
    ) -> Experiment? {
        let deployment = ExperimentChoice.deployment(facts)
        let searches = searched.compactMap(\.search.bayes)
        guard let step = CulpritSchedule(searches, deployCost: deployment).next(deployed: nil) else { return nil }
        let left = searched.first?.search.suspects.count ?? 0
        let likeliest = searched.first?.search.ranked.first.map {
            ", likeliest \($0.commit.revision.short) \(Numbers.percent($0.probability))"
        }
        let question =
            "bisect: \(left) \(left == 1 ? "suspect" : "suspects")\(likeliest ?? ""); \(step.revision.short)?"
        let kind: Experiment.Kind = step.revision == facts.lastGreen ? .baseline : .bisect
        guard Investigator.may(kind, facts) else { return nil }
        var experiment = Investigator.experiment(kind, step.revision, question, open, facts)
        if experiment.times > 1 { experiment.times = min(Limits.rerunsPerTest, max(least, step.times.max() ?? least)) }
        return experiment
    }
}

extension Suspicion {
    /// How often its tests are known to fail without a reason: the most flaky one counts.
    func flakeRate(_ facts: TriageCase) -> BetaDistribution {
        let known = results.flatMap { result in
            suites.compactMap { facts.history[TriageCase.historyKey(result.id, of: $0)] }
        }
        guard let worst = known.max(by: { $0.flakeRate < $1.flakeRate }) else { return .unknownTest }
        return .flakeRate(of: worst)
    }
}
