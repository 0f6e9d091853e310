// SPDX-License-Identifier: Apache-2.0
// `nightjar probe`: one look at the environment, now.

import Domain
import Execution
import Reporting
import Supervision

struct ProbeCommand: Command {
    static let description = CommandDescription(
        "probe", "look at the environment now: health checks, live revision, targets",
        details: [
            "Asks each health check once, the live revision as often as a cycle would, and measures the targets that need no "
                + "suite, with their samples. It deploys nothing, runs no test and writes nothing; it needs no daemon and "
                + "disturbs none. check --probe looks whether a configuration can be used; this looks whether the "
                + "environment is well."
        ],
        options: [
            .value("config", "FILE", short: "c", "configuration file (default: ./nightjar.json5)", completion: .file),
            .json,
        ],
        examples: [
            .init("nightjar probe", "Is staging well, which revision answers, and how fast?"),
            .init("until nightjar probe; do sleep 10; done", "Waits until it is well."),
        ],
        exits: [
            .init(.ok, "all is well"),
            .init(.failing, "a check fails, the live revision cannot be told, or a target is missed or not measured"),
            .init(.usage, "wrong configuration"),
            .init(.unproven, "the configuration has nothing to ask"), .init(.notFound, "no such file"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let loaded = try SettingsLoader.load(context)
        let look = await EnvironmentLook.take(
            loaded, environment: SafeEnvironment.make(from: context.environment),
            secretEnvironment: context.environment, now: context.now)
        try context.output.result(look, json: context.wantsJSON) { ProbeCommand.text(look, context.output) }
        return look.isEmpty ? .unproven : look.isWell ? .ok : .failing
    }

    static func text(_ look: EnvironmentLook, _ output: Output) -> String {
        var rows: [(mark: String, what: String, finding: String)] = look.checks.map { check in
            let took = Durations.text(seconds: check.milliseconds / 1000)
            return (check.ok ? "ok" : "FAIL", "check \(check.name)", "\(check.finding), \(took)")
        }
        rows += look.live.map { live in
            (live.ok ? "ok" : "FAIL", live.service.map { "live \($0)" } ?? "live", words(live.reading))
        }
        rows += look.targets.map { target in
            let parts = [target.comparison, target.margin, target.basis, target.failureWords].compactMap { $0 }
            return (target.status == .met ? "ok" : "FAIL", "target \(target.name)", parts.joined(separator: ", "))
        }
        rows += look.notMeasured.map { ("skip", "target \($0.name)", $0.because) }
        let width = min(36, rows.map { Printable.columns(Printable.line($0.what)) }.max() ?? 0)
        var text = headline(look, output)
        for row in rows {
            let paint: Palette.Paint? = row.mark == "ok" ? .green : row.mark == "FAIL" ? .red : .dim
            let what = Printable.padded(Printable.line(row.what), to: width)
            let finding = Printable.wrapped(Printable.line(row.finding), width: max(30, output.columns - width - 7))
            let indent = String(repeating: " ", count: width + 7)
            text += "\(output.palette(Printable.padded(row.mark, to: 4), paint)) \(what)  "
            text += finding.joined(separator: "\n\(indent)") + "\n"
        }
        return text
    }

    private static func headline(_ look: EnvironmentLook, _ output: Output) -> String {
        let name = Printable.line(look.loop, columns: 40)
        if look.isEmpty {
            return "\(name): nothing to ask: the configuration has no health check, live revision or target\n"
        }
        let bad =
            look.checks.count { !$0.ok } + look.live.count { !$0.ok } + look.targets.count { $0.status != .met }
        let all = look.checks.count + look.live.count + look.targets.count
        let word = look.isWell ? output.palette("WELL", .greenBold) : output.palette("UNWELL", .redBold)
        return "\(name)  \(word)  \(all - bad) of \(all) are well\n"
    }

    private static func words(_ reading: LiveReading) -> String {
        if let revision = reading.revision { return "\(revision.short) in \(reading.asked)/\(reading.asked) answers" }
        let seen = reading.answers.map { "\($0.revision.short) in \($0.count)" }.joined(separator: ", ")
        let problem = reading.problem.map { " (\($0))" } ?? ""
        return "\(seen.isEmpty ? "unreadable" : seen) of \(reading.asked) answers\(problem)"
    }
}
