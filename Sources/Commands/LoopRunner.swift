// SPDX-License-Identifier: Apache-2.0
// Starts loops for `run`, `once` and `demo`: the same path for all three.

import Configuration
import Domain
import Engine
import Evidence
import Execution
import Foundation
import Platform
import Supervision

/// A loop to start: its settings, where they came from, and how many cycles it is to run.
struct LoopOrder: Sendable {
    var loaded: LoadedSettings
    var path: String
    var cycles: Int?
    /// Whether a reload is refused: the command line says other things than the file.
    var isFixed = false
}

enum LoopRunner {
    /// Runs the loops to their end, with their log lines on standard error (or on a terminal with a live line).
    static func run(_ orders: [LoopOrder], _ context: Context, terminal: TerminalLog) async throws -> [Ending] {
        do {
            let endings = try await runAll(orders, context, terminal)
            await terminal.clear()
            return endings
        } catch {
            await terminal.clear()
            throw error
        }
    }

    private static func runAll(
        _ orders: [LoopOrder], _ context: Context, _ terminal: TerminalLog
    ) async throws -> [Ending] {
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
        ) { index in reload(orders[index], context) }
        return await daemon.run()
    }

    private static func open(
        _ order: LoopOrder, isOnly: Bool, _ runner: CommandRunner, _ context: Context, _ terminal: TerminalLog
    ) async throws -> LoopHost {
        let name = isOnly ? nil : order.loaded.settings.name
        do {
            return try await LoopHost.open(
                LoopStart(
                    loaded: order.loaded, path: order.path, cycles: order.cycles, version: NightjarVersion.number,
                    host: ThisProcess.hostName, environment: SafeEnvironment.make(from: context.environment),
                    secretEnvironment: context.environment, echo: { terminal.write($0, of: name) },
                    observer: { terminal.show($0) }, onSealed: { _ in }),
                runner: runner.sibling())
        } catch .held(let owner) {
            throw CommandError.held("held by another instance: \(owner)")
        } catch .cannotStart(let reason) {
            throw CommandError.unavailable(reason)
        }
    }

    private static func reload(_ order: LoopOrder, _ context: Context) -> Result<LoadedSettings, any Error> {
        do {
            if order.isFixed {
                throw CommandError.refused("one cycle in the foreground keeps the configuration that it began with")
            }
            return .success(try SettingsLoader.load(order.path, context))
        } catch {
            return .failure(error)
        }
    }
}
