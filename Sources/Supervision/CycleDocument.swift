// SPDX-License-Identifier: Apache-2.0
// Makes `cycle.json` from what the machine holds. Called again after a crash it makes the same bytes: every time in it
// comes from an event.

import Domain
import Engine
import Evidence
import Reporting

enum CycleDocument {
    /// The record of a concluded cycle. `endedAt` is the time of the event that concluded it.
    static func make(
        _ cycle: CycleProgress, _ judgement: Judgement, serving: Revision?, settings: LoopSettings,
        layout: EvidenceLayout, writtenBy: String
    ) -> CycleRecord {
        let endedAt = cycle.records.map(\.endedAt).max() ?? cycle.startedAt
        let suites = judgement.suites.map { timed($0, layout, cycle.number) }
        let firstProof = cycle.records.first { $0.run.kind == .stabilize && $0.run.revision == cycle.wanted }
        var record = CycleRecord(
            loop: settings.name, cycle: cycle.number, mode: cycle.policy.mode, startedAt: cycle.startedAt,
            endedAt: endedAt, durationSeconds: endedAt.since(cycle.startedAt).inSeconds, trigger: cycle.work.trigger,
            revision: RevisionRecord(
                wanted: cycle.wanted, subject: cycle.work.subject, author: cycle.work.author, ref: cycle.work.ref,
                live: firstProof?.live?.revision, previous: cycle.previousLive, lastGreen: cycle.lastGreen),
            verdict: judgement.verdict, recommendation: judgement.recommendation, reasons: judgement.reasons,
            value: value(suites, cycle.policy.valueUnit), stages: cycle.records, suites: suites,
            capabilities: capabilities(suites, settings, layout, cycle.number),
            incidents: cycle.earlierIncidents + cycle.incidents,
            experiments: cycle.experiments, actions: cycle.actions,
            environment: environment(cycle, serving: serving),
            writtenBy: writtenBy, settingsHash: cycle.settingsHash)
        record.value = value(suites, cycle.policy.valueUnit, conditional: SignOff.conditional(record))
        record.audit = cycle.fix?.audit
        record.requests = cycle.requests.isEmpty ? nil : cycle.requests
        record.targets = targets(cycle, suites, settings)
        record.readiness = settings.readiness.map { readiness in
            ReadinessRecord(
                readiness, suites: suites, capabilities: record.capabilities, targets: record.targets ?? [])
        }
        return record
    }

    /// Every configured target: as the run that decided about its suite measured it, or not measured.
    private static func targets(
        _ cycle: CycleProgress, _ suites: [SuiteRecord], _ settings: LoopSettings
    ) -> [TargetRecord]? {
        guard !settings.targets.isEmpty else { return nil }
        let measured = suites.flatMap { cycle.decidingRecord(suite: $0.name)?.targets ?? [] }
        return settings.targets.map { target in
            measured.first { $0.name == target.name }
                ?? TargetRecord(
                    target, values: [], evidence: nil,
                    because: "the suite after which it is measured did not run to its end")
        }
    }

    /// What staging runs when the cycle is over. What was deployed is in the actions and stages; where nothing says what is
    /// live, it was never read.
    private static func environment(_ cycle: CycleProgress, serving: Revision?) -> EnvironmentRecord {
        let isRestored = cycle.actions.contains { action in
            let isFix = action.kind == .fix && serving?.id == action.name
            return action.outcome == .succeeded && (action.kind == .rollback || isFix)
        }
        let serving = cycle.policy.provesRevision ? serving : nil
        let isReturned = cycle.returnsTo.map { home in
            cycle.records.contains { record in
                record.run.purpose == .restore && record.run.revision == home && record.outcome == .succeeded
            } && serving?.names(home) == true
        }
        let state: EnvironmentRecord.State
        if let serving, serving.names(cycle.wanted) {
            state = .asWanted
        } else if serving != nil, isRestored || isReturned == true {
            state = .restored
        } else {
            state = .unknown
        }
        let stable = cycle.records.last { $0.run.kind == .stabilize && $0.outcome == .succeeded }
        // What probes read of each service; where they read only the whole, what the deployment itself reported.
        let deployed = cycle.records.last { $0.run.kind == .deploy && $0.outcome == .succeeded }
        let services = stable.flatMap { $0.services.isEmpty ? nil : $0.services } ?? deployed?.services ?? []
        return EnvironmentRecord(
            serving: serving, services: services, state: state,
            fingerprint: FingerprintRecord(cycle.records.filter { $0.run.revision == cycle.wanted }))
    }

