// SPDX-License-Identifier: Apache-2.0
// Scenarios 1 to 3: coming back with the context, in the middle of a stream, and to what waited.

internal import WebSocket

/// The scenarios themselves. Each one is a list of cases over the contract.
struct Scenarios {
    let world: ScenarioWorld
    let recorder: ScenarioRecorder

    var contract: ResilienceContract { world.contract }
    var limits: ResilienceLimits { contract.limits }
    var needsResume: (String, Bool) { ("a way to resume a session (resume)", contract.resume != nil) }
    /// A session can only be the same where something names it.
    var needsSession: (String, Bool) {
        let name = contract.sessionVariable
        let connect = contract.connect
        let captures = [connect.greeting, connect.authenticate, contract.resume].compactMap { $0?.capture[name] }
        return ("a name of the session (capture {\(name)})", !captures.isEmpty)
    }
    var needsContext: (String, Bool) {
        ("stored context (store and recall)", contract.store != nil && contract.recall != nil)
    }
    var needsStream: (String, Bool) { ("a stream with numbered events (stream)", contract.stream != nil) }
    var needsQueue: (String, Bool) { ("a way to make events while the client is away (queue)", contract.queue != nil) }

    func run(_ scenario: ScenarioKind) {
        world.proxy.heal()
        switch scenario {
        case .reconnection: reconnection()
        case .midStream: midStream()
        case .queueing: queueing()
        case .expiredToken: expiredToken()
        case .restart: restart()
        case .flapping: flapping()
        case .heartbeat: heartbeat()
        case .malformed: malformed()
        case .interfaceSwitch: interfaceSwitch()
        case .tokenRefresh: tokenRefresh()
        case .security: security()
        }
        world.proxy.heal()
    }

    // MARK: 1

    private func reconnection() {
        recorder.test("a connection opens and answers") {
            let (client, took) = try world.open(world.signIn())
            return CaseFindings(kpis: [
                .worst("open", [took], atMost: max(limits.reconnect, limits.context)),
                .worst("echo", [try world.echo(client)], atMost: limits.context),
            ])
        }
        for (name, resetting) in [("a reset", true), ("an orderly end without a close frame", false)] {
            recorder.test("the session is the same after \(name)", needs: [needsResume, needsSession]) {
                try comeBackAgainAndAgain { client in try world.cut(client, resetting: resetting) }
            }
        }
        recorder.test("stored context is there after coming back", needs: [needsResume, needsContext]) {
            try storedContext { try world.cut($0) }
        }
        recorder.test("an unknown session is refused openly", needs: [needsResume, refusal]) {
            let (client, _) = try world.open(world.signIn())
            guard let resume = contract.resume, let refused = resume.refused else { return .none }
            for name in contract.connect.greeting?.capture.keys.sorted() ?? [] {
                client.variables.values[name] = .string("unknown-\(world.unique())")
            }
            if let send = resume.send { try client.say(send) }
            try client.expect(refused, refused: resume.expect, what: "resuming an unknown session")
            return .none
        }
    }

    private var refusal: (String, Bool) {
        ("an answer that refuses a resume (resume.refused)", contract.resume?.refused != nil)
    }

    /// Loses the connection and comes back, `trials` times on the same session, after one that is not counted.
    func comeBackAgainAndAgain(_ lose: (ScenarioClient) throws -> Void) throws -> CaseFindings {
        var client = try world.open(world.signIn()).client
        let session = client.variables.values[contract.sessionVariable]
        var reconnects: [Double] = []
        var contexts: [Double] = []
        for trial in 0...contract.trials {
            try lose(client)
            let back = try world.comeBack(client)
            client = back.client
            try expectSame(session, client)
            if trial > 0 {
                reconnects.append(back.reconnect)
                contexts.append(back.context)
            }
        }
        try world.echo(client)
        return CaseFindings(kpis: [
            .mean("reconnect", reconnects, atMost: limits.reconnect),
            .worst("context", contexts, atMost: limits.context),
        ])
    }

    func expectSame(_ session: JSONValue?, _ client: ScenarioClient) throws {
        guard let session else { return }
        let now = client.variables.values[contract.sessionVariable]
        guard now == session else {
            throw ScenarioFailure(
                reason: "the session is another one after coming back: \(words(now)), it was \(words(session))")
        }
    }

