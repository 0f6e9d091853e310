// SPDX-License-Identifier: Apache-2.0
// The tests of the demo: what they ask the staging service over HTTP and WebSocket, and what they expect.

internal import Platform
internal import WebSocket

/// An expectation that was not met.
struct DemoFailure: Error {
    var message: String
    var line: UInt
}

/// One test. Its id has no spaces, so that it can be handed back for selection.
struct DemoCheckCase: Sendable {
    var suite: String
    var name: String
    var body: @Sendable (DemoStagingClient) throws -> Void

    var id: String { "demo.\(suite)::\(name)" }

    init(_ suite: String, _ name: String, _ body: @escaping @Sendable (DemoStagingClient) throws -> Void) {
        self.suite = suite
        self.name = name
        self.body = body
    }

    static let suites = ["authentication", "streaming", "threads"]
    static let all = authentication + streaming + threads
}

/// The staging service as a test sees it. There are no deadlines on purpose: a test that hangs is the daemon's to end.
struct DemoStagingClient: Sendable {
    /// `http://127.0.0.1:port`, without a slash at the end.
    var base: String

    func get(_ path: String, token: String? = nil) throws -> (status: Int, body: DemoJSON) {
        try send("GET", path, token: token, body: nil)
    }

    func post(_ path: String, _ body: DemoJSON, token: String? = nil) throws -> (status: Int, body: DemoJSON) {
        try send("POST", path, token: token, body: body)
    }

    private func send(
        _ method: String, _ path: String, token: String?, body: DemoJSON?
    ) throws -> (status: Int, body: DemoJSON) {
        let headers = HTTPHeaders(token.map { [("Authorization", "Bearer \($0)")] } ?? [])
        let answer = try HTTPClient.send(
            method, base + path, headers: headers, body: body.map { Array("\($0)".utf8) }, deadline: .never)
        return (answer.status, DemoJSON(parsing: answer.text) ?? .null)
    }

    func token(for user: String = "ada") throws -> String {
        let answer = try post("/api/login", ["user": .string(user), "password": "staging"])
        try expect(answer.status, 200, "the status of a login")
        guard let token = answer.body["token"]?.text else {
            throw DemoFailure(message: "a login returned no token", line: #line)
        }
        return token
    }

    /// A WebSocket on which the greeting has been read.
    func open() throws -> WebSocketConnection {
        let connection = try WebSocketClient.connect(
            "ws" + base.dropFirst(4) + "/ws?token=" + token(), deadline: .never)
        try expect(try next(on: connection)["type"]?.text, "hello", "the first message of a connection")
        return connection
    }

    func say(_ message: DemoJSON, on connection: WebSocketConnection) throws {
        try connection.send(text: "\(message)", deadline: .never)
    }

    func next(on connection: WebSocketConnection) throws -> DemoJSON {
        let event = try connection.receive(deadline: .never)
        guard case .text(let text) = event, let message = DemoJSON(parsing: text) else {
            throw DemoFailure(message: "expected a JSON message, got \(event)", line: #line)
        }
        return message
    }
}

func expect<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: String, line: UInt = #line) throws {
    guard found == wanted else {
        throw DemoFailure(message: "\(what): expected \(wanted), got \(found)", line: line)
    }
}

extension DemoCheckCase {
    private static let authentication = [
        DemoCheckCase("authentication", "test_login_returns_token") { staging in
            try expect(staging.token().isEmpty, false, "an empty token")
        },
        DemoCheckCase("authentication", "test_login_greets_user") { staging in
            let answer = try staging.post("/api/login", ["user": "grace", "password": "staging"])
            let greeting = answer.body["greeting"]?.text ?? ""
            try expect(greeting.contains("grace"), true, "the greeting \(greeting) names the user")
        },
        DemoCheckCase("authentication", "test_wrong_password_is_refused") { staging in
            let answer = try staging.post("/api/login", ["user": "ada", "password": "guess"])
            try expect(answer.status, 401, "the status of a login with a wrong password")
            try expect(answer.body["token"], nil, "the token of a refused login")
        },
        DemoCheckCase("authentication", "test_missing_token_is_refused") { staging in
            try expect(staging.get("/api/threads").status, 401, "the status without a token")
        },
        DemoCheckCase("authentication", "test_token_opens_threads") { staging in
            try expect(staging.get("/api/threads", token: staging.token()).status, 200, "the status with a token")
        },
    ]

