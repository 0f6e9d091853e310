// SPDX-License-Identifier: Apache-2.0
// What every scenario stands on: the endpoint behind a fault proxy, users that sign in, connections that come back.

internal import Platform
internal import WebSocket

/// The surroundings of the scenarios. Lives on their thread.
final class ScenarioWorld {
    let contract: ResilienceContract
    let proxy: FaultProxy
    let environment: [String: String]
    let workingDirectory: String
    private let address: HTTPAddress
    private(set) var random: SeededRandom
    private var uniques = 0
    private let run: String
    private var signedUp: Set<Int> = []
    /// The endpoints, `host:port`, that may be asked for anything; nil for any.
    private let allowed: Set<String>?

    init(
        _ contract: ResilienceContract, environment: [String: String], workingDirectory: String, seed: UInt64,
        allowed: Set<String>? = nil
    ) throws {
        self.allowed = allowed
        self.contract = contract
        self.environment = environment
        self.workingDirectory = workingDirectory
        random = SeededRandom(seed: seed)
        run = String(UInt32.random(in: .min ... .max), radix: 36)
        let text = try TemplateVariables(values: contract.variables).fill(Self.withoutUserParts(contract.connect.url))
        address = try HTTPAddress(text, schemes: ["ws"])
        proxy = try FaultProxy(target: .to(.init(address.host, address.port)), seed: seed)
    }

