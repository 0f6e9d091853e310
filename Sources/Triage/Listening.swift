// SPDX-License-Identifier: Apache-2.0
// Where services answer and say that they are not well, the tests are run once all the same: not for a verdict, but for
// what fails to say why. A health check says that something is away; who tried to use it says how.

import Domain

enum Listening {
    /// Suites of the highest priority that are run, at most.
    private static let most = 4

    static func experiment(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        guard accounts.contains(where: isWorthIt), facts.allowance.experiments.contains(.rerun),
            facts.allowance.seconds > 0, facts.experiments.isEmpty
        else { return nil }
        let chosen = suites(facts)
        guard !chosen.isEmpty else { return nil }
        return Experiment(
            number: facts.allowance.nextNumber, kind: .rerun,
            question: "listen: \(chosen.map(\.suite).joined(separator: ", ")) once, for what the failures say",
            revision: facts.wanted, tests: chosen, times: 1)
    }

    /// Whole suites of the first priority that blocks and that the pass did not come to.
    static func suites(_ facts: TriageCase) -> [Experiment.Selection] {
        let able = facts.suites.filter { $0.status == .notRun && $0.blocking }
        guard let first = able.map(\.priority).min() else { return [] }
        return able.filter { $0.priority == first }.prefix(most).map { Experiment.Selection(suite: $0.name, only: []) }
    }

    /// Some answer and are not well; where nothing answers, or something else than was deployed, tests say nothing more.
    private static func isWorthIt(_ account: Account) -> Bool {
        guard case .getsStable = account.suspicion.predicate, account.wrong == nil, account.known == nil else {
            return false
        }
        let ailing = account.suspicion.ailing(account.facts)
        return !ailing.isEverything && !(ailing.dependencies.isEmpty && ailing.unwell.isEmpty)
    }

    /// What failed when the tests were run in an environment that is not well.
    static func heard(_ account: Account) -> [(result: TestResult, folder: String)] {
        guard case .getsStable = account.suspicion.predicate else { return [] }
        let facts = account.facts
        return facts.current
            .filter { $0.run.kind == .test && $0.run.purpose == .rerun && $0.run.revision == facts.wanted }
            .flatMap { record in
                (record.suite?.notPassed ?? []).filter(\.outcome.isFailure).map { ($0, record.run.folder) }
            }
    }
}
