// SPDX-License-Identifier: Apache-2.0
// `nightjar run`.

import Configuration
import Domain
import Engine
import Evidence
import Foundation

struct RunCommand: Command {
    static let description = CommandDescription(
        "run", "the daemon: cycle after cycle until it is told to stop",
        operands: [OperandDescription("FILE", "configuration files, one loop each", repeats: true)],
        options: CommandDescription.loopOptions + [
            .value("max-cycles", "N", "stop after N cycles, whatever the configuration says"),
            .flag("json", "print each line of the log as a JSON object, as tail does"),
        ],
        examples: [
            .init("nightjar run --config staging.json5", "In the foreground; a service manager restarts it at will."),
            .init("nightjar run api.json5 web.json5", "Two loops in one daemon, neither delayed by the other."),
            .init("nightjar run --max-cycles 1", "One cycle by the daemon's rules, with its control socket."),
        ],
        exits: [
            .init(.ok, "stopped as asked; with --max-cycles: the last cycle is healthy"),
            .init(.failing, "with --max-cycles: the last cycle is failing"),
            .init(.usage, "wrong configuration"),
            .init(.unproven, "with --max-cycles: the last cycle is unproven"),
            .init(.interrupted, "with --max-cycles: the last cycle was interrupted"),
            .init(
                .infrastructure,
                "the state directory cannot be used, or was taken away; with --max-cycles also: the deployment or the "
                    + "environment stopped the last cycle before a test judged the revision"),
            .init(.held, "another instance runs this loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let cycles = try context.arguments.integer("max-cycles", in: 1...1_000_000)
        var orders: [LoopOrder] = []
        if context.arguments.operands.isEmpty {
            orders.append(
                LoopOrder(loaded: try SettingsLoader.load(context), path: SettingsLoader.path(context), cycles: cycles))
        }
        for file in context.arguments.operands {
            let path = URL(fileURLWithPath: context.absolute(file)).standardizedFileURL.path
            orders.append(LoopOrder(loaded: try SettingsLoader.load(path, context), path: path, cycles: cycles))
        }
        let conflicts = SettingsFile.conflicts(among: orders.map { ($0.path, $0.loaded.settings) })
        if !conflicts.isEmpty { throw CommandError.configuration(conflicts.map(\.description).joined(separator: "\n")) }
        let terminal = TerminalLog(context.output, toOutput: true, isJSON: context.wantsJSON)
        let endings = try await LoopRunner.run(orders, context, terminal: terminal)
        for ending in endings {
            switch ending {
            case .displaced(let reason), .evicted(let reason): context.output.problem(reason)
            case .done, .cycles, .detached, .knownBad, .infrastructure: break
            }
        }
        let codes = try zip(orders, endings).map { order, ending in
            try RunCommand.code(ending, EvidenceLayout(root: order.loaded.settings.stateDirectory))
        }
        return codes.max { $0.rawValue < $1.rawValue } ?? .ok
    }

    /// A daemon that was asked to stop has done its work, whatever the last verdict was. One that was asked for a number of
    /// cycles answers as `once` does.
    static func code(_ ending: Ending, _ layout: EvidenceLayout) throws -> ExitCode {
        switch ending {
        case .done, .detached: .ok
        case .cycles(let verdict): try CycleEnd.code(verdict, layout).code
        case .knownBad: .failing
        case .infrastructure, .displaced, .evicted: .infrastructure
        }
    }
}