    private func words(_ value: JSONValue?) -> String {
        Excerpt.cut(value.map(TemplateVariables.text) ?? "none", limit: 40)
    }

    /// Stores a value, loses the connection, comes back and asks for it.
    func storedContext(way: ScenarioWorld.Way = .proxy, _ lose: (ScenarioClient) throws -> Void) throws -> CaseFindings
    {
        guard let store = contract.store, let recall = contract.recall else { return .none }
        let client = try world.open(world.signIn()).client
        client.variables.values["key"] = .string("key-\(world.unique())")
        client.variables.values["value"] = .string("value-\(world.unique())")
        try client.perform(store, "storing context")
        try lose(client)
        let back = try world.comeBack(client, way: way)
        let started = ContinuousClock.now
        try back.client.perform(recall, "asking for the stored context")
        return CaseFindings(kpis: [
            .worst("context", [back.context + milliseconds(since: started)], atMost: limits.context)
        ])
    }

    // MARK: 2

    private func midStream() {
        let few = max(1, contract.trials / 4)
        recorder.test("a stream arrives whole without trouble", needs: [needsStream]) {
            try stream(cuts: 0, times: 1) { _ in }
        }
        recorder.test("cut after some messages and resumed, nothing is missing", needs: [needsStream, needsResume]) {
            try stream(cuts: 1, times: few) { client in
                let count = 1 + Int(world.chance() * 4)
                // In TLS no message can be seen; bytes can.
                let trigger: ProxyRule.Trigger = world.isSecure ? .bytes(200 * count) : .messages(count)
                world.proxy.set([ProxyRule(.reset, direction: .down, trigger: trigger)])
                _ = client.ending(within: .seconds(2))
            }
        }
        recorder.test(
            "cut in the middle of a frame and resumed, nothing is missing", needs: [needsStream, needsResume]
        ) {
            try stream(cuts: 1, times: few) { client in
                let bytes = 30 + Int(world.chance() * 400)
                world.proxy.set([ProxyRule(.close, direction: .down, trigger: .bytes(bytes))])
                _ = client.ending(within: .seconds(2))
            }
        }
        recorder.test("cut three times in one stream", needs: [needsStream, needsResume]) {
            try stream(cuts: 3, times: few) { client in
                world.proxy.set([ProxyRule(.reset, direction: .down, trigger: .bytes(80 + Int(world.chance() * 200)))])
                _ = client.ending(within: .seconds(2))
            }
        }
        recorder.test("a stall of half a second loses nothing", needs: [needsStream]) {
            try stream(cuts: 0, times: 1) { _ in
                world.proxy.set([ProxyRule(.stall, trigger: .time(.milliseconds(20)), lasts: .milliseconds(500))])
            }
        }
        recorder.test("latency with jitter keeps the order", needs: [needsStream]) {
            try stream(cuts: 0, times: 1) { _ in
                world.proxy.set([ProxyRule(.latency(.milliseconds(20), jitter: .milliseconds(15)))])
            }
        }
    }

    /// Starts a stream, gets into trouble `cuts` times, comes back each time, and counts the events.
    private func stream(
        cuts: Int, times: Int, _ trouble: (ScenarioClient) throws -> Void
    ) throws -> CaseFindings {
        guard let stream = contract.stream, let end = stream.end else { return .none }
        var reading = SequenceReading()
        var contexts: [Double] = []
        for _ in 0..<times {
            var client = try world.open(world.signIn()).client
            try client.say(stream.start)
            guard client.read(within: stream.timeout, until: { $0.received > 0 || $0.hasSeen(end) }) else {
                throw ScenarioFailure(reason: "no event of the stream came within \(seconds(stream.timeout))")
            }
            if cuts == 0 { try trouble(client) }
            var isOver = false
            var last: Int?
            for _ in 0..<cuts where !isOver {
                try trouble(client)
                isOver = client.hasSeen(end)
                last = lastEvent(of: stream, client)
                world.proxy.heal()
                let back = try world.comeBack(client)
                client = back.client
                contexts.append(back.context)
            }
            let whole = isOver || client.read(within: stream.timeout) { $0.hasSeen(end) }
            world.proxy.heal()
            guard whole else {
                throw ScenarioFailure(
                    reason:
                        "the stream did not reach its end within \(seconds(stream.timeout)); event \(client.last) was the last"
                )
            }
            reading.add(client, to: last ?? lastEvent(of: stream, client))
        }
        var findings = delivery(reading)
        if !contexts.isEmpty { findings.kpis.append(.worst("context", contexts, atMost: limits.context)) }
        return findings
    }

