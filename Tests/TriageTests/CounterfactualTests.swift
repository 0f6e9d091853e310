// SPDX-License-Identifier: Apache-2.0
// A culprit taken back alone, and old tests on new code: what is asked once a culprit is found.

import Domain
import Testing

@testable import Triage

struct CounterfactualTests {
    /// Fails from commit 2 on; without that commit as `taken` says.
    private func scene(commits: Int = 5, taken fails: Bool = false) -> Scene {
        var scene = Scene(commits: commits) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            let isFailing = run.purpose == .revert ? fails : index >= 2
            return Scene.tests(run, failing: isFailing ? ["t1"] : [])
        }
        scene.run(.test, suite: "login")
        return scene
    }

    @Test func `the culprit is taken back alone, and the failure goes`() throws {
        var scene = scene()
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        let revert = try #require(scene.asked.last)
        #expect(revert.kind == .revert)
        #expect(revert.reverting == Revision("commit-2"))
        #expect(revert.revision == Revision("revert-of-commit-2"))
        #expect(diagnosis.grade == .proven)
        #expect(diagnosis.summary.contains("with it alone taken back passes"))
    }

    @Test func `where the failure stays the culprit is not all there is`() throws {
        var scene = scene(taken: true)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.grade == .likely)
        #expect(diagnosis.summary.contains("with it alone taken back fails"))
    }

    @Test func `what git cannot take back, and what is the newest commit, is not asked`() {
        var stuck = scene()
        stuck.facts.irrevertible[Revision("commit-2")] = "conflicts in src/2.swift"
        _ = stuck.investigate()
        #expect(!stuck.asked.contains { $0.kind == .revert })
        var newest = scene(commits: 3)
        _ = newest.investigate()
        #expect(!newest.asked.contains { $0.kind == .revert })
    }

    @Test(arguments: [(true, Domain.Category.codeRegression), (false, .testDefect)])
    func `a commit that changed code and the failing test: the old test on the new code tells which`(
        _ isCode: Bool, _ category: Domain.Category
    ) throws {
        let files = ["src/items.py", "tests/test_items.py"]
        var scene = Scene(commits: 5, files: { $0 == 2 ? files : ["src/\($0).py"] }) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            let isFailing =
                run.testsRevision != nil ? isCode : run.purpose == .revert ? false : index >= 2
            var ending = Scene.tests(run, failing: isFailing ? ["t1"] : [])
            for place in ending.suite?.notPassed.indices ?? 0..<0 {
                ending.suite?.notPassed[place].file = "tests/test_items.py"
            }
            return ending
        }
        scene.facts.crossable = ["login"]
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        let crossed = try #require(scene.asked.first { $0.kind == .crossed })
        #expect(crossed.revision == Revision("commit-2"))
        #expect(crossed.testsRevision == Revision("commit-1"))
        #expect(diagnosis.category == category)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.recommendedAction == (isCode ? .rollback : .fixTest))
        // Tests that cannot be taken from another revision are not.
        scene.facts.experiments.removeAll { $0.experiment.kind == .crossed }
        scene.facts.crossable = []
        if case .experiment(let next) = Investigator.next(scene.facts) { #expect(next.kind != .crossed) }
    }

    @Test func `a few tests stand for many`() throws {
        var scene = Scene(commits: 8) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return Scene.tests(run, failing: index >= 6 ? (0..<7).map { "t\($0)" } : [])
        }
        scene.run(.test, suite: "login")
        let incident = try #require(scene.investigate().first)
        #expect(incident.tests.count == 7)
        #expect(incident.diagnosis?.culprit?.commit == Revision("commit-6"))
        #expect(scene.asked.allSatisfy { $0.tests.flatMap(\.only).count <= 3 })
    }
}
