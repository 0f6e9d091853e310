// SPDX-License-Identifier: Apache-2.0
// Watches the environment until it is steadily healthy, and proves which revision answers.

import Domain
import Evidence
import Platform
import Probes
import Reporting

struct StabilizeStage: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    private var health: HealthSettings { context.settings.current.health }

    func perform(_ started: Stopwatch) async -> StageRecord {
        if run.purpose == .recheck { return await recheck(started) }
        var watch = StabilityWatch(health, startedAt: .zero)
        var proofs = Proofs(health.liveRevision, run.revision, surroundings.deployments)
        let samples = SampleFile(context.folder(run))
        while true {
            let begun = started.elapsed
            let round = await askAll(&proofs)
            samples.append(round)
            let verdict = watch.take(round, from: begun, to: started.elapsed)
            if Task.isCancelled { return record(.stopped, watch, proofs, samples, started) }
            switch verdict {
            case .steady where proofs.areProven:
                return record(.succeeded, watch, proofs, samples, started)
            case .steady where started.elapsed >= health.deadline, .gaveUp:
                return record(.failed, watch, proofs, samples, started)
            case .steady, .goOn:
                proofs.restartBroken()
                let now = started.elapsed
                try? await Task.sleep(for: watch.nextRound(after: now, interval: health.interval) - now)
            }
        }
    }

    /// One answer now from every source of the live revision; nil where none is configured.
    func readLive() async -> LiveReading? {
        guard !health.liveRevision.isEmpty else { return nil }
        var proofs = Proofs(health.liveRevision, run.revision, surroundings.deployments)
        for (index, settings) in health.liveRevision.enumerated() {
            proofs.take(await context.prober.liveRevision(settings), of: index)
        }
        return proofs.reading
    }

    /// One round: every check once, and so many answers of each revision source that all have come within the steady
    /// time.
    private func askAll(_ proofs: inout Proofs) async -> [ProbeSample] {
        let at = context.now()
        var round = await context.prober.ask(health.checks).map { $0.sample(at: at) }
        let rounds = max(1, Int(health.stableFor.inSeconds / max(0.05, health.interval.inSeconds)))
        for (index, settings) in health.liveRevision.enumerated() {
            for _ in 0..<((settings.answers + rounds - 1) / rounds) {
                let answer = await context.prober.liveRevision(settings)
                proofs.take(answer, of: index)
                if let finding = proofs.contradiction(of: index) ?? answer.problem {
                    let name = settings.service.map { "revision of \($0)" } ?? "live revision"
                    round.append(
                        ProbeSample(check: name, at: at, ok: false, finding: finding, milliseconds: answer.milliseconds)
                    )
                    break
                }
            }
        }
        return round
    }

    private func recheck(_ started: Stopwatch) async -> StageRecord {
        var proofs = Proofs(health.liveRevision, run.revision, surroundings.deployments)
        for (index, settings) in health.liveRevision.enumerated() {
            for _ in 0..<settings.answers { proofs.take(await context.prober.liveRevision(settings), of: index) }
        }
        let live = proofs.reading
        var record = started.record(run, proofs.areProven ? .succeeded : .failed, liveWords(live))
        record.live = live
        return record
    }

    private func record(
        _ outcome: StageOutcome, _ watch: StabilityWatch, _ proofs: Proofs, _ samples: SampleFile,
        _ started: Stopwatch
    ) -> StageRecord {
        let probes = watch.summary(file: samples.hasSamples ? "\(run.folder)/probes.jsonl" : nil)
        let live = proofs.reading
        var parts: [String] = []
        if !health.checks.isEmpty {
            let steady = Durations.text(.milliseconds(Int64(probes.steadySeconds * 1000)))
            let needed = Durations.text(health.stableFor)
            let sign = probes.steadySeconds >= health.stableFor.inSeconds ? ">=" : "<"
            parts.append("\(probes.goodInARow) good in a row for \(steady) \(sign) \(needed)")
        }
        if !health.liveRevision.isEmpty { parts.append(liveWords(live)) }
        if outcome == .failed {
            parts.append("deadline \(Durations.text(health.deadline))")
            if let last = probes.failures.last { parts.append("\(last.check): \(last.finding)") }
        }
        var record = started.record(run, outcome, parts.joined(separator: "; "))
        record.probes = probes
        record.live = health.liveRevision.isEmpty ? nil : live
        record.services = live.services
        return record
    }

    private func liveWords(_ live: LiveReading) -> String {
        if let revision = live.revision, revision.names(run.revision) {
            return "live \(revision.short) = wanted in \(live.asked)/\(live.asked) answers"
        }
        let seen = live.answers.map { "\($0.revision.short) in \($0.count)" }.joined(separator: ", ")
        let problem = live.problem.map { " (\($0))" } ?? ""
        return
            "live \(seen.isEmpty ? "unreadable" : seen) of \(live.asked) answers, wanted \(run.revision.short)\(problem)"
    }
}

