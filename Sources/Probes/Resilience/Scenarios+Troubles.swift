// SPDX-License-Identifier: Apache-2.0
// Scenarios 5, 6, 7 and 9: restarts, flapping, heartbeats, and another way to the server.

internal import Platform
internal import WebSocket

extension Scenarios {
    // MARK: 5

    func restart() {
        let needsRestart = ("a command that restarts the backend (restart)", contract.restart != nil)
        let kept = contract.restart?.keepsSessions ?? false
        recorder.test("clients get back in after a restart", needs: [needsRestart]) { try restartAndComeBack() }
        recorder.test(
            "sessions survive a restart",
            needs: [
                needsRestart, needsResume, needsSession,
                ("sessions that survive a restart (restart.keepsSessions)", kept),
            ]
        ) { try restartAndResume(needsContext.1) }
        // Where sessions survive, none is lost, and there is nothing to refuse.
        if kept { return }
        recorder.test(
            "a lost session is refused openly after a restart",
            needs: [
                needsRestart, needsResume,
                ("an answer that refuses a resume (resume.refused)", contract.resume?.refused != nil),
            ]
        ) {
            let client = try world.open(world.signIn()).client
            _ = try restartOnce(client)
            guard let refused = contract.resume?.refused, let send = contract.resume?.send else { return .none }
            let fresh = try world.open(client.variables).client
            fresh.inherit(client)
            for name in contract.connect.greeting?.capture.keys.sorted() ?? [] {
                fresh.variables.values[name] = client.variables.values[name]
            }
            try fresh.say(send)
            try fresh.expect(refused, refused: contract.resume?.expect, what: "resuming a session that is gone")
            return .none
        }
    }

    /// Restarts the backend under a client. How its connection ended, and the time from there until the command was
    /// over and a connection stood again, in milliseconds.
    private func restartOnce(
        _ client: ScenarioClient
    ) throws -> (ending: ConnectionEnding, recovery: Double, reconnect: Double) {
        guard let restart = contract.restart else { throw ScenarioFailure(reason: "no restart", isSurroundings: true) }
        let command: [String]
        do {
            command = try restart.command.map { try client.variables.fill($0) }
        } catch {
            throw ScenarioFailure(reason: "restart: \(error)", isSurroundings: true)
        }
        let child: SocketChild
        do {
            let environment = world.environment.map { "\($0.key)=\($0.value)" }
            child = try SocketChild(command, environment: environment, workingDirectory: world.workingDirectory)
        } catch {
            throw ScenarioFailure(reason: "restart: \(error)", isSurroundings: true)
        }
        let deadline = SocketDeadline.after(restart.timeout)
        let ending = client.ending(within: restart.timeout)
        let ended = ContinuousClock.now
        let (end, output) = child.finish(deadline: deadline)
        guard end == .exited(0) else {
            let how = end.map { "\($0)" } ?? "did not end within \(seconds(restart.timeout))"
            throw ScenarioFailure(reason: "the restart command \(how): \(Excerpt.cut(output))", isSurroundings: true)
        }
        guard let ending else {
            throw ScenarioFailure(reason: "the restart did not end the connection", isSurroundings: true)
        }
        let limit = SocketDeadline.after(.milliseconds(Int64(limits.recovery)))
        while true {
            let started = ContinuousClock.now
            if let client = try? world.open(client.variables).client {
                let now = ContinuousClock.now
                client.connection.end()
                return (
                    ending, SystemTransport.milliseconds(now - ended), SystemTransport.milliseconds(now - started)
                )
            }
            guard !limit.isPast else {
                throw ScenarioFailure(
                    reason: "no connection within \(ScenarioKPI.short(limits.recovery)) ms after the restart")
            }
            world.pause(.milliseconds(50))
        }
    }

