// SPDX-License-Identifier: Apache-2.0
// A repository with a culprit in it, and steps of a fix performed on it with real commands.

import Domain
import Evidence
import Execution
import Platform
import Probes
import TestSupport
import Testing

@testable import Engine
@testable import Supervision

/// Three commits: one that works, one that breaks `src/price`, and one of another matter.
struct RoleFixture {
    let folder: TemporaryFolder
    let name: String
    let context: LoopContext
    let green: Revision
    let culprit: Revision
    let wanted: Revision
    var readings: [RoleReading] = []
    var implemented: String?

    static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
    ]

    init(roles: RoleSettings, change: (inout FixSettings) -> Void = { _ in }) async throws {
        folder = try TemporaryFolder()
        // Cookies of commands are made from the loop's name: each fixture has one of its own.
        name = "staging-\(folder.path.split(separator: "-").suffix(2).joined(separator: "-"))"
        var settings = LoopSettings(
            name: name, mode: .operate, environment: "staging", stateDirectory: folder("state"),
            baseDirectory: folder.path)
        settings.repository = RepositorySettings(path: folder("app"))
        var fix = FixSettings(paths: ["src/*", "test/*"])
        change(&fix)
        settings.remedy.fix = fix
        settings.remedy.roles = roles
        let layout = EvidenceLayout(root: folder("state"))
        let base = folder.path
        let now: @Sendable () -> Timestamp = { Timestamp(milliseconds: SystemClock.wallMilliseconds) }
        context = LoopContext(
            layout: layout, settings: SettingsCell(settings, secretEnvironment: [:]),
            runner: try CommandRunner(executablePath: Nightjar.path),
            environment: Self.environment,
            prober: Prober(
                transport: .system(environment: Self.environment, workingDirectory: { base }),
                environment: Self.environment),
            progress: ProgressBoard(layout, now: now), history: SuiteHistory(layout), say: { _ in })
        try Files.createDirectories(layout.cycle(7))
        let app = folder("app")
        try await Self.git(["init", "--quiet", "--initial-branch=main", app])
        green = try await Self.commit(app, ["src/price": "1\n2\n3\n", "test/price": "expect 1\n"], "Prices")
        culprit = try await Self.commit(
            app, ["src/price": "1\n20\n3\n", "test/price": "expect 1\nexpect 20\n"], "Raise")
        wanted = try await Self.commit(app, ["src/other": "x\n"], "Another matter")
    }

    @discardableResult
    static func git(_ arguments: [String], in folder: String? = nil) async throws -> String {
        let output = try await HelperCommand.run(
            ["git"] + (folder.map { ["-C", $0] } ?? []) + arguments, environment: environment, timeout: .seconds(60))
        try #require(output.exit == 0, "git \(arguments): \(output.errorText)")
        return output.text.trimmingWhitespace
    }

    private static func commit(_ app: String, _ files: [String: String], _ subject: String) async throws -> Revision {
        for (name, text) in files {
            try Files.createDirectories(Files.parent(of: "\(app)/\(name)"))
            try AtomicFile.write(Array(text.utf8), to: "\(app)/\(name)", durable: false)
        }
        try await git(["add", "--all"], in: app)
        try await git(["commit", "--quiet", "-m", subject], in: app)
        return Revision(try await git(["rev-parse", "HEAD"], in: app))
    }

    static func script(_ text: String, timeout: Duration = .seconds(30)) -> CommandSettings {
        CommandSettings(arguments: ["/bin/sh", "-c", text], timeout: timeout)
    }

    var incident: Incident {
        Incident(
            id: "INC-3", signature: "s", title: "wrong price", tests: ["price"], suites: ["unit"],
            firstSeen: Timestamp(milliseconds: 0), firstCycle: 7,
            diagnosis: Diagnosis(
                category: .codeRegression, summary: "wrong price", grade: .proven,
                culprit: Culprit(commit: culprit, subject: "Raise", probability: 0.99), recommendedAction: .rollback))
    }

    /// Performs one step as the loop does, and keeps what came of it for the next one.
    mutating func step(_ name: String, attempt: Int = 1) async -> StageRecord {
        let run = StageRun(
            cycle: 7, kind: .remedy, purpose: .fix, subject: name, attempt: attempt, revision: wanted)
        let record = await perform(run)
        if let reading = record.role { readings.append(reading) }
        if name == "implement", record.outcome == .succeeded { implemented = run.folder }
        return record
    }

    /// Brings the fix into the environment.
    func deploy(_ revision: Revision) async -> StageRecord {
        await perform(StageRun(cycle: 7, kind: .deploy, purpose: .fix, attempt: 1, revision: revision))
    }

    private func perform(_ run: StageRun) async -> StageRecord {
        var cycle = CycleProgress(
            number: 7, work: WorkSeen(trigger: .schedule, wanted: wanted),
            policy: LoopPolicy(context.settings.current), settingsHash: "",
            startedAt: Timestamp(milliseconds: 86_400_000))
        cycle.fix = FixProgress(incident: incident, action: 0, passes: 1, home: wanted)
        var surroundings = StageSurroundings(lastGreen: green, cycleStartedAt: cycle.startedAt)
        surroundings.fix = FixSurroundings(cycle)
        surroundings.fix?.readings = readings
        surroundings.fix?.implemented = implemented
        return await StagePerformer(context: context).perform(run, surroundings)
    }

    /// Rules that a record says were broken.
    static func broken(_ record: StageRecord) -> [String] {
        (record.role?.audit ?? []).filter { !$0.passed }.map(\.rule)
    }
}
