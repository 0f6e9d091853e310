// SPDX-License-Identifier: Apache-2.0
// `nightjar cycles`: the finished cycles, newest first, under a strip of their verdicts.

import Domain
import Evidence
import Reporting
import Supervision

struct CyclesCommand: Command {
    static let description = CommandDescription(
        "cycles", "the finished cycles with their verdicts, newest first",
        options: CommandDescription.loopOptions + [
            .value("number", "N", short: "n", "at most N cycles (default 20)"),
            .value(
                "verdict", "VERDICT", "only cycles with this verdict",
                completion: .words(Verdict.allCases.map(\.rawValue)), repeats: true),
            .json,
        ],
        examples: [
            .init("nightjar cycles -n 50", "The last fifty."),
            .init("nightjar cycles --verdict failing --verdict unproven", "Only those that somebody should read."),
        ],
        exits: [
            .init(.ok, "listed, also where there are none"), .init(.notFound, "no such loop"),
            .init(.unproven, "the evidence of a listed cycle is not what was sealed"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let limit = try context.arguments.integer("number", in: 1...100_000) ?? 20
        let loop = try LoopFinder.find(context)
        let wanted = Set(context.arguments.all("verdict").compactMap { Verdict(rawValue: $0) })
        let index = try EvidenceIndex.load(loop.layout, newest: wanted.isEmpty ? limit : nil)
        let chosen = index.cycles.filter { wanted.isEmpty || wanted.contains($0.verdict) }.suffix(limit)
        let reader = CycleReader(loop.layout)
        var changed: [String] = []
        let cycles = chosen.map { summary in
            do throws(EvidenceError) {
                return CycleBrief(try reader.sealedRecord(summary.cycle))
            } catch {
                if case .damaged = error { changed.append("\(error)") }
                return CycleBrief(summary)
            }
        }
        try context.output.result(cycles, json: context.wantsJSON) {
            CyclesTable.text(cycles, columns: context.output.columns, palette: context.output.palette)
        }
        for problem in changed { context.output.note("damaged evidence: \(problem)") }
        return changed.isEmpty ? .ok : .unproven
    }
}
