// SPDX-License-Identifier: Apache-2.0
// From what was observed to what is said: category, grade, culprit, action. What the evidence does not carry is unknown.

import Domain

enum Conclusions {
    static func incidents(_ suspicions: [Suspicion], _ facts: TriageCase) -> [Incident] {
        var found = suspicions.map { incident($0, facts) }
        let doubt = facts.doubts.first { !notOfEvidence.contains($0.rule) && $0.verdict != .healthy }
        if let lie = lies(facts) {
            found.append(evidenceIncident(lie, facts))
        } else if suspicions.isEmpty, let doubt {
            found.append(evidenceIncident(doubt, facts))
        }
        return joined(found)
    }

    /// Reasons that say why a thing was not done: they cast no doubt on what was.
    static let notOfEvidence: Set<String> = [
        "skipped", "not-run", "fail-fast", "stopped", "permit", "superseded", "aborted", "quarantine-cap", "recheck",
        "deploy-lost", "window-closed",
    ]

    /// A tool whose exit status contradicts its own report misleads whoever looks at the status alone.
    private static func lies(_ facts: TriageCase) -> Reason? {
        facts.doubts.first { $0.rule == "exit-zero-with-failures" }
    }

    /// Incidents with one confirmed culprit are one incident: the first takes the tests of the others. So are failures
    /// that no commit brought, where one of them names the cause and the others do not.
    private static func joined(_ incidents: [Incident]) -> [Incident] {
        let cause = incidents.first { isOfSurroundings($0) && $0.diagnosis?.category != .unknown }
        var kept: [Incident] = []
        for incident in incidents {
            let culprit = incident.diagnosis?.culprit?.commit
            let isCompanion = isOfSurroundings(incident) && incident.diagnosis?.category == .unknown && cause != nil
            let first = kept.firstIndex { culprit != nil && $0.diagnosis?.culprit?.commit == culprit }
            if let first { kept[first].take(incident) } else if !isCompanion { kept.append(incident) }
        }
        guard let cause, let index = kept.firstIndex(where: { $0.signature == cause.signature }) else { return kept }
        for incident in incidents where isOfSurroundings(incident) && incident.diagnosis?.category == .unknown {
            kept[index].take(incident)
        }
        return kept
    }

    private static func isOfSurroundings(_ incident: Incident) -> Bool {
        guard let diagnosis = incident.diagnosis, diagnosis.culprit == nil else { return false }
        return diagnosis.ruledOut.contains { $0.category == .codeRegression } && diagnosis.category != .flakyTest
    }

    private static func incident(_ suspicion: Suspicion, _ facts: TriageCase) -> Incident {
        Incident(
            id: "", signature: suspicion.signature, title: suspicion.title, tests: suspicion.results.map(\.id),
            suites: suspicion.suites, firstSeen: facts.openedAt, firstCycle: facts.cycle,
            diagnosis: diagnosis(suspicion, facts))
    }

    /// No test failed, and still the evidence is not one of a pass.
    private static func evidenceIncident(_ doubt: Reason, _ facts: TriageCase) -> Incident {
        let suites = facts.doubts.compactMap(\.subject)
        let answer = doubt.subject.map { "\($0): \(doubt.text)" } ?? doubt.text
        let record = facts.records.last { $0.run.kind == .test && $0.run.subject == doubt.subject }
        let evidence = record.flatMap { facts.consoles[$0.run.folder] }
        var whys = Whys.unknown(facts)
        whys[0] = Why(
            n: 1, question: Whys.questions[0],
            answer: evidence == nil ? "\(whys[0].answer) (\(answer))" : answer,
            confidence: evidence == nil ? 0 : 0.95, evidence: evidence.map { [$0] } ?? [])
        let isInfrastructure = doubt.rule == "infrastructure"
        if doubt.rule == "environment-drift" { return driftIncident(doubt, facts) }
        let diagnosis = Diagnosis(
            category: isInfrastructure ? .unknown : .fakeEvidence, component: "tests",
            summary: "the evidence cannot carry a pass: \(answer)", grade: isInfrastructure ? .unknown : .likely,
            recommendedAction: isInfrastructure ? .none : .rejectReport, whys: whys)
        return Incident(
            id: "", signature: "evidence: \(doubt.rule) \(doubt.subject ?? "")", title: answer, tests: [],
            suites: suites, firstSeen: facts.openedAt, firstCycle: facts.cycle, diagnosis: diagnosis)
    }

