// SPDX-License-Identifier: Apache-2.0
// In an environment that answers and is not well the tests are run once for what they say; and what a commit does to a
// service that comes up no more.

import Domain
import Testing

@testable import Triage

struct ListeningTests {
    /// The backend says that the model is down, on every revision; tests that are run all the same say why.
    private func scene(_ finding: String, _ message: String, live: LiveReading? = nil) -> Scene {
        var scene = Scene { run, _ in
            if run.kind == .stabilize { return Scene.unstable([Scene.sample("backend", finding)], live: live) }
            return run.kind == .test ? Scene.tests(run, failing: ["t1"], message: message) : Scene.Ending()
        }
        scene.facts.parts = ["auth", "backend", "llm"]
        scene.facts.suites = [
            SuiteRecord(name: "chat", priority: 0, blocking: true, value: nil, status: .notRun),
            SuiteRecord(name: "speed", priority: 2, blocking: false, value: nil, status: .notRun),
        ]
        scene.run(.deploy)
        scene.run(.stabilize)
        return scene
    }

    @Test(arguments: [
        ("500: UnknownHost: cannot resolve host 'llm.vendor'", Domain.Category.network),
        ("502: model answered 503: overloaded", .dependencyDown),
        ("502: model answered 401: credential expired", .expiredCredential),
    ])
    func `what is away is told from why by the tests that use it`(_ message: String, _ category: Domain.Category) throws
    {
        var scene = scene("/dependencies/llm is \"down\", expected \"ok\"", message)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        let first = try #require(scene.asked.first)
        #expect(first.kind == .rerun)
        #expect(first.tests == [Experiment.Selection(suite: "chat", only: [])])
        #expect(diagnosis.category == category)
        #expect(diagnosis.culprit == nil)
    }

    @Test func `a dependency that answers the loop is not down: the way to it is cut`() throws {
        let live = LiveReading(
            revision: Revision("commit-3"), asked: 1,
            services: [ServiceState(name: "auth", live: Revision("commit-3"))])
        var scene = scene(
            "/dependencies/auth is \"down: Cannot connect to host\", expected \"ok\"", "auth answered 503", live: live)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .network)
        #expect(diagnosis.component == "network")
    }

    @Test func `where nothing answers no test is run`() throws {
        var scene = Scene { run, _ in
            run.kind == .stabilize
                ? Scene.unstable(["auth", "backend"].map { Scene.sample($0, "connection refused") }) : Scene.Ending()
        }
        scene.facts.suites = [SuiteRecord(name: "chat", priority: 0, blocking: true, value: nil, status: .notRun)]
        scene.run(.deploy)
        scene.run(.stabilize)
        _ = scene.investigate()
        #expect(scene.asked.first?.kind != .rerun)
    }

    /// Nothing comes up from commit 2 on.
    private func broken(_ files: [String], logs: [String] = []) throws -> Diagnosis {
        var scene = Scene(commits: 5, files: { $0 == 2 ? files : ["src/\($0).py"] }) { run, index in
            run.kind == .stabilize && index >= 2
                ? Scene.unstable([Scene.sample("gateway", "connection refused")]) : Scene.Ending()
        }
        scene.facts.logs = logs.map {
            LogFinding(
                source: "gateway", template: $0, level: "critical", count: 1,
                reference: EvidenceReference(path: "logs.txt", lines: [1, 1], excerpt: $0))
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        return try #require(scene.investigate().first?.diagnosis)
    }

    @Test func `a commit to the deployment alone after which a service stays away is a failed deployment`() throws {
        let diagnosis = try broken(["ops/services.txt"])
        #expect(diagnosis.category == .deployFailure)
        #expect(diagnosis.component == "deploy")
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }

    @Test func `a commit since which a service ends for want of memory exhausts a resource`() throws {
        let diagnosis = try broken(["src/gateway/cache.py"], logs: ["memory limit exceeded: <*> MiB resident"])
        #expect(diagnosis.category == .resourceExhaustion)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.recommendedAction == .rollback)
        #expect(try broken(["src/gateway/cache.py"]).category == .codeRegression)
        let limit = try broken(["config/staging.json"], logs: ["memory limit exceeded: <*> MiB resident"])
        #expect(limit.category == .configChange)
    }
}

struct LostServiceTests {
    /// All tests of the second suite find the gateway gone, and so does the look after them.
    private func scene(_ lost: @escaping (StageRun, Int) -> Bool) -> Scene {
        var scene = Scene(commits: 5) { run, index in
            let isLost = lost(run, index)
            if run.purpose == .recheck, isLost {
                let live = LiveReading(
                    revision: nil, asked: 2,
                    services: [ServiceState(name: "auth", live: run.revision), ServiceState(name: "gateway")],
                    problem: "gateway: 0 of 1 answers name a revision: connection refused 127.0.0.1:1")
                return Scene.Ending(outcome: .failed, live: live)
            }
            guard run.kind == .test, run.subject == "sockets" else {
                return run.kind == .test ? Scene.tests(run, failing: []) : Scene.Ending()
            }
            return Scene.tests(
                run, failing: isLost ? (0..<9).map { "t\($0)" } : [], message: "cannot connect to host")
        }
        scene.facts.parts = ["auth", "gateway"]
        scene.run(.test, suite: "login")
        scene.run(.test, suite: "sockets")
        scene.run(.stabilize, .recheck)
        return scene
    }

    @Test func `a service that was lost and comes back with a deployment was down, and no commit is blamed`() throws {
        var scene = scene { run, _ in !run.purpose.isDeployedExperiment }
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .dependencyDown)
        #expect(diagnosis.component == "gateway")
        #expect(diagnosis.culprit == nil)
    }

    /// It is lost only where the first suite has run before.
    @Test func `what ran before a service was lost is run again with it, and the commit is found`() throws {
        var before = false
        var scene = scene { run, index in
            if run.kind == .deploy { before = false }
            if run.kind == .test, run.subject == "login" { before = true }
            return index >= 2 && (before || !run.purpose.isDeployedExperiment)
        }
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.filter(\.kind.deploys).allSatisfy { $0.tests.map(\.suite) == ["login", "sockets"] })
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }
}
