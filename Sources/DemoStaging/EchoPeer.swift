// SPDX-License-Identifier: Apache-2.0
// The peer of the conformance check: `__demo-echo` answers every message with itself, as a server or as a client.

internal import Foundation
internal import Platform
internal import WebSocket

/// The hidden subcommand `__demo-echo`. Other implementations of RFC 6455 put it through their cases.
struct EchoPeer {
    static let usage = """
        usage: nightjar __demo-echo --listen PORT [--fragments SIZE]
               nightjar __demo-echo --connect URL [--times COUNT]
               nightjar __demo-echo --drive URL

        """

    private static let limits = WebSocketLimits(frame: 32 << 20, message: 32 << 20)
    private static let subprotocols = ["echo", "chat.v2"]
    private static var patience: SocketDeadline { .after(.seconds(30)) }

    private let print: @Sendable (String) -> Void

    init(print: @escaping @Sendable (String) -> Void) {
        self.print = print
    }

    /// Runs what `arguments` ask for; nil where they are wrong. Blocks the calling thread.
    func run(_ arguments: [String]) -> Int32? {
        guard arguments.count >= 2 else { return nil }
        switch (arguments[0], arguments.count) {
        case ("--listen", 2): return UInt16(arguments[1]).map { serve(port: $0, fragments: .max) }
        case ("--listen", 4) where arguments[2] == "--fragments":
            guard let size = Int(arguments[3]), size > 0 else { return nil }
            return UInt16(arguments[1]).map { serve(port: $0, fragments: size) }
        case ("--connect", 2): return visit(arguments[1], times: 1)
        case ("--connect", 4) where arguments[2] == "--times":
            return Int(arguments[3]).map { visit(arguments[1], times: $0) }
        case ("--drive", 2): return drive(arguments[1])
        default: return nil
        }
    }

    // MARK: Echo

    private func serve(port: UInt16, fragments size: Int) -> Int32 {
        do {
            let listener = try SocketListener.loopback(port: port)
            print("\(listener.port)\n")
            while true {
                let socket = try listener.accept()
                let thread = Thread { try? EchoPeer.answer(socket, fragments: size) }
                thread.stackSize = 512 << 10
                thread.start()
            }
        } catch {
            print("\(error)\n")
            return 1
        }
    }

    private static func answer(_ socket: Socket, fragments size: Int) throws {
        var buffer: [UInt8] = []
        var head: HTTPHead?
        while head == nil {
            head = try HTTPHead.take(from: &buffer)
            guard head == nil else { break }
            let bytes = try socket.read(upTo: 4096, deadline: patience)
            if bytes.isEmpty { return }
            buffer += bytes
        }
        guard let head else { return }
        switch WebSocketHandshake.answer(to: head, subprotocols: subprotocols) {
        case .refuse(_, let bytes): try socket.write(bytes, deadline: patience)
        case .accept(let bytes):
            try socket.write(bytes, deadline: patience)
            let connection = WebSocketConnection(socket: socket, role: .server, leftover: buffer, limits: limits)
            echo(connection, fragments: size)
        }
    }

    /// Answers until the other side closes or breaks a rule, in fragments of `size` bytes where that is less than the
    /// message; returns how it ended.
    @discardableResult
    private static func echo(_ connection: WebSocketConnection, fragments size: Int = .max) -> String {
        defer { connection.end() }
        func answer(_ opcode: Opcode, _ payload: [UInt8]) throws {
            for frame in FrameWriter.fragments(of: opcode, payload, size: size) {
                try connection.send(frame, deadline: patience)
            }
        }
        do {
            while true {
                switch try connection.receive(deadline: patience) {
                case .text(let text): try answer(.text, Array(text.utf8))
                case .binary(let bytes): try answer(.binary, bytes)
                case .ping, .pong: continue
                case .closed(let reason):
                    // The server ends the connection first; who waits for it sees that it does.
                    _ = try? connection.receive(deadline: patience)
                    return "closed \(reason.code)"
                }
            }
        } catch {
            return "\(error)"
        }
    }

    private func visit(_ url: String, times: Int) -> Int32 {
        for _ in 0..<times {
            do {
                let connection = try WebSocketClient.connect(url, deadline: Self.patience, limits: Self.limits)
                print(Self.echo(connection) + "\n")
            } catch {
                print("\(error)\n")
                return 1
            }
        }
        return 0
    }

    // MARK: Drive

    /// Puts an echo server of somebody else through what a client needs; prints what did not come back as sent.
    private func drive(_ url: String) -> Int32 {
        do {
            let connection = try WebSocketClient.connect(
                url, subprotocols: ["nothing", "chat.v2"], deadline: Self.patience, limits: Self.limits)
            var failures: [String] = connection.subprotocol == "chat.v2" ? [] : ["the subprotocol"]
            for (name, opcode, payload, size) in Self.messages() {
                for frame in FrameWriter.fragments(of: opcode, payload, size: size) {
                    try connection.send(frame, deadline: Self.patience)
                }
                let wanted: WebSocketEvent =
                    opcode == .text ? .text(String(decoding: payload, as: UTF8.self)) : .binary(payload)
                if try connection.receive(deadline: Self.patience) != wanted { failures.append(name) }
            }
            try connection.ping([1, 2, 3], deadline: Self.patience)
            if try connection.receive(deadline: Self.patience) != .pong([1, 2, 3]) { failures.append("the pong") }
            let close = try connection.close(CloseReason(1000, "done"), deadline: Self.patience)
            if close.code != 1000 { failures.append("the close code \(close)") }
            print(failures.isEmpty ? "passed\n" : "failed: \(failures.joined(separator: ", "))\n")
            return failures.isEmpty ? 0 : 1
        } catch {
            print("failed: \(error)\n")
            return 1
        }
    }

    private static func messages() -> [(String, Opcode, [UInt8], size: Int)] {
        let sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20]
        let plain = sizes.flatMap { size in
            [
                ("text \(size)", Opcode.text, [UInt8](repeating: 0x2A, count: size), size: Int.max),
                ("binary \(size)", Opcode.binary, [UInt8](repeating: 0xFE, count: size), size: Int.max),
            ]
        }
        let unicode = Array("Hello-µ@ßöäüàá-UTF-8!! κόσμε 🌙".utf8)
        return plain + [1, 3, 1000].map { ("text in fragments of \($0)", .text, unicode, size: $0) }
    }
}
