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
    /// The message in progress. It grows in place: taken out and put back, every fragment would copy all before it.
    private var message: Message?
    private var isClosed = false

    fileprivate struct Message: Sendable {
        let isText: Bool
        var payload: [UInt8] = []
        var validator = UTF8Validator()
    }

    /// An assembler that refuses messages with more than `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next frame; nil where the message goes on. After a violation the assembler is of no more use.
    package mutating func accept(_ frame: Frame) throws(ProtocolViolation) -> WebSocketEvent? {
        guard !isClosed else { throw .frameAfterClose }
        switch frame.opcode {
        case .ping: return .ping(frame.payload)
        case .pong: return .pong(frame.payload)
        case .close:
            isClosed = true
            return .closed(try Self.reason(frame.payload))
        case .text, .binary:
            guard message == nil else { throw .interruptedMessage }
            message = Message(isText: frame.opcode == .text)
        case .continuation:
            guard message != nil else { throw .unexpectedContinuation }
        }
        try message?.append(frame.payload, limit: limit)
        return frame.isFinal ? try finish() : nil
    }

    private mutating func finish() throws(ProtocolViolation) -> WebSocketEvent? {
        guard let whole = message else { return nil }
        message = nil
        guard whole.isText else { return .binary(whole.payload) }
        guard whole.validator.isComplete else { throw .invalidText }
        return .text(String(decoding: whole.payload, as: UTF8.self))
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

extension MessageAssembler.Message {
    fileprivate mutating func append(_ bytes: [UInt8], limit: Int) throws(ProtocolViolation) {
        guard payload.count + bytes.count <= limit else { throw .messageTooLarge(limit: limit) }
        // Said at the first fragment that cannot become UTF-8, not at the end of an endless message.
        if isText, !validator.consume(bytes) { throw .invalidText }
        payload += bytes
    }
}
