// SPDX-License-Identifier: Apache-2.0
// What a night, a week or a release came to: the business value report. All figures follow from the sealed cycles of the
// window; what they do not carry is unknown. Delivery figures are those of DORA (DevOps Research and Assessment, "DORA's
// software delivery performance metrics", dora.dev/guides/dora-metrics), read for the environment that is watched.

package import Domain

/// A suite at the beginning and at the end of a window.
package struct SuiteProgress: Codable, Hashable, Sendable {
    package var suite: String
    package var priority: Int
    package var value: Double?
    /// The first cycle of the window that has results of it, and its pass rate in percent.
    package var firstCycle: Int?
    package var firstPassRate: Double?
    package var firstStatus: SuiteRecord.Status?
    package var lastCycle: Int?
    package var lastPassRate: Double?
    package var lastStatus: SuiteRecord.Status
    /// The lowest pass rate between them.
    package var lowestPassRate: Double?
    /// Whether it passed on conditions in the newest cycle.
    package var isConditional: Bool?
}

/// One incident of a window, with the times that matter. Each time is nil where the evidence does not tell it.
package struct IncidentProgress: Codable, Hashable, Sendable {
    package var id: String
    package var title: String
    package var firstCycle: Int
    package var lastCycle: Int
    package var firstSeen: Timestamp
    package var cause: String
    package var culprit: Revision?
    /// From the end of the deployment that brought it to the first failure seen.
    package var secondsToDetect: Double?
    /// From the first failure seen to the end of the last experiment before a cause was named.
    package var secondsToDiagnose: Double?
    /// From the first failure seen to the proof that the environment is well again.
    package var secondsToRestore: Double?
    package var restoredBy: String?
    package var openedInWindow: Bool
    package var isResolved: Bool
}

/// DORA's figures. Change lead time is not among them: when a change was committed is not in the evidence.
package struct DeliveryFigures: Codable, Hashable, Sendable {
    /// Revisions that were deployed; the same one again, experiments and ways back are not counted.
    package var deployments: Int
    /// Nil for windows shorter than a day.
    package var deploymentsPerDay: Double?
    /// Revisions that the environment got, and how many of them failed there or needed a cure.
    package var changes: Int
    package var failedChanges: Int
    package var changeFailureRate: Double?
    /// The median of the times to restore.
    package var secondsToRestore: Double?
}

/// How much value was at risk, over the time that the window covers.
package struct ExposureFigures: Codable, Hashable, Sendable {
    package var unit: String
    package var now: Double
    package var most: Double
    /// The mean over time, from the end of the first cycle to the end of the window.
    package var mean: Double
    package var hours: Double
    /// Value times hours: the area below the curve.
    package var valueHours: Double
}

/// The report over a window of cycles.
package struct WindowReport: Codable, Hashable, Sendable {
    package var schema = "nightjar.window/1"
    /// Of the newest cycle of the window; nil where it was not sealed.
    package var seal: Seal?
    package var loop: String
    package var from: Timestamp
    package var to: Timestamp
    package var firstCycle: Int
    package var lastCycle: Int
    package var verdicts: [String: Int]
    package var verdict: Verdict
    package var recommendation: Recommendation
    package var revision: Revision
    package var because: [Reason]
    package var value: ValueRecord
    package var suites: [SuiteProgress]
    package var incidents: [IncidentProgress]
    package var delivery: DeliveryFigures
    package var exposure: ExposureFigures
    /// Cycles from the first one that was not healthy to the next healthy one, for each such stretch that has ended.
    package var cyclesToSuccess: [Int]
    /// Cycles since the last healthy one, where the newest is not healthy.
    package var cyclesWithoutSuccess: Int
    package var readiness: ReadinessRecord?
    package var firstReadiness: Double?
    package var targets: [TargetRecord]
    package var risksEliminated: [String]
    package var risksLeft: [String]
    package var actions: [Action]
    package var cycles: [CycleBrief]
    package var testsRun: Int
    package var testSeconds: Double
    package var flakyTests: Int

    package struct Action: Codable, Hashable, Sendable {
        package var text: String
        package var command: String?
    }

    /// Nil for a window without cycles. `records` are sealed cycles, oldest first; `end` is when the window ends.
    package init?(_ records: [CycleRecord], from start: Timestamp, to end: Timestamp, seal: Seal? = nil) {
        guard let first = records.first, let newest = records.last else { return nil }
        // A cycle that was interrupted says nothing about its revision.
        let whole = records.filter { $0.verdict != .interrupted }
        let judged = whole.isEmpty ? records : whole
        let last = judged.last ?? newest
        let report = CycleReport(last, ReportContext())
        loop = last.loop
        self.seal = seal
        from = start
        to = end
        (firstCycle, lastCycle) = (first.cycle, newest.cycle)
        verdicts = Dictionary(records.map { ($0.verdict.rawValue, 1) }, uniquingKeysWith: +)
        (verdict, recommendation, revision) = (last.verdict, last.recommendation, last.revision.wanted)
        because = report.summary.reasons
        value = last.value
        suites = WindowFigures.suites(judged)
        incidents = WindowFigures.incidents(records, from: start)
        delivery = WindowFigures.delivery(records, incidents, from: start, to: end)
        exposure = WindowFigures.exposure(judged, to: end)
        (cyclesToSuccess, cyclesWithoutSuccess) = WindowFigures.stretches(judged.map(\.verdict))
        readiness = last.readiness
        firstReadiness = records.lazy.compactMap(\.readiness?.score).first
        targets = last.targets ?? []
        risksEliminated = WindowFigures.eliminated(suites, incidents, unit: last.value.unit)
        risksLeft = report.risksLeft
        actions = report.nextActions.map { Action(text: $0.text, command: $0.command) }
        cycles = records.map(CycleBrief.init)
        testsRun = records.reduce(0) { $0 + $1.totals.tests - $1.totals.notRun }
        testSeconds = records.reduce(0) { $0 + $1.suites.reduce(0) { $0 + ($1.testSeconds ?? 0) } }
        flakyTests = records.reduce(0) { $0 + $1.flakyTests }
    }
}
