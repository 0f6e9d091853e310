// SPDX-License-Identifier: Apache-2.0
// One scene per kind of cause: what is seen of it decides the category, the component and what is recommended.

import Configuration
import Domain
import Testing

@testable import Triage

/// A cause, as it shows: which runs fail, and what they say.
struct Fault: Sendable, CustomStringConvertible {
    enum Reach: Sendable {
        /// From a commit on, wherever it is deployed.
        case commit(Int)
        /// On every revision.
        case always
        /// Until anything is deployed.
        case untilDeployed
        /// Only in the first pass.
        case once
    }
    var description: String
    var reach: Reach
    var message = "AssertionError: expected 3 items, got 2"
    var failing = ["t1"]
    var files = ["src/backend/items.py"]
    var surroundings: [SurroundingFact.Kind] = []
    var logs: [String] = []
    var category: Domain.Category
    var component: String?

    func shows(_ run: StageRun, _ index: Int) -> Bool {
        switch reach {
        case .commit(let first): index >= first
        case .always: true
        case .untilDeployed: !run.purpose.isDeployedExperiment
        case .once: run.purpose == .cycle
        }
    }

    static let all = [
        Fault(description: "a wrong page size", reach: .commit(2), category: .codeRegression, component: "backend"),
        Fault(
            description: "a wrong key id in the configuration", reach: .commit(2),
            message: "AssertionError: GET /api/me answered 401, expected 200: signature verification failed (key k1)",
            failing: ["t1", "t2", "t3", "t4"], files: ["config/staging.json"], category: .configChange,
            component: "config"),
        Fault(
            description: "a test that expects what never was", reach: .commit(2),
            message: "AssertionError: POST answered 409, expected 422", files: ["tests/test_items.py"],
            category: .testDefect, component: "tests"),
        Fault(
            description: "queries for each row", reach: .commit(2),
            message: "AssertionError: p95 of items is 151 ms, target 30 ms",
            category: .performanceRegression, component: "backend"),
        Fault(
            description: "a regression that sounds like a full disk", reach: .commit(2),
            message: "OSError: No space left on device", category: .codeRegression, component: "backend"),
        Fault(
            description: "a full disk", reach: .always, message: "POST answered 503: No space left on data volume",
            failing: ["t1", "t2", "t3"], surroundings: [.disk], category: .resourceExhaustion, component: "host"),
        Fault(
            description: "too few descriptors, until services start afresh", reach: .untilDeployed,
            message: "OSError: [Errno 24] Too many open files", failing: ["t1", "t2"], category: .resourceExhaustion,
            component: "host"),
        Fault(
            description: "an expired credential of the model", reach: .always,
            message: "POST answered 502: model answered 401: credential expired", failing: ["t1", "t2", "t3"],
            category: .expiredCredential),
        Fault(
            description: "keys that were changed under running services", reach: .untilDeployed,
            message: "GET /api/me answered 401, expected 200: invalid_token: signature verification failed (key k2)",
            failing: ["t1", "t2", "t3"], category: .expiredCredential),
        Fault(
            description: "an expired certificate, seen in the surroundings", reach: .always, message: "502 Bad Gateway",
            surroundings: [.certificate], category: .expiredCredential),
        Fault(
            description: "a name that does not resolve", reach: .always,
            message: "socket.gaierror: [Errno -2] Name or service not known", failing: ["t1", "t2", "t3"],
            category: .network,
            component: "network"),
        Fault(
            description: "a dependency that answers 503", reach: .always,
            message: "POST answered 502, expected 200: model unavailable: upstream answered 503",
            failing: ["t1", "t2", "t3", "t4"], category: .dependencyDown),
        Fault(
            description: "a dependency that is back after a deployment", reach: .untilDeployed,
            message: "Cannot connect to host auth:9001 Connection refused", failing: ["t1", "t2", "t3"],
            category: .dependencyDown, component: "auth"),
        Fault(
            description: "damaged data", reach: .always,
            message: "sqlite3.DatabaseError: database disk image is malformed",
            failing: ["t1", "t2"], category: .dataState, component: "database"),
        Fault(
            description: "left-over data of a smoke account", reach: .always,
            message: "POST /api/threads answered 409, expected 201: a thread of that name already exists",
            category: .dataState, component: "database"),
        Fault(
            description: "nearly everything fails, everywhere", reach: .always, message: "no answer",
            failing: (0..<10).map { "t\($0)" }, category: .environmentDown),
        Fault(
            description: "a moment without a service", reach: .once,
            message: "answered 503, expected 200: Service Unavailable", failing: ["t1", "t2", "t3"],
            category: .transient),
    ]
}

