// SPDX-License-Identifier: Apache-2.0
// What a commit did not bring although it looks so, what it did bring although the words speak of the surroundings, and
// what shows only in the order of the whole pass.

import Domain
import Testing

@testable import Triage

struct GroundTests {
    private func suites(_ names: [String]) -> [SuiteRecord] {
        names.map { SuiteRecord(name: $0, priority: 0, blocking: true, value: nil, status: .notRun) }
    }

    /// From commit 3 on a login fails where more than a few went before: the first suite uses them up.
    private func limited(_ message: String) -> Scene {
        var logins = 0
        var scene = Scene(commits: 5, files: { $0 == 3 ? ["config/staging.json"] : ["src/\($0).py"] }) { run, index in
            if run.kind == .deploy { logins = 0 }
            guard run.kind == .test else { return Scene.Ending() }
            let tests = run.only ?? (0..<10).map { "t\($0)" }
            logins += tests.count
            let isMet = index >= 3 && logins > 12 && run.subject != "first"
            return Scene.tests(run, failing: isMet ? tests : [], message: message)
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "first")
        scene.run(.test, suite: "second")
        scene.run(.test, suite: "third")
        return scene
    }

    @Test(arguments: [
        "auth /login answered 429, expected 200: too_many_logins",
        "AssertionError: no ticket was given",
    ])
    func `what only the whole pass brings is asked in the order of the pass, and its commit is found`(
        _ message: String
    ) throws {
        var scene = limited(message)
        let incidents = scene.investigate()
        let diagnosis = try #require(incidents.first?.diagnosis)
        #expect(incidents.count == 1)
        #expect(diagnosis.culprit?.commit == Revision("commit-3"), "\(scene.asked.map(\.question))")
        #expect(diagnosis.category == .configChange)
        #expect(diagnosis.recommendedAction == .rollback)
        let whole = scene.asked.filter { $0.kind.deploys && $0.tests.allSatisfy(\.only.isEmpty) }
        #expect(whole.allSatisfy { $0.tests.map(\.suite) == ["first", "second"] })
        #expect(!whole.isEmpty)
    }

