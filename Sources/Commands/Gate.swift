// SPDX-License-Identifier: Apache-2.0
// `nightjar gate`: may this revision ship? For pipelines; the exit code is the answer.

import Domain
import Evidence
import Reporting
import Supervision

struct GateCommand: Command {
    static let description = CommandDescription(
        "gate", "may a revision ship? The exit code is the answer",
        details: [
            "The newest finished cycle about the revision decides; a commit may be abbreviated to 7 characters. "
                + "A revision that no cycle has tested is unproven."
        ],
        operands: [OperandDescription("REVISION", "the revision (default: that of the newest cycle)")],
        options: CommandDescription.loopOptions + [
            .value("max-age", "HOURS", "an older cycle proves nothing any more"), .json,
        ],
        examples: [
            .init("nightjar gate \"$(git rev-parse HEAD)\" && ./release.sh", "Ships only what was proven."),
            .init("nightjar gate --max-age 12", "Asks for proof from the last night."),
        ],
        exits: [
            .init(.ok, "ship"), .init(.failing, "hold"), .init(.unproven, "unproven, untested or too old"),
            .init(.notFound, "no such loop"),
        ])

    /// The answer as `--json` prints it.
    struct Answer: Codable, Equatable {
        var answer: String
        var revision: Revision?
        var cycle: Int?
        var verdict: Verdict?
        var endedAt: Timestamp?
        var because: String
    }

    func run(_ context: Context) async throws -> ExitCode {
        let hours = try context.arguments.integer("max-age", in: 1...100_000)
        let loop = try LoopFinder.find(context)
        let reader = CycleReader(loop.layout)
        let cycles = try EvidenceIndex.load(loop.layout).cycles.map(CycleBrief.init)
        // The index leaves out what it cannot read. The newest cycle may be about this very revision: say what is wrong.
        if let newest = try reader.latest(), cycles.last?.cycle != newest { _ = try reader.record(newest) }
        let wanted = context.arguments.operand(0).map { Revision($0) }
        let found = cycles.last { cycle in wanted.map { $0.names(cycle.revision) } ?? true }
        let reasons = found.flatMap { try? reader.record($0.cycle) }.map(CycleBrief.init)
        let (answer, code) = GateCommand.judge(
            reasons ?? found, wanted: wanted, maxAge: hours.map { .seconds($0 * 3600) }, now: context.now())
        try context.output.result(answer, json: context.wantsJSON) {
            let paint: Palette.Paint = code == .ok ? .greenBold : code == .failing ? .redBold : .yellowBold
            let word = context.output.palette(answer.answer.uppercased(), paint)
            let revision = answer.revision.map { " " + Printable.line($0.short) } ?? ""
            return "\(word)\(revision): \(Printable.line(answer.because))\n"
        }
        return code
    }

    static func judge(_ cycle: CycleBrief?, wanted: Revision?, maxAge: Duration?, now: Timestamp)
        -> (answer: Answer, code: ExitCode)
    {
        guard let cycle else {
            let because = wanted == nil ? "no cycle is finished yet" : "no finished cycle tested this revision"
            return (Answer(answer: "hold", revision: wanted, because: because), .unproven)
        }
        var answer = Answer(
            answer: cycle.recommendation.rawValue, revision: cycle.revision, cycle: cycle.cycle,
            verdict: cycle.verdict, endedAt: cycle.endedAt,
            because: "#\(cycle.cycle) \(cycle.verdict.rawValue), \(Durations.age(of: cycle.endedAt, at: now)) ago"
                + (cycle.because.map { "; \($0)" } ?? ""))
        if let maxAge, now.since(cycle.endedAt) > maxAge {
            answer.answer = "hold"
            answer.because = "too old: " + answer.because + ", allowed \(Durations.text(maxAge))"
            return (answer, .unproven)
        }
        let code = ExitCode(cycle.verdict, cycle.recommendation)
        return (answer, code == .interrupted ? .unproven : code)
    }
}
