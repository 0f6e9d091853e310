// SPDX-License-Identifier: Apache-2.0
// The loop of the fault proxy: readiness in, bytes through the lanes, faults at their moments.

internal import Platform
internal import Synchronization
internal import WebSocket

/// The state of the proxy's one thread.
struct ProxyEngine {
    typealias Instant = ProxyLane.Instant

    /// More connections at once than this are turned away with a reset.
    static let maximumConnections = 4096
    private static let listenerTag = SocketPoll.wakeTag - 1
    static let connectTimeout = Duration.seconds(10)

    private var listener: SocketListener?
    var rules: [ProxyRule]
    let settings: ProxySettings
    let control: ProxyControl
    var pairs: [Int: ProxyPair] = [:]
    /// Connections that time alone changes, and when.
    private var wakeups: [Int: Instant] = [:]
    private var accepted = 0
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    /// From when the times of `refuse` and `flap` count.
    private var rulesSetAt: Instant
    private var isRunning = true

    init(listener: SocketListener, rules: [ProxyRule], settings: ProxySettings, control: ProxyControl) {
        self.listener = listener
        self.rules = rules
        self.settings = settings
        self.control = control
        rulesSetAt = .now
    }

    mutating func run() {
        if let listener { control.poll.watch(listener, tag: Self.listenerTag) }
        updateListener(now: .now)
        while isRunning {
            let now = Instant.now
            let next = [wakeups.values.min(), listenerChange(now: now)].compactMap { $0 }.min()
            for event in control.poll.wait(next.map { max(.zero, $0 - now) }) {
                // Orders first: a rule that was set before a byte was sent holds for that byte.
                obey()
                switch event.tag {
                case SocketPoll.wakeTag: continue
                case Self.listenerTag: accept()
                default: serve(event)
                }
            }
            tick()
        }
        for pair in pairs.values { end(pair, resetting: false) }
    }

    // MARK: Orders

    private mutating func obey() {
        for order in control.take() {
            switch order {
            case .stop: isRunning = false
            case .rules(let new): replace(new)
            case .cut(let resetting):
                for pair in pairs.values { end(pair, resetting: resetting) }
            case .connected(let number, let result, let answers): connected(number, result, answers: answers)
            }
        }
    }

    private mutating func replace(_ new: [ProxyRule]) {
        let now = Instant.now
        rules = new
        rulesSetAt = now
        updateListener(now: now)
        for pair in pairs.values {
            // The bytes that a blackhole has swallowed are missing for ever: the stream cannot go on.
            let wasBlackhole = pair.isBlackhole(.client) || pair.isBlackhole(.server)
            pair.set(new, now: now)
            let isBlackhole = pair.isBlackhole(.client) || pair.isBlackhole(.server)
            if wasBlackhole, !isBlackhole { end(pair, resetting: false) } else { begin(pair, now: now) }
        }
    }

    // MARK: Listening

    /// Whether nobody shall listen now, because of a `refuse` or the dead half of a `flap`; and when that changes.
    private func refusal(now: Instant) -> (refuses: Bool, changes: Instant?) {
        for rule in rules {
            var start = rulesSetAt
            if case .time(let time) = rule.trigger { start = start + time }
            switch rule.fault {
            case .refuse:
                if now < start { return (false, start) }
                guard let lasts = rule.lasts else { return (true, nil) }
                if now < start + lasts { return (true, start + lasts) }
            case .flap(let up, let down):
                if now < start { return (false, start) }
                if let lasts = rule.lasts, now >= start + lasts { return (false, nil) }
                let period = max(.milliseconds(2), up + down)
                let round = ((now - start) / period).rounded(.down)
                let begin = start + period * round
                return now < begin + up ? (false, begin + up) : (true, begin + period)
            default: continue
            }
        }
        return (false, nil)
    }

    private func listenerChange(now: Instant) -> Instant? {
        let (refuses, changes) = refusal(now: now)
        // The port could not be had back: it is tried again soon.
        return listener == nil && !refuses ? now + .milliseconds(20) : changes
    }

    private mutating func updateListener(now: Instant) {
        let refuses = refusal(now: now).refuses
        if refuses, let open = listener {
            control.poll.forget(open)
            open.shutdown()
            listener = nil
            note("nobody listens")
            strike(rules.contains { if case .flap = $0.fault { true } else { false } } ? "flap" : "refuse")
            for pair in pairs.values { end(pair, resetting: true) }
        } else if !refuses, listener == nil {
            // Somebody else may have the port for a moment: it is tried again at the next round.
            listener = try? SocketListener.tcp(address: settings.address, port: settings.port)
            if let listener { control.poll.watch(listener, tag: Self.listenerTag) }
            note("listening again")
        }
    }

    private mutating func accept() {
        while let socket = listener?.acceptNow() {
            socket.sendAtOnce()
            guard pairs.count < Self.maximumConnections else {
                socket.resetOnClose()
                continue
            }
            accepted += 1
            let now = Instant.now
            let pair = ProxyPair(number: accepted, client: socket, rules: rules, seed: settings.seed, now: now)
            pairs[accepted] = pair
            control.statistics.withLock {
                $0.connections += 1
                $0.open += 1
            }
            note("connection \(accepted) opened")
            switch settings.target {
            case .to(let hop): connect(pair, hop.host, hop.port, answer: false)
            case .requested: pair.request = []
            }
            begin(pair, now: now)
        }
    }

