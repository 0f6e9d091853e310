// SPDX-License-Identifier: Apache-2.0
// From suspicions to incidents: what is one incident, and which of them are about the evidence itself.

import Domain

enum Conclusions {
    /// Causes that a commit can have.
    static let ofCommits: Set<Category> = [
        .codeRegression, .configChange, .performanceRegression, .testDefect, .deployFailure, .wrongRevision,
        .fakeEvidence,
    ]
    /// Causes that no commit has.
    static let ofSurroundings = Set(Category.allCases.filter(\.isOfSurroundings))

    /// Categories of which a confirmed commit can be the cause.
    static func canBlame(_ category: Category) -> Bool {
        ofCommits.contains(category) || [.flakyTest, .resourceExhaustion].contains(category)
    }

    static func incidents(_ accounts: [Account], _ facts: TriageCase) -> [Incident] {
        var found = accounts.map(incident)
        let doubt = facts.doubts.first { !notOfEvidence.contains($0.rule) && $0.verdict != .healthy }
        if let lie = lies(facts) {
            found.append(evidenceIncident(lie, facts))
        } else if accounts.isEmpty, let doubt {
            found.append(evidenceIncident(doubt, facts))
        }
        return joined(found)
    }

    /// Reasons that say why a thing was not done: they cast no doubt on what was.
    static let notOfEvidence: Set<String> = [
        "skipped", "joined", "not-run", "fail-fast", "stopped", "permit", "superseded", "aborted", "quarantine-cap",
        "recheck", "deploy-lost", "window-closed",
    ]

    /// A tool whose exit status contradicts its own report misleads whoever looks at the status alone.
    private static func lies(_ facts: TriageCase) -> Reason? {
        facts.doubts.first { $0.rule == "exit-zero-with-failures" }
    }

    private static func incident(_ account: Account) -> Incident {
        let suspicion = account.suspicion
        var incident = Incident(
            id: "", signature: suspicion.signature, title: suspicion.title, tests: suspicion.results.map(\.id),
            suites: suspicion.suites, firstSeen: account.facts.openedAt, firstCycle: account.facts.cycle,
            diagnosis: Diagnosing(account).diagnosis)
        if case .meets(let target, _) = suspicion.predicate { incident.targets = [target] }
        return incident
    }

    // MARK: - One cause, one incident

    /// Incidents with one confirmed culprit are one incident: the first takes the tests of the others. So are failures
    /// that no commit brought, where one of them names the cause and the others do not, or name the same.
    private static func joined(_ incidents: [Incident]) -> [Incident] {
        let causes = incidents.filter { isOfSurroundings($0) && $0.diagnosis?.category != .unknown }
        let cause =
            causes.first { $0.diagnosis?.grade == .likely && $0.diagnosis?.category != .transient } ?? causes.first
        var kept: [Incident] = []
        for incident in incidents {
            if let index = kept.firstIndex(where: { isOneCause($0, incident) }) {
                kept[index].take(incident)
            } else if let cause, isCompanion(incident), cause.signature != incident.signature {
                continue
            } else {
                kept.append(incident)
            }
        }
        guard let cause, let index = kept.firstIndex(where: { $0.signature == cause.signature }) else { return kept }
        for incident in incidents where isCompanion(incident) && incident.signature != cause.signature {
            kept[index].take(incident)
        }
        return kept
    }

    private static func isOneCause(_ one: Incident, _ other: Incident) -> Bool {
        guard let left = one.diagnosis, let right = other.diagnosis else { return false }
        if let culprit = left.culprit?.commit {
            return right.culprit?.commit == culprit && isLuck(left) == isLuck(right)
        }
        return isOfSurroundings(one) && isOfSurroundings(other) && left.category == right.category
            && left.component == right.component
    }

    private static func isLuck(_ diagnosis: Diagnosis) -> Bool { diagnosis.category == .flakyTest }

    private static func isCompanion(_ incident: Incident) -> Bool {
        guard let diagnosis = incident.diagnosis, isOfSurroundings(incident) else { return false }
        return [.unknown, .transient].contains(diagnosis.category) || diagnosis.grade == .possible
    }

    /// An experiment has cleared the commits, and luck is no explanation.
    private static func isOfSurroundings(_ incident: Incident) -> Bool {
        guard let diagnosis = incident.diagnosis, diagnosis.culprit == nil, !isLuck(diagnosis) else { return false }
        return diagnosis.ruledOut.contains { $0.category == .codeRegression }
    }

    // MARK: - What is known already

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

    // MARK: - The evidence itself

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
        var diagnosis = Diagnosis(
            category: isInfrastructure ? .unknown : .fakeEvidence, component: "tests",
            summary: "the evidence cannot carry a pass: \(answer)", grade: isInfrastructure ? .unknown : .likely,
            recommendedAction: isInfrastructure ? .none : .rejectReport, whys: whys)
        if doubt.rule == "exit-zero-with-failures", let suite = doubt.subject {
            explainLie(&diagnosis, suite, evidence, facts)
        }
        return Incident(
            id: "", signature: "evidence: \(doubt.rule) \(doubt.subject ?? "")", title: answer, tests: [],
            suites: suites, firstSeen: facts.openedAt, firstCycle: facts.cycle, diagnosis: diagnosis)
    }

    /// Why a suite's command ends well although tests fail, and since when.
    private static func explainLie(
        _ diagnosis: inout Diagnosis, _ suite: String, _ console: EvidenceReference?, _ facts: TriageCase
    ) {
        if let console {
            diagnosis.whys[1] = Why(
                n: 2, question: Whys.questions[1],
                answer:
                    "the command of \(suite) exits with 0 while its report has failures: who looks at the exit status alone sees a pass",
                confidence: 0.9, evidence: [console])
        }
        guard let found = Elimination.ofLie(suite, facts) else { return }
        diagnosis.culprit = Diagnosing.blame(found.commit, Elimination.probability)
        let files = found.files.joined(separator: ", ")
        diagnosis.summary +=
            "; likely since \(Whys.named(found.commit)), which changed \(files): \(found.because)"
        guard let listed = Whys.listed(found.commit, facts) else { return }
        diagnosis.whys[3] = Why(
            n: 4, question: Whys.questions[3],
            answer: "likely commit \(Whys.named(found.commit)) (\(files)): \(found.because)", confidence: 0.7,
            evidence: [listed])
        diagnosis.whys[4] = Why(
            n: 5, question: Whys.questions[4],
            answer: "\(files) decides what a failure looks like from outside, and no test looks at it", confidence: 0.5,
            evidence: [listed])
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
}

extension Incident {
    fileprivate mutating func take(_ other: Incident) {
        tests += other.tests.filter { !tests.contains($0) }
        suites += other.suites.filter { !suites.contains($0) }
        let missed = (targets ?? []) + (other.targets ?? []).filter { targets?.contains($0) != true }
        targets = missed.isEmpty ? nil : missed
    }
}
