// SPDX-License-Identifier: Apache-2.0
// A client that speaks the contract: says, expects, keeps count of numbered events, notices how a connection ends.

internal import Platform
internal import WebSocket

/// Why a case does not pass. `isSurroundings`: not the server's behavior, but what the case needs around it.
struct ScenarioFailure: Error {
    var reason: String
    var isSurroundings = false
}

/// How a connection ended.
enum ConnectionEnding: Equatable {
    case closed(CloseReason)
    /// Without a close frame; what the socket said.
    case dropped(String)

    var words: String {
        switch self {
        case .closed(let reason): "closed with \(reason)"
        case .dropped(let what): "ended without a close frame (\(what))"
        }
    }

    var code: UInt16? {
        if case .closed(let reason) = self { reason.code } else { nil }
    }
}

/// One connection of one user. Lives on the thread of the scenarios.
final class ScenarioClient {
    let connection: WebSocketConnection
    let contract: ResilienceContract
    var variables: TemplateVariables
    /// Messages that came while another was waited for.
    private var inbox: [JSONValue] = []
    /// The numbers of the events of its session, in the order in which they came, over all connections.
    private(set) var sequences: [Int] = []
    /// Numbered events that came over this connection.
    private(set) var received = 0
    /// Every message of this connection, newest last, bounded.
    private(set) var seen: [JSONValue] = []
    private var pongs: [[UInt8]] = []
    private var pings = 0
    /// Messages and pings of the server so far: signs that it, and the way to it, are alive.
    var signs: Int { seen.count + pings }
    /// When the connection stood, in monotonic time.
    let openedAt = ContinuousClock.now
    /// A silent client gives none of the answers that the contract asks for by itself.
    private let isSilent: Bool

    init(
        _ connection: WebSocketConnection, _ contract: ResilienceContract, _ variables: TemplateVariables,
        isSilent: Bool = false
    ) {
        self.connection = connection
        self.contract = contract
        self.variables = variables
        self.isSilent = isSilent
    }

    deinit { connection.end() }

    var soon: SocketDeadline { .after(contract.connect.timeout) }

    /// Takes over the session's history from the client that had it before. A server that resumes with the
    /// authentication may have sent events already.
    func inherit(_ other: ScenarioClient) {
        sequences = other.sequences + sequences
        for name in other.variables.values.keys where variables.values[name] == nil {
            variables.values[name] = other.variables.values[name]
        }
        noteLast()
    }

    var last: Int { sequences.max() ?? 0 }

    private func noteLast() { variables.values["last"] = .number("\(last)") }

    // MARK: Saying

    func say(_ value: JSONValue) throws {
        let filled: JSONValue
        do {
            filled = try variables.fill(value)
        } catch {
            throw ScenarioFailure(reason: "\(error)", isSurroundings: true)
        }
        try say(text: Self.wire(filled, prefixDigits: contract.prefixDigits))
    }

    func say(text: String) throws {
        do {
            try connection.send(text: text, deadline: soon)
        } catch {
            throw ScenarioFailure(reason: "cannot send: \(error)")
        }
    }

    /// A text by itself travels as it is; with `prefixDigits`, `["42", …]` travels as `42…`.
    static func wire(_ value: JSONValue, prefixDigits: Bool) -> String {
        if case .string(let text) = value { return text }
        if prefixDigits, case .array(let parts) = value, case .string(let digits)? = parts.first {
            return digits + parts.dropFirst().map(\.description).joined()
        }
        return value.description
    }

    static func message(_ text: String, prefixDigits: Bool) -> JSONValue {
        if prefixDigits {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let rest = try? JSONValue(parsing: String(text.dropFirst(digits.count)))
            return .array([.string(String(digits))] + (rest.map { [$0] } ?? []))
        }
        return (try? JSONValue(parsing: text)) ?? .string(text)
    }

    /// What the contract has a client answer to a message by itself, as it travels.
    static func replies(
        to message: JSONValue, _ contract: ResilienceContract, _ variables: TemplateVariables
    ) -> [String] {
        contract.connect.answers.compactMap { answer in
            guard let pattern = answer.expect, pattern.accepts(message, variables),
                let reply = answer.send.flatMap({ try? variables.fill($0) })
            else { return nil }
            return wire(reply, prefixDigits: contract.prefixDigits)
        }
    }

    // MARK: Hearing

    private enum Heard {
        case message(JSONValue)
        case other
        case nothing
        case ended(ConnectionEnding)
    }

    private func hear(_ deadline: SocketDeadline) -> Heard {
        do {
            switch try connection.receive(deadline: deadline) {
            case .text(let text):
                let message = Self.message(text, prefixDigits: contract.prefixDigits)
                note(message)
                return .message(message)
            case .pong(let payload):
                pongs.append(payload)
                return .other
            case .ping:
                pings += 1
                return .other
            case .binary: return .other
            case .closed(let reason): return .ended(.closed(reason))
            }
        } catch WebSocketError.socket(.timedOut) {
            return .nothing
        } catch {
            return .ended(.dropped("\(error)"))
        }
    }

