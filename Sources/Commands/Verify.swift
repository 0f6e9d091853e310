// SPDX-License-Identifier: Apache-2.0
// `nightjar verify`: is the evidence still what was sealed?

import Domain
import Evidence
import Reporting

struct VerifyCommand: Command {
    static let description = CommandDescription(
        "verify", "is the evidence still what was sealed?",
        details: [
            "Checks every file of every sealed cycle against its SHA-256, the chain from cycle to cycle, tombstones of "
                + "deleted ones, and the journal. Compare the newest hash with one that left this machine in a report: "
                + "then nothing can have been dropped or rewritten unseen."
        ],
        options: CommandDescription.loopOptions + [
            .value("cycle", "N", "only findings of this cycle"), .json,
        ],
        examples: [.init("nightjar verify", "Reads everything; exit 1 names what was changed.")],
        exits: [
            .init(.ok, "intact"), .init(.failing, "changed, missing or out of order"), .init(.notFound, "no such loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let cycle = try context.arguments.integer("cycle", in: 1...Int.max)
        let loop = try LoopFinder.find(context)
        let layout = loop.layout
        var report = try await EvidenceReading.run { () throws(EvidenceError) in try Verifier(layout).verify() }
        if let cycle {
            guard try CycleReader(layout).numbers().contains(cycle) else {
                throw CommandError.notFound("loop '\(loop.name)' has no cycle #\(cycle)")
            }
            report.findings = report.findings.filter { $0.cycle == cycle || $0.cycle == nil }
        }
        try context.output.result(report, json: context.wantsJSON) {
            VerifyCommand.text(report, palette: context.output.palette)
        }
        return report.isIntact ? .ok : .failing
    }

    static func text(_ report: VerificationReport, palette: Palette) -> String {
        let word = report.isIntact ? palette("intact", .greenBold) : palette("NOT INTACT", .redBold)
        let stones = report.tombstones > 0 ? ", \(Plurals.count(report.tombstones, "tombstone"))" : ""
        var text =
            "\(word): \(report.intact) of \(Plurals.count(report.cycles, "sealed cycle")), "
            + "\(Plurals.count(report.files, "file")), \(Numbers.bytes(report.bytes)), "
            + "\(Plurals.count(report.journalEntries, "journal entry", "journal entries"))\(stones)\n"
        for finding in report.findings {
            text += "\(palette(finding.kind.rawValue, .red)) \(Printable.line(finding.description))\n"
        }
        for note in report.notes { text += "note: \(Printable.line(note))\n" }
        if let cycle = report.newestCycle, let hash = report.newestHash { text += "newest #\(cycle) \(hash)\n" }
        return text
    }
}
