// SPDX-License-Identifier: Apache-2.0
// Which experiment tells most next, or what is concluded. The order is by cost: run again (no deploy), the same revision
// deployed once more where the surroundings are suspected, last green now (one deploy each), then a binary search over
// the commits between (a deploy a step). docs/triage.md explains.

import Domain

package enum Investigator {
    /// Runs beyond the first that a failing test gets on the same revision before it is called deterministic.
    static let reruns = 3
    /// A test that hangs costs its whole limit each time.
    static let rerunsOfHanging = 2
    /// Runs of the tests on each other revision.
    static let runsElsewhere = 2

    package static func next(_ facts: TriageCase) -> TriageAnswer {
        let suspicions = Suspicion.all(in: facts)
        if let experiment = rerun(suspicions, facts) { return .experiment(experiment) }
        // What a redeployment is to cure, and what an earlier cycle has proven, needs no deployment to learn.
        let open = suspicions.filter { suspicion in
            isDeterministic(suspicion, facts) && Conclusions.known(suspicion, facts) == nil
                && !(suspicion.wrongRevision(facts) != nil && !wasRedeployed(facts))
        }
        if let experiment = elsewhere(open, facts) { return .experiment(experiment) }
        return .concluded(Conclusions.incidents(suspicions, facts))
    }

    // MARK: - Again, on the same revision

    private static func rerun(_ suspicions: [Suspicion], _ facts: TriageCase) -> Experiment? {
        guard facts.allowance.experiments.contains(.rerun), facts.allowance.seconds > 0, !wasRefused(.rerun, facts),
            !facts.experiments.contains(where: { $0.experiment.kind == .rerun && isCurrent($0, facts) })
        else { return nil }
        let failing = suspicions.filter { if case .passes = $0.predicate { true } else { false } }
        let selections = merged(failing)
        guard !selections.isEmpty else { return nil }
        let times = suspicions.contains(where: \.hangs) ? rerunsOfHanging : reruns
        let count = selections.reduce(0) { $0 + $1.only.count }
        return Experiment(
            number: facts.allowance.nextNumber, kind: .rerun,
            question:
                "rerun \(count) failing \(count == 1 ? "test" : "tests") \(times)x alone: deterministic or flaky?",
            revision: facts.wanted, tests: selections, times: times)
    }

    private static func isCurrent(_ record: ExperimentRecord, _ facts: TriageCase) -> Bool {
        facts.current.contains { $0.run.experiment == record.experiment.number }
    }

    private static func wasRedeployed(_ facts: TriageCase) -> Bool {
        facts.records.contains { $0.run.kind == .deploy && $0.run.purpose == .redeploy }
    }

    private static func wasRefused(_ kind: Experiment.Kind, _ facts: TriageCase) -> Bool {
        facts.experiments.contains { $0.refused && $0.experiment.kind == kind }
    }

    static func isDeterministic(_ suspicion: Suspicion, _ facts: TriageCase) -> Bool {
        let here = suspicion.observation(on: facts.wanted, in: facts.current)
        if case .passes = suspicion.predicate { return here.isFailing }
        return here.fails > 0
    }

    // MARK: - On other revisions

    private static func elsewhere(_ open: [Suspicion], _ facts: TriageCase) -> Experiment? {
        guard let green = facts.lastGreen, facts.allowance.deploysBarred == nil, facts.allowance.deploys > 0,
            facts.allowance.seconds > 0
        else { return nil }
        for suspicion in open where suspicion.wrongRevision(facts) == nil {
            let again = suspicion.again(facts)
            if again.isPassing { continue }
            if suspicion.mayBeSurroundings, again == Observation(), mayBisect(facts) {
                return experiment(
                    .bisect, facts.wanted, "deploy \(facts.wanted.short) once more: does the failure come back?", open,
                    facts)
            }
            let there = suspicion.observation(on: green, in: Suspicion.afterDeployments(facts))
            if there == Observation() {
                guard facts.allowance.experiments.contains(.baseline), !wasRefused(.baseline, facts) else { return nil }
                return experiment(
                    .baseline, green, "last green \(green.short), now: the code or the environment?", open,
                    facts)
            }
            let search = Search(suspicion, facts)
            guard there.isPassing, mayBisect(facts), let step = search.next else { continue }
            let left = search.suspects.count
            let question =
                left == 1
                ? "bisect: 1 suspect; deploy \(step.short) once more: does the failure come back?"
                : "bisect: \(left) suspects, at most \(Search.deploysNeeded(left)) deploys of \(facts.allowance.deploys) left; \(step.short)?"
            return experiment(.bisect, step, question, open, facts)
        }
        return nil
    }

    private static func mayBisect(_ facts: TriageCase) -> Bool {
        facts.allowance.experiments.contains(.bisect) && !wasRefused(.bisect, facts)
    }

    private static func experiment(
        _ kind: Experiment.Kind, _ revision: Revision, _ question: String, _ open: [Suspicion], _ facts: TriageCase
    ) -> Experiment {
        // A suite that is run whole is long, and its evidence is no matter of luck.
        let isWhole = open.allSatisfy { if case .proves = $0.predicate { true } else { false } }
        return Experiment(
            number: facts.allowance.nextNumber, kind: kind, question: question, revision: revision, tests: merged(open),
            times: isWhole ? 1 : runsElsewhere, plannedDeploys: 1)
    }

    /// Several suspicions share one deployment: their tests are run together.
    private static func merged(_ suspicions: [Suspicion]) -> [Experiment.Selection] {
        var all: [Experiment.Selection] = []
        for selection in suspicions.flatMap(\.selections) {
            if let index = all.firstIndex(where: { $0.suite == selection.suite }) {
                all[index].only += selection.only.filter { !all[index].only.contains($0) }
            } else {
                all.append(selection)
            }
        }
        return all
    }
}

/// Plain binary search over the commits after the last green one, by what was observed after deployments. The pass of
/// the cycle itself does not count: what it saw may have been the surroundings.
struct Search {
    /// Commits that may have brought the failure, oldest first.
    let suspects: [CommitInfo]
    /// The commit that is confirmed: it fails, its parent passes.
    let culprit: CommitInfo?
    /// Where to look next; nil where the search is over or stuck.
    let next: Revision?

    init(_ suspicion: Suspicion, _ facts: TriageCase) {
        let commits = facts.commits
        let deployed = Suspicion.afterDeployments(facts)
        let seen = commits.map { suspicion.observation(on: $0.revision, in: deployed) }
        let firstFailing = seen.indices.first { seen[$0].isFailing } ?? commits.indices.last
        guard let firstFailing else {
            suspects = []
            culprit = nil
            next = nil
            return
        }
        let lastPassing = seen.indices.last { $0 < firstFailing && seen[$0].isPassing }
        let start = lastPassing.map { $0 + 1 } ?? 0
        suspects = Array(commits[start...firstFailing])
        let isBounded = seen[firstFailing].isFailing
        culprit = suspects.count == 1 && isBounded ? suspects.first : nil
        let inner = Array(start..<firstFailing).filter { !seen[$0].untestable && !seen[$0].isMixed }
        let middle = (start + firstFailing) / 2
        if suspects.count > 1 {
            next = inner.min { abs($0 - middle) < abs($1 - middle) }.map { commits[$0].revision }
        } else {
            next = seen[firstFailing] == Observation() ? commits[firstFailing].revision : nil
        }
    }

    static func deploysNeeded(_ suspects: Int) -> Int {
        var steps = 0
        var left = suspects
        while left > 1 {
            left = (left + 1) / 2
            steps += 1
        }
        return steps
    }
}
