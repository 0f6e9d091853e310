// SPDX-License-Identifier: Apache-2.0
// One stage run from its name to its record. Everything here may be begun again after a restart: each command finds
// its claim and result in its folder, so nothing is done twice.

import Domain
import Execution
import Platform
import Reporting

struct StagePerformer: Sendable {
    let context: LoopContext

    func perform(_ run: StageRun, _ surroundings: StageSurroundings) async -> StageRecord {
        let started = Stopwatch(context)
        if run.kind == .test, let suite = run.subject { await context.progress.learn(suite, from: context.history) }
        context.progress.begin(run, at: started.wall)
        let taker = FingerprintTaker(context: context, run: run)
        let before = await taker.before()
        var record: StageRecord
        switch run.kind {
        case .deploy:
            record = await DeployStage(context: context, run: run, surroundings: surroundings).perform(started)
        case .stabilize:
            record = await StabilizeStage(context: context, run: run, surroundings: surroundings).perform(started)
        case .test: record = await TestStage(context: context, run: run, surroundings: surroundings).perform(started)
        case .remedy where run.purpose == .fix:
            record = await RoleStage(context: context, run: run, surroundings: surroundings).perform(started)
        case .remedy:
            record = await RemedyStage(context: context, run: run, surroundings: surroundings).perform(started)
        }
        let looks = [before, await taker.after(record)].compactMap { $0 }
        if !looks.isEmpty { record.fingerprints = looks }
        tellLeftovers(&record)
        await LogKeeper(context: context, run: run, surroundings: surroundings).keep(&record)
        context.progress.end(run)
        return record
    }
}

extension StagePerformer {
    /// Processes that commands of the stage left running and that were ended: tests that do so disturb those after them.
    private func tellLeftovers(_ record: inout StageRecord) {
        let redaction = context.secrets.redaction
        for index in record.commands.indices {
            for place in record.commands[index].leftovers.indices {
                let command = record.commands[index].leftovers[place].command
                record.commands[index].leftovers[place].command = redaction.text(command)
            }
        }
        let ended = record.commands.flatMap { $0.leftovers.filter(\.ended) }
        guard !ended.isEmpty else { return }
        let names = Plurals.list(ended.map { Printable.line($0.command, columns: 60) }, limit: 3)
        let count = ended.count == 1 ? "1 process" : "\(ended.count) processes"
        let words = "left \(count) running, ended: \(names)"
        context.say(LogLine(.warn, record.run.stage, "\(record.run.subject.map { "\($0) " } ?? "")\(words)"))
        if record.run.kind == .test { record.summary += "; \(words)" }
    }
}

extension SupervisedCommand {
    /// What the end of the command makes of a stage that stands and falls with it.
    var stageOutcome: StageOutcome {
        switch result?.outcome {
        case .exited: succeeded ? .succeeded : .failed
        case .signaled: .failed
        case .timedOut, .idleTimedOut: .timedOut
        case .stopped: .stopped
        case .lost: .lost
        case .neverRan: .neverRan
        case .couldNotStart, nil: .couldNotRun
        }
    }
}

/// Wall and monotonic time of a beginning.
struct Stopwatch: Sendable {
    let wall: Timestamp
    private let monotonic: Int64
    private let context: LoopContext

    init(_ context: LoopContext) {
        self.context = context
        wall = context.now()
        monotonic = SystemClock.monotonicNanoseconds
    }

    var elapsed: Duration { .nanoseconds(SystemClock.monotonicNanoseconds - monotonic) }

    func record(
        _ run: StageRun, _ outcome: StageOutcome, _ summary: String, _ commands: [SupervisedCommand] = [],
        infrastructure: Bool = false
    ) -> StageRecord {
        StageRecord(
            run: run, outcome: outcome, summary: summary, startedAt: wall, endedAt: context.now(),
            durationSeconds: elapsed.inSeconds, commands: commands.map(\.record),
            limitHit: commands.lazy.compactMap { $0.record.limitHit }.first, infrastructure: infrastructure,
            recovery: commands.lazy.compactMap { $0.result?.recovery }.first)
    }
}