    private func restartAndComeBack() throws -> CaseFindings {
        var recoveries: [Double] = []
        var reconnects: [Double] = []
        var notes: [String] = []
        for _ in 0..<(contract.restart?.trials ?? 1) {
            let client = try world.open(world.signIn()).client
            let found = try restartOnce(client)
            recoveries.append(found.recovery)
            reconnects.append(found.reconnect)
            // 1001 and 1012 tell a client what happened; anything else is only less polite.
            if ![1001, 1012].contains(found.ending.code ?? 0) { notes.append("the connection \(found.ending.words)") }
            try world.proveAlive(client.variables)
        }
        return CaseFindings(
            kpis: [
                .worst("recovery", recoveries, atMost: limits.recovery),
                .mean("reconnect", reconnects, atMost: limits.reconnect),
            ], notes: Array(Set(notes)).sorted())
    }

    private func restartAndResume(_ hasContext: Bool) throws -> CaseFindings {
        if hasContext { return try storedContext { _ = try restartOnce($0) } }
        let client = try world.open(world.signIn()).client
        let session = client.variables.values[contract.sessionVariable]
        _ = try restartOnce(client)
        let back = try world.comeBack(client)
        try expectSame(session, back.client)
        return CaseFindings(kpis: [.worst("context", [back.context], atMost: limits.context)])
    }

    // MARK: 6

    func flapping() {
        recorder.test("\(contract.trials) cuts in a row are survived", needs: [needsResume, needsSession]) {
            try comeBackAgainAndAgain { try world.cut($0) }
        }
        recorder.test("cuts in the middle of the handshake do no harm") {
            let variables = try world.signIn()
            for cut in 1...contract.trials {
                world.proxy.set([ProxyRule(.reset, direction: .up, trigger: .bytes(cut * 7))])
                if let client = try? world.connect(variables) { client.connection.end() }
            }
            world.proxy.heal()
            try world.proveAlive(variables)
            return .none
        }
        recorder.test(
            "a client gets through a network that flaps, and keeps its session", needs: [needsResume, needsSession]
        ) {
            var client = try world.open(world.signIn()).client
            let session = client.variables.values[contract.sessionVariable]
            world.proxy.set([ProxyRule(.flap(up: .milliseconds(150), down: .milliseconds(50)))])
            let limit = SocketDeadline.after(.seconds(20))
            var returns = 0
            var attempts = 0
            while returns < 5, !limit.isPast {
                _ = client.ending(within: .seconds(1))
                attempts += 1
                guard let back = try? world.comeBack(client) else {
                    world.pause(.milliseconds(20))
                    continue
                }
                client = back.client
                returns += 1
            }
            world.proxy.heal()
            guard returns == 5 else { throw ScenarioFailure(reason: "only \(returns) of 5 returns within 20 s") }
            _ = client.ending(within: .milliseconds(50))
            let back = try world.comeBack(client)
            try expectSame(session, back.client)
            try world.echo(back.client)
            return CaseFindings(notes: ["\(attempts) attempts for \(returns) returns"])
        }
        recorder.test("a newcomer is served at once after the flapping") {
            let took = try world.open(world.signIn()).took
            return CaseFindings(kpis: [.worst("open", [took], atMost: max(limits.reconnect, limits.context))])
        }
    }

    // MARK: 7

    func heartbeat() {
        recorder.test("a ping is answered with its own payload") {
            let client = try world.open(world.signIn()).client
            var times: [Double] = []
            for trial in 0..<max(3, contract.trials / 4) {
                times.append(try client.ping(Array("beat-\(trial)".utf8)))
            }
            return CaseFindings(kpis: [.worst("pong", times, atMost: limits.context)])
        }
        let beats = (
            "heartbeats (heartbeat.message, or heartbeat.by: ping)",
            contract.heartbeat.map { $0.message != nil || $0.isPing } ?? false
        )
        recorder.test("heartbeats keep their interval", needs: [beats]) { try measureHeartbeat() }
        recorder.test("a silent network shows itself in the missing heartbeat", needs: [beats]) {
            guard let beat = contract.heartbeat else { return .none }
            let client = try world.open(world.signIn()).client
            try client.expect(beat, what: "the first heartbeat")
            world.proxy.set([ProxyRule(.stall)])
            let before = client.signs
            _ = client.read(within: beat.interval / 4) { _ in false }
            let quiet = client.signs
            _ = client.read(within: beat.interval * 2) { $0.signs > quiet }
            guard client.signs == quiet else {
                throw ScenarioFailure(
                    reason: "\(client.signs - before) messages came through a stalled network", isSurroundings: true)
            }
            // Whoever waits for two intervals knows; an abort and a new connection is all it takes.
            client.connection.end()
            let back = try world.comeBack(client, way: .past(source: nil))
            try world.echo(back.client)
            return CaseFindings(kpis: [.worst("reconnect", [back.reconnect], atMost: limits.reconnect)])
        }
        let drops = (
            "a limit for silent clients (heartbeat.dropsSilentAfter)", contract.heartbeat?.dropsSilentAfter != nil
        )
        recorder.test("a client that answers nothing is dropped", needs: [drops]) {
            guard let limit = contract.heartbeat?.dropsSilentAfter else { return .none }
            let client = try world.open(world.signIn(), answersPings: false).client
            let started = ContinuousClock.now
            guard client.ending(within: limit * 1.25) != nil else {
                throw ScenarioFailure(reason: "still open \(seconds(limit * 1.25)) after the last sign of life")
            }
            return CaseFindings(kpis: [
                .worst("dropped", [milliseconds(since: started)], atMost: limit / .milliseconds(1) * 1.25)
            ])
        }
    }

