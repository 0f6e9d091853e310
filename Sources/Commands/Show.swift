// SPDX-License-Identifier: Apache-2.0
// `nightjar show`: one cycle, read back from its evidence.

import Domain
import Evidence
import Foundation
import Reporting
import Supervision

struct ShowCommand: Command {
    static let description = CommandDescription(
        "show", "one cycle: verdict, reasons, suites, failures, five whys, evidence",
        operands: [CycleChoice.operand],
        options: CommandDescription.loopOptions + [
            CycleChoice.revision, .flag("json", "print cycle.json as it is on disk"),
            .flag("markdown", "print the report as Markdown"),
            .flag("html", "print the report as one HTML page"),
            .value(
                "format", "FORMAT",
                "print it for other tools: junit, ctrf, csv (one line per test), intoto (an attestation)",
                completion: .words(ShowCommand.exports)),
        ],
        examples: [
            .init("nightjar show", "The newest cycle."),
            .init("nightjar show 214 --json", "The evidence document of cycle 214, byte for byte."),
            .init("nightjar show --html > report.html", "A page to send to somebody."),
            .init(
                "nightjar show --revision \"$GITHUB_SHA\" --format junit > junit.xml",
                "For a build server: what was judged about its commit, and not whatever came last."),
        ],
        exits: [
            .init(.ok, "shown, whatever the verdict (gate judges)"),
            .init(.unproven, "the evidence is damaged, or an export lacks the results of a suite"),
            .init(.notFound, "no such loop or cycle, or none that judged the revision"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let formats = ["json", "markdown", "html", "format"].filter { context.arguments.flag($0) }
        if formats.count > 1 {
            throw CommandError.usage("'--\(formats[0])' and '--\(formats[1])' exclude each other", command: "show")
        }
        let loop = try LoopFinder.find(context)
        let number = try CycleChoice.number(context, loop)
        let output = context.output
        let record = try CycleReader(loop.layout).sealedRecord(number)
        if context.wantsJSON {
            let text = String(decoding: try contents(loop.layout.document(number)), as: UTF8.self)
            // Verbatim for programs; a terminal gets the same value with nothing invisible in it.
            output.write(output.isTerminal ? Printable.json(text) : text)
            if !text.hasSuffix("\n") { output.write("\n") }
            return .ok
        }
        if let format = context.arguments.value("format") {
            let exported = ExportContext.reading(record, loop.layout)
            output.write(try export(record, exported, format))
            return exported.ending(output, number)
        }
        let cycles = (try? EvidenceIndex.load(loop.layout, newest: ShowCommand.cyclesCharted))?.cycles ?? []
        let reports = ReportContext.reading(record, loop.layout, cycles: cycles)
        switch formats.first {
        case "markdown": output.write(MarkdownReport.text(record, reports))
        case "html": output.write(HTMLReport.text(record, reports))
        default:
            let folder = context.shown(loop.layout.cycle(number))
            output.write(
                TextReport(record, columns: output.columns, palette: output.palette, folder: folder).text)
        }
        return .ok
    }

    private static let cyclesCharted = 60
    private static let exports = ["junit", "ctrf", "csv", "intoto"]

    private func export(_ record: CycleRecord, _ context: ExportContext, _ format: String) throws -> String {
        switch format {
        case "junit": return JUnitExport.text(record, context)
        case "ctrf": return try CTRFExport.text(record, context)
        case "csv": return CSVExport.head + CSVExport.rows(record, context)
        default: return try AttestationExport.text(record, context)
        }
    }

    private func contents(_ path: String) throws(CommandError) -> Data {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unavailable("could not read \(path): \(error.localizedDescription)")
        }
    }
}
