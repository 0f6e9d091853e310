// SPDX-License-Identifier: Apache-2.0
// `nightjar gate`: may this revision ship? For pipelines; the exit code is the answer.

import Domain
import Engine
import Evidence
import Reporting
import Supervision

struct GateCommand: Command {
    static let description = CommandDescription(
        "gate", "may a revision ship? The exit code is the answer",
        details: [
            "The newest finished cycle about the revision decides; one that was interrupted says nothing. A commit may be "
                + "abbreviated to 7 characters. "
                + "A revision that no cycle has tested is unproven, and so is one "
                + "whose evidence is not as it was sealed, or any while staging does not answer the loop."
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
            .init(.ok, "ship"), .init(.failing, "hold"),
            .init(.unproven, "unproven, untested, too old, the evidence was changed, or staging does not answer"),
            .init(
                .infrastructure,
                "hold: the deployment or the environment stopped the cycle before a test judged the revision"),
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
        /// A later cycle about the revision that was interrupted: it says nothing.
        var interruptedSince: Int?
    }

    func run(_ context: Context) async throws -> ExitCode {
        let hours = try context.arguments.integer("max-age", in: 1...100_000)
        let loop = try LoopFinder.find(context)
        let layout = loop.layout
        let wanted = context.arguments.operand(0).map(GateCommand.revision)
        let (found, interrupted) = try GateCommand.find(wanted, layout)
        var (answer, code) = GateCommand.judge(
            found.map { CycleBrief($0) }, found?.reasons ?? [], wanted: wanted,
            maxAge: hours.map { .seconds($0 * 3600) },
            now: context.now())
        if let interrupted {
            answer.interruptedSince = interrupted
            answer.because += "; #\(interrupted) was interrupted since and says nothing"
        }
        if code == .ok, let doubt = try GateCommand.doubt(answer.revision, layout) {
            answer.answer = "hold"
            answer.because = "\(doubt); before that \(answer.because)"
            code = .unproven
        }
        if let found {
            let report = try await EvidenceReading.run { () throws(EvidenceError) in
                try Verifier(layout).verify(answering: found.cycle)
            }
            if !report.isIntact || report.intact != 1 {
                answer.answer = "hold"
                answer.because = GateCommand.damage(report, found.cycle)
                code = .unproven
            }
        }
        try context.output.result(answer, json: context.wantsJSON) {
            let paint: Palette.Paint =
                code == .ok ? .greenBold : code == .failing || code == .infrastructure ? .redBold : .yellowBold
            let word = context.output.palette(answer.answer.uppercased(), paint)
            let revision = answer.revision.map { " " + Printable.line($0.short) } ?? ""
            return "\(word)\(revision): \(Printable.line(answer.because))\n"
        }
        return code
    }

    /// The newest cycle about the revision that was not interrupted, and the newest one since then that was. As their own
    /// documents have it: an index line may have been changed, and only says how far back it is worth to look. Throws for
    /// a document that cannot be read, since it may be about this revision.
    static func find(
        _ wanted: Revision?, _ layout: EvidenceLayout
    ) throws -> (decisive: CycleRecord?, interrupted: Int?) {
        let reader = CycleReader(layout)
        let sealed = try reader.numbers().filter { reader.isSealed($0) }
        guard let newest = sealed.last else { return (nil, nil) }
        let wanted = try wanted ?? reader.record(newest).revision.wanted
        let listed = try EvidenceIndex.load(layout).cycles.filter { wanted.names($0.revision) }
        let oldest = (listed.last { $0.verdict != .interrupted } ?? listed.last)?.cycle ?? newest
        var interrupted: CycleRecord?
        for number in sealed.reversed() where number >= oldest {
            let record = try reader.record(number)
            guard wanted.names(record.revision.wanted) else { continue }
            if record.verdict != .interrupted { return (record, interrupted?.cycle) }
            interrupted = interrupted ?? record
        }
        return (interrupted, nil)
    }

    /// What the loop knows since its newest cycle that speaks against shipping the revision: staging does not answer, or
    /// the cycle under way has found failures.
    static func doubt(_ revision: Revision?, _ layout: EvidenceLayout) throws -> String? {
        var cursor = JournalCursor(layout)
        var history = LoopHistory()
        try cursor.advance { history.take($0) }
        if let silent = history.memory.unreadable {
            return "staging does not answer since \(silent.since.wholeSeconds): \(silent.reason)"
        }
        guard let progress = history.underWay, let revision, revision.names(progress.wanted) else { return nil }
        let failures = history.failuresUnderWay
        return failures.isEmpty
            ? nil : "#\(progress.number) is under way and fails: \(Plurals.list(failures, limit: 3))"
    }

    /// As git and people write a commit: case and blanks around it mean nothing.
    static func revision(_ text: String) -> Revision {
        let trimmed = String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        return Revision(trimmed.allSatisfy(\.isHexDigit) ? trimmed.lowercased() : trimmed)
    }

    private static func damage(_ report: VerificationReport, _ cycle: Int) -> String {
        let finding = report.findings.first?.description ?? "it cannot be checked"
        let more = report.findings.count > 1 ? " (and \(report.findings.count - 1) more)" : ""
        return "the evidence of #\(cycle) is not as it was sealed: \(finding)\(more); see nightjar verify"
    }

    static func judge(
        _ cycle: CycleBrief?, _ reasons: [Reason], wanted: Revision?, maxAge: Duration?, now: Timestamp
    ) -> (answer: Answer, code: ExitCode) {
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
        let code = ExitCode(cycle.verdict, cycle.recommendation, reasons)
        return (answer, code == .interrupted ? .unproven : code)
    }
}