struct CategoryTests {
    private func scene(_ fault: Fault) -> Scene {
        var scene = Scene(commits: 5, files: { $0 == 2 ? fault.files : ["docs/\($0).md"] }) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            return Scene.tests(run, failing: fault.shows(run, index) ? fault.failing : [], message: fault.message)
        }
        scene.facts.surroundings = fault.surroundings.map { kind in
            SurroundingFact(
                kind: kind, subject: "x", value: "bad", isProblem: true,
                reference: EvidenceReference(path: "surroundings.txt", lines: [1, 1], excerpt: "x bad"))
        }
        scene.run(.deploy)
        scene.run(.stabilize)
        scene.facts.records[scene.facts.records.count - 1].live = LiveReading(
            revision: scene.facts.wanted,
            services: ["auth", "backend", "gateway"].map { ServiceState(name: $0, live: scene.facts.wanted) })
        scene.run(.test, suite: "login")
        return scene
    }

    @Test(arguments: Fault.all)
    func `the category follows from what is seen`(_ fault: Fault) throws {
        var scene = scene(fault)
        let incidents = scene.investigate()
        #expect(incidents.count == 1)
        let diagnosis = try #require(incidents.first?.diagnosis)
        #expect(diagnosis.category == fault.category, "\(diagnosis.hypotheses ?? [])")
        #expect(diagnosis.grade != .unknown)
        #expect(diagnosis.component == fault.component)
        if case .commit(let index) = fault.reach {
            #expect(diagnosis.culprit?.commit == Revision("commit-\(index)"))
            #expect(diagnosis.grade == .proven)
        } else {
            #expect(diagnosis.culprit == nil)
            #expect(diagnosis.recommendedAction != .rollback)
            #expect(diagnosis.ruledOut.contains { $0.category == .codeRegression })
        }
        #expect(scene.asked.count { $0.kind.deploys } <= 6)
    }

    /// Every suspicion that is weighed says so, and what it says adds up.
    @Test(arguments: Fault.all)
    func `the hypotheses are a distribution with reasons`(_ fault: Fault) throws {
        var scene = scene(fault)
        let hypotheses = try #require(scene.investigate().first?.diagnosis?.hypotheses)
        let sum = hypotheses.reduce(0) { $0 + $1.probability }
        #expect(sum > 0.9 && sum < 1.001)
        #expect(hypotheses.first?.because.isEmpty == false)
        #expect(hypotheses.map(\.probability) == hypotheses.map(\.probability).sorted(by: >))
    }

    /// Whatever is wrong with the surroundings, however it sounds, no commit is blamed and nothing is rolled back.
    @Test(arguments: 0..<120 as Range<UInt64>)
    func `no commit is blamed for what the surroundings did`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let messages = Fault.all.map(\.message)
        let files = ["src/a.py", "config/app.json", "tests/test_a.py", "migrations/1.sql", "ops/deploy.sh"]
        var fault = Fault(
            description: "random", reach: [.always, .untilDeployed, .once].randomElement(using: &random) ?? .always,
            category: .unknown)
        fault.message = messages.randomElement(using: &random) ?? ""
        fault.failing = (0..<Int.random(in: 1...10, using: &random)).map { "t\($0)" }
        fault.files = [files.randomElement(using: &random) ?? ""]
        var scene = scene(fault)
        if Bool.random(using: &random) { scene.facts.allowance.deploysBarred = "triage.mayDeploy is false" }
        for incident in scene.investigate() {
            let diagnosis = try #require(incident.diagnosis)
            #expect(diagnosis.culprit == nil, "seed \(seed): \(fault)")
            #expect(diagnosis.recommendedAction != .rollback, "seed \(seed)")
            let isOfCommit = Conclusions.ofCommits.contains(diagnosis.category)
            #expect(
                !isOfCommit || diagnosis.grade == .possible, "seed \(seed): \(diagnosis.category) \(diagnosis.grade)")
            for why in diagnosis.whys { #expect((why.confidence == 0) == why.evidence.isEmpty, "seed \(seed): \(why)") }
            if diagnosis.category == .unknown { #expect(diagnosis.check?.isEmpty == false, "seed \(seed)") }
        }
    }
}

struct CutMeasurementTests {
    @Test(arguments: [
        ("speed::test_list_p95", Domain.Category.performanceRegression), ("api::test_list", .codeRegression),
    ])
    func `a measurement that does not come to its end is one of speed`(_ id: String, _ category: Domain.Category) throws
    {
        var scene = Scene(commits: 5) { run, index in
            guard run.kind == .test else { return Scene.Ending() }
            var all = run
            all.only = run.only ?? [id, "t1"]
            return Scene.tests(all, failing: index >= 2 ? [id] : [], message: "TimeoutError")
        }
        scene.run(.test, suite: "speed")
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.category == category)
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
    }
}
