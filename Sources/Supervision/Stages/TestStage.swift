// SPDX-License-Identifier: Apache-2.0
// Runs one suite and reads what it reported. A test over its limit costs one result: the tool is ended, and the rest
// is run without it.

import Configuration
import Domain
import Engine
import Evidence
import Execution
import Platform
import Reporting
import TestReports

struct TestStage: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    /// Parts that a suite may fall into before the rest is given up: each costs one hanging test, or is one command line
    /// full of tests.
    private static let partsPerSuite = 20

    func perform(_ started: Stopwatch) async -> StageRecord {
        let settings = context.settings.current
        guard let suite = settings.suites.first(where: { $0.name == run.subject }) else {
            return started.record(run, .couldNotRun, "the configuration has no suite \(run.subject ?? "?")")
        }
        var values = PlaceholderValues(run, surroundings, settings)
        var commands: [SupervisedCommand] = []
        let testsRevision: Revision?
        do {
            testsRevision = try await worktree(suite, &values)
        } catch {
            return started.record(run, .couldNotRun, "\(error)", infrastructure: true)
        }
        if let before = suite.before {
            let done = await context.command(
                before, role: "before", of: run, values: values, leavesServices: suite.leavesServices)
            commands.append(done)
            guard done.succeeded else {
                let words = "before: \(done.words)\(done.lastLine.isEmpty ? "" : ": \(done.lastLine)")"
                let record = started.record(run, .couldNotRun, words, commands, infrastructure: true)
                return await putBack(suite, values, record, started)
            }
        }
        let known = await knownTests(suite)
        let reader = SuiteReader(context: context, run: run, suite: suite, known: known)
        reader.testsRevision = testsRevision
        let end = await runParts(suite, values, known, reader, &commands)
        let outcome = end == nil ? await reader.finish(commands: commands, duration: started.elapsed) : nil
        var measured: [TargetRecord]?
        if let outcome { measured = await measure(suite, outcome.reading, reader, values, &commands) }
        // What is not known cannot be taken out of them.
        if !reader.isWithheld {
            ArtifactKeeper(context: context, run: run).keep(suite.artifacts, from: values.workingDirectory)
        }
        guard let outcome else {
            let record = started.record(
                run, end?.outcome ?? .lost, end?.words ?? "no account", commands,
                infrastructure: end?.infrastructure ?? false)
            return await putBack(suite, values, record, started)
        }
        var record = await conclude(suite, outcome, commands, started)
        record.targets = measured
        return await putBack(suite, values, record, started)
    }

    /// The targets that are measured after the suite; nil where none is.
    private func measure(
        _ suite: SuiteSettings, _ reading: SuiteReading, _ reader: SuiteReader, _ values: PlaceholderValues,
        _ commands: inout [SupervisedCommand]
    ) async -> [TargetRecord]? {
        let measurement = TargetMeasurement(context: context, run: run)
        let targets = measurement.targets(of: suite.name)
        guard !targets.isEmpty else { return nil }
        return await measurement.measure(
            targets, values: values,
            results: .init(
                testsFile: reading.testsFile, reports: reading.reports, properties: reader.properties), &commands)
    }

    /// Runs `after`, however the stage ended: also after a cancellation, and where `before` failed half-way. What it could not
    /// put back is no word about the revision, and is said.
    private func putBack(
        _ suite: SuiteSettings, _ values: PlaceholderValues, _ record: StageRecord, _ started: Stopwatch
    ) async -> StageRecord {
        guard let after = suite.after else { return record }
        let (context, run) = (context, run)
        let done = await Task { await context.command(after, role: "after", of: run, values: values) }.value
        var record = record
        record.commands.append(done.record)
        record.endedAt = context.now()
        record.durationSeconds = started.elapsed.inSeconds
        if !done.succeeded {
            let words = "after: \(done.words)\(done.lastLine.isEmpty ? "" : ": \(done.lastLine)")"
            record.summary += "; \(words)"
            context.say(LogLine(.warn, run.stage, "\(suite.name) \(words)"))
        }
        return record
    }

    /// Tests that have a repository of their own, or are those of the revision under test, run in a clean worktree.
    /// Nil where they lie beside the configuration.
    private func worktree(_ suite: SuiteSettings, _ values: inout PlaceholderValues) async throws -> Revision? {
        guard let (repository, revision) = try await sources(suite) else { return nil }
        let folder = "\(context.layout.root)/worktrees/suite-\(StageRun.fileName(suite.name))"
        // A command that was begun before a restart still runs in it, and what `before` made there is made once.
        if ![context.folder(run), "\(context.folder(run)).before"].contains(where: { Files.exists("\($0)/claim") }) {
            try Files.createDirectories(Files.parent(of: folder))
            try await repository.makeWorktree(of: revision, at: folder)
        }
        values.workingDirectory = folder
        values["worktree"] = folder
        return revision
    }

    /// The tests stay the same while experiments vary the code, unless the run says which tests it wants.
    private func sources(_ suite: SuiteSettings) async throws -> (Repository, Revision)? {
        if suite.worktree, suite.repository == nil, let repository = context.repository {
            let held = run.purpose.isDeployedExperiment ? surroundings.wanted : nil
            return (repository, run.testsRevision ?? held ?? run.revision)
        }
        guard let settings = suite.repository else { return nil }
        let repository = Repository(path: settings.path, environment: context.environment)
        let ref = settings.ref
        return (repository, settings.fetch ? try await repository.fetched(ref) : try await repository.resolve(ref))
    }

    private struct EarlyEnd {
        var outcome: StageOutcome
        var words: String
        var infrastructure = false
    }

    // MARK: - Parts

    /// The suite, or the tests asked for; and again without a test that had to be cut.
    private func runParts(
        _ suite: SuiteSettings, _ values: PlaceholderValues, _ known: [KnownTest], _ reader: SuiteReader,
        _ commands: inout [SupervisedCommand]
    ) async -> EarlyEnd? {
        var wanted: [KnownTest]? = run.only.map { ids in
            ids.map { id in known.first { $0.id == id } ?? KnownTest(id: id, selector: nil) }
        }
        for part in 0..<TestStage.partsPerSuite {
            let role = part == 0 ? "main" : "rest-\(part)"
            let report = "\(context.temporaryFolder(run)).\(role)/report"
            var values = values
            values["report"] = report
            guard let choice = select(suite, wanted, reader) else { return nil }
            if choice.command.mentions("report") { try? Files.createDirectories(Files.parent(of: report)) }
            let follower = PartFollower(context: context, run: run, suite: suite, folder: folder(role), known: known)
            await follower.start()
            reader.begin(directory: values.workingDirectory)
            let done = await context.command(
                choice.command, role: role, of: run, values: values, leavesServices: suite.leavesServices)
            var console = await follower.finish()
            if done.result?.outcome != .stopped { console.failedFast = false }
            commands.append(done)
            switch done.result?.outcome {
            case .neverRan: return EarlyEnd(outcome: .neverRan, words: "fenced before its command ran: started again")
            case .lost: return EarlyEnd(outcome: .lost, words: done.words)
            case .couldNotStart, nil:
                // What earlier parts said stands.
                guard part > 0 else { return EarlyEnd(outcome: .couldNotRun, words: done.words, infrastructure: true) }
                reader.giveUp(because: "the command for the rest \(done.words)")
                return nil
            case .stopped where !console.wasEnded: return EarlyEnd(outcome: .stopped, words: "stopped on request")
            case .stopped, .exited, .signaled, .timedOut, .idleTimedOut: break
            }
            reader.take(done, console: console, report: report, directory: values.workingDirectory)
            if console.failedFast { reader.expect(known) }
            if let cut = console.cut {
                wanted = await rest(wanted, suite, values, known, reader, &commands)
                // What an experiment's runs show has a line of its own.
                if run.experiment == nil || wanted?.isEmpty == false {
                    context.say(LogLine(.fail, run.stage, cutWords(cut, suite, left: wanted)))
                }
            } else {
                wanted = console.failedFast ? nil : further(choice.left, reader)
            }
            guard let left = wanted, !left.isEmpty else { return nil }
        }
        reader.giveUp(because: "a suite is run in at most \(TestStage.partsPerSuite) parts")
        return nil
    }

    /// What the next command line is to run, after one that held as much as it could.
    private func further(_ left: [KnownTest], _ reader: SuiteReader) -> [KnownTest] {
        let open = left.filter { !reader.has($0.id) }
        guard !open.isEmpty, !reader.isSound else { return open }
        reader.giveUp(because: "the part before did not end soundly")
        return []
    }

    private func folder(_ role: String) -> String {
        role == "main" ? context.folder(run) : "\(context.folder(run)).\(role)"
    }

    /// The command for all tests; or, through `select`, for as many of `wanted` as one command line holds, with those that
    /// are left. Nil where none of them can be selected.
    private func select(
        _ suite: SuiteSettings, _ wanted: [KnownTest]?, _ reader: SuiteReader
    ) -> (command: CommandSettings, left: [KnownTest])? {
        guard let wanted, let select = suite.select else { return (suite.command, []) }
        var tests: [KnownTest] = []
        for test in wanted {
            if let refusal = Selection.refusal(select.arguments, test.selection, format: suite.console) {
                reader.refuse(test, because: refusal)
            } else {
                tests.append(test)
            }
        }
        let count = Selection.fitting(select.arguments, for: tests.map(\.selection), format: suite.console)
        guard count > 0 else { return nil }
        var filled = select
        filled.arguments = Selection.arguments(
            select.arguments, for: tests.prefix(count).map(\.selection), format: suite.console)
        return (filled, Array(tests.dropFirst(count)))
    }

    /// What is still to run after a cut: nil where it cannot be told or selected, with that said in the reader.
    private func rest(
        _ wanted: [KnownTest]?, _ suite: SuiteSettings, _ values: PlaceholderValues,
        _ known: [KnownTest], _ reader: SuiteReader, _ commands: inout [SupervisedCommand]
    ) async -> [KnownTest]? {
        var all = wanted ?? known
        if wanted == nil, let collect = suite.collect {
            let role = "collect"
            let done = await context.command(collect, role: role, of: run, values: values)
            commands.append(done)
            if done.succeeded, let bytes = try? Files.read("\(folder(role))/console.log", limit: 64 << 20) {
                all = TestIdentity.collected(String(decoding: bytes, as: UTF8.self), format: suite.console).map {
                    name in
                    KnownTest(id: TestIdentity.reportID(console: name, format: suite.console), selector: name)
                }
            } else {
                reader.noteUncollected(done.words)
                context.say(
                    LogLine(.warn, run.stage, "\(suite.name): collect \(done.words): what is left is not known"))
            }
        }
        reader.expect(all)
        guard !all.isEmpty, suite.select != nil else { return nil }
        return all.filter { !reader.has($0.id) }
    }

    /// `P0 chat chat::partial: 30.1s > testTimeout 30s, cut; 24 others go on`.
    private func cutWords(_ cut: ConsoleAccount.Cut, _ suite: SuiteSettings, left: [KnownTest]?) -> String {
        let limit = suite.testTimeout.map { " > testTimeout \(tenths($0, .toNearestOrAwayFromZero))" } ?? ""
        let rest =
            switch left?.count {
            case nil where suite.select == nil: "the rest cannot be selected"
            case nil: "which others are left is not known"
            case 0: "no other is left"
            case let count?: "\(count) \(count == 1 ? "other goes" : "others go") on"
            }
        let name = "P\(suite.priority) \(suite.name) \(cut.id)"
        return "\(name): \(tenths(cut.elapsed, .up))\(limit), cut; \(rest)"
    }

    /// Seconds, whatever the limit: what is a little over it must read so.
    private func tenths(_ duration: Duration, _ rule: FloatingPointRoundingRule) -> String {
        let tenths = (duration.inSeconds * 10).rounded(rule)
        return Numbers.fixed(tenths / 10, decimals: tenths.truncatingRemainder(dividingBy: 10) == 0 ? 0 : 1) + "s"
    }

    private func knownTests(_ suite: SuiteSettings) async -> [KnownTest] {
        await context.history.knownTests(of: suite.name)
    }

    // MARK: - The account

    private func conclude(
        _ suite: SuiteSettings, _ outcome: (reading: SuiteReading, isLimit: Bool), _ commands: [SupervisedCommand],
        _ started: Stopwatch
    ) async -> StageRecord {
        let reading = outcome.reading
        let totals = reading.totals
        let executed = totals.tests - totals.notRun
        let took = Durations.text(started.elapsed)
        var words = "P\(suite.priority) \(totals.passed + totals.flaky)/\(executed) \(took)"
        let result: StageOutcome
        if totals.failing > 0 {
            result = .failed
            let names = reading.notPassed.filter { $0.outcome.isFailure }.prefix(2).map(\.id).joined(separator: ", ")
            words += "; \(names)\(totals.failing > 2 ? " and \(totals.failing - 2) more" : "")"
        } else if let doubt = reading.doubts.first {
            result = outcome.isLimit ? .timedOut : .failed
            words += "; \(doubt.rule): \(doubt.text)"
        } else {
            result = .succeeded
            if totals.skipped > 0 { words += ", \(totals.skipped) skipped" }
        }
        var record = started.record(run, result, words, commands)
        record.suite = reading
        context.progress.remember(suite.name, seconds: record.durationSeconds, tests: totals.tests)
        return record
    }
}

/// A test as the suite's tool names it and as reports name it.
struct KnownTest: Hashable, Sendable {
    var id: String
    var selector: String?

    fileprivate var selection: Selection.Test { Selection.Test(id: id, selector: selector) }
}
