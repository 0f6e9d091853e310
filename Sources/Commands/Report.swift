// SPDX-License-Identifier: Apache-2.0
// `nightjar report`: what a night, a week or any span of cycles came to; or the report of one cycle.

import Domain
import Evidence
import Foundation
import Reporting
import Supervision

struct ReportCommand: Command {
    static let description = CommandDescription(
        "report", "what a night or any span of cycles came to: value, incidents, delivery, ship or hold",
        details: [
            "Without a span it is about the last night: the newest window of the schedule that has begun, or the last "
                + "24 hours where there is no window. With a cycle it is that cycle's own report.",
            "All figures follow from sealed cycles. Delivery figures are those of DORA, read for this environment.",
        ],
        operands: [CycleChoice.operand],
        options: CommandDescription.loopOptions + [
            CycleChoice.revision,
            .value("since", "TIME", "cycles that ended since then: 24h, 7d, 2026-11-20, 2026-11-20T22:00:00Z"),
            .value("cycles", "A..B", "cycles A to B; either may be left out"),
            .flag("last-night", "the newest window of the schedule (the default)"),
            .value("html", "FILE", "write one HTML page to FILE (- for standard output)", completion: .file),
            .flag("markdown", "print Markdown"), .flag("csv", "print one line per test and cycle"), .json,
        ],
        examples: [
            .init("nightjar report", "One screen about the last night."),
            .init("nightjar report --since 7d --html week.html", "A page about the week, to send to somebody."),
            .init("nightjar report --cycles 200..214 --markdown", "For a pull request or a wiki."),
            .init("nightjar report 214 --html -", "The page of cycle 214."),
        ],
        exits: [
            .init(.ok, "printed, whatever the verdict (gate judges)"),
            .init(.unproven, "the evidence is damaged, or with --csv the results of a suite are"),
            .init(.notFound, "no such loop, no finished cycle in the span, or none that judged the revision"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        try checkOptions(context)
        let loop = try LoopFinder.find(context)
        if context.arguments.operand(0) != nil || context.arguments.flag("revision") {
            return try cycle(loop, context)
        }
        let span = try WindowSpan(context, loop)
        let records = try span.records(loop)
        if context.arguments.flag("csv"), !records.isEmpty {
            context.output.write(CSVExport.head)
            var worst = ExitCode.ok
            for record in records {
                let exported = ExportContext.reading(record, loop.layout)
                context.output.write(CSVExport.rows(record, exported))
                if exported.ending(context.output, record.cycle) != .ok { worst = .unproven }
            }
            return worst
        }
        let end = span.until ?? context.now()
        let start = span.since ?? records.first?.startedAt ?? end
        let newest = records.last?.cycle
        let hash = try newest.flatMap { try CycleReader(loop.layout).sealedHash($0) }
        let seal = newest.flatMap { cycle in hash.map { Seal(cycle: cycle, sha256: $0) } }
        guard let report = WindowReport(records, from: start, to: end, seal: seal) else {
            throw CommandError.notFound("loop '\(loop.name)' has no finished cycle \(span.words)")
        }
        let output = context.output
        if context.wantsJSON {
            output.line(try JSONText.pretty(report))
        } else if context.arguments.flag("markdown") {
            output.write(report.markdown)
        } else if let file = context.arguments.value("html") {
            try write(report.html(linkBase: linkBase(file, loop.layout.root, context)), file, context)
        } else {
            output.write(report.text(columns: output.columns, palette: output.palette))
        }
        return .ok
    }

    private func checkOptions(_ context: Context) throws(CommandError) {
        let arguments = context.arguments
        let spans = ["since", "cycles", "last-night"].filter(arguments.flag)
        let forms = ["html", "markdown", "csv", "json"].filter(arguments.flag)
        for given in [spans, forms] where given.count > 1 {
            throw .usage("'--\(given[0])' and '--\(given[1])' exclude each other", command: "report")
        }
        if let span = spans.first, arguments.operand(0) != nil || arguments.flag("revision") {
            throw .usage("a cycle and '--\(span)' exclude each other", command: "report")
        }
    }

    // MARK: One cycle

    private func cycle(_ loop: LoopPlace, _ context: Context) throws -> ExitCode {
        let number = try CycleChoice.number(context, loop)
        let record = try CycleReader(loop.layout).sealedRecord(number)
        if context.wantsJSON {
            context.output.line(try JSONText.pretty(record))
            return .ok
        }
        let folder = loop.layout.cycle(number)
        let cycles = (try? EvidenceIndex.load(loop.layout, newest: 60))?.cycles ?? []
        if let file = context.arguments.value("html") {
            let base = linkBase(file, folder, context)
            let reports = ReportContext.reading(record, loop.layout, cycles: cycles, linkBase: base)
            try write(HTMLReport.text(record, reports), file, context)
        } else if context.arguments.flag("csv") {
            let exported = ExportContext.reading(record, loop.layout)
            context.output.write(CSVExport.head + CSVExport.rows(record, exported))
            return exported.ending(context.output, number)
        } else if context.arguments.flag("markdown") {
            context.output.write(
                MarkdownReport.text(record, ReportContext.reading(record, loop.layout, cycles: cycles)))
        } else {
            let output = context.output
            let shown = context.shown(folder)
            output.write(TextReport(record, columns: output.columns, palette: output.palette, folder: shown).text)
        }
        return .ok
    }

    // MARK: Files

    /// The way from the page to the evidence, relative, so that both can move together and no machine's path is told.
    private func linkBase(_ file: String, _ folder: String, _ context: Context) -> String {
        if file == "-" { return "" }
        let page = URL(fileURLWithPath: context.absolute(file)).deletingLastPathComponent().standardizedFileURL
        return ReportCommand.way(from: page.path, to: URL(fileURLWithPath: folder).standardizedFileURL.path)
    }

    static func way(from page: String, to folder: String) -> String {
        let from = page.split(separator: "/")
        let to = folder.split(separator: "/")
        let shared = zip(from, to).prefix { $0 == $1 }.count
        let steps = Array(repeating: "..", count: from.count - shared) + to.dropFirst(shared).map(String.init)
        return steps.isEmpty ? "" : steps.joined(separator: "/") + "/"
    }

    private func write(_ text: String, _ file: String, _ context: Context) throws(CommandError) {
        if file == "-" { return context.output.write(text) }
        try UserFile.write(text, to: context.absolute(file), shown: file)
        context.output.note("wrote \(file)")
    }
}

/// Which cycles a report is about.
struct WindowSpan: Equatable {
    var since: Timestamp?
    var until: Timestamp?
    var numbers: ClosedRange<Int>?
    /// For a message that there are none.
    var words: String

    init(_ context: Context, _ loop: LoopPlace) throws(CommandError) {
        let now = context.now()
        if let text = context.arguments.value("cycles") {
            guard let range = WindowSpan.range(text) else {
                throw .usage("'--cycles' takes A..B, such as 200..214, not '\(text)'", command: "report")
            }
            self.init(since: nil, until: nil, numbers: range, words: "in \(text)")
        } else if let text = context.arguments.value("since") {
            guard let since = WindowSpan.moment(text, now: now) else {
                throw .usage(
                    "'--since' takes 24h, 7d, 2026-11-20 or 2026-11-20T22:00:00Z, not '\(text)'", command: "report")
            }
            self.init(since: since, until: now, numbers: nil, words: "since \(since.wholeSeconds)")
        } else if let window = loop.settings?.schedule.window, let night = WindowCalendar(window)?.newest(at: now) {
            self.init(
                since: night.opened, until: min(now, night.closes), numbers: nil,
                words: "since the window opened at \(night.opened.wholeSeconds)")
        } else {
            self.init(since: now + .seconds(-86_400), until: now, numbers: nil, words: "in the last 24 hours")
        }
    }

    private init(since: Timestamp?, until: Timestamp?, numbers: ClosedRange<Int>?, words: String) {
        self.since = since
        self.until = until
        self.numbers = numbers
        self.words = words
    }

    /// `200..214`, `200..`, `..214`.
    static func range(_ text: String) -> ClosedRange<Int>? {
        guard let dots = text.range(of: "..") else { return nil }
        let (first, last) = (text[..<dots.lowerBound], text[dots.upperBound...])
        guard let low = first.isEmpty ? 1 : Int(first), let high = last.isEmpty ? Int.max : Int(last), low >= 1,
            low <= high
        else { return nil }
        return low...high
    }

    static func moment(_ text: String, now: Timestamp) -> Timestamp? {
        if let duration = DurationArgument.parse(text) { return now - duration }
        return Timestamp(text) ?? Timestamp("\(text)T00:00:00Z")
    }

    /// The sealed cycles of the span, oldest first. A cycle that cannot be read is an error: a report must not skip it.
    func records(_ loop: LoopPlace) throws -> [CycleRecord] {
        let reader = CycleReader(loop.layout)
        if let numbers {
            let sealed = try reader.numbers().filter { numbers.contains($0) && reader.isSealed($0) }
            return try sealed.map { try reader.sealedRecord($0) }
        }
        let summaries = try EvidenceIndex.load(loop.layout).cycles.filter { cycle in
            cycle.endedAt >= since ?? cycle.endedAt && cycle.startedAt <= until ?? cycle.startedAt
        }
        // The index leaves out what it cannot read.
        if let newest = try reader.latest(), summaries.last?.cycle != newest { _ = try reader.sealedRecord(newest) }
        return try summaries.map { try reader.sealedRecord($0.cycle) }
    }
}

extension Timestamp {
    fileprivate static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds - duration.milliseconds)
    }
}
