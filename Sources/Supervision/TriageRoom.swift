// SPDX-License-Identifier: Apache-2.0
// Lays the evidence out for triage: reads the results and consoles of the cycle, lists the commits in question, and
// turns triage's answer into an event. Triage itself reads nothing.

import Domain
import Engine
import Evidence
import Execution
import Platform
import Triage

struct TriageRoom: Sendable {
    let context: LoopContext

    func ask(_ cycle: CycleProgress, _ budget: TriageBudget, _ memory: LoopMemory) async -> Event {
        let judgement = VerdictRules.judge(cycle, at: context.now())
        let doubts = judgement.reasons.filter {
            !["test-failed", "quarantine", "flaky", "fail-fast", "revision-not-read"].contains($0.rule)
                && !$0.rule.hasPrefix("target-")
        }
        let commits = await commits(cycle)
        let irreversible = await irreversible(cycle)
        var facts = TriageCase(
            cycle: cycle.number, openedAt: cycle.startedAt, wanted: cycle.wanted, lastGreen: cycle.lastGreen,
            records: cycle.records, decidingFrom: cycle.observedFrom ?? cycle.decidingFrom, experiments: cycle.experiments,
            suites: judgement.suites, doubts: doubts, commits: commits.list, commitsFile: commits.file,
            commitsText: commits.text, openIncidents: memory.incidents.filter { $0.state != .resolved },
            runbook: cycle.policy.runbook,
            allowance: TriageAllowance(
                experiments: budget.experiments, deploys: budget.deploys, seconds: budget.seconds,
                nextNumber: budget.nextNumber,
                deploysBarred: budget.deploysBarred ?? (budget.mayCrossIrreversible ? nil : irreversible)
            ),
            references: references(cycle), consoles: consoles(cycle), quarantined: quarantined(cycle),
            history: await history(cycle),
            crossable: Set(context.settings.current.suites.filter { $0.worktree && $0.repository == nil }.map(\.name)),
            parts: parts(context.settings.current.health), rules: context.settings.current.rules)
        facts.references.merge(targetReferences(cycle)) { own, _ in own }
        facts.greenIsParent = await greenIsParent(cycle, commits.list)
        facts.logs = await logFindings(cycle, judgement.suites)
        facts.surroundings = surroundingFacts(cycle)
        facts.burnIn = budget.burnIn
        facts.changedTests = await changedTests(cycle, judgement.suites, budget)
        let finding = Findings.newest(facts)
        var answer = await answer(&facts)
        answer.irreversible = irreversible
        answer.finding = finding
        if answer.experiment != nil {
            let announced = Set(cycle.announced.map(\.signature))
            let opened = Findings.grouping(facts).filter { !announced.contains($0.signature) }
            answer.opened = opened.isEmpty ? nil : opened
        }
        return .triageAnswered(answer)
    }

    /// An experiment with a revision that is not there yet waits for git to make it; where git cannot, triage hears why
    /// and is asked again. Each commit is tried once, so that this ends.
    private func answer(_ facts: inout TriageCase) async -> TriageAnswered {
        while true {
            switch Investigator.next(facts) {
            case .concluded(let incidents):
                // Who is blamed is known only now; asked once more, the same conclusion can cite what they changed.
                let missing = incidents.compactMap(\.diagnosis?.culprit?.commit).filter { facts.patches[$0] == nil }
                let patches = await keepPatches(missing, facts.cycle)
                if patches.isEmpty { return TriageAnswered(cycle: facts.cycle, incidents: incidents) }
                facts.patches.merge(patches) { $1 }
            case .experiment(var experiment):
                guard let culprit = experiment.reverting, facts.irrevertible[culprit] == nil else {
                    return TriageAnswered(cycle: facts.cycle, experiment: experiment)
                }
                do {
                    experiment.revision = try await without(culprit, facts.wanted)
                    return TriageAnswered(cycle: facts.cycle, experiment: experiment)
                } catch {
                    facts.irrevertible[culprit] = "\(error)"
                }
            }
        }
    }

    private func without(_ culprit: Revision, _ wanted: Revision) async throws -> Revision {
        guard let repository = context.repository else {
            throw RepositoryError(
                attempted: "take \(culprit.short) alone back", path: context.settings.current.baseDirectory,
                problem: "repository is not configured")
        }
        try Files.createDirectories("\(context.layout.root)/worktrees")
        return try await repository.revert(
            culprit, on: wanted, loop: context.settings.current.name,
            at: "\(context.layout.root)/worktrees/without-\(StageRun.fileName(culprit.id))")
    }

