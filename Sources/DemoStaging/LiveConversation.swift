// SPDX-License-Identifier: Apache-2.0
// One WebSocket to the live service: greeting, resume, events, heartbeat, token expiry and refresh.

internal import Foundation
internal import Platform
internal import Synchronization
internal import WebSocket

/// One connection. Its thread waits for messages and for the next thing that is due, whichever comes first.
struct LiveConversation {
    private let store: LiveStore
    private let connection: WebSocketConnection
    private let address: String?
    private let user: String
    private var session: LiveSession
    private var expires: Int64
    private let heartbeat: Duration
    private var beats = 0
    private var nextBeat: ContinuousClock.Instant
    private var lastHeard = ContinuousClock.now
    private var streams: [Stream] = []
    /// Messages that may still be said at once, refilled over time.
    private var allowance = Double(Self.messagesPerSecond)
    private var refilledAt = ContinuousClock.now

    /// More in a second are refused, one by one.
    static let messagesPerSecond = 300

    private struct Stream {
        var left: Int
        var interval: Duration
        var next: ContinuousClock.Instant
    }

    static let tokenExpired = CloseReason(4401, "token expired")
    private static let takenOver = CloseReason(4409, "resumed elsewhere")
    private static let unheard = CloseReason(4408, "nothing heard")
    private var soon: SocketDeadline { .after(.seconds(5)) }

    init(
        store: LiveStore, connection: WebSocketConnection, user: String, expires: Int64, heartbeat: Duration,
        address: String?
    ) {
        self.store = store
        self.connection = connection
        self.user = user
        self.expires = expires
        self.heartbeat = heartbeat
        self.address = address
        session = store.create(for: user, connection, from: address)
        nextBeat = .now + heartbeat
    }

    /// Talks until the connection is over.
    mutating func run() throws {
        defer {
            // What a stream still owes is kept for the one who comes back.
            while let stream = streams.popLast() {
                for left in (0..<stream.left).reversed() { advance(isLast: left == 0) }
            }
            store.leave(session.id, connection)
        }
        try send([
            "type": "welcome", "session": .string(session.id), "resume": .string(session.resumeToken),
            "user": .string(user), "heartbeat": .number(Int(heartbeat / .milliseconds(1))),
        ])
        while true {
            do {
                let event = try connection.receive(deadline: .after(max(.zero, nextDue - .now)))
                lastHeard = .now
                switch event {
                case .closed: return
                case .text(let text): try answer(text)
                case .binary: try send(["type": "error", "error": "send text"])
                case .ping, .pong: continue
                }
            } catch WebSocketError.socket(.timedOut) {
                guard try doWhatIsDue() else { return }
            }
        }
    }

    // MARK: Time

    private var nextDue: ContinuousClock.Instant {
        let now = ContinuousClock.now
        let left = Duration.milliseconds(max(0, expires - SystemClock.wallMilliseconds))
        let ends = store.breakages.contains(.acceptsExpired) ? now + .seconds(3600) : now + left
        return ([nextBeat, ends] + streams.map(\.next)).min() ?? now
    }

    /// False where the connection is over.
    private mutating func doWhatIsDue() throws -> Bool {
        let now = ContinuousClock.now
        if expires <= SystemClock.wallMilliseconds, !store.breakages.contains(.acceptsExpired) {
            try send(["type": "expired"])
            try connection.close(Self.tokenExpired, deadline: .after(.seconds(1)))
            return false
        }
        if nextBeat <= now {
            nextBeat = now + heartbeat
            beats += 1
            if !store.breakages.contains(.noHeartbeat) {
                try send(["type": "heartbeat", "n": .number(beats)])
                try connection.ping(deadline: soon)
            }
            // A peer that is there answers pings; one that is gone would be kept for ever.
            if now - lastHeard > heartbeat * 5 {
                try connection.send(Frame(.close, closeBody(Self.unheard)), deadline: soon)
                connection.end()
                return false
            }
        }
        for index in streams.indices where streams[index].next <= now {
            streams[index].next = now + streams[index].interval
            streams[index].left -= 1
            advance(isLast: streams[index].left == 0)
        }
        streams.removeAll { $0.left <= 0 }
        return true
    }

