// SPDX-License-Identifier: Apache-2.0
// `nightjar tail`: the cycle log, one line per decision; with `-f` as it grows.

import Domain
import Evidence
import Reporting

struct TailCommand: Command {
    static let description = CommandDescription(
        "tail", "the cycle log: one line per decision, with value, comparator and threshold",
        options: CommandDescription.loopOptions + [
            .flag("follow", short: "f", "go on as the log grows"),
            .value("number", "N", short: "n", "the last N lines (default 20, with --cycle all)"),
            .value("cycle", "N", "only lines of this cycle"),
            .value(
                "mark", "MARK", "only lines with this mark, such as FAIL",
                completion: .words(LogLine.Mark.allCases.map(\.rawValue)), repeats: true),
            .flag("json", "print JSON, one object per line"),
        ],
        examples: [
            .init("nightjar tail -f", "Watches the night go by."),
            .init("nightjar tail --cycle 214", "Everything that was decided in cycle 214."),
            .init("nightjar tail -f --mark FAIL --mark RED", "Only what is bad."),
        ],
        exits: [.init(.ok, "printed"), .init(.notFound, "no such loop or cycle, or no log yet")])

    func run(_ context: Context) async throws -> ExitCode {
        let cycle = try context.arguments.integer("cycle", in: 1...Int.max)
        let limit = try context.arguments.integer("number", in: 0...1_000_000) ?? (cycle == nil ? 20 : Int.max)
        let loop = try LoopFinder.find(context)
        let filter = Filter(cycle: cycle, marks: Set(context.arguments.all("mark")))
        var log = LogFollower(path: loop.layout.cycleLog)
        guard log.exists || context.arguments.flag("follow") else {
            throw CommandError.notFound("loop '\(loop.name)' has no cycle log yet: \(loop.layout.cycleLog)")
        }
        let lines = log.last(limit, where: filter.accepts)
        for line in lines { show(line, context) }
        guard context.arguments.flag("follow") else {
            guard let cycle, lines.isEmpty, filter.marks.isEmpty, limit > 0 else { return .ok }
            throw CommandError.notFound("the cycle log of loop '\(loop.name)' has no line of cycle #\(cycle)")
        }
        while !Task.isCancelled, context.output.failure() == nil {
            try await Task.sleep(for: Self.interval)
            for line in log.newLines() where filter.accepts(line) { show(line, context) }
        }
        return .interrupted
    }

    /// Often enough to feel live, seldom enough to cost nothing.
    private static let interval = Duration.milliseconds(250)

    private struct Filter {
        var cycle: Int?
        var marks: Set<String>

        func accepts(_ line: String) -> Bool {
            if cycle == nil, marks.isEmpty { return true }
            guard let entry = CycleLog.parse(line) else { return false }
            return (cycle == nil || entry.cycle == cycle) && (marks.isEmpty || marks.contains(entry.mark.rawValue))
        }
    }

    private func show(_ line: String, _ context: Context) {
        let output = context.output
        let entry = CycleLog.parse(line)
        if context.wantsJSON {
            if let entry, let json = try? JSONText.line(entry) { output.line(json) }
        } else if output.isTerminal, let entry {
            output.line(CycleLog.terminal(entry, palette: output.palette, columns: output.columns))
        } else {
            output.line(Printable.line(line))
        }
    }
}
