// SPDX-License-Identifier: Apache-2.0
// What the live part of the demo service remembers: sessions that survive connections and restarts, events, tokens.

internal import Foundation
internal import Platform
internal import Synchronization
internal import WebSocket

/// What the live service gets wrong on purpose, one thing at a time.
enum LiveBreakage: String, Hashable, Sendable, CaseIterable {
    case losesSession = "loses-session"
    case forgetsOnRestart = "forgets-on-restart"
    case dropsQueue = "drops-queue"
    case dropsTail = "drops-tail"
    case repeatsEvents = "repeats-events"
    case acceptsExpired = "accepts-expired"
    case acceptsForged = "accepts-forged"
    case noPong = "no-pong"
    case noHeartbeat = "no-heartbeat"
    case diesOnMalformed = "dies-on-malformed"
    case disconnectsOnRefresh = "disconnects-on-refresh"
    case leaksBetweenUsers = "leaks-between-users"
    case leakyErrors = "leaky-errors"
    case slowToOpen = "slow-to-open"
    case wedgesWhenFlapping = "wedges-when-flapping"
    case boundToAddress = "bound-to-address"
    case noRateLimit = "no-rate-limit"
}

/// A session: one user's conversation, over as many connections as it takes.
struct LiveSession {
    var id: String
    var user: String
    var resumeToken: String
    var context: [String: DemoJSON] = [:]
    var sequence = 0
    /// The newest events, for those who come back.
    var events: [DemoJSON] = []
    /// The connection that has it now.
    var connection: WebSocketConnection?
    var address: String?
    var resumptions = 0

    static let keptEvents = 2000
}

/// The memory of the live service, shared by its connections. Everything that must survive a restart is written down.
final class LiveStore: Sendable {
    let breakages: Set<LiveBreakage>
    private let file: String?
    private let secret: String
    private let state = Mutex(State())
    private let savedAt = Mutex(ContinuousClock.now - .seconds(1))
    /// Held while events go out: what was missed comes before what is new.
    let delivery = Mutex(())

    private struct State {
        var sessions: [String: LiveSession] = [:]
        var usedRefresh: Set<String> = []
        var count = 0
    }

