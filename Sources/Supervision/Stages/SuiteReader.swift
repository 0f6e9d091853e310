// SPDX-License-Identifier: Apache-2.0
// Gathers what the parts of one suite run said, from reports and from the console, into one reading.

import Domain
import Engine
import Evidence
import Execution
import Platform
import TestReports

final class SuiteReader {
    private let context: LoopContext
    private let run: StageRun
    private let suite: SuiteSettings
    private let selectors: [String: String]
    /// The tests of the last sound run.
    private let known: [String]
    private var results: [TestResult] = []
    private var indices: [String: Int] = [:]
    private var facts = SuiteFacts()
    private var expected: [KnownTest] = []
    private var expectedIDs: Set<String> = []
    /// Why single tests were not put onto a command line, by id.
    private var refused: [String: String] = [:]
    /// Whether a run was taken over whose secrets are not all known here: what it wrote itself is not kept.
    private(set) var isWithheld = false
    /// Why what was left was not run.
    private var givenUp: String?
    private var parts = 0
    /// How many tests the tool said it would run.
    private var announced: Int?
    /// Whether the report of the last part has an error outside any test.
    private var hasSuiteProblem = false
    private var reports: [String] = []
    private var cuts: [String] = []
    private var failedFast = false
    /// The commit of the tests, where they have a repository of their own.
    var testsRevision: Revision?
    /// Numbers that the reports give beside their tests.
    private(set) var properties: [ReportProperty] = []
    private(set) var isLimit = false
    /// Reports that lay at a fixed path before the command ran.
    private var before: [String: ReportState] = [:]

    init(context: LoopContext, run: StageRun, suite: SuiteSettings, known: [KnownTest]) {
        self.context = context
        self.run = run
        self.suite = suite
        self.known = known.map(\.id)
        selectors = Dictionary(
            known.compactMap { test in test.selector.map { (test.id, $0) } }, uniquingKeysWith: { $1 })
    }

    func has(_ id: String) -> Bool { indices[id] != nil }

    /// Tests that are to run: those without an outcome in the end are reported as not run.
    func expect(_ tests: [KnownTest]) {
        expected += tests.filter { expectedIDs.insert($0.id).inserted }
    }

    /// A test that cannot be selected.
    func refuse(_ test: KnownTest, because: String) {
        expect([test])
        refused[test.id] = "not run: \(because)"
    }

    /// Nothing more is run.
    func giveUp(because: String) { givenUp = "not run: \(because)" }

    /// Whether the last part, which ended by itself, came to a sound end, so that one more may follow: what a later part
    /// says must not cover what was wrong with an earlier one.
    var isSound: Bool {
        guard facts.reportProblem == nil, !hasSuiteProblem, !facts.wasSignaled, facts.limitHit == nil else {
            return false
        }
        let failing = facts.failingAtExit ?? 0
        guard let exit = facts.exit, exit != 0 else { return failing == 0 }
        return failing > 0 || suite.exitCodes.contains(Int(exit))
    }

    // MARK: - One part

    /// Remembers what lies at a fixed report path: a report that is still the same afterwards is a stale one, however
    /// young it is (runs of a test again follow within a second).
    func begin(directory: String) {
        guard let pattern = suite.reportPath else { return }
        before = Dictionary(
            Reports.find(pattern, in: directory).map { ($0, ReportState($0)) }, uniquingKeysWith: { $1 })
    }

