// SPDX-License-Identifier: Apache-2.0
// Performance targets that are missed while every test passes.

import Domain
import Testing

@testable import Triage

struct MissedTargetTests {
    /// What a target comes to at `milliseconds`.
    private static func ending(
        _ run: StageRun, _ milliseconds: Double, blocking: Bool = true, finding: TargetChange.Finding? = nil
    ) -> Scene.Ending {
        var settings = TargetSettings(
            name: "API response", limit: 100, unit: "ms", source: .property("p95"), percentile: 95)
        settings.blocking = blocking
        var target = TargetRecord(settings, values: [milliseconds - 1, milliseconds], evidence: "report.xml")
        target.sinceGreen = finding.map { TargetChange(finding: $0, cycle: 1, before: 40) }
        var ending = Scene.tests(run, failing: [])
        // A selection of tests measures nothing.
        ending.targets = run.only == nil ? [target] : nil
        return ending
    }

    private static func incidents(_ scene: Scene) -> (Scene, [Incident]) {
        var scene = scene
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "login")
        let found = scene.investigate()
        return (scene, found)
    }

    @Test func `the commit that made it slow is found by measuring`() throws {
        let (scene, found) = Self.incidents(
            Scene { run, index in
                run.kind == .test ? Self.ending(run, index >= 2 ? 140 : 40, finding: .worse) : Scene.Ending()
            })
        let incident = try #require(found.first)
        #expect(found.count == 1 && incident.targets == ["API response"] && incident.tests.isEmpty)
        #expect(incident.title == "target API response: p95 of 2 is 140 ms > 100 ms")
        #expect(incident.signature == "target: API response" && incident.suites == ["login"])
        let diagnosis = try #require(incident.diagnosis)
        #expect(diagnosis.category == .performanceRegression && diagnosis.grade == .proven)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.recommendedAction == .rollback)
        #expect(diagnosis.whys.allSatisfy { !$0.evidence.isEmpty })
        #expect(diagnosis.statistics?.hasSuffix("40 ms, 40 ms on last green green, measured now") == true)
        // Suites run whole: a target is measured after them.
        #expect(scene.asked.allSatisfy { $0.tests == [Experiment.Selection(suite: "login", only: [])] })
        #expect(scene.asked.first?.kind == .rerun && scene.asked.first?.times == 2)
    }

    @Test func `what the last green revision misses now as well is no commit's`() throws {
        let (_, found) = Self.incidents(
            Scene { run, _ in run.kind == .test ? Self.ending(run, 140) : Scene.Ending() })
        let diagnosis = try #require(found.first?.diagnosis)
        #expect(diagnosis.culprit == nil && diagnosis.recommendedAction != .rollback)
        #expect(diagnosis.category != .codeRegression && diagnosis.grade != .proven)
    }

    @Test func `what is met when measured again was a moment`() throws {
        let (scene, found) = Self.incidents(
            Scene { run, _ in
                run.kind == .test ? Self.ending(run, run.experiment == nil ? 140 : 40) : Scene.Ending()
            })
        let diagnosis = try #require(found.first?.diagnosis)
        #expect(diagnosis.category == .transient && diagnosis.culprit == nil, "\(diagnosis.summary)")
        #expect(scene.asked.allSatisfy { !$0.kind.deploys })
    }

    @Test(arguments: [(false, TargetChange.Finding.same, 0), (false, .worse, 1), (true, .same, 1)])
    func `it is asked about where it blocks or got worse`(
        blocking: Bool, finding: TargetChange.Finding, incidents: Int
    ) {
        let (_, found) = Self.incidents(
            Scene { run, index in
                run.kind == .test
                    ? Self.ending(run, index >= 2 ? 140 : 40, blocking: blocking, finding: finding) : Scene.Ending()
            })
        #expect(found.count == incidents)
    }

    @Test func `failing tests come first`() throws {
        let (_, found) = Self.incidents(
            Scene { run, index in
                guard run.kind == .test else { return Scene.Ending() }
                var ending = Scene.tests(run, failing: index >= 2 ? ["t1"] : [])
                ending.targets = Self.ending(run, index >= 2 ? 140 : 40).targets
                return ending
            })
        #expect(found.map(\.targets) == [nil] && found.first?.tests == ["t1"])
    }
}
