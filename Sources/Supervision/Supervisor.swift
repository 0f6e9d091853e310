// SPDX-License-Identifier: Apache-2.0
// One actor for one loop, and the only consumer of its inbox. Its main loop is the whole idea: next fact, let a copy of
// the machine decide, write the fact down, become the copy, perform the actions, again.

package import Domain
package import Engine
import Evidence
import Platform
import Synchronization

package actor Supervisor {
    private var machine: CycleMachine
    private let journal: Journal
    private let performer: Performer
    private let inbox: AsyncStream<Fact>
    private nonisolated let inlet: AsyncStream<Fact>.Continuation
    private nonisolated let isToStop = Atomic<Bool>(false)
    private let now: @Sendable () -> Timestamp
    /// Told when a person is asked something, and when that is over.
    private let onQuestion: @Sendable () -> Void

    private struct Fact: Sendable {
        /// Nil where there is nothing to decide: only whether the loop may go on is looked at.
        var event: Event?
        /// Why it may not.
        var end: String?
        /// Called when the event is in the journal.
        var written: (@Sendable (OperatorAnswer?) -> Void)?
    }

    init(
        _ machine: CycleMachine, _ journal: Journal, _ performer: Performer, now: @escaping @Sendable () -> Timestamp,
        onQuestion: @escaping @Sendable () -> Void = {}
    ) {
        self.machine = machine
        self.journal = journal
        self.performer = performer
        self.now = now
        self.onQuestion = onQuestion
        (inbox, inlet) = AsyncStream.makeStream(of: Fact.self)
    }

    /// Hands the loop a fact. Small facts only: output never goes this way.
    /// `written` is called once it is in the journal, with what the machine says to an operator's request: from then on
    /// no crash can lose it. Answers false where the loop has ended and takes no more.
    @discardableResult
    package nonisolated func tell(_ event: Event, written: (@Sendable (OperatorAnswer?) -> Void)? = nil) -> Bool {
        if case .stopRequested = event { isToStop.store(true, ordering: .relaxed) }
        if case .terminated = inlet.yield(Fact(event: event, written: written)) { return false }
        return true
    }

    /// Asks whether the loop's folder is still in place, which is looked at before each fact.
    package nonisolated func lookAround() { inlet.yield(Fact()) }

    /// Ends the loop at once: the environment is another's.
    nonisolated func giveUp(because reason: String) { inlet.yield(Fact(end: reason)) }

    /// Whether the loop's folder is where it was.
    var isInPlace: Bool { get async { await journal.displaced() == nil } }

    /// Runs until the machine says `finish`, or until nothing can be written down any more.
    package func run() async -> Ending {
        for await fact in inbox {
            if let reason = await displaced() { return abandon(.displaced(reason)) }
            if let reason = fact.end { return abandon(.evicted(reason)) }
            guard let event = fact.event else { continue }
            let at = now()
            var next = machine
            let actions = next.handle(event, at: at)
            let isWritten = await writeDown(
                event, at: at, cycle: next.memory.cycle, durable: actions.contains(where: \.needsDurableIntent))
            guard isWritten else { return await end(endingUnwritten) }
            let isAnotherQuestion = machine.awaited != next.awaited
            machine = next
            if case .cycleSealed = event { await carryMemory(at) }
            if isAnotherQuestion { onQuestion() }
            fact.written?(actions.answer)
            for action in actions {
                if case .finish(let ending) = action { return await end(ending) }
                performer.perform(action, machine, tell: { [self] in tell($0) })
            }
            await rotateIfIdle(at)
        }
        return .done
    }

    /// A fact is acted upon only when it is in the journal: a full disk makes the loop wait, not forget. Answers false
    /// where the daemon is to stop and it still cannot be written: then it never happened, and its source tells it again.
    private func writeDown(_ event: Event, at: Timestamp, cycle: Int, durable: Bool) async -> Bool {
        var complained = false
        while true {
            do {
                try await journal.append(event, at: at, cycle: cycle, durable: durable)
                if complained { performer.say(LogLine(.ok, "journal", "written again: the loop goes on")) }
                return true
            } catch {
                if !complained {
                    performer.say(LogLine(.warn, "journal", "\(error); the loop waits until it can be written"))
                    complained = true
                }
                if isToStop.load(ordering: .relaxed) { return false }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// The stop itself could not be written either: whatever runs is left to its shepherd.
    private var endingUnwritten: Ending {
        guard case .running(let run, _) = machine.state else { return .done }
        return .detached(run)
    }

    /// What the loop knows is written down with each seal, as far as the journal has room for it: another version goes on
    /// from it, whatever it would have decided itself. Where it cannot be written now, the next seal does.
    private func carryMemory(_ at: Timestamp) async {
        _ = try? await journal.carry(machine.memory, at: at, cycle: machine.memory.cycle)
    }

    private func rotateIfIdle(_ at: Timestamp) async {
        guard case .waiting(looking: false) = machine.state else { return }
        _ = try? await journal.rotate(machine.memory, at: at, cycle: machine.memory.cycle)
    }

    private func displaced() async -> String? {
        await journal.displaced().map {
            "\($0) is not the file that this daemon locked: the folder was removed, moved or replaced while it ran"
        }
    }

    /// A fact that cannot be written down never happened, and nothing begins any more.
    private func abandon(_ ending: Ending) -> Ending {
        inlet.finish()
        var left: StageRun?
        if case .running(let run, _) = machine.state { left = run }
        performer.abandon(left, ending)
        return ending
    }

    private func end(_ ending: Ending) async -> Ending {
        inlet.finish()
        await performer.close(ending)
        return ending
    }

    /// Gives the lock on the loop back: the last thing before another daemon may begin.
    func close() async { await journal.close() }

    package var memory: LoopMemory { machine.memory }

    /// Names of the commands in the folder of the cycle under way; nil where none is.
    var begunCommands: [String]? {
        machine.cycle.map { JournalFold.begunCommands(journal.layout, cycle: $0.number) }
    }

    /// What a person is asked now, and the cycle in which it is asked.
    var question: (approval: Approval, cycle: CycleProgress)? {
        guard let approval = machine.standingQuestion, let cycle = machine.cycle else { return nil }
        return (approval, cycle)
    }

    /// What the loop waits for, where that is not a stage that runs.
    package var waitsForPeople: String? {
        guard case .awaitingApproval = machine.state else { return nil }
        return machine.stateWords
    }
}

extension [Action] {
    /// What the operator whose request led here is told.
    fileprivate var answer: OperatorAnswer? {
        lazy.compactMap { if case .answer(let answer) = $0 { answer } else { nil } }.last
    }
}
