// SPDX-License-Identifier: Apache-2.0
// What is said of an experiment is what triage makes of it.

import Domain
import Testing

@testable import Engine

struct ExperimentResultTests {
    private func record(
        _ outcome: StageOutcome = .succeeded, failing: [String] = [], doubt: Bool = false, unusual: Bool = false,
        only: [String]? = nil, suite: Bool = true
    ) -> StageRecord {
        let run = StageRun(
            cycle: 1, kind: .test, purpose: .bisect, subject: "login", attempt: 1, revision: Samples.other,
            only: only, experiment: 1)
        var reading = Samples.reading(failing, only: only)
        let reason = Reason(rule: "report-stale", verdict: .unproven, text: "the report is of yesterday")
        if doubt { reading.doubts = [reason] }
        if unusual { reading.authenticity = Authenticity(status: .doubtful, reasons: [reason]) }
        return Samples.record(run, outcome, suite: suite ? reading : nil)
    }

    @Test func `a whole run whose evidence carries no pass is no pass`() {
        #expect(ExperimentResult.words([record()]) == "passes 1/1")
        #expect(ExperimentResult.words([record(doubt: true)]) == "unproven 1/1")
        #expect(ExperimentResult.words([record(unusual: true)]) == "unproven 1/1")
        #expect(ExperimentResult.words([record(doubt: true), record()]) == "unproven 1/2, passes 1/2")
        #expect(ExperimentResult.words([record(.failed, failing: ["a"], doubt: true)]) == "1/1 fail")
        // Of tests that were picked their outcomes are asked, not what the suite is worth.
        #expect(ExperimentResult.words([record(doubt: true, only: ["a"])]) == "passes 1/1")
    }

    @Test func `what came to no answer passes nowhere`() {
        #expect(ExperimentResult.words([record(.couldNotRun, suite: false)]) == "unclear 1/1")
        #expect(ExperimentResult.words([record(), record(.couldNotRun, suite: false)]) == "passes 1/2, unclear 1/2")
        #expect(ExperimentResult.words([record(.failed, failing: ["a"]), record()]) == "1/2 fail")
        #expect(ExperimentResult.words([]) == "ran nothing")
    }

    /// The line of the log has the mark of a failure, too.
    @Test func `an unproven run is marked as what speaks against the revision`() {
        var story = Story(Samples.policy)
        story.wake()
        story.see()
        story.pass(failing: ["a"])
        story.answer(.bisect, Samples.other, number: 1, times: 1)
        while let run = story.run, run.experiment == 1 {
            switch run.kind {
            case .deploy, .remedy: story.end()
            case .stabilize: story.end(live: run.revision)
            case .test: story.end(.failed)
            }
        }
        story.conclude([])
        let said = story.actions.compactMap { action -> LogLine? in
            if case .say(let line) = action, line.topic == "bisect" { line } else { nil }
        }
        #expect(said.map(\.mark) == [.fail])
        #expect(said.first?.text.hasSuffix("unclear 1/1") == true, "\(said)")
    }

    @Test func `a target that is asked about is met, missed or unclear, as triage counts it`() {
        func measured(_ status: TargetRecord.Status) -> StageRecord {
            var record = record()
            // It does not block, and nothing says that it got worse in this run.
            record.targets = [TargetRecord(name: "p95", limit: 100, unit: "ms", status: status)]
            return record
        }
        #expect(ExperimentResult.words([measured(.missed)], asked: ["p95"]) == "misses a target 1/1, tests pass")
        #expect(ExperimentResult.words([measured(.met)], asked: ["p95"]) == "passes 1/1")
        #expect(ExperimentResult.words([measured(.notMeasured)], asked: ["p95"]) == "unclear 1/1")
        // Nobody asks about it.
        #expect(ExperimentResult.words([measured(.missed)]) == "passes 1/1")
    }
}
