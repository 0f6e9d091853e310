// SPDX-License-Identifier: Apache-2.0
// `nightjar accept-baseline`: what is new about a suite is meant; its soft rules learn anew.

import Domain
import Evidence
import Platform
import Reporting
import Supervision

struct AcceptBaselineCommand: Command {
    static let description = CommandDescription(
        "accept-baseline", "what is new about a suite is meant: learn anew what is usual",
        details: [
            "For a suite that is doubtful because it has fewer tests, takes far less time or contacts nobody any more, and rightly so. Five runs are learned from before it is doubted again. Works with and without a running daemon, and is written down with name and reason."
        ],
        operands: [OperandDescription("SUITE", "the suite (default: all)")],
        options: CommandDescription.loopOptions + [
            .value("reason", "TEXT", short: "m", "why; stands in the evidence while it learns"),
            .value("by", "NAME", "who says so, for the record (default: you)"), .json,
        ],
        examples: [
            .init("nightjar accept-baseline chat -m 'streaming tests moved to their own suite'", "Forty tests fewer.")
        ],
        exits: [
            .init(.ok, "written down"), .init(.failing, "refused, with the reason"),
            .init(.notFound, "no such loop or suite"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        guard let reason = context.arguments.value("reason"), !reason.isEmpty else {
            throw CommandError.usage("'accept-baseline' needs a reason: --reason TEXT", command: "accept-baseline")
        }
        let loop = try LoopFinder.find(context)
        let by = context.arguments.value("by") ?? context.user
        let suite = context.arguments.operand(0)
        let reply: ControlReply
        if Files.exists(loop.layout.controlSocket),
            let answer = try await daemon(
                ControlRequest(verb: .acceptBaseline, by: by, argument: suite, reason: reason), loop)
        {
            reply = answer
        } else {
            reply = try await write(suite, by: by, reason: reason, loop, context)
        }
        if reply.ok || context.wantsJSON {
            try context.output.result(reply, json: context.wantsJSON) { Printable.line(reply.message) + "\n" }
        } else {
            context.output.problem(reply.message)
        }
        return reply.ok ? .ok : .failing
    }

    /// Nil where nobody listens on the socket that a killed daemon left.
    private func daemon(_ request: ControlRequest, _ loop: LoopPlace) async throws -> ControlReply? {
        do {
            return try await ControlClient.ask(request, loop)
        } catch CommandError.notFound {
            return nil
        }
    }

    /// With no daemon: into the state folder, and a line into the loop's log.
    private func write(
        _ suite: String?, by: String, reason: String, _ loop: LoopPlace, _ context: Context
    ) async throws -> ControlReply {
        let layout = loop.layout
        let now = context.now()
        let known = try await EvidenceReading.run { () throws(EvidenceError) in try HistoryTable.suites(layout) }
        let suites = loop.settings?.suites.map(\.name) ?? known
        if let suite, !suites.contains(suite) {
            throw CommandError.notFound(
                "loop '\(loop.name)' has no suite '\(suite)': it has \(Plurals.list(suites, limit: 8))\(NearestWord.hint(suite, among: suites))"
            )
        }
        let words = try await EvidenceReading.run { () throws(EvidenceError) in
            try BaselineDesk.accept(
                suite: suite, by: by, uid: ThisProcess.userID, reason: reason, at: now, layout)
        }
        let newest = try CycleReader(layout).numbers().last ?? 0
        try await CycleWriter(layout).log(CycleLog.format(LogLine(.fact, "baseline", words), at: now, cycle: newest))
        return ControlReply(ok: true, message: "\(loop.name): \(words)")
    }
}
