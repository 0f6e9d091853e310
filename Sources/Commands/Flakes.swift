// SPDX-License-Identifier: Apache-2.0
// `nightjar flakes`: tests that fail without a cause in the code, from the history of all cycles.

import Domain
import Engine
import Evidence
import Reporting

struct FlakesCommand: Command {
    static let description = CommandDescription(
        "flakes", "tests by how often they fail without a cause in the code",
        details: [
            "The rate is the share of failures among whole runs on revisions on which the test also passes, with its 95 % interval. Mass failures, runs on an environment that was not well, contradicted evidence and failures with a diagnosed cause do not count."
        ],
        operands: [OperandDescription("TEST", "its id or a part of it: its outcomes over the cycles")],
        options: CommandDescription.loopOptions + [
            .value("suite", "NAME", short: "s", "only this suite"),
            .value("since", "WHEN", "runs from then on: 7d, 12h, or 2026-11-01"),
            .value("cycles", "A..B", "runs of these cycles: 100..200, 100.. or ..200"),
            .value("limit", "N", short: "n", "at most N tests (default 20)"), .json,
        ],
        examples: [
            .init("nightjar flakes --since 7d", "What was flaky this week."),
            .init("nightjar flakes test_login", "The past of one test, run by run."),
        ],
        exits: [.init(.ok, "listed, also where there are none"), .init(.notFound, "no such loop, suite or test")])