    /// What the operators want unchanged during the tests changed: the results are of neither state.
    private static func driftIncident(_ doubt: Reason, _ facts: TriageCase) -> Incident {
        let evidence = facts.surroundings.first { fact in
            fact.kind == .file && doubt.text.contains(" \(fact.subject):")
        }?.reference
        var whys = Whys.unknown(facts)
        whys[0] = Why(
            n: 1, question: Whys.questions[0], answer: doubt.text, confidence: evidence == nil ? 0 : 0.95,
            evidence: evidence.map { [$0] } ?? [])
        let diagnosis = Diagnosis(
            category: .configChange, component: "environment",
            summary: "the environment was not the same before and after the tests: \(doubt.text)", grade: .likely,
            recommendedAction: .rerun, whys: whys)
        return Incident(
            id: "", signature: "environment-drift", title: doubt.text, tests: [], suites: [],
            firstSeen: facts.openedAt, firstCycle: facts.cycle, diagnosis: diagnosis)
    }

    // MARK: - One diagnosis

    private static func diagnosis(_ suspicion: Suspicion, _ facts: TriageCase) -> Diagnosis {
        let here = suspicion.observation(on: facts.wanted, in: facts.current)
        let again = suspicion.again(facts)
        // Mixed without a deployment between the runs: what a deployment cures is no matter of luck.
        let isMixed = suspicion.beforeDeployments(facts).isMixed || again.isMixed
        if case .passes = suspicion.predicate, isMixed { return intermittent(suspicion, here, facts) }
        if let wrong = suspicion.wrongRevision(facts) { return notWhatAnswers(suspicion, wrong, facts) }
        if again.isPassing { return cameAndWent(suspicion, again, facts) }
        let there =
            facts.lastGreen.map { suspicion.observation(on: $0, in: Suspicion.afterDeployments(facts)) }
            ?? Observation()
        if there.isPassing { return broughtByCode(suspicion, here, there, facts) }
        if there.isFailing { return notTheCode(suspicion, there, facts) }
        if let known = known(suspicion, facts) { return knownCulprit(suspicion, known, facts) }
        return undecided(suspicion, facts)
    }

    /// The open incident whose culprit an earlier cycle has proven, and which the wanted revision still contains.
    static func known(_ suspicion: Suspicion, _ facts: TriageCase) -> (incident: Incident, commit: CommitInfo)? {
        for incident in facts.openIncidents where incident.firstCycle < facts.cycle {
            guard incident.diagnosis?.grade == .proven, let culprit = incident.diagnosis?.culprit?.commit,
                let commit = facts.commits.first(where: { $0.revision == culprit })
            else { continue }
            let tests = suspicion.results.map(\.id)
            let isSame = suspicion.signature == incident.signature
            if isSame || (!tests.isEmpty && tests.allSatisfy(incident.tests.contains)) { return (incident, commit) }
        }
        return nil
    }

    private static func knownCulprit(
        _ suspicion: Suspicion, _ known: (incident: Incident, commit: CommitInfo), _ facts: TriageCase
    ) -> Diagnosis {
        let proof = "proven in cycle \(known.incident.firstCycle), and still contained in \(facts.wanted.short)"
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        whys[3] = Whys.change(known.commit, proof, facts)
        whys[4] = Whys.notCaught(known.commit, facts)
        return Diagnosis(
            category: category(suspicion, files: known.commit.files),
            component: component(known.commit.files, suspicion),
            summary: "\(known.commit.revision.short) \"\(known.commit.subject)\": \(proof)", grade: .likely,
            culprit: blame(known.commit, 0.9), recommendedAction: action(suspicion, files: known.commit.files),
            whys: whys)
    }

