// SPDX-License-Identifier: Apache-2.0
// Deployments that run: what they say of their services, what is left when they are called off, and no secret in either.

import Domain
import Evidence
import Execution
import Platform
import Probes
import TestSupport
import Testing

@testable import Supervision

struct DeployStageTests {
    private static let token = "S3CRET-token-value-xyz"

    private static func printing(_ file: String) -> CheckTarget { .command(StageFixture.script("cat \(file)")) }

    private static func deploy(_ text: String, cleanup: String? = nil, secrets: [String] = []) -> DeploySettings {
        var command = StageFixture.script(text)
        command.secrets = secrets
        return DeploySettings(
            command: command, cleanup: cleanup.map { StageFixture.script($0) }, grace: .seconds(5), worktree: false)
    }

    // MARK: - Secrets

    @Test func `what a script says of its services holds no secret`() async throws {
        let text =
            #"printf '{"services":[{"name":"%s","revision":"%s","commit":"%s"}]}' $T $T $T > $NIGHTJAR_DEPLOYMENT"#
        let fixture = try StageFixture(secrets: ["T": Self.token]) { settings in
            settings.deploy = Self.deploy(text, secrets: ["T"])
        }
        let record = await fixture.deploy()
        #expect(record.outcome == .succeeded, "\(record.summary)")
        #expect(record.services.map(\.name) == ["[REDACTED]"])
        #expect(!"\(record)".contains(Self.token))
    }

    /// Nobody has fetched it yet: an earlier process may have given it to the environment.
    @Test func `what the environment answers holds no secret`() async throws {
        let fixture = try StageFixture(secrets: ["T": Self.token]) { settings in
            settings.health = HealthSettings(
                checks: [
                    CheckSettings(
                        name: "status", target: Self.printing("answer"),
                        json: [.init(pointer: "/status", value: "\"ok\"")])
                ], liveRevision: [LiveRevisionSettings(target: Self.printing("live"), answers: 1)],
                stableFor: .milliseconds(50), deadline: .milliseconds(300), interval: .milliseconds(50))
        }
        // The excerpt of a finding ends in the middle of it.
        try fixture.folder.write("answer", #"{"status": ""# + String(repeating: "x", count: 110) + Self.token + #""}"#)
        try fixture.folder.write("live", Self.token)
        let record = await fixture.stabilize()
        #expect(record.outcome == .failed)
        #expect(record.probes?.failures.isEmpty == false)
        #expect(!"\(record)".contains("S3CRET"))
        let samples = try ProbesFile.read("\(fixture.context.layout.cycle(7))/\(record.run.folder)/probes.jsonl")
        #expect(!samples.isEmpty && !"\(samples)".contains("S3CRET"))
        #expect(record.live?.revision == nil)
    }

    @Test func `names of artifacts hold no secret`() async throws {
        let fixture = try StageFixture(secrets: ["T": Self.token]) { settings in
            var command = StageFixture.script(#"mkdir art && echo x > "art/$T.txt""#)
            command.secrets = ["T"]
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0, command: command, reportFormat: .console, console: .tap,
                    artifacts: ["art/*"], blocking: true)
            ]
        }
        let record = await fixture.test("unit")
        let folder = "\(fixture.context.folder(record.run)).artifacts"
        let names = try Files.list(folder)
        #expect(names.count == 2 && !"\(names)".contains("S3CRET"), "\(names)")
        let list = String(decoding: try Files.read("\(folder)/LIST", limit: 1 << 20), as: UTF8.self)
        #expect(list.contains("REDACTED") && !list.contains("S3CRET"), "\(list)")
    }

    // MARK: - Called off