    func run(_ context: Context) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let limit = try context.arguments.integer("limit", in: 1...100_000) ?? 20
        let selection = try FlakesCommand.selection(context)
        let suites = try await chosenSuites(context, loop)
        let quarantine = Quarantine(FlakesCommand.quarantine(loop), at: context.now())
        if let test = context.arguments.operand(0) {
            return try await show(test, suites, selection, quarantine, loop, context)
        }
        let layout = loop.layout
        let name = loop.name
        let report = try await EvidenceReading.run { () throws(EvidenceError) in
            try FlakesCommand.report(name, layout, suites, selection, limit, quarantine)
        }
        try context.output.result(report, json: context.wantsJSON) {
            FlakesText.text(report, columns: context.output.columns, palette: context.output.palette)
        }
        return .ok
    }

    // MARK: - What is asked about

    private func chosenSuites(_ context: Context, _ loop: LoopPlace) async throws -> [String] {
        let layout = loop.layout
        let known = try await EvidenceReading.run { () throws(EvidenceError) in try HistoryTable.suites(layout) }
        guard let wanted = context.arguments.value("suite") else { return known }
        guard known.contains(wanted) else {
            let list = known.isEmpty ? "it has none yet" : "it has \(Plurals.list(known, limit: 8))"
            throw CommandError.notFound(
                "loop '\(loop.name)' has no history of a suite '\(wanted)': \(list)\(NearestWord.hint(wanted, among: known))"
            )
        }
        return [wanted]
    }

    /// The quarantine by the configuration file, or by the policy that the journal names.
    private static func quarantine(_ loop: LoopPlace) -> [QuarantineEntry] {
        if let settings = loop.settings { return settings.quarantine }
        var policy: LoopPolicy?
        try? JournalReader(loop.layout).forEach { entry in
            switch entry.event {
            case .settingsAdopted(let adopted): policy = adopted.policy
            case .memoryCarried(let memory): policy = memory.policy ?? policy
            default: break
            }
        }
        return policy?.quarantine ?? []
    }

    static func selection(_ context: Context) throws -> HistoryTable.Selection {
        var selection = HistoryTable.Selection()
        if let text = context.arguments.value("since") {
            guard let since = start(text, context.now()) else {
                throw CommandError.usage(
                    "option '--since' takes a time such as 7d, 12h or a date such as 2026-11-01, not '\(text)'",
                    command: "flakes")
            }
            selection.since = since
        }
        if let text = context.arguments.value("cycles") {
            guard let cycles = range(text) else {
                throw CommandError.usage(
                    "option '--cycles' takes 100..200, 100.. or ..200, not '\(text)'", command: "flakes")
            }
            selection.cycles = cycles
        }
        return selection
    }

    private static func start(_ text: String, _ now: Timestamp) -> Timestamp? {
        if let back = DurationArgument.parse(text) { return now + .milliseconds(-back.milliseconds) }
        return Timestamp(text) ?? Timestamp("\(text)T00:00:00Z")
    }

    private static func range(_ text: String) -> ClosedRange<Int>? {
        guard let dots = text.firstRange(of: "..") else { return nil }
        let (low, high) = (text[..<dots.lowerBound], text[dots.upperBound...])
        guard let first = low.isEmpty ? 1 : Int(low), let last = high.isEmpty ? Int.max : Int(high), first >= 1,
            first <= last
        else { return nil }
        return first...last
    }

    // MARK: - All tests

    private static func report(
        _ loop: String, _ layout: EvidenceLayout, _ suites: [String], _ selection: HistoryTable.Selection,
        _ limit: Int, _ quarantine: Quarantine
    ) throws(EvidenceError) -> FlakesReport {
        var rows: [FlakeRow] = []
        var report = FlakesReport(
            loop: loop, suites: [], firstCycle: nil, lastCycle: nil, suiteRuns: 0, tests: [], unlisted: 0,
            failedWithCause: 0, neverFailed: 0)
        for suite in suites {
            guard let table = try HistoryTable.load(layout, suite: suite, selection: selection),
                let cycles = table.cycles
            else { continue }
            report.suites.append(suite)
            report.suiteRuns += table.runCount
            report.firstCycle = min(report.firstCycle ?? .max, cycles.lowerBound)
            report.lastCycle = max(report.lastCycle ?? 0, cycles.upperBound)
            let found = table.statistics()
            report.neverFailed += found.neverFailed
            rows += found.tests.map { FlakeRow($0, quarantine) }
        }
        let flaky = rows.filter(\.isFlaky).sorted {
            ($0.flakeRate.estimate, $0.mixedRevisions, $1.test) > ($1.flakeRate.estimate, $1.mixedRevisions, $0.test)
        }
        report.failedWithCause = rows.count - flaky.count
        report.tests = Array(flaky.prefix(limit))
        report.unlisted = flaky.count - report.tests.count
        return report
    }

    // MARK: - One test

    private func show(
        _ wanted: String, _ suites: [String], _ selection: HistoryTable.Selection, _ quarantine: Quarantine,
        _ loop: LoopPlace, _ context: Context
    ) async throws -> ExitCode {
        let layout = loop.layout
        let (found, known) = try await EvidenceReading.run { () throws(EvidenceError) in
            try FlakesCommand.find(wanted, layout, suites, selection, quarantine)
        }
        if found.isEmpty {
            throw CommandError.notFound(
                "loop '\(loop.name)' has no history of a test '\(wanted)'\(NearestWord.hint(wanted, among: known))")
        }
        guard found.count == 1, let past = found.first else {
            let names = found.map { "\($0.figures.suite) \($0.figures.test)" }
            throw CommandError.usage(
                "'\(wanted)' names \(Plurals.count(found.count, "test")): \(Plurals.list(names, limit: 8)); say more of it, or --suite",
                command: "flakes")
        }
        try context.output.result(past, json: context.wantsJSON) {
            past.text(columns: context.output.columns, palette: context.output.palette)
        }
        return .ok
    }

    /// The tests that `wanted` names exactly, or else those whose id contains it; and all ids, for a hint.
    private static func find(
        _ wanted: String, _ layout: EvidenceLayout, _ suites: [String], _ selection: HistoryTable.Selection,
        _ quarantine: Quarantine
    ) throws(EvidenceError) -> (found: [TestPast], known: [String]) {
        var exact: [TestPast] = []
        var partial: [TestPast] = []
        var known: [String] = []
        for suite in suites {
            guard let table = try HistoryTable.load(layout, suite: suite, selection: selection) else { continue }
            known += table.tests
            for test in table.tests where test.contains(wanted) && (test == wanted || partial.count < 100) {
                guard let statistics = table.statistics(of: test) else { continue }
                let past = past(FlakeRow(statistics, quarantine), table, layout)
                if test == wanted { exact.append(past) } else { partial.append(past) }
            }
        }
        return (exact.isEmpty ? partial : exact, known)
    }

    private static func past(_ row: FlakeRow, _ table: HistoryTable, _ layout: EvidenceLayout) -> TestPast {
        let runs = table.moments(of: row.test).map {
            PastRun(
                cycle: $0.cycle, purpose: $0.purpose, outcome: $0.outcome, counts: $0.counts,
                isExplained: $0.isExplained)
        }
        var past = TestPast(figures: row, runs: runs)
        if let cycle = row.lastFailedCycle, let record = try? CycleReader(layout).record(cycle) {
            let results = record.stages.filter { $0.run.subject == row.suite }.compactMap(\.suite).flatMap(\.notPassed)
            past.lastMessage = results.last { $0.id == row.test && $0.outcome.isFailure }?.message
            past.lastMessageCycle = past.lastMessage == nil ? nil : cycle
        }
        return past
    }
}

extension RateFigures {
    init(_ rate: Rate) {
        self.init(failures: rate.failures, runs: rate.runs, estimate: rate.estimate, low: rate.low, high: rate.high)
    }
}

extension FlakeRow {
    init(_ statistics: TestStatistics, _ quarantine: Quarantine) {
        self.init(
            suite: statistics.suite, test: statistics.test, flakeRate: RateFigures(statistics.flakes),
            recentRate: RateFigures(statistics.recent), runs: statistics.runs, failures: statistics.failures,
            explainedFailures: statistics.explained, repeatedRevisions: statistics.repeatedRevisions,
            mixedRevisions: statistics.mixedRevisions, trend: Trend(statistics.trend),
            firstCycle: statistics.firstCycle, lastFlakeCycle: statistics.lastFlakeCycle,
            lastFailedCycle: statistics.lastFailedCycle, lastPassed: statistics.lastPassed,
            passesInARow: statistics.passesInARow, usualSeconds: statistics.usualSeconds,
            quarantine: quarantine.entry(for: statistics.test))
    }
}

extension FlakeRow.Trend {
    init(_ trend: TestStatistics.Trend) {
        switch trend {
        case .rising: self = .rising
        case .falling: self = .falling
        case .steady: self = .steady
        case .unknown: self = .unknown
        }
    }
}
