// SPDX-License-Identifier: Apache-2.0
// One sealed cycle in one line: what lists, statistics and retention need without opening its folder.

package import Domain

/// One run of one suite, as the index remembers it.
package struct SuiteRun: Codable, Hashable, Sendable {
    package var suite: String
    /// The stage folder.
    package var stage: String
    package var purpose: Purpose
    package var revision: Revision
    package var outcome: StageOutcome
    /// Whether all tests of the suite were to run, and not a selection.
    package var isWhole: Bool
    package var totals: Totals
    package var startedAt: Timestamp
    package var durationSeconds: Double
    package var testsFile: String?

    /// Whether it ran to its end with every test reported: what statistics are made of.
    package var isComplete: Bool {
        isWhole && purpose == .cycle && (outcome == .succeeded || outcome == .failed) && totals.tests > 0
            && totals.notRun == 0
    }
}

/// One line of `index.jsonl`.
package struct CycleSummary: Codable, Hashable, Sendable {
    package var cycle: Int
    package var verdict: Verdict
    package var recommendation: Recommendation
    package var trigger: Trigger
    package var revision: Revision
    package var subject: String?
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var durationSeconds: Double
    /// Summed over the suites of the pass that decided the verdict.
    package var totals: Totals
    /// Ids of its incidents.
    package var incidents: [String]
    package var runs: [SuiteRun]
    /// Of the files that are sealed.
    package var bytes: Int64
    package var sha256: String
    package var value: ValueRecord?
    /// Tests that failed and passed on one revision.
    package var flakyTests: Int?
    /// Those that were measured; nil where none was.
    package var targets: [TargetMark]?

    package init(_ record: CycleRecord, bytes: Int64, sha256: String) {
        cycle = record.cycle
        verdict = record.verdict
        recommendation = record.recommendation
        trigger = record.trigger
        revision = record.revision.wanted
        subject = record.revision.subject
        startedAt = record.startedAt
        endedAt = record.endedAt
        durationSeconds = record.durationSeconds
        totals = record.suites.reduce(Totals()) { $0 + $1.totals }
        incidents = record.incidents.map(\.id)
        runs = record.stages.compactMap(SuiteRun.init)
        self.bytes = bytes
        self.sha256 = sha256
        value = record.value
        flakyTests = record.flakyTests
        let marks = (record.targets ?? []).compactMap(TargetMark.init)
        targets = marks.isEmpty ? nil : marks
    }
}

extension SuiteRun {
    /// Nil for a stage that is no test or has nothing to read.
    fileprivate init?(_ stage: StageRecord) {
        guard stage.run.kind == .test, let suite = stage.run.subject, let reading = stage.suite else { return nil }
        self.suite = suite
        self.stage = stage.run.folder
        purpose = stage.run.purpose
        revision = stage.run.revision
        outcome = stage.outcome
        isWhole = stage.run.only == nil
        totals = reading.totals
        startedAt = stage.startedAt
        durationSeconds = stage.durationSeconds
        testsFile = reading.testsFile
    }
}