    @Test func `a deployment that is called off is cleaned up behind, and what it left is read`() async throws {
        let fixture = try StageFixture { settings in
            settings.deploy = Self.deploy("echo x > begun; exec sleep 600", cleanup: "echo done > cleaned")
            settings.health.liveRevision = [LiveRevisionSettings(target: Self.printing("live"), answers: 1)]
        }
        try fixture.folder.write("live", "r1")
        let task = Task { await fixture.deploy() }
        #expect(await eventually { Files.exists(fixture.folder("begun")) })
        task.cancel()
        fixture.context.stop(fixture.deployment)
        let record = await task.value
        #expect(record.outcome == .stopped, "\(record.summary)")
        #expect(record.commands.map(\.role) == ["main", "cleanup"])
        #expect(record.commands.last?.exit == 0)
        #expect(Files.exists(fixture.folder("cleaned")))
        #expect(record.leftLive?.revision == Revision("r1"))
        #expect(record.summary.contains("cleanup done; r1 is live"), "\(record.summary)")
    }

    @Test func `what never began is not cleaned up behind`() async throws {
        let fixture = try StageFixture { settings in
            settings.deploy = Self.deploy("echo x > begun; exec sleep 600", cleanup: "echo done > cleaned")
        }
        let task = Task {
            // Called off before anything could be started.
            withUnsafeCurrentTask { $0?.cancel() }
            return await fixture.deploy()
        }
        let record = await task.value
        guard !Files.exists(fixture.folder("begun")) else { return }
        #expect(record.outcome == .neverRan, "\(record.summary)")
        #expect(record.commands.map(\.role) == ["main"])
        #expect(!Files.exists(fixture.folder("cleaned")))
    }

    // MARK: - Services with revisions of their own

    private func services(_ live: String) throws -> (StageFixture, [DeployedServices]) {
        let fixture = try StageFixture { settings in
            settings.health = HealthSettings(
                liveRevision: [
                    LiveRevisionSettings(service: "a", target: Self.printing("live"), answers: 2),
                    LiveRevisionSettings(service: "b", target: Self.printing("liveb"), answers: 2),
                ], stableFor: .milliseconds(50), deadline: .milliseconds(400), interval: .milliseconds(50))
        }
        try fixture.folder.write("live", "9e1b7a33")
        try fixture.folder.write("liveb", live)
        let known = [
            DeployedServices(
                revision: Revision("9e1b7a33"),
                services: [ServiceState(name: "a"), ServiceState(name: "b", wanted: Revision("b-00223"))])
        ]
        return (fixture, known)
    }

    @Test func `a service is proven by the revision that the deployment gave it`() async throws {
        let (fixture, known) = try services("b-00223")
        let record = await fixture.stabilize(deployments: known)
        #expect(record.outcome == .succeeded, "\(record.summary)")
        #expect(record.live?.revision == Revision("9e1b7a33"))
        #expect(record.live?.answers.map(\.revision) == [Revision("9e1b7a33")])
        #expect(record.services.map(\.live) == [Revision("9e1b7a33"), Revision("b-00223")])
        #expect(record.services.last?.wanted == Revision("b-00223"))
        // Without what the deployment said, nothing tells that b-00223 is right.
        #expect(await fixture.stabilize().outcome == .failed)
    }

    @Test func `another revision of its own is a wrong one`() async throws {
        let (fixture, known) = try services("b-00222")
        let record = await fixture.stabilize(deployments: known)
        #expect(record.outcome == .failed)
        #expect(record.live?.revision == nil)
        #expect(record.live?.answers.contains { $0.revision == Revision("b-00222") } == true)
        #expect(record.live?.problem?.contains("wanted b-00223") == true, "\(record.live?.problem ?? "")")
    }

    @Test func `a look names the deployment whose services answer`() async throws {
        let (fixture, known) = try services("b-00223")
        var memory = LoopMemory()
        memory.deployments =
            known + [
                DeployedServices(
                    revision: Revision("later"), services: [ServiceState(name: "b", wanted: Revision("b-00223"))])
            ]
        guard case .workSeen(let work) = await WorkFinder(context: fixture.context).look(.schedule, memory) else {
            Issue.record("nothing was found")
            return
        }
        #expect(work.wanted == Revision("9e1b7a33"))
    }
}
