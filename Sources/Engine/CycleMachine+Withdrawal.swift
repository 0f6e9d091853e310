// SPDX-License-Identifier: Apache-2.0
// What a remedy shows of its diagnosis. A rollback that does not help refutes it: what fails on the last green revision too
// was not brought by a commit after it. What fails otherwise than before is another matter.

import Domain

extension CycleMachine {
    /// Takes the blame from the culprit of each incident whose failure is there on the last green revision as well, and the
    /// mark from the revision that was given up for it.
    mutating func withdrawBlame() -> [Action] {
        guard let progress = cycle, let green = progress.lastGreen, progress.deployed == green else { return [] }
        let there = progress.records.filter {
            $0.run.kind == .test && $0.run.purpose == .reverify && $0.run.revision == green
        }
        var said: [Action] = []
        var withdrawn: Set<String> = []
        for index in progress.incidents.indices {
            var incident = progress.incidents[index]
            guard var diagnosis = incident.diagnosis, diagnosis.culprit != nil || !diagnosis.category.isOfSurroundings,
                CycleMachine.isThereToo(incident, there)
            else { continue }
            diagnosis.candidates = [diagnosis.culprit].compactMap(\.self) + diagnosis.candidates
            diagnosis.culprit = nil
            diagnosis.grade = .possible
            diagnosis.recommendedAction = .none
            diagnosis.summary =
                "refuted by the rollback: it fails on last green \(green.short) too; before: " + diagnosis.summary
            CycleMachine.withdraw(&diagnosis.whys, green, there)
            incident.diagnosis = diagnosis
            cycle?.incidents[index] = incident
            if let known = memory.incidents.firstIndex(where: { $0.id == incident.id }) {
                var kept = diagnosis
                kept.cycle = memory.incidents[known].diagnosis?.cycle
                memory.incidents[known].diagnosis = kept
            }
            withdrawn.insert(incident.id)
            let text = "\(incident.id) withdrawn: it fails on last green \(green.short) too, no commit is blamed"
            said.append(.say(LogLine(.fact, "diagnosis", text)))
        }
        // It bears the mark for each of them: one that stands keeps it.
        let stands = (progress.earlierIncidents + progress.incidents).contains { incident in
            guard !withdrawn.contains(incident.id), let diagnosis = incident.diagnosis else { return false }
            return diagnosis.culprit != nil || !diagnosis.category.isOfSurroundings
        }
        if !withdrawn.isEmpty, !stands { memory.knownBad.removeAll { $0.revision == progress.wanted } }
        return said
    }

    /// What made it so and which change brought that are open again; what the rollback showed says why.
    private static func withdraw(_ whys: inout [Why], _ green: Revision, _ there: [StageRecord]) {
        let shown = there.filter { $0.suite?.notPassed.contains { $0.outcome.isFailure } == true }
        let evidence = shown.prefix(2).map { record in
            EvidenceReference(path: record.run.folder, excerpt: record.summary)
        }
        for index in whys.indices where whys[index].n == 3 || whys[index].n == 4 {
            whys[index].answer =
                "unknown; the rollback refuted what was held: it fails on last green \(green.short) too"
            whys[index].confidence = 0
            whys[index].evidence = evidence
        }
    }

    /// More than half of its tests fail there again, or of all tests where a stage failed: a single one may be a flake.
    private static func isThereToo(_ incident: Incident, _ records: [StageRecord]) -> Bool {
        let failing = Set(records.flatMap { $0.suite?.notPassed ?? [] }.filter(\.outcome.isFailure).map(\.id))
        if !incident.tests.isEmpty { return 2 * failing.intersection(incident.tests).count > Set(incident.tests).count }
        let totals = records.filter { $0.run.only == nil }.compactMap(\.suite?.totals)
        let executed = totals.reduce(0) { $0 + $1.executed }
        return executed > 0 && 2 * totals.reduce(0) { $0 + $1.failing } > executed
    }
}

extension CycleMachine {
    /// Whether something fails after a remedy that did not fail before it: another test, or the same in other words. That is
    /// what the cured cause hid. What is in quarantine, or goes on failing as it did, is no such thing.
    func isAnotherMatter(_ progress: CycleProgress, _ now: Timestamp) -> Bool {
        let quarantine = Quarantine(progress.policy.quarantine, at: now)
        func failures(_ records: ArraySlice<StageRecord>) -> [TestResult] {
            records.filter { $0.run.kind == .test && $0.run.experiment == nil }.flatMap { $0.suite?.notPassed ?? [] }
                .filter { $0.outcome.isFailure && quarantine.entry(for: $0.id) == nil }
        }
        let known = Set(progress.incidents.flatMap(\.tests))
        let from = min(progress.decidedFrom, progress.decidingFrom)
        let before = Set(failures(progress.records[from..<progress.decidingFrom]).map(FailureWords.init))
        return failures(progress.deciding).contains { failure in
            !known.contains(failure.id) || !before.contains(FailureWords(failure))
        }
    }
}

/// A failure without what differs from one run to the next: numbers, and with them times and ports.
private struct FailureWords: Hashable {
    private let test: String
    private let words: String

    init(_ result: TestResult) {
        test = result.id
        let text = "\(result.outcome) \(result.type ?? "") \(result.message ?? "")"
        words = String(text.unicodeScalars.filter { !$0.properties.isASCIIHexDigit }.map(Character.init))
    }
}
