// SPDX-License-Identifier: Apache-2.0
// Scenarios 4 and 10: tokens that have expired, and tokens that are renewed on the open socket.

internal import WebSocket

extension Scenarios {
    private var needsExpired: (String, Bool) {
        ("a login whose token has expired (expiredLogin)", contract.expiredLogin != nil)
    }
    private var needsExpiring: (String, Bool) {
        ("a login with a short life (expiringLogin)", contract.expiringLogin != nil)
    }
    private var needsRefresh: (String, Bool) { ("a refresh on the open socket (refresh)", contract.refresh != nil) }

    private enum Knock {
        /// Refused in the handshake, with what the server said.
        case refused(String)
        case opened(ScenarioClient)
    }

    /// The handshake alone. Throws where it ends in anything but a yes or a no.
    private func knock(_ variables: TemplateVariables, _ who: String) throws -> Knock {
        do {
            return .opened(try world.connect(variables))
        } catch WebSocketError.refused(let status, let reason) {
            guard contract.refusal.status.contains(status) else {
                throw ScenarioFailure(
                    reason: "\(who) was refused with status \(status), expected \(contract.refusal.status)")
            }
            return .refused(reason)
        } catch let error as WebSocketError {
            throw ScenarioFailure(reason: "\(who): no refusal but \(error)")
        }
    }

    /// Tries to get in. Throws where the server lets it, is silent, or says anything but no; returns the time to the no,
    /// in milliseconds, and what it said.
    func expectRefusal(_ variables: TemplateVariables, _ who: String) throws -> (took: Double, said: String) {
        let started = ContinuousClock.now
        let client: ScenarioClient
        switch try knock(variables, who) {
        case .refused(let reason): return (milliseconds(since: started), reason)
        case .opened(let opened): client = opened
        }
        // The handshake was let through: the contract may say no with a message or a close code.
        let isIn = (try? world.settle(client)) != nil && (try? world.echo(client)) != nil
        guard !isIn else { throw ScenarioFailure(reason: "\(who) was let in") }
        let took = milliseconds(since: started)
        if let message = contract.refusal.message,
            let said = client.seen.last(where: { message.accepts($0, client.variables) })
        {
            return (took, said.description)
        }
        if case .closed(let reason)? = client.ending(within: .seconds(5)),
            contract.refusal.close.contains(Int(reason.code))
        {
            return (took, reason.text)
        }
        throw ScenarioFailure(reason: "\(who) got neither a refusal nor an answer")
    }

    // MARK: 4

    func expiredToken() {
        recorder.test("an expired token is refused, and quickly", needs: [needsExpired]) {
            let variables = try world.signIn(with: contract.expiredLogin)
            var times: [Double] = []
            for _ in 0..<max(1, contract.trials / 4) {
                times.append(try expectRefusal(variables, "an expired token").took)
            }
            return CaseFindings(kpis: [.worst("refusal", times, atMost: limits.refusal)])
        }
        recorder.test("no data comes before the refusal of an expired token", needs: [needsExpired]) {
            try expectNoDataBeforeRefusal()
        }
        recorder.test(
            "after the refusal, a fresh token gets back to the session",
            needs: [needsExpired, needsResume, needsSession]
        ) {
            let client = try world.open(world.signIn()).client
            let session = client.variables.values[contract.sessionVariable]
            try world.cut(client)
            _ = try expectRefusal(world.signIn(with: contract.expiredLogin), "an expired token")
            var fresh = client.variables
            // What the login brings, and nothing else: the rest belongs to the session.
            let signedIn = try world.signIn()
            for name in (contract.login?.capture ?? [:]).keys { fresh.values[name] = signedIn.values[name] }
            let back = try world.comeBack(client, variables: fresh)
            try expectSame(session, back.client)
            try world.echo(back.client)
            return CaseFindings(kpis: [
                .mean("reconnect", [back.reconnect], atMost: limits.reconnect),
                .worst("context", [back.context], atMost: limits.context),
            ])
        }
        recorder.test("a token that expires on the open socket ends it with its code", needs: [needsExpiring]) {
            let client = try world.open(world.signIn(with: contract.expiringLogin)).client
            let limit = contract.expiringAfter + .seconds(5)
            guard let ending = client.ending(within: limit) else {
                throw ScenarioFailure(reason: "the connection is still open \(seconds(limit)) after it was opened")
            }
            guard let code = ending.code, contract.refusal.close.contains(Int(code)) else {
                throw ScenarioFailure(
                    reason: "the connection \(ending.words), expected one of \(contract.refusal.close)")
            }
            return CaseFindings(notes: ["the connection \(ending.words)"])
        }
    }

