// SPDX-License-Identifier: Apache-2.0
// Tests that are new or changed and passed their one run are run several times more before the revision may be healthy: a
// test that fails three times in ten passes its first run seven times in ten.

import Domain

enum BurnIn {
    /// What starting a suite is taken to cost at most, where only a few of its tests are run, seconds.
    private static let start = 5.0

    /// Alone first, then with all of their suite: some tests fail by what another one leaves behind.
    static func experiment(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        guard let settings = facts.burnIn, settings.runs > 0, !facts.changedTests.isEmpty,
            facts.allowance.experiments.contains(.burnIn), facts.allowance.seconds > 0,
            !Investigator.wasRefused(.burnIn, facts), !accounts.contains(where: isOfTheGround)
        else { return nil }
        let done = facts.experiments.count { $0.experiment.kind == .burnIn }
        let spent = facts.records.filter { $0.run.purpose == .burnIn }.reduce(0) { $0 + $1.durationSeconds }
        let left = min(settings.budgetSeconds - spent, facts.allowance.seconds)
        let failing = Set(accounts.flatMap { $0.suspicion.results.map(\.id) })
        let tests = facts.changedTests.filter { !failing.contains($0.id) }.prefix(settings.tests)
        let inCompany = settings.runs / 3
        switch done {
        case 0: return alone(Array(tests), settings.runs - inCompany, left, facts)
        case 1 where inCompany > 0 && !hasFailed(facts): return together(Array(tests), inCompany, left, facts)
        default: return nil
        }
    }

    /// Where nothing works, or nearly nothing, no test can be tried.
    private static func isOfTheGround(_ account: Account) -> Bool {
        guard account.isOfTests, !account.suspicion.isMass else { return true }
        return account.suspicion.mayBeSurroundings && !account.healed && !account.comesAndGoes
    }

    private static func hasFailed(_ facts: TriageCase) -> Bool {
        facts.records.contains { $0.run.purpose == .burnIn && ($0.suite?.totals.failing ?? 0) > 0 }
    }

    private static func alone(
        _ tests: [ChangedTest], _ runs: Int, _ left: Double, _ facts: TriageCase
    ) -> Experiment? {
        var selections: [Experiment.Selection] = []
        for test in tests {
            if let index = selections.firstIndex(where: { $0.suite == test.suite }) {
                selections[index].only.append(test.id)
            } else {
                selections.append(Experiment.Selection(suite: test.suite, only: [test.id]))
            }
        }
        let once = tests.reduce(0) { $0 + $1.seconds } + Double(selections.count) * start
        let times = min(runs, Int(left / max(once, 0.1)))
        guard !selections.isEmpty, times > 0 else { return nil }
        let count = tests.count == 1 ? "1 test that is" : "\(tests.count) tests that are"
        return Experiment(
            number: facts.allowance.nextNumber, kind: .burnIn,
            question: "burn-in: \(count) new or changed since last green, \(times)x alone: do they pass each time?",
            revision: facts.wanted, tests: selections, times: times)
    }

    private static func together(
        _ tests: [ChangedTest], _ runs: Int, _ left: Double, _ facts: TriageCase
    ) -> Experiment? {
        var left = left
        var suites: [String] = []
        for test in tests where !suites.contains(test.suite) {
            let whole = facts.records.last { $0.run.subject == test.suite && $0.run.only == nil && $0.suite != nil }
            guard let whole, whole.durationSeconds * Double(runs) <= left else { continue }
            left -= whole.durationSeconds * Double(runs)
            suites.append(test.suite)
        }
        guard !suites.isEmpty else { return nil }
        return Experiment(
            number: facts.allowance.nextNumber, kind: .burnIn,
            question: "burn-in: all of \(suites.joined(separator: ", ")) \(runs)x: do they pass beside the others?",
            revision: facts.wanted, tests: suites.map { Experiment.Selection(suite: $0, only: []) }, times: runs)
    }
}
