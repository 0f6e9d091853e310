// SPDX-License-Identifier: Apache-2.0
// `nightjar check`: the configuration as it will be used, and, with `--probe`, whether the world fits it.

import Configuration
import Domain
import Foundation
import Reporting

struct CheckCommand: Command {
    static let description = CommandDescription(
        "check", "the configuration as it will be used, with where each value comes from",
        details: [
            "All problems are reported at once, with line, what is allowed, and the nearest known key. With --probe it "
                + "also looks whether commands exist, directories are writable, health URLs answer and secrets are there; "
                + "it deploys nothing and changes nothing."
        ],
        options: [
            .value("config", "FILE", short: "c", "configuration file (default: ./nightjar.json5)", completion: .file),
            .flag("probe", "also try commands, directories, URLs and secrets"),
            .flag("quiet", short: "q", "print problems only"), .json,
        ],
        examples: [
            .init("nightjar check", "Every effective value: from which line, or a default."),
            .init("nightjar check --probe --quiet", "For a pipeline or before going home: silence is good."),
        ],
        exits: [
            .init(.ok, "valid"), .init(.usage, "invalid; every problem is listed"),
            .init(.infrastructure, "valid, but a probe failed"), .init(.notFound, "no such file"),
        ])

    struct Value: Codable {
        var path: String
        var value: String
        var source: String
    }

    struct Answer: Codable {
        var file: String
        var valid: Bool
        var problems: [String]
        var warnings: [String]
        var values: [Value]
        var probes: [ProbeFinding]?
    }

    func run(_ context: Context) async throws -> ExitCode {
        let file = context.shown(SettingsLoader.path(context))
        let loaded: LoadedSettings
        do {
            loaded = try SettingsLoader.load(context)
        } catch {
            guard context.wantsJSON, case .configuration(let text) = error else { throw error }
            let problems = text.split(separator: "\n").map(String.init)
            let answer = Answer(file: file, valid: false, problems: problems, warnings: [], values: [], probes: nil)
            context.output.line(try JSONText.pretty(answer))
            return .usage
        }
        let probes = context.arguments.flag("probe") ? await SetupProbe(loaded.settings, context).findings() : nil
        let answer = Answer(
            file: file, valid: true, problems: [], warnings: loaded.warnings.map(\.description),
            values: loaded.effective.map {
                Value(path: $0.path, value: $0.text, source: $0.origin.description)
            }, probes: probes)
        let quiet = context.arguments.flag("quiet")
        try context.output.result(answer, json: context.wantsJSON) {
            CheckCommand.text(answer, loaded.settings, quiet: quiet, context.output)
        }
        return (probes ?? []).contains { !$0.ok } ? .infrastructure : .ok
    }

    private static func text(_ answer: Answer, _ settings: LoopSettings, quiet: Bool, _ output: Output) -> String {
        let palette = output.palette
        var text = ""
        if !quiet {
            text += valueTable(answer.values, output)
            text += "\n"
        }
        for warning in answer.warnings { text += palette("warning ", .yellow) + Printable.line(warning) + "\n" }
        for probe in answer.probes ?? [] where !quiet || !probe.ok {
            let mark = probe.ok ? palette("ok   ", .green) : palette("FAIL ", .red)
            text += "\(mark)\(Printable.line(probe.subject)): \(Printable.line(probe.finding, columns: 300))\n"
        }
        guard !quiet else { return text }
        let failed = (answer.probes ?? []).count { !$0.ok }
        let probed = answer.probes.map { "; \($0.count - failed) of \(Plurals.count($0.count, "probe")) ok" } ?? ""
        let suites = Plurals.count(settings.suites.count, "suite")
        text += "\(palette("valid", .greenBold)): loop '\(settings.name)', mode \(settings.mode.rawValue), \(suites)"
        return text + "\(probed)\n"
    }

    private static func valueTable(_ values: [Value], _ output: Output) -> String {
        let width = min(40, values.map { Printable.columns($0.path) }.max() ?? 0)
        let source = min(12, values.map { Printable.columns($0.source) }.max() ?? 0)
        let room = max(20, output.columns - width - source - 4)
        return values.map { value in
            let isDefault = value.source == "default"
            let lines = Printable.wrapped(Printable.line(value.value), width: room)
            let head = Printable.padded(Printable.line(value.path), to: width)
            let rest = lines.dropFirst().map { String(repeating: " ", count: width + source + 4) + $0 + "\n" }.joined()
            return head + "  " + output.palette(Printable.padded(Printable.line(value.source), to: source), .dim) + "  "
                + output.palette(lines[0], isDefault ? .dim : nil) + "\n" + rest
        }.joined()
    }
}
