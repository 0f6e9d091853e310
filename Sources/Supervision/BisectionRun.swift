// SPDX-License-Identifier: Apache-2.0
// A search by hand from its first deployment to the way back. Every stage is written down before it begins, so that who
// finds an unfinished search knows what may still be running and what was live before.

import Configuration
package import Domain
import Evidence
import Execution
import Platform
import Reporting
import Triage

extension Bisection {
    /// Asks the search to end: a test is cut, a deployment is waited for, and the environment is put back.
    package func stop() { switchboard.throwOver() }

    /// Runs the search to its end. SIGINT and SIGTERM end it as `stop` does; the way back is never cut.
    package func run() async throws(BisectionError) -> BisectionRecord {
        SignalRelay.shared.hand(to: { [self] signal in
            guard signal != SignalSource.hangup else { return }
            context.say(LogLine(.hold, "bisect", "asked to stop: \(plan.restoreTo.short) is put back first"))
            stop()
        })
        defer { SignalRelay.shared.hand(to: nil) }
        var run = BisectionRun(self)
        try await run.begin()
        await run.search()
        await run.putBack()
        return run.end()
    }

    /// Takes up what a killed search left: waits for the stage that was under way, and puts the environment back.
    static func finishAbandoned(
        _ start: LoopStart, _ runner: CommandRunner, say: @escaping @Sendable (LogLine) -> Void
    ) async {
        let bisections = EvidenceLayout(root: start.loaded.settings.stateDirectory).bisections
        var left: BisectionRecord?
        do {
            left = try BisectionFile.numbers(in: bisections).last.flatMap { try BisectionFile.read($0, in: bisections) }
        } catch {
            let words = "the last search by hand cannot be read, so what it left live is unknown: \(error)"
            return say(LogLine(.warn, "bisect", words))
        }
        guard let record = left, record.state == .running else { return }
        say(LogLine(.warn, "bisect", "search \(record.number) was killed: \(record.restoreTo.short) is put back"))
        var run = BisectionRun(record, context(start, runner, say: say))
        await run.takeUp()
        await run.putBack()
        _ = run.end()
    }
}

/// The search as it goes on.
struct BisectionRun {
    private let context: LoopContext
    private let commits: [CommitInfo]
    private let tests: [BisectionTest]
    private let switchboard: StopSwitch
    private var schedule: CulpritSchedule?
    private var record: BisectionRecord
    /// What this search has made live and proven. Nothing at the beginning, whatever is live: a deployment may cure a
    /// failure of the surroundings, so what a fresh one shows counts alone.
    private var deployed: Revision?
    private var untestable: [Revision: String] = [:]

    init(_ bisection: Bisection) {
        context = bisection.context
        commits = bisection.commits
        tests = bisection.tests
        switchboard = bisection.switchboard
        let plan = bisection.plan
        record = BisectionRecord(
            number: bisection.number, loop: bisection.context.settings.current.name, good: plan.good, bad: plan.bad,
            commits: plan.commits, restoreTo: plan.restoreTo, startedAt: bisection.context.now(),
            plannedDeploys: plan.deploys, maximumDeploys: plan.maximumDeploys)
        let searches = zip(bisection.tests, bisection.costs.runSeconds).map { test, seconds in
            BisectionRun.search(test, seconds, bisection.commits, plan)
        }
        schedule = CulpritSchedule(searches, deployCost: bisection.costs.deploySeconds)
    }

    /// Of an earlier process: it is only ended.
    init(_ abandoned: BisectionRecord, _ context: LoopContext) {
        self.context = context
        commits = []
        tests = []
        switchboard = StopSwitch()
        record = abandoned
        record.stoppedBecause = "its process was killed"
    }

    private static func search(
        _ test: BisectionTest, _ seconds: Double, _ commits: [CommitInfo], _ plan: BisectionPlan
    ) -> CulpritSearch {
        let rate = BetaDistribution.flakeRate(of: test.history)
        let clue = test.failure ?? TestResult(id: test.id, outcome: .failed)
        return CulpritSearch(
            green: plan.good, suspects: commits.map(\.revision),
            weights: CulpritPriors.weights(commits, failing: [clue]),
            settings: CulpritSettings(
                flakeRate: rate, nonePrior: CulpritSettings.nonePrior(flakeRate: rate, suspects: commits.count),
                runCost: max(0.01, seconds), confidence: plan.confidence, maximumRuns: 200))
    }

