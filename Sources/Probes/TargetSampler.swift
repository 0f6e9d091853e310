// SPDX-License-Identifier: Apache-2.0
// Measures how long HTTP exchanges and WebSocket round trips take: one sample after another, none thrown away silently.
//
// The next sample begins when its turn has come or the one before has ended, whichever is later, so a server that stalls
// is asked less often than planned: what is measured is the time of one visitor, not of a crowd.

package import Domain
import Platform
import Synchronization
import WebSocket

/// What a run of samples brought: the warm-up first, then those that count.
package struct SampleRun: Hashable, Sendable {
    package var samples: [ProbeSample]
    /// Why it ended before all samples were taken; nil where none is missing.
    package var problem: String?

    /// The name that warm-up samples have in place of `counted`.
    package static let warmUp = "warm-up"
    package static let counted = "sample"

    package init(samples: [ProbeSample] = [], problem: String? = nil) {
        self.samples = samples
        self.problem = problem
    }

    /// In milliseconds, of the samples that count and ended well.
    package var milliseconds: [Double] { counting.filter(\.ok).compactMap(\.milliseconds) }

    /// What the samples that count and failed met.
    package var failures: [String] { counting.filter { !$0.ok }.map(\.finding) }

    private var counting: [ProbeSample] { samples.filter { $0.check == SampleRun.counted } }
}

package struct TargetSampler: Sendable {
    private let prober: Prober
    private let environment: [String: String]
    private let now: @Sendable () -> Timestamp

    /// `environment` is the one that helping programs get.
    package init(prober: Prober, environment: [String: String], now: @escaping @Sendable () -> Timestamp) {
        self.prober = prober
        self.environment = environment
        self.now = now
    }

    // MARK: - HTTP

    /// Asks again and again, each time on a new connection. Ends early where too many have failed to measure anything.
    package func http(
        _ check: CheckSettings, timing: TargetTiming, _ sampling: TargetSampling
    ) async -> SampleRun {
        var run = SampleRun()
        for number in 1...max(1, sampling.warmup + sampling.samples) {
            guard !Task.isCancelled else { return run.ended("stopped") }
            let begun = ContinuousClock.now
            let at = now()
            let answer = await prober.ask(check)
            run.samples.append(answer.sample(at: at, timing: timing, counts: number > sampling.warmup))
            if let problem = run.isHopeless(sampling) { return run.ended(problem) }
            let isLast = number == sampling.warmup + sampling.samples
            if !isLast { try? await Task.sleep(until: begun + sampling.interval, clock: .continuous) }
        }
        return run
    }

    // MARK: - WebSocket

    /// Opens one connection and sends a ping, or the message, again and again.
    package func webSocket(_ exchange: WebSocketExchange, _ sampling: TargetSampling) async -> SampleRun {
        let isStopped = StopFlag()
        let conversation = RoundTrips(
            exchange: exchange, sampling: sampling,
            path: NetworkPath(environment: environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }),
            isStopped: isStopped, now: now)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do {
                    // Sockets block, and the cooperative pool has only as many threads as the machine has cores.
                    try PlatformThread.start("target") { continuation.resume(returning: conversation.run()) }
                } catch {
                    continuation.resume(returning: SampleRun(problem: "no thread for the measurement: \(error)"))
                }
            }
        } onCancel: {
            isStopped.set()
        }
    }
}

extension SampleRun {
    fileprivate func ended(_ problem: String) -> SampleRun { SampleRun(samples: samples, problem: problem) }

    /// Why going on would measure nothing.
    fileprivate func isHopeless(_ sampling: TargetSampling) -> String? {
        let failures = failures
        guard failures.count > sampling.failuresAllowed else {
            let warmUp = samples.filter { $0.check == SampleRun.warmUp }
            let isDead = warmUp.count >= max(3, sampling.warmup) && warmUp.allSatisfy { !$0.ok } && samples == warmUp
            return isDead ? "all \(warmUp.count) warm-up samples failed: \(warmUp.last?.finding ?? "")" : nil
        }
        let taken = samples.count { $0.check == SampleRun.counted }
        return "\(failures.count) of \(taken) samples failed > \(sampling.failuresAllowed) allowed: \(failures[0])"
    }
}

extension ProbeAnswer {
    /// The answer as a sample of the time that counts; one that does not tell this time failed.
    fileprivate func sample(at time: Timestamp, timing: TargetTiming, counts: Bool) -> ProbeSample {
        let value: Double? =
            switch timing {
            case .connect: timings.connect
            case .tls: timings.tls
            case .firstByte: timings.firstByte
            case .total: timings.total
            }
        var sample = sample(at: time)
        sample.check = counts ? SampleRun.counted : SampleRun.warmUp
        sample.milliseconds = value
        if ok, value == nil { (sample.ok, sample.finding) = (false, "the exchange has no time for \(timing.rawValue)") }
        return sample
    }
}

