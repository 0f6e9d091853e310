// SPDX-License-Identifier: Apache-2.0
// What triage does next: look again without touching anything, then the experiment that tells most per minute, then the
// search for the commit; or it concludes. docs/triage.md explains.

import Domain

package enum Investigator {
    /// Runs of the tests on each other revision.
    static let runsElsewhere = 2

    package static func next(_ facts: TriageCase) -> TriageAnswer {
        let suspicions = Suspicion.all(in: facts)
        let accounts = suspicions.map { Account($0, facts, among: suspicions) }
        let open = accounts.filter(isOpen)
        // Deploying wipes away what could be seen: the tests are run again before anything is touched.
        let inPlace =
            Listening.experiment(accounts, facts) ?? Reruns.experiment(accounts, facts)
            ?? BurnIn.experiment(accounts, facts)
        let experiment =
            inPlace ?? ExperimentChoice(open, facts).best ?? Search.experiment(open, beside: accounts, facts)
            ?? Counterfactual.experiment(open, facts) ?? Search.experimentOfLuck(accounts, facts)
            ?? Muting.experiment(accounts, facts)
        return experiment.map(TriageAnswer.experiment) ?? .concluded(Conclusions.incidents(accounts, facts))
    }

    /// Whether deploying could tell more: not for what comes and goes, for what an earlier cycle has proven, and not before
    /// a redeployment has had its chance where another revision answers.
    private static func isOpen(_ account: Account) -> Bool {
        if account.known != nil { return false }
        if account.wrong != nil { return account.wasRedeployed }
        if account.isRepeated { return account.undisturbed.last == true && !account.comesAndGoes && !account.healed }
        return account.here.fails > 0 && !account.healed
    }

    // MARK: - What is allowed

    static func wasRefused(_ kind: Experiment.Kind, _ facts: TriageCase) -> Bool {
        facts.experiments.contains { $0.refused && $0.experiment.kind == kind }
    }

    static func may(_ kind: Experiment.Kind, _ facts: TriageCase) -> Bool {
        facts.allowance.experiments.contains(kind) && !wasRefused(kind, facts) && facts.allowance.seconds > 0
            && facts.allowance.deploysBarred == nil && facts.allowance.deploys > 0 && facts.lastGreen != nil
    }

    // MARK: - On a deployment made for it

    static func experiment(
        _ kind: Experiment.Kind, _ revision: Revision, _ question: String, _ open: [Account], _ facts: TriageCase
    ) -> Experiment {
        // A suite that is run whole is long, and its evidence is no matter of luck.
        let isWhole = open.allSatisfy {
            if case .proves = $0.suspicion.predicate { true } else { !$0.suspicion.before.isEmpty }
        }
        let order = open.first(where: \.suspicion.isInOrder).map {
            "; in the order of the pass: \($0.suspicion.before.joined(separator: ", "))"
        }
        var tests = merged(open.map(\.suspicion), deployed: true)
        let asksGround = kind == .baseline && tests.isEmpty
        if asksGround { tests = Ground.tests(open, facts) }
        return Experiment(
            number: facts.allowance.nextNumber, kind: kind, question: question + (order ?? ""), revision: revision,
            tests: tests, times: isWhole || asksGround ? 1 : runsElsewhere, plannedDeploys: 1)
    }

    /// Several suspicions share one deployment: their tests are run together, a few of each.
    static func merged(_ suspicions: [Suspicion], deployed: Bool = false) -> [Experiment.Selection] {
        let each = suspicions.count <= 4 ? 3 : suspicions.count <= 8 ? 2 : 1
        var all: [Experiment.Selection] = []
        for selection in suspicions.flatMap({ $0.representatives(each, deployed: deployed) }) {
            if let index = all.firstIndex(where: { $0.suite == selection.suite }) {
                // A suite that is run whole has all of its tests.
                let isWhole = all[index].only.isEmpty || selection.only.isEmpty
                all[index].only += selection.only.filter { !all[index].only.contains($0) }
                if isWhole { all[index].only = [] }
            } else {
                all.append(selection)
            }
        }
        return all
    }
}