    // MARK: - The search

    mutating func begin() async throws(BisectionError) {
        do {
            try Files.createDirectories(context.layout.cycle(record.number))
            try BisectionFile.write(record, in: context.layout)
        } catch {
            throw .cannotRun("\(error)")
        }
        let names = tests.map(\.id).joined(separator: ", ")
        say(
            .plan,
            "\(names): \(record.commits) commits, \(record.plannedDeploys) deploys usually, \(record.maximumDeploys) at most"
        )
    }

    mutating func search() async {
        while record.stoppedBecause == nil, let step = nextStep() {
            if switchboard.isOn {
                record.stoppedBecause = "asked to stop"
                break
            }
            guard await bringUp(step.revision) else { continue }
            await runTests(step)
        }
        if switchboard.isOn, record.stoppedBecause == nil, nextStep() != nil { record.stoppedBecause = "asked to stop" }
    }

    /// Where no deployment is left, only what is deployed can still be asked.
    private mutating func nextStep() -> CulpritStep? {
        guard var schedule else { return nil }
        let isSpent = record.deploys >= record.maximumDeploys
        if isSpent { schedule.deployCost = 1e12 }
        guard let step = schedule.next(deployed: deployed) else { return nil }
        if isSpent, step.revision != deployed {
            record.stoppedBecause = "\(record.maximumDeploys) deploys are spent"
            return nil
        }
        return step
    }

    /// Whether the revision is live and can be asked.
    private mutating func bringUp(_ revision: Revision) async -> Bool {
        guard revision != deployed else { return true }
        let left =
            schedule.map { $0.searches.map { search in search.ranked.count { $0.probability > 0.001 } }.max() ?? 0 }
            ?? 0
        say(.plan, "deploy \(revision.short)\(subject(revision)): \(Plurals.count(left, "suspect")) left")
        deployed = nil
        let deploy = await deploy(revision, .bisect)
        if deploy.outcome == .stopped || switchboard.isOn { return false }
        switch deploy.outcome {
        case .succeeded: break
        case .lost where deploy.live?.revision?.names(revision) == true: break
        case .refused:
            record.stoppedBecause = deploy.summary
            return false
        case .couldNotRun:
            record.stoppedBecause = "infrastructure: \(deploy.summary)"
            return false
        case .failed, .timedOut, .lost, .stopped, .neverRan:
            skip(revision, "deploy: \(deploy.summary)")
            return false
        }
        if let problem = await proof(revision, .bisect) {
            if !switchboard.isOn { skip(revision, "not stable: \(problem)") }
            return false
        }
        deployed = revision
        return true
    }

    private mutating func skip(_ revision: Revision, _ because: String) {
        untestable[revision] = because
        say(.skip, "\(revision.short) cannot be asked: \(because)")
        guard var schedule else { return }
        for index in schedule.searches.indices { schedule.searches[index].markUntestable(revision) }
        self.schedule = schedule
        if revision == record.bad {
            record.stoppedBecause = "infrastructure: \(revision.short), the bad end, \(because)"
        }
    }

    // MARK: - Tests

    private mutating func runTests(_ step: CulpritStep) async {
        var seen = tests.map { _ in RunCounts() }
        var problems: [Int: String] = [:]
        for round in 1...max(1, step.times.max() ?? 1) {
            let wanted = step.times.indices.filter { step.times[$0] >= round && problems[$0] == nil }
            for suite in Set(wanted.map { tests[$0].suite }).sorted() {
                let members = wanted.filter { tests[$0].suite == suite }
                let isSelectable = members.allSatisfy { tests[$0].isSelectable }
                var run = StageRun(
                    cycle: record.number, kind: .test, purpose: .bisect, subject: suite, attempt: 1,
                    revision: step.revision, only: isSelectable ? members.map { tests[$0].id } : nil)
                run.attempt = nextAttempt(run)
                let result = await perform(run, mayCut: true)
                if switchboard.isOn { return }
                for index in members {
                    switch observed(tests[index].id, result) {
                    case .success(let counts): seen[index] = seen[index] + counts
                    case .failure(let problem): problems[index] = problem.words
                    }
                }
            }
        }
        if let others = await superseded(step.revision) {
            record.stoppedBecause = others
            record.environment = .superseded
            return
        }
        note(seen, problems, on: step.revision)
    }

