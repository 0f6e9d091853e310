// SPDX-License-Identifier: Apache-2.0
// What no deployment can tell: one commit is named where it alone changed what can do this, and none where two did.

import Domain
import Testing

@testable import Triage

struct EliminationTests {
    private static let live = LiveReading(
        revision: Scene.green, answers: [LiveReading.Answer(revision: Scene.green, count: 1)], asked: 1)

    /// The old revision keeps answering whatever is deployed.
    private func diagnosis(_ files: @escaping (Int) -> [String], saidOnly: Int? = nil) throws -> Diagnosis {
        var scene = Scene(commits: 5, files: files) { run, index in
            run.kind == .stabilize && index >= 0
                ? Scene.unstable([Scene.sample("revision of backend", "old")], live: Self.live) : Scene.Ending()
        }
        if let saidOnly {
            scene.facts.commits[saidOnly].changes = scene.facts.commits[saidOnly].files.map {
                FileChange(path: $0, added: 1, removed: 1, isOnlySaid: true)
            }
        }
        for purpose in [Purpose.cycle, .redeploy] {
            scene.facts.decidingFrom = scene.facts.records.count
            scene.run(.deploy, purpose)
            scene.run(.stabilize, purpose)
        }
        return try #require(scene.investigate().first?.diagnosis)
    }

    @Test func `the only commit to the deployment is likely where nothing that is deployed answers`() throws {
        let found = try diagnosis { $0 == 2 ? ["ops/stop.sh"] : ["src/\($0).py"] }
        #expect(found.category == .wrongRevision)
        #expect(found.grade == .likely)
        #expect(found.culprit?.commit == Revision("commit-2"))
        #expect(found.recommendedAction == .rollback)
        #expect(found.whys[3].evidence.first?.path == "commits.txt")
    }

    @Test func `two commits to the deployment: none is named`() throws {
        let found = try diagnosis { $0 >= 3 ? ["ops/stop.sh"] : ["src/\($0).py"] }
        #expect(found.culprit == nil)
        #expect(found.recommendedAction == .redeploy)
    }

    @Test func `a commit that changes only what a script says is none that stops nothing`() throws {
        let found = try diagnosis({ $0 >= 3 ? ["ops/stop.sh"] : ["src/\($0).py"] }, saidOnly: 4)
        #expect(found.culprit?.commit == Revision("commit-3"))
    }

    @Test func `no commit to the deployment: none is named`() throws {
        #expect(try diagnosis { ["src/\($0).py"] }.culprit == nil)
    }

    /// Tests fail from commit 3 on; from commit `lie` on the suite's command ends well all the same.
    private func lying(from lie: Int, _ files: @escaping (Int) -> [String]) -> [Incident] {
        var scene = Scene(commits: 6, files: files) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            var ending = Scene.tests(run, failing: index >= 3 ? ["t1"] : [])
            if index >= 3, index >= lie {
                ending.suite?.doubts = [
                    Reason(
                        rule: "exit-zero-with-failures", verdict: .unproven, text: "exit 0 with 1 failed test",
                        subject: run.subject)
                ]
            }
            return ending
        }
        scene.run(.test, suite: "login")
        return scene.investigate()
    }

    @Test func `a command that hides failures is traced to the commit that changed how tests are run`() throws {
        let incidents = lying(from: 1) { $0 == 1 ? ["tests/run.sh"] : ["src/\($0).py"] }
        #expect(incidents.count == 2)
        let broken = try #require(incidents.first { $0.diagnosis?.category == .codeRegression }?.diagnosis)
        let lie = try #require(incidents.first { $0.diagnosis?.category == .fakeEvidence }?.diagnosis)
        #expect(broken.culprit?.commit == Revision("commit-3"))
        #expect(lie.culprit?.commit == Revision("commit-1"))
        #expect(lie.recommendedAction == .rejectReport)
    }

    @Test func `a commit before a failure that still showed is not the one`() throws {
        let incidents = lying(from: 5) { [1, 5].contains($0) ? ["tests/run.sh"] : ["src/\($0).py"] }
        let lie = try #require(incidents.first { $0.diagnosis?.category == .fakeEvidence }?.diagnosis)
        #expect(lie.culprit?.commit != Revision("commit-1"))
    }

    @Test func `two commits that can hide failures: none is named`() throws {
        let incidents = lying(from: 1) { [1, 2].contains($0) ? ["tests/run.sh"] : ["src/\($0).py"] }
        let lie = try #require(incidents.first { $0.diagnosis?.category == .fakeEvidence }?.diagnosis)
        #expect(lie.culprit == nil)
    }
}
