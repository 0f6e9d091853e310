// SPDX-License-Identifier: Apache-2.0
// What the journal tells a reader who only wants to show it: the machine's own fold, and the newest word of a few kinds.

import Domain
import Engine

struct LoopHistory {
    /// The same machine that decided: what it holds after the last line is what the daemon holds.
    private(set) var machine = CycleMachine()
    private(set) var daemon: (started: DaemonStarted, at: Timestamp)?
    private(set) var lastEventAt: Timestamp?
    /// The newest proven live revision.
    private(set) var serving: (revision: Revision?, at: Timestamp, run: StageRun?)?
    /// What the newest look for work could not do.
    private(set) var workProblem: WorkUnavailable?
    private(set) var stopRequested = false
    /// When a step that is tried again is due.
    private var triesAgain: Timestamp?

    /// The step that waits for another try, with the reason and the time; nil where none does.
    var backingOff: (step: Step, because: String, since: Timestamp, next: Timestamp?)? {
        guard case .backingOff(let step) = machine.state, let last = underWay?.records.last else { return nil }
        return (step, last.summary, last.endedAt, triesAgain)
    }

    var memory: LoopMemory { machine.memory }
    /// What a person is asked now.
    var question: Approval? { machine.state == .awaitingApproval ? machine.cycle?.approval : nil }
    var pause: PauseRequested? { memory.pause }
    /// The cycle that is not sealed yet.
    var underWay: CycleProgress? { machine.cycle }
    /// The stages of it that say no about the wanted revision, those of experiments left out.
    var failuresUnderWay: [String] {
        (underWay?.deciding ?? []).filter { record in
            record.run.experiment == nil && record.run.revision == underWay?.wanted
                && (record.outcome == .failed || record.outcome == .timedOut)
        }.map { $0.run.stage + ($0.run.subject.map { " \($0)" } ?? "") }
    }
    var window: WindowChanged? { memory.window }
    var policy: LoopPolicy? { memory.policy }
    var incidents: [Incident] { memory.incidents }

    mutating func take(_ entry: JournalEntry) {
        let wasLooking = machine.state == .waiting(looking: true) || machine.state == .awaitingApproval
        // What is to be done about it was done then.
        for case .wake(let timer, let delay) in machine.replay(entry) where timer.name == .backOff {
            triesAgain = entry.at + delay
        }
        lastEventAt = entry.at
        switch entry.event {
        case .daemonStarted(let started):
            daemon = (started, entry.at)
            stopRequested = false
        case .workSeen(let work):
            workProblem = nil
            // A look that came too late, into a cycle under way, was not heard.
            if let live = work.live, wasLooking {
                let known = [work.wanted, memory.lastGreen].compactMap { $0 }
                serving = (known.first { $0.names(live) } ?? live, entry.at, nil)
            }
        case .workUnavailable(let problem): workProblem = problem
        case .stageEnded(let record):
            // What a deployment that failed or was called off left is told as well as what a proof read.
            if let live = record.live ?? record.leftLive { serving = (live.revision, entry.at, record.run) }
        case .stopRequested: stopRequested = true
        case .settingsAdopted, .memoryCarried, .windowChanged, .triageAnswered, .timerFired, .pauseRequested,
            .operatorRequested, .cycleSealed:
            break
        }
    }
}
