// SPDX-License-Identifier: Apache-2.0
// Performance targets that are missed although every test passes: what is asked about them, and in which words.

import Domain

extension Suspicion {
    /// Where tests fail or evidence is doubted that comes first: what is slow may be what is broken.
    static func missedTargets(_ facts: TriageCase) -> [Suspicion] {
        var found: [Suspicion] = []
        for record in ownRuns(facts).reversed() {
            guard let suite = record.run.subject else { continue }
            for target in record.targets ?? [] {
                let signature = "target: \(target.name)"
                // The newest run of a suite is the one that decides.
                if found.contains(where: { $0.signature == signature }) || !target.isInQuestion { continue }
                found.append(
                    Suspicion(
                        signature: signature, title: "target \(target.name): \(words(target))",
                        predicate: .meets(target: target.name, suite: suite), suites: [suite]))
            }
        }
        return found.reversed()
    }

    /// Whole runs of the deciding pass, the newest of each suite.
    private static func ownRuns(_ facts: TriageCase) -> [StageRecord] {
        var newest: [StageRecord] = []
        for record in facts.current where record.run.kind == .test && record.run.only == nil {
            guard record.run.experiment == nil, record.run.revision == facts.wanted else { continue }
            newest.removeAll { $0.run.subject == record.run.subject }
            newest.append(record)
        }
        return newest
    }

    /// The target's name, and what was measured in the deciding pass.
    func target(_ facts: TriageCase) -> (record: TargetRecord, folder: String)? {
        guard case .meets(let name, let suite) = predicate,
            let run = Suspicion.ownRuns(facts).last(where: { $0.run.subject == suite }),
            let record = run.targets?.first(where: { $0.name == name })
        else { return nil }
        return (record, run.run.folder)
    }

    /// What was measured on a revision, deployed for it: the values of all runs.
    func measured(on revision: Revision, _ facts: TriageCase) -> [TargetRecord] {
        guard case .meets(let name, let suite) = predicate else { return [] }
        return Suspicion.afterDeployments(facts)
            .filter { $0.run.revision == revision && $0.run.subject == suite && $0.run.only == nil }
            .compactMap { $0.targets?.first { $0.name == name } }
    }

    /// `p95 of 30 is 212 ms > 100 ms`
    private static func words(_ target: TargetRecord) -> String {
        let rank = Measure.text(target.percentile ?? 95)
        let basis = target.samples.map { $0 > 1 ? "p\(rank) of \($0) is " : "" } ?? ""
        let sign = target.isFloor == true ? "<" : ">"
        return "\(basis)\(Measure.text(target.measured ?? 0, target.unit)) \(sign) "
            + Measure.text(target.limit, target.unit)
    }

    /// How the target behaves, in figures: for `statistics` and the second why.
    func figures(_ facts: TriageCase) -> String? {
        guard let target = target(facts)?.record else { return nil }
        var parts = [Suspicion.words(target)]
        if let change = target.sinceGreen { parts.append(change.words) }
        if let green = facts.lastGreen {
            let now = measured(on: green, facts).compactMap { $0.measured.map { Measure.text($0, target.unit) } }
            if !now.isEmpty {
                parts.append("\(now.joined(separator: ", ")) on last green \(green.short), measured now")
            }
        }
        return parts.joined(separator: "; ")
    }
}

extension TriageCase {
    /// Where the evidence of a target is kept among `references`.
    package static func targetKey(_ target: String) -> String { "target \(target)" }
}