    /// A suite's value is protected where the suite passed without conditions, a figure of its own where it passed on
    /// conditions, and at risk everywhere else.
    static func value(
        _ suites: [SuiteRecord], _ unit: String, conditional names: Set<String> = []
    ) -> ValueRecord {
        func sum(_ suites: [SuiteRecord]) -> Double { suites.reduce(0) { $0 + ($1.value ?? 0) } }
        let passed = suites.filter { $0.status == .passed }
        let conditional = sum(passed.filter { names.contains($0.name) })
        let total = sum(suites)
        return ValueRecord(
            unit: unit, total: total, protected: sum(passed) - conditional, atRisk: total - sum(passed),
            conditional: conditional > 0 ? conditional : nil)
    }

    private static func capabilities(
        _ suites: [SuiteRecord], _ settings: LoopSettings, _ layout: EvidenceLayout, _ cycle: Int
    ) -> [CapabilityRecord] {
        settings.suites.flatMap { configured -> [CapabilityRecord] in
            guard !configured.capabilities.isEmpty else { return [] }
            let suite = suites.first { $0.name == configured.name }
            // What its tests say is no proof where the suite itself is not believed.
            let isDoubtful = suite?.status == .unproven || suite?.authenticity?.isDoubted ?? false
            let path = suite?.testsFile.map { "\(layout.cycle(cycle))/\($0)" }
            let tests = path.flatMap { try? TestsFile.read($0) } ?? []
            return configured.capabilities.map { capability in
                let totals = Totals(tests.filter { Glob.matches(capability.tests, $0.id) })
                let status: SuiteRecord.Status
                if totals.failing > 0 {
                    status = .failed
                } else if totals.tests == 0 {
                    status = .notRun
                } else {
                    let isPass = totals.passed + totals.flaky > 0 && totals.notRun == 0
                    status = isPass && !isDoubtful ? .passed : .unproven
                }
                let steps = capability.steps.map { step($0, tests, isDoubtful: isDoubtful) }
                return CapabilityRecord(
                    name: capability.name, suite: configured.name, value: capability.value,
                    status: steps.contains { $0.status == .failed } ? .failed : status, totals: totals,
                    steps: steps.isEmpty ? nil : steps)
            }
        }
    }

    /// A step of a flow: it has passed where a test of it ran and all of them passed.
    private static func step(_ glob: String, _ tests: [TestResult], isDoubtful: Bool) -> StepRecord {
        let name = glob.filter { $0 != "*" }
        let own = tests.enumerated().filter { Glob.matches(glob, $0.element.id) }
        let totals = Totals(own.map(\.element))
        let deciding = own.first { $0.element.outcome.isFailure } ?? own.first
        let status: SuiteRecord.Status
        if totals.failing > 0 {
            status = .failed
        } else if own.isEmpty {
            status = .notRun
        } else {
            status = totals.passed == totals.tests && !isDoubtful ? .passed : .unproven
        }
        return StepRecord(
            name: name.isEmpty ? glob : name, status: status, test: deciding?.element.id,
            position: deciding.map { $0.offset + 1 })
    }

    /// With what the tests report to have taken.
    private static func timed(_ suite: SuiteRecord, _ layout: EvidenceLayout, _ cycle: Int) -> SuiteRecord {
        guard let file = suite.testsFile else { return suite }
        var suite = suite
        var sum = 0.0
        try? TestsFile.forEach("\(layout.cycle(cycle))/\(file)") { test in
            guard let seconds = test.durationSeconds, seconds.isFinite else { return }
            sum += seconds
            if seconds > suite.slowestSeconds ?? 0 { (suite.slowestTest, suite.slowestSeconds) = (test.id, seconds) }
        }
        // Sums of decimal fractions: what is beyond microseconds is noise.
        suite.testSeconds = (sum * 1_000_000).rounded() / 1_000_000
        return suite
    }
}