    private func closeBody(_ reason: CloseReason) -> [UInt8] {
        [UInt8(reason.code >> 8), UInt8(reason.code & 0xFF)] + Array(reason.text.utf8)
    }

    /// Emits the next event of a stream.
    private func advance(isLast: Bool) {
        store.publish(["type": "event", "session": .string(session.id)], to: session.id)
        if isLast { store.publish(["type": "stream-end"], to: session.id) }
    }

    // MARK: Messages

    private func send(_ message: DemoJSON) throws {
        try connection.send(text: "\(message)", deadline: soon)
    }

    private func refuse(_ what: String) throws {
        let detail: DemoJSON =
            store.breakages.contains(.leakyErrors)
            ? .string("Fatal error: \(what)\n at /srv/live/Sources/Store.swift:42 password=hunter2") : .string(what)
        try send(["type": "error", "error": detail])
    }

    /// Takes one message from the allowance; false where there is none left.
    private mutating func isWithinLimit() -> Bool {
        let now = ContinuousClock.now
        let most = Double(Self.messagesPerSecond)
        allowance = min(most, allowance + (now - refilledAt) / .seconds(1) * most)
        refilledAt = now
        guard allowance >= 1 else { return store.breakages.contains(.noRateLimit) }
        allowance -= 1
        return true
    }

    private mutating func answer(_ text: String) throws {
        guard isWithinLimit() else { return try send(["type": "rate-limited"]) }
        guard let message = DemoJSON(parsing: text), let type = message["type"]?.text else {
            if store.breakages.contains(.diesOnMalformed) { exit(134) }
            return try refuse("a message is an object with a type")
        }
        switch type {
        case "echo":
            try send(message)
            if store.breakages.contains(.leaksBetweenUsers) { store.tellOthers(message, than: connection) }
        case "set":
            guard let key = message["key"]?.text else { return try refuse("set needs a key") }
            store.setContext(key, message["value"] ?? .null, of: session.id)
            try send(["type": "set-done", "key": .string(key)])
        case "get":
            guard let key = message["key"]?.text else { return try refuse("get needs a key") }
            try send(["type": "value", "key": .string(key), "value": store.context(key, of: session.id)])
        case "stream": try startStream(message)
        case "resume": try resume(message)
        case "refresh": try refresh(message)
        default: try refuse("there is no such type")
        }
    }

    private mutating func startStream(_ message: DemoJSON) throws {
        guard let count = message["count"]?.number, (1...1000).contains(count),
            let interval = message["interval"]?.number, (0...1000).contains(interval)
        else { return try refuse("stream needs a count from 1 to 1000 and an interval from 0 to 1000") }
        let made = store.breakages.contains(.dropsTail) ? max(1, count / 2) : count
        streams.append(Stream(left: made, interval: .milliseconds(interval), next: .now))
    }

    private mutating func resume(_ message: DemoJSON) throws {
        let resumed = try store.delivery.withLock { _ -> LiveSession? in
            let found = store.resume(
                message["resume"]?.text ?? "", user: user, last: message["last"]?.number ?? 0, connection,
                from: address, insteadOf: session.id)
            guard let (resumed, missed, old) = found else { return nil }
            if let old, old !== connection {
                try? old.send(Frame(.close, closeBody(Self.takenOver)), deadline: .after(.milliseconds(200)))
                old.end()
            }
            try send(["type": "resumed", "session": .string(resumed.id), "missed": .number(missed.count)])
            for event in missed { try send(event) }
            return resumed
        }
        guard let resumed else { return try send(["type": "resume-refused"]) }
        session = resumed
    }

    private mutating func refresh(_ message: DemoJSON) throws {
        guard let name = store.redeem(message["refresh"]?.text ?? ""), name == user else {
            return try send(["type": "refresh-refused"])
        }
        if store.breakages.contains(.disconnectsOnRefresh) {
            try connection.close(CloseReason(4401, "sign in again"), deadline: .after(.seconds(1)))
            return
        }
        let lasting = Duration.seconds(900)
        expires = SystemClock.wallMilliseconds + 900_000
        try send([
            "type": "refreshed", "token": .string(store.token(for: user, lasting: lasting)),
            "refresh": .string(store.token(for: user, lasting: .seconds(86_400), kind: "refresh")),
        ])
    }
}
