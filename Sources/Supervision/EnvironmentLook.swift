// SPDX-License-Identifier: Apache-2.0
// One look at an environment: its health checks, its live revision and those targets that need no suite, once, with the same
// hands that a cycle has. Nothing is deployed, run or written.

package import Configuration
package import Domain
import Execution
import Platform
import Probes
import Reporting

package struct EnvironmentLook: Codable, Sendable {
    package struct Check: Codable, Sendable {
        package var name: String
        package var ok: Bool
        package var finding: String
        package var milliseconds: Double
    }
    package struct Live: Codable, Sendable {
        /// Nil where the environment is one.
        package var service: String?
        package var ok: Bool
        package var reading: LiveReading
    }
    /// A target that cannot be measured without a cycle.
    package struct Left: Codable, Sendable {
        package var name: String
        package var because: String
    }
    package var schema = "nightjar.probe/1"
    package var loop: String
    package var at: Timestamp
    package var isWell: Bool
    package var checks: [Check]
    package var live: [Live]
    package var targets: [TargetRecord]
    package var notMeasured: [Left]

    /// Whether there was anything to ask.
    package var isEmpty: Bool { checks.isEmpty && live.isEmpty && targets.isEmpty }

    /// - Parameters:
    ///   - environment: what helping programs get.
    ///   - secretEnvironment: where secrets may come from.
    package static func take(
        _ loaded: LoadedSettings, environment: [String: String], secretEnvironment: [String: String],
        now: @escaping @Sendable () -> Timestamp
    ) async -> EnvironmentLook {
        let settings = loaded.settings
        let secrets = LoopSecrets(settings.secrets, environment: secretEnvironment)
        let prober = Prober(
            transport: .system(
                environment: environment, workingDirectory: { settings.baseDirectory },
                secrets: { try await secrets.fetch($0) }),
            environment: environment, redact: { secrets.redaction.text($0) })
        let looker = Looker(prober: prober, secrets: secrets, environment: environment, now: now)
        let checks = await prober.ask(settings.health.checks).map {
            Check(name: $0.check, ok: $0.ok, finding: $0.finding, milliseconds: $0.timings.total)
        }
        var live: [Live] = []
        for source in settings.health.liveRevision {
            let reading = await prober.reading(source)
            live.append(Live(service: source.service, ok: reading.revision != nil, reading: reading))
        }
        var targets: [TargetRecord] = []
        var left: [Left] = []
        for target in settings.targets {
            switch await looker.measure(target) {
            case .success(let record): targets.append(record)
            case .failure(let reason): left.append(Left(name: target.name, because: reason.words))
            }
        }
        let isWell =
            checks.allSatisfy(\.ok) && live.allSatisfy(\.ok) && targets.allSatisfy { $0.status == .met }
        return EnvironmentLook(
            loop: settings.name, at: now(), isWell: isWell, checks: checks, live: live, targets: targets,
            notMeasured: left)
    }
}

private struct NeedsCycle: Error {
    var words: String
}

/// Measures targets outside of a cycle.
private struct Looker: Sendable {
    let prober: Prober
    let secrets: LoopSecrets
    let environment: [String: String]
    let now: @Sendable () -> Timestamp

    func measure(_ target: TargetSettings) async -> Result<TargetRecord, NeedsCycle> {
        switch target.source {
        case .tests, .property:
            return .failure(NeedsCycle(words: "it is read from the results of \(target.suite ?? "the last suite")"))
        case .command(var command):
            guard let filled = try? Placeholders().fill(command.arguments) else {
                return .failure(NeedsCycle(words: "its command has placeholders that only a cycle fills"))
            }
            command.arguments = filled
            return .success(await printed(target, command))
        case .http(_, _, let sampling), .webSocket(_, let sampling):
            let done = await sample(target, sampling)
            return .success(
                TargetMeasurement.judged(target, sampling, done, evidence: nil, redact: secrets.redaction.text))
        }
    }

    private func printed(_ target: TargetSettings, _ command: CommandSettings) async -> TargetRecord {
        switch await prober.reply(to: .command(command), timeout: command.timeout) {
        case .exited(0, let output, _):
            return TargetMeasurement.record(
                target, TargetMeasurement.measures(output), evidence: nil, none: "it printed no number")
        case .exited(let status, _, _):
            return TargetRecord(target, values: [], evidence: nil, because: "exit \(status)")
        case .noAnswer(let problem, _):
            return TargetRecord(target, values: [], evidence: nil, because: secrets.redaction.text(problem))
        case .http, .connected:
            return TargetRecord(target, values: [], evidence: nil, because: "a command does not answer so")
        }
    }

    private func sample(_ target: TargetSettings, _ sampling: TargetSampling) async -> SampleRun {
        let sampler = TargetSampler(prober: prober, environment: environment, now: now)
        do {
            let known = try await secrets.fetch(sampling.secrets)
            switch target.source {
            case .http(let check, let timing, _):
                return await sampler.http(check.filled(known), timing: timing, sampling)
            case .webSocket(let exchange, _): return await sampler.webSocket(exchange.filled(known), sampling)
            case .command, .tests, .property: return SampleRun(problem: "nothing is sampled here")
            }
        } catch {
            return SampleRun(problem: "\(error)")
        }
    }
}
