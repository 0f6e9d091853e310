// SPDX-License-Identifier: Apache-2.0
// What is under way right now, for people who look: `running.json` in the loop's folder, replaced about once a second.
// It is a courtesy: losing it loses nothing, and no stage waits for it.

import Dispatch
package import Domain
package import Evidence
import Platform
import Synchronization

package final class ProgressBoard: Sendable {
    private struct State {
        var current: RunningStage?
        var lastWritten: Int64 = 0
        /// A writing is on its way, and will write what is so by then.
        var isQueued = false
        var usual: [String: (seconds: Double, tests: Int)] = [:]
    }

    /// Nobody sees so short a time, and the end of one stage and the beginning of the next cost one writing.
    private static let pause = DispatchTimeInterval.milliseconds(20)

    private let path: String
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "nightjar.progress")
    /// Told of every change, one after the other, for a live line on a terminal.
    private let observer: (@Sendable (RunningStage?) -> Void)?

    package init(
        _ layout: EvidenceLayout, now: @escaping @Sendable () -> Timestamp,
        observer: (@Sendable (RunningStage?) -> Void)? = nil
    ) {
        path = layout.root + "/running.json"
        self.now = now
        self.observer = observer
    }

    func begin(_ run: StageRun, at start: Timestamp) {
        publish(force: true) { state in
            var stage = RunningStage(stage: run.stage, subject: run.subject, cycle: run.cycle, since: start)
            if let known = run.subject.flatMap({ state.usual[$0] }) {
                stage.usualSeconds = known.seconds
                stage.usualTests = known.tests
            }
            state.current = stage
        }
    }

    func note(done: Int, failed: Int, current test: String?) {
        publish(force: false) { state in
            state.current?.testsDone = done
            state.current?.testsFailed = failed
            state.current?.currentTest = test
        }
    }

    func end(_ run: StageRun) {
        publish(force: true) { $0.current = nil }
    }

    /// What the suite usually takes, from the cycles on disk where this process has not run it yet.
    func learn(_ suite: String, from history: SuiteHistory) async {
        guard state.withLock({ $0.usual[suite] == nil }), let last = await history.usual(of: suite).last else { return }
        state.withLock { state in
            if state.usual[suite] == nil { state.usual[suite] = (last.durationSeconds, last.tests) }
        }
    }

    func remember(_ suite: String, seconds: Double, tests: Int) {
        state.withLock { $0.usual[suite] = (seconds, tests) }
    }

    /// In words, for the heartbeat line.
    func describe() -> String {
        guard let current = state.withLock({ $0.current }) else { return "waiting" }
        let minutes = now().since(current.since).milliseconds / 60_000
        return "#\(current.cycle) \(current.stage)\(current.subject.map { " \($0)" } ?? "") for \(minutes)m"
    }

    /// Returns when the file and the observer have what is so now.
    func settle() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                write(evenIfWritten: true)
                continuation.resume()
            }
        }
    }

    /// Queued under the lock, so that the observer hears of changes in their order.
    private func publish(force: Bool, _ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            let time = SystemClock.monotonicNanoseconds
            let isDue = !state.isQueued && (force || time - state.lastWritten > 1_000_000_000)
            if isDue {
                state.isQueued = true
                state.lastWritten = time
            }
            if let observer {
                let stage = state.current
                queue.async { observer(stage) }
            }
            if isDue { queue.asyncAfter(deadline: .now() + ProgressBoard.pause) { [self] in write() } }
        }
    }

    private func write(evenIfWritten: Bool = false) {
        let news: RunningStage?? = state.withLock { state in
            guard state.isQueued || evenIfWritten else { return nil }
            state.isQueued = false
            return .some(state.current)
        }
        if let news { try? RunningFile.write(news, to: path) }
    }
}