    private func measureHeartbeat() throws -> CaseFindings {
        guard let beat = contract.heartbeat else { return .none }
        let client = try world.open(world.signIn()).client
        var gaps: [Double] = []
        try client.expect(beat, what: "the first heartbeat")
        for _ in 0..<3 {
            let started = ContinuousClock.now
            try client.expect(beat, what: "a heartbeat")
            gaps.append(milliseconds(since: started))
        }
        let interval = beat.interval / .milliseconds(1)
        // The tolerance, and what a scheduler may do to a short interval.
        let slack = max(interval * beat.tolerance, 50)
        return CaseFindings(kpis: [
            .worst("heartbeat gap", gaps, atMost: interval + slack),
            .worst("heartbeat too early by", gaps.map { max(0, interval - $0) }, atMost: slack),
        ])
    }

    // MARK: 9

    func interfaceSwitch() {
        let second = ("another local address (secondAddress)", contract.secondAddress != nil)
        let source = ScenarioWorld.Way.past(source: contract.secondAddress)
        recorder.test("the session is the same from another local address", needs: [second, needsResume, needsSession])
        {
            let client = try world.open(world.signIn()).client
            let session = client.variables.values[contract.sessionVariable]
            try world.cut(client)
            let back = try world.comeBack(client, way: source)
            try expectSame(session, back.client)
            try world.echo(back.client)
            return CaseFindings(kpis: [
                .mean("reconnect", [back.reconnect], atMost: limits.reconnect),
                .worst("context", [back.context], atMost: limits.context),
            ])
        }
        recorder.test("stored context is there from another address", needs: [second, needsResume, needsContext]) {
            try storedContext(way: source) { try world.cut($0) }
        }
        recorder.test(
            "the old connection, half open, gets nothing any more", needs: [second, needsResume, needsStream]
        ) {
            guard let stream = contract.stream, let end = stream.end else { return .none }
            let old = try world.open(world.signIn()).client
            world.proxy.set([ProxyRule(.stall)])
            let new = try world.comeBack(old, way: source).client
            try new.say(stream.start)
            guard new.read(within: stream.timeout, until: { $0.hasSeen(end) }) else {
                throw ScenarioFailure(reason: "the stream did not reach its end on the new way")
            }
            world.proxy.heal()
            _ = old.read(within: .milliseconds(300)) { _ in false }
            guard old.received == 0 else {
                throw ScenarioFailure(reason: "\(old.received) events went to the old connection")
            }
            var reading = SequenceReading()
            reading.add(new, to: lastEvent(of: stream, new))
            return delivery(reading)
        }
        recorder.test(
            "back on the first way, the session is still the same", needs: [second, needsResume, needsSession]
        ) {
            var client = try world.open(world.signIn()).client
            let session = client.variables.values[contract.sessionVariable]
            for way in [source, .proxy, source, .proxy] {
                client.connection.end()
                client = try world.comeBack(client, way: way).client
                try expectSame(session, client)
            }
            return .none
        }
    }
}
