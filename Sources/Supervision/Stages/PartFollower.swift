// SPDX-License-Identifier: Apache-2.0
// Follows the console of a test command while it runs: counts tests for people, and ends the command when one test is
// over its limit.

import Domain
import Execution
import Platform
import Synchronization
import TestReports

/// What the console of one part said.
struct ConsoleAccount: Sendable {
    struct Cut: Hashable, Sendable {
        var id: String
        var selector: String
        var elapsed: Duration
    }
    var results: [TestResult] = []
    /// Selectors by report id.
    var selectors: [String: String] = [:]
    /// How many tests the tool said it would run.
    var collected: Int?
    var cut: Cut?
    /// Set where the suite was ended at its first failing test, as `failFast` asks.
    var failedFast = false
    /// Whether we ended the command, so that it owes no report.
    var wasEnded: Bool { cut != nil || failedFast }
    /// The console's name of the test that began last and did not end, and how long it ran.
    var open: Cut?
}

final class PartFollower: Sendable {
    private struct State {
        var console: (any ConsoleFollower)?
        var account = ConsoleAccount()
        var running: [String: Int64] = [:]
        var failed = 0
    }
    private let context: LoopContext
    private let suite: SuiteSettings
    private let endsAtFailure: Bool
    private let folder: String
    private let state: Mutex<State>
    private let parts = Mutex<(follower: FileFollower?, watch: Task<Void, Never>?)>((nil, nil))

    init(context: LoopContext, run: StageRun, suite: SuiteSettings, folder: String, known: [KnownTest]) {
        self.context = context
        self.suite = suite
        endsAtFailure = suite.failFast && run.only == nil
        self.folder = folder
        state = Mutex(State(console: consoleFollower(for: suite.console)))
    }

    func start() async {
        guard suite.console != .none else { return }
        let follower = try? FileFollower("\(folder)/console.log") { [weak self] bytes, _ in self?.take(bytes[...]) }
        let watch = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                guard let self else { return }
                await self.look()
            }
        }
        parts.withLock { $0 = (follower, watch) }
    }

    /// Reads what is left of the console, and says what it all came to.
    func finish() async -> ConsoleAccount {
        let (follower, watch) = parts.withLock { $0 }
        watch?.cancel()
        await follower?.finish()
        return state.withLock { state in
            if var console = state.console {
                let events = console.finish()
                state.console = console
                PartFollower.note(events, &state, suite.console)
            }
            let now = SystemClock.monotonicNanoseconds
            state.account.open = state.running.max { ($0.value, $0.key) < ($1.value, $1.key) }.map { test, began in
                ConsoleAccount.Cut(
                    id: TestIdentity.reportID(console: test, format: suite.console), selector: test,
                    elapsed: .nanoseconds(now - began))
            }
            return state.account
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            guard var console = state.console else { return }
            let events = console.consume(bytes)
            state.console = console
            PartFollower.note(events, &state, suite.console)
        }
    }

    private static func note(_ events: [ConsoleEvent], _ state: inout State, _ format: ConsoleFormat) {
        for event in events {
            switch event {
            case .started(let test):
                state.running[test] = SystemClock.monotonicNanoseconds
                state.account.selectors[TestIdentity.reportID(console: test, format: format)] = test
            case .ended(let test, let outcome, let seconds):
                let began = state.running.removeValue(forKey: test)
                let measured = began.map { Double(SystemClock.monotonicNanoseconds - $0) / 1e9 }
                let id = TestIdentity.reportID(console: test, format: format)
                state.account.selectors[id] = test
                state.account.results.append(
                    TestResult(id: id, outcome: outcome, durationSeconds: seconds ?? measured, selector: test))
                if outcome.isFailure { state.failed += 1 }
            case .collected(let count):
                // Later ones may be of a tool that is itself under test.
                state.account.collected = state.account.collected ?? count
            }
        }
    }

    /// Tells the board, cuts a test that has run longer than its limit, and ends a suite that is to fail fast.
    private func look() async {
        let (done, failed, current, cut) = state.withLock { state -> (Int, Int, String?, Bool) in
            let now = SystemClock.monotonicNanoseconds
            let oldest = state.running.min { ($0.value, $0.key) < ($1.value, $1.key) }
            var cut = false
            if endsAtFailure, state.failed > 0, !state.account.wasEnded {
                state.account.failedFast = true
                cut = true
            } else if let limit = suite.testTimeout, let oldest, !state.account.wasEnded {
                let elapsed = Duration.nanoseconds(now - oldest.value)
                if elapsed > limit {
                    state.account.cut = ConsoleAccount.Cut(
                        id: TestIdentity.reportID(console: oldest.key, format: suite.console), selector: oldest.key,
                        elapsed: elapsed)
                    cut = true
                }
            }
            return (state.account.results.count, state.failed, oldest?.key, cut)
        }
        context.progress.note(done: done, failed: failed, current: current)
        if cut { context.runner.stop(folder: folder) }
    }
}
