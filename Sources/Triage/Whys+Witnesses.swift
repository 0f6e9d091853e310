// SPDX-License-Identifier: Apache-2.0
// Which runs an answer cites: of each thing that is compared one that shows it, on the revision that the answer names.

import Domain

extension Whys {
    /// The runs behind what the experiments came to, in the order in which the comparison names them.
    func witnesses() -> [EvidenceReference] {
        let found: [EvidenceReference?]
        if let culprit = account.culprit {
            let parent = account.parent(of: culprit) ?? facts.lastGreen
            found = [
                witness(on: culprit.revision, fails: true), witness(on: parent, fails: false),
                takenBack(culprit.revision),
            ]
        } else if account.wrong != nil {
            let stages = facts.records.filter { $0.run.kind == .stabilize && $0.outcome != .succeeded }
            found = stages.prefix(3).map { facts.consoles[$0.run.folder] }
        } else if account.again.isPassing || account.comesAndGoes || account.healed {
            found = [witness(on: facts.wanted, fails: true), witness(on: facts.wanted, fails: false)]
        } else if account.passesOnGreen {
            found = [witness(on: facts.wanted, fails: true), witness(on: facts.lastGreen, fails: false)]
        } else if account.green.isFailing {
            found = [witness(on: facts.lastGreen, fails: true), witness(on: facts.wanted, fails: true)]
        } else {
            found = [witness(on: facts.wanted, fails: true)]
        }
        var references: [EvidenceReference] = []
        for reference in found.compactMap(\.self) where !references.contains(reference) { references.append(reference) }
        return references
    }

    /// A run on a revision that failed, or passed: one that was deployed for it if there is one, else the newest.
    func witness(on revision: Revision?, fails: Bool) -> EvidenceReference? {
        guard let revision else { return nil }
        let shown = (Suspicion.afterDeployments(facts) + facts.current.reversed()).lazy.filter { record in
            let seen = suspicion.observation(on: revision, in: [record])
            return fails ? seen.isFailing : seen.isPassing
        }
        return shown.compactMap { evidence(of: $0) }.first
    }

    /// A run without the culprit alone.
    private func takenBack(_ culprit: Revision) -> EvidenceReference? {
        let numbers = facts.experiments.map(\.experiment).filter { $0.kind == .revert && $0.reverting == culprit }
        return facts.records.lazy.filter { record in
            record.run.kind == .test && numbers.contains { $0.number == record.run.experiment }
        }.compactMap { evidence(of: $0) }.first
    }

    /// The line of a test of this suspicion, of one that failed if any did; else the end of the console.
    private func evidence(of record: StageRecord) -> EvidenceReference? {
        let folder = record.run.folder
        let failed = record.suite?.notPassed.filter(\.outcome.isFailure).map(\.id) ?? []
        let ids = suspicion.results.map(\.id)
        let ordered = ids.filter(failed.contains) + ids.filter { !failed.contains($0) }
        return ordered.lazy.compactMap { facts.reference($0, in: folder) }.first ?? facts.consoles[folder]
    }
}
