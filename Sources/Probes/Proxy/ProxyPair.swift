// SPDX-License-Identifier: Apache-2.0
// One connection through the fault proxy: two sockets, two lanes, and the rules that are in force.

internal import Platform

/// A rule as it stands on one connection.
struct StandingRule {
    let rule: ProxyRule
    /// Where the counts stood when the rule was set: `after 3 messages` means three more.
    var startBytes: (up: Int, down: Int) = (0, 0)
    var startMessages: (up: Int, down: Int) = (0, 0)
    let setAt: ProxyLane.Instant
    /// Since when it is in force; nil while it waits for its trigger.
    var since: ProxyLane.Instant?
    var isOver = false

    /// Whether it is in force.
    var isOn: Bool { since != nil && !isOver }

    var endsAt: ProxyLane.Instant? {
        guard let since, let lasts = rule.lasts, !isOver else { return nil }
        return since + lasts
    }

    /// When it begins by time.
    var beginsAt: ProxyLane.Instant? {
        guard since == nil, !isOver, case .time(let time) = rule.trigger else { return nil }
        return setAt + time
    }

    func concerns(_ side: ProxyPair.Side) -> Bool {
        switch rule.direction {
        case .both: true
        case .up: side == .client
        case .down: side == .server
        }
    }
}

/// One connection through the proxy. Lives on the proxy's thread.
final class ProxyPair {
    typealias Instant = ProxyLane.Instant

    /// Where bytes come from.
    enum Side: Int { case client = 0, server = 1 }

    let number: Int
    let client: Socket
    var server: Socket?
    /// What the client sends, and what the server sends.
    var up = ProxyLane()
    var down = ProxyLane()
    var rules: [StandingRule] = []
    var random: SeededRandom
    /// The request head to a proxy that is asked where to connect, as far as it has come.
    var request: [UInt8]?
    /// Sockets that are broken and silent until a stall ends; they would wake the thread for ever.
    var muted: Set<Side> = []
    var isConnecting = false

    init(number: Int, client: Socket, rules: [ProxyRule], seed: UInt64, now: Instant) {
        self.number = number
        self.client = client
        random = SeededRandom(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
        set(rules, now: now)
    }

    /// Puts other rules in force, from here on.
    func set(_ new: [ProxyRule], now: Instant) {
        rules = new.filter { $0.connections.contains(number) }.map { rule in
            var standing = StandingRule(rule: rule, setAt: now)
            standing.startBytes = (up.taken, down.taken)
            standing.startMessages = (up.watcher.messages, down.watcher.messages)
            if rule.trigger == .atOnce { standing.since = now }
            return standing
        }
    }

    subscript(_ side: Side) -> ProxyLane {
        get { side == .client ? up : down }
        _modify { if side == .client { yield &up } else { yield &down } }
    }

    func socket(_ side: Side) -> Socket? { side == .client ? client : server }

    var isStalled: Bool { rules.contains { $0.isOn && $0.rule.fault == .stall } }

    func isBlackhole(_ side: Side) -> Bool {
        rules.contains { $0.isOn && $0.rule.fault == .blackhole && $0.concerns(side) }
    }

    func bandwidth(_ side: Side) -> Int? {
        rules.compactMap { standing in
            guard standing.isOn, standing.concerns(side), case .bandwidth(let bytes) = standing.rule.fault else {
                return nil
            }
            return bytes
        }.min()
    }

    /// How much later bytes of `side` arrive, drawn anew for each piece.
    func delay(_ side: Side) -> Duration {
        var total = Duration.zero
        for standing in rules where standing.isOn && standing.concerns(side) {
            guard case .latency(let delay, let jitter) = standing.rule.fault else { continue }
            total += delay
            if jitter > .zero { total += jitter * Double.random(in: -1...1, using: &random) }
        }
        return max(.zero, total)
    }

    var endDelay: Duration {
        for standing in rules where standing.isOn {
            if case .slowClose(let delay) = standing.rule.fault { return delay }
        }
        return .zero
    }

    /// How many of `bytes` may pass before a rule of this lane fires, and which one; nil where none does.
    func firing(_ side: Side, _ bytes: ArraySlice<UInt8>) -> (rule: Int, after: Int)? {
        var best: (rule: Int, after: Int)?
        for (index, standing) in rules.enumerated() where standing.since == nil && !standing.isOver {
            guard standing.concerns(side) else { continue }
            var after: Int?
            switch standing.rule.trigger {
            case .bytes(let count):
                let start = side == .client ? standing.startBytes.up : standing.startBytes.down
                let left = start + count - self[side].taken
                if left <= bytes.count { after = max(0, left) }
            case .messages(let count):
                let start = side == .client ? standing.startMessages.up : standing.startMessages.down
                var probe = self[side].watcher
                after = count == 0 ? 0 : probe.pass(bytes, upTo: start + count)
            case .atOnce, .time: continue
            }
            if let after, best.map({ after < $0.after }) ?? true { best = (index, after) }
        }
        return best
    }

    /// The next moment at which time alone changes something.
    func wakeup(now: Instant) -> Instant? {
        var times = rules.compactMap { $0.beginsAt } + rules.compactMap { $0.endsAt }
        if !isStalled {
            if server != nil, let time = up.wakeup(now: now, bandwidth: bandwidth(.client)) { times.append(time) }
            if let time = down.wakeup(now: now, bandwidth: bandwidth(.server)) { times.append(time) }
        }
        return times.min()
    }
}