    func take(
        _ done: SupervisedCommand, console: ConsoleAccount, report: String, directory: String
    ) {
        parts += 1
        facts.durationSeconds += done.record.durationSeconds
        if let cpu = done.record.resources?.cpuSeconds { facts.cpuSeconds = (facts.cpuSeconds ?? 0) + cpu }
        facts.peakMemoryBytes = [facts.peakMemoryBytes, done.record.resources?.peakMemoryBytes].compactMap { $0 }.max()
        facts.hosts = Array(Set(facts.hosts + done.record.hosts)).sorted()
        if !console.wasEnded {
            facts.exit = done.result?.exit
            facts.wasSignaled = done.result?.outcome == .signaled
            facts.limitHit = done.record.limitHit
            isLimit = done.record.limitHit != nil
        } else {
            failedFast = console.failedFast
        }
        // Only pytest says a number that its report must agree with; a part that was ended agrees with nothing.
        let isWhole = suite.console == .pytest && !console.wasEnded && parts == 1
        facts.collected = isWhole ? console.collected : nil
        if parts == 1 { announced = console.collected }
        let reading = read(done, report: report, directory: directory, wasCut: console.wasEnded)
        for result in reading?.results ?? [] { add(result, selector: console.selectors[result.id]) }
        properties += reading?.properties ?? []
        facts.suiteProblems += reading?.suiteProblems ?? []
        hasSuiteProblem = reading?.suiteProblems.isEmpty == false
        facts.disagreements += reading?.disagreements ?? []
        var failing = (reading?.results ?? []).count { $0.outcome.isFailure }
        for result in console.results where indices[result.id] == nil {
            var seen = result
            seen.fromConsole = true
            if seen.outcome.isFailure { failing += 1 }
            add(seen, selector: result.selector)
        }
        if reading == nil, !console.wasEnded, let open = console.open, note(open, leftBy: done) { failing += 1 }
        if !console.wasEnded { facts.failingAtExit = failing }
        if let cut = console.cut, let limit = suite.testTimeout {
            cuts.append(cut.id)
            let seconds = Double(cut.elapsed.milliseconds) / 1000
            add(
                TestResult(
                    id: cut.id, outcome: .timedOut, durationSeconds: seconds,
                    message: "cut after \(tenths(seconds))s > testTimeout \(tenths(limit.inSeconds))s",
                    fromConsole: true),
                selector: cut.selector)
        }
    }

    /// The tool ended without a report while a test was running: that test broke, and the rest did not run. A suite
    /// that hit its own limit says nothing against the test that happened to run. Answers whether it counts as failed.
    private func note(_ open: ConsoleAccount.Cut, leftBy done: SupervisedCommand) -> Bool {
        if let problem = facts.reportProblem {
            facts.reportProblem = (problem.rule, "\(problem.text), while \(open.id) was running")
        }
        guard done.result?.outcome == .exited || done.result?.outcome == .signaled else { return false }
        add(
            TestResult(
                id: open.id, outcome: .errored, durationSeconds: Double(open.elapsed.milliseconds) / 1000,
                message: "the test program ended while the test was running: \(done.words)", fromConsole: true),
            selector: open.selector)
        return true
    }

