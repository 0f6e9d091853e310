// SPDX-License-Identifier: Apache-2.0
// Starts loops for `run`, `once` and `demo`: the same path for all three.

import Configuration
import Domain
import Engine
import Evidence
import Execution
import Foundation
import Platform
import Reporting
import Supervision
import Synchronization

/// A loop to start: its settings, where they came from, and how many cycles it is to run.
struct LoopOrder: Sendable {
    var loaded: LoadedSettings
    var path: String
    var cycles: Int?
}

enum LoopRunner {
    /// Runs the loops to their end, with their log lines on standard error (or on a terminal with a live line).
    static func run(_ orders: [LoopOrder], _ context: Context, terminal: TerminalLog) async throws -> [Ending] {
        SignalSource.setDispositions()
        HeapMemory.staySmall()
        // Asked only where it matters: the calendar's data are megabytes of memory.
        let hasWindow = orders.contains { $0.loaded.settings.schedule.window != nil }
        guard !hasWindow || WindowCalendar.knowsTimeZones else {
            throw CommandError.unavailable("this build knows no time zones: it was linked without its calendar data")
        }
        let runner: CommandRunner
        do {
            runner = try CommandRunner()
        } catch {
            throw CommandError.unavailable("\(error)")
        }
        var hosts: [LoopHost] = []
        for order in orders {
            hosts.append(try await open(order, isOnly: orders.count == 1, runner, context, terminal))
        }
        let watchdog = context.environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { Duration.microseconds($0) }
        let daemon = Daemon(
            hosts, paths: orders.map(\.path), notifySocket: context.environment["NOTIFY_SOCKET"], watchdog: watchdog
        ) { index in reload(orders[index].path, context) }
        let endings = await daemon.run()
        terminal.clear()
        return endings
    }

    private static func open(
        _ order: LoopOrder, isOnly: Bool, _ runner: CommandRunner, _ context: Context, _ terminal: TerminalLog
    ) async throws -> LoopHost {
        let prefix = isOnly ? "" : "[\(order.loaded.settings.name)] "
        do {
            return try await LoopHost.open(
                LoopStart(
                    loaded: order.loaded, path: order.path, cycles: order.cycles, version: NightjarVersion.number,
                    host: ThisProcess.hostName, environment: SafeEnvironment.make(from: context.environment),
                    secretEnvironment: context.environment, echo: { terminal.write(prefix + $0) },
                    observer: { terminal.show($0) }, onSealed: { _ in }),
                runner: runner)
        } catch .held(let owner) {
            throw CommandError.held("held by another instance: \(owner)")
        } catch .cannotStart(let reason) {
            throw CommandError.unavailable(reason)
        }
    }

    private static func reload(_ path: String, _ context: Context) -> Result<LoadedSettings, any Error> {
        do {
            return .success(try SettingsLoader.load(path, context))
        } catch {
            return .failure(error)
        }
    }
}

/// Log lines on a terminal, with a live line for the running stage below them; plain lines elsewhere.
final class TerminalLog: Sendable {
    private struct State {
        var running: RunningStage?
        var isDrawn = false
    }
    private let output: Output
    private let toOutput: Bool
    private let state = Mutex(State())

    /// `toOutput` writes lines to standard output; otherwise they are chatter on standard error.
    init(_ output: Output, toOutput: Bool) {
        self.output = output
        self.toOutput = toOutput
    }

    func write(_ line: String) {
        state.withLock { state in
            if state.isDrawn { output.write("\r\u{1B}[K") }
            state.isDrawn = false
            if output.isTerminal, let entry = CycleLog.parse(line) {
                emit(CycleLog.terminal(entry, palette: output.palette, columns: output.columns))
            } else {
                emit(line)
            }
            draw(&state)
        }
    }

    func show(_ stage: RunningStage?) {
        guard output.isTerminal else { return }
        state.withLock { state in
            state.running = stage
            draw(&state)
        }
    }

    func clear() {
        state.withLock { state in
            if state.isDrawn { output.write("\r\u{1B}[K") }
            state = State()
        }
    }

    private func emit(_ line: String) {
        if toOutput { output.line(line) } else { output.note(line) }
    }

    private func draw(_ state: inout State) {
        guard output.isTerminal else { return }
        guard let stage = state.running else {
            if state.isDrawn { output.write("\r\u{1B}[K") }
            state.isDrawn = false
            return
        }
        let name = [stage.stage, stage.subject].compactMap { $0 }.joined(separator: " ")
        let elapsed = Timestamp.wallClock().since(stage.since)
        let line = ProgressLine(
            name: name, elapsed: elapsed, usual: stage.usualSeconds.map { .milliseconds(Int64($0 * 1000)) },
            done: stage.testsDone ?? 0, total: stage.usualTests, failed: stage.testsFailed ?? 0,
            current: stage.currentTest)
        output.write(line.redraw(columns: output.columns, palette: output.palette))
        state.isDrawn = true
    }
}
