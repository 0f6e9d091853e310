// SPDX-License-Identifier: Apache-2.0
// How often failing tests are run again where they are, before anything is deployed: as often as the wanted error rate asks
// for, given each test's past, and as the budget allows.

import Domain

enum Reruns {
    /// The wanted probability that a failure called deterministic is the test's own.
    static let wanted = 0.01
    /// Runs that measure the rate of what came and went.
    static let measuring = Limits.rerunsPerTest
    /// Measurements of a missed target beside the first.
    private static let measurements = 2
    /// This share of the time that is left may go into looking again.
    private static let share = 0.15

    static func experiment(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        guard facts.allowance.experiments.contains(.rerun), facts.allowance.seconds > 0,
            !Investigator.wasRefused(.rerun, facts)
        else { return nil }
        let done = facts.experiments.count { $0.experiment.kind == .rerun && isCurrent($0, facts) }
        // What was seen to come and go already is not asked whether it does.
        // Nor is what only the order of the pass brings.
        let unseen = accounts.filter { $0.isRepeated && !$0.comesAndGoes && !$0.suspicion.isInOrder }
        if done == 0, !unseen.isEmpty { return first(unseen, facts) }
        // What is mixed was measured too little to be told from a moment's trouble.
        let isUntouched = !accounts.contains { $0.again.runs > 0 || $0.green.runs > 0 }
        let inCompany = accounts.filter {
            $0.suspicion.needsCompany && !$0.suspicion.isInOrder && $0.undisturbed.count < measuring
        }
        if isUntouched, done <= 2, !facts.experiments.contains(where: isOfCompany), !inCompany.isEmpty,
            let company = beside(inCompany, facts)
        {
            return company
        }
        let mixed = accounts.filter {
            $0.isOfTests && $0.undisturbed.contains(false) && $0.undisturbed.count < measuring
                && !$0.suspicion.needsCompany
        }
        guard done <= 1, !mixed.isEmpty, isUntouched else { return nil }
        return experiment(mixed, times: measuring, "how often does it fail, \(measuring)x alone", facts)
    }

    private static func isOfCompany(_ record: ExperimentRecord) -> Bool {
        record.experiment.kind == .rerun && record.experiment.tests.contains { $0.only.isEmpty }
    }

    /// Whole suites, where that is affordable: a test that never fails alone may fail by what others leave behind.
    private static func beside(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        let purpose = "it passes alone each time; does it fail beside the others?"
        guard var experiment = experiment(accounts, times: measuring, purpose, facts) else { return nil }
        let once = accounts.flatMap(\.suspicion.suites).reduce(into: [String: Double]()) { seconds, suite in
            let runs = facts.current.filter { $0.run.subject == suite && $0.run.only == nil }
            seconds[suite] = runs.map(\.durationSeconds).max() ?? 60
        }.values.reduce(0, +)
        experiment.times = min(measuring, Int(share * facts.allowance.seconds / max(once, 0.1)))
        guard experiment.times >= 2 else { return nil }
        let suites = experiment.tests.map(\.suite).joined(separator: ", ")
        experiment.question = "rerun all of \(suites) \(experiment.times)x: \(purpose)"
        return experiment
    }

    private static func first(_ failing: [Account], _ facts: TriageCase) -> Experiment? {
        let needed = failing.map { account in
            // A measurement has samples of its own.
            guard account.isOfTests else { return measurements }
            let counts = RunCounts(fails: max(1, account.undisturbed.count { $0 }))
            return FlakeJudgement.failuresNeeded(
                here: counts, flakeRate: account.suspicion.flakeRate(facts), wanted: wanted,
                limit: Limits.rerunsPerTest) ?? Limits.rerunsPerTest
        }
        let times = max(needed.max() ?? 0, 2)
        var experiment = experiment(
            failing, times: times, "deterministic or flaky? (p(flake) <= \(Numbers.exact(wanted)))", facts)
        experiment?.untilPass = true
        return experiment
    }

    private static func experiment(
        _ accounts: [Account], times: Int, _ purpose: String, _ facts: TriageCase
    ) -> Experiment? {
        let selections = Investigator.merged(accounts.map(\.suspicion))
        guard !selections.isEmpty else { return nil }
        var experiment = Experiment(
            number: facts.allowance.nextNumber, kind: .rerun, question: "", revision: facts.wanted, tests: selections,
            times: 1)
        let once = ExperimentChoice.seconds(experiment, facts)
        let affordable = Int(share * facts.allowance.seconds / max(once, 0.1))
        experiment.times = max(1, min(times, max(2, affordable)))
        let count = selections.reduce(0) { $0 + $1.only.count }
        if count == 0 {
            let suites = selections.map(\.suite).joined(separator: ", ")
            experiment.question = "measure again after \(suites), \(experiment.times)x: is it missed each time?"
            return experiment
        }
        experiment.question =
            "rerun \(count) failing \(count == 1 ? "test" : "tests") \(experiment.times)x alone: \(purpose)"
        return experiment
    }

    private static func isCurrent(_ record: ExperimentRecord, _ facts: TriageCase) -> Bool {
        facts.current.contains { $0.run.experiment == record.experiment.number }
    }
}
