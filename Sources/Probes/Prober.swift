// SPDX-License-Identifier: Apache-2.0
// Asks the environment: health checks and the live revision. Placeholders are substituted by the caller.

package import Domain

/// Puts questions to the environment and judges the answers.
package struct Prober: Sendable {
    private let transport: ProbeTransport
    /// Whether curl would send plain `http://` through a proxy.
    private let hasProxy: Bool
    /// Takes secrets out of what is kept of an answer.
    private let redact: @Sendable (String) -> String

    /// How many questions of one round are under way at the same time: a round must not be a load test.
    package static let concurrency = 8
    /// How many answers about the live revision are asked for at the same time.
    static let revisionBatch = 4

    /// `environment` is the daemon's, for the proxies that curl honors. `redact` sees every text that was read from an answer
    /// before it is cut to a line: half a secret would not be known for one.
    package init(
        transport: ProbeTransport, environment: [String: String],
        redact: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.redact = redact
        self.transport = transport
        // curl ignores HTTP_PROXY in capitals: a CGI server would set it from a request header.
        hasProxy = ["http_proxy", "all_proxy", "ALL_PROXY"].contains { environment[$0]?.isEmpty == false }
    }

    /// Asks one check.
    package func ask(_ check: CheckSettings) async -> ProbeAnswer {
        check.judge(await reply(to: check.target, timeout: check.timeout), redact: redact)
    }

    /// Asks all checks of one round side by side; the answers come in the order of the checks.
    package func ask(_ checks: [CheckSettings]) async -> [ProbeAnswer] {
        await inOrder(checks, atOnce: Prober.concurrency) { await ask($0) }
    }

    /// Asks once which revision is live.
    package func liveRevision(_ settings: LiveRevisionSettings) async -> RevisionAnswer {
        settings.answer(await reply(to: settings.target, timeout: settings.timeout), redact: redact)
    }

    /// Asks as often as the settings say, on a new connection each time, and judges the answers. Where a whole batch
    /// brings no revision at all, the rest is not asked: the answer is known, and timeouts add up.
    package func reading(_ settings: LiveRevisionSettings, wanted: Revision? = nil) async -> LiveReading {
        var proof = LiveRevisionProof(service: settings.service, needed: settings.answers)
        var left = max(1, settings.answers)
        while left > 0 {
            let batch = Array(repeating: settings, count: min(left, Prober.revisionBatch))
            let answers = await inOrder(batch, atOnce: Prober.revisionBatch) { await liveRevision($0) }
            for answer in answers { proof.take(answer) }
            if answers.allSatisfy({ $0.revision == nil }) { break }
            left -= batch.count
        }
        return proof.reading(wanted: wanted)
    }

    /// The reading over all services; its revision is nil where one of them differs.
    package func reading(_ services: [LiveRevisionSettings], wanted: Revision? = nil) async -> LiveReading {
        var readings: [LiveReading] = []
        for service in services { readings.append(await reading(service, wanted: wanted)) }
        return LiveRevisionProof.combined(readings)
    }

    /// Asks and reports what came back, unjudged.
    package func reply(to target: CheckTarget, timeout: Duration) async -> ProbeReply {
        switch target {
        case .http(let url, let method, let headers, let body):
            await http(PlainRequest(url: url, method: method, headers: headers, body: body, timeout: timeout))
        case .tcp(let host, let port):
            await transport.connect(host, port, timeout)
        case .command(let command):
            await run(command, timeout: min(timeout, command.timeout))
        }
    }

    private func http(_ request: PlainRequest) async -> ProbeReply {
        let call = CurlCall(
            url: request.url, method: request.method, headers: request.headers, body: request.body,
            timeout: request.timeout)
        guard let call else {
            let refusal = CurlCall.refusal(url: request.url, method: request.method, headers: request.headers)
            return .noAnswer(problem: refusal ?? "the request cannot be made", timings: ProbeTimings(total: 0))
        }
        if isPlain(request.url) { return await transport.exchange(request) }
        return await curl(call, timeout: request.timeout)
    }

    /// Whether our own client can put the question: three milliseconds cheaper than a process.
    private func isPlain(_ url: String) -> Bool {
        guard !hasProxy, url.lowercased().hasPrefix("http://") else { return false }
        return !url.dropFirst(7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }.contains("@")
    }

    private func curl(_ call: CurlCall, timeout: Duration) async -> ProbeReply {
        // curl keeps the limit itself; the second bound is for a curl that hangs all the same.
        let command = ProbeCommand(
            arguments: CurlCall.arguments, input: call.configuration, timeout: timeout + .seconds(2),
            outputLimit: Limits.probeBytes + 1)
        let reply = await transport.run(command)
        let timings = ProbeTimings(total: reply.milliseconds)
        switch reply.end {
        case .exited(let status): return call.reply(exit: status, output: reply.output, errors: reply.errors)
        case .signaled(let signal):
            return .noAnswer(problem: "curl was ended by signal \(signal)", timings: timings)
        case .timedOut:
            return .noAnswer(problem: "curl did not end within \(seconds(timeout + .seconds(2)))", timings: timings)
        case .didNotStart(let problem):
            return .noAnswer(problem: "curl could not be started: \(problem)", timings: timings)
        }
    }

    private func run(_ settings: CommandSettings, timeout: Duration) async -> ProbeReply {
        let command = ProbeCommand(
            arguments: settings.argv, environment: settings.environment, secrets: settings.secrets,
            workingDirectory: settings.workingDirectory, timeout: timeout, outputLimit: Limits.probeBytes + 1)
        let reply = await transport.run(command)
        let timings = ProbeTimings(total: reply.milliseconds)
        let name = Excerpt.cut(settings.arguments.first ?? "", limit: 60)
        switch reply.end {
        case .exited(let status): return .exited(status: status, output: reply.output, timings: timings)
        case .signaled(let signal):
            return .noAnswer(problem: "\(name) was ended by signal \(signal)", timings: timings)
        case .timedOut:
            return .noAnswer(problem: "\(name) did not end within \(seconds(timeout))", timings: timings)
        case .didNotStart(let problem):
            return .noAnswer(problem: "\(name) could not be started: \(problem)", timings: timings)
        }
    }
}

/// Runs `work` for every element, at most `atOnce` at a time; results in the order of the elements.
private func inOrder<Element: Sendable, Result: Sendable>(
    _ elements: [Element], atOnce: Int, _ work: @escaping @Sendable (Element) async -> Result
) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
        var results: [Int: Result] = [:]
        for (index, element) in elements.enumerated() {
            if index >= atOnce, let (done, result) = await group.next() { results[done] = result }
            group.addTask { (index, await work(element)) }
        }
        for await (done, result) in group { results[done] = result }
        return elements.indices.compactMap { results[$0] }
    }
}
