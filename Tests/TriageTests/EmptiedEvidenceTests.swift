// SPDX-License-Identifier: Apache-2.0
// Failures of speed, and suites whose evidence was emptied.

import Domain
import Testing

@testable import Triage

struct SpeedTests {
    private func category(_ messages: [String]) throws -> Domain.Category {
        var scene = Scene { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            let names = messages.indices.map { "t\($0)" }
            var ending = Scene.tests(run, failing: index >= 2 ? names : [])
            for place in ending.suite?.notPassed.indices ?? 0..<0 {
                let test = ending.suite?.notPassed[place].id
                ending.suite?.notPassed[place].message = names.firstIndex { $0 == test }.map { messages[$0] }
            }
            return ending
        }
        scene.run(.test, suite: "login")
        return try #require(scene.investigate().first?.diagnosis).category
    }

    @Test func `failures of a measured time alone are a performance regression`() throws {
        #expect(try category(["p95 is 912 ms, limit 300 ms"]) == .performanceRegression)
        #expect(try category(["Latency 2.1s > 1s", "throughput 3 per second < 50"]) == .performanceRegression)
        #expect(try category(["expected 200, got 500"]) == .codeRegression)
    }

    @Test func `a deployment that fails is never one of speed`() throws {
        var scene = Scene { run, index in
            run.kind == .deploy && index >= 2 ? Scene.Ending(outcome: .failed) : Scene.Ending()
        }
        scene.run(.deploy)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .deployFailure)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }
}

struct EmptiedEvidenceTests {
    @Test func `the commit that emptied a suite is searched for by running it whole`() throws {
        var scene = Scene(commits: 6, files: { $0 == 2 ? ["tests/conftest.py"] : ["src/\($0).py"] }) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return index >= 2 ? Scene.hollow(run) : Scene.tests(run, failing: [])
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "login")
        let incident = try #require(scene.investigate().first)
        #expect(
            scene.asked.allSatisfy { $0.times == 1 && $0.tests == [Experiment.Selection(suite: "login", only: [])] })
        #expect(scene.asked.first?.kind == .baseline)
        let diagnosis = try #require(incident.diagnosis)
        #expect(diagnosis.category == .fakeEvidence)
        #expect(diagnosis.component == "tests")
        #expect(diagnosis.recommendedAction == .rejectReport)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(incident.suites == ["login"])
    }

    @Test func `a suite in which something fails carries evidence`() throws {
        // At the last green revision a test of it fails: it was not emptied there.
        var scene = Scene(commits: 1) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return index >= 0 ? Scene.hollow(run) : Scene.tests(run, failing: ["t1"])
        }
        scene.run(.test, suite: "login")
        #expect(scene.investigate().first?.diagnosis?.culprit?.commit == Revision("commit-0"))
    }

    @Test func `evidence that is empty at the last green revision too is no commit's`() throws {
        var scene = Scene { run, _ in run.kind == .test ? Scene.hollow(run) : Scene.Ending() }
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.map(\.kind) == [.baseline])
        #expect(diagnosis.category == .fakeEvidence)
        #expect(diagnosis.culprit == nil)
    }

    @Test func `a suite that cannot run elsewhere is asked for once`() {
        var scene = Scene { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return index == 3 ? Scene.hollow(run) : Scene.Ending(outcome: .couldNotRun)
        }
        scene.run(.test, suite: "login")
        _ = scene.investigate()
        #expect(scene.asked.map(\.kind) == [.baseline])
    }

    @Test(arguments: ["skipped", "not-run", "fail-fast", "recheck", "window-closed"])
    func `why something was not done is no doubt of what was`(_ rule: String) {
        var scene = Scene { run, _ in run.kind == .test ? Scene.hollow(run, rule) : Scene.Ending() }
        scene.run(.test, suite: "login")
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.isEmpty)
    }
}
