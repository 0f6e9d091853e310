// SPDX-License-Identifier: Apache-2.0
// `nightjar bisect`: a culprit search by hand, by the loop's own means of deploying, proving and testing. It holds the
// loop's locks, keeps its evidence beside the cycles, writes nothing into the journal, and puts the environment back.

import Configuration
package import Domain
import Engine
import Evidence
package import Execution
import Platform
import Probes
import Synchronization
import Triage

/// What a person wants to know.
package struct BisectionRequest: Sendable {
    package var good: String
    package var bad: String
    package var tests: [String]
    package var suite: String?
    package var maximumDeploys: Int?
    /// What is to be live afterwards, where it is not what is live now.
    package var restoreTo: String?
    /// The posterior probability at which a commit is named; nil for the standard of `CulpritSettings`.
    package var confidence: Double?

    package init(
        good: String, bad: String, tests: [String], suite: String? = nil, maximumDeploys: Int? = nil,
        restoreTo: String? = nil, confidence: Double? = nil
    ) {
        self.confidence = confidence
        self.good = good
        self.bad = bad
        self.tests = tests
        self.suite = suite
        self.maximumDeploys = maximumDeploys
        self.restoreTo = restoreTo
    }
}

/// Why a search cannot begin.
package enum BisectionError: Error, Equatable {
    case held(String)
    case notFound(String)
    /// The configuration or the range does not allow it.
    case refused(String)
    case cannotRun(String)
}

/// What is going to be done, before anything is.
package struct BisectionPlan: Codable, Hashable, Sendable {
    package var good: Revision
    package var bad: Revision
    package var commits: Int
    package var tests: [String]
    package var restoreTo: Revision
    /// What a search of this size usually takes, the way back included.
    package var deploys: Int
    package var maximumDeploys: Int
    /// For `deploys`; nil where no cycle has measured a deployment.
    package var minutes: Double?
    package var evidence: String
    /// The posterior probability at which a commit is named.
    package var confidence: Double
}

package final class Bisection: Sendable {
    package let plan: BisectionPlan
    let context: LoopContext
    let commits: [CommitInfo]
    let tests: [BisectionTest]
    let costs: BisectionCosts
    let number: Int
    let switchboard = StopSwitch()
    private let locks: BisectionLocks

    private init(
        _ plan: BisectionPlan, _ context: LoopContext, _ commits: [CommitInfo], _ tests: [BisectionTest],
        _ costs: BisectionCosts, number: Int, locks: BisectionLocks
    ) {
        self.plan = plan
        self.context = context
        self.commits = commits
        self.tests = tests
        self.costs = costs
        self.number = number
        self.locks = locks
    }

    /// Takes the loop's locks and finds out what there is to search; deploys nothing, unless an earlier search was
    /// killed: then what it left is put back first.
    package static func open(
        _ request: BisectionRequest, _ start: LoopStart, runner: CommandRunner
    ) async throws(BisectionError) -> Bisection {
        let settings = start.loaded.settings
        guard settings.mode == .operate, settings.deploy != nil else {
            throw .refused("bisect deploys: it needs loop.mode \"operate\" and 'deploy' in the configuration")
        }
        guard settings.repository != nil, settings.repository?.revisionCommand == nil else {
            throw .refused("bisect searches commits: it needs repository.path in the configuration")
        }
        let locks = try await BisectionLocks.take(start)
        do throws(BisectionError) {
            return try await prepared(request, start, runner, locks)
        } catch {
            await locks.release()
            throw error
        }
    }

    package func close() async { await locks.release() }

    private static func prepared(
        _ request: BisectionRequest, _ start: LoopStart, _ runner: CommandRunner, _ locks: BisectionLocks
    ) async throws(BisectionError) -> Bisection {
        let layout = EvidenceLayout(root: start.loaded.settings.stateDirectory)
        let log = CycleLogFile(layout.bisections.cycleLog, echo: start.echo)
        let context = context(start, runner) {
            log.write($0, cycle: nil, at: Timestamp(milliseconds: SystemClock.wallMilliseconds))
        }
        guard let repository = context.repository else { throw .refused("repository is not configured") }
        await finishAbandoned(start, runner, say: context.say)
        let (good, bad) = try await ends(request, repository)
        let commits: [CommitInfo]
        do {
            commits = try await repository.commitsWithChanges(after: good, upTo: bad)
        } catch {
            throw .cannotRun("\(error)")
        }
        guard !commits.isEmpty else { throw .refused("there is no commit between \(good.short) and \(bad.short)") }
        let live = await liveRevision(context, repository)
        let restoreTo = try await wayBack(request, repository, live ?? locks.serving)
        try await refuseIrreversible(context.settings.current, repository, [good, bad, restoreTo])
        let past = await BisectionPast.read(layout)
        let tests = try await BisectionTest.find(request, context, past)
        let costs = BisectionCosts(past, tests: tests, settings: context.settings.current)
        let number: Int
        do {
            number = (try BisectionFile.numbers(in: context.layout).last ?? 0) + 1
        } catch {
            throw .cannotRun("\(error)")
        }
        let usual = BisectionPlan.usualDeploys(commits.count)
        let plan = BisectionPlan(
            good: good, bad: bad, commits: commits.count, tests: tests.map { "\($0.suite)::\($0.id)" },
            restoreTo: restoreTo, deploys: usual, maximumDeploys: request.maximumDeploys ?? usual + 6,
            minutes: costs.isMeasured ? costs.deploySeconds * Double(usual) / 60 : nil,
            evidence: context.layout.cycle(number), confidence: request.confidence ?? CulpritSettings().confidence)
        return Bisection(plan, context, commits, tests, costs, number: number, locks: locks)
    }

    /// The loop's context with its evidence beside the cycles.
    static func context(
        _ start: LoopStart, _ runner: CommandRunner, say: @escaping @Sendable (LogLine) -> Void
    ) -> LoopContext {
        let settings = start.loaded.settings
        let layout = EvidenceLayout(root: settings.stateDirectory)
        try? Files.createDirectories(layout.bisections.cycles)
        let now: @Sendable () -> Timestamp = { Timestamp(milliseconds: SystemClock.wallMilliseconds) }
        let cell = SettingsCell(settings, secretEnvironment: start.secretEnvironment)
        return LoopContext(
            layout: layout.bisections, settings: cell, runner: runner, environment: start.environment,
            prober: Prober(
                transport: .system(
                    environment: start.environment, workingDirectory: { settings.baseDirectory },
                    secrets: { try await cell.secrets.fetch($0) }),
                environment: start.environment, redact: { cell.secrets.redaction.text($0) }),
            progress: ProgressBoard(layout.bisections, now: now, observer: start.observer),
            history: SuiteHistory(layout), say: say, numbering: "bisection-")
    }

    // MARK: - What there is to search

    private static func ends(
        _ request: BisectionRequest, _ repository: Repository
    ) async throws(BisectionError) -> (good: Revision, bad: Revision) {
        let good: Revision
        let bad: Revision
        do {
            good = try await repository.resolve(request.good)
            bad = try await repository.resolve(request.bad)
        } catch {
            throw .notFound("\(error)")
        }
        guard await repository.contains(bad, good) else {
            throw .refused("\(bad.short) does not contain \(good.short): GOOD must be an ancestor of BAD")
        }
        return (good, bad)
    }

    private static func liveRevision(_ context: LoopContext, _ repository: Repository) async -> Revision? {
        let probe = StageRun(cycle: 0, kind: .stabilize, purpose: .recheck, attempt: 1, revision: Revision(""))
        let surroundings = StageSurroundings(cycleStartedAt: context.now())
        let stage = StabilizeStage(context: context, run: probe, surroundings: surroundings)
        guard let name = await stage.readLive()?.revision else { return nil }
        return try? await repository.resolve(name.id)
    }

    private static func wayBack(
        _ request: BisectionRequest, _ repository: Repository, _ known: Revision?
    ) async throws(BisectionError) -> Revision {
        guard let name = request.restoreTo ?? known?.id else {
            throw .refused(
                "which revision is live now is not known, so it could not be put back; name it with --restore REV")
        }
        do {
            return try await repository.resolve(name)
        } catch {
            throw .notFound("\(error)")
        }
    }

    /// An irreversible change anywhere between what would be deployed bars the search.
    private static func refuseIrreversible(
        _ settings: LoopSettings, _ repository: Repository, _ revisions: [Revision]
    ) async throws(BisectionError) {
        let patterns = settings.deploy?.irreversible ?? []
        guard !patterns.isEmpty else { return }
        for (one, other) in zip(revisions, revisions.dropFirst()) where one != other {
            let hit: String?
            do {
                hit = try await repository.irreversibleFile(patterns, between: one, and: other)
            } catch {
                throw .refused(
                    "whether an irreversible change lies between \(one.short) and \(other.short) cannot be told")
            }
            if let hit {
                throw .refused(
                    "\(hit) changed between \(one.short) and \(other.short) and matches deploy.irreversible")
            }
        }
    }
}

