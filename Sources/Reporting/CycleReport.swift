// SPDX-License-Identifier: Apache-2.0
// What a report of one cycle says beyond the rows of `CycleSummary`: figures, comparisons and advice, each computed from
// the record, the cycle before it, and the cycles before that. Nothing here is written by hand, so nothing can flatter.

package import Domain

/// What a report may know beside the record itself.
package struct ReportContext: Sendable {
    /// The sealed cycle before this one; nil where there is none any more.
    package var previous: CycleRecord?
    /// Earlier cycles, oldest first, for the charts; this cycle may be the last of them.
    package var history: [CycleBrief]
    /// What stands before the path of a file of the cycle folder in links; empty beside the files.
    package var linkBase: String
    /// SHA-256 of the cycle's SHA256SUMS; nil before it is sealed.
    package var seal: String?

    package init(
        previous: CycleRecord? = nil, history: [CycleBrief] = [], linkBase: String = "", seal: String? = nil
    ) {
        self.seal = seal
        self.previous = previous
        self.history = history
        self.linkBase = linkBase
    }
}

/// One suite before and after.
struct BeforeAfter: Sendable {
    var suite: String
    /// Where the earlier figure comes from: `#213`, `test-1-chat`.
    var source: String?
    var before: Totals?
    var beforeStatus: SuiteRecord.Status?
    var after: Totals
    var afterStatus: SuiteRecord.Status
}

/// What was observed of a suite from outside its tests.
struct Observed: Sendable {
    var wallSeconds: Double?
    var cpuSeconds: Double?
    var peakMemoryBytes: Int64?
    var hosts: [String]
}

struct CycleReport: Sendable {
    let summary: CycleSummary
    let context: ReportContext
    var record: CycleRecord { summary.record }

    init(_ record: CycleRecord, _ context: ReportContext) {
        summary = CycleSummary(record)
        self.context = context
    }

    /// One sentence for somebody who reads no further.
    var sentence: String {
        let ships = record.recommendation == .ship
        let totals = record.totals
        // Where nothing reads the revision, its name is only a word for whatever runs there.
        let isNamed = record.revision.live != nil || record.mode == .operate
        let revision = isNamed ? record.revision.wanted.short : "what is live"
        var parts = ["\(revision) \(ships ? "may ship" : "is held")"]
        if totals.failing > 0 {
            let failing = record.suites.filter { $0.totals.failing > 0 }.map { "\($0.name) (P\($0.priority))" }
            parts.append(
                "\(Numbers.grouped(totals.failing)) of \(Plurals.count(totals.tests, "test")) fail in "
                    + Plurals.list(failing, limit: 3))
        } else if totals.tests > 0 {
            parts.append("\(Numbers.grouped(totals.passed)) of \(Plurals.count(totals.tests, "test")) passed")
        } else {
            parts.append("no test ran")
        }
        if record.value.atRisk > 0, record.verdict != .interrupted {
            parts.append(
                "\(Numbers.grouped(record.value.atRisk)) of \(Numbers.grouped(record.value.total)) "
                    + "\(record.value.unit) at risk")
        }
        switch record.environment.state {
        case .asWanted: break
        case .restored: parts.append("staging is restored to \(record.environment.serving?.short ?? "unknown")")
        case .unknown: parts.append("which revision staging runs is not proven")
        }
        return parts.joined(separator: "; ") + "."
    }

    // MARK: Figures

    /// Label, figure, and a remark: the strip under the headline.
    var figures: [(label: String, figure: String, remark: String)] {
        let totals = record.totals
        var rows: [(String, String, String)] = []
        rows.append(
            (
                "tests passed", "\(Numbers.grouped(totals.passed)) / \(Numbers.grouped(totals.tests))",
                totals.passRate.map(Numbers.percent) ?? "none ran"
            ))
        if record.value.total > 0, record.verdict != .interrupted {
            let share = 100 * record.value.protected / record.value.total
            rows.append(
                (
                    "protected", Numbers.grouped(record.value.protected),
                    "\(Numbers.percent(share)) of \(Numbers.value(record.value.total, record.value.unit))"
                        + SignOff.conditions(record.value.conditional)
                ))
            rows.append(("at risk", Numbers.grouped(record.value.atRisk), record.value.unit))
        }
        if let readiness = record.readiness {
            rows.append(
                (
                    "readiness", Numbers.percent(readiness.score),
                    Plurals.count(readiness.components.count, "component")
                ))
        }
        rows.append(
            (
                "took", Durations.text(seconds: record.durationSeconds),
                Plurals.count(record.stages.count, "stage run")
            ))
        return rows
    }

    /// How the value at risk comes about; nil where no suite has a value.
    var valueFormula: String? {
        guard record.value.total > 0, record.verdict != .interrupted else { return nil }
        let exposed = record.suites.filter { $0.status != .passed && ($0.value ?? 0) > 0 }
        let terms = exposed.map { "\($0.name) \(Numbers.grouped($0.value ?? 0))" }
        let sum = terms.isEmpty ? "0" : terms.joined(separator: " + ")
        let conditional = record.value.conditional ?? 0
        let less = conditional > 0 ? " - \(Numbers.grouped(conditional)) on conditions" : ""
        return "at risk = value of every suite that did not pass = \(sum) = \(Numbers.grouped(record.value.atRisk)); "
            + "protected = \(Numbers.grouped(record.value.total)) - \(Numbers.grouped(record.value.atRisk))\(less) = "
            + "\(Numbers.grouped(record.value.protected)) "
            + "(\(Numbers.percent(100 * record.value.protected / record.value.total)))"
    }

