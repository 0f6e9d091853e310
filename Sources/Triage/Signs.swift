// SPDX-License-Identifier: Apache-2.0
// Which signs a suspicion shows, and the texts and files that rules look at.

import Domain

struct Signs {
    let signs: Set<TriageSign>
    /// Lowercased.
    let texts: [TriagePlace: String]
    /// Of each failing test, lowercased.
    let messages: [String]
    /// Files of the culprit, or of everything that changed.
    let files: [String]

    init(_ account: Account) {
        var found = Signs.behavior(account)
        found.formUnion(Signs.experiments(account))
        found.formUnion(Signs.changes(account))
        found.formUnion(Signs.past(account))
        found.formUnion(Signs.surroundings(account))
        signs = found
        messages = Signs.messages(account)
        texts = Signs.texts(account, messages)
        files = account.suspects.flatMap(\.files)
    }

    private static func behavior(_ account: Account) -> Set<TriageSign> {
        let suspicion = account.suspicion
        var found: Set<TriageSign> = []
        switch suspicion.predicate {
        case .deploys: found.insert(.deployFailed)
        case .getsStable: found.insert(.notStable)
        case .passes: found.insert(.testsFail)
        case .proves: found.insert(.evidenceEmpty)
        case .meets:
            found.insert(.targetMissed)
            if suspicion.target(account.facts)?.record.sinceGreen?.finding == .worse { found.insert(.targetRegressed) }
        }
        if account.wrong != nil { found.insert(.wrongRevision) }
        if suspicion.isMass { found.insert(.massFailure) }
        if suspicion.results.count >= 3 { found.insert(.manyTests) }
        if suspicion.hangs { found.insert(.hanging) }
        if !suspicion.results.isEmpty, suspicion.results.allSatisfy(isOfSpeed) { found.insert(.slow) }
        if account.comesAndGoes { found.insert(.comesAndGoes) }
        if account.healed { found.insert(.healed) }
        if account.healed, account.healedTests >= 3 { found.insert(.healedTogether) }
        let ailing = suspicion.ailing(account.facts)
        if ailing.isEverything { found.insert(.allServicesSilent) }
        if ailing.unreachable.count == 1 { found.insert(.oneServiceSilent) }
        if !ailing.dependencies.isEmpty { found.insert(.dependencyUnwell) }
        if !ailing.unwell.isEmpty { found.insert(.serviceUnwell) }
        if Components.awayButAnswering(account) != nil { found.insert(.answeringService) }
        // The look after the tests reads revisions and no health check: only named services answer for themselves.
        if account.isOfTests, account.undisturbed.last == true, let look = suspicion.lookAfterTests(account.facts),
            look.outcome == .succeeded, !(look.live?.services ?? []).isEmpty
        {
            found.insert(.healthyAfter)
        }
        if suspicion.looksLikeNetwork || !ailing.unreachable.isEmpty { found.insert(.outOfReach) }
        return found
    }

    /// A failure that speaks of a measured time or rate and nothing else.
    private static func isOfSpeed(_ result: TestResult) -> Bool {
        let message = (result.message ?? "").lowercased()
        let words = [
            "p50", "p90", "p95", "p99", "latency", "throughput", "per second", "slower", "too slow", "percentile",
        ]
        if words.contains(where: message.contains) { return true }
        // A test that measures by its name, and did not get to the end of it.
        let id = result.id.lowercased()
        let isCut = result.outcome == .timedOut || message.contains("timeout") || message.contains("timed out")
        if isCut, ["p50", "p90", "p95", "p99", "latency", "throughput"].contains(where: id.contains) { return true }
        return message.contains(" ms")
            && ["target", "limit", "budget", "threshold", "objective"].contains(where: message.contains)
    }

    private static func experiments(_ account: Account) -> Set<TriageSign> {
        var found: Set<TriageSign> = []
        if account.green.isFailing, account.changedTest == nil { found.insert(.failsOnGreen) }
        if account.passesOnGreen {
            found.insert(.passesOnGreen)
        } else if account.green.isMixed {
            found.insert(.mixedOnGreen)
        }
        if account.again.isFailing { found.insert(.failsAgain) }
        if account.again.isPassing { found.insert(.passesAgain) }
        let crossed = account.observation(of: .crossed)
        if crossed.isPassing { found.insert(.oldTestsPass) }
        if crossed.isFailing { found.insert(.oldTestsFail) }
        let reverted = account.taken
        if reverted.isPassing { found.insert(.revertPasses) }
        if reverted.isFailing { found.insert(.revertFails) }
        return found
    }

    private static func changes(_ account: Account) -> Set<TriageSign> {
        var found: Set<TriageSign> = []
        if account.facts.lastGreen == account.facts.wanted { found.insert(.noNewCommits) }
        if account.changedTest != nil { found.insert(.testChanged) }
        let changed = account.facts.commits.flatMap(\.files)
        if changed.contains(where: Paths.isMigration) { found.insert(.newMigration) }
        if changed.contains(where: { Paths.isConfiguration($0) && !FileKind.isTest($0) }) {
            found.insert(.newConfiguration)
        }
        guard let culprit = account.culprit else { return found }
        found.insert(.culpritFound)
        if account.isBeyondLuck { found.insert(.culpritBeyondLuck) }
        let files = culprit.files.filter { !FileKind.isDocumentation($0) }
        if files.contains(where: Paths.isMigration) { found.insert(.culpritMigration) }
        if !files.isEmpty, files.allSatisfy(FileKind.isTest) { found.insert(.culpritTestsOnly) }
        let code = files.filter { !FileKind.isTest($0) }
        let ofDeployment = culprit.files.filter(Paths.isOfDeployment)
        if !ofDeployment.isEmpty, code.allSatisfy(Paths.isOfDeployment) {
            found.insert(.culpritDeploymentOnly)
        } else if !code.isEmpty, code.allSatisfy(Paths.isConfiguration) {
            found.insert(.culpritConfigurationOnly)
        }
        return found
    }

