// SPDX-License-Identifier: Apache-2.0
// What speaks for the surroundings rather than the revision: services that do not answer, failures that a fresh
// deployment of the same revision does not bring back, words that name an exhausted resource.

import Domain

/// What the last answers of a failed stabilization say about single services.
struct Ailing: Hashable, Sendable {
    /// Services that did not answer at all.
    private(set) var unreachable: [String] = []
    /// Dependencies that a service named as not well, by the last part of the pointer: `/dependencies/llm`.
    private(set) var dependencies: [String] = []
    /// Services that answered, and not well.
    private(set) var unwell: [String] = []
    /// What the checks found, as they put it.
    private(set) var findings: [String] = []
    private var answering: Set<String> = []

    private static let silence = [
        "connection refused", "no answer", "timed out", "unreachable", "connection reset", "closed the connection",
    ]
    private static let revisionPrefix = "revision of "

    init(_ record: StageRecord?) {
        for sample in Ailing.lasting(record?.probes?.failures ?? []) {
            findings.append("\(sample.check): \(sample.finding)")
            let isRevision = sample.check.hasPrefix(Ailing.revisionPrefix)
            let name = isRevision ? String(sample.check.dropFirst(Ailing.revisionPrefix.count)) : sample.check
            if Ailing.silence.contains(where: { sample.finding.contains($0) }) {
                Ailing.note(name, &unreachable)
            } else if let dependency = Ailing.dependency(in: sample.finding) {
                Ailing.note(dependency, &dependencies)
            } else if !isRevision {
                Ailing.note(name, &unwell)
            }
        }
        if let live = record?.live, let problem = live.problem, record?.outcome != .succeeded, findings.isEmpty {
            // A look after the tests reads the revision alone.
            findings.append("revision of \(problem)")
            if Ailing.silence.contains(where: { problem.contains($0) }) {
                for service in live.services where service.live == nil { Ailing.note(service.name, &unreachable) }
            }
        }
        answering = Set((record?.live?.services ?? []).filter { $0.live != nil }.map(\.name))
    }

    /// The one service that explains the others, where there is one.
    var component: String? {
        if unreachable.count == 1 { return unreachable.first }
        if unreachable.isEmpty, dependencies.count == 1 { return dependencies.first }
        if unreachable.isEmpty, dependencies.isEmpty, unwell.count == 1 { return unwell.first }
        return nil
    }

    /// Whether a service answered the loop's own questions.
    func answers(_ name: String) -> Bool {
        answering.contains { $0.lowercased() == name.lowercased() } && !unreachable.contains(name)
    }

    /// Whether nothing answered.
    var isEverything: Bool { unreachable.count > 1 && answering.isEmpty }

    /// The findings of the second half of the time: what was only still starting has answered by then.
    private static func lasting(_ samples: [ProbeSample]) -> [ProbeSample] {
        guard let first = samples.first?.at, let last = samples.last?.at else { return [] }
        let middle = (first.milliseconds + last.milliseconds) / 2
        return samples.filter { $0.at.milliseconds >= middle }
    }

    private static func note(_ name: String, _ names: inout [String]) {
        if !names.contains(name) { names.append(name) }
    }

    /// `/dependencies/llm is "down", expected "ok"` names `llm`; a pointer of one part names the service's own state.
    private static func dependency(in finding: String) -> String? {
        guard finding.hasPrefix("/"), let pointer = finding.split(separator: " ").first else { return nil }
        let parts = pointer.split(separator: "/")
        return parts.count > 1 ? parts.last.map(String.init) : nil
    }
}

extension Suspicion {
    /// Records of experiments that deployed what they asked about.
    static func afterDeployments(_ facts: TriageCase) -> [StageRecord] {
        facts.records.filter(\.run.purpose.isDeployedExperiment)
    }

    /// Whether the failure looks like one of the surroundings, so that the same revision is deployed again first.
    var mayBeSurroundings: Bool {
        switch predicate {
        case .deploys, .getsStable: true
        case .passes: isMass || looksLikeNetwork
        case .proves: false
        }
    }

    var looksLikeNetwork: Bool {
        let words = ["connect", "unreachable", "name or service not known"]
        return !results.isEmpty
            && results.allSatisfy { result in
                let text = ((result.type ?? "") + " " + (result.message ?? "")).lowercased()
                // A status is a whole number: 15031 rows are no 503.
                let numbers = text.split { !$0.isNumber }
                return words.contains { text.contains($0) } || numbers.contains { ["502", "503", "504"].contains($0) }
            }
    }

    /// The deployed revision is proven not to be what answers. Other deployments tell nothing then: what keeps
    /// answering passes for the revision it is, whatever the deployment does.
    func wrongRevision(_ facts: TriageCase) -> String? {
        guard let live = failedStabilization(facts)?.live,
            live.answers.contains(where: { !$0.revision.names(facts.wanted) })
        else { return nil }
        let stale = live.services.filter { service in
            service.live.map { !$0.names(service.wanted ?? facts.wanted) } ?? false
        }
        let seen =
            stale.isEmpty
            ? live.answers.map { "\($0.revision.short) in \($0.count)" }.joined(separator: ", ")
                + " of \(live.asked) answers"
            : stale.map { "\($0.name) is still running revision \($0.live?.short ?? "?")" }.joined(separator: ", ")
        return "\(facts.wanted.short) was deployed and is not what answers: \(seen)"
    }

    /// What answered instead.
    func staleRevisions(_ facts: TriageCase) -> Set<Revision> {
        var found: Set<Revision> = []
        for record in facts.records where record.run.kind == .stabilize && record.run.experiment == nil {
            found.formUnion((record.live?.answers.map(\.revision) ?? []).filter { !$0.names(facts.wanted) })
            for service in record.live?.services ?? [] {
                if let live = service.live, !live.names(service.wanted ?? facts.wanted) { found.insert(live) }
            }
        }
        return found
    }

    /// The stages of the wanted revision that failed in the cycle's own pass, other than tests.
    func failedStages(_ facts: TriageCase) -> [StageRecord] {
        let kind: StageKind
        switch predicate {
        case .deploys: kind = .deploy
        case .getsStable: kind = .stabilize
        case .passes, .proves: return []
        }
        return facts.current.filter {
            $0.run.kind == kind && $0.run.revision == facts.wanted && $0.run.experiment == nil
                && $0.outcome != .succeeded
        }
    }

    /// What the stabilization that failed says about single services; for tests the look after the last one.
    func ailing(_ facts: TriageCase) -> Ailing {
        if case .passes = predicate {
            return Ailing(lookAfterTests(facts).flatMap { $0.outcome == .succeeded ? nil : $0 })
        }
        return Ailing(failedStabilization(facts))
    }

    /// The live revision and the checks read again after the tests of the cycle's own pass, or after they were run again
    /// where they are: one that found something is the one that tells.
    func lookAfterTests(_ facts: TriageCase) -> StageRecord? {
        let inPlace = Set(
            facts.experiments.filter { !$0.experiment.kind.deploys }.map(\.experiment.number))
        let looks = facts.current.filter { record in
            record.run.purpose == .recheck && record.run.revision == facts.wanted
                && record.run.experiment.map(inPlace.contains) ?? true
        }
        return looks.last { $0.outcome != .succeeded } ?? looks.last
    }

    /// The stabilization of the wanted revision that failed.
    private func failedStabilization(_ facts: TriageCase) -> StageRecord? {
        guard case .getsStable = predicate else { return nil }
        return facts.current.last { record in
            record.run.kind == .stabilize && record.run.revision == facts.wanted && record.run.experiment == nil
                && record.outcome != .succeeded
        }
    }
}
