// SPDX-License-Identifier: Apache-2.0
// The embedded staging service: a listener, a thread per connection, HTTP in front and WebSocket behind.

internal import Foundation
internal import Platform
internal import Synchronization
internal import WebSocket

/// A chat service small enough to live inside the binary and real enough to be deployed, broken and rolled back.
final class DemoService: Sendable {
    /// Takes a line of the log, without its time.
    typealias Log = @Sendable (String) -> Void

    let store: DemoStore
    let log: Log
    private let listener: SocketListener
    private let connections = Mutex(Connections())
    /// More connections at once than this are turned away.
    private static let maximumConnections = 64

    private struct Connections {
        var next = 0
        var open: [Int: Socket] = [:]
        var isStopped = false
    }

    var port: UInt16 { listener.port }

    /// Listens on 127.0.0.1; port 0 asks for a free one. Connections are served once `run` is called.
    init(release: DemoRelease, port: UInt16 = 0, log: @escaping Log) throws(SocketError) {
        store = DemoStore(release: release)
        listener = try SocketListener.loopback(port: port)
        self.log = log
    }

    /// Serves until `stop`. Blocks the calling thread.
    func run() {
        log("INFO  serving revision=\(store.release.revision) delivery=\(store.release.delivery)")
        while let socket = try? listener.accept() {
            guard let number = register(socket) else {
                try? socket.write(DemoAnswer(503, "too many connections").bytes, deadline: .after(.seconds(1)))
                continue
            }
            let thread = Thread { [self] in
                DemoSession(service: self, socket: socket).serve()
                connections.withLock { _ = $0.open.removeValue(forKey: number) }
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
        log("INFO  stopped")
    }

    /// Ends the listener and every open connection.
    func stop() {
        listener.shutdown()
        let sockets = connections.withLock { connections in
            connections.isStopped = true
            return Array(connections.open.values)
        }
        for socket in sockets { socket.shutdown() }
    }

    private func register(_ socket: Socket) -> Int? {
        connections.withLock { connections in
            guard !connections.isStopped, connections.open.count < Self.maximumConnections else { return nil }
            connections.next += 1
            connections.open[connections.next] = socket
            return connections.next
        }
    }
}

/// An HTTP answer with a JSON body.
struct DemoAnswer {
    var status: Int
    var body: DemoJSON

    init(_ status: Int, body: DemoJSON) {
        self.status = status
        self.body = body
    }

    /// An error answer.
    init(_ status: Int, _ message: String) {
        self.init(status, body: ["error": .string(message)])
    }

    var bytes: [UInt8] {
        let reasons = [200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"]
        let text = "\(body)\n"
        return Array(
            ("HTTP/1.1 \(status) \(reasons[status] ?? "Other")\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)").utf8)
    }
}
