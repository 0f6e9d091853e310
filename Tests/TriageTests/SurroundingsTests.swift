// SPDX-License-Identifier: Apache-2.0
// Failures that no commit brought, and wrong revisions: what is asked, and what is said.

import Domain
import Testing

@testable import Triage

struct WrongRevisionTests {
    private let stale = LiveReading(
        revision: nil,
        answers: [.init(revision: Revision("commit-3"), count: 12), .init(revision: Scene.green, count: 8)], asked: 20,
        services: [
            ServiceState(name: "gateway", live: Revision("commit-3")), ServiceState(name: "backend", live: Scene.green),
        ])

    @Test func `what keeps answering is no matter of commits: it is deployed again, not searched for`() throws {
        let stale = stale
        var scene = Scene { run, index in
            run.kind == .stabilize && index == 3
                ? Scene.unstable([Scene.sample("live revision", "8 of 20 answers")], live: stale) : Scene.Ending()
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.isEmpty)
        #expect(diagnosis.category == .wrongRevision)
        #expect(diagnosis.recommendedAction == .redeploy)
        #expect(diagnosis.summary.contains("backend is still running revision green"))
        #expect(diagnosis.culprit == nil)
    }

    /// A cycle in which the redeployment did not help either: `stale` says on which revisions something else answers.
    private func diagnosis(stale wrong: @escaping (Int) -> Bool) throws -> (Diagnosis, [Experiment]) {
        let stale = stale
        var scene = Scene(commits: 6) { run, index in
            run.kind == .stabilize && wrong(index)
                ? Scene.unstable([Scene.sample("live revision", "8 of 20 answers")], live: stale) : Scene.Ending()
        }
        scene.facts.wanted = Revision("commit-5")
        for purpose in [Purpose.cycle, .redeploy] {
            scene.facts.decidingFrom = scene.facts.records.count
            scene.run(.deploy, purpose)
            scene.run(.stabilize, purpose)
        }
        return (try #require(scene.investigate().first?.diagnosis), scene.asked)
    }

    @Test func `the commit that brought a wrong revision is searched for by the proof of the revision`() throws {
        let (found, asked) = try diagnosis { $0 >= 2 }
        #expect(asked.first?.kind == .baseline)
        #expect(found.category == .wrongRevision)
        #expect(found.component == "deploy")
        #expect(found.culprit?.commit == Revision("commit-2"))
        #expect(found.recommendedAction == .rollback)
    }

    @Test func `where nothing that is deployed answers any more no commit is named`() throws {
        let (found, asked) = try diagnosis { $0 >= 0 }
        #expect(asked.map(\.revision) == [Scene.green, Revision("commit-0")])
        #expect(found.category == .wrongRevision)
        #expect(found.culprit == nil)
        #expect(found.candidates.count == 6)
    }

    @Test func `what only one revision shows may be left over from its deployment: no commit is named`() throws {
        let (found, asked) = try diagnosis { $0 == 5 }
        #expect(found.category == .wrongRevision)
        #expect(found.culprit == nil)
        #expect(found.candidates.first?.commit == Revision("commit-5"), "\(found.candidates) \(asked.map(\.revision))")
    }

    @Test func `an unreadable revision is no wrong one`() throws {
        var scene = Scene { run, index in
            run.kind == .stabilize && index == 3
                ? Scene.unstable(
                    [Scene.sample("live revision", "status 500")], live: LiveReading(revision: nil, asked: 20))
                : Scene.Ending()
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category != .wrongRevision)
        #expect(diagnosis.culprit?.commit == Revision("commit-3"))
    }
}

struct OnceMoreTests {
    /// Not stable in the cycle; stable whenever it is deployed for an experiment.
    private static func cured() -> Scene {
        var scene = Scene { run, index in
            run.kind == .stabilize && index == 3 && run.experiment == nil
                ? Scene.unstable([Scene.sample("api", "status 503, expected 200")]) : Scene.Ending()
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        return scene
    }

    @Test func `a failure that a fresh deployment does not bring back blames no commit`() throws {
        var scene = OnceMoreTests.cured()
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.map(\.revision) == [Revision("commit-3")])
        #expect(diagnosis.culprit == nil)
        #expect(diagnosis.ruledOut.map(\.category).contains(.codeRegression))
        #expect(diagnosis.recommendedAction == .redeploy)
        #expect(diagnosis.grade == .likely)
    }