    /// The number of the last event that there must be; nil where neither the file nor the end of the stream says it.
    func lastEvent(of stream: ResilienceContract.Stream, _ client: ScenarioClient) -> Int? {
        if let count = stream.count { return count }
        guard let pointer = stream.total, let end = stream.end,
            let said = client.seen.last(where: { end.accepts($0, client.variables) }),
            case .number(let text)? = said.value(at: pointer)
        else { return nil }
        // What a server says is bounded as `stream.count` is: beyond it, it says nothing.
        return Int(text).flatMap { ResilienceContract.Stream.counts.contains($0) ? $0 : nil }
    }

    /// What a stream's numbers say. Without a known number of events nothing passes: the last ones may be lost.
    func delivery(_ reading: SequenceReading, of what: String = "a stream (stream.count or stream.total)")
        -> CaseFindings
    {
        CaseFindings(kpis: reading.kpis(limits), needs: reading.isTold ? nil : "the number of events of \(what)")
    }

    // MARK: 3

    private func queueing() {
        let few = max(1, contract.trials / 4)
        recorder.test("events made while away arrive on return, in order and once", needs: [needsQueue, needsResume]) {
            try queue(times: few, returns: 1)
        }
        recorder.test("they do not come again when the client comes back once more", needs: [needsQueue, needsResume]) {
            try queue(times: 1, returns: 2)
        }
        recorder.test(
            "a client that was away for a second gets them as well", needs: [needsQueue, needsResume]
        ) {
            try queue(times: 1, returns: 1, away: .seconds(1))
        }
    }

    private func queue(times: Int, returns: Int, away: Duration = .zero) throws -> CaseFindings {
        guard let queue = contract.queue else { return .none }
        var reading = SequenceReading()
        var contexts: [Double] = []
        for _ in 0..<times {
            var client = try world.open(world.signIn()).client
            let before = client.last
            if let start = queue.start {
                // The connection goes as soon as the server has been told, before it can answer.
                let trigger: ProxyRule.Trigger = world.isSecure ? .time(.milliseconds(20)) : .messages(1)
                world.proxy.set([ProxyRule(.close, direction: .up, trigger: trigger)])
                try client.say(start)
                _ = client.ending(within: .seconds(5))
                world.proxy.heal()
            } else {
                try world.cut(client)
            }
            let published = try publish(queue, client)
            if away > .zero { world.pause(away) }
            for _ in 0..<returns {
                let back = try world.comeBack(client)
                client = back.client
                contexts.append(back.context)
                let last = before + published
                _ = client.read(within: .seconds(5)) { client in
                    queue.end.map { client.hasSeen($0) } ?? (client.last >= last)
                }
                // Quiet: whatever comes now is too much.
                _ = client.read(within: .milliseconds(200)) { _ in false }
                if returns > 1 { try world.cut(client) }
            }
            guard client.last > before else { throw ScenarioFailure(reason: "no event arrived at all") }
            let made = queue.publish == nil ? queue.count : published
            reading.add(client, from: before + 1, to: made.map { before + $0 })
        }
        var findings = delivery(reading, of: "a queue (queue.count)")
        findings.kpis.append(.worst("context", contexts, atMost: limits.context))
        return findings
    }

    private func publish(_ queue: ResilienceContract.Queue, _ client: ScenarioClient) throws -> Int {
        guard let action = queue.publish else { return 0 }
        let count = queue.count ?? ResilienceContract.Queue.usualCount
        for number in 1...count {
            client.variables.values["n"] = .number("\(number)")
            client.variables.values["unique"] = .string(world.unique())
            try world.perform(action, &client.variables, what: "publishing")
        }
        return count
    }
}
