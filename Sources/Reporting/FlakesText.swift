// SPDX-License-Identifier: Apache-2.0
// `nightjar flakes`: tests by how often they fail without a cause in the code, and the past of one of them.

package import Domain
import Foundation

/// A share of runs with its 95 % interval.
package struct RateFigures: Codable, Hashable, Sendable {
    package var failures: Int
    package var runs: Int
    package var estimate: Double
    package var low: Double
    package var high: Double

    package init(failures: Int, runs: Int, estimate: Double, low: Double, high: Double) {
        self.failures = failures
        self.runs = runs
        self.estimate = estimate
        self.low = low
        self.high = high
    }

    /// `3.2%`; `0%` and `100%` only where that is what was seen.
    var percent: String { RateFigures.percent(estimate) + "%" }

    /// `1.4-7.1%`
    var interval: String { "\(RateFigures.percent(low))-\(RateFigures.percent(high))%" }

    static func percent(_ share: Double) -> String {
        let percent = share * 100
        if percent > 0, percent < 0.05 { return "<0.1" }
        return percent == 0 || percent >= 9.95
            ? Numbers.fixed(percent, decimals: 0) : Numbers.fixed(percent, decimals: 1)
    }
}

/// One test with its past.
package struct FlakeRow: Codable, Hashable, Sendable {
    package enum Trend: String, Codable, Hashable, Sendable {
        case rising, falling, steady, unknown
    }

    package var suite: String
    package var test: String
    /// Failures among whole runs on revisions that are green for the test.
    package var flakeRate: RateFigures
    /// The newest 50 of those runs.
    package var recentRate: RateFigures
    /// All sound runs, and those that failed, for whatever cause.
    package var runs: Int
    package var failures: Int
    package var explainedFailures: Int
    package var repeatedRevisions: Int
    package var mixedRevisions: Int
    package var trend: Trend
    package var firstCycle: Int
    package var lastFlakeCycle: Int?
    package var lastFailedCycle: Int?
    package var lastPassed: Revision?
    package var passesInARow: Int
    package var usualSeconds: Double?
    package var quarantine: QuarantineEntry?
    package var advice = ""

    package init(
        suite: String, test: String, flakeRate: RateFigures, recentRate: RateFigures, runs: Int, failures: Int,
        explainedFailures: Int = 0, repeatedRevisions: Int = 0, mixedRevisions: Int = 0, trend: Trend = .unknown,
        firstCycle: Int = 1, lastFlakeCycle: Int? = nil, lastFailedCycle: Int? = nil, lastPassed: Revision? = nil,
        passesInARow: Int = 0, usualSeconds: Double? = nil, quarantine: QuarantineEntry? = nil
    ) {
        self.suite = suite
        self.test = test
        self.flakeRate = flakeRate
        self.recentRate = recentRate
        self.runs = runs
        self.failures = failures
        self.explainedFailures = explainedFailures
        self.repeatedRevisions = repeatedRevisions
        self.mixedRevisions = mixedRevisions
        self.trend = trend
        self.firstCycle = firstCycle
        self.lastFlakeCycle = lastFlakeCycle
        self.lastFailedCycle = lastFailedCycle
        self.lastPassed = lastPassed
        self.passesInARow = passesInARow
        self.usualSeconds = usualSeconds
        self.quarantine = quarantine
        advice = FlakeAdvice.line(self)
    }

    package var isFlaky: Bool { flakeRate.failures > 0 || mixedRevisions > 0 }
}

/// The one line of advice, from the figures alone.
enum FlakeAdvice {
    /// Fewer runs than this carry no word about a rate.
    private static let leastRuns = 10

    static func line(_ row: FlakeRow) -> String {
        let rate = row.flakeRate
        if let entry = row.quarantine, row.passesInARow >= passesNeeded(max(rate.estimate, 0.03)) {
            return "quarantined by \(entry.owner) and has passed \(row.passesInARow) times in a row: take it out again"
        }
        if !row.isFlaky {
            if row.failures == 0 { return "never failed" }
            return "no flake: it failed only on revisions on which it never passed"
        }
        if rate.runs < leastRuns {
            return "passes and fails on one revision; \(Plurals.count(rate.runs, "run")) are too few for a rate"
        }
        let proof = "a fix must pass \(passesNeeded(max(rate.estimate, 0.005))) times in a row to count (95 %)"
        if row.trend == .rising {
            return
                "getting worse (\(row.recentRate.percent) of the newest \(row.recentRate.runs)): look at what changed"
                + "; \(proof)"
        }
        if row.trend == .falling, row.recentRate.failures == 0 {
            return "no flake in its newest \(row.recentRate.runs) runs: it may be cured"
        }
        if row.quarantine != nil { return "in quarantine; \(proof)" }
        if rate.low >= 0.2 { return "fails too often to be of use: fix it or put it into quarantine now; \(proof)" }
        return "fix it, or give it an owner and an end in quarantine; \(proof)"
    }

    /// Passes in a row that a test with this failure rate would reach with a probability of 5 % only.
    static func passesNeeded(_ rate: Double) -> Int {
        rate >= 1 ? 1 : max(1, Int((log(0.05) / log(1 - rate)).rounded(.up)))
    }
}