    private struct NotObserved: Error {
        var words: String
    }

    private func observed(_ test: String, _ result: StageRecord) -> Result<RunCounts, NotObserved> {
        guard let suite = result.suite else { return .failure(NotObserved(words: result.summary)) }
        if let listed = suite.notPassed.first(where: { $0.id == test }) {
            switch listed.outcome {
            case .failed, .errored, .timedOut: return .success(RunCounts(fails: 1))
            // The tool ran it twice: once it failed, once it passed.
            case .flaky: return .success(RunCounts(fails: 1, passes: 1))
            case .passed: return .success(RunCounts(passes: 1))
            case .skipped, .notRun:
                return .failure(NotObserved(words: "\(test) \(listed.outcome.rawValue): \(listed.message ?? "")"))
            }
        }
        let path = suite.testsFile.map { "\(context.layout.cycle(record.number))/\($0)" }
        let found = path.flatMap { path in (try? TestsFile.find(id: test, in: path)) ?? nil }
        if found?.outcome == .passed { return .success(RunCounts(passes: 1)) }
        return .failure(NotObserved(words: "\(test) did not run: \(result.summary)"))
    }

    private mutating func note(_ seen: [RunCounts], _ problems: [Int: String], on revision: Revision) {
        guard var schedule else { return }
        for index in seen.indices {
            if seen[index].runs > 0 {
                schedule.searches[index].note(seen[index], on: revision)
                let top = schedule.searches[index].ranked.first
                let standing =
                    top.map { "\($0.revision.short) \(Numbers.probability($0.probability))" }
                    ?? ""
                let words = "\(tests[index].id) on \(revision.short): fails \(seen[index].fails)/\(seen[index].runs)"
                say(seen[index].fails > 0 ? .fail : .ok, "\(words); likeliest \(standing)")
            }
            if let problem = problems[index], seen[index].runs == 0 {
                schedule.searches[index].markUntestable(revision)
                untestable[revision] = problem
                say(.skip, "\(revision.short): \(problem)")
                if revision == record.bad { record.stoppedBecause = "infrastructure: on the bad end, \(problem)" }
            }
        }
        self.schedule = schedule
    }

    /// What others deployed meanwhile; nil where the revision is still the live one, or cannot be read at all.
    private mutating func superseded(_ revision: Revision) async -> String? {
        guard !context.settings.current.health.liveRevision.isEmpty else { return nil }
        var run = StageRun(
            cycle: record.number, kind: .stabilize, purpose: .recheck, attempt: 1, revision: revision)
        run.attempt = nextAttempt(run)
        let look = await perform(run, mayCut: false)
        guard look.outcome != .succeeded, let live = look.live?.revision, !live.names(revision) else { return nil }
        return "somebody deployed \(live.short) meanwhile"
    }

    // MARK: - The way back

    /// Ends the stage that a killed process left, whatever it was.
    mutating func takeUp() async {
        guard let left = record.running else { return }
        if left.kind != .deploy { context.stop(left) }
        let ended = await perform(left, mayCut: false)
        // The way back may have been what was under way: it is not gone twice.
        guard left.kind == .deploy, left.revision == record.restoreTo, ended.outcome == .succeeded else { return }
        if await proof(record.restoreTo, .restore) == nil { deployed = record.restoreTo }
    }