/// The proofs of all revision sources. A proof that an answer broke starts again with the next round, because while a
/// deployment rolls out the old revision may still answer; the broken one is kept for the record.
private struct Proofs {
    private let settings: [LiveRevisionSettings]
    /// What is wanted, with the revisions of services that have their own.
    private let wanted: DeployedServices
    /// Earlier deployments, newest last.
    private let known: [DeployedServices]
    private var current: [LiveRevisionProof]
    /// Proofs as they were when an answer broke them, newest.
    private var broken: [LiveRevisionProof?]
    private var mustRestart: Set<Int> = []

    init(_ settings: [LiveRevisionSettings], _ revision: Revision, _ deployments: [DeployedServices]) {
        self.settings = settings
        known = deployments
        wanted =
            deployments.last { $0.revision == revision } ?? DeployedServices(revision: revision, services: [])
        current = settings.map { LiveRevisionProof(service: $0.service, needed: $0.answers) }
        broken = settings.map { _ in nil }
    }

    private func wanted(of index: Int) -> Revision { wanted.wanted(of: settings[index].service) }

    mutating func take(_ answer: RevisionAnswer, of index: Int) {
        current[index].take(answer)
        if answer.revision?.names(wanted(of: index)) != true {
            broken[index] = current[index]
            mustRestart.insert(index)
        }
    }

    func contradiction(of index: Int) -> String? {
        if case .contradicted(let words) = current[index].verdict(wanted: wanted(of: index)) { return words }
        return nil
    }

    mutating func restartBroken() {
        for index in mustRestart {
            current[index] = LiveRevisionProof(service: settings[index].service, needed: settings[index].answers)
        }
        mustRestart = []
    }

    var areProven: Bool {
        current.indices.allSatisfy { current[$0].verdict(wanted: wanted(of: $0)) == .proven }
    }

    /// What proves, or else the last answers that did not.
    var reading: LiveReading {
        let readings = current.indices.map { index in
            let isProven = current[index].verdict(wanted: wanted(of: index)) == .proven
            let proof = isProven ? current[index] : broken[index] ?? current[index]
            return proof.reading(wanted: wanted(of: index))
        }
        return named(LiveRevisionProof.combined(readings), readings)
    }

    /// Where services have revisions of their own, the revision that was deployed stands for all of them: for each answer that
    /// is the service's own of it, and as what is live where every service answers as it said.
    private func named(_ whole: LiveReading, _ readings: [LiveReading]) -> LiveReading {
        var whole = whole
        let deployments = [wanted] + known.reversed()
        let live = deployments.first { deployment in
            !readings.isEmpty && deployment.services.contains { $0.wanted != nil }
                && readings.indices.allSatisfy { index in
                    let own = deployment.wanted(of: settings[index].service)
                    return readings[index].revision.map(own.names) ?? false
                }
        }
        if let live { whole.revision = live.revision }
        let deployment = live ?? wanted
        var counts: [Revision: Int] = [:]
        for (index, reading) in readings.enumerated() {
            let own = deployment.wanted(of: settings[index].service)
            for answer in reading.answers {
                let isOwn = own.names(answer.revision) && own != deployment.revision
                counts[isOwn ? deployment.revision : answer.revision, default: 0] += answer.count
            }
        }
        whole.answers = counts.sorted { $0.key < $1.key }.map { LiveReading.Answer(revision: $0.key, count: $0.value) }
        return whole
    }
}

/// `probes.jsonl` of a stage folder. A line that cannot be written is left out: the summary in the record decides.
private final class SampleFile: Sendable {
    private let path: String

    init(_ folder: String) {
        try? Files.createDirectories(folder)
        path = "\(folder)/probes.jsonl"
    }

    var hasSamples: Bool { Files.exists(path) }

    func append(_ samples: [ProbeSample]) {
        guard !samples.isEmpty else { return }
        try? ProbesFile.append(samples, to: path)
    }
}