    @Test func `one redeployment is enough to ask for`() throws {
        var scene = OnceMoreTests.cured()
        scene.run(.deploy, .redeploy)
        scene.run(.stabilize, .redeploy)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.recommendedAction == .none)
    }

    @Test func `a failure that comes back is searched for by what deployments showed alone`() throws {
        var scene = Scene(commits: 6) { run, index in
            run.kind == .stabilize && index >= 2
                ? Scene.unstable([Scene.sample("api", "status 500, expected 200")]) : Scene.Ending()
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.prefix(2).map(\.revision) == [Revision("commit-5"), Scene.green])
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }

    @Test(arguments: [
        ("ConnectionRefusedError", true), ("got 503, expected 200", true), ("host unreachable", true),
        ("expected 15031 rows, got 12", false), ("expected true", false),
    ])
    func `what looks like the network is deployed once more before a commit is searched for`(
        _ message: String, _ looksLikeNetwork: Bool
    ) throws {
        var scene = Scene { run, index in
            run.kind == .test ? Scene.tests(run, failing: index >= 1 ? ["t1"] : [], message: message) : Scene.Ending()
        }
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        let before = scene.asked.map(\.kind).prefix { $0 != .bisect }
        #expect(before.contains(.again) == looksLikeNetwork, "\(before)")
        #expect(diagnosis.culprit?.commit == Revision("commit-1"))
    }

    @Test func `a mass failure that a deployment cures is of the surroundings and no flake`() throws {
        let all = (0..<10).map { "t\($0)" }
        var scene = Scene { run, _ in
            run.kind == .test && [.cycle, .rerun].contains(run.purpose)
                ? Scene.tests(run, failing: all) : run.kind == .test ? Scene.tests(run, failing: []) : Scene.Ending()
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(scene.asked.map(\.kind) == [.rerun, .baseline, .again])
        #expect(scene.asked.last?.revision == Revision("commit-3"))
        #expect(diagnosis.category == .environmentDown)
        #expect(diagnosis.recommendedAction == .redeploy)
    }

    @Test func `one test that a deployment cures came and went, and is no flake`() throws {
        var bench = Bench(commits: 1) { _, index, run in index == 0 && run < 300 }
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        // Alone it passes; whether it fails in the order of the pass is asked before it is called cured.
        #expect(bench.asked.map(\.kind) == [.rerun, .baseline, .bisect, .again])
        #expect(diagnosis.category == .transient)
        #expect(diagnosis.ruledOut.map(\.category).contains(.codeRegression))
        // One that passes only now and then after it is a flake all the same.
        bench = Bench(commits: 1) { _, index, run in index == 0 && run != 301 }
        #expect(bench.investigate().first?.diagnosis?.category == .flakyTest)
    }
}

struct AilingTests {
    /// A failed stabilization that fails at the last green revision too.
    private func diagnosis(_ failures: [ProbeSample], live: LiveReading? = nil) throws -> Diagnosis {
        var scene = Scene { run, _ in
            run.kind == .stabilize ? Scene.unstable(failures, live: live) : Scene.Ending()
        }
        scene.facts.runbook = [RunbookPolicy(name: "restart-dependency", categories: [.dependencyDown], attempts: 1)]
        scene.run(.deploy)
        scene.run(.stabilize)
        return try #require(scene.investigate().first?.diagnosis)
    }

    @Test func `the one silent service is the component`() throws {
        let found = try diagnosis([
            Scene.sample("gateway", "status 503, expected 200"),
            Scene.sample("auth", "connection refused 127.0.0.1:9001"),
        ])
        #expect(found.category == .dependencyDown)
        #expect(found.component == "auth")
        #expect(found.summary.hasPrefix("auth was down (unreachable)"))
        #expect(found.recommendedAction == .runbook)
        #expect(found.runbook == "restart-dependency")
    }