    private static func past(_ account: Account) -> Set<TriageSign> {
        let facts = account.facts
        guard account.isOfTests, !facts.history.isEmpty else { return [] }
        var found: Set<TriageSign> = []
        let suites = account.suspicion.suites
        let histories = account.suspicion.results.map { result in
            suites.lazy.compactMap { facts.history[TriageCase.historyKey(result.id, of: $0)] }.first
        }
        if histories.contains(where: { $0 == nil || $0?.runs == 0 }) { found.insert(.testNew) }
        let known = histories.compactMap(\.self)
        if known.contains(where: { $0.mixedRevisions > 0 }) { found.insert(.flakyBefore) }
        if known.count == histories.count,
            known.allSatisfy({ $0.runs >= 20 && $0.mixedRevisions == 0 && $0.flakeRate < 0.01 })
        {
            found.insert(.neverFlaky)
        }
        return found
    }

    private static func surroundings(_ account: Account) -> Set<TriageSign> {
        var found: Set<TriageSign> = []
        for fact in account.facts.surroundings {
            let isChanged = fact.valueAtGreen.map { $0 != fact.value } ?? false
            let isProblem = fact.isProblem == true
            switch fact.kind {
            case .disk, .inodes: if isProblem { found.insert(.diskProblem) }
            case .memory: if isProblem { found.insert(.memoryProblem) }
            case .descriptors: if isProblem { found.insert(.descriptorProblem) }
            case .load: if isProblem { found.insert(.loadProblem) }
            case .clock: if isProblem { found.insert(.clockProblem) }
            // One that ends soon is a problem of tomorrow.
            case .certificate: if isProblem, !fact.value.hasPrefix("ends ") { found.insert(.certificateProblem) }
            case .name: if isProblem || isChanged { found.insert(.nameProblem) }
            case .address: if isProblem { found.insert(.addressProblem) }
            case .health: if isProblem { found.insert(.healthProblem) }
            case .file: if isProblem || isChanged { found.insert(.fileChanged) }
            }
        }
        return found
    }

    // MARK: - Texts

    private static func messages(_ account: Account) -> [String] {
        let heard = Listening.heard(account).map(\.result) + account.besides
        let results = account.suspicion.results.prefix(40) + heard.prefix(40)
        return results.map { result in
            // Details print the source of the test, whose words are none of the failure's.
            let text = result.message ?? result.details.map { String($0.suffix(500)) } ?? ""
            return ((result.type ?? "") + " " + text).lowercased()
        }
    }

    private static func texts(_ account: Account, _ messages: [String]) -> [TriagePlace: String] {
        let suspicion = account.suspicion
        let console = suspicion.failedStages(account.facts).compactMap {
            account.facts.consoles[$0.run.folder]?.excerpt
        }
        let logs = account.facts.logs.filter(isTelling).prefix(30).map {
            "\($0.source): \($0.template) \($0.reference.excerpt)"
        }
        return [
            .message: messages.joined(separator: "\n"),
            .probe: suspicion.ailing(account.facts).findings.joined(separator: "\n").lowercased(),
            .console: console.joined(separator: "\n").lowercased(),
            .log: logs.joined(separator: "\n").lowercased(),
        ]
    }

    private static let errors: Set<String> = [
        "error", "err", "critical", "crit", "fatal", "alert", "emerg", "emergency", "panic", "severe",
    ]

    /// Whether a kind of log line may tell of a cause: a problem by its level, or new where there is no level. Where nothing
    /// is there to compare with, warnings may be what the tests provoke every day.
    static func isTelling(_ finding: LogFinding) -> Bool {
        guard let level = finding.level?.lowercased() else { return finding.countAtGreen != nil }
        return errors.contains(level) || (level.hasPrefix("warn") && finding.countAtGreen != nil)
    }

    /// The word of a rule that occurs, and where.
    func hit(_ rule: TriageRule) -> (word: String, place: TriagePlace)? {
        for place in rule.places {
            guard let text = texts[place], !text.isEmpty else { continue }
            if let word = rule.words.first(where: text.contains) { return (word, place) }
        }
        return nil
    }

    /// How much of a rule's weight counts: what one of many failing tests says may be its own affair.
    func strength(_ rule: TriageRule) -> Double {
        guard messages.count >= 5, hit(rule)?.place == .message else { return 1 }
        let elsewhere = rule.places.contains { place in
            place != .message && rule.words.contains { texts[place]?.contains($0) ?? false }
        }
        if elsewhere { return 1 }
        let saying = messages.count { message in rule.words.contains(where: message.contains) }
        let share = Double(saying) / Double(messages.count)
        return share >= 0.4 ? 1 : share >= 0.15 ? 0.6 : 0.25
    }

    /// Whether the failure's own words name something around the revision: a lock, a full disk, a lost name.
    func namesSurroundings(_ rules: TriageRules) -> Bool {
        rules.rules.contains { rule in
            !rule.words.isEmpty && satisfies(rule)
                && rule.weights.contains { $0.value >= 2.5 && Conclusions.ofSurroundings.contains($0.key) }
        }
    }

    /// Whether a rule's condition holds.
    func satisfies(_ rule: TriageRule) -> Bool {
        guard rule.when.allSatisfy(signs.contains), !rule.unless.contains(where: signs.contains) else { return false }
        if !rule.words.isEmpty, hit(rule) == nil { return false }
        return rule.files.isEmpty || files.contains { file in rule.files.contains { Glob.matches($0, file) } }
    }
}
