// SPDX-License-Identifier: Apache-2.0
// What is asked of a culprit that was found: does the failure go when it alone is taken back, and is it the code or the
// tests that it changed?

import Domain

enum Counterfactual {
    static func experiment(_ open: [Account], _ facts: TriageCase) -> Experiment? {
        crossed(open, facts) ?? revert(open, facts)
    }

    /// The tests as they were before the culprit, on its code: where it changed both, that tells which is at fault.
    private static func crossed(_ open: [Account], _ facts: TriageCase) -> Experiment? {
        guard Investigator.may(.crossed, facts) else { return nil }
        for account in open where account.isOfTests {
            guard let culprit = account.culprit, let parent = account.parent(of: culprit),
                let changed = account.changedTest, culprit.files.contains(changed),
                culprit.files.contains(where: { !FileKind.isTest($0) && !FileKind.isDocumentation($0) }),
                account.suspicion.suites.allSatisfy(facts.crossable.contains),
                !facts.experiments.contains(where: {
                    $0.experiment.kind == .crossed && $0.experiment.revision == culprit.revision
                })
            else { continue }
            let question =
                "\(culprit.revision.short) changed code and \(changed): do the tests of \(parent.short) fail on its code?"
            var experiment = Investigator.experiment(.crossed, culprit.revision, question, [account], facts)
            experiment.testsRevision = parent
            return experiment
        }
        return nil
    }

    /// The wanted revision without the culprit. Where the culprit is the newest commit this is its parent, which has passed.
    private static func revert(_ open: [Account], _ facts: TriageCase) -> Experiment? {
        guard Investigator.may(.revert, facts), facts.allowance.deploys >= 2 else { return nil }
        for account in open {
            guard let culprit = account.culprit, culprit.revision != facts.wanted, account.wrong == nil,
                facts.irrevertible[culprit.revision] == nil,
                !facts.experiments.contains(where: { $0.experiment.reverting == culprit.revision })
            else { continue }
            if case .proves = account.suspicion.predicate { continue }
            let sharing = open.filter { $0.culprit == culprit }
            let question = "\(facts.wanted.short) without \(culprit.revision.short): does the failure go?"
            var experiment = Investigator.experiment(
                .revert, Revision("revert-of-\(culprit.revision.id)"), question, sharing, facts)
            experiment.reverting = culprit.revision
            return experiment
        }
        return nil
    }
}