    @Test func `a dependency that a service names is the component`() throws {
        let found = try diagnosis([
            Scene.sample("gateway", "/dependencies/llm is \"down\", expected \"ok\""),
            Scene.sample("gateway", "/status is \"degraded\", expected \"healthy\""),
        ])
        #expect(found.category == .dependencyDown)
        #expect(found.component == "llm")
    }

    @Test func `nothing that answers is the environment`() throws {
        let found = try diagnosis([
            Scene.sample("gateway", "connection refused"), Scene.sample("auth", "no answer within 5s"),
        ])
        #expect(found.category == .environmentDown)
        #expect(found.component == nil)
        #expect(found.recommendedAction == .none)
    }

    @Test func `several silent services beside one that answers name none`() throws {
        let live = LiveReading(
            revision: nil, asked: 3, services: [ServiceState(name: "gateway", live: Scene.green)])
        let failures = [Scene.sample("backend", "connection refused"), Scene.sample("auth", "connection reset")]
        #expect(try diagnosis(failures, live: live).component == nil)
    }

    @Test func `a service's own state is no dependency`() {
        var record = StageRecord(
            run: StageRun(cycle: 2, kind: .stabilize, purpose: .cycle, attempt: 1, revision: Scene.green),
            outcome: .failed, summary: "", startedAt: Timestamp(milliseconds: 0), endedAt: Timestamp(milliseconds: 0),
            durationSeconds: 1)
        record.probes = ProbeSummary(
            rounds: 1, goodInARow: 0, steadySeconds: 0,
            failures: [
                Scene.sample("gateway", "/status is \"down\", expected \"ok\""),
                Scene.sample("revision of auth", "no answer within 5s"),
            ])
        let ailing = Ailing(record)
        #expect(ailing.unwell == ["gateway"])
        #expect(ailing.dependencies.isEmpty)
        #expect(ailing.unreachable == ["auth"])
        #expect(ailing.component == "auth")
    }
}

struct SymptomTests {
    @Test(arguments: [
        ("OSError: [Errno 28] No space left on device", Domain.Category.resourceExhaustion),
        ("Too many open files", .resourceExhaustion), ("the API key expired yesterday", .expiredCredential),
        ("x509: certificate has expired or is not yet valid", .expiredCredential),
        ("Temporary failure in name resolution", .network), ("sqlite3: database disk image is malformed", .dataState),
        ("UNIQUE constraint failed: users.id", .dataState),
    ])
    func `what fails at the last green revision too names its own cause`(
        _ message: String, _ category: Domain.Category
    ) throws {
        var scene = Scene { run, _ in
            run.kind == .test ? Scene.tests(run, failing: ["t3"], message: message) : Scene.Ending()
        }
        scene.facts.runbook = [RunbookPolicy(name: "cure", categories: [category], attempts: 1)]
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == category)
        #expect(diagnosis.grade == .likely)
        #expect(diagnosis.runbook == "cure")
        #expect(diagnosis.culprit == nil)
    }

    /// A commit that brought the failure is at fault, whatever the message sounds like.
    @Test func `words do not outweigh an experiment`() throws {
        var scene = Scene { run, index in
            run.kind == .test
                ? Scene.tests(run, failing: index >= 2 ? ["t3"] : [], message: "duplicate key value") : Scene.Ending()
        }
        scene.run(.test, suite: "login")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == .codeRegression)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }

    @Test func `failures of unknown cause join the one whose cause is known`() throws {
        var scene = Scene { run, _ in
            guard run.kind == .test else { return Scene.Ending() }
            var ending = Scene.tests(run, failing: ["t1", "t2"])
            for index in ending.suite?.notPassed.indices ?? 0..<0 where ending.suite?.notPassed[index].id == "t2" {
                ending.suite?.notPassed[index].message = "no space left on device"
            }
            return ending
        }
        scene.run(.test, suite: "login")
        let incidents = scene.investigate()
        #expect(incidents.count == 1)
        #expect(incidents.first?.diagnosis?.category == .resourceExhaustion)
        #expect(incidents.first.map { Set($0.tests) } == ["t1", "t2"])
    }
}
