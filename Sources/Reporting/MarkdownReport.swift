// SPDX-License-Identifier: Apache-2.0
// `report.md`: one cycle in CommonMark with tables (GitHub Flavored Markdown). Text from outside is escaped, so that it
// stays text: no link, no mention of a heading, no HTML.

package import Domain

package enum MarkdownReport {
    package static func text(_ record: CycleRecord) -> String {
        let summary = CycleSummary(record)
        var parts = [head(summary), suites(summary), notPassed(summary)]
        parts += record.incidents.map(incident)
        parts += [experiments(record), actions(record), stages(summary), foot(record)]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    /// Inline text with everything that Markdown would read escaped.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in Printable.line(text) {
            if special.contains(character) { result.append("\\") }
            result.append(character)
        }
        return result.replacing("://", with: "\\://").replacing("www.", with: "www\\.")
    }

    private static let special: Set<Character> = [
        "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "#", "|", "~", "&", "!", "$", "@",
    ]

    /// A code block whose fence is longer than any run of backticks inside.
    static func block(_ text: String, lines limit: Int) -> String {
        let lines = Printable.lines(text, limit: limit)
        var longest = 2
        for line in lines {
            var run = 0
            for character in line {
                run = character == "`" ? run + 1 : 0
                longest = max(longest, run)
            }
        }
        let fence = String(repeating: "`", count: longest + 1)
        return "\(fence)text\n\(lines.joined(separator: "\n"))\n\(fence)\n"
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines = [head, head.map { _ in "---" }] + rows.map { $0.map(escaped) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private static func head(_ summary: CycleSummary) -> String {
        let record = summary.record
        var text = "# \(escaped(summary.title)): \(summary.verdict), \(summary.recommendation)\n\n"
        for reason in summary.reasons {
            text += "- **\(reason.verdict.rawValue)** \(escaped(reason.text)) (rule \(escaped(reason.rule))"
            text += reason.evidence.map { ", \(escaped($0))" } ?? ""
            text += ")\n"
        }
        text += summary.reasons.isEmpty ? "" : "\n"
        var rows = [["Revision", summary.wanted], ["", summary.otherRevisions], ["Serving", summary.environment]]
        if let value = summary.value { rows.append(["Value", value]) }
        rows.append(["Times", summary.times])
        rows.append(["Written by", "\(record.writtenBy), settings \(record.settingsHash)"])
        return text + table(["", ""], rows)
    }

    private static func suites(_ summary: CycleSummary) -> String {
        guard !summary.suites.isEmpty else { return "" }
        let unit = summary.record.value.unit
        var text = "## Suites\n\n"
        text += table(
            ["", "Priority", "Suite", "Tests", "Time", unit.isEmpty ? "Value" : escaped(unit), "Evidence"],
            summary.suites.map {
                [$0.mark.rawValue, $0.priority, $0.name, $0.totals, $0.duration, $0.value, $0.trust]
            })
        let capabilities = summary.record.capabilities
        guard !capabilities.isEmpty else { return text }
        return text + "\n### Capabilities\n\n"
            + table(
                ["", "Capability", "Suite", "Tests", "Value"],
                capabilities.map {
                    [
                        $0.status.mark.rawValue, $0.name, $0.suite, CycleSummary.words($0.totals),
                        $0.value.map { Numbers.grouped($0) } ?? "-",
                    ]
                })
    }

    private static func notPassed(_ summary: CycleSummary) -> String {
        let rows = summary.notPassed
        guard !rows.isEmpty else { return "" }
        var text = "## Not passed: \(Plurals.count(rows.count, "test"))\n\n"
        for row in rows.prefix(testsShown) {
            text += "- **\(escaped(row.id))** \\(\(escaped(row.suite))\\): \(escaped(row.outcome))"
            text += row.place.map { ", \(escaped($0))" } ?? ""
            text += row.message.map { "  \n  \(escaped($0))" } ?? ""
            text += "\n"
            if let details = row.details, row.isFailure {
                let block = block(details, lines: 40).split(separator: "\n").map { "  \($0)\n" }.joined()
                text += "\n\(block)\n"
            }
        }
        let rest = rows.count - testsShown
        return rest > 0 ? text + "- … and \(rest) more in the suites' tests.jsonl\n" : text
    }

    private static func incident(_ incident: Incident) -> String {
        var text = "## \(escaped(incident.id)): \(escaped(incident.title))\n\n\(escaped(incident.standing)), "
        text += "\(incident.firstSeen.wholeSeconds); \(escaped(Plurals.list(incident.tests, limit: 20)))\n\n"
        guard let diagnosis = incident.diagnosis else { return text + "Not diagnosed yet.\n" }
        text += "**\(escaped(diagnosis.headline))**. \(escaped(diagnosis.summary))\n\n"
        if let culprit = diagnosis.culprit { text += "Culprit: \(escaped(culprit.words))\n\n" }
        for candidate in diagnosis.candidates where candidate != diagnosis.culprit {
            text += "- candidate \(escaped(candidate.words))\n"
        }
        text += diagnosis.candidates.isEmpty ? "" : "\n"
        for why in diagnosis.whys {
            text += "\(why.n). **\(escaped(why.question))** \(escaped(why.answer))"
            text += why.confidence > 0 ? " \\(\(Numbers.probability(why.confidence))\\)\n" : "\n"
            for reference in why.evidence {
                text +=
                    "   - \(escaped(reference.place)): \(escaped(Printable.line(reference.excerpt, columns: 240)))\n"
            }
        }
        text += diagnosis.whys.isEmpty ? "" : "\n"
        for ruled in diagnosis.ruledOut {
            text += "- ruled out \(ruled.category.rawValue): \(escaped(ruled.because))\n"
        }
        text += diagnosis.ruledOut.isEmpty ? "" : "\n"
        return text + "Recommended: \(escaped(diagnosis.recommendedAction.rawValue))\n"
    }

    private static func experiments(_ record: CycleRecord) -> String {
        guard !record.experiments.isEmpty else { return "" }
        return "## Experiments\n\n"
            + table(
                ["Experiment", "Question", "Result"],
                record.experiments.map { [$0.experiment.words, $0.experiment.question, $0.result] })
    }

    private static func actions(_ record: CycleRecord) -> String {
        guard !record.actions.isEmpty else { return "" }
        return "## Actions\n\n" + table(["Action", "Because"], record.actions.map { [$0.words, $0.account] })
    }

    private static func stages(_ summary: CycleSummary) -> String {
        guard !summary.stages.isEmpty else { return "" }
        return "## Stages\n\n"
            + table(
                ["", "Stage", "Time", "Result"],
                summary.stages.map { [$0.mark.rawValue, $0.folder, $0.duration, $0.text] })
    }

    private static func foot(_ record: CycleRecord) -> String {
        "Computed from `cycle.json` beside this file; `nightjar verify --cycle \(record.cycle)` checks that nothing was changed.\n"
    }

    private static let testsShown = 100
}
