// SPDX-License-Identifier: Apache-2.0
// The surroundings of a stage that runs real commands.

import Domain
import Evidence
import Execution
import Platform
import Probes
import Synchronization
import TestSupport

@testable import Supervision

/// Lines that a stage said.
final class SaidLines: Sendable {
    private let lines = Mutex<[LogLine]>([])

    func add(_ line: LogLine) { lines.withLock { $0.append(line) } }

    func texts(_ mark: LogLine.Mark) -> [String] { lines.withLock { $0.filter { $0.mark == mark }.map(\.text) } }
}

struct StageFixture {
    let folder: TemporaryFolder
    let context: LoopContext
    let said: SaidLines

    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

    init(secrets: [String: String] = [:], change: (inout LoopSettings) -> Void) throws {
        folder = try TemporaryFolder()
        // Cookies of commands are made from the loop's name: each fixture has one of its own.
        let name = "stage-\(folder.path.split(separator: "-").suffix(2).joined(separator: "-"))"
        var settings = LoopSettings(
            name: name, mode: .verify, environment: name, stateDirectory: folder("state"), baseDirectory: folder.path)
        settings.secrets = Dictionary(uniqueKeysWithValues: secrets.keys.map { ($0, .environment($0)) })
        change(&settings)
        let layout = EvidenceLayout(root: folder("state"))
        said = SaidLines()
        context = try Self.context(layout, settings, secrets: secrets, said)
        try Files.createDirectories(layout.cycle(7))
    }

    /// The loop of another fixture as its next daemon sees it: what is not in its files is not known.
    init(restarting other: StageFixture) throws {
        folder = other.folder
        said = SaidLines()
        context = try Self.context(other.context.layout, other.context.settings.current, secrets: [:], said)
    }

    private static func context(
        _ layout: EvidenceLayout, _ settings: LoopSettings, secrets: [String: String], _ said: SaidLines
    ) throws -> LoopContext {
        let now: @Sendable () -> Timestamp = { Timestamp(milliseconds: SystemClock.wallMilliseconds) }
        let base = settings.baseDirectory
        let cell = SettingsCell(settings, secretEnvironment: secrets)
        return LoopContext(
            layout: layout, settings: cell,
            runner: try CommandRunner(executablePath: Nightjar.path), environment: Self.environment,
            prober: Prober(
                transport: .system(environment: Self.environment, workingDirectory: { base }),
                environment: Self.environment, redact: { cell.secrets.redaction.text($0) }),
            progress: ProgressBoard(layout, now: now), history: SuiteHistory(layout), say: { said.add($0) })
    }

    static func script(_ text: String, _ arguments: [String] = []) -> CommandSettings {
        CommandSettings(arguments: ["/bin/sh", "-c", text, "sh"] + arguments, timeout: .seconds(600))
    }

    let deployment = StageRun(
        cycle: 7, kind: .deploy, purpose: .cycle, attempt: 1, revision: Revision("9e1b7a33"))

    func deploy() async -> StageRecord {
        await DeployStage(context: context, run: deployment, surroundings: surroundings).perform(Stopwatch(context))
    }

    func stabilize(deployments: [DeployedServices] = []) async -> StageRecord {
        let run = StageRun(cycle: 7, kind: .stabilize, purpose: .cycle, attempt: 1, revision: Revision("9e1b7a33"))
        var surroundings = surroundings
        surroundings.deployments = deployments
        return await StabilizeStage(context: context, run: run, surroundings: surroundings).perform(Stopwatch(context))
    }

    /// As the loop runs it: with what is told about every stage.
    func performTest(_ suite: String) async -> StageRecord {
        let run = StageRun(
            cycle: 7, kind: .test, purpose: .cycle, subject: suite, attempt: 1, revision: Revision("9e1b7a33"))
        return await StagePerformer(context: context).perform(run, surroundings)
    }

    private var surroundings: StageSurroundings { StageSurroundings(cycleStartedAt: context.now()) }

    /// Runs the suite, or some of its tests.
    func test(_ suite: String, only: [String]? = nil, attempt: Int = 1) async -> StageRecord {
        let run = StageRun(
            cycle: 7, kind: .test, purpose: .cycle, subject: suite, attempt: attempt, revision: Revision("9e1b7a33"),
            only: only)
        return await TestStage(context: context, run: run, surroundings: surroundings).perform(Stopwatch(context))
    }
}
