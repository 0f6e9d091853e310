// SPDX-License-Identifier: Apache-2.0
// `nightjar load`: many users at once, against one's own environment.

import Foundation
import Probes
import Reporting

struct LoadCommand: Command {
    static let description = CommandDescription(
        "load", "up to 1000 WebSocket users at once, against your own environment",
        details: [
            "Every user signs in, opens a connection as the scenario file says, and sends an echo at its interval, "
                + "whether the one before was answered or not. Every endpoint that this needs must be listed in the file's "
                + "loadTargets; anything else is refused.",
            "Fails where a user does not get in, less than 95 % of the planned messages went out, one is not answered, "
                + "a connection is dropped, an answer reaches another user, or the file's rateLimit does not hold. With "
                + "--report it is a suite of the loop.",
        ],
        options: [
            .value("config", "FILE", short: "c", "the scenario file", completion: .file),
            .value("users", "N", short: "u", "how many, 1 to 1000 (default 20)"),
            .value("for", "TIME", "how long, such as 30s (default 10s)"),
            .value("every", "TIME", "the time between two messages of a user (default 1s)"),
            .value("report", "FILE", "also write JUnit XML there", completion: .file),
            .flag("demo", "against the demo's own live service, started for it"),
            .value("break", "FAULT", "the demo's service with a fault built in (with --demo)"), .json,
        ],
        examples: [
            .init("nightjar load --demo --users 100 --for 5s", "A hundred users on the service that comes along."),
            .init(
                "nightjar load -c staging.json -u 20 --every 200ms --json", "Twenty users, five messages a second each."
            ),
        ],
        exits: [
            .init(.ok, "every user was served"),
            .init(.failing, "somebody was not served, or the load was not offered as planned"),
            .init(.usage, "the file is wrong, or does not list an endpoint"),
            .init(.infrastructure, "the endpoint cannot be reached"), .init(.notFound, "no such file"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let arguments = context.arguments
        let users = try arguments.integer("users", in: 1...LoadPlan.maximumUsers) ?? 20
        let duration = try Self.time(arguments.value("for") ?? "10s")
        let interval = try Self.time(arguments.value("every") ?? "1s")
        let demo = try arguments.flag("demo") ? await DemoEndpoint.start(context) : nil
        defer { demo?.stop() }
        let environment = context.environment.merging(demo?.environment ?? [:]) { $1 }
        let (contract, folder) = try ResilienceCommand.load(context, environment, demo: demo)
        let report: LoadReport
        do {
            report = try await LoadRun.run(
                LoadPlan(users: users, duration: duration, interval: interval), contract, environment: environment,
                workingDirectory: folder)
        } catch let error as LoadRefused {
            throw CommandError.usage(error.description, command: "load")
        } catch {
            throw CommandError.unavailable("no load: \(error)")
        }
        if let path = arguments.value("report") {
            try UserFile.write(report.junit, to: context.absolute(path), shown: path)
        }
        try context.output.result(report, json: context.wantsJSON) { Self.text(report, context.output.palette) }
        if report.opened == 0 { return .infrastructure }
        return report.isServed ? .ok : .failing
    }

    private static func text(_ report: LoadReport, _ palette: Palette) -> String {
        func milliseconds(_ value: Double) -> String { String(format: "%.2f ms", value) }
        var text = """
            \(report.endpoint): \(report.opened) of \(report.users) users open, \(report.dropped) dropped later
            open        p50 \(milliseconds(report.openP50)), p95 \(milliseconds(report.openP95))
            round trip  p50 \(milliseconds(report.roundTripP50)), p95 \(milliseconds(report.roundTripP95)), \
            p99 \(milliseconds(report.roundTripP99))
            \(report.planned) messages planned, \(report.sent) sent, \(report.messages) answered \
            (\(String(format: "%.0f", report.messagesPerSecond)) a second), \(report.unanswered) not

            """
        for found in report.cases {
            text += "\(ResilienceCommand.mark(found.outcome, palette)) \(Printable.line(found.name))"
            text += found.reason.map { ": \(Printable.line($0, columns: 300))\n" } ?? "\n"
        }
        for (reason, count) in report.refused.sorted(by: { $0.key < $1.key }) {
            text += "refused \(count): \(Printable.line(reason))\n"
        }
        return text
    }

    private static func time(_ text: String) throws(CommandError) -> Duration {
        guard let duration = ShortDuration.parse(text) else {
            throw .usage("a time is written like 500ms, 30s or 5m, not '\(text)'", command: "load")
        }
        return duration
    }
}
