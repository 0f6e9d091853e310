// SPDX-License-Identifier: Apache-2.0
// Scenarios 8 and 11: bytes that no client should send, and clients that should not be let in.

internal import Platform
internal import Synchronization
internal import WebSocket

extension Scenarios {
    // MARK: 8

    /// A frame that RFC 6455 forbids, and the codes that may close the connection for it.
    private struct Forbidden {
        var name: String
        var bytes: [UInt8]
        var codes: [UInt16]
        /// A server may wait for the rest.
        var maySilence = false
    }

    private func forbidden() -> [Forbidden] {
        let key: [UInt8] = [0x11, 0x22, 0x33, 0x44]
        func frame(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0) -> [UInt8] {
            RawFrame(opcode, payload, isFinal: isFinal, reserved: reserved, key: key).bytes
        }
        let hello = Array("hello".utf8)
        return [
            Forbidden(name: "reserved bits", bytes: frame(1, hello, reserved: 4), codes: [1002]),
            Forbidden(name: "a reserved opcode", bytes: frame(3, hello), codes: [1002]),
            Forbidden(name: "a reserved control opcode", bytes: frame(11), codes: [1002]),
            Forbidden(name: "a frame that is not masked", bytes: RawFrame(1, hello, key: nil).bytes, codes: [1002]),
            Forbidden(name: "text that is not UTF-8", bytes: frame(1, [0xC3, 0x28, 0xFF]), codes: [1007]),
            Forbidden(name: "a fragmented ping", bytes: frame(9, hello, isFinal: false), codes: [1002]),
            Forbidden(name: "a ping of 126 bytes", bytes: frame(9, [UInt8](repeating: 7, count: 126)), codes: [1002]),
            Forbidden(name: "a continuation of nothing", bytes: frame(0, hello), codes: [1002]),
            Forbidden(name: "a close frame with one byte", bytes: frame(8, [3]), codes: [1002]),
            Forbidden(name: "a close with the code 1005", bytes: frame(8, [0x03, 0xED]), codes: [1002]),
            Forbidden(
                name: "a frame that announces 1 TiB", bytes: RawFrame(2, key: key, announced: 1 << 40).bytes,
                codes: [1009, 1002], maySilence: true),
        ]
    }

    func malformed() {
        let bystander = try? world.open(world.signIn()).client
        let attendant = bystander.map { Attendant($0.connection, contract, $0.variables) }
        defer { attendant?.stop() }
        for probe in forbidden() {
            recorder.test("\(probe.name): refused, and the server lives") { try send(probe) }
        }
        for text in malformedTexts {
            recorder.test("the message \(Excerpt.cut(text, limit: 30)) does no harm") { try send(text) }
        }
        let limited = ("the largest message that is taken (messageLimit)", contract.messageLimit != nil)
        recorder.test("a message over the limit is refused, and the server lives", needs: [limited]) {
            let client = try world.open(world.signIn()).client
            let size = (contract.messageLimit ?? 0) + 1
            try? client.connection.send(
                raw: RawFrame(1, [UInt8](repeating: 0x61, count: size), key: [1, 2, 3, 4]).bytes, deadline: client.soon)
            let ending = client.ending(within: .seconds(5))
            guard let ending else { throw ScenarioFailure(reason: "\(size) bytes were taken") }
            try world.proveAlive(world.signIn())
            return CaseFindings(notes: ending.code == 1009 ? [] : ["the connection \(ending.words), 1009 says why"])
        }
        recorder.test("half a handshake, and nonsense instead of one, do no harm") {
            for text in ["GET / HTTP/1.1\r\n", "nonsense\r\n\r\n", "\u{0}\u{1}\u{2}"] {
                let socket = try Socket.connect(
                    host: world.proxy.address, port: world.proxy.port, deadline: .after(contract.connect.timeout))
                try socket.write(Array(text.utf8), deadline: .after(contract.connect.timeout))
                socket.shutdown()
            }
            try world.proveAlive(world.signIn())
            return .none
        }
        recorder.test("a bystander noticed nothing of it") {
            guard let bystander else { throw ScenarioFailure(reason: "it could not connect", isSurroundings: true) }
            attendant?.stop()
            if let ending = bystander.ending(within: .milliseconds(50)) {
                throw ScenarioFailure(reason: "its connection \(ending.words)")
            }
            try world.echo(bystander)
            return .none
        }
    }

    private func send(_ probe: Forbidden) throws -> CaseFindings {
        let client = try world.open(world.signIn()).client
        try? client.connection.send(raw: probe.bytes, deadline: client.soon)
        let ending = client.ending(within: .seconds(1))
        if ending == nil {
            if !probe.maySilence || (try? world.echo(client)) != nil {
                throw ScenarioFailure(reason: "\(probe.name): the connection went on")
            }
        }
        client.connection.end()
        try world.proveAlive(world.signIn())
        guard case .closed(let reason)? = ending, !probe.codes.contains(reason.code) else {
            return CaseFindings(notes: ending == nil ? ["the server waits for the rest"] : [])
        }
        return CaseFindings(notes: ["closed with \(reason.code); RFC 6455 has \(probe.codes[0]) for this"])
    }

