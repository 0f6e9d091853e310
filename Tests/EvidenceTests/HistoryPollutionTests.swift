// SPDX-License-Identifier: Apache-2.0
// What the index takes from a cycle's document: an outage makes no test flaky.

import Domain
import Testing

@testable import Evidence

@Suite struct HistoryPollutionTests {
    private let loop: TemporaryLoop

    init() throws {
        loop = try TemporaryLoop()
    }

    private static func ids(_ count: Int) -> [String] { (0..<count).map { "suite::test_\($0)" } }

    private func stage(
        _ kind: StageKind, _ purpose: Purpose = .cycle, attempt: Int = 1, _ outcome: StageOutcome = .succeeded
    ) -> StageRecord {
        StageRecord(
            run: StageRun(cycle: 1, kind: kind, purpose: purpose, attempt: attempt, revision: Samples.good),
            outcome: outcome, summary: "as told", startedAt: Samples.at(0), endedAt: Samples.at(1), durationSeconds: 1)
    }

    /// A run of ten tests, or of those that are selected, with its results on disk.
    private func tests(
        _ suite: String = "chat", _ purpose: Purpose = .cycle, attempt: Int = 1, failing: [Int],
        only: [Int]? = nil, experiment: Int? = nil
    ) throws -> StageRecord {
        let chosen = only ?? Array(0..<10)
        let results = chosen.map { number in
            TestResult(
                id: Self.ids(10)[number], outcome: failing.contains(number) ? .failed : .passed, durationSeconds: 1)
        }
        var record = Samples.testStage(1, tests: results)
        record.run = StageRun(
            cycle: 1, kind: .test, purpose: purpose, subject: suite, attempt: attempt, revision: Samples.good,
            only: only.map { $0.map { Self.ids(10)[$0] } }, experiment: experiment)
        let file = record.run.folder + "/tests.jsonl"
        record.suite?.testsFile = file
        try loop.put("", at: loop.layout.cycle(1) + "/" + file)
        try TestsFile.write(results, to: loop.layout.cycle(1) + "/" + file)
        return record
    }

    private func incident(
        _ category: Domain.Category, _ grade: Grade, tests: [Int], signature: String = "s"
    ) -> Incident {
        var incident = Samples.incident
        incident.signature = signature
        incident.tests = tests.map { Self.ids(10)[$0] }
        incident.suites = ["chat"]
        incident.diagnosis = Diagnosis(category: category, summary: "", grade: grade, recommendedAction: .none)
        return incident
    }

    private func runs(_ stages: [StageRecord], _ incidents: [Incident]) -> [HistoryRun] {
        var record = Samples.record(1)
        record.stages = stages
        record.incidents = incidents
        return HistoryCycle(record, loop.layout).runs
    }

    @Test func `runs on an environment that is not well count nowhere`() throws {
        let found = runs(
            [
                stage(.deploy), stage(.stabilize, .cycle, .failed), try tests("chat", .rerun, failing: [0, 1]),
                stage(.deploy, .again, attempt: 2), stage(.stabilize, .again, attempt: 2),
                try tests("chat", .again, attempt: 2, failing: [3]),
            ], [])
        #expect(found.map(\.isHollow) == [true, false])
        let lost = runs(
            [
                stage(.deploy), stage(.stabilize), try tests(failing: []), stage(.stabilize, .recheck, .failed),
                try tests("chat", .rerun, failing: [0], only: [0], experiment: 1),
            ], [])
        #expect(lost.map(\.isHollow) == [false, true])
    }

    @Test func `a pass that is one mass failure counts nowhere, suite by suite, with all that was run after it`() throws
    {
        // Nine of ten, ten of ten, and none of two: 19 of 22.
        var last = try tests("extras", failing: [])
        last.suite?.totals = Totals([])
        last.suite?.totals.tests = 2
        last.suite?.totals.passed = 2
        let stages = [
            stage(.deploy), stage(.stabilize), try tests("login", failing: Array(0..<9)),
            try tests("chat", failing: Array(0..<10)), last,
            try tests("chat", .rerun, failing: [0], only: [0, 1], experiment: 1),
        ]
        let found = runs(stages, [])
        #expect(found.map(\.isHollow) == [true, true, true, true])
        // After something was done the tests are witnesses again.
        let cured = runs(stages + [stage(.remedy, .runbook), try tests("chat", .reverify, failing: [])], [])
        #expect(cured.last?.isHollow == false)
        // A flake that is run ten times and fails each time is no mass.
        let flake = try (1...10).map { try tests("chat", .rerun, attempt: $0, failing: [0], only: [0], experiment: 1) }
        #expect(runs([stage(.deploy), try tests(failing: [0])] + flake, []).allSatisfy { !$0.isHollow })
    }

    @Test(arguments: [
        (Domain.Category.dependencyDown, Grade.possible), (.environmentDown, .likely), (.network, .possible),
    ])
    func `a cycle about its surroundings makes nothing flaky, whatever the grade`(
        _ category: Domain.Category, _ grade: Grade
    ) throws {
        let stages = [
            stage(.deploy), stage(.stabilize), try tests(failing: [0, 1]),
            try tests("chat", .rerun, failing: [2], only: [2], experiment: 1),
            try tests("chat", .reverify, failing: []),
        ]
        let alone = runs(stages, [incident(category, grade, tests: [0, 1])])
        #expect(alone.map(\.isHollow) == [true, true, false])
        // Beside an incident of another kind only its own tests are explained.
        let both = runs(
            stages, [incident(category, grade, tests: [0, 1]), incident(.flakyTest, .likely, tests: [2])])
        #expect(both.map(\.isHollow) == [false, false, false])
        #expect(both[0].tests.map(\.isExplained).prefix(3) == [true, true, false])
        #expect(both[1].tests.map(\.isExplained) == [false])
    }

    @Test func `what one test did by luck stays its own, though it is called transient`() throws {
        let one = [try tests(failing: [0])]
        #expect(runs(one, [incident(.transient, .likely, tests: [0])]).first?.isHollow == false)
        #expect(runs(one, [incident(.transient, .likely, tests: [0])]).first?.tests[0].isExplained == false)
        let many = [try tests(failing: [0, 1, 2])]
        #expect(runs(many, [incident(.transient, .possible, tests: [0, 1, 2])]).first?.isHollow == true)
        #expect(runs(one, [incident(.codeRegression, .possible, tests: [0])]).first?.tests[0].isExplained == false)
        let mass = incident(.codeRegression, .possible, tests: [0], signature: "mass failure")
        #expect(runs(one, [mass]).first?.tests[0].isExplained == true)
    }
}
