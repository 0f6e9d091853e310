// SPDX-License-Identifier: Apache-2.0
// A cycle that is told how its stages end, and that performs what triage asks for as the machine would.

import Configuration
import Domain
import Testing

@testable import Triage

/// One failing cycle in which every stage is told how it ends.
struct Scene {
    static let green = Revision("green")
    /// How a run ends; the index is the place of its revision among the commits, -1 for the last green one.
    var play: (_ run: StageRun, _ index: Int) -> Ending
    /// The last lines of a stage that fails.
    var console = "end"
    private(set) var asked: [Experiment] = []
    var facts: TriageCase

    struct Ending {
        var outcome = StageOutcome.succeeded
        var suite: SuiteReading?
        var failures: [ProbeSample] = []
        var live: LiveReading?
    }

    init(
        commits count: Int = 4, files: (Int) -> [String] = { ["src/\($0).swift"] },
        play: @escaping (StageRun, Int) -> Ending
    ) {
        self.play = play
        let commits = (0..<count).map { index in
            CommitInfo(revision: Revision("commit-\(index)"), subject: "change \(index)", files: files(index))
        }
        facts = TriageCase(
            cycle: 2, openedAt: Timestamp(milliseconds: 0), wanted: Revision("commit-\(count - 1)"),
            lastGreen: Scene.green, records: [], decidingFrom: 0, experiments: [], suites: [], doubts: [],
            commits: commits, commitsFile: "commits.txt",
            commitsText: commits.map { "\($0.revision.id) \($0.subject)" }.joined(separator: "\n"),
            allowance: TriageAllowance(
                experiments: Experiment.Kind.allCases, deploys: 12, seconds: 7200, nextNumber: 1,
                deploysBarred: nil),
            rules: RuleFile.builtIn)
    }

    /// Runs a stage of the cycle's own pass, or of its redeployment.
    mutating func run(_ kind: StageKind, _ purpose: Purpose = .cycle, suite: String? = nil) {
        let record = perform(
            StageRun(cycle: 2, kind: kind, purpose: purpose, subject: suite, attempt: 1, revision: facts.wanted))
        guard let suite, let reading = record.suite else { return }
        facts.suites.append(
            SuiteRecord(
                name: suite, priority: 0, blocking: true, value: nil,
                status: reading.totals.failing > 0 ? .failed : .unproven, totals: reading.totals,
                notPassed: reading.notPassed))
        facts.doubts += reading.doubts
    }

    mutating func investigate() -> [Incident] {
        while asked.count < 50 {
            facts.allowance.nextNumber = asked.count + 1
            facts.allowance.deploys = 12 - asked.count(where: \.kind.deploys)
            switch Investigator.next(facts) {
            case .concluded(let incidents): return incidents
            case .experiment(let experiment): perform(experiment)
            }
        }
        Issue.record("triage never stops asking: \(asked.suffix(3))")
        return []
    }

    /// As the machine does it: deploy, stabilize, tests; what fails to come up is not tested.
    private mutating func perform(_ experiment: Experiment) {
        asked.append(experiment)
        facts.experiments.append(ExperimentRecord(experiment: experiment, result: "done"))
        let purpose = Purpose(rawValue: experiment.kind.rawValue) ?? .rerun
        var run = StageRun(
            cycle: 2, kind: .deploy, purpose: purpose, attempt: asked.count, revision: experiment.revision,
            experiment: experiment.number, testsRevision: experiment.testsRevision)
        if experiment.kind.deploys {
            guard perform(run).outcome == .succeeded else { return }
            run.kind = .stabilize
            guard perform(run).outcome == .succeeded else { return }
        }
        run.kind = .test
        for time in 1...experiment.times {
            for selection in experiment.tests {
                run.subject = selection.suite
                run.only = selection.only.isEmpty ? nil : selection.only
                run.attempt = asked.count * 100 + time
                perform(run)
            }
        }
    }

    @discardableResult
    private mutating func perform(_ run: StageRun) -> StageRecord {
        let index = facts.commits.firstIndex { $0.revision == run.revision } ?? -1
        let ending = play(run, index)
        var record = StageRecord(
            run: run, outcome: ending.outcome, summary: "as told", startedAt: facts.openedAt, endedAt: facts.openedAt,
            durationSeconds: 1)
        record.suite = ending.suite
        record.live = ending.live
        if !ending.failures.isEmpty {
            record.probes = ProbeSummary(rounds: 9, goodInARow: 0, steadySeconds: 0, failures: ending.failures)
        }
        facts.records.append(record)
        facts.consoles[run.folder] = EvidenceReference(
            path: "\(run.folder)/console.log", lines: [1, 1], excerpt: record.outcome == .succeeded ? "end" : console)
        for id in run.only ?? [] {
            facts.references[TriageCase.referenceKey(id, in: run.folder)] = EvidenceReference(
                path: "\(run.folder)/tests.jsonl", lines: [1, 1], excerpt: id)
        }
        return record
    }

    // MARK: - Endings

    static func sample(_ check: String, _ finding: String) -> ProbeSample {
        ProbeSample(check: check, at: Timestamp(milliseconds: 0), ok: false, finding: finding)
    }

    static func unstable(_ failures: [ProbeSample], live: LiveReading? = nil) -> Ending {
        Ending(outcome: .failed, failures: failures, live: live)
    }

    /// Ten tests, or those that were selected, of which `failing` fail.
    static func tests(_ run: StageRun, failing: [String], message: String = "expected true") -> Ending {
        let chosen = run.only ?? (0..<10).map { "t\($0)" }
        let notPassed = chosen.filter(failing.contains).map {
            TestResult(id: $0, outcome: .failed, message: message, type: "AssertionError")
        }
        var totals = Totals(notPassed)
        totals.tests = chosen.count
        totals.passed = chosen.count - notPassed.count
        return Ending(
            outcome: notPassed.isEmpty ? .succeeded : .failed,
            suite: SuiteReading(totals: totals, notPassed: notPassed))
    }

    /// A suite that passes and proves nothing.
    static func hollow(_ run: StageRun, _ rule: String = "all-skipped") -> Ending {
        var ending = tests(run, failing: [])
        ending.suite?.doubts = [
            Reason(rule: rule, verdict: .unproven, text: "all 10 tests were skipped", subject: run.subject)
        ]
        ending.outcome = .failed
        return ending
    }
}
