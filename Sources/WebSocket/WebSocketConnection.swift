// SPDX-License-Identifier: Apache-2.0
// An open WebSocket, either end: the effects around the pure codec. Blocking, with deadlines.

package import Platform
internal import Synchronization

/// An open WebSocket.
///
/// One thread may receive while others send. Both block their thread, so they belong on threads of their own. A deadline
/// that passes while receiving loses nothing: the next call goes on where this one stopped. One that passes while sending
/// may leave half a frame behind, so the connection is ended.
package final class WebSocketConnection: Sendable {
    /// Which end this is.
    package let role: WebSocketRole
    /// The subprotocol that was agreed, if any.
    package let subprotocol: String?
    private let link: Link
    private var socket: Socket { link.socket }
    private let answersPings: Bool
    private let reading: Mutex<Reading>
    private let writing = Mutex(Writing())

    private struct Reading {
        var parser: FrameParser
        var assembler: MessageAssembler
        var close: CloseReason?
    }

    private struct Writing {
        var isClosed = false
        var random = SystemRandomNumberGenerator()
    }

    /// Takes over a socket after its handshake; `leftover` are bytes that were read behind it.
    package convenience init(
        socket: Socket, role: WebSocketRole, leftover: [UInt8] = [], subprotocol: String? = nil,
        limits: WebSocketLimits = WebSocketLimits(), answersPings: Bool = true
    ) {
        self.init(
            link: Link(socket), role: role, leftover: leftover, subprotocol: subprotocol, limits: limits,
            answersPings: answersPings)
    }

    /// Takes over a link after the handshake.
    package init(
        link: Link, role: WebSocketRole, leftover: [UInt8] = [], subprotocol: String? = nil,
        limits: WebSocketLimits = WebSocketLimits(), answersPings: Bool = true
    ) {
        self.link = link
        self.role = role
        self.subprotocol = subprotocol
        self.answersPings = answersPings
        var parser = FrameParser(sender: role.peer, limit: limits.frame)
        parser.append(leftover)
        reading = Mutex(Reading(parser: parser, assembler: MessageAssembler(limit: limits.message)))
    }

    /// Has `poll` report when bytes of the peer can be read. What was read already shows itself at the next `receive`.
    package func watch(with poll: SocketPoll, tag: UInt64) { poll.watch(socket, tag: tag, .read) }

    package func forget(by poll: SocketPoll) { poll.forget(socket) }

    // MARK: Receiving

    /// Waits for the next thing the peer says. Pings are answered before they are returned. After `.closed` every call
    /// returns it again. A violation closes the connection with its code and is thrown.
    package func receive(deadline: SocketDeadline) throws(WebSocketError) -> WebSocketEvent {
        try reading.withLock { (state) throws(WebSocketError) -> WebSocketEvent in
            if let close = state.close { return .closed(close) }
            while true {
                if let event = try next(&state, deadline: deadline) { return event }
                let bytes = try read(deadline: deadline)
                guard !bytes.isEmpty else {
                    end()
                    throw .abnormalClosure
                }
                state.parser.append(bytes)
            }
        }
    }

    private func next(_ state: inout Reading, deadline: SocketDeadline) throws(WebSocketError) -> WebSocketEvent? {
        do {
            while let frame = try state.parser.next() {
                guard let event = try state.assembler.accept(frame) else { continue }
                handle(event, &state, deadline: deadline)
                return event
            }
            return nil
        } catch {
            fail(error)
            throw .violation(error)
        }
    }

    private func handle(_ event: WebSocketEvent, _ state: inout Reading, deadline: SocketDeadline) {
        switch event {
        case .ping(let payload) where answersPings:
            // A pong that cannot be sent shows itself at the next read.
            try? send(Frame(.pong, payload), deadline: deadline.atMost(.seconds(5)))
        case .closed(let reason):
            state.close = reason
            try? send(Frame(.close, reason.payload), deadline: deadline.atMost(.seconds(5)))
            // The server ends the TCP connection first (RFC 6455 section 7.1.1).
            if role == .server { end() }
        default:
            break
        }
    }

    private func fail(_ violation: ProtocolViolation) {
        let reason = CloseReason(violation.closeCode, violation.description)
        try? send(Frame(.close, reason.payload), deadline: .after(.seconds(1)))
        end()
    }

    private func read(deadline: SocketDeadline) throws(WebSocketError) -> [UInt8] {
        do {
            return try socket.read(upTo: 64 << 10, deadline: deadline)
        } catch .timedOut(let operation, let target) {
            throw .socket(.timedOut(operation: operation, target: target))
        } catch {
            end()
            throw .socket(error)
        }
    }

    // MARK: Sending

    package func send(text: String, deadline: SocketDeadline) throws(WebSocketError) {
        try send(Frame(.text, Array(text.utf8)), deadline: deadline)
    }

    package func send(binary: [UInt8], deadline: SocketDeadline) throws(WebSocketError) {
        try send(Frame(.binary, binary), deadline: deadline)
    }

    /// Sends a ping; its pong comes back through `receive`.
    package func ping(_ payload: [UInt8] = [], deadline: SocketDeadline) throws(WebSocketError) {
        try send(Frame(.ping, payload), deadline: deadline)
    }

    /// Sends one frame as it is, masked where this end is the client. Nothing can be sent after a close frame.
    package func send(_ frame: Frame, deadline: SocketDeadline) throws(WebSocketError) {
        try writing.withLock { (state) throws(WebSocketError) in
            guard !state.isClosed else { throw .alreadyClosed }
            state.isClosed = frame.opcode == .close
            let key: [UInt8]? = role == .client ? state.random.bytes(4) : nil
            do throws(SocketError) {
                try socket.write(FrameWriter.bytes(of: frame, maskedWith: key), deadline: deadline)
            } catch {
                state.isClosed = true
                link.end()
                throw .socket(error)
            }
        }
    }

    /// Sends bytes as they are, frames or not: for telling how a peer takes what is forbidden.
    package func send(raw bytes: [UInt8], deadline: SocketDeadline) throws(WebSocketError) {
        try writing.withLock { (state) throws(WebSocketError) in
            do throws(SocketError) {
                try socket.write(bytes, deadline: deadline)
            } catch {
                state.isClosed = true
                link.end()
                throw .socket(error)
            }
        }
    }

    /// Says goodbye and waits for the answer. What still comes before it is dropped. Returns the peer's reason; ends the
    /// connection in any case. To be called by the thread that receives.
    @discardableResult
    package func close(
        _ reason: CloseReason = .normal, deadline: SocketDeadline
    ) throws(WebSocketError) -> CloseReason {
        defer { end() }
        do {
            try send(Frame(.close, reason.payload), deadline: deadline)
        } catch .alreadyClosed {
            // The peer was faster, and `receive` has answered it already.
        }
        while true {
            if case .closed(let answer) = try receive(deadline: deadline) { return answer }
        }
    }

    /// Ends the connection at once, without a close frame, and wakes whoever waits on it.
    package func end() {
        link.end()
    }
}

extension RandomNumberGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}
