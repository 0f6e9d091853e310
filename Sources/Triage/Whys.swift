// SPDX-License-Identifier: Apache-2.0
// The five questions. An answer without evidence is no answer: it stays *unknown*, with the check that would tell.

import Domain

struct Whys {
    let account: Account
    let signs: Signs

    init(_ account: Account, _ signs: Signs) {
        self.account = account
        self.signs = signs
    }

    /// All five, for a category; `compared` is what the experiments came to.
    func answers(_ category: Category, _ compared: String) -> [Why] {
        let facts = account.facts
        let suspicion = account.suspicion
        var whys = Whys.unknown(facts)
        whys[0] = Whys.whatFailed(suspicion, facts)
        if !account.comesAndGoes, !account.healed { whys[1] = Whys.behavior(suspicion, facts) }
        if account.changedTest == nil || !account.green.isFailing, !compared.isEmpty {
            whys[2] = Whys.condition(suspicion, facts, compared, 0.9)
        }
        if let culprit = account.culprit, Conclusions.ofCommits.contains(category) {
            whys[3] = Whys.change(culprit, compared, facts)
            whys[4] = Whys.notCaught(culprit, facts)
        }
        return whys
    }

    /// Where an earlier cycle has proven the culprit.
    func known(_ commit: CommitInfo, _ proof: String) -> [Why] {
        var whys = Whys.unknown(account.facts)
        whys[0] = Whys.whatFailed(account.suspicion, account.facts)
        whys[1] = Whys.behavior(account.suspicion, account.facts)
        whys[3] = Whys.change(commit, proof, account.facts)
        whys[4] = Whys.notCaught(commit, account.facts)
        return whys
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

    static func unknown(_ facts: TriageCase) -> [Why] {
        questions.indices.map { index in
            Why(
                n: index + 1, question: questions[index],
                answer: "unknown; the check that would tell: \(checks[index])", confidence: 0)
        }
    }

    static func whatFailed(_ suspicion: Suspicion, _ facts: TriageCase) -> Why {
        let references = suspicion.results.prefix(3).compactMap { failing($0.id, facts) } + stage(suspicion, facts)
        guard let first = references.first else { return unknown(facts)[0] }
        let names = suspicion.results.prefix(3).map(\.id).joined(separator: ", ")
        let more = suspicion.results.count > 3 ? " and \(suspicion.results.count - 3) more" : ""
        let answer = names.isEmpty ? suspicion.title : "\(names)\(more): \(reason(suspicion))"
        return Why(
            n: 1, question: questions[0], answer: answer, confidence: 1,
            evidence: Array(([first] + references.dropFirst()).prefix(3)))
    }

    static func behavior(_ suspicion: Suspicion, _ facts: TriageCase) -> Why {
        guard let result = suspicion.results.first, let reference = failing(result.id, facts) else {
            guard let reference = stage(suspicion, facts).first else { return unknown(facts)[1] }
            let last = reference.excerpt.split(whereSeparator: \.isNewline).last.map(String.init) ?? reference.excerpt
            return Why(
                n: 2, question: questions[1], answer: "the stage ended with: \(last)", confidence: 0.6,
                evidence: [reference])
        }
        let place = result.file.map { file in " at \(file)\(result.line.map { ":\($0)" } ?? "")" } ?? ""
        let answer: String
        if result.outcome == .timedOut {
            answer = "the test waited for something that never came and was cut at its limit\(place)"
        } else {
            let type = result.type.map { "\($0): " } ?? ""
            answer =
                "\(type)\((result.message ?? "no message").split(whereSeparator: \.isNewline).first.map(String.init) ?? "")\(place)"
        }
        return Why(n: 2, question: questions[1], answer: answer, confidence: 0.8, evidence: [reference])
    }

    static func condition(_ suspicion: Suspicion, _ facts: TriageCase, _ answer: String, _ confidence: Double) -> Why {
        let ids = suspicion.results.map(\.id)
        let records = facts.records.filter {
            $0.run.experiment != nil && [.test, .deploy, .stabilize].contains($0.run.kind)
        }
        var references: [EvidenceReference] = []
        for record in records where references.count < 4 {
            let found = ids.compactMap { facts.reference($0, in: record.run.folder) }.first
            if let reference = found ?? (ids.isEmpty ? facts.consoles[record.run.folder] : nil) {
                references.append(reference)
            }
        }
        guard !references.isEmpty else { return unknown(facts)[2] }
        return Why(n: 3, question: questions[2], answer: answer, confidence: confidence, evidence: references)
    }

    static func change(_ commit: CommitInfo, _ proof: String, _ facts: TriageCase) -> Why {
        guard let reference = listed(commit, facts) else { return unknown(facts)[3] }
        let files = commit.files.prefix(4).joined(separator: ", ")
        let author = commit.author.map { " by \($0)" } ?? ""
        let answer = "commit \(commit.revision.short) \"\(commit.subject)\"\(author) (\(files)): \(proof)"
        return Why(n: 4, question: questions[3], answer: answer, confidence: 0.95, evidence: [reference])
    }

    /// Only what the commit's own file list carries: whether the change came with a change to the tests.
    static func notCaught(_ commit: CommitInfo, _ facts: TriageCase) -> Why {
        guard let reference = listed(commit, facts), !commit.files.isEmpty,
            !commit.files.contains(where: Paths.isTest)
        else { return unknown(facts)[4] }
        let answer =
            "\(commit.revision.short) changed \(commit.files.count) \(commit.files.count == 1 ? "file" : "files") and no test: nothing before staging was asked about it"
        return Why(n: 5, question: questions[4], answer: answer, confidence: 0.5, evidence: [reference])
    }

    // MARK: - Evidence

    private static func failing(_ test: String, _ facts: TriageCase) -> EvidenceReference? {
        for record in facts.current where record.run.kind == .test && record.run.revision == facts.wanted {
            if let reference = facts.reference(test, in: record.run.folder) { return reference }
        }
        return nil
    }

    private static func stage(_ suspicion: Suspicion, _ facts: TriageCase) -> [EvidenceReference] {
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

    private static func listed(_ commit: CommitInfo, _ facts: TriageCase) -> EvidenceReference? {
        guard let path = facts.commitsFile else { return nil }
        let lines = facts.commitsText.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.contains(commit.revision.id) }) else { return nil }
        return EvidenceReference(path: path, lines: [index + 1, index + 1], excerpt: String(lines[index]))
    }

    private static func reason(_ suspicion: Suspicion) -> String {
        guard let result = suspicion.results.first else { return suspicion.title }
        if suspicion.isMass { return suspicion.title }
        if result.outcome == .timedOut { return result.message ?? "cut at its limit" }
        return (result.message ?? result.outcome.rawValue).split(whereSeparator: \.isNewline).first.map(String.init)
            ?? ""
    }
}