    private static func intermittent(_ suspicion: Suspicion, _ here: Observation, _ facts: TriageCase) -> Diagnosis {
        let runs = here.passes + here.fails
        let category: Category = suspicion.isMass || suspicion.looksLikeNetwork ? .transient : .flakyTest
        let summary =
            "fails \(here.fails)/\(runs) and passes \(here.passes)/\(runs) on \(facts.wanted.short): not deterministic"
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[2] = Whys.condition(suspicion, facts, "the failure comes and goes on one revision: \(summary)", 0.9)
        // Whether the test or the code races is not known from this: no component is named.
        return Diagnosis(
            category: category, summary: summary, grade: .likely, recommendedAction: .rerun,
            whys: whys,
            ruledOut: [RuledOut(category: .codeRegression, because: "passes on \(facts.wanted.short) without a change")]
        )
    }

    private static func broughtByCode(
        _ suspicion: Suspicion, _ here: Observation, _ there: Observation, _ facts: TriageCase
    ) -> Diagnosis {
        let search = Search(suspicion, facts)
        let green = facts.lastGreen?.short ?? "last green"
        let compared =
            "fails \(here.fails)/\(here.fails + here.passes) on \(facts.wanted.short), passes \(there.passes)/\(there.passes + there.fails) on \(green) now"
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        whys[2] = Whys.condition(suspicion, facts, compared, 0.95)
        let ruledOut = [
            RuledOut(category: .environmentDown, because: "\(green) passes in the same environment, now"),
            RuledOut(category: .flakyTest, because: compared),
        ]
        guard let found = search.culprit else {
            let share = search.suspects.isEmpty ? 0 : 1 / Double(search.suspects.count)
            let candidates = search.suspects.map { blame($0, share) }
            return Diagnosis(
                category: category(suspicion, files: search.suspects.flatMap(\.files)),
                summary: candidates.isEmpty
                    ? "\(compared): which commits lie between is not known"
                    : "\(compared): one of \(candidates.count) commits", grade: .likely, candidates: candidates,
                recommendedAction: action(suspicion, files: search.suspects.flatMap(\.files)),
                whys: whys, ruledOut: ruledOut)
        }
        let at = suspicion.observation(on: found.revision, in: facts.records)
        let experiments = Suspicion.afterDeployments(facts)
        let before =
            facts.commits.firstIndex(of: found).map { $0 == 0 ? facts.lastGreen : facts.commits[$0 - 1].revision }
            ?? nil
        let parent = before.map { suspicion.observation(on: $0, in: experiments) } ?? Observation()
        let isProven = at.isFailing && parent.isPassing && at.fails >= 2
        let proof =
            "fails \(at.fails)/\(at.fails + at.passes) on \(found.revision.short), its parent \(before?.short ?? "?") passes \(parent.passes)/\(parent.passes + parent.fails)"
        whys[3] = Whys.change(found, proof, facts)
        whys[4] = Whys.notCaught(found, facts)
        return Diagnosis(
            category: category(suspicion, files: found.files),
            component: component(found.files, suspicion),
            summary: "\(found.revision.short) \"\(found.subject)\": \(proof)",
            grade: isProven ? .proven : .likely, culprit: blame(found, isProven ? 0.99 : 0.8), candidates: [],
            recommendedAction: action(suspicion, files: found.files), whys: whys, ruledOut: ruledOut)
    }