    /// What health checks and proofs of the revision call the parts of the system: their own names, and `llm` of an answer's
    /// `/dependencies/llm`.
    private func parts(_ health: HealthSettings) -> [String] {
        let pointers = health.checks.flatMap { $0.json.map(\.pointer) }
        let dependencies = pointers.compactMap { pointer -> String? in
            let parts = pointer.split(separator: "/")
            return parts.count > 1 ? parts.last.map(String.init) : nil
        }
        return (health.checks.map(\.name) + health.liveRevision.compactMap(\.service) + dependencies).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }

    /// Failing tests that everybody knows of: no deployment is spent on them.
    private func quarantined(_ cycle: CycleProgress) -> Set<String> {
        let quarantine = Quarantine(cycle.policy.quarantine, at: context.now())
        let failing = cycle.records.flatMap { $0.suite?.notPassed ?? [] }.map(\.id)
        return Set(failing.filter { quarantine.entry(for: $0) != nil })
    }

    /// An irreversible change between the two revisions bars every deployment across it, experiment or rollback.
    private func irreversible(_ cycle: CycleProgress) async -> String? {
        let patterns = context.settings.current.deploy?.irreversible ?? []
        guard let green = cycle.lastGreen, green != cycle.wanted, let repository = context.repository else {
            return nil
        }
        return await repository.irreversible(patterns, between: green, and: cycle.wanted)
    }

    /// Whether the oldest suspect was made on the last green revision; taken for granted where git does not tell.
    private func greenIsParent(_ cycle: CycleProgress, _ commits: [CommitInfo]) async -> Bool {
        guard let green = cycle.lastGreen, let oldest = commits.first?.revision,
            let parents = await context.repository?.parents(of: oldest)
        else { return true }
        return parents.contains { $0.names(green) }
    }

    // MARK: - Evidence

    private static let commitsFile = "commits.txt"

    private func commits(_ cycle: CycleProgress) async -> (list: [CommitInfo], file: String?, text: String) {
        guard let green = cycle.lastGreen, green != cycle.wanted, let repository = context.repository else {
            return ([], nil, "")
        }
        let list: [CommitInfo]
        do {
            list = try await repository.commitsWithChanges(after: green, upTo: cycle.wanted)
        } catch {
            context.say(LogLine(.warn, "triage", "no commit is suspected: \(error)"))
            return ([], nil, "")
        }
        let lines = list.map { commit in
            "\(commit.revision.id) \(commit.subject) <\(commit.author ?? "?")> \(commit.files.joined(separator: " "))"
        }
        let text = lines.joined(separator: "\n") + "\n"
        let path = "\(context.layout.cycle(cycle.number))/\(TriageRoom.commitsFile)"
        guard (try? AtomicFile.write(Array(text.utf8), to: path, durable: false)) != nil else {
            return (list, nil, text)
        }
        return (list, TriageRoom.commitsFile, text)
    }

    /// The last lines of each stage's console (or of its probes).
    private func consoles(_ cycle: CycleProgress) -> [String: EvidenceReference] {
        var found: [String: EvidenceReference] = [:]
        for record in cycle.records {
            let logs = record.commands.compactMap(\.log) + [record.probes?.file].compactMap { $0 }
            for log in logs.reversed() {
                guard let tail = tail(log, cycle.number) else { continue }
                found[record.run.folder] = tail
                if log.hasPrefix(record.run.folder + "/") { break }
            }
        }
        return found
    }

    /// The last three lines that say something, with their numbers. A console may be large: it passes through once, and
    /// only its end is kept.
    func tail(_ path: String, _ cycle: Int) -> EvidenceReference? {
        let file = "\(context.layout.cycle(cycle))/\(path)"
        var newlines = 0
        let counted: Void? = try? Files.readInPieces(file) { piece in newlines += piece.count { $0 == 10 } }
        guard counted != nil, let end = try? Files.tail(file, TriageRoom.tailBytes) else { return nil }
        let lines = end.split(separator: 10, omittingEmptySubsequences: false)
        let last = lines.indices.filter { index in lines[index].contains { $0 > 32 } }.suffix(3)
        guard let first = last.first, let final = last.last else { return nil }
        let text = lines[first...final].map { Excerpt.text($0.prefix(TriageRoom.lineBytes)) }.joined(separator: "\n")
        // The number of the first line in `end`, counted from 1.
        let start = newlines - (lines.count - 1) + 1
        return EvidenceReference(path: path, lines: [start + first, start + final], excerpt: text)
    }

    private static let tailBytes = 256 << 10
    private static let lineBytes = 300
}
