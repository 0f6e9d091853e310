// SPDX-License-Identifier: Apache-2.0
// Frames to messages: fragmentation, interleaved control frames, UTF-8, close. Pure.

/// What a peer said.
package enum WebSocketEvent: Hashable, Sendable {
    case text(String)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    /// The peer closes; a close frame without a body reads as `CloseReason.noStatus`.
    case closed(CloseReason)
}

/// Puts frames together to messages, and says which rule a peer breaks.
package struct MessageAssembler: Sendable {
    private let limit: Int
    private var state = State.idle

    private struct Message: Sendable {
        var isText: Bool
        var payload: [UInt8] = []
        var validator = UTF8Validator()
    }

    private enum State: Sendable {
        case idle
        case inside(Message)
        case closed
    }

    /// An assembler that refuses messages with more than `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next frame; nil where the message goes on.
    package mutating func accept(_ frame: Frame) throws(ProtocolViolation) -> WebSocketEvent? {
        if case .closed = state { throw .frameAfterClose }
        switch frame.opcode {
        case .ping: return .ping(frame.payload)
        case .pong: return .pong(frame.payload)
        case .close:
            state = .closed
            return .closed(try Self.reason(frame.payload))
        case .text, .binary:
            guard case .idle = state else { throw .interruptedMessage }
            return try extend(Message(isText: frame.opcode == .text), with: frame)
        case .continuation:
            guard case .inside(let message) = state else { throw .unexpectedContinuation }
            // The only reference to the bytes must be the one that grows, or every fragment would copy all before it.
            state = .idle
            return try extend(message, with: frame)
        }
    }

    private mutating func extend(
        _ begun: consuming Message, with frame: Frame
    ) throws(ProtocolViolation) -> WebSocketEvent? {
        var message = begun
        guard message.payload.count + frame.payload.count <= limit else { throw .messageTooLarge(limit: limit) }
        if message.isText {
            // Said at the first fragment that cannot become UTF-8, not at the end of an endless message.
            guard message.validator.consume(frame.payload) else { throw .invalidText }
        }
        message.payload += frame.payload
        guard frame.isFinal else {
            state = .inside(message)
            return nil
        }
        state = .idle
        guard message.isText else { return .binary(message.payload) }
        guard message.validator.isComplete else { throw .invalidText }
        return .text(String(decoding: message.payload, as: UTF8.self))
    }

    private static func reason(_ body: [UInt8]) throws(ProtocolViolation) -> CloseReason {
        guard !body.isEmpty else { return .noStatus }
        guard body.count >= 2 else { throw .shortCloseBody }
        let code = UInt16(body[0]) << 8 | UInt16(body[1])
        guard CloseReason.isSendable(code) else { throw .forbiddenCloseCode(code) }
        var validator = UTF8Validator()
        guard validator.consume(body[2...]), validator.isComplete else { throw .invalidCloseText }
        return CloseReason(code, String(decoding: body[2...], as: UTF8.self))
    }
}
