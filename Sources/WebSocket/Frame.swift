// SPDX-License-Identifier: Apache-2.0
// The vocabulary of RFC 6455: roles, opcodes, frames, close codes, and what a peer can do wrong.

/// Which end of the connection this is. It decides who masks (RFC 6455 section 5.1).
package enum WebSocketRole: Hashable, Sendable, CaseIterable {
    case client
    case server

    /// The other end.
    package var peer: WebSocketRole { self == .client ? .server : .client }
}

/// The meaning of a frame (RFC 6455 section 5.2).
package enum Opcode: UInt8, Hashable, Sendable, CaseIterable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    /// Control frames carry at most 125 bytes, are never fragmented, and may come between fragments.
    package var isControl: Bool { rawValue >= 8 }
}

/// One frame, unmasked.
package struct Frame: Hashable, Sendable {
    package var opcode: Opcode
    /// Whether this frame ends its message.
    package var isFinal: Bool
    package var payload: [UInt8]

    package init(_ opcode: Opcode, _ payload: [UInt8] = [], isFinal: Bool = true) {
        self.opcode = opcode
        self.isFinal = isFinal
        self.payload = payload
    }
}

/// How large what a peer sends may become, in bytes.
package struct WebSocketLimits: Hashable, Sendable {
    package var frame: Int
    package var message: Int

    package init(frame: Int = 1 << 20, message: Int = 4 << 20) {
        self.frame = frame
        self.message = message
    }
}

/// The code and text with which a connection was closed.
package struct CloseReason: Hashable, Sendable {
    package var code: UInt16
    package var text: String

    package init(_ code: UInt16, _ text: String = "") {
        self.code = code
        self.text = text
    }

    /// A close frame without a body is reported as this code, which never travels itself.
    package static let noStatus = CloseReason(1005)
    package static let normal = CloseReason(1000)

    /// Whether a code may appear on the wire: RFC 6455 section 7.4 and the registry of 2024. 1004, 1005, 1006, 1015 and
    /// what is not assigned may not.
    package static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The body of a close frame. The text is cut at a character so that it fits into a control frame.
    var payload: [UInt8] {
        guard Self.isSendable(code) else { return [] }
        var body = [UInt8(code >> 8), UInt8(code & 0xFF)]
        for character in text.unicodeScalars {
            let encoded = Array(String(character).utf8)
            guard body.count + encoded.count <= 125 else { break }
            body += encoded
        }
        return body
    }
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        text.isEmpty ? "\(code)" : "\(code) (\(text))"
    }
}

/// What a peer did against RFC 6455. Each one fails the connection.
package enum ProtocolViolation: Error, Hashable, Sendable {
    case reservedBits
    case unknownOpcode(UInt8)
    case longControlFrame(Int)
    case fragmentedControlFrame
    case lengthNotMinimal
    case lengthTooLarge
    case maskedByServer
    case unmaskedByClient
    case frameTooLarge(bytes: UInt64, limit: Int)
    case messageTooLarge(limit: Int)
    case unexpectedContinuation
    case interruptedMessage
    case invalidText
    case shortCloseBody
    case forbiddenCloseCode(UInt16)
    case invalidCloseText
    case frameAfterClose

    /// The code to close the connection with (RFC 6455 section 7.4.1).
    package var closeCode: UInt16 {
        switch self {
        case .frameTooLarge, .messageTooLarge: 1009
        case .invalidText, .invalidCloseText: 1007
        default: 1002
        }
    }
}

extension ProtocolViolation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .reservedBits: "a frame has reserved bits set although no extension was agreed"
        case .unknownOpcode(let opcode): "a frame has the reserved opcode \(opcode)"
        case .longControlFrame(let bytes): "a control frame has \(bytes) bytes and 125 are allowed"
        case .fragmentedControlFrame: "a control frame is fragmented"
        case .lengthNotMinimal: "a frame length is not encoded in the fewest bytes"
        case .lengthTooLarge: "a frame length has its highest bit set"
        case .maskedByServer: "the server masked a frame"
        case .unmaskedByClient: "the client did not mask a frame"
        case .frameTooLarge(let bytes, let limit): "a frame has \(bytes) bytes and \(limit) are allowed"
        case .messageTooLarge(let limit): "a message has more than the \(limit) bytes allowed"
        case .unexpectedContinuation: "a continuation frame came without a message to continue"
        case .interruptedMessage: "a new message began before the last one ended"
        case .invalidText: "a text message is not UTF-8"
        case .shortCloseBody: "a close frame has a body of one byte"
        case .forbiddenCloseCode(let code): "a close frame has the code \(code), which must not be sent"
        case .invalidCloseText: "the reason of a close frame is not UTF-8"
        case .frameAfterClose: "a frame came after the close frame"
        }
    }
}
