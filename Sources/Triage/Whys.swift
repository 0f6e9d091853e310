// SPDX-License-Identifier: Apache-2.0
// The five questions. An answer without evidence is no answer: it stays *unknown*, with the check that would tell.

import Domain

struct Whys {
    let account: Account
    let signs: Signs
    var facts: TriageCase { account.facts }
    var suspicion: Suspicion { account.suspicion }

    init(_ account: Account, _ signs: Signs) {
        self.account = account
        self.signs = signs
    }

    static let questions = [
        "What failed?",
        "What behavior produced the failure?",
        "What condition makes it so?",
        "What change brought that condition?",
        "Why did nothing catch it earlier?",
    ]

    private static let checks = [
        "read the console of the stage",
        "read the failing test's full output",
        "run the same tests on the last green revision now (triage.mayDeploy)",
        "search the commits since the last green revision by deploying (triage.mayDeploy)",
        "find the earliest check that sees this failure",
    ]

    /// All five, for a category; `compared` is what the experiments came to.
    func answers(_ category: Category, _ compared: String) -> [Why] {
        var whys = Whys.unknown(facts)
        whys[0] = whatFailed() ?? whys[0]
        whys[1] = behavior() ?? whys[1]
        whys[2] = condition(category, compared) ?? whys[2]
        whys[3] = change(category, compared) ?? whys[3]
        whys[4] = notCaught(category) ?? whys[4]
        return whys
    }

    /// Where an earlier cycle has proven the culprit.
    func known(_ commit: CommitInfo, _ proof: String) -> [Why] {
        var whys = Whys.unknown(facts)
        whys[0] = whatFailed() ?? whys[0]
        whys[1] = behavior() ?? whys[1]
        whys[3] = change(commit, proof) ?? whys[3]
        whys[4] = notCaught(commit) ?? whys[4]
        return whys
    }

    static func unknown(_ facts: TriageCase) -> [Why] {
        questions.indices.map { index in
            Why(
                n: index + 1, question: questions[index],
                answer: "unknown; the check that would tell: \(checks[index])", confidence: 0)
        }
    }

    // MARK: - 1 and 2: what, and how

    private func whatFailed() -> Why? {
        let references = Array((suspicion.results.prefix(3).compactMap { failing($0.id) } + stage()).prefix(3))
        let names = suspicion.results.prefix(3).map(\.id).joined(separator: ", ")
        let more = suspicion.results.count > 3 ? " and \(suspicion.results.count - 3) more" : ""
        return answer(1, names.isEmpty ? suspicion.title : "\(names)\(more): \(reason)", 1, references)
    }

    private var reason: String {
        guard let result = suspicion.results.first, !suspicion.isMass else { return suspicion.title }
        if result.outcome == .timedOut { return result.message ?? "cut at its limit" }
        return Whys.firstLine(result.message ?? result.outcome.rawValue)
    }

    private func behavior() -> Why? {
        guard let result = suspicion.results.first, let reference = failing(result.id) else {
            guard let reference = stage().first else { return nil }
            if case .getsStable = suspicion.predicate {
                var findings: [String] = []
                for finding in suspicion.ailing(facts).findings where !findings.contains(finding) {
                    findings.append(finding)
                }
                if !findings.isEmpty {
                    return answer(2, findings.prefix(3).joined(separator: "; "), 0.8, [reference])
                }
            }
            return answer(2, "the stage ended with: \(Whys.lastLine(reference.excerpt))", 0.6, [reference])
        }
        let place = result.file.map { file in " at \(file)\(result.line.map { ":\($0)" } ?? "")" } ?? ""
        var said: String
        if result.outcome == .timedOut {
            said = "the test waited for something that never came and was cut at its limit\(place)"
        } else {
            let type = result.type.map { "\($0): " } ?? ""
            said = "\(type)\(Whys.firstLine(result.message ?? "no message"))\(place)"
        }
        if account.comesAndGoes || account.healed {
            said = "in \(account.here.fails) of \(account.here.runs) runs of one revision, by luck or timing: \(said)"
        }
        return answer(2, said, 0.8, [reference])
    }