    /// The address with everything after host and port cut off: what is behind may hold a token.
    private static func withoutUserParts(_ url: String) -> String {
        guard let slashes = url.firstRange(of: "://") else { return url }
        return String(url[..<slashes.upperBound] + url[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" })
    }

    /// `host:port` of a URL, as far as it is known; nil where it is no address.
    static func target(of url: String, _ variables: TemplateVariables) -> String? {
        guard let text = try? variables.fill(withoutUserParts(url)),
            let address = try? HTTPAddress(text, schemes: ["ws", "http"])
        else { return nil }
        return "\(address.host):\(address.port)"
    }

    private func expectAllowed(_ url: String, _ variables: TemplateVariables) throws {
        guard let allowed else { return }
        let target = Self.target(of: url, variables)
        guard let target, allowed.contains(target) else {
            throw LoadRefused(description: "\(target ?? url) is not listed in loadTargets")
        }
    }

    var endpoint: String { "\(address.isSecure ? "wss" : "ws")://\(address.authority)" }
    var isSecure: Bool { address.isSecure }

    /// The median of five TCP connections, in milliseconds: what the network alone costs.
    func roundTrip() throws -> Double {
        var times: [Double] = []
        for _ in 0..<5 {
            let started = ContinuousClock.now
            do {
                let hop = (address.host, address.port)
                _ = try Socket.connect(host: hop.0, port: hop.1, deadline: .after(contract.connect.timeout))
            } catch {
                throw ScenarioFailure(reason: "\(error)", isSurroundings: true)
            }
            times.append(milliseconds(since: started))
        }
        return times.sorted()[2]
    }

    /// A number between 0 and 1, from the seed.
    func chance() -> Double { Double.random(in: 0...1, using: &random) }

    func unique() -> String {
        uniques += 1
        return "\(run)\(uniques)"
    }

    // MARK: Users

    /// The variables of a user after signing in with `action` (nil: the ordinary login, if there is one).
    func signIn(_ user: Int = 0, with action: HTTPAction? = nil) throws -> TemplateVariables {
        var variables = TemplateVariables(values: contract.variables)
        variables.values.merge(contract.users[min(user, contract.users.count - 1)]) { $1 }
        variables.values["last"] = .number("0")
        variables.values["unique"] = .string(unique())
        if let signUp = contract.signUp, signedUp.insert(user).inserted {
            try perform(signUp, &variables, what: "sign-up")
        }
        guard let action = action ?? contract.login else { return variables }
        try perform(action, &variables, what: "login")
        return variables
    }

    /// Makes an HTTP request of the contract, and takes the variables out of the answer.
    @discardableResult
    func perform(_ action: HTTPAction, _ variables: inout TemplateVariables, what: String) throws -> HTTPResponse {
        let response: HTTPResponse
        do {
            try expectAllowed(action.url, variables)
            var headers = HTTPHeaders(
                try action.headers.sorted { $0.key < $1.key }.map { ($0.key, try variables.fill($0.value)) })
            let body = try action.json.map { Array(try variables.fill($0).description.utf8) }
            if body != nil, headers["Content-Type"] == nil {
                headers.fields.append(.init(name: "Content-Type", value: "application/json"))
            }
            response = try HTTPClient.send(
                action.method, try variables.fill(action.url), headers: headers, body: body,
                over: NetworkPath(authorities: contract.connect.authorities), deadline: .after(contract.connect.timeout)
            )
        } catch {
            throw ScenarioFailure(reason: "\(what): \(error)", isSurroundings: true)
        }
        let isExpected =
            action.status.isEmpty ? (200...299).contains(response.status) : action.status.contains(response.status)
        guard isExpected else {
            throw ScenarioFailure(
                reason: "\(what): status \(response.status): \(Excerpt.line(response.body))", isSurroundings: true)
        }
        if !action.capture.isEmpty {
            let answer = try? JSONValue(parsing: response.body)
            for (name, pointer) in action.capture {
                guard let value = answer?.value(at: pointer) else {
                    throw ScenarioFailure(
                        reason: "\(what): the answer has no \(pointer): \(Excerpt.line(response.body))",
                        isSurroundings: true)
                }
                variables.values[name] = value
            }
        }
        if action.wait > .zero { pause(action.wait) }
        return response
    }

    /// Waits, as a client does that has nothing to do.
    func pause(_ time: Duration) {
        guard let (near, far) = try? Socket.pair() else { return }
        _ = try? near.read(upTo: 1, deadline: .after(time))
        withExtendedLifetime(far) {}
    }

    // MARK: Connections

    /// Where a connection goes: through the proxy, or past it from a local address.
    enum Way {
        case proxy
        case past(source: String?)
    }

    /// Opens a connection up to the point where it can be used. The time in milliseconds is that of all of it.
    func open(
        _ variables: TemplateVariables, way: Way = .proxy, answersPings: Bool = true
    ) throws -> (client: ScenarioClient, took: Double) {
        let started = ContinuousClock.now
        let client: ScenarioClient
        do {
            client = try connect(variables, way: way, answersPings: answersPings)
        } catch let error as WebSocketError {
            throw ScenarioFailure(reason: "cannot connect: \(error)")
        }
        try settle(client)
        return (client, milliseconds(since: started))
    }

    /// The handshake alone; throws `WebSocketError` as it comes.
    func connect(
        _ variables: TemplateVariables, way: Way = .proxy, answersPings: Bool = true
    ) throws -> ScenarioClient {
        let (url, headers, subprotocols, path) = try request(variables, way: way)
        let connection = try WebSocketClient.connect(
            url, headers: headers, subprotocols: subprotocols, over: path, deadline: .after(contract.connect.timeout),
            limits: WebSocketLimits(frame: 16 << 20, message: 16 << 20), answersPings: answersPings)
        if let wanted = contract.connect.subprotocol, connection.subprotocol != wanted {
            connection.end()
            throw ScenarioFailure(
                reason: "the server chose the subprotocol \(connection.subprotocol ?? "none"), expected \(wanted)")
        }
        return ScenarioClient(connection, contract, variables, isSilent: !answersPings)
    }

    /// What a server says in full when it refuses these variables: head and body; nil where it lets them in.
    func refusalText(_ variables: TemplateVariables) throws -> String? {
        let (url, headers, subprotocols, path) = try request(variables, way: .proxy)
        let answer = try WebSocketClient.refusal(
            url, headers: headers, subprotocols: subprotocols, over: path, deadline: .after(contract.connect.timeout))
        return answer.map { answer in
            let fields = answer.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            return "\(answer.reason)\n\(fields)\n\n\(answer.text)"
        }
    }

    private func request(
        _ variables: TemplateVariables, way: Way
    ) throws -> (url: String, headers: HTTPHeaders, subprotocols: [String], path: NetworkPath) {
        var path = NetworkPath(authorities: contract.connect.authorities)
        switch way {
        case .proxy: path.connectTo = proxy.hop
        case .past(let source): path.source = source
        }
        do {
            try expectAllowed(contract.connect.url, variables)
            let headers = try contract.connect.headers.sorted { $0.key < $1.key }.map {
                ($0.key, try variables.fill($0.value))
            }
            return (
                try variables.fill(contract.connect.url), HTTPHeaders(headers),
                try contract.connect.subprotocols.map { try variables.fill($0) }, path
            )
        } catch {
            throw ScenarioFailure(reason: "connect: \(error)", isSurroundings: true)
        }
    }

    /// Greeting and authentication, as the contract has them.
    func settle(_ client: ScenarioClient) throws {
        if let greeting = contract.connect.greeting { try client.perform(greeting, "the greeting") }
        if let authenticate = contract.connect.authenticate { try client.perform(authenticate, "authentication") }
    }

    /// Comes back after `old` has lost its connection: a new one, and the session resumed where the contract can.
    func comeBack(
        _ old: ScenarioClient, way: Way = .proxy, variables: TemplateVariables? = nil
    ) throws -> (client: ScenarioClient, reconnect: Double, context: Double) {
        var fresh = variables ?? old.variables
        let resumed = old.variables
        // What the greeting of the new connection brings must not be overwritten by what the old one was told.
        let captured = Set((contract.connect.greeting?.capture ?? [:]).keys)
        for name in captured { fresh.values[name] = nil }
        let (client, took) = try open(fresh, way: way)
        let started = ContinuousClock.now
        if let resume = contract.resume {
            let own = client.variables
            for name in captured { client.variables.values[name] = resumed.values[name] }
            client.inherit(old)
            try client.perform(resume, "resuming the session")
            // A server that gives the session new names says so in the answer; else the old ones hold on.
            for name in captured where client.variables.values[name] == nil {
                client.variables.values[name] = own.values[name]
            }
        } else {
            client.inherit(old)
        }
        return (client, took, milliseconds(since: started))
    }

    /// Whether the server still serves: a connection of its own, and an echo where the contract has one.
    func proveAlive(_ variables: TemplateVariables) throws {
        let (client, _) = try open(variables)
        try echo(client)
        client.connection.end()
    }

    /// One message there and back. Without an echo in the contract, a ping.
    @discardableResult
    func echo(_ client: ScenarioClient) throws -> Double {
        client.variables.values["unique"] = .string(unique())
        let started = ContinuousClock.now
        if let echo = contract.echo { try client.perform(echo, "an echo") } else { _ = try client.ping([0x6E, 0x6A]) }
        return milliseconds(since: started)
    }

    /// Cuts what is open and waits until the client knows.
    func cut(_ client: ScenarioClient, resetting: Bool = true) throws {
        proxy.cut(resetting: resetting)
        guard client.ending(within: .seconds(5)) != nil else {
            throw ScenarioFailure(reason: "the cut was not noticed within 5 s", isSurroundings: true)
        }
    }
}