    /// A store that keeps itself in `folder`, or only in memory.
    init(folder: String?, breakages: Set<LiveBreakage> = []) {
        self.breakages = breakages
        file = folder.map { $0 + "/sessions.json" }
        let kept = file.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }.flatMap(DemoJSON.init(parsing:))
        secret = kept?["secret"]?.text ?? LiveStore.random()
        guard !breakages.contains(.forgetsOnRestart) else { return }
        let sessions = (kept?["sessions"]?.elements ?? []).compactMap(LiveSession.init(json:))
        state.withLock { $0.sessions = Dictionary(sessions.map { ($0.id, $0) }) { $1 } }
    }

    static func random() -> String {
        (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    }

    /// Writes everything down.
    func save() {
        guard let file else { return }
        let sessions = state.withLock { $0.sessions.values.map(\.json) }
        try? DemoFiles.write("\(DemoJSON.object(["secret": .string(secret), "sessions": .array(sessions)]))", to: file)
    }

    // MARK: Tokens

    /// A token that says who and until when, and a seal over both.
    func token(for user: String, lasting duration: Duration, kind: String = "access") -> String {
        let expires = SystemClock.wallMilliseconds + Int64(duration / .milliseconds(1))
        let claim = "\(kind).\(user).\(expires).\(LiveStore.random())"
        return claim + "." + seal(claim)
    }

    private func seal(_ claim: String) -> String {
        SHA256.hex(of: Array((secret + claim + secret).utf8))
    }

    /// Whose token this is and when it ends, or nil where it is not to be trusted.
    func user(of token: String, kind: String = "access") -> (name: String, expires: Int64)? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0] == kind, let expires = Int64(parts[2]) else { return nil }
        let isSealed = parts[4] == seal(parts.dropLast().joined(separator: "."))
        guard isSealed || breakages.contains(.acceptsForged) else { return nil }
        guard expires > SystemClock.wallMilliseconds || breakages.contains(.acceptsExpired) else { return nil }
        return (parts[1], expires)
    }

    /// Takes a refresh token, which is good for one use.
    func redeem(_ token: String) -> String? {
        guard let user = user(of: token, kind: "refresh")?.name else { return nil }
        return state.withLock { $0.usedRefresh.insert(token).inserted } ? user : nil
    }

    // MARK: Sessions

    func create(for user: String, _ connection: WebSocketConnection, from address: String?) -> LiveSession {
        state.withLock { state in
            state.count += 1
            let session = LiveSession(
                id: "s-\(state.count)-\(LiveStore.random())", user: user, resumeToken: LiveStore.random(),
                connection: connection, address: address)
            state.sessions[session.id] = session
            return session
        }
    }

    /// Gives the session behind a resume token to another connection: the session, what was missed, and the connection
    /// that had it. Nil where there is none, or it is somebody else's.
    func resume(
        _ token: String, user: String, last: Int, _ connection: WebSocketConnection, from address: String?,
        insteadOf fresh: String
    ) -> (session: LiveSession, missed: [DemoJSON], old: WebSocketConnection?)? {
        guard !breakages.contains(.losesSession) else { return nil }
        return state.withLock { state in
            guard var session = state.sessions.values.first(where: { $0.resumeToken == token }),
                session.user == user || breakages.contains(.leaksBetweenUsers)
            else { return nil }
            if breakages.contains(.boundToAddress), session.address != address { return nil }
            if breakages.contains(.wedgesWhenFlapping), session.resumptions >= 12 { return nil }
            let old = session.connection
            session.connection = connection
            session.resumptions += 1
            let from = breakages.contains(.repeatsEvents) ? last - 2 : last
            let missed = session.events.filter { ($0["seq"]?.number ?? 0) > from }
            state.sessions[session.id] = session
            if fresh != session.id { state.sessions[fresh] = nil }
            return (session, missed, old)
        }
    }

    /// The connection is over; the session waits.
    func leave(_ id: String, _ connection: WebSocketConnection) {
        state.withLock { state in
            if state.sessions[id]?.connection === connection { state.sessions[id]?.connection = nil }
        }
        // When a thousand leave together, once is enough; the end of the service saves in any case.
        let now = ContinuousClock.now
        let isDue = savedAt.withLock { savedAt in
            defer { if now - savedAt > .milliseconds(200) { savedAt = now } }
            return now - savedAt > .milliseconds(200)
        }
        if isDue { save() }
    }

    /// Numbers an event, keeps it, and returns it with the connections that get it now.
    private func emit(_ event: [String: DemoJSON], to id: String) -> (event: DemoJSON, readers: [WebSocketConnection]) {
        state.withLock { state in
            guard var session = state.sessions[id] else { return (.null, []) }
            session.sequence += 1
            var event = event
            event["seq"] = .number(session.sequence)
            let whole = DemoJSON.object(event)
            let isLost = breakages.contains(.dropsQueue) && session.connection == nil
            if !isLost { session.events.append(whole) }
            if session.events.count > LiveSession.keptEvents { session.events.removeFirst() }
            state.sessions[id] = session
            let everybody = breakages.contains(.leaksBetweenUsers) ? Array(state.sessions.values) : [session]
            return (whole, everybody.compactMap(\.connection))
        }
    }

    /// Sends an event to the session, now or when it comes back. False where there is no such session.
    @discardableResult
    func publish(_ event: [String: DemoJSON], to id: String) -> Bool {
        delivery.withLock { _ in
            let (event, readers) = emit(event, to: id)
            for reader in readers { try? reader.send(text: "\(event)", deadline: .after(.seconds(1))) }
            return event != .null
        }
    }

    /// Sends a message to everybody else, which nobody should ever do.
    func tellOthers(_ message: DemoJSON, than connection: WebSocketConnection) {
        for other in connections where other !== connection {
            try? other.send(text: "\(message)", deadline: .after(.milliseconds(100)))
        }
    }

    func context(_ key: String, of id: String) -> DemoJSON {
        state.withLock { $0.sessions[id]?.context[key] ?? .null }
    }

    func setContext(_ key: String, _ value: DemoJSON, of id: String) {
        state.withLock { $0.sessions[id]?.context[key] = value }
    }

    func owner(of id: String) -> String? { state.withLock { $0.sessions[id]?.user } }

    var connections: [WebSocketConnection] { state.withLock { $0.sessions.values.compactMap(\.connection) } }
}

extension LiveSession {
    var json: DemoJSON {
        [
            "id": .string(id), "user": .string(user), "resume": .string(resumeToken), "context": .object(context),
            "sequence": .number(sequence), "events": .array(events), "address": .string(address ?? ""),
        ]
    }

    init?(json: DemoJSON) {
        guard let id = json["id"]?.text, let user = json["user"]?.text, let token = json["resume"]?.text,
            let sequence = json["sequence"]?.number, let events = json["events"]?.elements,
            case .object(let context)? = json["context"]
        else { return nil }
        self.init(
            id: id, user: user, resumeToken: token, context: context, sequence: sequence, events: events,
            address: json["address"]?.text)
    }
}
