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

    /// All five, for a category; `compared` is what the experiments came to.
    func answers(_ category: Category, _ compared: String) -> [Why] {
        var whys = Whys.unknown(facts, NextCheck(account).words)
        whys[0] = whatFailed() ?? whys[0]
        whys[1] = behavior() ?? whys[1]
        whys[2] = condition(category, compared) ?? whys[2]
        whys[3] = change(category) ?? whys[3]
        whys[4] = notCaught(category) ?? whys[4]
        return whys
    }

    /// Where an earlier cycle has proven the culprit.
    func known(_ commit: CommitInfo, _ proof: String) -> [Why] {
        var whys = Whys.unknown(facts, "read the diagnosis of the cycle that proved the culprit (\(proof))")
        whys[0] = whatFailed() ?? whys[0]
        whys[1] = behavior() ?? whys[1]
        whys[3] = change(commit, proof) ?? whys[3]
        whys[4] = notCaught(commit) ?? whys[4]
        return whys
    }

    /// - experiment: the experiment that would tell most; by default that of a case in which no suspicion is weighed.
    static func unknown(_ facts: TriageCase, _ experiment: String? = nil) -> [Why] {
        let experiment = experiment ?? NextCheck.words(facts)
        let checks = [
            "read the console of the stage", "read the failing test's full output", experiment, experiment,
            "find the earliest check that sees this failure",
        ]
        return questions.indices.map { index in
            Why(
                n: index + 1, question: questions[index],
                answer: "unknown; the check that would tell: \(checks[index])", confidence: 0)
        }
    }

    // MARK: - 1 and 2: what, and how

    /// Which tests, how they ended and among how many; what they say is the second answer.
    private func whatFailed() -> Why? {
        let references = Array((suspicion.results.prefix(3).compactMap { failing($0.id) } + stage()).prefix(3))
        let names = suspicion.results.prefix(3).map(\.id).joined(separator: ", ")
        guard !names.isEmpty, !suspicion.isMass else { return answer(1, suspicion.title, 1, references) }
        let more = suspicion.results.count > 3 ? " and \(suspicion.results.count - 3) more" : ""
        let executed = facts.suites.reduce(0) { $0 + $1.totals.executed }
        let among = executed > 0 ? ", \(suspicion.results.count) of \(executed) tests that ran" : ""
        let suites = suspicion.suites.prefix(3).joined(separator: ", ")
        return answer(1, "\(names)\(more): \(ended) in \(suites)\(among)", 1, references)
    }

    private var ended: String {
        let outcomes = Set(suspicion.results.map(\.outcome))
        guard outcomes.count == 1, let outcome = outcomes.first else { return "failed" }
        switch outcome {
        case .timedOut: return "cut at its limit"
        case .errored: return "broke before it could tell"
        case .failed, .passed, .skipped, .flaky, .notRun: return "failed"
        }
    }

    private func behavior() -> Why? {
        if let figures = suspicion.figures(facts) {
            let luck = account.comesAndGoes || account.healed
            let often = luck ? "in \(account.here.fails) of \(account.here.runs) measurements of one revision: " : ""
            return answer(2, often + figures, 0.9, stage())
        }
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
            if let cause = causeLine() {
                let line = Whys.firstLine(cause.reference.excerpt)
                return answer(2, "the console of the stage says: \(line)", 0.7, [cause.reference])
            }
            return answer(2, "the stage ended with: \(Whys.lastLine(reference.excerpt))", 0.6, [reference])
        }
        let place = result.file.map { file in " at \(file)\(result.line.map { ":\($0)" } ?? "")" } ?? ""
        var said: String
        if result.outcome == .timedOut {
            let limit = result.message.map { " (\(Whys.firstLine($0)))" } ?? ""
            said = "the test waited for something that never came and was cut at its limit\(place)\(limit)"
        } else {
            // Many tools begin the message with the type.
            let type = result.type.map { result.message?.hasPrefix($0) == true ? "" : "\($0): " } ?? ""
            said = "\(type)\(Whys.firstLine(result.message ?? "no message"))\(place)"
        }
        if account.comesAndGoes || account.healed {
            said = "in \(account.here.fails) of \(account.here.runs) runs of one revision, by luck or timing: \(said)"
        }
        return answer(2, said, 0.8, [reference])
    }

    /// The line of the failed stage's console that most likely says why: the last one only says that it failed.
    private func causeLine() -> LogFinding? {
        guard case .deploys = suspicion.predicate, let folder = stageRecord()?.run.folder else { return nil }
        return facts.logs.first { $0.reference.path.hasPrefix(folder + "/") && !$0.reference.excerpt.isEmpty }
    }

    // MARK: - 3: the condition

    /// What the experiments came to, and what logs and surroundings say beside them.
    private func condition(_ category: Category, _ compared: String) -> Why? {
        var said: [String] = []
        var references: [EvidenceReference] = []
        let isWitness = account.changedTest == nil || !account.green.isFailing
        if !compared.isEmpty, isWitness {
            let seen = witnesses()
            if !seen.isEmpty { said.append(compared) }
            references += seen
        }
        if !references.isEmpty, let frame = StackFrame.top(ofAll: suspicion.results) {
            said.append("what fails is called in \(frame.words)")
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

    // MARK: - 4: the change

    private func change(_ category: Category) -> Why? {
        if category == .wrongRevision, let found = account.eliminated {
            return change(found.commit, found.because, 0.7)
        }
        let isOfCommit = Conclusions.ofCommits.contains(category) || category == .flakyTest
        if Conclusions.canBlame(category), let culprit = account.culprit { return change(culprit) }
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
        var seen: [EvidenceReference?] = []
        if account.green.isFailing, account.changedTest == nil {
            seen = [witness(on: facts.lastGreen, fails: true)]
            said =
                account.groundFault.map { "none of the commits: last green \(green), deployed now, \($0)" }
                ?? "none of the commits: last green \(green), deployed now, fails too (\(account.green.words)), so what changed is around them"
        } else if account.green.isMixed, !account.passesOnGreen {
            seen = [witness(on: facts.lastGreen, fails: true), witness(on: facts.lastGreen, fails: false)]
            said = "none of the commits: it comes and goes on last green \(green) too (\(account.green.words))"
        } else if account.again.isPassing {
            seen = [witness(on: facts.wanted, fails: false)]
            said =
                "none of the commits: \(facts.wanted.short) deployed once more passes (\(account.again.words)), so what a deployment renews had changed"
        } else {
            return nil
        }
        return answer(4, said, 0.7, seen.compactMap(\.self))
    }

    /// The commit, and what it changes where that most likely matters: the condition has said how it was found.
    ///
    /// - because: what speaks for it, where no experiment confirmed it.
    private func change(_ commit: CommitInfo, _ because: String? = nil, _ confidence: Double = 0.95) -> Why? {
        guard let reference = listed(commit) else { return nil }
        let files = commit.files.prefix(4).joined(separator: ", ")
        let author = commit.author.map { " by \($0)" } ?? ""
        let hunk = facts.patches[commit.revision].flatMap { patch in
            PatchHunk.likeliest(in: patch, failing: suspicion.results)
        }
        let said = [because, hunk?.words].compactMap(\.self).joined(separator: "; ")
        return answer(
            4, "commit \(Whys.named(commit))\(author) (\(files))\(said.isEmpty ? "" : ": \(said)")", confidence,
            [hunk?.reference, reference].compactMap(\.self))
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
        if case .meets(let target, _) = suspicion.predicate {
            return facts.references[TriageCase.targetKey(target)].map { [$0] } ?? []
        }
        return stageRecord().flatMap { facts.consoles[$0.run.folder] }.map { [$0] } ?? []
    }

    /// The stage of the cycle's own pass that the suspicion is about; nil where it is about tests.
    private func stageRecord() -> StageRecord? {
        let kind: StageKind
        switch suspicion.predicate {
        case .deploys: kind = .deploy
        case .getsStable: kind = .stabilize
        case .passes, .meets: return nil
        case .proves: kind = .test
        }
        return facts.current.last {
            if case .proves(let suite) = suspicion.predicate, $0.run.subject != suite { return false }
            return $0.run.kind == kind && $0.run.revision == facts.wanted && $0.run.experiment == nil
        }
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