    /// What the tests themselves report to have taken.
    var testTime: String? {
        let timed = record.suites.filter { $0.testSeconds != nil }
        let sum = timed.reduce(0) { $0 + ($1.testSeconds ?? 0) }
        let tests = timed.reduce(0) { $0 + $1.totals.tests - $1.totals.notRun }
        guard tests > 0, sum > 0 else { return nil }
        var text =
            "\(Numbers.seconds(sum)) in \(Plurals.count(tests, "test")), \(Numbers.seconds(sum / Double(tests))) on average"
        let slowest = timed.max { ($0.slowestSeconds ?? 0) < ($1.slowestSeconds ?? 0) }
        if let slowest, let test = slowest.slowestTest, let seconds = slowest.slowestSeconds, seconds > 0 {
            text += "; slowest: \(test) with \(Numbers.seconds(seconds)) (\(Numbers.percent(100 * seconds / sum)))"
        }
        return text
    }

    // MARK: Before and after

    /// Each suite before and after: within this cycle where it was run again after a cure, or against the cycle before.
    var beforeAfter: [BeforeAfter] {
        record.suites.map { suite in
            let first = record.stages.first { stage in
                stage.run.kind == .test && stage.run.subject == suite.name && stage.run.purpose == .cycle
                    && stage.run.only == nil && stage.outcome != .neverRan
            }
            var row = BeforeAfter(suite: suite.name, after: suite.totals, afterStatus: suite.status)
            if let first, first.run.folder != suite.stage, suite.stage != nil {
                row.source = first.run.folder
                row.before = first.suite?.totals ?? Totals()
                row.beforeStatus = first.suite.map { $0.totals.failing > 0 ? .failed : .unproven } ?? .unproven
                if first.outcome == .succeeded { row.beforeStatus = .passed }
            } else if let previous = context.previous, let old = previous.suites.first(where: { $0.name == suite.name })
            {
                row.source = "#\(previous.cycle)"
                row.before = old.totals
                row.beforeStatus = old.status
            }
            return row
        }
    }

    // MARK: What was seen from outside

    func observed(_ suite: SuiteRecord) -> Observed {
        let commands = record.stage(of: suite)?.commands ?? []
        let used = commands.compactMap(\.resources)
        return Observed(
            wallSeconds: suite.durationSeconds,
            cpuSeconds: used.isEmpty ? nil : used.reduce(0) { $0 + $1.cpuSeconds },
            peakMemoryBytes: used.map(\.peakMemoryBytes).max(), hosts: Array(Set(commands.flatMap(\.hosts))).sorted())
    }

    /// Every file of the cycle folder that a stage run left, in the order of a reader's interest.
    func files(_ stage: StageRecord) -> [String] {
        var files = stage.commands.compactMap(\.log)
        if let tests = stage.suite?.testsFile { files.append(tests) }
        files += stage.suite?.reports ?? []
        if let probes = stage.probes?.file { files.append(probes) }
        files += (stage.targets ?? []).compactMap(\.evidence).filter { !files.contains($0) }
        if let patch = stage.role?.patch { files.append(patch) }
        return files
    }

    /// Every console log, with the command that wrote it and how that ended.
    var logs: [(path: String, command: String, end: String, bytes: Int64?)] {
        record.stages.flatMap { stage in
            stage.commands.compactMap { command in
                command.log.map { path in
                    let end =
                        command.limitHit ?? command.signal.map { "signal \($0)" } ?? command.exit.map { "exit \($0)" }
                        ?? command.problem ?? "-"
                    return (path, command.command.joined(separator: " "), end, command.logBytes)
                }
            }
        }
    }

    /// A file's name without the folder of its stage: `console.log`, `target-1/console.log`.
    func shortName(_ file: String, in stage: StageRecord) -> String {
        guard file.hasPrefix(stage.run.folder), file.count > stage.run.folder.count + 1 else { return file }
        return String(file.dropFirst(stage.run.folder.count + 1))
    }

    // MARK: Readiness

    /// `(1 x 100 + 1 x 95) / 2 = 97.5`
    var readinessFormula: String? {
        guard let readiness = record.readiness else { return nil }
        let terms = readiness.components.map { part in
            "\(Numbers.grouped(part.weight)) x \(Numbers.fixed(part.score ?? 0, decimals: 1))"
        }
        let weights = readiness.components.reduce(0) { $0 + $1.weight }
        return "(\(terms.joined(separator: " + "))) / \(Numbers.grouped(weights)) = "
            + Numbers.fixed(readiness.score, decimals: 1)
    }
}

extension Numbers {
    /// Percent with at most one decimal; what is not quite 100 is not called 100, what is not quite 0 not 0.
    package static func percent(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        if value > 99.9, value < 100 { return "99.9 %" }
        if value > 0, value < 0.05 { return "<0.1 %" }
        let text = fixed(value, decimals: 1)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " %"
    }

    /// Seconds with at most two decimals, below ten minutes; longer ones as durations.
    package static func seconds(_ value: Double) -> String {
        value < 600 ? "\(grouped((value * 100).rounded() / 100)) s" : Durations.text(seconds: value)
    }

    /// A measured value: about four digits that mean something, and no zeros at the end.
    package static func measure(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "unknown" }
        if value == value.rounded() || abs(value) >= 100_000 { return grouped(Int(value.rounded())) }
        guard abs(value) >= 100 else { return Measure.text(value) }
        let text = fixed(value, decimals: 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
