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
        var found = joined(accounts, facts)
        let doubt = facts.doubts.first { !notOfEvidence.contains($0.rule) && $0.verdict != .healthy }
        if let lie = lies(facts) {
            found.append(evidenceIncident(lie, facts))
        } else if accounts.isEmpty, let doubt {
            found.append(evidenceIncident(doubt, facts))
        }
        return found
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

    private static func incident(_ account: Account, _ diagnosis: Diagnosis) -> Incident {
        let suspicion = account.suspicion
        var incident = Incident(
            id: "", signature: suspicion.signature, title: suspicion.title, tests: suspicion.results.map(\.id),
            suites: suspicion.suites, firstSeen: account.facts.openedAt, firstCycle: account.facts.cycle,
            diagnosis: diagnosis)
        if case .meets(let target, _) = suspicion.predicate { incident.targets = [target] }
        return incident
    }

    // MARK: - One cause, one incident

    fileprivate struct Found {
        var account: Account
        var incident: Incident
        var diagnosis: Diagnosis
        /// The rules by which words or services spoke for the category.
        var telling: Set<String>
    }

    /// Incidents with one confirmed culprit are one incident: the first takes the tests of the others. So are failures
    /// with one cause around the revision, and those that nothing explains beside the one cause that began with them.
    private static func joined(_ accounts: [Account], _ facts: TriageCase) -> [Incident] {
        let all = accounts.map { account in
            let diagnosing = Diagnosing(account)
            let diagnosis = diagnosing.diagnosis
            return Found(
                account: account, incident: incident(account, diagnosis), diagnosis: diagnosis,
                telling: diagnosing.hypotheses.telling(diagnosis.category))
        }
        var kept: [Found] = []
        for found in all {
            if let index = kept.firstIndex(where: { isOneCause($0, found) }) {
                kept[index].take(found)
            } else {
                kept.append(found)
            }
        }
        guard let cause = cause(kept, facts) else { return kept.map(\.incident) }
        let companions = kept.filter { isCompanion($0) && $0.incident.signature != cause.incident.signature }
        kept.removeAll { found in companions.contains { $0.incident.signature == found.incident.signature } }
        if let index = kept.firstIndex(where: { $0.incident.signature == cause.incident.signature }) {
            for companion in companions { kept[index].incident.take(companion.incident) }
        }
        return kept.map(\.incident)
    }

    /// The cause that what nothing explains is taken to share: it was not there before this cycle, or the two did not begin
    /// together.
    private static func cause(_ kept: [Found], _ facts: TriageCase) -> Found? {
        let causes = kept.filter { found in
            isCleared(found) && found.diagnosis.category != .unknown
                && (found.diagnosis.grade == .likely || !found.telling.isEmpty)
                && !facts.openIncidents.contains {
                    $0.signature == found.incident.signature && $0.firstCycle < facts.cycle
                }
        }
        return causes.first { $0.diagnosis.grade == .likely && $0.diagnosis.category != .transient } ?? causes.first
    }

    private static func isOneCause(_ one: Found, _ other: Found) -> Bool {
        let (left, right) = (one.diagnosis, other.diagnosis)
        if let culprit = left.culprit?.commit, right.culprit?.commit == culprit { return isLuck(left) == isLuck(right) }
        if isRestOf(one, other) || isRestOf(other, one) { return true }
        guard left.culprit == nil, right.culprit == nil, left.category == right.category,
            left.component == right.component, ofSurroundings.contains(left.category), left.category != .unknown,
            !one.telling.isDisjoint(with: other.telling)
        else { return false }
        // What was there for a moment is one moment only where no commit can have brought either.
        return left.category != .transient || (isCleared(one) && isCleared(other))
    }

    /// One message, of which a part fails each time and has a culprit, and the rest comes and goes and was never seen
    /// on the last green revision: it has the same one.
    private static func isRestOf(_ one: Found, _ rest: Found) -> Bool {
        guard one.diagnosis.culprit != nil, one.diagnosis.grade != .possible, rest.diagnosis.culprit == nil,
            one.account.suspicion.family == rest.account.suspicion.family
        else { return false }
        return rest.account.green.passes > 0 && rest.account.green.fails == 0
    }

    private static func isLuck(_ diagnosis: Diagnosis) -> Bool { diagnosis.category == .flakyTest }

    private static func isCompanion(_ found: Found) -> Bool {
        isCleared(found)
            && ([.unknown, .transient].contains(found.diagnosis.category) || found.diagnosis.grade == .possible)
    }

    /// An experiment has cleared the commits, and luck is no explanation.
    private static func isCleared(_ found: Found) -> Bool {
        let diagnosis = found.diagnosis
        guard diagnosis.culprit == nil, !isLuck(diagnosis) else { return false }
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
        if doubt.rule == Reason.checksMuted { return Muting.incident(doubt, facts) }
        var diagnosis = Diagnosis(
            category: isInfrastructure ? .unknown : .fakeEvidence, component: "tests",
            summary: "the evidence cannot carry a pass: \(answer)", grade: isInfrastructure ? .unknown : .likely,
            recommendedAction: isInfrastructure ? .none : .rejectReport, whys: whys, grounds: "rule \(doubt.rule)")
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
            recommendedAction: .rerun, whys: whys, grounds: "rule \(doubt.rule)")
        return Incident(
            id: "", signature: "environment-drift", title: doubt.text, tests: [], suites: [],
            firstSeen: facts.openedAt, firstCycle: facts.cycle, diagnosis: diagnosis)
    }
}

extension Conclusions.Found {
    /// Takes the tests of another, and its diagnosis where that is the surer one.
    fileprivate mutating func take(_ other: Conclusions.Found) {
        incident.take(other.incident)
        guard other.isSurer(than: self) else { return }
        diagnosis = other.diagnosis
        account = other.account
        incident.diagnosis = other.diagnosis
    }

    /// By grade, or much likelier: what speaks of the first failure stays where there is little between them.
    private func isSurer(than other: Conclusions.Found) -> Bool {
        let (mine, theirs) = (rank, other.rank)
        return mine != theirs ? mine > theirs : probability > other.probability + 0.1
    }

    private var rank: Int {
        switch diagnosis.grade {
        case .proven: 3
        case .likely: 2
        case .possible: 1
        case .unknown: 0
        }
    }

    private var probability: Double {
        diagnosis.hypotheses?.first { $0.category == diagnosis.category }?.probability ?? 0
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
