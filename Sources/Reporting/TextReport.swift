// SPDX-License-Identifier: Apache-2.0
// `nightjar show`: one cycle for a terminal. Verdict and recommendation first, then why, then what was done.

package import Domain

package struct TextReport: Sendable {
    private let summary: CycleSummary
    private let columns: Int
    private let palette: Palette
    private let folder: String?

    /// `folder` is where the evidence lies, as the reader can open it.
    package init(_ record: CycleRecord, columns: Int = 80, palette: Palette = .plain, folder: String? = nil) {
        summary = CycleSummary(record)
        self.columns = columns
        self.palette = palette
        self.folder = folder
    }

    package var text: String {
        var layout = TextLayout(columns: columns, palette: palette)
        head(&layout)
        suites(&layout)
        targets(&layout)
        notPassed(&layout)
        for incident in summary.record.incidents { IncidentText.write(incident, into: &layout) }
        experimentsAndActions(&layout)
        stages(&layout)
        if let folder {
            layout.blank()
            layout.field("evidence", folder)
        }
        return layout.text
    }

    private func head(_ layout: inout TextLayout) {
        let record = summary.record
        let hold: Palette.Paint = record.recommendation == .ship ? .greenBold : .redBold
        layout.raw(
            palette(Printable.line(summary.title), .bold) + "  " + palette(summary.verdict, record.verdict.paint) + "  "
                + palette(summary.recommendation, hold) + " "
                + Printable.line(record.revision.wanted.short, columns: 40))
        layout.paragraph(summary.times, indent: 0, paint: .dim)
        layout.blank()
        for (index, reason) in summary.reasons.prefix(8).enumerated() {
            layout.field(index == 0 ? "because" : "", "\(reason.text) [\(reason.rule)]", paint: reasonPaint(reason))
        }
        if summary.reasons.count > 8 { layout.field("", "… and \(summary.reasons.count - 8) more") }
        layout.field("revision", summary.wanted)
        layout.field("", summary.otherRevisions)
        layout.field("serving", summary.environment, paint: record.environment.state == .unknown ? .yellow : nil)
        if let value = summary.value { layout.field("value", value, paint: record.value.atRisk > 0 ? .yellow : nil) }
    }

    private func reasonPaint(_ reason: Reason) -> Palette.Paint? {
        switch reason.verdict {
        case .failing: .red
        case .unproven, .interrupted, .degraded: .yellow
        case .healthy: nil
        }
    }

    private func suites(_ layout: inout TextLayout) {
        guard !summary.suites.isEmpty else { return }
        layout.heading("suites")
        var table = TextTable()
        for suite in summary.suites {
            table.add([
                .init(suite.priority), .init(suite.mark.rawValue, suite.mark.paint), .init(suite.name),
                .init(suite.duration, right: true), .init(suite.value == "-" ? "" : suite.value, right: true),
                .init(suite.totals + (suite.trust.isEmpty ? "" : "; \(suite.trust)")),
            ])
        }
        table.render(into: &layout, widest: 28)
        for capability in summary.record.capabilities where capability.status != .passed || capability.isConditional {
            let value = capability.value.map { ", \(Numbers.grouped($0)) \(summary.record.value.unit)" } ?? ""
            let status = capability.status.words + (capability.isConditional ? " on conditions" : "")
            layout.paragraph("capability \(capability.name): \(status)\(value)", indent: 2, paint: .yellow)
        }
    }

    private func targets(_ layout: inout TextLayout) {
        guard let targets = summary.record.targets, !targets.isEmpty else { return }
        layout.heading("targets")
        for target in targets {
            let paint: Palette.Paint = target.status == .met ? .green : target.status == .missed ? .red : .yellow
            let basis = target.basis.map { "\($0) " } ?? ""
            layout.paragraph(
                "\(target.name): \(basis)\(target.comparison)", indent: 11,
                head: "  "
                    + palette(
                        Printable.padded(target.status == .notMeasured ? "unknown" : target.status.words, to: 9), paint)
            )
            for words in [target.intervalWords, target.failureWords].compactMap({ $0 }) {
                layout.paragraph(words, indent: 11, paint: .dim)
            }
            for past in target.pastWords {
                layout.paragraph(
                    past.text, indent: 11, paint: past.tone == .quiet || past.tone == .good ? .dim : .yellow)
            }
        }
    }

    private func notPassed(_ layout: inout TextLayout) {
        let rows = summary.notPassed
        guard !rows.isEmpty else { return }
        layout.heading("not passed: \(Plurals.count(rows.count, "test"))")
        for row in rows.prefix(Self.testsShown) {
            layout.paragraph(
                row.id, indent: 4, head: "  " + palette(row.isFailure ? "x " : "- ", row.isFailure ? .red : .dim))
            layout.paragraph("\(row.suite), \(row.outcome)\(row.place.map { ", \($0)" } ?? "")", indent: 6, paint: .dim)
            if let message = row.message { layout.paragraph(message, indent: 6, limit: 6) }
        }
        if rows.count > Self.testsShown {
            layout.paragraph("… and \(rows.count - Self.testsShown) more in the suites' tests.jsonl", indent: 2)
        }
    }

    private func experimentsAndActions(_ layout: inout TextLayout) {
        let record = summary.record
        if !record.experiments.isEmpty {
            layout.heading("experiments")
            for entry in record.experiments {
                layout.paragraph("\(entry.experiment.words): \(entry.result)", indent: 2)
                layout.paragraph(entry.experiment.question, indent: 6, paint: .dim)
            }
        }
        if !record.actions.isEmpty {
            layout.heading("actions")
            for action in record.actions { layout.paragraph("\(action.words): \(action.account)", indent: 2) }
        }
    }

    private func stages(_ layout: inout TextLayout) {
        guard !summary.stages.isEmpty else { return }
        layout.heading("stages")
        var table = TextTable()
        for stage in summary.stages {
            table.add([
                .init(stage.mark.rawValue, stage.mark.paint), .init(stage.folder),
                .init(stage.duration, right: true), .init(stage.text),
            ])
        }
        table.render(into: &layout, widest: 28)
    }

    /// More are a wall that nobody reads at night; all are on disk.
    private static let testsShown = 20
}