    private func tenths(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// Parts may report a test twice, where the tool selects more than it was asked to: a failure is not taken back.
    private func add(_ result: TestResult, selector: String?) {
        var result = result
        result.selector = result.selector ?? selector ?? selectors[result.id]
        if let index = indices[result.id] {
            if results[index].outcome.isFailure, !result.outcome.isFailure { return }
            results[index] = result
        } else {
            indices[result.id] = results.count
            results.append(result)
        }
    }

    /// The report of a part; what is wrong with it goes to the facts. A part that was cut owes no report.
    private func read(
        _ done: SupervisedCommand, report: String, directory: String, wasCut: Bool
    ) -> ReportReading? {
        isWithheld = isWithheld || knowsNotAllSecrets(of: done)
        let log = "\(done.folder)/console.log"
        let redaction = context.secrets.redaction
        let paths: [String]
        switch suite.reportFormat {
        case .console: return nil
        case .goTestJSON where suite.reportPath == nil && !Files.exists(report),
            .tap where suite.reportPath == nil && !Files.exists(report):
            paths = [log]
        default:
            paths = suite.reportPath.map { Reports.find($0, in: directory) } ?? [report].filter { Files.exists($0) }
        }
        if paths.isEmpty {
            if !wasCut { facts.reportProblem = ("report-missing", "no report after \(done.words)") }
            return nil
        }
        var whole: ReportReading?
        for path in paths {
            if suite.reportPath != nil, path != log, isStale(path, done) {
                if !wasCut {
                    let name = redaction.text(path)
                    facts.reportProblem = ("report-stale", "the report \(name) was not written during the stage")
                }
                continue
            }
            do {
                let reading = try Reports.read(path, suite.reportFormat)
                whole = whole.map { $0.joined(reading) } ?? reading
            } catch let damage as ReportDamage {
                if !wasCut { facts.reportProblem = ("report-damaged", redaction.text("\(damage)")) }
                whole = whole.map { $0.joined(damage.reading) } ?? damage.reading
            } catch {
                if !wasCut { facts.reportProblem = ("report-unreadable", redaction.text("\(error)")) }
            }
            if path != log, !isWithheld { keep(path) }
        }
        let clean = whole.map { $0.redacted(redaction) }
        // The console was redacted by the shepherd, which knows what the command was given.
        return isWithheld && paths != [log] ? clean?.withheld : clean
    }

    /// Whether a command that an earlier daemon began was given secrets that this one never saw: commands print another
    /// value each time.
    private func knowsNotAllSecrets(of done: SupervisedCommand) -> Bool {
        guard let recovery = done.result?.recovery else { return false }
        let names = (suite.command.secrets + (suite.select?.secrets ?? [])).filter { name in
            if case .command = context.settings.current.secrets[name] { true } else { false }
        }
        guard !names.isEmpty else { return false }
        context.say(
            LogLine(
                .warn, "test",
                "\(suite.name): \(recovery); its report and artifacts are not kept and its texts are withheld, since the value that "
                    + "\(Set(names).sorted().joined(separator: ", ")) had then is not known"))
        return true
    }

    private func isStale(_ path: String, _ done: SupervisedCommand) -> Bool {
        if Reports.isOlder(path, than: done.record.startedAt) { return true }
        // A command that was taken over may have written it before we looked.
        guard done.result?.recovery == nil, let old = before[path] else { return false }
        return old == ReportState(path)
    }

    /// Keeps the report as the tool wrote it, redacted.
    private func keep(_ path: String) {
        let name =
            "report\(reports.isEmpty ? "" : "-\(reports.count + 1)").\(suite.reportFormat == .ctrf ? "json" : "xml")"
        let target = "\(context.folder(run))/\(name)"
        do {
            try RedactedCopy.copy(path, to: target, needles: context.secrets.needles)
            reports.append("\(run.folder)/\(name)")
        } catch {
            context.say(LogLine(.warn, "test", "\(suite.name): the report could not be kept: \(error)"))
        }
    }

    /// The tests that are left after a cut could not be asked for.
    func noteUncollected(_ problem: String) { facts.collectProblem = problem }

    // MARK: - All parts

    func finish(commands: [SupervisedCommand], duration: Duration) async -> (reading: SuiteReading, isLimit: Bool) {
        for test in expected where indices[test.id] == nil {
            let why = refused[test.id] ?? (failedFast ? "not run: rule fail-fast, a test before it failed" : noOutcome)
            add(TestResult(id: test.id, outcome: .notRun, message: why), selector: test.selector)
        }
        var chosen = results
        if let only = run.only {
            let wanted = Set(only)
            chosen = results.filter { wanted.contains($0.id) }
            let missing = only.filter { indices[$0] == nil }
            chosen += missing.map {
                TestResult(id: $0, outcome: .notRun, message: givenUp ?? "was asked for and did not run")
            }
        }
        facts.results = chosen
        facts.totals = Totals(chosen)
        countUnnamed()
        facts.isSelection = run.only != nil
        await lookBack()
        let file = "\(run.folder)/tests.jsonl"
        do {
            try Files.createDirectories(context.folder(run))
            _ = try TestsFile.write(chosen, to: "\(context.layout.cycle(run.cycle))/\(file)")
        } catch {
            facts.reportProblem = facts.reportProblem ?? ("evidence", "the results could not be written: \(error)")
        }
        let notPassed = chosen.filter { $0.outcome != .passed }
        let doubts = SuiteRules.doubts(facts, exitCodes: suite.exitCodes, allowAllSkipped: suite.allowAllSkipped)
        let reading = SuiteReading(
            totals: facts.totals, notPassed: Array(notPassed.prefix(Limits.notPassedInRecord)), testsFile: file,
            reports: reports,
            authenticity: SuiteRules.authenticity(facts, real: suite.real, doubts: doubts), doubts: doubts, cut: cuts,
            testsRevision: testsRevision)
        return (reading, isLimit)
    }

    /// After a cut, where nothing tells which tests are left (no run before this one, no `collect`), the number that the tool
    /// gave is all that is known of them.
    private func countUnnamed() {
        guard !cuts.isEmpty, expected.isEmpty else { return }
        let left = announced.map { max(0, $0 - results.count) }
        guard left != 0 else { return }
        facts.totals.tests += left ?? 0
        facts.totals.notRun += left ?? 0
        facts.unaccounted =
            "\(cuts.joined(separator: ", ")) was cut, and which tests were left could not be told (collect, select)"
    }

    /// What the soft rules compare with. Looked up before they judge; their judgement goes into the journal.
    private func lookBack() async {
        let usual = await context.history.usual(of: suite.name)
        facts.baseline = usual.baseline
        facts.pastProblem = usual.unread
        if !facts.isSelection, let problem = usual.unread ?? usual.warning {
            context.say(LogLine(.warn, "test", "\(suite.name): \(problem)"))
        }
        facts.timingPrint = TimingPrint.of(facts.results.lazy.map { ($0.id, $0.outcome, $0.durationSeconds) })
        facts.vanished = known.isEmpty ? nil : known.count { indices[$0] == nil }
        guard !facts.isSelection, let last = usual.last, SuiteRules.asksForTestChanges(facts) else {
            return
        }
        facts.testsChanged = await TestSources(context: context, suite: suite).changed(
            since: last, to: run.revision, tests: testsRevision)
    }

    private var noOutcome: String {
        givenUp ?? cuts.last.map { "not run after \($0) was cut" } ?? "no outcome was reported"
    }
}

/// What tells one writing of a file from the next.
private struct ReportState: Hashable {
    var modified: Int64?
    var size: Int64?

