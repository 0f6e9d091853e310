// SPDX-License-Identifier: Apache-2.0
// New and changed tests that passed are run more often, alone and beside the others, before a revision may be healthy.

import Domain
import Testing

@testable import Triage

struct BurnInTests {
    /// Ten tests of a suite pass in the pass; `t2` was changed by commit 3.
    private func scene(_ fails: @escaping (StageRun, Int) -> Bool) -> Scene {
        var scene = Scene(commits: 6, files: { $0 == 3 ? ["tests/t2.py"] : ["src/part\($0).py"] }) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return Scene.tests(run, failing: fails(run, index) ? ["t2"] : [], message: "run is still queued")
        }
        scene.facts.burnIn = BurnInSettings()
        scene.facts.changedTests = [ChangedTest(suite: "login", id: "t2", seconds: 0.1)]
        scene.run(.test, suite: "login")
        return scene
    }

    @Test func `what passes each time is run alone, then beside the others, and nothing is found`() {
        var scene = scene { _, _ in false }
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.map(\.kind) == [.burnIn, .burnIn])
        #expect(scene.asked.map(\.times) == [6, 3])
        #expect(scene.asked.map { $0.tests.map(\.only) } == [[["t2"]], [[]]])
    }

    @Test func `a test that fails three times in ten is found although it passed, and traced to its commit`() throws {
        var found = 0
        for seed in 0..<30 as Range<UInt64> {
            var scene = scene { run, index in
                var random = SeededGenerator(seed: seed &+ UInt64(run.attempt) &* 7919)
                let isUnlucky = Int.random(in: 0..<10, using: &random) < 3
                return index >= 3 && run.purpose != .cycle && isUnlucky
            }
            guard let diagnosis = scene.investigate().first?.diagnosis else { continue }
            #expect([.flakyTest, .transient].contains(diagnosis.category), "seed \(seed)")
            #expect(diagnosis.recommendedAction != .rollback, "seed \(seed)")
            let culprit = diagnosis.culprit?.commit
            #expect(culprit == nil || culprit == Revision("commit-3"), "seed \(seed)")
            if culprit != nil { found += 1 }
        }
        #expect(found >= 18, "\(found) of 30")
    }

    @Test func `a test that fails only beside the others is asked beside them, and its commit is found`() throws {
        var scene = scene { run, index in index >= 3 && run.purpose != .cycle && run.only == nil }
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.contains { $0.kind == .bisect && $0.tests.allSatisfy(\.only.isEmpty) })
        #expect(diagnosis.culprit?.commit == Revision("commit-3"))
        #expect(diagnosis.recommendedAction != .rollback)
    }

    @Test func `a failure of the pass that never shows alone is asked beside the others`() throws {
        var scene = scene { run, index in index >= 3 && run.only == nil }
        scene.facts.burnIn = nil
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.prefix(2).map { $0.tests.map(\.only) } == [[["t2"]], [[]]])
        #expect(diagnosis.culprit?.commit == Revision("commit-3"))
    }

    @Test func `what was over after the pass is no more than that`() throws {
        var scene = scene { run, _ in run.purpose == .cycle }
        scene.facts.burnIn = nil
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect([.transient, .flakyTest].contains(diagnosis.category))
        #expect(diagnosis.culprit == nil)
        #expect(scene.asked.allSatisfy { !$0.kind.deploys })
    }

    @Test func `budgets, permission and a sick environment bar it`() {
        var scene = scene { _, _ in false }
        scene.facts.burnIn = BurnInSettings(runs: 9, tests: 20, budgetSeconds: 1)
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.isEmpty)
        scene.facts.burnIn = BurnInSettings(runs: 9, tests: 20, budgetSeconds: 12)
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.map(\.times) == [2, 3])
        scene.facts.allowance.experiments = [.rerun]
        scene.facts.experiments = []
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.count == 2)
    }

    @Test func `a race in the program is a regression, in the configuration a change of it`() throws {
        for (file, category) in [
            ("src/runs.py", Domain.Category.codeRegression), ("config/staging.json", .configChange),
        ] {
            var scene = Scene(commits: 6, files: { $0 == 3 ? [file] : ["docs/\($0).md"] }) { run, index in
                guard run.kind == .test else { return Scene.Ending() }
                // Every second run, as far as a run's number tells.
                let fails = index >= 3 && (run.purpose == .cycle || run.attempt % 2 == 1)
                return Scene.tests(run, failing: fails ? ["t2"] : [], message: "run is still queued")
            }
            scene.run(.test, suite: "login")
            let diagnosis = try #require(scene.investigate().first?.diagnosis)
            #expect(diagnosis.culprit?.commit == Revision("commit-3"), "\(file)")
            #expect(diagnosis.category == category, "\(file)")
            #expect(diagnosis.recommendedAction == .rollback, "\(file)")
            #expect(diagnosis.grade == .likely)
        }
    }
}