    private var malformedTexts: [String] {
        let known = contract.malformed
        guard known.isEmpty else { return known }
        let deep = String(repeating: "[", count: 2000)
        return ["{not json", "[]", "null", "42", #"{"type":null}"#, #"{"type":"no-such-type"}"#, "", deep]
    }

    private func send(_ text: String) throws -> CaseFindings {
        let client = try world.open(world.signIn()).client
        try client.say(text: text)
        var notes: [String] = []
        if let error = contract.error {
            let isAnswered = client.read(within: .milliseconds(500)) { $0.hasSeen(error) }
            if !isAnswered { notes.append("no error message came") }
        } else {
            _ = client.read(within: .milliseconds(100)) { _ in false }
        }
        // The connection may be closed for it, in order; a session that goes on must work.
        do {
            try world.echo(client)
        } catch {
            guard case .closed(let reason)? = client.ending(within: .milliseconds(500)) else {
                throw ScenarioFailure(reason: "neither an answer nor a close frame came")
            }
            notes.append("closed with \(reason)")
        }
        try world.proveAlive(world.signIn())
        return CaseFindings(notes: notes)
    }

    // MARK: 11

    func security() {
        let needsLogin = ("a login (login)", contract.login != nil)
        let twoUsers = ("a second user (users)", contract.users.count > 1)
        let token = contract.tokenVariable
        // A forgery that this kind of token does not have is no case. Where no login works, each case says so.
        var sample: String?
        if needsLogin.1, case .string(let token)? = (try? world.signIn())?.values[token] { sample = token }
        for (name, forge) in forgeries where sample.map({ forge($0) != nil }) ?? true {
            recorder.test("\(name) is refused", needs: [needsLogin]) {
                var variables = try world.signIn()
                guard case .string(let valid)? = variables.values[token] else {
                    throw ScenarioFailure(reason: "the login captures no {\(token)}", isSurroundings: true)
                }
                guard let forged = forge(valid) else {
                    throw ScenarioFailure(reason: "two logins give two kinds of tokens", isSurroundings: true)
                }
                variables.values[token] = .string(forged)
                let said = try expectRefusal(variables, name).said
                try expectNoLeak(said, besides: valid)
                if let whole = try world.refusalText(variables) { try expectNoLeak(whole, besides: valid) }
                return .none
            }
        }
        recorder.test(
            "an expired token is refused", needs: [("an expired token (expiredLogin)", contract.expiredLogin != nil)]
        ) {
            _ = try expectRefusal(world.signIn(with: contract.expiredLogin), "an expired token")
            return .none
        }
        recorder.test("one user's events do not reach another", needs: [needsLogin, twoUsers, needsStream]) {
            try watchSomebodyElse()
        }
        let resume = contract.resume
        let granted = ("the answer to a resume (resume.expect)", resume?.send == nil || resume?.expect != nil)
        recorder.test(
            "one user's session cannot be taken by another",
            needs: [needsLogin, twoUsers, needsResume, granted, needsSession]
        ) { try takeSomebodyElses() }
        recorder.test("errors give nothing away") { try provokeErrors() }
        recorder.test("what plain requests get gives nothing away") {
            for target in ["/no-such-path", "/../../etc/passwd"] {
                guard let answer = answer(to: target) else {
                    return CaseFindings(needs: "an answer to a plain HTTP request: there was none for \(target)")
                }
                try expectNoLeak(answer, besides: nil)
            }
            return .none
        }
    }

    /// Says everything that is wrong, over as many connections as it takes, and reads what the server answers.
    private func provokeErrors() throws -> CaseFindings {
        let beat = contract.heartbeat?.message
        var answers = 0
        var client = try world.open(world.signIn()).client
        var known = client.seen.count
        func look() throws {
            for message in client.seen.dropFirst(known) {
                try expectNoLeak(message.description, besides: nil)
                if beat?.accepts(message, client.variables) != true { answers += 1 }
            }
            known = client.seen.count
        }
        for text in malformedTexts {
            try? client.say(text: text)
            let ending = client.ending(within: .milliseconds(100))
            try look()
            guard let ending else { continue }
            if case .closed(let reason) = ending { try expectNoLeak(reason.text, besides: nil) }
            answers += 1
            client = try world.open(world.signIn()).client
            known = client.seen.count
        }
        return CaseFindings(
            notes: ["\(answers) answers were read"],
            needs: answers > 0 ? nil : "an error: the server said nothing to \(malformedTexts.count) wrong messages")
    }

    private var forgeries: [(String, (String) -> String?)] {
        [
            ("no token", { _ in "" }), ("nonsense as a token", { _ in "nonsense" }),
            (
                "a token with a changed seal",
                { token in
                    // In the last part, but not its last character: of that, base64 ignores bits.
                    guard let dot = token.lastIndex(of: "."), token[dot...].utf8.count > 4 else { return nil }
                    var bytes = Array(token.utf8)
                    let index = bytes.count - 3
                    bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                    return String(decoding: bytes, as: UTF8.self)
                }
            ),
            (
                "a JSON Web Token without a signature (alg none)",
                { token in
                    let parts = token.split(separator: ".")
                    // {"alg":"none","typ":"JWT"}
                    return parts.count == 3 ? "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\(parts[1])." : nil
                }
            ),
        ]
    }

    private func watchSomebodyElse() throws -> CaseFindings {
        guard let stream = contract.stream, let end = stream.end else { return .none }
        let other = try world.open(world.signIn(1)).client
        let client = try world.open(world.signIn(0)).client
        try client.say(stream.start)
        guard client.read(within: stream.timeout, until: { $0.hasSeen(end) }) else {
            throw ScenarioFailure(reason: "the stream did not reach its end")
        }
        _ = other.read(within: .milliseconds(300)) { _ in false }
        guard other.received == 0 else {
            throw ScenarioFailure(reason: "\(other.received) events of one user came to another")
        }
        return CaseFindings(kpis: [
            ScenarioKPI(
                name: "foreign events", unit: "events", statistic: "count", comparator: "<=", limit: 0,
                measured: Double(other.received), samples: client.received)
        ])
    }

    private func takeSomebodyElses() throws -> CaseFindings {
        if contract.resume?.send == nil { return try signInWithSomebodyElses() }
        let owner = try world.open(world.signIn(0)).client
        let thief = try world.open(world.signIn(1)).client
        guard let resume = contract.resume, let send = resume.send, let granted = resume.expect else {
            throw ScenarioFailure(reason: "no resume", isSurroundings: true)
        }
        for name in contract.connect.greeting?.capture.keys.sorted() ?? [] {
            thief.variables.values[name] = owner.variables.values[name]
        }
        try thief.say(send)
        // A no ends the wait; without one, silence for as long as an answer may take is a no as well.
        _ = thief.read(within: contract.connect.timeout) { thief in
            thief.hasSeen(granted) || resume.refused.map { thief.hasSeen($0) } ?? false
        }
        guard !thief.hasSeen(granted) else {
            throw ScenarioFailure(reason: "another user's session was handed out")
        }
        return .none
    }

    /// For contracts whose authentication resumes: another user, with what the owner of a session was given.
    private func signInWithSomebodyElses() throws -> CaseFindings {
        let owner = try world.open(world.signIn(0)).client
        var variables = try world.signIn(1)
        for name in (contract.connect.authenticate?.capture ?? [:]).keys where name != contract.tokenVariable {
            variables.values[name] = owner.variables.values[name]
        }
        owner.connection.end()
        let session = owner.variables.values[contract.sessionVariable]
        let thief: ScenarioClient
        do {
            thief = try world.open(variables).client
        } catch let refusal as ScenarioFailure {
            return CaseFindings(notes: [refusal.reason])
        }
        guard session != nil, thief.variables.values[contract.sessionVariable] != session else {
            throw ScenarioFailure(reason: "another user's session was handed out")
        }
        return .none
    }

    /// What a plain request gets, as text; nil where nothing comes.
    private func answer(to target: String) -> String? {
        let base = "http" + world.endpoint.dropFirst(2)
        let path = NetworkPath(authorities: contract.connect.authorities)
        let reply = try? HTTPClient.get(base + target, over: path, deadline: .after(contract.connect.timeout))
        return reply?.text
    }

    private static let usualLeaks = [
        "Traceback (most recent call", "Exception in thread", "Fatal error:", "panic:", "stack trace", "SQLSTATE",
        "at /", ".swift:", ".py\", line", "password=", "postgres://", "mysql://", "root:x:0:0",
    ]

    private func expectNoLeak(_ text: String, besides secret: String?) throws {
        let leaks = Self.usualLeaks + contract.leaks + (secret.map { [$0] } ?? [])
        guard let leak = leaks.first(where: { text.contains($0) }) else { return }
        let shown = leak == secret ? "the token" : "\"\(leak)\""
        throw ScenarioFailure(reason: "an error gives away \(shown): \(Excerpt.cut(text))")
    }
}

/// Answers the pings of a connection that nobody reads, and those of its contract: a server may drop who is silent.
private final class Attendant: Sendable {
    private let isOver = Atomic(false)

    init(_ connection: WebSocketConnection, _ contract: ResilienceContract, _ variables: TemplateVariables) {
        _ = try? PlatformThread.start("bystander") { [self] in
            while !isOver.load(ordering: .relaxed) {
                do {
                    guard case .text(let text) = try connection.receive(deadline: .after(.milliseconds(100))) else {
                        continue
                    }
                    let message = ScenarioClient.message(text, prefixDigits: contract.prefixDigits)
                    for reply in ScenarioClient.replies(to: message, contract, variables) {
                        try connection.send(text: reply, deadline: .after(.seconds(1)))
                    }
                } catch WebSocketError.socket(.timedOut) {
                    continue
                } catch {
                    return
                }
            }
        }
    }

    func stop() { isOver.store(true, ordering: .relaxed) }
}