    private static let streaming = [
        DemoCheckCase("streaming", "test_hello_on_connect") { staging in
            try staging.open().close(deadline: .never)
        },
        DemoCheckCase("streaming", "test_echo") { staging in
            let connection = try staging.open()
            let message: DemoJSON = ["type": "echo", "text": "κόσμε 🌙"]
            try staging.say(message, on: connection)
            try expect(staging.next(on: connection), message, "the echo")
            try connection.close(deadline: .never)
        },
        DemoCheckCase("streaming", "test_stream_partial_results") { staging in
            let connection = try staging.open()
            try staging.say(["type": "ask", "text": "why"], on: connection)
            var partials = 0
            var message = try staging.next(on: connection)
            while message["type"]?.text == "partial" {
                partials += 1
                try expect(message["number"]?.number, partials, "the number of a partial result")
                message = try staging.next(on: connection)
            }
            try expect(message["type"]?.text, "end", "what follows the partial results")
            try expect(message["partials"]?.number, partials, "the partial results that the end counts")
            try expect(partials >= 2, true, "more than one partial result")
            try connection.close(deadline: .never)
        },
        DemoCheckCase("streaming", "test_large_binary_message") { staging in
            let connection = try staging.open()
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
            try connection.send(binary: bytes, deadline: .never)
            try expect(connection.receive(deadline: .never), .binary(bytes), "the echo of 200000 bytes")
            try connection.close(deadline: .never)
        },
        DemoCheckCase("streaming", "test_ping_is_answered") { staging in
            let connection = try staging.open()
            try connection.ping([1, 2, 3], deadline: .never)
            try expect(connection.receive(deadline: .never), .pong([1, 2, 3]), "the answer to a ping")
            try expect(connection.close(deadline: .never), .normal, "the close code")
        },
    ]

    private static let threads = [
        DemoCheckCase("threads", "test_list_is_paged") { staging in
            let body = try staging.get("/api/threads?page=1", token: staging.token()).body
            let total = body["total"]?.number ?? 0
            let shown = body["threads"]?.elements?.count ?? 0
            try expect(shown > 0 && shown < total, true, "a page of \(shown) out of \(total) threads")
        },
        DemoCheckCase("threads", "test_pages_cover_all_threads") { staging in
            let token = try staging.token()
            let first = try staging.get("/api/threads?page=1", token: token).body
            var ids: Set<String> = []
            for page in 1...max(1, first["pages"]?.number ?? 1) {
                let body = try staging.get("/api/threads?page=\(page)", token: token).body
                ids.formUnion((body["threads"]?.elements ?? []).compactMap { $0["id"]?.text })
            }
            try expect(ids.count, first["total"]?.number ?? -1, "the threads on all pages")
        },
        DemoCheckCase("threads", "test_posted_message_is_listed") { staging in
            let token = try staging.token()
            let path = "/api/messages?thread=t-1"
            let posted = try staging.post(path, ["text": "good night"], token: token)
            try expect(posted.status, 201, "the status of a posted message")
            let listed = try staging.get(path, token: token).body["messages"]?.elements ?? []
            let ids = listed.compactMap { $0["id"]?.text }
            try expect(
                ids.contains(posted.body["id"]?.text ?? ""), true,
                "the posted message is among the \(ids.count) messages of its thread")
        },
        DemoCheckCase("threads", "test_unknown_thread_is_not_found") { staging in
            let status = try staging.get("/api/messages?thread=t-99999", token: staging.token()).status
            try expect(status, 404, "the status of an unknown thread")
        },
    ]
}
