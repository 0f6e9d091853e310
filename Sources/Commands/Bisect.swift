// SPDX-License-Identifier: Apache-2.0
// `nightjar bisect`: which commit broke a test, found by deploying, by hand and at any time.

import Configuration
import Domain
import Execution
import Foundation
import Platform
import Reporting
import Supervision

struct BisectCommand: Command {
    static let description = CommandDescription(
        "bisect", "which commit broke a test, found by deploying",
        details: [
            "Deploys revisions between GOOD and BAD with the loop's own commands, proves each, and runs TEST there as often "
                + "as the answer needs: a test may be flaky, and a culprit may fail only now and then. Where to look next is "
                + "what tells most for its cost; commits that touch what the failure names are asked first.",
            "Without --yes only the plan is printed. What was live before is deployed again at the end, also after Ctrl-C; "
                + "where the search is killed, the next start of the loop or of a search does it. The loop must not be "
                + "running. Several tests share their deployments.",
        ],
        operands: [
            OperandDescription("GOOD..BAD", "a range of the configured repository", isRequired: true),
            OperandDescription("TEST", "the test's id in reports, or an end of it", isRequired: true, repeats: true),
        ],
        options: CommandDescription.loopOptions + [
            .value("suite", "SUITE", short: "s", "the suite of TEST (default: the one that has it)"),
            .value("deploys", "N", "deploy at most N times, the way back not counted"),
            .value("restore", "REV", "what to deploy at the end (default: what is live now)"),
            .value(
                "confidence", "PERCENT",
                "name a commit at this probability, 50 to 99 (default: 99); less takes fewer runs and blames wrongly more often"
            ),
            .flag("yes", short: "y", "do it"), .json,
        ],
        examples: [
            .init("nightjar bisect v1.4..main -- test_stream_partial_results", "The plan: deploys, minutes, way back."),
            .init("nightjar bisect --yes v1.4..main -- test_stream_partial_results", "The search."),
        ],
        exits: [
            .init(.ok, "the culprit of each test is proven; or the plan was printed"),
            .init(.failing, "no culprit, or none proven: a ranked list"),
            .init(.usage, "not allowed or not possible so"),
            .init(.interrupted, "stopped, or somebody else deployed"),
            .init(.infrastructure, "could not deploy, or could not put back what was live"),
            .init(.notFound, "no such revision, suite or test"), .init(.held, "another instance runs this loop"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        let request = try request(context)
        let loaded = try SettingsLoader.load(context)
        SignalSource.setDispositions()
        let runner: CommandRunner
        do {
            runner = try CommandRunner()
        } catch {
            throw CommandError.unavailable("\(error)")
        }
        let terminal = TerminalLog(context.output, toOutput: false)
        let start = LoopStart(
            loaded: loaded, path: SettingsLoader.path(context), cycles: nil, version: NightjarVersion.number,
            host: ThisProcess.hostName, environment: SafeEnvironment.make(from: context.environment),
            secretEnvironment: context.environment, echo: { terminal.write($0) }, observer: { terminal.show($0) })
        do {
            let bisection = try await Bisection.open(request, start, runner: runner)
            let code = try await perform(bisection, context, terminal)
            await bisection.close()
            return code
        } catch let error as BisectionError {
            await terminal.clear()
            throw Self.told(error)
        }
    }

    private func request(_ context: Context) throws -> BisectionRequest {
        let arguments = context.arguments
        let range = arguments.operand(0) ?? ""
        let ends = range.components(separatedBy: "..")
        guard ends.count == 2, ends.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasPrefix("-") }) else {
            throw CommandError.usage("'\(range)' is no range such as v1.4..main", command: "bisect")
        }
        return BisectionRequest(
            good: ends[0], bad: ends[1], tests: Array(arguments.operands.dropFirst()), suite: arguments.value("suite"),
            maximumDeploys: try arguments.integer("deploys", in: 1...1000), restoreTo: arguments.value("restore"),
            confidence: try arguments.integer("confidence", in: 50...99).map { Double($0) / 100 })
    }

    private func perform(_ bisection: Bisection, _ context: Context, _ terminal: TerminalLog) async throws -> ExitCode {
        let plan = bisection.plan
        guard context.arguments.flag("yes") else {
            try context.output.result(plan, json: context.wantsJSON) { Self.text(plan, context) }
            return .ok
        }
        if !context.wantsJSON { context.output.note(Self.text(plan, context).trimmingCharacters(in: .newlines)) }
        let record: BisectionRecord
        do {
            record = try await bisection.run()
        } catch {
            await bisection.close()
            throw error
        }
        await terminal.clear()
        try context.output.result(record, json: context.wantsJSON) {
            BisectionText.text(record, palette: context.output.palette, folder: context.shown(plan.evidence))
        }
        return Self.exit(record)
    }

    static func text(_ plan: BisectionPlan, _ context: Context) -> String {
        let minutes = plan.minutes.map { ", about \(Durations.text(seconds: $0 * 60))" } ?? ""
        var lines = [
            "search \(plan.good.short)..\(plan.bad.short): \(Plurals.count(plan.commits, "commit"))",
            "tests: \(plan.tests.map { Printable.line($0) }.joined(separator: ", "))",
            "deploys: usually \(plan.deploys)\(minutes); at most \(plan.maximumDeploys), and the way back",
            "at the end \(plan.restoreTo.short) is deployed again",
        ]
        if !context.arguments.flag("yes") { lines.append("nothing was deployed; with --yes this is done") }
        return lines.joined(separator: "\n") + "\n"
    }

    static func exit(_ record: BisectionRecord) -> ExitCode {
        if record.environment == .unknown { return .infrastructure }
        if let because = record.stoppedBecause {
            if because.hasPrefix("infrastructure") { return .infrastructure }
            if record.tests.contains(where: { $0.answer != .culprit }) {
                return because.hasSuffix("deploys are spent") ? .failing : .interrupted
            }
        }
        return record.tests.allSatisfy { $0.answer == .culprit } ? .ok : .failing
    }

    private static func told(_ error: BisectionError) -> CommandError {
        switch error {
        case .held(let owner): .held("held by another instance: \(owner)")
        case .notFound(let words): .notFound(words)
        case .refused(let words): .usage(words, command: "bisect")
        case .cannotRun(let words): .unavailable(words)
        }
    }
}