private final class StopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}

/// One conversation over a WebSocket, on a thread of its own.
private struct RoundTrips: Sendable {
    let exchange: WebSocketExchange
    let sampling: TargetSampling
    let path: NetworkPath
    let isStopped: StopFlag
    let now: @Sendable () -> Timestamp

    func run() -> SampleRun {
        let connection: WebSocketConnection
        do {
            let headers = HTTPHeaders(exchange.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            connection = try WebSocketClient.connect(
                exchange.url, headers: headers, subprotocols: exchange.subprotocols, over: path,
                deadline: .after(sampling.timeout))
        } catch {
            return SampleRun(problem: Excerpt.cut("the WebSocket did not open: \(error)"))
        }
        var run = SampleRun()
        for number in 1...max(1, sampling.warmup + sampling.samples) {
            if isStopped.isSet { return end(connection, run.ended("stopped")) }
            let begun = ContinuousClock.now
            let at = now()
            let problem = roundTrip(number, connection)
            run.samples.append(
                ProbeSample(
                    check: number > sampling.warmup ? SampleRun.counted : SampleRun.warmUp, at: at, ok: problem == nil,
                    finding: problem?.words ?? "answered",
                    milliseconds: SystemTransport.milliseconds(ContinuousClock.now - begun)))
            let taken = "after \(number) of \(sampling.warmup + sampling.samples) round trips"
            if let problem, problem.isEnd {
                return end(connection, run.ended("the WebSocket was lost \(taken): \(problem.words)"))
            }
            if let problem = run.isHopeless(sampling) { return end(connection, run.ended(problem)) }
            let pause = sampling.interval - (ContinuousClock.now - begun)
            if number < sampling.warmup + sampling.samples, pause > .zero, let problem = listen(pause, connection) {
                return end(connection, run.ended("the WebSocket was lost \(taken): \(problem)"))
            }
        }
        return end(connection, run)
    }

    private func end(_ connection: WebSocketConnection, _ run: SampleRun) -> SampleRun {
        _ = try? connection.close(deadline: .after(.seconds(1)))
        return run
    }

    private struct Problem {
        var words: String
        /// Whether nothing can follow on this connection.
        var isEnd: Bool
    }

    /// Nil where the answer came.
    private func roundTrip(_ number: Int, _ connection: WebSocketConnection) -> Problem? {
        let deadline = SocketDeadline.after(sampling.timeout)
        let mark = Array("nightjar \(number)".utf8)
        let isNumbered = exchange.message == nil || exchange.reply?.contains("{sample}") == true
        let wanted = exchange.reply?.replacing("{sample}", with: String(number))
        do {
            if let message = exchange.message {
                try connection.send(text: message.replacing("{sample}", with: String(number)), deadline: deadline)
            } else {
                try connection.ping(mark, deadline: deadline)
            }
            // What a server floods us with must not keep us beyond the limit.
            while !deadline.isPast {
                switch try connection.receive(deadline: deadline) {
                case .pong(let bytes) where exchange.message == nil && bytes == mark: return nil
                case .text(let text) where exchange.message != nil && wanted.map(text.contains) ?? true: return nil
                case .binary where exchange.message != nil && wanted == nil: return nil
                case .closed(let reason): return Problem(words: "the server closed it: \(reason.code)", isEnd: true)
                case .pong, .text, .binary, .ping: continue
                }
            }
        } catch .socket(.timedOut) {
            // Told below: nothing came in time.
        } catch {
            return Problem(words: Excerpt.cut("\(error)"), isEnd: true)
        }
        // An answer that comes late would be taken for the next one where nothing tells them apart.
        return Problem(words: "no answer within \(seconds(sampling.timeout))", isEnd: !isNumbered)
    }

    /// Takes what the server says by itself until the next sample's turn; its pings are answered. Answers how the
    /// connection ended, if it did.
    private func listen(_ pause: Duration, _ connection: WebSocketConnection) -> String? {
        let deadline = SocketDeadline.after(pause)
        while !deadline.isPast {
            do {
                if case .closed(let reason) = try connection.receive(deadline: deadline) {
                    return "the server closed it: \(reason.code)"
                }
            } catch .socket(.timedOut) {
                return nil
            } catch {
                return Excerpt.cut("\(error)")
            }
        }
        return nil
    }
}