    @Test func `nearly everything fails since a commit and speaks of a full disk: the commit is found`() throws {
        var scene = Scene(commits: 6, files: { $0 == 3 ? ["config/staging.json"] : ["src/\($0).py"] }) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            let failing = index >= 3 ? (0..<10).map { "t\($0)" } : []
            return Scene.tests(run, failing: failing, message: "answered 507: No space left on data volume")
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "chat")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.culprit?.commit == Revision("commit-3"))
        #expect(diagnosis.category == .configChange)
    }

    @Test func `a deployment that fails at a locked database blames no commit where the last green one does not work`()
        throws
    {
        var scene = Scene(commits: 4, files: { $0 == 2 ? ["migrations/0007_index.sql"] : ["src/\($0).py"] }) {
            run, index in
            switch run.kind {
            case .deploy: Scene.Ending(outcome: index >= 2 ? .failed : .succeeded)
            case .test: Scene.tests(run, failing: (0..<8).map { "t\($0)" }, message: "database is locked")
            default: Scene.Ending()
            }
        }
        scene.facts.suites = suites(["chat"])
        scene.console = "sqlite3.OperationalError: database is locked"
        scene.run(.deploy)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.culprit == nil, "\(scene.asked.map { ($0.question, $0.tests) })")
        #expect(diagnosis.category == .dependencyDown)
        #expect(diagnosis.component == "database")
        #expect(diagnosis.summary.contains("8 of 10 tests fail on it"))
    }

    @Test func `a deployment that fails by itself still has its culprit`() throws {
        var scene = Scene(commits: 4, files: { $0 == 2 ? ["migrations/0007_index.sql"] : ["src/\($0).py"] }) {
            run, index in
            run.kind == .deploy
                ? Scene.Ending(outcome: index >= 2 ? .failed : .succeeded)
                : run.kind == .test ? Scene.tests(run, failing: []) : Scene.Ending()
        }
        scene.facts.suites = suites(["chat"])
        scene.console = "no such column: threads.label"
        scene.run(.deploy)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.category == .deployFailure)
    }

    @Test func `a baseline that does not come up any more clears the commits, and all is one incident`() throws {
        var scene = Scene { run, index in
            if run.kind == .stabilize, index < 0 {
                return Scene.unstable([Scene.sample("backend", "/dependencies/llm is \"down\", expected \"ok\"")])
            }
            guard run.kind == .test else { return Scene.Ending() }
            let failing = run.subject == "chat" ? ["t1"] : ["t2", "t3"]
            let message = run.subject == "chat" ? "answered 502, expected 200" : "no agent_completed within 2.5 s"
            return Scene.tests(run, failing: failing, message: message)
        }
        scene.facts.parts = ["backend", "llm"]
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "chat")
        scene.run(.test, suite: "agents")
        let incidents = scene.investigate()
        #expect(
            incidents.count == 1, "\(incidents.map { ($0.title, $0.diagnosis?.category, $0.diagnosis?.component) })")
        #expect(incidents.first?.diagnosis?.category == .dependencyDown)
        #expect(incidents.first?.diagnosis?.culprit == nil)
        #expect(incidents.first?.tests.count == 3)
    }

    @Test func `a health check that names damaged data is no dependency that is down`() throws {
        var scene = Scene { run, _ in
            if run.kind == .stabilize {
                return Scene.unstable([
                    Scene.sample(
                        "backend", "/dependencies/database is \"down: file is not a database\", expected \"ok\"")
                ])
            }
            return run.kind == .test
                ? Scene.tests(run, failing: ["t1"], message: "answered 503: file is not a database") : Scene.Ending()
        }
        scene.facts.parts = ["backend", "database"]
        scene.facts.suites = suites(["chat"])
        scene.run(.deploy)
        scene.run(.stabilize)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .dataState)
        #expect(diagnosis.component == "database")
    }

    @Test func `a runbook command that needs a component is none for a diagnosis without one`() throws {
        var scene = Scene { run, _ in
            run.kind == .stabilize && run.purpose == .cycle
                ? Scene.unstable(["auth", "backend"].map { Scene.sample($0, "connection refused") }) : Scene.Ending()
        }
        scene.facts.runbook = [
            RunbookPolicy(name: "restart", categories: [.environmentDown], attempts: 1, needsComponent: true)
        ]
        scene.run(.deploy)
        scene.run(.stabilize)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .environmentDown, "\(diagnosis.hypotheses ?? [])")
        #expect(diagnosis.runbook == nil)
        #expect(diagnosis.recommendedAction == .redeploy)
    }

    @Test func `two failures that nothing explains stay two`() {
        var scene = Scene { run, _ in
            guard run.kind == .test else { return Scene.Ending() }
            return run.subject == "a"
                ? Scene.tests(run, failing: ["t1"], message: "wrong price")
                : Scene.tests(run, failing: ["t2"], message: "wrong user")
        }
        scene.facts.wanted = Scene.green
        scene.facts.commits = []
        scene.run(.test, suite: "a")
        scene.run(.test, suite: "b")
        let incidents = scene.investigate()
        #expect(incidents.count == 2, "\(incidents.map(\.diagnosis))")
    }

    /// The same message in two suites since commit 2: each time in one, three times in ten in the other.
    @Test func `what comes and goes since a commit belongs to the incident of the same message that it is proven for`()
    {
        var run = 0
        var scene = Scene(commits: 4) { stage, index in
            guard stage.kind == .test else { return Scene.Ending() }
            run += 1
            let fails = index >= 2 && (stage.subject == "speed" || run % 3 == 1)
            return Scene.tests(
                stage, failing: fails ? ["t1", "t2"] : [], message: "answered 502: model did not answer in time")
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        run = 0
        scene.run(.test, suite: "chat")
        scene.run(.test, suite: "speed")
        let incidents = scene.investigate()
        #expect(incidents.count == 1, "\(incidents.map { ($0.suites, $0.diagnosis?.category, $0.diagnosis?.summary) })")
        #expect(incidents.first?.suites.sorted() == ["chat", "speed"])
        #expect(incidents.first?.diagnosis?.culprit?.commit == Revision("commit-2"))
    }
}