    private func note(_ message: JSONValue) {
        seen.append(message)
        if seen.count > 5000 { seen.removeFirst(1000) }
        if !isSilent {
            for reply in Self.replies(to: message, contract, variables) { try? say(text: reply) }
        }
        for (item, pointer) in numbered where item.accepts(message, variables) {
            guard case .number(let text)? = message.value(at: pointer), let number = Int(text) else { continue }
            sequences.append(number)
            received += 1
            noteLast()
            break
        }
    }

    private var numbered: [(MessagePattern, String)] {
        var patterns: [(MessagePattern, String)] = []
        if let stream = contract.stream, !stream.sequence.isEmpty { patterns.append((stream.item, stream.sequence)) }
        if let queue = contract.queue, !queue.sequence.isEmpty { patterns.append((queue.item, queue.sequence)) }
        return patterns
    }

    /// Waits for a message; throws where `refused` comes, the connection ends, or the time is over.
    @discardableResult
    func expect(
        _ pattern: MessagePattern, refused: MessagePattern? = nil, what: String, within time: Duration? = nil
    ) throws -> JSONValue {
        let deadline = SocketDeadline.after(time ?? contract.connect.timeout)
        if let index = inbox.firstIndex(where: { pattern.accepts($0, variables) }) { return inbox.remove(at: index) }
        while true {
            switch hear(deadline) {
            case .message(let message):
                if pattern.accepts(message, variables) { return message }
                if let refused, refused.accepts(message, variables) {
                    throw ScenarioFailure(reason: "\(what) was refused: \(Excerpt.cut(message.description))")
                }
                inbox.append(message)
                if inbox.count > 1000 { inbox.removeFirst(500) }
            case .other: continue
            case .nothing:
                throw ScenarioFailure(reason: "\(what): no answer within \(seconds(time ?? contract.connect.timeout))")
            case .ended(let ending): throw ScenarioFailure(reason: "\(what): the connection \(ending.words)")
            }
        }
    }

    /// Waits for the next heartbeat, three intervals at most: a message, or a ping frame where that is the heartbeat.
    func expect(_ beat: ResilienceContract.Heartbeat, what: String) throws {
        if let message = beat.message {
            try expect(message, what: what, within: beat.interval * 3)
            return
        }
        let before = pings
        guard read(within: beat.interval * 3, until: { $0.pings > before }) else {
            throw ScenarioFailure(reason: "\(what): no ping of the server within \(seconds(beat.interval * 3))")
        }
    }

    /// Says what an exchange says, waits for its answer, and takes the variables out of it.
    @discardableResult
    func perform(_ exchange: MessageExchange, _ what: String, within time: Duration? = nil) throws -> JSONValue {
        if let send = exchange.send { try say(send) }
        guard let pattern = exchange.expect else { return .null }
        let answer = try expect(pattern, refused: exchange.refused, what: what, within: time)
        for (name, pointer) in exchange.capture {
            guard let value = answer.value(at: pointer) else {
                throw ScenarioFailure(
                    reason: "\(what): the answer has no \(pointer): \(Excerpt.cut(answer.description))")
            }
            variables.values[name] = value
        }
        return answer
    }

    /// Reads until `isEnough` or the time is over; says whether it was enough.
    func read(within time: Duration, until isEnough: (ScenarioClient) -> Bool) -> Bool {
        let deadline = SocketDeadline.after(time)
        while !isEnough(self) {
            switch hear(deadline) {
            case .message(let message): inbox.append(message)
            case .other: continue
            case .nothing, .ended: return isEnough(self)
            }
        }
        return true
    }

    /// Whether a message like this has come over this connection.
    func hasSeen(_ pattern: MessagePattern) -> Bool { seen.contains { pattern.accepts($0, variables) } }

    /// Waits for the end of the connection; nil where it is still open at the end of the time.
    func ending(within time: Duration) -> ConnectionEnding? {
        let deadline = SocketDeadline.after(time)
        while true {
            switch hear(deadline) {
            case .ended(let ending): return ending
            case .nothing: return nil
            case .message, .other: continue
            }
        }
    }

    /// Sends a ping and waits for its pong; the time in milliseconds.
    func ping(_ payload: [UInt8]) throws -> Double {
        let started = ContinuousClock.now
        do {
            try connection.ping(payload, deadline: soon)
        } catch {
            throw ScenarioFailure(reason: "cannot send a ping: \(error)")
        }
        guard read(within: .seconds(1), until: { $0.pongs.contains(payload) }) else {
            throw ScenarioFailure(
                reason: pongs.isEmpty
                    ? "a ping was not answered within 1 s" : "a pong carries another payload than its ping")
        }
        return milliseconds(since: started)
    }
}

/// Milliseconds since `start`, with three decimals.
func milliseconds(since start: ContinuousClock.Instant) -> Double {
    SystemTransport.milliseconds(ContinuousClock.now - start)
}