    init(_ path: String) {
        modified = Files.modifiedMilliseconds(path)
        size = Files.size(of: path)
    }
}

/// Report files on disk.
enum Reports {
    /// Files that match a glob relative to `directory`, sorted; `*` may span folders.
    static func find(_ pattern: String, in directory: String) -> [String] {
        let isAbsolute = pattern.hasPrefix("/")
        let full = isAbsolute ? pattern : "\(directory)/\(pattern)"
        guard full.contains(where: { $0 == "*" || $0 == "?" }) else { return Files.exists(full) ? [full] : [] }
        let fixed = full.prefix { $0 != "*" && $0 != "?" }
        let root = String(fixed[..<(fixed.lastIndex(of: "/") ?? fixed.startIndex)])
        return walk(root.isEmpty ? "/" : root, depth: 0).filter { Glob.matches(full, $0) }.sorted()
    }

    private static func walk(_ folder: String, depth: Int) -> [String] {
        guard depth < 12, let names = try? Files.list(folder) else { return [] }
        var found: [String] = []
        for name in names {
            let path = "\(folder)/\(name)"
            if Files.kind(of: path) == .directory { found += walk(path, depth: depth + 1) } else { found.append(path) }
        }
        return found
    }

    static func isOlder(_ path: String, than start: Timestamp) -> Bool {
        guard let modified = Files.modifiedMilliseconds(path) else { return true }
        // File systems keep times in coarser steps than the clock: two seconds are forgiven.
        return modified < start.milliseconds - 2000
    }

    static func read(_ path: String, _ format: ReportFormat) throws -> ReportReading {
        guard let size = Files.size(of: path), size <= Limits.reportBytes else {
            throw SystemError(
                code: 27, attempted: "read the report (larger than \(Limits.reportBytes) bytes)", path: path)
        }
        var stream = ReportStream(format)
        try Files.readInPieces(path) { stream.push($0) }
        return try stream.finish()
    }
}
