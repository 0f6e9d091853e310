// SPDX-License-Identifier: Apache-2.0
// `nightjar once`.

import Configuration
import Domain
import Engine
import Evidence
import Foundation
import Reporting

struct OnceCommand: Command {
    static let description = CommandDescription(
        "once", "one cycle in the foreground, for cron and pipelines",
        options: CommandDescription.loopOptions + [
            .value("revision", "REV", "the revision to deploy and test, instead of the newest"),
            .flag("no-deploy", "test what is live (mode observe)"), .json,
        ],
        examples: [
            .init("nightjar once", "Deploys, tests, triages, verifies; the verdict is the exit code."),
            .init("nightjar once --no-deploy --json", "Tests what is live and prints cycle.json."),
        ],
        exits: [
            .init(.ok, "healthy"), .init(.failing, "failing, also where the deployment failed"),
            .init(.usage, "wrong configuration"),
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted"),
            .init(.infrastructure, "a tool could not be run, or nothing could be looked at"),
            .init(.held, "another instance runs this loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        var loaded = try SettingsLoader.load(context)
        if context.arguments.flag("no-deploy") { loaded.settings.mode = .observe }
        if let revision = context.arguments.value("revision") {
            guard loaded.settings.repository != nil else {
                throw CommandError.usage("--revision needs 'repository' in the configuration", command: "once")
            }
            guard loaded.settings.mode == .operate else {
                throw CommandError.usage(
                    "--revision needs mode operate: mode \(loaded.settings.mode.rawValue) tests what is live",
                    command: "once")
            }
            loaded.settings.repository?.ref = revision
            loaded.settings.repository?.revisionCommand = nil
        }
        let json = context.wantsJSON
        let order = LoopOrder(loaded: loaded, path: SettingsLoader.path(context), cycles: 1, isFixed: true)
        let terminal = TerminalLog(context.output, toOutput: !json)
        let endings = try await LoopRunner.run([order], context, terminal: terminal)
        return try conclude(endings.first ?? .done, loaded.settings, context)
    }

    private func conclude(_ ending: Ending, _ settings: LoopSettings, _ context: Context) throws -> ExitCode {
        let reader = CycleReader(EvidenceLayout(root: settings.stateDirectory))
        switch ending {
        case .infrastructure(let reason), .displaced(let reason), .evicted(let reason):
            throw CommandError.unavailable(reason)
        case .knownBad(let revision):
            throw CommandError.refused(
                "\(revision.short) is known to be bad and is not deployed again; push a newer revision")
        case .detached(let run):
            context.output.note("\(run.folder) goes on; the next start takes it over")
            return .interrupted
        case .done:
            return .interrupted
        case .cycles(let verdict):
            // Evidence of another cycle must not answer for this one.
            guard let record = try reader.latestRecord(), record.verdict == verdict else {
                return ExitCode(verdict, .hold)
            }
            if context.wantsJSON {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: reader.layout.document(record.cycle)))
                context.output.write(String(decoding: bytes, as: UTF8.self))
            } else {
                context.output.line("evidence: \(context.shown(reader.layout.cycle(record.cycle)))")
            }
            if record.verdict == .unproven, record.reasons.first?.rule == "infrastructure" { return .infrastructure }
            return ExitCode(record.verdict, record.recommendation)
        }
    }
}