/// What `nightjar flakes --json` prints.
package struct FlakesReport: Codable, Hashable, Sendable {
    package var loop: String
    package var suites: [String]
    /// The first and last cycle that was looked at, and in how many runs of a suite.
    package var firstCycle: Int?
    package var lastCycle: Int?
    package var suiteRuns: Int
    package var tests: [FlakeRow]
    /// Flaky tests that are not listed because of the limit.
    package var unlisted: Int
    /// Tests that failed, and never on a revision on which they also passed.
    package var failedWithCause: Int
    package var neverFailed: Int

    package init(
        loop: String, suites: [String], firstCycle: Int?, lastCycle: Int?, suiteRuns: Int, tests: [FlakeRow],
        unlisted: Int, failedWithCause: Int, neverFailed: Int
    ) {
        self.loop = loop
        self.suites = suites
        self.firstCycle = firstCycle
        self.lastCycle = lastCycle
        self.suiteRuns = suiteRuns
        self.tests = tests
        self.unlisted = unlisted
        self.failedWithCause = failedWithCause
        self.neverFailed = neverFailed
    }
}

package enum FlakesText {
    /// Advice gets a column of its own from here on.
    private static let wide = 140

    package static func text(_ report: FlakesReport, columns: Int = 80, palette: Palette = .plain) -> String {
        var layout = TextLayout(columns: columns, palette: palette)
        guard let first = report.firstCycle, let last = report.lastCycle else {
            layout.paragraph("loop '\(report.loop)' has no history of tests there yet", indent: 0)
            return layout.text
        }
        let cycles = first == last ? "cycle #\(first)" : "cycles #\(first) to #\(last)"
        layout.paragraph(
            "\(cycles), \(Plurals.count(report.suiteRuns, "run")) of \(Plurals.list(report.suites))", indent: 0,
            paint: .dim)
        if report.tests.isEmpty {
            layout.paragraph("no test both passed and failed on one revision", indent: 0)
        } else {
            layout.blank()
            table(report.tests, &layout, isWide: columns >= wide)
        }
        layout.blank()
        layout.paragraph(rest(report), indent: 0, paint: .dim)
        return layout.text
    }

    private static func rest(_ report: FlakesReport) -> String {
        var parts: [String] = []
        if report.unlisted > 0 { parts.append("\(Plurals.count(report.unlisted, "more flaky test")) (--limit)") }
        if report.failedWithCause > 0 {
            parts.append("\(Plurals.count(report.failedWithCause, "test")) failed, never where they also pass")
        }
        parts.append("\(Plurals.count(report.neverFailed, "test")) never failed")
        return parts.joined(separator: "; ")
    }

    private static func table(_ rows: [FlakeRow], _ layout: inout TextLayout, isWide: Bool) {
        var header: [TextTable.Cell] = [
            .init("flakes", .dim, right: true), .init("95 %", .dim, right: true), .init("of runs", .dim, right: true),
            .init("mixed", .dim, right: true), .init("last", .dim, right: true), .init("trend", .dim),
            .init("test", .dim),
        ]
        if isWide { header.append(.init("advice", .dim)) }
        var lines: [String] = []
        // Each row's advice hangs below it, so the columns are laid out for all rows first.
        var table = TextTable()
        table.add(header)
        for row in rows { table.add(cells(row, isWide: isWide)) }
        var inner = TextLayout(columns: layout.columns, palette: layout.palette)
        table.render(into: &inner, indent: 0, widest: isWide ? 60 : 12)
        lines = inner.lines
        if isWide { return lines.forEach { layout.raw($0) } }
        write(rows, lines, &layout)
    }

    /// A row may have wrapped: its continuation lines begin with spaces up to the last column.
    private static func write(_ rows: [FlakeRow], _ lines: [String], _ layout: inout TextLayout) {
        var next = 0
        for (index, line) in lines.enumerated() {
            layout.raw(line)
            let isLastOfRow = index + 1 == lines.count || !lines[index + 1].hasPrefix("        ")
            guard index > 0, isLastOfRow, next < rows.count else { continue }
            layout.paragraph(rows[next].advice, indent: 8, paint: .dim)
            next += 1
        }
    }

    private static func cells(_ row: FlakeRow, isWide: Bool) -> [TextTable.Cell] {
        let paint: Palette.Paint? = row.quarantine != nil ? .dim : row.trend == .rising ? .redBold : .yellowBold
        let name = row.test + (row.quarantine == nil ? "" : " (quarantined)")
        var cells: [TextTable.Cell] = [
            .init(row.flakeRate.percent, paint, right: true), .init(row.flakeRate.interval, right: true),
            .init("\(row.flakeRate.failures)/\(row.flakeRate.runs)", right: true),
            .init("\(row.mixedRevisions)", right: true),
            .init(row.lastFlakeCycle.map { "#\($0)" } ?? "-", right: true),
            .init(row.trend == .unknown ? "-" : row.trend.rawValue), .init(name),
        ]
        if isWide { cells.append(.init(row.advice)) }
        return cells
    }
}