    private static func notTheCode(
        _ suspicion: Suspicion, _ there: Observation, _ facts: TriageCase
    ) -> Diagnosis {
        let green = facts.lastGreen?.short ?? "last green"
        let summary =
            "fails \(there.fails)/\(there.fails + there.passes) on last green \(green) now too: not brought by the new commits"
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        whys[2] = Whys.condition(suspicion, facts, summary, 0.9)
        if let changed = changedTest(suspicion, facts) {
            whys[2] = Whys.unknown(facts)[2]
            return Diagnosis(
                category: .unknown,
                summary: "\(summary); but \(changed) changed since \(green), so it is no witness of what was before",
                grade: .unknown, recommendedAction: .none, whys: whys)
        }
        let (category, component) = surroundings(suspicion, facts, otherwise: .unknown)
        let runbook = facts.runbook.first { $0.categories.contains(category) }?.name
        return Diagnosis(
            category: category, component: component, summary: described(summary, suspicion, facts),
            grade: category == .unknown ? .unknown : .likely,
            recommendedAction: runbook == nil ? .none : .runbook, runbook: runbook, whys: whys,
            ruledOut: [RuledOut(category: .codeRegression, because: summary)])
    }

    /// A test whose source changed since the last green revision need not have passed there: it rules nothing out.
    private static func changedTest(_ suspicion: Suspicion, _ facts: TriageCase) -> String? {
        let changed = facts.commits.flatMap(\.files)
        return suspicion.results.lazy.compactMap(\.file).first { file in
            changed.contains { $0 == file || $0.hasSuffix("/" + file) || file.hasSuffix("/" + $0) }
        }
    }

    /// The wanted revision, deployed once more, does not fail: no commit is at fault.
    private static func cameAndWent(
        _ suspicion: Suspicion, _ again: Observation, _ facts: TriageCase
    ) -> Diagnosis {
        let summary =
            "\(facts.wanted.short) failed, and deployed once more it passes \(again.passes)/\(again.passes + again.fails): not brought by a commit"
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        whys[2] = Whys.condition(suspicion, facts, summary, 0.9)
        let (category, component) = surroundings(suspicion, facts, otherwise: .transient)
        let runbook = facts.runbook.first { $0.categories.contains(category) }?.name
        // What was seen is the experiment's selection; only a whole pass makes a verdict.
        let wasRedeployed = facts.records.contains { $0.run.purpose == .redeploy }
        return Diagnosis(
            category: category, component: component, summary: described(summary, suspicion, facts), grade: .likely,
            recommendedAction: runbook != nil ? .runbook : wasRedeployed ? .none : .redeploy, runbook: runbook,
            whys: whys, ruledOut: [RuledOut(category: .codeRegression, because: summary)])
    }

    /// Another revision answers than the deployed one.
    private static func notWhatAnswers(_ suspicion: Suspicion, _ wrong: String, _ facts: TriageCase) -> Diagnosis {
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        let share = facts.commits.isEmpty ? 0 : 1 / Double(facts.commits.count)
        return Diagnosis(
            category: .wrongRevision, component: "deploy", summary: wrong, grade: .likely,
            candidates: facts.commits.suffix(20).map { blame($0, share) }, recommendedAction: .redeploy, whys: whys)
    }

    /// The category and component of a failure that no commit brought.
    private static func surroundings(
        _ suspicion: Suspicion, _ facts: TriageCase, otherwise: Category
    ) -> (Category, String?) {
        if case .proves = suspicion.predicate { return (.fakeEvidence, "tests") }
        if let named = Symptoms.category(suspicion.words(facts)) { return (named, suspicion.ailing(facts).component) }
        let ailing = suspicion.ailing(facts)
        if ailing.isEverything { return (.environmentDown, nil) }
        if let component = ailing.component { return (.dependencyDown, component) }
        if suspicion.isMass { return (.environmentDown, nil) }
        if suspicion.looksLikeNetwork { return (.dependencyDown, nil) }
        return (otherwise, nil)
    }

    private static func described(_ summary: String, _ suspicion: Suspicion, _ facts: TriageCase) -> String {
        let ailing = suspicion.ailing(facts)
        if let silent = ailing.unreachable.first, ailing.unreachable.count == 1 {
            return "\(silent) was down (unreachable); \(summary)"
        }
        return ailing.component.map { "\($0) was not well; \(summary)" } ?? summary
    }