    // MARK: - 3: the condition

    /// What the experiments came to, and what logs and surroundings say beside them.
    private func condition(_ category: Category, _ compared: String) -> Why? {
        var said: [String] = []
        var references: [EvidenceReference] = []
        let isWitness = account.changedTest == nil || !account.green.isFailing
        if !compared.isEmpty, isWitness {
            let seen = experiments()
            if !seen.isEmpty { said.append(compared) }
            references += seen
        }
        if let (result, folder) = tellingFailure(category), let reference = facts.reference(result.id, in: folder) {
            let message = Whys.firstLine(result.message ?? result.outcome.rawValue)
            said.append("\(result.id), run all the same, says: \(message)")
            references.append(reference)
        }
        let isOfSurroundings = Conclusions.ofSurroundings.contains(category)
        for fact in facts.surroundings where isOfSurroundings && fact.isProblem == true && references.count < 6 {
            said.append("\(fact.kind.rawValue) \(fact.subject): \(fact.value)")
            references.append(fact.reference)
        }
        if let finding = tellingLog(category), references.count < 6 {
            let count =
                finding.countAtGreen.map { "\(finding.count) times, \($0) when last green" } ?? "\(finding.count) times"
            said.append("\(finding.source) logs \"\(finding.template)\" (\(count))")
            references.append(finding.reference)
        }
        return answer(3, said.joined(separator: "; "), compared.isEmpty ? 0.6 : 0.9, references)
    }

    /// Of what failed in an environment that is not well, the failure that says what the category says.
    private func tellingFailure(_ category: Category) -> (result: TestResult, folder: String)? {
        let heard = Listening.heard(account)
        let words = facts.rules.rules.filter { ($0.weights[category] ?? 0) > 1 && $0.places.contains(.message) }
            .flatMap(\.words)
        return heard.first { failure in
            let text = ((failure.result.type ?? "") + " " + (failure.result.message ?? "")).lowercased()
            return words.contains { text.contains($0) }
        } ?? heard.first
    }

    /// The log finding that says what the category says, or else the first error.
    private func tellingLog(_ category: Category) -> LogFinding? {
        let findings = facts.logs.filter(Signs.isTelling)
        let words = facts.rules.rules.filter { ($0.weights[category] ?? 0) > 1 && $0.places.contains(.log) }.flatMap(
            \.words)
        let named = findings.first { finding in
            let text = (finding.template + " " + finding.reference.excerpt).lowercased()
            return words.contains { text.contains($0) }
        }
        return named ?? findings.first { ["error", "critical", "fatal"].contains($0.level?.lowercased()) }
    }

    private func experiments() -> [EvidenceReference] {
        let ids = suspicion.results.map(\.id)
        var references: [EvidenceReference] = []
        for record in facts.records where record.run.experiment != nil && references.count < 4 {
            guard [.test, .deploy, .stabilize].contains(record.run.kind) else { continue }
            let found = ids.lazy.compactMap { facts.reference($0, in: record.run.folder) }.first
            if let reference = found ?? (ids.isEmpty ? facts.consoles[record.run.folder] : nil) {
                references.append(reference)
            }
        }
        return references
    }

    // MARK: - 4: the change

    private func change(_ category: Category, _ compared: String) -> Why? {
        if category == .wrongRevision, let found = account.eliminated {
            return change(found.commit, found.because, 0.7)
        }
        let isOfCommit = Conclusions.ofCommits.contains(category) || category == .flakyTest
        if Conclusions.canBlame(category), let culprit = account.culprit { return change(culprit, compared) }
        let changed = facts.surroundings.lazy.compactMap { fact in
            fact.valueAtGreen.flatMap { $0 == fact.value ? nil : (fact, $0) }
        }
        if !isOfCommit, let (fact, before) = changed.first {
            return answer(
                4,
                "\(fact.kind.rawValue) \(fact.subject) changed since the loop was last green: it was \(before), it is \(fact.value)",
                0.6, [fact.reference])
        }
        if !isOfCommit || category == .flakyTest, let why = noCommit() { return why }
        guard isOfCommit, account.passesOnGreen, !account.again.isPassing, let top = account.search.ranked.first,
            let reference = listed(top.commit)
        else { return nil }
        let count = account.search.suspects.count
        return answer(
            4,
            "one of \(count) commits, none is confirmed; likeliest \(Whys.named(top.commit)) (\(Numbers.percent(top.probability)))",
            Numbers.rounded(min(top.probability, 0.6), 2), [reference])
    }

