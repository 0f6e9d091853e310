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
    private var answering: Set<String> = []

    private static let silence = [
        "connection refused", "no answer", "timed out", "unreachable", "connection reset", "closed the connection",
    ]
    private static let revisionPrefix = "revision of "

    init(_ record: StageRecord?) {
        for sample in record?.probes?.failures ?? [] {
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
        answering = Set((record?.live?.services ?? []).filter { $0.live != nil }.map(\.name))
    }

    /// The one service that explains the others, where there is one.
    var component: String? {
        if unreachable.count == 1 { return unreachable.first }
        if unreachable.isEmpty, dependencies.count == 1 { return dependencies.first }
        if unreachable.isEmpty, dependencies.isEmpty, unwell.count == 1 { return unwell.first }
        return nil
    }

    /// Whether nothing answered.
    var isEverything: Bool { unreachable.count > 1 && answering.isEmpty }

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

/// Words by which a failure that no commit brought names its own cause. Systems and libraries share them.
enum Symptoms {
    private static let table: [(category: Category, words: [String])] = [
        (
            .resourceExhaustion,
            [
                "no space left", "disk full", "disk quota", "too many open files", "out of memory",
                "cannot allocate memory", "resource temporarily unavailable", "quota exceeded",
            ]
        ),
        (
            .expiredCredential,
            [
                "credential expired", "credentials have expired", "credential has expired", "certificate has expired",
                "certificate expired", "api key expired", "password expired", "key has expired",
            ]
        ),
        (
            .network,
            [
                "name or service not known", "cannot resolve", "could not resolve", "name resolution",
                "no route to host", "network is unreachable",
            ]
        ),
        (.dataState, ["disk image is malformed", "unique constraint", "duplicate key", "duplicate entry"]),
    ]

    static func category(_ texts: some Sequence<String>) -> Category? {
        let text = texts.joined(separator: "\n").lowercased()
        return table.first { $0.words.contains { text.contains($0) } }?.category
    }
}

extension Suspicion {
    /// Everything the failure itself says.
    func words(_ facts: TriageCase) -> [String] {
        let own = results.flatMap { [$0.message, $0.details].compactMap { $0 } }
        let stage = failedStabilization(facts)?.probes?.failures.map(\.finding) ?? []
        return [title] + own + stage
    }

    /// Records of experiments that deployed what they asked about.
    static func afterDeployments(_ facts: TriageCase) -> [StageRecord] {
        facts.records.filter(\.run.purpose.isDeployedExperiment)
    }

    /// What was seen on the wanted revision as the cycle had deployed it.
    func beforeDeployments(_ facts: TriageCase) -> Observation {
        observation(
            on: facts.wanted, in: facts.current.lazy.filter { !$0.run.purpose.isDeployedExperiment })
    }

    /// What was seen on the wanted revision after it had been deployed once more. Any deployment may make a failure
    /// of the surroundings go away, so that a pass elsewhere blames no commit until this has failed again.
    func again(_ facts: TriageCase) -> Observation {
        observation(on: facts.wanted, in: Suspicion.afterDeployments(facts))
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
        let stale = live.services.filter { $0.live.map { !$0.names(facts.wanted) } ?? false }
        let seen =
            stale.isEmpty
            ? live.answers.map { "\($0.revision.short) in \($0.count)" }.joined(separator: ", ")
                + " of \(live.asked) answers"
            : stale.map { "\($0.name) is still running revision \($0.live?.short ?? "?")" }.joined(separator: ", ")
        return "\(facts.wanted.short) was deployed and is not what answers: \(seen)"
    }

    /// What the stabilization that failed says about single services.
    func ailing(_ facts: TriageCase) -> Ailing {
        Ailing(failedStabilization(facts))
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