    /// No comparison with the last green revision was made: what is known is said, the rest is unknown.
    private static func undecided(_ suspicion: Suspicion, _ facts: TriageCase) -> Diagnosis {
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        whys[1] = Whys.behavior(suspicion, facts)
        let barred = facts.allowance.deploysBarred ?? (facts.allowance.deploys < 1 ? "no deploy is left" : "not tried")
        let check = "compare with the last green revision (\(barred))"
        let share = facts.commits.isEmpty ? 0 : 1 / Double(facts.commits.count)
        let candidates = facts.commits.suffix(20).map { blame($0, share) }
        let category: Category
        switch suspicion.predicate {
        case .deploys: category = .deployFailure
        case .getsStable: category = .unknown
        case .proves: category = .fakeEvidence
        case .passes: category = suspicion.isMass ? .environmentDown : .unknown
        }
        let grade: Grade = category == .unknown ? .unknown : .possible
        return Diagnosis(
            category: category, summary: "\(suspicion.title); unknown why: the check that would tell is to \(check)",
            grade: grade, candidates: candidates,
            recommendedAction: category == .fakeEvidence ? .rejectReport : .none, whys: whys)
    }

    // MARK: - Small judgements

    private static func category(_ suspicion: Suspicion, files: [String]) -> Category {
        if case .proves = suspicion.predicate { return .fakeEvidence }
        if case .deploys = suspicion.predicate { return .deployFailure }
        guard !files.isEmpty else { return .codeRegression }
        if files.allSatisfy(isTest) { return .testDefect }
        if files.allSatisfy({ isConfiguration($0) || isTest($0) || isDocumentation($0) }) { return .configChange }
        let isOfSpeedAlone = !suspicion.results.isEmpty && suspicion.results.allSatisfy(isOfSpeed)
        return isOfSpeedAlone ? .performanceRegression : .codeRegression
    }

    /// A failure that speaks of a measured time or rate and nothing else.
    private static func isOfSpeed(_ result: TestResult) -> Bool {
        let words = ["p50", "p90", "p95", "p99", "latency", "throughput", "per second", "slower"]
        let message = (result.message ?? "").lowercased()
        return words.contains { message.contains($0) }
    }

    private static func action(_ suspicion: Suspicion, files: [String]) -> RemedyKind {
        switch category(suspicion, files: files) {
        case .testDefect: .fixTest
        case .fakeEvidence: .rejectReport
        default: .rollback
        }
    }

    private static func component(_ files: [String], _ suspicion: Suspicion) -> String? {
        if case .proves = suspicion.predicate { return "tests" }
        if !files.isEmpty, files.allSatisfy(isTest) { return "tests" }
        return nil
    }

    static func isTest(_ path: String) -> Bool {
        let parts = path.lowercased().split(separator: "/")
        let name = parts.last.map(String.init) ?? ""
        return parts.dropLast().contains {
            ["test", "tests", "spec", "specs", "__tests__", "e2e"].contains(String($0))
        }
            || name.hasPrefix("test_") || name.contains("_test.") || name.contains(".test.") || name.contains(".spec.")
            || name.hasPrefix("conftest.")
    }

    private static func isConfiguration(_ path: String) -> Bool {
        let lowered = path.lowercased()
        let endings = [".json", ".json5", ".yaml", ".yml", ".toml", ".ini", ".env", ".properties", ".conf", ".cfg"]
        return endings.contains { lowered.hasSuffix($0) }
    }

    private static func isDocumentation(_ path: String) -> Bool {
        let lowered = path.lowercased()
        return lowered.hasSuffix(".md") || lowered.hasSuffix(".txt") || lowered.hasSuffix(".rst")
    }

    private static func blame(_ commit: CommitInfo, _ probability: Double) -> Culprit {
        Culprit(
            commit: commit.revision, subject: commit.subject, author: commit.author, files: commit.files,
            probability: probability)
    }
}

extension Incident {
    fileprivate mutating func take(_ other: Incident) {
        tests += other.tests
        suites += other.suites.filter { !suites.contains($0) }
    }
}