    /// What an experiment has cleared the commits by.
    private func noCommit() -> Why? {
        let green = facts.lastGreen?.short ?? "last green"
        let said: String
        if account.green.isFailing, account.changedTest == nil {
            said =
                account.groundFault.map { "none of the commits: last green \(green), deployed now, \($0)" }
                ?? "none of the commits: last green \(green), deployed now, fails too (\(account.green.words)), so what changed is around them"
        } else if account.green.isMixed, !account.passesOnGreen {
            said = "none of the commits: it comes and goes on last green \(green) too (\(account.green.words))"
        } else if account.again.isPassing {
            said =
                "none of the commits: \(facts.wanted.short) deployed once more passes (\(account.again.words)), so what a deployment renews had changed"
        } else {
            return nil
        }
        return answer(4, said, 0.7, Array(experiments().suffix(2)))
    }

    private func change(_ commit: CommitInfo, _ proof: String, _ confidence: Double = 0.95) -> Why? {
        guard let reference = listed(commit) else { return nil }
        let files = commit.files.prefix(4).joined(separator: ", ")
        let author = commit.author.map { " by \($0)" } ?? ""
        return answer(4, "commit \(Whys.named(commit))\(author) (\(files)): \(proof)", confidence, [reference])
    }

    /// The evidence of a stage of the cycle's own pass that succeeded.
    func passed(_ kind: StageKind) -> EvidenceReference? {
        let record = facts.current.last {
            $0.run.kind == kind && $0.run.experiment == nil && $0.run.revision == facts.wanted
                && $0.run.purpose != .recheck
        }
        guard let record, record.outcome == .succeeded else { return nil }
        return facts.consoles[record.run.folder]
    }

    // MARK: - Evidence

    func answer(_ n: Int, _ text: String, _ confidence: Double, _ evidence: [EvidenceReference]) -> Why? {
        guard !evidence.isEmpty, !text.isEmpty, confidence > 0 else { return nil }
        return Why(n: n, question: Whys.questions[n - 1], answer: text, confidence: confidence, evidence: evidence)
    }

    func failing(_ test: String) -> EvidenceReference? {
        for record in facts.current where record.run.kind == .test && record.run.revision == facts.wanted {
            if let reference = facts.reference(test, in: record.run.folder) { return reference }
        }
        return nil
    }

    func stage() -> [EvidenceReference] {
        let kind: StageKind
        switch suspicion.predicate {
        case .deploys: kind = .deploy
        case .getsStable: kind = .stabilize
        case .passes: return []
        case .proves: kind = .test
        }
        let record = facts.current.last {
            if case .proves(let suite) = suspicion.predicate, $0.run.subject != suite { return false }
            return $0.run.kind == kind && $0.run.revision == facts.wanted && $0.run.experiment == nil
        }
        return record.flatMap { facts.consoles[$0.run.folder] }.map { [$0] } ?? []
    }

    func listed(_ commit: CommitInfo) -> EvidenceReference? { Whys.listed(commit, facts) }

    static func listed(_ commit: CommitInfo, _ facts: TriageCase) -> EvidenceReference? {
        guard let path = facts.commitsFile else { return nil }
        let lines = facts.commitsText.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.contains(commit.revision.id) }) else { return nil }
        return EvidenceReference(path: path, lines: [index + 1, index + 1], excerpt: String(lines[index]))
    }

    static func named(_ commit: CommitInfo) -> String { "\(commit.revision.short) \"\(commit.subject)\"" }

    private static func firstLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    private static func lastLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).last.map(String.init) ?? text
    }
}
