// SPDX-License-Identifier: Apache-2.0
// The HTTP client against servers that follow a script.

import Platform
import Testing
import WebSocket

@Suite struct HTTPClientTests {
    private func get(_ server: ScriptedServer, deadline: Duration = .seconds(600), bodyLimit: Int = 1 << 20)
        async throws
        -> HTTPResponse
    {
        let url = server.url
        return try await onThread {
            try HTTPClient.get(
                url, headers: HTTPHeaders([("X-Test", "yes")]), deadline: .after(deadline), bodyLimit: bodyLimit)
        }
    }

    @Test func `a request is written as HTTP asks and its answer measured`() async throws {
        let server = try ScriptedServer { client in
            let request = try client.readRequest()
            let body =
                request.contains("X-Test: yes\r\n") && request.contains("Connection: close\r\n") ? request : "bad"
            try client.write(
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8), deadline: soon)
        }
        let answer = try await get(server)
        #expect(answer.status == 200)
        #expect(answer.text.hasPrefix("GET /path?query HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(answer.timings.connect <= answer.timings.firstByte)
        #expect(answer.timings.firstByte <= answer.timings.total)
        #expect(answer.timings.connect > .zero)
    }

    @Test func `a body goes out with its length`() async throws {
        let server = try ScriptedServer { client in
            var request = try client.readRequest()
            while !request.hasSuffix("{\"a\":1}") {
                request += String(decoding: try client.read(upTo: 100, deadline: soon), as: UTF8.self)
            }
            let status = request.contains("Content-Length: 7\r\n") ? 201 : 400
            try client.write(Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n".utf8), deadline: soon)
        }
        let url = server.url
        let answer = try await onThread {
            try HTTPClient.send("POST", url, body: Array("{\"a\":1}".utf8), deadline: soon)
        }
        #expect(answer.status == 201)
    }

    @Test func `an answer byte by byte, after an interim one, in chunks, is read whole`() async throws {
        let server = try ScriptedServer { client in
            try client.readRequest()
            let wire =
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            for byte in wire.utf8 { try client.write([byte], deadline: soon) }
            try client.awaitEnd()
        }
        let answer = try await get(server)
        #expect(answer.text == "abcde")
    }

    @Test func `a body until the end of the connection is read whole`() async throws {
        let answer = try await get(ScriptedServer(answer: "HTTP/1.0 404 Not Found\r\n\r\nnothing here"))
        #expect(answer.status == 404)
        #expect(answer.text == "nothing here")
    }

    @Test func `a server that sends for ever is cut at the limit`() async throws {
        let server = try ScriptedServer { client in
            try client.readRequest()
            try client.write(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), deadline: soon)
            while true { try client.write([UInt8](repeating: 0x61, count: 4096), deadline: soon) }
        }
        let answer = try await get(server, bodyLimit: 10_000)
        #expect(answer.body.count == 10_000)
        #expect(answer.bodyIsCut)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ])
    func `a truncated answer is an error`(_ answer: String) async throws {
        let server = try ScriptedServer(answer: answer)
        let error = await #expect(throws: HTTPError.self) { try await get(server) }
        guard case .truncated = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `headers without end are refused`() async throws {
        let server = try ScriptedServer { client in
            try client.readRequest()
            try client.write(Array("HTTP/1.1 200 OK\r\n".utf8), deadline: soon)
            while true { try client.write(Array("A: b\r\n".utf8), deadline: soon) }
        }
        await #expect(throws: HTTPError.headTooLarge(limit: 32768)) { try await get(server) }
    }

    @Test func `interim answers without end are refused`() async throws {
        let server = try ScriptedServer { client in
            try client.readRequest()
            while true { try client.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), deadline: soon) }
        }
        await #expect(throws: HTTPError.malformed("only interim answers came")) { try await get(server) }
    }

    @Test func `a silent server meets the deadline`() async throws {
        let server = try ScriptedServer { client in try client.awaitEnd() }
        let error = await #expect(throws: HTTPError.self) { try await get(server, deadline: .milliseconds(60)) }
        #expect(error == .socket(.timedOut(operation: "read from", target: "127.0.0.1:\(server.port)")))
    }

    @Test func `a server that drips slower than the deadline meets it as well`() async throws {
        let server = try ScriptedServer { client in
            try client.readRequest()
            try client.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n".utf8), deadline: soon)
            // A byte whenever the client has had time to read the last one; never silent, never done.
            while true {
                try client.write([0x61], deadline: soon)
                _ = try? client.read(upTo: 1, deadline: .after(.milliseconds(5)))
            }
        }
        let error = await #expect(throws: HTTPError.self) { try await get(server, deadline: .milliseconds(80)) }
        guard case .socket(.timedOut) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a closed port is refused and said`() async throws {
        let listener = try SocketListener.loopback()
        let port = listener.port
        listener.shutdown()
        let error = await #expect(throws: HTTPError.self) {
            try await onThread { try HTTPClient.get("http://127.0.0.1:\(port)/", deadline: soon) }
        }
        #expect("\(error.map { "\($0)" } ?? "")" == "cannot connect to 127.0.0.1:\(port): Connection refused")
    }

    @Test func `the name localhost is resolved and one that cannot exist is not`() async throws {
        let server = try ScriptedServer(answer: "HTTP/1.1 204 No Content\r\n\r\n")
        let port = server.port
        let answer = try await onThread { try HTTPClient.get("http://localhost:\(port)/", deadline: soon) }
        #expect(answer.status == 204)
        let error = await #expect(throws: HTTPError.self) {
            try await onThread { try HTTPClient.get("http://does-not-exist.invalid/", deadline: soon) }
        }
        guard case .socket(.unresolved) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
