// SPDX-License-Identifier: Apache-2.0
// `nightjar resilience`: the scenarios against a real endpoint; by itself, or as a suite of the loop.

import Foundation
import Platform
import Probes
import Reporting

struct ResilienceCommand: Command {
    static let description = CommandDescription(
        "resilience", "how an endpoint behaves when the network and the servers misbehave",
        details: [
            "Runs eleven scenarios over a WebSocket endpoint, described by a scenario file: what to send, what to expect, "
                + "where session, token and event numbers are (docs/resilience.md). A fault proxy stands between, so the "
                + "troubles are real on the wire. What the file does not describe is skipped, and named.",
            "A scenario is APPROVED where every case passed, CONDITIONAL where something could not be told (the "
                + "prerequisite is named), REJECTED where a case failed. With --report it is a suite of the loop like any "
                + "other: command: [\"nightjar\", \"resilience\", \"--config\", \"scenarios.json\", \"--report\", \"{report}\"].",
        ],
        options: [
            .value("config", "FILE", short: "c", "the scenario file", completion: .file),
            .value(
                "scenario", "NAME", short: "s", "only this one, by name or number; may be repeated",
                completion: .words(ScenarioKind.allCases.flatMap { [$0.key, "\($0.number)"] }), repeats: true),
            .value("report", "FILE", "also write JUnit XML there", completion: .file),
            .value("seed", "N", "where random faults strike (default 1)"),
            .flag("demo", "against the demo's own live service, started for it"),
            .value("break", "FAULT", "the demo's service with a fault built in (with --demo)"),
            .flag("conditional-is-ok", "exit 0 where nothing failed but something could not be told"),
            .flag("quiet", short: "q", "no line for every case"), .json,
        ],
        examples: [
            .init("nightjar resilience --demo", "All scenarios against the service that comes along."),
            .init("nightjar resilience -c staging.json -s 4 -s tokenRefresh", "Two scenarios against staging."),
            .init(
                "nightjar resilience --demo --break drops-queue -s 3", "What a service that drops its queue looks like."
            ),
        ],
        exits: [
            .init(.ok, "approved"), .init(.failing, "rejected"), .init(.usage, "the scenario file is wrong"),
            .init(.unproven, "conditional: a prerequisite is missing"),
            .init(.infrastructure, "the endpoint cannot be reached"), .init(.notFound, "no such file"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let seed = UInt64(try context.arguments.integer("seed", in: 0...Int.max) ?? 1)
        let wanted = context.arguments.all("scenario")
        let scenarios =
            wanted.isEmpty
            ? ScenarioKind.allCases
            : ScenarioKind.allCases.filter { wanted.contains($0.key) || wanted.contains("\($0.number)") }
        let demo = try context.arguments.flag("demo") ? await DemoEndpoint.start(context) : nil
        defer { demo?.stop() }
        let environment = context.environment.merging(demo?.environment ?? [:]) { $1 }
        let (contract, folder) = try Self.load(context, environment, demo: demo)
        let isQuiet = context.arguments.flag("quiet")
        let output = context.output
        let report: ResilienceReport
        do {
            report = try await ResilienceSuite.run(
                contract, scenarios: scenarios, environment: environment, workingDirectory: folder, seed: seed
            ) { event in
                if !isQuiet { Self.show(event, output) }
            }
        } catch let error as ResilienceUnreachable {
            throw CommandError.unavailable("cannot reach the endpoint: \(error)")
        }
        if let path = context.arguments.value("report") {
            try UserFile.write(report.junit, to: context.absolute(path), shown: path)
        }
        try output.result(report, json: context.wantsJSON) { Self.table(report, output.palette) }
        switch report.status {
        case .approved: return .ok
        case .conditional: return context.arguments.flag("conditional-is-ok") ? .ok : .unproven
        case .rejected: return .failing
        }
    }

    /// The contract, and the folder in which its commands run.
    static func load(
        _ context: Context, _ environment: [String: String], demo: DemoEndpoint?
    ) throws -> (ResilienceContract, String) {
        let bytes: [UInt8]
        var folder = context.workingDirectory
        var name = "the demo's scenario file"
        if let file = context.arguments.value("config") {
            let path = context.absolute(file)
            name = context.shown(path)
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CommandError.notFound("there is no scenario file \(name)")
            }
            bytes = Array(data)
            folder = (path as NSString).deletingLastPathComponent
        } else if demo != nil {
            bytes = Array(DemoEndpoint.scenarios.utf8)
        } else {
            throw CommandError.usage(
                "name the scenario file with --config, or try --demo", command: context.arguments.command)
        }
        do {
            return (try ResilienceContract(parsing: bytes, environment: environment), folder)
        } catch {
            let lines = "\(error)".split(separator: "\n").map { "\(name): \($0)" }
            throw CommandError.configuration(lines.joined(separator: "\n"))
        }
    }

    // MARK: What people see

    private static func show(_ event: ResilienceProgress, _ output: Output) {
        let palette = output.palette
        switch event {
        case .began(let scenario, let endpoint):
            output.note("\(scenario.number) \(palette(scenario.title, .bold)) (\(Printable.line(endpoint)))")
        case .tested(_, let found):
            output.note("  \(mark(found.outcome, palette)) \(Printable.line(found.name))")
            if let reason = found.reason { output.note("        \(Printable.line(reason, columns: 300))") }
            for kpi in found.kpis { output.note("        \(palette(kpi.text, .dim))") }
            for note in found.notes { output.note("        note: \(Printable.line(note, columns: 300))") }
        case .ended(let result):
            output.note("  \(result.status.rawValue) in \(String(format: "%.1f", result.seconds)) s")
        }
    }

    /// Five columns.
    static func mark(_ outcome: ScenarioCase.Outcome, _ palette: Palette) -> String {
        switch outcome {
        case .passed: palette("pass ", .green)
        case .failed: palette("FAIL ", .red)
        case .errored: palette("ERROR", .red)
        case .skipped: palette("skip ", .yellow)
        }
    }

    private static func table(_ report: ResilienceReport, _ palette: Palette) -> String {
        let width = report.results.map { $0.title.count }.max() ?? 0
        var text = ""
        for result in report.results {
            let number = String(repeating: " ", count: 2 - "\(result.number)".count) + "\(result.number)"
            let value = result.value.map { $0 > 0 ? "  guards \(Int($0))" : "" } ?? ""
            let cases = "\(result.passed)/\(result.cases.count)"
            let pad = String(repeating: " ", count: max(0, 6 - cases.count))
            text += "\(number)  \(Printable.padded(result.title, to: width))  \(pad)\(cases)  "
            text += "\(painted(result.status, palette))\(value)\n"
            for need in result.prerequisites { text += "      \(Printable.line(need, columns: 200))\n" }
            for found in result.cases where found.outcome == .failed || found.outcome == .errored {
                text += "      \(Printable.line(found.name)): \(Printable.line(found.reason ?? "", columns: 300))\n"
            }
        }
        let approved = report.results.count { $0.status == .approved }
        text += "\(painted(report.status, palette)): \(approved) of \(report.results.count) scenarios approved"
        if report.value > 0 { text += ", \(Int(report.valueApproved)) of \(Int(report.value)) in value" }
        let faults = report.faults.values.reduce(0, +)
        return text + "; \(Plurals.count(faults, "fault")) struck, \(String(format: "%.1f", report.seconds)) s\n"
    }

    private static func painted(_ status: ScenarioStatus, _ palette: Palette) -> String {
        switch status {
        case .approved: palette(status.rawValue, .green)
        case .conditional: palette(status.rawValue, .yellow)
        case .rejected: palette(status.rawValue, .red)
        }
    }
}
