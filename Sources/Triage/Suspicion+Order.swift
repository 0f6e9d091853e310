// SPDX-License-Identifier: Apache-2.0
// What ran before a failure: some need the load, the limit or the company of the whole pass, and tell nothing alone.

import Domain

extension Suspicion {
    /// A pass up to the first failure may take this share of the time that triage has.
    private static let loadShare = 0.25

    /// A service answered, tests passed, and then it was gone: it may have been what they did to it.
    func underLoad(_ facts: TriageCase) -> Suspicion {
        guard before.isEmpty, isMass || looksLikeNetwork, !ailing(facts).unreachable.isEmpty else { return self }
        let pass = Suspicion.pass(facts)
        guard pass.contains(where: { ($0.suite?.totals.passed ?? 0) > 0 }) else { return self }
        var other = self
        other.before = suitesUpToFirstFailure(of: pass, facts)
        return other
    }

    /// Words of a limit that counts what was done before.
    private static let limits = [
        "429", "too many requests", "too_many", "rate limit", "rate_limit", "ratelimit", "throttl", "quota",
    ]

    /// A test that names a limit only met it; and one that fails each time in place, and passes alone on a fresh deployment
    /// of the same revision, may miss what ran before it. Both are asked in the order of the pass.
    func inOrder(_ facts: TriageCase) -> Suspicion {
        guard case .passes = predicate, meetsLimit || passesFresh(facts) else { return self }
        var other = self
        other.before = suitesUpToFirstFailure(of: Suspicion.pass(facts), facts)
        other.needsCompany = !other.before.isEmpty
        return other
    }

    private var meetsLimit: Bool {
        let messages = results.compactMap { $0.message?.lowercased() }
        let naming = messages.count { message in Suspicion.limits.contains(where: message.contains) }
        return naming > 0 && 2 * naming >= results.count
    }

    private func passesFresh(_ facts: TriageCase) -> Bool {
        guard !mayBeSurroundings else { return false }
        let tests = facts.records.filter { $0.run.kind == .test && $0.run.only != nil }
        let fresh = observation(on: facts.wanted, in: tests.filter(\.run.purpose.isDeployedExperiment))
        let inPlace = observation(on: facts.wanted, in: tests.filter { !$0.run.purpose.isDeployedExperiment })
        return fresh.isPassing && fresh.passes >= Investigator.runsElsewhere && inPlace.isFailing
    }

    /// Whole suites of the cycle's own pass.
    private static func pass(_ facts: TriageCase) -> [StageRecord] {
        facts.current.filter {
            $0.run.kind == .test && $0.run.only == nil && $0.run.experiment == nil && $0.run.revision == facts.wanted
        }
    }

    /// None where they take too long.
    private func suitesUpToFirstFailure(of pass: [StageRecord], _ facts: TriageCase) -> [String] {
        guard let first = pass.firstIndex(where: { suites.contains($0.run.subject ?? "") }) else { return [] }
        let chosen = pass[...first]
        let seconds = chosen.reduce(0) { $0 + $1.durationSeconds }
        // What is left and what was spent: the answer stays the same while triage goes on.
        let spent = facts.records.filter { $0.run.experiment != nil }.reduce(0) { $0 + $1.durationSeconds }
        guard seconds <= Suspicion.loadShare * (facts.allowance.seconds + spent) else { return [] }
        var names: [String] = []
        for name in chosen.compactMap(\.run.subject) where !names.contains(name) { names.append(name) }
        return names
    }

    /// Runs alone without a failure after which a test is asked beside the others.
    private static let aloneIsEnough = 5

    /// What never fails alone, on the revision where it fails with others, may fail by what others leave behind.
    func inCompany(_ facts: TriageCase) -> Suspicion {
        guard case .passes = predicate, !isMass, !needsCompany else { return self }
        let own = facts.current.filter {
            $0.run.kind == .test && $0.run.revision == facts.wanted && !$0.run.purpose.isDeployedExperiment
        }
        let alone = observation(on: facts.wanted, in: own.filter(isAlone))
        guard alone.isPassing, alone.passes >= Suspicion.aloneIsEnough else { return self }
        var other = self
        other.needsCompany = true
        return other
    }
}