    /// On a thread of its own: names are resolved there, and a server that does not answer holds nobody up.
    func connect(_ pair: ProxyPair, _ host: String, _ port: UInt16, answer: Bool) {
        let (number, control) = (pair.number, control)
        pair.isConnecting = true
        let work: @Sendable () -> Void = {
            let result = Result { () throws(SocketError) in
                try Socket.connect(host: host, port: port, deadline: .after(ProxyEngine.connectTimeout))
            }
            control.post(.connected(number, result, answer: answer))
        }
        do {
            try PlatformThread.start("proxy-connect", work)
        } catch {
            control.post(.connected(number, .failure(.closed(operation: "connect to", target: host)), answer: answer))
        }
    }

    private mutating func connected(_ number: Int, _ result: Result<Socket, SocketError>, answers: Bool) {
        guard let pair = pairs[number] else { return }
        pair.isConnecting = false
        switch result {
        case .success(let socket):
            pair.server = socket
            if answers { pair.down.add(ArraySlice(ProxyRequest.established), due: .now) }
            settle(pair)
        case .failure(let error):
            note("connection \(number): \(error)")
            control.statistics.withLock { $0.unreachable += 1 }
            if pair.request != nil || answers { _ = pair.client.writeNow(ArraySlice(ProxyRequest.badGateway)) }
            end(pair, resetting: false)
        }
    }

    // MARK: Serving

    private mutating func serve(_ event: SocketPoll.Event) {
        guard let pair = pairs[Int(event.tag >> 1)], let side = ProxyPair.Side(rawValue: Int(event.tag & 1)) else {
            return
        }
        if event.broken, !pair[side].hasRoom || pair.isStalled, let socket = pair.socket(side) {
            control.poll.forget(socket)
            pair.muted.insert(side)
        } else if event.readable || event.broken {
            read(pair, side)
        }
        settle(pair)
    }

    private mutating func read(_ pair: ProxyPair, _ side: ProxyPair.Side) {
        guard !pair.isStalled, pair[side].hasRoom, let socket = pair.socket(side) else { return }
        switch socket.readNow(into: &buffer) {
        case .bytes(let count): take(buffer[..<count], pair, side)
        case .wouldWait: return
        case .ended:
            pair[side].isEnded = true
            pair[side].endDue = .now + pair.endDelay
        case .failed:
            // A reset on one side is a reset on the other.
            if pair.isBlackhole(side) { pair[side].isEnded = true } else { end(pair, resetting: true) }
        }
    }

    /// Passes bytes on, up to the moment at which a rule fires.
    private mutating func take(_ bytes: ArraySlice<UInt8>, _ pair: ProxyPair, _ side: ProxyPair.Side) {
        if pair.request != nil, side == .client { return ask(pair, bytes) }
        var rest = bytes
        while !rest.isEmpty, pairs[pair.number] != nil {
            let firing = pair.firing(side, rest)
            let now = rest.prefix(firing?.after ?? rest.count)
            _ = pair[side].watcher.pass(now, upTo: -1)
            pair[side].count(now.count)
            if !pair.isBlackhole(side), !pair[side].discards {
                pair[side].add(ArraySlice(Array(now)), due: .now + pair.delay(side))
            }
            rest = rest.dropFirst(now.count)
            guard let firing else { return }
            fire(pair, firing.rule, side)
        }
    }

    private mutating func ask(_ pair: ProxyPair, _ bytes: ArraySlice<UInt8>) {
        pair.request?.append(contentsOf: bytes)
        switch ProxyRequest.read(pair.request ?? []) {
        case .incomplete: return
        case .refused:
            _ = pair.client.writeNow(ArraySlice(ProxyRequest.badRequest))
            end(pair, resetting: false)
        case .connect(let hop, let rest, let answers):
            pair.request = nil
            note("connection \(pair.number) asks for \(hop.host):\(hop.port)")
            connect(pair, hop.host, hop.port, answer: answers)
            take(ArraySlice(rest), pair, .client)
        }
    }

    // MARK: Faults

    /// What begins as soon as a connection or a rule is there.
    private mutating func begin(_ pair: ProxyPair, now: Instant) {
        for index in pair.rules.indices where pairs[pair.number] != nil {
            guard pair.rules.indices.contains(index), pair.rules[index].rule.trigger == .atOnce else { continue }
            strike(pair, pair.rules[index].rule.fault, pair.rules[index].rule.direction)
        }
        settle(pair)
    }

    private mutating func fire(_ pair: ProxyPair, _ index: Int, _ side: ProxyPair.Side) {
        pair.rules[index].since = .now
        let rule = pair.rules[index].rule
        if rule.fault.isInstant { pair.rules[index].isOver = true }
        // What came before the moment arrives, whatever its delay.
        flush(pair, upTo: .now + .seconds(3600))
        strike(pair, rule.fault, rule.direction == .both ? (side == .client ? .up : .down) : rule.direction)
    }

