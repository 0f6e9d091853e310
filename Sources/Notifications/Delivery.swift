// SPDX-License-Identifier: Apache-2.0
// One attempt to deliver one notice: by curl, by a mail program, or by a command. Secrets reach none of their arguments.

package import Domain
import Execution
import Foundation
import Platform

/// What became of an attempt.
package enum DeliveryOutcome: Hashable, Sendable {
    case delivered
    /// The receiver may take it later; the time is what it asked for.
    case later(String, after: Duration?)
    /// The receiver will never take it.
    case refused(String)
}

package struct Delivery: Sendable {
    /// Of curl and of programs.
    let environment: [String: String]
    /// Where secrets may come from.
    let secretEnvironment: [String: String]
    let workingDirectory: String
    /// The values of secrets that a receiver's command names.
    let secrets: @Sendable ([String]) async throws -> [String: String]
    let now: @Sendable () -> Timestamp
    private static let limit = Duration.seconds(20)

    package init(
        environment: [String: String], secretEnvironment: [String: String], workingDirectory: String,
        secrets: @escaping @Sendable ([String]) async throws -> [String: String],
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.now = now
        self.environment = environment
        self.secretEnvironment = secretEnvironment
        self.workingDirectory = workingDirectory
        self.secrets = secrets
    }

    package func attempt(_ notice: Notice, _ receiver: ReceiverSettings) async -> DeliveryOutcome {
        do {
            switch receiver.kind {
            case .slack(let url):
                return await post(try Payloads.slack(notice), to: try await address(url))
            case .pagerduty(let key, let url):
                return await post(
                    try Payloads.pagerDuty(notice, routingKey: try await secret(key)), to: url)
            case .alertmanager(let url):
                return await post(try Payloads.alertmanager(notice), to: url + "/api/v2/alerts")
            case .webhook(let url, let source):
                var value: String?
                if let source { value = try await secret(source) }
                return await post(try Payloads.webhook(notice, secret: value, at: now()), to: try await address(url))
            case .email(let to, let from, let program):
                return await run(program, Payloads.mail(notice, to: to, from: from).body, timeout: .seconds(60))
            case .command(let command):
                return await run(command, try Payloads.webhook(notice, secret: nil, at: now()).body)
            }
        } catch {
            return .later("\(error)", after: nil)
        }
    }

    /// A sign of life. `seal` is the newest hash of the evidence, for whoever wants to hold the loop to it later.
    package func ping(_ url: AddressSource, seal: String?) async -> DeliveryOutcome {
        do {
            let header = seal.map { ["header = \(CurlText.quoted("X-Nightjar-Seal: \($0)"))"] } ?? []
            return await curl(["url = \(CurlText.quoted(try await address(url)))"] + header)
        } catch {
            return .later("\(error)", after: nil)
        }
    }

    private func address(_ source: AddressSource) async throws -> String {
        switch source {
        case .text(let text): text
        case .secret(let source): try await secret(source)
        }
    }

    private func secret(_ source: SecretSource) async throws -> String {
        try await SecretStore(["of the receiver": source], environment: secretEnvironment).fetch("of the receiver")
    }

    // MARK: - By HTTP

    private func post(_ parcel: Parcel, to url: String) async -> DeliveryOutcome {
        var lines = [
            "url = \(CurlText.quoted(url))", "header = \(CurlText.quoted("Content-Type: \(parcel.contentType)"))",
        ]
        lines += parcel.headers.sorted { $0.key < $1.key }.map {
            "header = \(CurlText.quoted("\($0.key): \($0.value)"))"
        }
        lines.append("data-binary = \(CurlText.quoted(String(decoding: parcel.body, as: UTF8.self)))")
        return await curl(lines)
    }

    /// The whole request stands in curl's configuration on its standard input: neither addresses nor keys are arguments.
    private func curl(_ lines: [String]) async -> DeliveryOutcome {
        let configuration = (Delivery.common + lines).joined(separator: "\n") + "\n"
        let output: HelperOutput
        do {
            output = try await HelperCommand.run(
                ["curl", "--config", "-"], environment: environment, workingDirectory: workingDirectory,
                standardInput: Array(configuration.utf8), timeout: Delivery.limit + .seconds(5), outputLimit: 64 << 10)
        } catch {
            return .later("unable to run curl: \(error)", after: nil)
        }
        guard output.succeeded else {
            let words = output.errorText.split(whereSeparator: \.isNewline).last.map(String.init) ?? "no answer"
            return .later(words, after: nil)
        }
        return Delivery.judge(output.text)
    }

    private static let common = [
        "silent", "show-error", "max-time = 20", "connect-timeout = 10", "user-agent = \"nightjar\"", "globoff",
        "proto = \"=http,https\"", "output = \"/dev/null\"",
        "write-out = \"%{http_code} %header{retry-after}\"",
    ]

    /// `429 30`: a status, and what the receiver asks for.
    static func judge(_ answer: String) -> DeliveryOutcome {
        let words = answer.split(separator: " ")
        guard let status = words.first.flatMap({ Int($0) }) else { return .later("unreadable answer", after: nil) }
        let asked = words.dropFirst().first.flatMap { Int64($0) }.map { Duration.seconds(min(max(0, $0), 3600)) }
        switch status {
        case 200..<300: return .delivered
        case 408, 425, 429, 500...: return .later("status \(status)", after: asked)
        default: return .refused("status \(status)")
        }
    }

    // MARK: - By a program

    /// A program that ends with this status asks to be called again (`EX_TEMPFAIL` of sysexits.h).
    private static let temporary: Int32 = 75

    private func run(_ command: CommandSettings, _ input: [UInt8]) async -> DeliveryOutcome {
        let values: [String: String]
        do {
            values = try await secrets(command.secrets)
        } catch {
            return .later("\(error)", after: nil)
        }
        let outcome = await run(
            command.argv, input, timeout: command.timeout, extra: command.environment.merging(values) { $1 },
            in: command.workingDirectory)
        // What it printed last is told and logged.
        let redaction = TextRedaction(needles: Array(values.values))
        return switch outcome {
        case .delivered: .delivered
        case .later(let problem, let asked): .later(redaction.text(problem), after: asked)
        case .refused(let problem): .refused(redaction.text(problem))
        }
    }

    private func run(
        _ words: [String], _ input: [UInt8], timeout: Duration, extra: [String: String] = [:],
        in directory: String? = nil
    ) async -> DeliveryOutcome {
        do {
            let output = try await HelperCommand.run(
                words, environment: environment.merging(extra) { $1 },
                workingDirectory: directory ?? workingDirectory, standardInput: input, timeout: timeout,
                outputLimit: 64 << 10)
            if output.succeeded { return .delivered }
            let last = output.errorText.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
            let how = output.timedOut ? "did not end in time" : "exit \(output.exit.map(String.init) ?? "by a signal")"
            let problem = "\(words.first ?? "the program") \(how)\(last)"
            return output.exit == Delivery.temporary || output.timedOut
                ? .later(problem, after: nil) : .refused(problem)
        } catch {
            return .later("unable to run \(words.first ?? "the program"): \(error)", after: nil)
        }
    }
}
