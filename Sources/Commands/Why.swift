// SPDX-License-Identifier: Apache-2.0
// `nightjar why`: an incident with its five whys, from the newest cycle that saw it.

import Domain
import Evidence
import Reporting

struct WhyCommand: Command {
    static let description = CommandDescription(
        "why", "why something fails: five whys, with the evidence for each answer",
        operands: [
            OperandDescription("INCIDENT", "such as INC-57 (default: all incidents of the newest cycle)")
        ],
        options: CommandDescription.loopOptions + [
            .value("cycle", "N", "as that cycle saw it"), .json,
        ],
        examples: [
            .init("nightjar why INC-57", "What is known, what was ruled out, and what to do."),
            .init("nightjar why --json", "The incidents of the newest cycle as JSON."),
        ],
        exits: [.init(.ok, "shown, also where there are none"), .init(.notFound, "no such loop, cycle or incident")])

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let output = context.output
        let wanted = context.arguments.operand(0).map(Self.identifier)
        let cycle = try context.arguments.integer("cycle", in: 1...Int.max).map(String.init)
        let number: Int
        if let wanted, cycle == nil {
            number = try newest(seeing: wanted, loop)
        } else {
            number = try CycleChoice.number(cycle, loop, command: "why")
        }
        let record = try CycleReader(loop.layout).record(number)
        let incidents = record.incidents.filter { wanted == nil || $0.id == wanted }
        if let wanted, incidents.isEmpty {
            throw CommandError.notFound("cycle #\(number) of loop '\(loop.name)' has no incident \(wanted)")
        }
        let folder = context.shown(loop.layout.cycle(number))
        try output.result(incidents, json: context.wantsJSON) {
            if incidents.isEmpty { return "cycle #\(number) has no incidents: \(record.verdict.rawValue)\n" }
            return incidents.map {
                IncidentText.text($0, columns: output.columns, palette: output.palette, folder: folder)
            }.joined(separator: "\n")
        }
        return .ok
    }

    /// `57`, `inc-57` and `INC-57` are the same.
    static func identifier(_ text: String) -> String {
        let upper = text.uppercased()
        return upper.allSatisfy(\.isNumber) ? "INC-" + upper : upper
    }

    private func newest(seeing incident: String, _ loop: LoopPlace) throws -> Int {
        let cycles = try EvidenceIndex.load(loop.layout).cycles
        if let cycle = cycles.last(where: { $0.incidents.contains(incident) }) { return cycle.cycle }
        let known = Set(cycles.flatMap(\.incidents)).sorted()
        let list = known.isEmpty ? "it has none" : "it has \(Plurals.list(known, limit: 8))"
        throw CommandError.notFound(
            "loop '\(loop.name)' has no incident \(incident): \(list)\(NearestWord.hint(incident, among: known))")
    }
}
