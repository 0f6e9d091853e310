// SPDX-License-Identifier: Apache-2.0
// Failures that come and go on one revision. A known one that passes when it is run again alone is listed and does not
// degrade; a new one does, and so do too many: a race that fails one time in three is not washed green by one pass.

import Domain

enum Flakes {
    /// Passes alone that a known flake needs, without a failure.
    private static let passesNeeded = 2

    /// What an intermittent failure comes to; nil where nothing has shown it to be intermittent.
    static func verdict(of result: TestResult, suite: String, _ cycle: CycleProgress) -> (
        verdict: Verdict, text: String
    )? {
        guard let incident = incident(of: result.id, suite, cycle) else { return nil }
        let alone = alone(result.id, suite, cycle)
        // An incident speaks for its tests together; one that was never seen to pass is no flake.
        guard alone.passes > 0 else { return nil }
        let isKnown = incident.firstCycle < cycle.number
        if isKnown, alone.fails == 0, alone.passes >= passesNeeded {
            return (
                .healthy,
                "\(incident.id), known since #\(incident.firstCycle): passes alone \(alone.passes)/\(alone.passes)"
            )
        }
        return (.degraded, "\(incident.id): \(incident.diagnosis?.summary ?? "intermittent")")
    }

    /// Tests of a suite that failed in an earlier attempt and do not in the deciding one, or that the tool itself saw
    /// fail and pass.
    static func reasons(_ suite: SuiteRecord, _ cycle: CycleProgress, _ quarantine: Quarantine) -> [Reason] {
        var reasons: [Reason] = []
        var seen = Set(suite.notPassed.filter(\.outcome.isFailure).map(\.id))
        for record in cycle.deciding where isEarlierAttempt(record, suite, cycle) {
            for result in record.suite?.notPassed ?? [] where result.outcome.isFailure {
                guard seen.insert(result.id).inserted, quarantine.entry(for: result.id) == nil else { continue }
                let known = incident(of: result.id, suite.name, cycle).flatMap {
                    $0.firstCycle < cycle.number ? $0 : nil
                }
                reasons.append(
                    Reason(
                        rule: "flaky", verdict: known == nil ? .degraded : .healthy,
                        text: "\(result.id) fails in attempt \(record.run.attempt) and passes in the next"
                            + (known.map { " (\($0.id), known since #\($0.firstCycle))" } ?? ""),
                        subject: suite.name, evidence: record.suite?.testsFile))
            }
        }
        reasons += burnedIn(suite, cycle, quarantine, &seen)
        if suite.totals.flaky > 0 {
            reasons.append(
                Reason(
                    rule: "flaky", verdict: .healthy,
                    text:
                        "\(suite.totals.flaky) of \(suite.totals.tests) tests fail and pass within the tool's own retries",
                    subject: suite.name, evidence: suite.testsFile))
        }
        return reasons
    }

    /// Tests that passed in the deciding run and failed when they were tried more often.
    private static func burnedIn(
        _ suite: SuiteRecord, _ cycle: CycleProgress, _ quarantine: Quarantine, _ seen: inout Set<String>
    ) -> [Reason] {
        let runs = cycle.deciding.filter {
            $0.run.purpose == .burnIn && $0.run.subject == suite.name && $0.run.revision == cycle.wanted
        }
        var reasons: [Reason] = []
        for result in runs.flatMap({ $0.suite?.notPassed ?? [] }) where result.outcome.isFailure {
            guard seen.insert(result.id).inserted, quarantine.entry(for: result.id) == nil else { continue }
            let asked = runs.filter { $0.run.only?.contains(result.id) ?? true }
            let failed = asked.filter { run in
                run.suite?.notPassed.contains { $0.id == result.id && $0.outcome.isFailure } ?? false
            }
            reasons.append(
                Reason(
                    rule: "flaky", verdict: .degraded,
                    text: "\(result.id) passes in the pass and fails in \(failed.count) of \(asked.count) runs more",
                    subject: suite.name, evidence: failed.first?.suite?.testsFile))
        }
        return reasons
    }

    /// More than max(3, 2 %) are no longer noise.
    static func tooMany(_ reasons: [Reason], _ suites: [SuiteRecord], of tests: Int) -> [Reason] {
        let byTool = suites.reduce(0) { $0 + $1.totals.flaky }
        let byTest = reasons.count { $0.rule == "flaky" } - suites.count { $0.totals.flaky > 0 }
        let allowed = max(3, tests / 50)
        guard byTool + byTest > allowed else { return [] }
        return [
            Reason(
                rule: "flaky", verdict: .degraded,
                text: "\(byTool + byTest) flaky tests > \(allowed) allowed (2 % of \(tests), at least 3)")
        ]
    }

    /// The incident that showed this failure to be intermittent on the same revision.
    private static func incident(of test: String, _ suite: String, _ cycle: CycleProgress) -> Incident? {
        cycle.incidents.first { incident in
            guard let diagnosis = incident.diagnosis, diagnosis.grade != .possible, diagnosis.grade != .unknown else {
                return false
            }
            return (diagnosis.category == .flakyTest || diagnosis.category == .transient)
                && incident.suites.contains(suite) && incident.tests.contains(test)
        }
    }

    /// How the test did when it was run again alone on the wanted revision, after the last cure.
    private static func alone(_ test: String, _ suite: String, _ cycle: CycleProgress) -> (passes: Int, fails: Int) {
        var counts = (passes: 0, fails: 0)
        for record in cycle.deciding where record.run.purpose == .rerun && record.run.subject == suite {
            guard let only = record.run.only, only.contains(test), record.run.revision == cycle.wanted,
                let reading = record.suite
            else { continue }
            if let listed = reading.notPassed.first(where: { $0.id == test }) {
                if listed.outcome.isFailure { counts.fails += 1 }
            } else if reading.totals.passed > 0, reading.totals.tests >= only.count {
                counts.passes += 1
            }
        }
        return counts
    }

    private static func isEarlierAttempt(_ record: StageRecord, _ suite: SuiteRecord, _ cycle: CycleProgress) -> Bool {
        record.run.kind == .test && record.run.subject == suite.name && record.run.only == nil
            && record.run.revision == cycle.wanted && record.run.experiment == nil && record.run.folder != suite.stage
    }
}