    private mutating func strike(_ pair: ProxyPair, _ fault: ProxyFault, _ direction: ProxyRule.Direction) {
        if case .refuse = fault { return }
        if case .flap = fault { return }
        note("connection \(pair.number): \(fault.name)")
        strike(fault.name)
        switch fault {
        case .refuse, .flap, .latency, .bandwidth, .stall, .blackhole, .slowClose: break
        case .reset: end(pair, resetting: true)
        case .close: end(pair, resetting: false)
        case .halfClose:
            let side = direction == .up ? ProxyPair.Side.client : .server
            pair[side].discards = true
            pair[side].isEnded = true
            pair[side].endDue = .now
        }
    }

    private func strike(_ name: String) {
        control.statistics.withLock { $0.faults[name, default: 0] += 1 }
    }

    /// Times that have come: queued bytes, rules that begin or end, the listener.
    private mutating func tick() {
        let now = Instant.now
        if refusal(now: now).refuses == (listener != nil) { updateListener(now: now) }
        for (number, time) in wakeups where time <= now {
            guard let pair = pairs[number] else {
                wakeups[number] = nil
                continue
            }
            for index in pair.rules.indices where pairs[number] != nil {
                if let begins = pair.rules[index].beginsAt, begins <= now {
                    fire(pair, index, .client)
                } else if let ends = pair.rules[index].endsAt, ends <= now {
                    pair.rules[index].isOver = true
                    if pair.rules[index].rule.fault == .blackhole { end(pair, resetting: false) }
                }
            }
            settle(pair)
        }
    }

    // MARK: Housekeeping

    /// Writes what is due, as far as there is room.
    private func flush(_ pair: ProxyPair, upTo now: Instant) {
        guard !pair.isStalled else { return }
        if let server = pair.server {
            _ = pair.up.pump(to: server, now: now, bandwidth: pair.bandwidth(.client))
        }
        _ = pair.down.pump(to: pair.client, now: now, bandwidth: pair.bandwidth(.server))
    }

    /// Writes, tells ends, and asks to be woken for what remains.
    private mutating func settle(_ pair: ProxyPair) {
        guard pairs[pair.number] != nil else { return }
        let now = Instant.now
        var isFull = (up: false, down: false)
        if !pair.isStalled {
            if let server = pair.server {
                let result = pair.up.pump(to: server, now: now, bandwidth: pair.bandwidth(.client))
                isFull.up = result.full
                if result.failed { return end(pair, resetting: true) }
            }
            let result = pair.down.pump(to: pair.client, now: now, bandwidth: pair.bandwidth(.server))
            isFull.down = result.full
            if result.failed { return end(pair, resetting: true) }
            tellEnds(pair, now: now)
        }
        if pair.up.isFinished, pair.down.isFinished { return end(pair, resetting: false) }
        watch(pair, isFull: isFull)
        wakeups[pair.number] = pair.wakeup(now: now)
    }

    private func tellEnds(_ pair: ProxyPair, now: Instant) {
        for side in [ProxyPair.Side.client, .server] {
            let lane = pair[side]
            guard lane.isEnded, !lane.isFinished, lane.isEmpty, lane.endDue.map({ $0 <= now }) ?? true else { continue }
            guard let other = side == .client ? pair.server : pair.client else { continue }
            if !pair.isBlackhole(side) { other.finishWriting() }
            pair[side].isFinished = true
        }
    }

    private func watch(_ pair: ProxyPair, isFull: (up: Bool, down: Bool)) {
        for side in [ProxyPair.Side.client, .server] {
            guard let socket = pair.socket(side) else { continue }
            var interest: SocketPoll.Interest = []
            if !pair.isStalled, pair[side].hasRoom { interest.insert(.read) }
            if side == .client ? isFull.down : isFull.up { interest.insert(.write) }
            if pair.muted.contains(side) {
                guard !interest.isEmpty else { continue }
                pair.muted.remove(side)
            }
            control.poll.watch(socket, tag: UInt64(pair.number) << 1 | UInt64(side.rawValue), interest)
        }
    }

    /// Ends a connection on both sides.
    mutating func end(_ pair: ProxyPair, resetting: Bool) {
        guard pairs.removeValue(forKey: pair.number) != nil else { return }
        wakeups[pair.number] = nil
        if !resetting { flush(pair, upTo: .now) }
        for socket in [pair.client, pair.server].compactMap({ $0 }) {
            control.poll.forget(socket)
            // The descriptor closes with its last reference: with a reset, or after an orderly end.
            if resetting { socket.resetOnClose() } else { socket.shutdown() }
        }
        control.statistics.withLock {
            $0.open -= 1
            $0.up += pair.up.passed
            $0.down += pair.down.passed
        }
        note("connection \(pair.number) over: \(pair.up.passed) bytes up, \(pair.down.passed) down")
    }

    private func note(_ line: String) { settings.report(line) }
}
