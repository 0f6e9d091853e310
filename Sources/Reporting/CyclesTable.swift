// SPDX-License-Identifier: Apache-2.0
// `nightjar cycles`: a strip of verdicts and a table, newest first.

import Domain

/// One letter per cycle, oldest first.
package enum VerdictStrip {
    package static func text(_ cycles: [CycleBrief], palette: Palette = .plain) -> String {
        var result = ""
        var run = ""
        var paint: Palette.Paint?
        for cycle in cycles {
            if cycle.verdict.paint != paint {
                result += palette(run, paint)
                (run, paint) = ("", cycle.verdict.paint)
            }
            run.append(cycle.symbol)
        }
        return result + palette(run, paint)
    }

    /// What the letters that occur mean; the two that nobody knows by heart are always there.
    package static func legend(_ cycles: [CycleBrief]) -> String {
        let seen = Set(cycles.map(\.symbol))
        let words: [(Character, String)] = [
            ("+", "healthy"), ("f", "flaky"), ("d", "degraded"), ("?", "unproven"), ("R", "failing"),
            ("i", "interrupted"),
        ]
        return words.filter { seen.contains($0.0) }.map { "\($0.0) \($0.1)" }.joined(separator: "  ")
    }
}

package enum CyclesTable {
    /// `cycles` oldest first, as a reader of the folder finds them.
    package static func text(_ cycles: [CycleBrief], columns: Int = 80, palette: Palette = .plain) -> String {
        guard !cycles.isEmpty else { return "no cycle is finished yet\n" }
        var layout = TextLayout(columns: columns, palette: palette)
        let strip = Array(cycles.suffix(layout.columns - 2))
        layout.raw(VerdictStrip.text(strip, palette: palette))
        layout.paragraph(VerdictStrip.legend(strip), indent: 0, paint: .dim)
        layout.blank()
        let isNarrow = layout.columns < 110
        var table = TextTable()
        table.add([
            .init("cycle", .dim), .init("started", .dim), .init("took", .dim, right: true), .init("verdict", .dim),
            .init("", .dim), .init("revision", .dim), .init("tests", .dim, right: true),
            .init(isNarrow ? "" : "because", .dim),
        ])
        for cycle in cycles.reversed() {
            let ran = cycle.totals.tests
            let start = cycle.startedAt.wholeSeconds.prefix(16).dropFirst(columns < 100 ? 5 : 0)
            table.add([
                .init("#\(cycle.cycle)"), .init(start + "Z"),
                .init(Durations.text(seconds: cycle.durationSeconds), right: true),
                .init(cycle.verdict.rawValue, cycle.verdict.paint),
                .init(cycle.recommendation.rawValue), .init(cycle.revision.short),
                .init(ran == 0 ? "none" : "\(cycle.totals.passed)/\(ran)", right: true),
                .init(isNarrow ? "" : story(cycle)),
            ])
        }
        table.render(into: &layout, indent: 0, widest: 17)
        return isNarrow ? told(layout.text, cycles, layout.columns, palette) : layout.text
    }

    /// Where there is no room for the last column, a cycle's story stands below its row.
    private static func told(_ table: String, _ cycles: [CycleBrief], _ columns: Int, _ palette: Palette) -> String {
        let lines = table.split(separator: "\n", omittingEmptySubsequences: false)
        let rows = lines.count - 1 - cycles.count
        var text = lines.prefix(rows).map { $0 + "\n" }.joined()
        for (line, cycle) in zip(lines.dropFirst(rows), cycles.reversed()) {
            text += line + "\n"
            let story = Printable.cut(Printable.line(story(cycle)), to: columns - 7)
            if !story.isEmpty { text += "       " + palette(story, .dim) + "\n" }
        }
        return text
    }

    private static func story(_ cycle: CycleBrief) -> String {
        let incidents = cycle.incidents.isEmpty ? "" : Plurals.list(cycle.incidents, limit: 3)
        let because = cycle.verdict == .healthy ? "" : cycle.because ?? ""
        return [incidents, because].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
