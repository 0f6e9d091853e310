// SPDX-License-Identifier: Apache-2.0
// `nightjar flakes TEST`: the strip of one test's outcomes over the cycles, and what they come to.

package import Domain

/// What one test did in one run.
package struct PastRun: Codable, Hashable, Sendable {
    package var cycle: Int
    package var purpose: Purpose
    package var outcome: TestOutcome
    /// Whether it counts in the statistics.
    package var counts: Bool
    package var isExplained: Bool

    package init(cycle: Int, purpose: Purpose, outcome: TestOutcome, counts: Bool, isExplained: Bool) {
        self.cycle = cycle
        self.purpose = purpose
        self.outcome = outcome
        self.counts = counts
        self.isExplained = isExplained
    }

    /// Capitals fail; an experiment's outcome is told from an ordinary run's.
    fileprivate var symbol: Character {
        let isExperiment = purpose != .cycle && purpose != .reverify
        if !counts { return "x" }
        switch outcome {
        case .passed: return isExperiment ? ":" : "."
        case .failed: return isExperiment ? "f" : "F"
        case .errored: return isExperiment ? "e" : "E"
        case .timedOut: return isExperiment ? "t" : "T"
        case .flaky: return "~"
        case .skipped: return "s"
        case .notRun: return "-"
        }
    }

    fileprivate var paint: Palette.Paint? {
        switch symbol {
        case ".", ":": .green
        case "F", "E", "T", "f", "e", "t": .redBold
        case "~": .yellowBold
        default: .dim
        }
    }

    private static let words: [(Character, String)] = [
        (".", "passed"), ("F", "failed"), ("E", "errored"), ("T", "timed out"), ("~", "failed and passed in one run"),
        ("s", "skipped"), ("-", "not run"), (":", "passed in an experiment"), ("f", "failed in one"),
        ("e", "errored in one"), ("t", "timed out in one"), ("x", "does not count"),
    ]

    fileprivate static func legend(_ runs: [PastRun]) -> String {
        let seen = Set(runs.map(\.symbol))
        return words.filter { seen.contains($0.0) }.map { "\($0.0) \($0.1)" }.joined(separator: "  ")
    }
}

/// What `nightjar flakes TEST --json` prints.
package struct TestPast: Codable, Hashable, Sendable {
    package var figures: FlakeRow
    /// Oldest first.
    package var runs: [PastRun]
    /// The newest failure that is still on disk.
    package var lastMessage: String?
    package var lastMessageCycle: Int?

    package init(figures: FlakeRow, runs: [PastRun], lastMessage: String? = nil, lastMessageCycle: Int? = nil) {
        self.figures = figures
        self.runs = runs
        self.lastMessage = lastMessage
        self.lastMessageCycle = lastMessageCycle
    }

    /// Lines of the strip.
    private static let stripLines = 20

    package func text(columns: Int = 80, palette: Palette = .plain) -> String {
        var layout = TextLayout(columns: columns, palette: palette)
        layout.heading(figures.test)
        layout.paragraph("of suite \(figures.suite), first seen in #\(figures.firstCycle)", indent: 2, paint: .dim)
        layout.blank()
        strip(&layout)
        layout.blank()
        let rate = figures.flakeRate
        layout.field(
            "flakes",
            rate.runs == 0
                ? "no run of the whole suite on a revision that is green for it"
                : "\(rate.percent) (95 %: \(rate.interval)), \(rate.failures) of \(rate.runs) runs on revisions that are green for it"
        )
        layout.field("failures", failures)
        layout.field("mixed", revisions)
        if figures.trend != .unknown {
            let recent = figures.recentRate
            layout.field("trend", "\(figures.trend.rawValue): \(recent.failures) of the newest \(recent.runs) runs")
        }
        layout.field("passes", passes)
        if let seconds = figures.usualSeconds {
            layout.field("usual", "\(Durations.text(seconds: seconds)) where it passes")
        }
        if let entry = figures.quarantine {
            layout.field("muted", "in quarantine until \(entry.until) by \(entry.owner): \(entry.reason)")
        }
        if let message = lastMessage, let cycle = lastMessageCycle { layout.field("said", "#\(cycle): \(message)") }
        layout.field("advice", figures.advice, paint: .bold)
        return layout.text
    }

    private var failures: String {
        guard figures.failures > 0 else { return "none in \(Plurals.count(figures.runs, "run"))" }
        let explained =
            figures.explainedFailures == 0 ? "" : ", \(figures.explainedFailures) of them with a diagnosed cause"
        let last = figures.lastFailedCycle.map { ", last in #\($0)" } ?? ""
        return "\(figures.failures) of \(Plurals.count(figures.runs, "run"))\(explained)\(last)"
    }

    private var revisions: String {
        guard figures.repeatedRevisions > 0 else { return "it never ran twice on one revision" }
        return
            "both passed and failed on \(figures.mixedRevisions) of the \(Plurals.count(figures.repeatedRevisions, "revision")) on which it ran twice or more"
    }

    private var passes: String {
        let last = figures.lastPassed.map { ", last on \($0.short)" } ?? ""
        return "\(figures.passesInARow) in a row\(last)"
    }

    /// The newest runs, each line headed by its first cycle.
    private func strip(_ layout: inout TextLayout) {
        let label = (runs.map(\.cycle).max().map { "#\($0)".count } ?? 2) + 2
        let width = max(10, (layout.columns - label) / 10 * 10)
        let shown = Array(runs.suffix(width * TestPast.stripLines))
        if shown.count < runs.count {
            layout.paragraph(
                "\(Plurals.count(runs.count - shown.count, "older run")) not shown", indent: 0, paint: .dim)
        }
        for start in stride(from: 0, to: shown.count, by: width) {
            let line = shown[start..<min(start + width, shown.count)]
            let head = Printable.padded("#\(line[start].cycle)", to: label)
            layout.raw(layout.palette(head, .dim) + painted(line, layout.palette))
        }
        layout.paragraph(PastRun.legend(shown), indent: 0, paint: .dim)
    }

    private func painted(_ runs: ArraySlice<PastRun>, _ palette: Palette) -> String {
        var result = ""
        var pending = ""
        var paint: Palette.Paint?
        for run in runs {
            if run.paint != paint {
                result += palette(pending, paint)
                (pending, paint) = ("", run.paint)
            }
            pending.append(run.symbol)
        }
        return result + palette(pending, paint)
    }
}
