// SPDX-License-Identifier: Apache-2.0
// `nightjar demo`: the real loop over a real service, twice: a green cycle, and one that a commit has broken.

import Configuration
import DemoStaging
import Domain
import Engine
import Evidence
import Foundation
import Reporting

struct DemoCommand: Command {
    static let description = CommandDescription(
        "demo", "see it work in a minute: a staging service that breaks, is diagnosed and repaired",
        options: [
            .value(
                "directory", "DIR", "where the demo keeps everything, instead of a temporary folder",
                completion: .directory),
            .flag("json", "print what came of it as JSON, and the rest on standard error"),
        ],
        examples: [
            .init("nightjar demo", "Needs nothing but git and curl: no configuration, no network, no account."),
            .init("nightjar demo --directory /tmp/mine", "Keeps configuration, repository and evidence there."),
        ],
        exits: [
            .init(.ok, "the demo ended as it should"), .init(.interrupted, "it was ended"),
            .init(.infrastructure, "the demo could not run here"),
        ])

    /// What came of it, as `--json` prints it.
    struct Answer: Codable {
        var directory: String
        var verdict: Verdict
        var recommendation: Recommendation
        var culprit: Revision?
        var environment: EnvironmentRecord.State
        var seconds: Double
        var evidence: String
        var report: String
    }

    func run(_ context: Context) async throws -> ExitCode {
        var quiet = context
        if context.wantsJSON { quiet.output = context.output.asNotes }
        return try await run(quiet, result: context.output)
    }

    private func run(_ context: Context, result: Output) async throws -> ExitCode {
        let started = ContinuousClock.now
        let output = context.output
        let layout = try makeLayout(context)
        let repository = try makeRepository(layout)
        output.line(
            "A staging service, a repository of \(repository.commits.count) commits and a loop over both, in \(layout.root)"
        )
        output.line("")
        output.line("1. The first commit is deployed and proven:")
        try await cycle(repository.firstGreen, layout, context)
        output.line("")
        output.line("2. Newer commits are deployed. One of them is bad:")
        try await cycle("main", layout, context)
        output.line("")
        let reader = CycleReader(EvidenceLayout(root: "\(layout.state)/demo"))
        let record = try reader.latestRecord()
        tell(record, layout, context, took: ContinuousClock.now - started)
        let cleanup = await stopped(layout)
        for line in cleanup.lines { output.line(line) }
        if context.wantsJSON, let record {
            result.line(try JSONText.pretty(answer(record, layout, ContinuousClock.now - started)))
        }
        return try judge(record, repository, cleanup)
    }

    private func makeLayout(_ context: Context) throws -> DemoLayout {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let root = context.arguments.value("directory").map { context.absolute($0) } ?? temporaryFolder()
        do {
            try FileManager.default.createDirectory(
                atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return try DemoLayout(root: root, executable: program, port: DemoLayout.freePort())
        } catch {
            throw CommandError.unavailable("unable to prepare the demo in \(root): \(error)")
        }
    }

    private func temporaryFolder() -> String {
        let name = "nightjar-demo-\(UUID().uuidString.prefix(8).lowercased())"
        return FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    }

    private func makeRepository(_ layout: DemoLayout) throws -> DemoRepository {
        do {
            return try DemoRepository.create(at: layout)
        } catch {
            throw CommandError.unavailable("unable to make the demo's repository: \(error.description)")
        }
    }

    /// The very path of `nightjar once`.
    private func cycle(_ ref: String, _ layout: DemoLayout, _ context: Context) async throws {
        let text = DemoConfiguration.text(layout, ref: ref)
        try Data(text.utf8).write(to: URL(fileURLWithPath: layout.configuration), options: .atomic)
        let loaded = try SettingsLoader.load(layout.configuration, context)
        let order = LoopOrder(loaded: loaded, path: layout.configuration, cycles: 1)
        _ = try await LoopRunner.run([order], context, terminal: TerminalLog(context.output, toOutput: true))
    }

    // MARK: - What came of it

    private func tell(_ record: CycleRecord?, _ layout: DemoLayout, _ context: Context, took: Duration) {
        guard let record else { return }
        let output = context.output
        output.line("3. What Nightjar says, each answer with its evidence:")
        for incident in record.incidents {
            guard let diagnosis = incident.diagnosis else { continue }
            output.line("   \(incident.id)  \(diagnosis.grade.rawValue): \(diagnosis.category.rawValue)")
            for why in diagnosis.whys {
                let answer = Printable.line("\(why.n). \(why.question) \(why.answer)")
                for (index, line) in Printable.wrapped(answer, width: max(40, output.columns - 6)).enumerated() {
                    output.line((index == 0 ? "   " : "      ") + line)
                }
                if let evidence = why.evidence.first {
                    let place = evidence.lines.flatMap(\.first).map { ":\($0)" } ?? ""
                    output.line("      \(evidence.path)\(place)")
                }
            }
        }
        let folder = "\(layout.state)/demo/cycles/\(EvidenceLayout.name(record.cycle))"
        let state = "--state '\(layout.state)'"
        output.line("")
        output.line("Took \(Durations.text(took)). Evidence: \(folder)")
        output.line("   report      \(folder)/report.html")
        output.line("   read it     nightjar show \(state)")
        output.line("   the log     nightjar tail \(state) -n 50")
        output.line("   check it    nightjar verify \(state)")
        output.line("   by hand     cd '\(folder)' && sha256sum -c SHA256SUMS")
    }

    private func answer(_ record: CycleRecord, _ layout: DemoLayout, _ took: Duration) -> Answer {
        let folder = "\(layout.state)/demo/cycles/\(EvidenceLayout.name(record.cycle))"
        return Answer(
            directory: layout.root, verdict: record.verdict, recommendation: record.recommendation,
            culprit: record.incidents.lazy.compactMap { $0.diagnosis?.culprit?.commit }.first,
            environment: record.environment.state, seconds: (took.inSeconds * 1000).rounded() / 1000,
            evidence: folder, report: "\(folder)/report.html")
    }

    private func stopped(_ layout: DemoLayout) async -> DemoCleanup.Report {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: DemoCleanup.run(layout)) }
        }
    }

    private func judge(_ record: CycleRecord?, _ repository: DemoRepository, _ cleanup: DemoCleanup.Report) throws
        -> ExitCode
    {
        if record?.verdict == .interrupted { return .interrupted }
        let culprit = record?.incidents.lazy.compactMap { $0.diagnosis?.culprit?.commit.id }.first
        guard let record, record.cycle == 2, record.verdict == .failing, culprit == repository.culprit,
            record.environment.state == .restored, cleanup.isClean
        else {
            throw CommandError.unavailable(
                "the demo did not end as it should: verdict \(record?.verdict.rawValue ?? "none"), culprit \(culprit ?? "none"), "
                    + "staging \(record?.environment.state.rawValue ?? "unknown"); please report this with the folder above"
            )
        }
        return .ok
    }
}