    mutating func putBack() async {
        guard record.environment != .superseded else {
            say(.hold, "\(record.stoppedBecause ?? "somebody deployed"): what they deployed is left alone")
            return
        }
        guard record.deploys > 0 || record.stages.contains(where: { $0.run.kind == .deploy }) else { return }
        if deployed == record.restoreTo {
            record.environment = .restored
            return
        }
        for attempt in 1...2 {
            let back = await deploy(record.restoreTo, .restore)
            let isDone = back.outcome == .succeeded || back.live?.revision?.names(record.restoreTo) == true
            let problem = isDone ? await proof(record.restoreTo, .restore) : back.summary
            if let problem {
                say(.red, "\(record.restoreTo.short) is not back, attempt \(attempt) of 2: \(problem)")
            } else {
                record.environment = .restored
                return say(.ok, "\(record.restoreTo.short) is live again")
            }
        }
        record.environment = .unknown
    }

    mutating func end() -> BisectionRecord {
        if let schedule {
            record.tests = BisectionAnswers(tests: tests, commits: commits, untestable: untestable).answers(schedule)
        }
        record.state = .ended
        record.endedAt = context.now()
        save()
        try? Files.removeTree("\(context.layout.root)/tmp")
        return record
    }

    // MARK: - Stages

    private var surroundings: StageSurroundings {
        StageSurroundings(
            wanted: record.bad, lastGreen: record.good, previous: record.restoreTo, cycleStartedAt: record.startedAt,
            deployments: record.stages.filter { $0.run.kind == .deploy && !$0.services.isEmpty }.map {
                DeployedServices(revision: $0.run.revision, services: $0.services)
            })
    }

    /// Deploys, and again where it was fenced before its command ran.
    private mutating func deploy(_ revision: Revision, _ purpose: Purpose) async -> StageRecord {
        if purpose == .bisect { record.deploys += 1 }
        var run = StageRun(
            cycle: record.number, kind: .deploy, purpose: purpose, attempt: 1, revision: revision)
        run.attempt = nextAttempt(run)
        let result = await perform(run, mayCut: false)
        guard result.outcome == .neverRan else { return result }
        run.attempt = nextAttempt(run)
        return await perform(run, mayCut: false)
    }

    /// Nil where the revision is proven to be live and healthy, as far as the configuration can tell.
    private mutating func proof(_ revision: Revision, _ purpose: Purpose) async -> String? {
        let policy = LoopPolicy(context.settings.current)
        guard policy.hasHealth || policy.provesRevision else { return nil }
        var run = StageRun(
            cycle: record.number, kind: .stabilize, purpose: purpose, attempt: 1, revision: revision)
        run.attempt = nextAttempt(run)
        let result = await perform(run, mayCut: purpose != .restore)
        return result.outcome == .succeeded ? nil : result.summary
    }

    private mutating func perform(_ run: StageRun, mayCut: Bool) async -> StageRecord {
        record.running = run
        save()
        let (context, surroundings) = (context, surroundings)
        let task = Task(executorPreference: WorkQueue("bisection")) {
            await StagePerformer(context: context).perform(run, surroundings)
        }
        if mayCut {
            switchboard.begin {
                task.cancel()
                context.stop(run)
            }
        }
        let result = await task.value
        await context.progress.settle()
        switchboard.begin(nil)
        record.stages.append(result)
        record.running = nil
        save()
        return result
    }

    /// Counted from 1 for each folder name.
    private func nextAttempt(_ run: StageRun) -> Int {
        let same = (record.stages.map(\.run) + [record.running].compactMap { $0 }).filter {
            $0.stage == run.stage && $0.subject == run.subject
        }
        return (same.map(\.attempt).max() ?? 0) + 1
    }

    /// A disk that is full is said once a stage, and does not stop the way back.
    private func save() {
        do {
            try BisectionFile.write(record, in: context.layout)
        } catch {
            say(.warn, "\(error)")
        }
    }

    /// Empty for what lies outside the range, such as its good end.
    private func subject(_ revision: Revision) -> String {
        commits.first { $0.revision == revision }.map { " \"\($0.subject)\"" } ?? ""
    }

    private func say(_ mark: LogLine.Mark, _ text: String) { context.say(LogLine(mark, "bisect", text)) }
}