    /// Presents an expired token and asks for data without waiting for an answer. A server that refuses in the handshake
    /// has said no before anything; any other must say no as well, and until then nothing else.
    private func expectNoDataBeforeRefusal() throws -> CaseFindings {
        let who = "an expired token"
        guard case .opened(let client) = try knock(world.signIn(with: contract.expiredLogin), who) else {
            return CaseFindings(notes: ["it was refused in the handshake"])
        }
        if let greeting = contract.connect.greeting { _ = try? client.perform(greeting, "the greeting") }
        for message in [contract.connect.authenticate?.send, contract.stream?.start].compactMap({ $0 }) {
            try? client.say(message)
        }
        let refusal = contract.refusal.message
        func isRefused(_ client: ScenarioClient) -> Bool { refusal.map { client.hasSeen($0) } ?? false }
        let saidNo = client.read(within: contract.connect.timeout, until: isRefused)
        // What was on its way comes now.
        let ending = client.ending(within: .milliseconds(300))
        guard client.received == 0 else {
            throw ScenarioFailure(reason: "\(client.received) events came with an expired token")
        }
        guard saidNo || isRefused(client) || ending?.code.map({ contract.refusal.close.contains(Int($0)) }) == true
        else {
            throw ScenarioFailure(
                reason: "\(who) was not refused: the connection \(ending?.words ?? "stayed open, and nothing said no")")
        }
        return .none
    }

    // MARK: 10

    func tokenRefresh() {
        recorder.test("a refresh is answered on the same socket, quickly", needs: [needsRefresh]) {
            guard let refresh = contract.refresh else { return .none }
            let client = try world.open(world.signIn()).client
            let before = client.variables.values[contract.tokenVariable]
            var times: [Double] = []
            for trial in 0...contract.trials {
                let started = ContinuousClock.now
                try client.perform(refresh, "the refresh")
                if trial > 0 { times.append(milliseconds(since: started)) }
            }
            try world.echo(client)
            guard client.variables.values[contract.tokenVariable] != before else {
                throw ScenarioFailure(reason: "the refresh brought no other token ({\(contract.tokenVariable)})")
            }
            return CaseFindings(kpis: [.mean("refresh", times, atMost: limits.refresh)])
        }
        recorder.test("the new token opens a connection", needs: [needsRefresh]) {
            guard let refresh = contract.refresh else { return .none }
            let client = try world.open(world.signIn()).client
            try client.perform(refresh, "the refresh")
            try world.proveAlive(client.variables)
            return .none
        }
        recorder.test("a refresh in the middle of a stream leaves no gap", needs: [needsRefresh, needsStream]) {
            guard let refresh = contract.refresh, let stream = contract.stream, let end = stream.end else {
                return .none
            }
            let client = try world.open(world.signIn()).client
            try client.say(stream.start)
            _ = client.read(within: stream.timeout) { $0.received > 0 }
            try client.perform(refresh, "the refresh")
            guard client.read(within: stream.timeout, until: { $0.hasSeen(end) }) else {
                throw ScenarioFailure(reason: "the stream did not reach its end after the refresh")
            }
            var reading = SequenceReading()
            reading.add(client, to: lastEvent(of: stream, client))
            return delivery(reading)
        }
        recorder.test("the socket outlives the token that it was opened with", needs: [needsRefresh, needsExpiring]) {
            guard let refresh = contract.refresh else { return .none }
            let client = try world.open(world.signIn(with: contract.expiringLogin)).client
            try client.perform(refresh, "the refresh")
            if let ending = client.ending(within: contract.expiringAfter + .milliseconds(500)) {
                throw ScenarioFailure(reason: "the connection \(ending.words) although its token was refreshed")
            }
            try world.echo(client)
            return .none
        }
        let needsBad = ("what a bad refresh says (badRefresh)", contract.badRefresh != nil)
        recorder.test("a bad refresh is refused, and the session goes on", needs: [needsBad]) {
            guard let bad = contract.badRefresh else { return .none }
            let client = try world.open(world.signIn()).client
            try client.perform(bad, "refusing a bad refresh")
            try world.echo(client)
            return .none
        }
    }
}
