// SPDX-License-Identifier: Apache-2.0
// How questions really travel: our own sockets for plain HTTP and TCP, small commands for the rest.

import Execution
import Platform
import WebSocket

extension ProbeTransport {
    /// Sockets and commands of this machine; `environment` is the one that commands get, `workingDirectory` tells each time
    /// where those run that name no folder of their own (nil: where this process runs), and `secrets` fetches the values of
    /// the secrets that they name (nil: there are none).
    package static func system(
        environment: [String: String], workingDirectory: @escaping @Sendable () -> String? = { nil },
        secrets: (@Sendable ([String]) async throws -> [String: String])? = nil
    ) -> ProbeTransport {
        ProbeTransport(
            run: { command in
                var command = command
                command.workingDirectory = command.workingDirectory ?? workingDirectory()
                guard !command.secrets.isEmpty else {
                    return await SystemTransport.run(command, environment: environment)
                }
                guard let secrets else {
                    return ProbeCommandReply(end: .didNotStart("no secret can be had here"))
                }
                do {
                    let values = try await secrets(command.secrets)
                    command.environment.merge(values) { $1 }
                    let reply = await SystemTransport.run(command, environment: environment)
                    return reply.without(Array(values.values))
                } catch {
                    return ProbeCommandReply(end: .didNotStart(Excerpt.cut("\(error)")))
                }
            },
            exchange: { request in await SystemTransport.onThread { SystemTransport.exchange(request) } },
            connect: { host, port, timeout in
                await SystemTransport.onThread { SystemTransport.connect(host, port, timeout) }
            })
    }
}

extension ProbeCommandReply {
    /// What was printed goes into findings: secrets are replaced first.
    fileprivate func without(_ needles: [String]) -> ProbeCommandReply {
        let redaction = TextRedaction(needles: needles)
        var reply = self
        reply.output = Array(redaction.text(String(decoding: output, as: UTF8.self)).utf8)
        reply.errors = Array(redaction.text(String(decoding: errors, as: UTF8.self)).utf8)
        return reply
    }
}

enum SystemTransport {
    /// Sockets block, and the cooperative pool has only as many threads as the machine has cores.
    static func onThread(_ work: @escaping @Sendable () -> ProbeReply) async -> ProbeReply {
        await withCheckedContinuation { continuation in
            do {
                try PlatformThread.start("probe") { continuation.resume(returning: work()) }
            } catch {
                continuation.resume(
                    returning: .noAnswer(problem: "no thread for the probe: \(error)", timings: ProbeTimings(total: 0)))
            }
        }
    }

    static func run(_ command: ProbeCommand, environment: [String: String]) async -> ProbeCommandReply {
        let started = ContinuousClock.now
        do {
            let output = try await HelperCommand.run(
                command.arguments, environment: environment.merging(command.environment) { $1 },
                workingDirectory: command.workingDirectory, standardInput: command.input, timeout: command.timeout,
                outputLimit: command.outputLimit)
            let end: ProbeCommandEnd =
                output.timedOut ? .timedOut : output.exit.map { .exited($0) } ?? .signaled(output.signal ?? 0)
            return ProbeCommandReply(
                end: end, output: output.standardOutput, errors: output.standardError,
                milliseconds: milliseconds(ContinuousClock.now - started))
        } catch {
            return ProbeCommandReply(end: .didNotStart(Excerpt.cut(error.description)))
        }
    }

    static func exchange(_ request: PlainRequest) -> ProbeReply {
        let started = ContinuousClock.now
        var headers = request.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let body = request.body, !request.headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
            let isJSON = body.hasPrefix("{") || body.hasPrefix("[")
            headers.append(("Content-Type", isJSON ? "application/json" : "text/plain"))
        }
        do {
            let response = try HTTPClient.send(
                request.method.isEmpty ? "GET" : request.method.uppercased(), request.url,
                headers: HTTPHeaders(headers), body: request.body.map { Array($0.utf8) },
                deadline: .after(request.timeout), bodyLimit: bodyLimit)
            let timings = ProbeTimings(
                connect: milliseconds(response.timings.connect), firstByte: milliseconds(response.timings.firstByte),
                total: milliseconds(response.timings.total))
            guard !response.bodyIsCut else {
                return .noAnswer(problem: "the answer is larger than \(bodyLimit >> 20) MiB", timings: timings)
            }
            return .http(status: response.status, body: response.body, timings: timings)
        } catch {
            return .noAnswer(problem: words(error, request), timings: since(started))
        }
    }

    static func connect(_ host: String, _ port: Int, _ timeout: Duration) -> ProbeReply {
        let started = ContinuousClock.now
        guard let number = UInt16(exactly: port), number > 0 else {
            return .noAnswer(problem: "\(port) is no port, expected 1...65535", timings: ProbeTimings(total: 0))
        }
        do {
            let socket = try Socket.connect(host: host, port: number, deadline: .after(timeout))
            socket.shutdown()
            let timings = since(started)
            return .connected(ProbeTimings(connect: timings.total, total: timings.total))
        } catch {
            return .noAnswer(problem: words(error, host: host, port: port, timeout), timings: since(started))
        }
    }

    private static let bodyLimit = CurlCall.bodyLimit

    private static func words(_ error: HTTPError, _ request: PlainRequest) -> String {
        let (host, port) = CurlCall.authority(of: request.url)
        guard case .socket(let failure) = error else { return Excerpt.cut("\(host):\(port): \(error)") }
        return words(failure, host: host, port: port, request.timeout)
    }

    /// The same words that curl's exit codes get, so that a finding does not change with the way it went.
    private static func words(_ error: SocketError, host: String, port: Int, _ timeout: Duration) -> String {
        switch error {
        case .timedOut: "no answer from \(host):\(port) within \(seconds(timeout))"
        case .unresolved: "the name \(host) cannot be resolved"
        case .closed: "\(host):\(port) closed the connection without an answer"
        case .system(_, _, let code): "\(SystemError.text(code).lowercased()) \(host):\(port)"
        case .badPath: Excerpt.cut(error.description)
        }
    }

    private static func since(_ start: ContinuousClock.Instant) -> ProbeTimings {
        ProbeTimings(total: milliseconds(ContinuousClock.now - start))
    }

    static func milliseconds(_ duration: Duration) -> Double {
        Double((duration / .microseconds(1)).rounded()) / 1000
    }
}
