// SPDX-License-Identifier: Apache-2.0
// `nightjar why`: an incident with its five whys, from the newest cycle that saw it.

import Domain
import Engine
import Evidence
import Reporting

struct WhyCommand: Command {
    static let description = CommandDescription(
        "why", "why something fails: five whys, with the evidence for each answer",
        operands: [
            OperandDescription("INCIDENT", "such as INC-57 (default: all incidents of the newest cycle)")
        ],
        options: CommandDescription.loopOptions + [
            .value("cycle", "N", "as that cycle saw it"),
            .flag("evidence", "show each excerpt in its place, and whether it still stands there"), .json,
        ],
        examples: [
            .init("nightjar why INC-57", "What is known, what was ruled out, and what to do."),
            .init(
                "nightjar why INC-57 --evidence", "The same, with the cited lines as they stand in the cycle folder."),
            .init("nightjar why --json", "The incidents of the newest cycle as JSON."),
        ],
        exits: [
            .init(.ok, "shown, also where there are none"),
            .init(.unproven, "with --evidence: something cited does not stand where it should"),
            .init(.notFound, "no such loop, cycle or incident"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let output = context.output
        let wanted = context.arguments.operand(0).map(Self.identifier)
        let cycle = try context.arguments.integer("cycle", in: 1...Int.max).map(String.init)
        let number: Int
        if let wanted, cycle == nil {
            if let incident = try WhyCommand.underWay(loop).first(where: { $0.answers(to: wanted) }) {
                return try show(underWay: incident, context)
            }
            number = try newest(seeing: wanted, loop)
        } else {
            // One that was interrupted says nothing.
            let judged = try cycle == nil ? status(context).verdictCycle.map(String.init) : nil
            number = try CycleChoice.number(cycle ?? judged, loop, command: "why")
        }
        let record = try CycleReader(loop.layout).sealedRecord(number)
        let incidents = record.incidents.filter { wanted == nil || $0.answers(to: wanted) }
        if let wanted, incidents.isEmpty {
            throw CommandError.notFound("cycle #\(number) of loop '\(loop.name)' has no incident \(wanted)")
        }
        let isCited = context.arguments.flag("evidence")
        let places = isCited ? incidents.map { Self.places($0, Self.folder(of: $0, number, loop), output) } : []
        try output.result(incidents, json: context.wantsJSON) {
            if incidents.isEmpty {
                let open = cycle == nil ? ((try? status(context).incidents) ?? []) : []
                return "cycle #\(number) has no incidents: \(record.verdict.rawValue)\n"
                    + open.map { Printable.line("open: \($0.id) \($0.cause)  (nightjar why \($0.id))") + "\n" }.joined()
            }
            return incidents.indices.map { index in
                let text = IncidentText.text(
                    incidents[index], actions: record.actions, columns: output.columns, palette: output.palette,
                    folder: context.shown(Self.folder(of: incidents[index], number, loop)))
                return text + (places.isEmpty ? "" : "\n" + places[index].text)
            }.joined(separator: "\n")
        }
        return places.allSatisfy(\.isSound) ? .ok : .unproven
    }

    /// Incidents that have been announced, and that triage is looking into now.
    private static func underWay(_ loop: LoopPlace) throws -> [Incident] {
        var cursor = JournalCursor(loop.layout)
        var history = LoopHistory()
        try cursor.advance { history.take($0) }
        return history.underWay?.announced ?? []
    }

    private func show(underWay incident: Incident, _ context: Context) throws -> ExitCode {
        let output = context.output
        try output.result([incident], json: context.wantsJSON) {
            IncidentText.text(incident, columns: output.columns, palette: output.palette)
                + "  triage is looking into it: nightjar tail -f\n"
        }
        return .ok
    }

    private func status(_ context: Context) throws -> StatusSnapshot {
        try StatusReader(LoopFinder.find(context), now: context.now()).snapshot()
    }

    /// Where the evidence of its diagnosis is: an open incident that the cycle has joined was diagnosed in an earlier one.
    private static func folder(of incident: Incident, _ cycle: Int, _ loop: LoopPlace) -> String {
        loop.layout.cycle(incident.diagnosis?.cycle ?? cycle)
    }

    /// Each answer's evidence as it stands in the cycle folder.
    private static func places(
        _ incident: Incident, _ folder: String, _ output: Output
    ) -> (text: String, isSound: Bool) {
        var text = ""
        var isSound = true
        for why in incident.diagnosis?.whys ?? [] where !why.evidence.isEmpty {
            text += output.palette("    \(why.n) \(why.question)", .blue) + "\n"
            for reference in why.evidence {
                let place = EvidencePlace(reference, folder: folder, output)
                text += place.text
                isSound = isSound && place.isThere
            }
        }
        return (text.isEmpty ? "    no answer cites evidence\n" : text, isSound)
    }

    /// `57`, `inc-57` and `INC-57` are the same.
    static func identifier(_ text: String) -> String {
        let upper = text.uppercased()
        return upper.allSatisfy(\.isNumber) ? "INC-" + upper : upper
    }

    private func newest(seeing incident: String, _ loop: LoopPlace) throws -> Int {
        let cycles = try EvidenceIndex.load(loop.layout).cycles
        if let cycle = cycles.last(where: { $0.incidents.contains(incident) }) { return cycle.cycle }
        // One that joined another is found under its old number, too.
        for cycle in cycles.reversed() where !cycle.incidents.isEmpty {
            let record = try? CycleReader(loop.layout).record(cycle.cycle)
            if record?.incidents.contains(where: { $0.answers(to: incident) }) == true { return cycle.cycle }
        }
        let known = Set(cycles.flatMap(\.incidents)).sorted()
        let list = known.isEmpty ? "it has none" : "it has \(Plurals.list(known, limit: 8))"
        throw CommandError.notFound(
            "loop '\(loop.name)' has no incident \(incident): \(list)\(NearestWord.hint(incident, among: known))")
    }
}
