// SPDX-License-Identifier: Apache-2.0
// One actor for one loop, and the only consumer of its inbox. Its main loop is the whole idea: next fact, let a copy of
// the machine decide, write the fact down, become the copy, perform the actions, again.

package import Domain
package import Engine
import Evidence
import Platform

package actor Supervisor {
    private var machine: CycleMachine
    private let journal: Journal
    private let performer: Performer
    private let inbox: AsyncStream<Event>
    private nonisolated let inlet: AsyncStream<Event>.Continuation
    private let now: @Sendable () -> Timestamp

    init(_ machine: CycleMachine, _ journal: Journal, _ performer: Performer, now: @escaping @Sendable () -> Timestamp)
    {
        self.machine = machine
        self.journal = journal
        self.performer = performer
        self.now = now
        (inbox, inlet) = AsyncStream.makeStream(of: Event.self)
    }

    /// Hands the loop a fact. Small facts only: output never goes this way.
    package nonisolated func tell(_ event: Event) { inlet.yield(event) }

    /// Runs until the machine says `finish`.
    package func run() async -> Ending {
        for await event in inbox {
            let at = now()
            var next = machine
            let actions = next.handle(event, at: at)
            await writeDown(
                event, at: at, cycle: next.memory.cycle, durable: actions.contains(where: \.needsDurableIntent))
            machine = next
            for action in actions {
                if case .finish(let ending) = action { return await end(ending) }
                performer.perform(action, machine, tell: { [inlet] in inlet.yield($0) })
            }
            await rotateIfIdle(at)
        }
        return .done
    }

    /// A fact is acted upon only when it is in the journal: a full disk makes the loop wait, not forget.
    private func writeDown(_ event: Event, at: Timestamp, cycle: Int, durable: Bool) async {
        var complained = false
        while true {
            do {
                try await journal.append(event, at: at, cycle: cycle, durable: durable)
                if complained { performer.say(LogLine(.ok, "journal", "written again: the loop goes on")) }
                return
            } catch {
                if !complained {
                    performer.say(LogLine(.warn, "journal", "\(error); the loop waits until it can be written"))
                    complained = true
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func rotateIfIdle(_ at: Timestamp) async {
        guard case .waiting(looking: false) = machine.state else { return }
        _ = try? await journal.rotate(machine.memory, at: at, cycle: machine.memory.cycle)
    }

    private func end(_ ending: Ending) async -> Ending {
        inlet.finish()
        await performer.close(ending)
        await journal.close()
        return ending
    }

    package var memory: LoopMemory { machine.memory }
}
