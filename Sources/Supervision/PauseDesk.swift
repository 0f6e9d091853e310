// SPDX-License-Identifier: Apache-2.0
// Ends a pause where no daemon runs: cron's `once` respects it, and somebody must be able to end it.

package import Domain
import Engine
package import Evidence
import Platform
import Reporting

package enum PauseDesk {
    /// Writes the request into the loop's journal, under its lock, as a daemon would; durable when it returns. Throws
    /// `locked` where a daemon holds the loop after all.
    package static func resume(
        by: String, at now: Timestamp, _ layout: EvidenceLayout
    ) async throws(EvidenceError) -> (isDone: Bool, words: String) {
        let (journal, opening) = try await Journal.open(layout)
        do throws(EvidenceError) {
            var machine = CycleMachine()
            for entry in opening.entries { machine.replay(entry) }
            var request = OperatorRequest(verb: .resume, by: by)
            request.uid = ThisProcess.userID
            let event = Event.operatorRequested(request)
            let actions = machine.handle(event, at: now)
            let answer = actions.lazy.compactMap { if case .answer(let answer) = $0 { answer } else { nil } }.last
            if answer?.isDone == true {
                _ = try await journal.append(event, at: now, cycle: machine.memory.cycle, durable: true)
                let line = LogLine(.going, "resume", "by \(by); no daemon runs")
                try? await CycleWriter(layout).log(CycleLog.format(line, at: now, cycle: machine.memory.cycle))
            }
            await journal.close()
            return (answer?.isDone ?? false, answer?.words ?? "the loop has no pause")
        } catch {
            await journal.close()
            throw error
        }
    }
}