extension BisectionPlan {
    /// The head, halving, what confirms, and the way back.
    static func usualDeploys(_ commits: Int) -> Int {
        var halvings = 0
        while 1 << halvings < commits { halvings += 1 }
        return halvings + 4
    }
}

/// The loop's own locks: no daemon of this loop, and nobody who excludes it from its environment.
struct BisectionLocks: Sendable {
    private let environment: EnvironmentHold
    private let journal: Journal
    /// What the loop last proved to be live.
    let serving: Revision?

    static func take(_ start: LoopStart) async throws(BisectionError) -> BisectionLocks {
        let settings = start.loaded.settings
        var environment: EnvironmentHold?
        do {
            try Files.createDirectories(settings.stateDirectory)
            let hold = try EnvironmentHold.take(settings, host: start.host)
            environment = hold
            let (journal, opening) = try await Journal.open(EvidenceLayout(root: settings.stateDirectory))
            var machine = CycleMachine()
            for entry in opening.entries { machine.replay(entry) }
            let locks = BisectionLocks(environment: hold, journal: journal, serving: machine.memory.serving)
            if let cycle = machine.cycle?.number {
                await locks.release()
                throw BisectionError.refused(
                    "cycle #\(cycle) of loop '\(settings.name)' has not ended; let the loop end it first: nightjar once"
                )
            }
            return locks
        } catch let error as BisectionError {
            throw error
        } catch LoopError.held(let owner) {
            throw .held(owner)
        } catch EvidenceError.locked(_, let owner) {
            environment?.release()
            throw .held("loop \(settings.name) at \(settings.stateDirectory): \(owner)")
        } catch {
            environment?.release()
            throw .cannotRun("\(error)")
        }
    }

    func release() async {
        environment.release()
        await journal.close()
    }
}

/// What a signal reaches: the search ends, and what is under way with it, unless that is a deployment.
final class StopSwitch: Sendable {
    private let state = Mutex<(isOn: Bool, running: (@Sendable () -> Void)?)>((false, nil))

    var isOn: Bool { state.withLock { $0.isOn } }

    /// - end: ends what is under way; nil where it must not be cut.
    func begin(_ end: (@Sendable () -> Void)?) {
        let mustEnd = state.withLock { state in
            state.running = end
            return state.isOn
        }
        if mustEnd { end?() }
    }

    func throwOver() {
        let end = state.withLock { state in
            defer { state.isOn = true }
            return state.running
        }
        end?()
    }
}
