// SPDX-License-Identifier: Apache-2.0
// `report.md`: one cycle in CommonMark with tables (GitHub Flavored Markdown), the same statements as the page in the same
// order.

package import Domain

package enum MarkdownReport {
    package static func text(_ record: CycleRecord, _ context: ReportContext = ReportContext()) -> String {
        let cycle = MarkdownCycle(CycleReport(record, context))
        return cycle.parts.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }
}

struct MarkdownCycle {
    let report: CycleReport
    var summary: CycleSummary { report.summary }
    var record: CycleRecord { report.record }

    init(_ report: CycleReport) {
        self.report = report
    }

    var parts: [String] {
        var parts = [head, changes, next, suites, capabilities, targets]
        parts += record.incidents.map(incident)
        parts += [notPassed, experiments, actions, readiness, risks, audit, signOff, stages, authenticity, logs, foot]
        return parts
    }

    func link(_ path: String, _ text: String? = nil) -> String {
        Markdown.link(path, text, base: report.context.linkBase)
    }

    private var head: String {
        var text = "# \(Markdown.escaped(summary.title)): \(summary.verdict), \(summary.recommendation)\n\n"
        text += "\(Markdown.escaped(report.sentence))\n\n"
        for reason in summary.reasons {
            let subject = reason.subject.map { "\(Markdown.escaped($0)): " } ?? ""
            text += "- **\(reason.verdict.rawValue)** \(subject)\(Markdown.escaped(reason.text)) "
            text += "(rule \(Markdown.escaped(reason.rule))\(reason.evidence.map { ", \(link($0))" } ?? ""))\n"
        }
        text += summary.reasons.isEmpty ? "" : "\n"
        var rows = report.figures.map { [$0.label, "\($0.figure) (\($0.remark))"] }
        rows += [["revision", summary.wanted], ["proven", summary.otherRevisions], ["serving", summary.environment]]
        rows.append(["times", summary.times])
        rows.append(["written by", "\(record.writtenBy), settings \(record.settingsHash)"])
        return text + Markdown.table(["", ""], rows.map { $0.map(Markdown.escaped) })
    }

    private var changes: String {
        guard let previous = report.context.previous, let changes = report.changes else { return "" }
        let lines = changes.map { change in
            let sign: String =
                switch change.direction {
                case .better: "better: "
                case .worse: "worse: "
                case .neutral: ""
                }
            return sign + Markdown.escaped(change.text)
        }
        return "## What changed since \\#\(previous.cycle)\n\n" + Markdown.list(lines)
    }

    private var next: String {
        let lines = report.nextActions.enumerated().map { index, action in
            "\(index + 1). \(Markdown.escaped(action.text))" + (action.command.map { ": \(Markdown.code($0))" } ?? "")
                + "\n"
        }
        return "## What next\n\n" + lines.joined()
    }

    // MARK: Suites, capabilities, targets

    private var suites: String {
        guard !summary.suites.isEmpty else { return "" }
        let before = Dictionary(report.beforeAfter.map { ($0.suite, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = zip(summary.suites, summary.suitesByImportance).map { row, suite -> [String] in
            let earlier = before[suite.name].flatMap { entry in
                entry.beforeStatus.map { status in
                    "\(entry.before?.passRate.map(Numbers.percent) ?? status.words) (\(entry.source ?? ""))"
                }
            }
            let rate = suite.totals.passRate.map(Numbers.percent) ?? suite.status.words
            let cells = [
                row.mark.rawValue, row.priority, row.name, earlier ?? "-", rate, row.totals, row.duration, row.value,
                row.trust,
            ]
            return cells.map(Markdown.escaped)
        }
        let unit = record.value.unit.isEmpty ? "value" : Markdown.escaped(record.value.unit)
        var text = "## Suites\n\n"
        text += Markdown.table(["", "", "suite", "before", "after", "tests", "took", unit, "evidence"], rows)
        if let formula = report.valueFormula { text += "\n\(Markdown.escaped(formula))\n" }
        if let time = report.testTime { text += "\ntime in tests: \(Markdown.escaped(time))\n" }
        return text
    }

    private var capabilities: String {
        let capabilities = record.capabilities
        guard !capabilities.isEmpty else { return "" }
        var text =
            "## Capabilities\n\n"
            + Markdown.table(
                ["", "capability", "suite", "tests", "value"],
                capabilities.map {
                    [
                        $0.status.mark.rawValue, $0.name, $0.suite, CycleSummary.words($0.totals), $0.valueWords,
                    ].map(Markdown.escaped)
                })
        for capability in capabilities {
            guard let steps = capability.steps else { continue }
            text += "\n### \(Markdown.escaped(capability.name)): \(capability.flowWords)\n\n"
            for (index, step) in steps.enumerated() {
                text += "\(index + 1). \(Markdown.escaped(step.name)): \(step.status.words)\n"
            }
        }
        return text
    }

    private var targets: String {
        guard let targets = record.targets, !targets.isEmpty else { return "" }
        let rows = targets.map { target -> [String] in
            let word = target.isFloor == true ? "at least " : "at most "
            let from = [target.source, target.basis ?? (target.measured == nil ? nil : "1 value"), target.failureWords]
            let cells = [
                target.status.words, target.name, word + target.amount(target.limit),
                target.measured.map { target.amount($0) } ?? target.because ?? "-", target.margin ?? "-",
                target.intervalWords ?? "-", from.compactMap { $0 }.joined(separator: ", "),
                target.pastWords.isEmpty ? "-" : target.pastWords.map(\.text).joined(separator: "; "),
            ]
            return cells.map(Markdown.escaped) + [target.evidence.map { link($0) } ?? "-"]
        }
        let head = [
            "", "target", "limit", "measured", "better or worse", "confidence", "from", "beside the past", "source",
        ]
        return "## Performance targets\n\n" + Markdown.table(head, rows)
            + "\n\(Markdown.escaped(TargetRecord.method))\n"
    }

    private var notPassed: String {
        let rows = summary.notPassed
        guard !rows.isEmpty else { return "" }
        var text = "## Not passed: \(Plurals.count(rows.count, "test"))\n\n"
        for row in rows.prefix(MarkdownCycle.testsShown) {
            text +=
                "- **\(Markdown.escaped(row.id))** \\(\(Markdown.escaped(row.suite))\\): \(Markdown.escaped(row.outcome))"
            text += row.place.map { ", \(Markdown.escaped($0))" } ?? ""
            text += row.message.map { "  \n  \(Markdown.escaped($0))" } ?? ""
            text += "\n"
            if let details = row.details, row.isFailure {
                let block = Markdown.block(details, lines: 40).split(separator: "\n").map { "  \($0)\n" }.joined()
                text += "\n\(block)\n"
            }
        }
        let rest = rows.count - MarkdownCycle.testsShown
        return rest > 0 ? text + "- … and \(rest) more in the suites' tests.jsonl\n" : text
    }

    private static let testsShown = 100
}
