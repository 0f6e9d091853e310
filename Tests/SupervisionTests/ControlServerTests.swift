// SPDX-License-Identifier: Apache-2.0
//
// The control socket: requests answered, garbage refused, one server per path.

import Domain
import Evidence
import Platform
import TestSupport
import Testing

@testable import Supervision

struct ControlServerTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var path: String { folder("control.sock") }

    private func serve() throws -> ControlServer {
        try ControlServer(path: path) { request, uid in
            ControlReply(ok: true, message: "\(request.verb.rawValue) by \(request.by), user \(uid)")
        }
    }

    /// Sends `bytes` and reads the reply, on a thread of its own; nil where the server hung up.
    private func send(_ bytes: [UInt8]) async -> ControlReply? {
        let path = path
        return await withCheckedContinuation { continuation in
            do {
                try PlatformThread.start("client") {
                    let deadline = SocketDeadline.after(.seconds(10))
                    guard let socket = try? Socket.connect(unix: path, deadline: deadline) else {
                        return continuation.resume(returning: nil)
                    }
                    try? socket.write(bytes, deadline: deadline)
                    var answer: [UInt8] = []
                    while !answer.contains(10), let more = try? socket.read(upTo: 4096, deadline: deadline),
                        !more.isEmpty
                    {
                        answer += more
                    }
                    continuation.resume(returning: ControlMessages.reply(answer))
                }
            } catch {
                continuation.resume(returning: nil)
            }
        }
    }

    @Test(arguments: ControlRequest.Verb.allCases)
    func `a request is answered`(_ verb: ControlRequest.Verb) async throws {
        let server = try serve()
        defer { server.close() }
        let reply = await send(Array("{\"verb\":\"\(verb.rawValue)\",\"by\":\"ana\"}\n".utf8))
        #expect(reply == ControlReply(ok: true, message: "\(verb.rawValue) by ana, user \(ThisProcess.userID)"))
    }

    @Test(arguments: [
        "\n", "{}\n", "nonsense\n", "{\"verb\":\"explode\",\"by\":\"x\"}\n", "{\"verb\":\"stop\"}\n", "[[[[[[\n",
        "{\"verb\":\"stop\",\"by\":1}\n",
    ])
    func `garbage is refused and the next request is answered`(_ text: String) async throws {
        let server = try serve()
        defer { server.close() }
        #expect(await send(Array(text.utf8))?.ok == false)
        #expect(await send([0xFF, 0xFE, 0x00, 0x0A])?.ok == false)
        #expect(await send(Array("{\"verb\":\"ping\",\"by\":\"x\"}\n".utf8))?.ok == true)
    }

    @Test func `an endless request is cut off and the next one is answered`() async throws {
        let server = try serve()
        defer { server.close() }
        let reply = await send([UInt8](repeating: 120, count: 4 * Limits.controlRequestBytes))
        #expect(reply?.ok != true)
        #expect(await send(Array("{\"verb\":\"ping\",\"by\":\"x\"}\n".utf8))?.ok == true)
    }

    @Test func `a second server on a living socket is refused, on a dead one's it takes over`() async throws {
        let first = try serve()
        #expect(throws: SocketError.self) { try serve() }
        first.close()
        #expect(!Files.exists(path))
        let second = try serve()
        defer { second.close() }
        #expect(await send(Array("{\"verb\":\"ping\",\"by\":\"x\"}\n".utf8))?.ok == true)
    }
}
