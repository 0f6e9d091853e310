// SPDX-License-Identifier: Apache-2.0
// The staging service: its answers, its refusals, its settings; and the JSON that it speaks.

import Foundation
import Platform
import Testing
import WebSocket

@testable import DemoStaging

@Suite struct DemoServiceTests {
    private var soon: SocketDeadline { .after(.seconds(20)) }

    @Test func `health names the revision`() async throws {
        try await withService(releases()[1]) { _, url in
            let answer = try await onThread { try HTTPClient.get(url + "/health", deadline: soon) }
            #expect(answer.status == 200)
            #expect(answer.text == "{\"revision\":\"revision-1\",\"status\":\"healthy\"}\n")
        }
    }

    @Test func `what is wrong is refused with its status`() async throws {
        try await withService(releases()[1]) { _, url in
            let staging = DemoStagingClient(base: url)
            let statuses = try await onThread {
                let token = try staging.token()
                return [
                    try staging.get("/nothing").status, try staging.post("/api/login", "text").status,
                    try staging.post("/api/login", ["user": "", "password": "staging"]).status,
                    try staging.get("/api/threads?page=99", token: token).status,
                    try staging.get("/api/threads?page=x", token: token).status,
                    try staging.get("/api/messages?thread=t-0", token: token).status,
                    try staging.post("/api/messages?thread=t-1", ["a": 1], token: token).status,
                    try staging.get("/api/threads", token: "guess").status,
                ]
            }
            #expect(statuses == [404, 400, 401, 404, 400, 404, 400, 401])
        }
    }

    @Test func `a WebSocket needs a token before the upgrade`() async throws {
        try await withService(releases()[1]) { _, url in
            let error = await #expect(throws: WebSocketError.self) {
                try await onThread {
                    try WebSocketClient.connect("ws" + url.dropFirst(4) + "/ws?token=no", deadline: soon)
                }
            }
            #expect(error == .refused(status: 401, reason: "Unauthorized"))
        }
    }

    @Test func `nonsense ends one connection and not the service`() async throws {
        try await withService(releases()[1]) { service, url in
            let port = service.port
            let answer = try await onThread {
                for text in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", ""] {
                    let socket = try Socket.connect(host: "127.0.0.1", port: port, deadline: soon)
                    try socket.write(Array(text.utf8), deadline: soon)
                    socket.finishWriting()
                    _ = try? socket.read(upTo: 1, deadline: soon)
                }
                return try HTTPClient.get(url + "/health", deadline: soon)
            }
            #expect(answer.status == 200)
        }
    }

    @Test func `a stream sends its parts one after the other and then the end`() async throws {
        try await withService(releases()[3]) { _, url in
            let kinds = try await onThread {
                let connection = try DemoStagingClient(base: url).open()
                try DemoStagingClient(base: url).say(["type": "ask", "text": "why"], on: connection)
                return try (0..<5).map { _ in try DemoStagingClient(base: url).next(on: connection)["type"]?.text }
            }
            #expect(kinds == ["partial", "partial", "partial", "partial", "end"])
        }
    }

    @Test func `a batch is delivered when it is full`() {
        #expect(DemoRelease.Delivery.immediate.isDue(waiting: 1))
        #expect(!DemoRelease.Delivery.batched(3).isDue(waiting: 2))
        #expect(DemoRelease.Delivery.batched(3).isDue(waiting: 3))
    }

    @Test(arguments: [
        "{}", #"{"greeting":"a","threads":{"total":0,"pageSize":1},"stream":{},"delivery":{}}"#,
        #"{"greeting":"a","threads":{"total":1,"pageSize":1},"stream":{"partials":1,"intervalMilliseconds":1},"delivery":{"mode":"odd"}}"#,
    ])
    func `a release with wrong settings is not served`(_ text: String) throws {
        let settings = try #require(DemoJSON(parsing: text))
        #expect(throws: DemoError.self) { try DemoRelease(revision: "r", settings: settings, path: "p") }
        #expect(throws: DemoError.self) { try DemoRelease.read("/nowhere") }
    }

    // MARK: JSON

    @Test func `JSON survives the way there and back and agrees with Foundation`() throws {
        let value: DemoJSON = [
            "text": "a\"\\/\u{1}\n🌙é", "list": [1, -2, "", .null, .bool(true), [], [:]], "": .number(.max),
        ]
        #expect(DemoJSON(parsing: value.description) == value)
        let object = try JSONSerialization.jsonObject(with: Data(value.description.utf8)) as? [String: Any]
        #expect(object?["text"] as? String == "a\"\\/\u{1}\n🌙é")
        #expect(DemoJSON(parsing: #" { "a" : [ 1 , "\u00e9\t" ] } "#) == ["a": [1, "é\t"]])
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "\"", "\"\\u12\"", "\"\\x\"", "01x", "1.5", "-", "nul", "1 2",
        "\"\n\"", String(repeating: "[", count: 1000),
    ])
    func `what is not JSON is refused`(_ text: String) {
        #expect(DemoJSON(parsing: text) == nil)
    }

    @Test func `every cut of a JSON text is refused without a trap`() {
        let text = #"{"a":[1,-2,"x\u00e9\n"],"b":{"c":null,"d":true}}"#
        for count in 0..<text.utf8.count {
            #expect(DemoJSON(parsing: String(decoding: text.utf8.prefix(count), as: UTF8.self)) == nil)
        }
    }
}
