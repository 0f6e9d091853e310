// SPDX-License-Identifier: Apache-2.0
// Why nothing caught it earlier: which stage or check passed in front of what failed, which suites did, and what the
// change came without. From records alone.

import Domain

extension Whys {
    func notCaught(_ category: Category) -> Why? {
        if account.wrong != nil, let deploy = passed(.deploy) {
            return answer(
                5,
                "the deployment reported success while another revision kept answering: only the proof of the live revision saw it",
                0.8, [deploy])
        }
        if category == .flakyTest || account.comesAndGoes, let why = passedBefore() { return why }
        if Conclusions.canBlame(category), let culprit = account.culprit, let why = notCaught(culprit) { return why }
        switch suspicion.predicate {
        case .passes: return healthPassed(category)
        case .getsStable: return deploymentPassed()
        case .proves: return suitesLookedWell()
        case .meets: return testsPassedInTime()
        case .deploys: return nil
        }
    }

    // MARK: - A commit

    func notCaught(_ commit: CommitInfo) -> Why? {
        guard let reference = listed(commit), !commit.files.isEmpty else { return nil }
        let short = commit.revision.short
        let tests = commit.files.filter(FileKind.isTest)
        let code = commit.files.filter { !FileKind.isTest($0) && !FileKind.isDocumentation($0) }
        let files = "\(commit.files.count) \(commit.files.count == 1 ? "file" : "files")"
        let came: String
        if tests.isEmpty {
            came = "\(short) changed \(files) and no test"
        } else if code.isEmpty {
            came = "\(short) changed tests alone, and what changes a test is first run here"
        } else {
            came = "\(short) changed \(files), tests among them (\(tests.prefix(2).joined(separator: ", ")))"
        }
        let (passed, references) = passedInFront()
        let text = [came, passed].compactMap(\.self).joined(separator: "; ")
        return answer(5, text, passed == nil ? 0.5 : 0.7, [reference] + references)
    }

    /// What passed with the commit in it, before the failure was seen.
    private func passedInFront() -> (words: String?, evidence: [EvidenceReference]) {
        switch suspicion.predicate {
        case .deploys:
            return ("the deployment is the first step of this loop that runs what it changed", stage())
        case .getsStable:
            guard let deploy = passed(.deploy) else { return (nil, []) }
            let said = "the deployment reported success without waiting for it: only the health checks after it saw it"
            return (said, [deploy])
        case .proves:
            return ("whoever looks at the exit status alone sees a pass: no earlier check counts what ran", [])
        case .passes, .meets:
            return testsPassed()
        }
    }

    /// The suites that passed on the same revision, those that ran before and blocked nothing.
    private func testsPassed() -> (words: String?, evidence: [EvidenceReference]) {
        let passed = facts.suites.filter { $0.status == .passed && !suspicion.suites.contains($0.name) }
        let own = facts.suites.filter { suspicion.suites.contains($0.name) }
        guard let suite = own.first else { return (nil, []) }
        let beside = own.reduce(0) { $0 + $1.totals.passed }
        let others = passed.reduce(0) { $0 + $1.totals.passed }
        let evidence = passed.compactMap { $0.stage.flatMap { facts.consoles[$0] } }.first.map { [$0] } ?? []
        var words = "the health checks and \(others + beside) other tests passed with it"
        if !passed.isEmpty {
            words += " (all of \(passed.prefix(3).map(\.name).joined(separator: ", "))"
            words += passed.count > 3 ? " and \(passed.count - 3) more suites)" : ")"
        }
        words += "; the only ones to ask are in \(suite.name) (P\(suite.priority)), which is first run here"
        return (words, evidence)
    }

    // MARK: - No commit

    /// What comes and goes passes most checks that run it once.
    private func passedBefore() -> Why? {
        let here = account.here
        guard here.runs > 1, here.passes > 0, let result = suspicion.results.first else { return nil }
        let ran = facts.current.filter {
            $0.run.kind == .test && $0.run.revision == facts.wanted && !$0.run.purpose.isDeployedExperiment
        }
        let good = ran.lazy.filter { suspicion.observation(on: facts.wanted, in: [$0]).isPassing }
            .compactMap { facts.reference(result.id, in: $0.run.folder) }.first
        guard let reference = good ?? failing(result.id) else { return nil }
        let share = Numbers.percent(Double(here.passes) / Double(here.runs))
        let wasBurnedIn = account.undisturbed.first == false
        let seen = wasBurnedIn ? "; its run in the pass did, and only the runs after it saw it" : ""
        var text =
            "it passes in \(here.passes) of \(here.runs) runs, so a check that runs it once lets it through (\(share))"
        text += seen
        var references = [reference]
        if let culprit = account.culprit, let listed = listed(culprit) {
            text += "; nothing ran it more than once when \(culprit.revision.short) came"
            references.append(listed)
        }
        return answer(5, text, 0.7, references)
    }

    /// Tests fail by what is around them: the health checks did not ask for it, or did not yet.
    private func healthPassed(_ category: Category) -> Why? {
        guard Conclusions.ofSurroundings.contains(category), let health = passed(.stabilize) else { return nil }
        let record = facts.current.last { $0.run.kind == .stabilize && $0.run.experiment == nil }
        let steady = record?.probes.map { " (\($0.goodInARow) good answers in a row)" } ?? ""
        let asked = facts.parts.isEmpty ? "" : " of \(facts.parts.prefix(6).joined(separator: ", "))"
        let before = "every health check\(asked) passed before the tests\(steady)"
        let after: String
        if let look = suspicion.lookAfterTests(facts), look.outcome != .succeeded,
            let finding = suspicion.ailing(facts).findings.first
        {
            after = "only the look after the tests saw it: \(finding)"
        } else if suspicion.lookAfterTests(facts) != nil {
            after = "and still does after them: none of them asks for what the tests need"
        } else {
            after = "none of them asks for what the tests need, so the stabilize stage let it through"
        }
        return answer(5, "\(before); \(after)", 0.7, [health])
    }

    /// Tests say whether it works, not how fast.
    private func testsPassedInTime() -> Why? {
        guard let reference = stage().first, let suite = suspicion.suites.first else { return nil }
        let tests = facts.suites.first { $0.name == suite }?.totals.passed
        let passed = tests.map { "\($0) \($0 == 1 ? "test" : "tests") of \(suite) passed" } ?? "\(suite) passed"
        return answer(
            5,
            "\(passed), and the health checks before: none of them looks at how long it takes; the target is the first",
            0.6, [reference])
    }

    private func deploymentPassed() -> Why? {
        guard let deploy = passed(.deploy) else { return nil }
        return answer(
            5,
            "the deployment reported success and asks for no service's health; the health checks right after it are the first to ask, before any test",
            0.6, [deploy])
    }

    private func suitesLookedWell() -> Why? {
        guard let reference = stage().first else { return nil }
        let same = suspicion.suites.count
        let suites = same == 1 ? "the suite" : "\(same) suites"
        return answer(
            5,
            "\(suites) ended without a failed test: who looks for failures alone sees a pass, and no earlier check counts what ran",
            0.6, [reference])
    }
}
