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
        details: [
            "With --json it prints cycle.json. Where no cycle came to its end (the loop is paused, the revision known to be "
                + "bad, nothing could be looked at, a stop) it prints {ended, because, pause, exit} instead."
        ],
        options: CommandDescription.loopOptions + [
            .value("revision", "REV", "the revision to deploy and test, instead of the newest"),
            .flag("no-deploy", "test what is live (mode observe)"), .json,
        ],
        examples: [
            .init("nightjar once", "Deploys, tests, triages, verifies; the verdict is the exit code."),
            .init("nightjar once --no-deploy --json", "Tests what is live and prints cycle.json."),
        ],
        exits: [
            .init(.ok, "healthy"),
            .init(.failing, "failing: a test says so; or the revision was rolled back and is not deployed again"),
            .init(.usage, "wrong configuration"),
            .init(.unproven, "unproven"), .init(.interrupted, "interrupted, or the loop is paused"),
            .init(
                .infrastructure,
                "the deployment or the environment stopped the cycle before a test judged the revision, or nothing could be "
                    + "looked at"),
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
        // Nothing is there before the first cycle, and what cannot be read is said by the loop.
        let before = (try? CycleReader(EvidenceLayout(root: loaded.settings.stateDirectory)).latest()) ?? 0
        let order = LoopOrder(loaded: loaded, path: SettingsLoader.path(context), cycles: 1, isFixed: true)
        let terminal = TerminalLog(context.output, toOutput: !json)
        let endings = try await LoopRunner.run([order], context, terminal: terminal)
        let layout = EvidenceLayout(root: loaded.settings.stateDirectory)
        return try conclude(endings.first ?? .done, after: before, layout, context)
    }

    /// - before: the newest cycle when the command began.
    private func conclude(
        _ ending: Ending, after before: Int, _ layout: EvidenceLayout, _ context: Context
    ) throws -> ExitCode {
        switch ending {
        case .cycles(let verdict):
            let (code, record) = try CycleEnd.code(verdict, layout)
            if let record { try show(record, layout, context) }
            return code
        case .done:
            // Stopped on the way: the cycle was sealed as interrupted, or there was none.
            if let record = try CycleReader(layout).latestRecord(), record.cycle > before {
                try show(record, layout, context)
                return ExitCode(record.verdict, record.recommendation, record.reasons)
            }
        case .infrastructure, .displaced, .evicted, .knownBad, .detached:
            break
        }
        var cursor = JournalCursor(layout)
        var history = LoopHistory()
        // What cannot be read here was said by the loop already.
        try? cursor.advance { history.take($0) }
        let answer = NoCycle(ending, pause: history.pause)
        if context.wantsJSON { try context.output.result(answer, json: true) { "" } }
        switch ending {
        case .infrastructure(let reason), .displaced(let reason), .evicted(let reason):
            throw CommandError.unavailable(reason)
        case .knownBad:
            throw CommandError.refused(answer.because)
        case .detached:
            context.output.note(answer.because)
            return .interrupted
        case .done, .cycles:
            return .interrupted
        }
    }

    private func show(_ record: CycleRecord, _ layout: EvidenceLayout, _ context: Context) throws {
        guard context.wantsJSON else {
            return context.output.line("evidence: \(context.shown(layout.cycle(record.cycle)))")
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: layout.document(record.cycle)))
        context.output.write(String(decoding: bytes, as: UTF8.self))
    }
}
