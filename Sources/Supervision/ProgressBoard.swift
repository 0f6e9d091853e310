// SPDX-License-Identifier: Apache-2.0
// What is under way right now, for people who look: `running.json` in the loop's folder, replaced about once a second.
// It is a courtesy: losing it loses nothing.

package import Domain
package import Evidence
import Platform

package actor ProgressBoard {
    private let path: String
    private let now: @Sendable () -> Timestamp
    private var current: RunningStage?
    private var lastWritten: Int64 = 0
    private var usual: [String: (seconds: Double, tests: Int)] = [:]
    /// Told of every change, for a live line on a terminal.
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
        var stage = RunningStage(stage: run.stage, subject: run.subject, cycle: run.cycle, since: start)
        if let known = run.subject.flatMap({ usual[$0] }) {
            stage.usualSeconds = known.seconds
            stage.usualTests = known.tests
        }
        current = stage
        publish(force: true)
    }

    func note(done: Int, failed: Int, current test: String?) {
        current?.testsDone = done
        current?.testsFailed = failed
        current?.currentTest = test
        publish(force: false)
    }

    func end(_ run: StageRun) {
        current = nil
        publish(force: true)
    }

    /// What the suite usually takes, from the cycles on disk where this process has not run it yet.
    func learn(_ suite: String, from history: SuiteHistory) async {
        guard usual[suite] == nil, let last = await history.usual(of: suite).last else { return }
        usual[suite] = usual[suite] ?? (last.durationSeconds, last.tests)
    }

    func remember(_ suite: String, seconds: Double, tests: Int) {
        usual[suite] = (seconds, tests)
    }

    /// In words, for the heartbeat line.
    func describe() -> String {
        guard let current else { return "waiting" }
        let minutes = now().since(current.since).milliseconds / 60_000
        return "#\(current.cycle) \(current.stage)\(current.subject.map { " \($0)" } ?? "") for \(minutes)m"
    }

    private func publish(force: Bool) {
        observer?(current)
        let time = SystemClock.monotonicNanoseconds
        guard force || time - lastWritten > 1_000_000_000 else { return }
        lastWritten = time
        try? RunningFile.write(current, to: path)
    }
}
