// SPDX-License-Identifier: Apache-2.0
// Frames to messages, UTF-8 and close codes.

import Testing

@testable import WebSocket

@Suite struct MessageAssemblerTests {
    private func run(_ frames: [Frame], limit: Int = 1000) -> ([WebSocketEvent], ProtocolViolation?) {
        var assembler = MessageAssembler(limit: limit)
        var events: [WebSocketEvent] = []
        for frame in frames {
            do throws(ProtocolViolation) {
                if let event = try assembler.accept(frame) { events.append(event) }
            } catch {
                return (events, error)
            }
        }
        return (events, nil)
    }

    @Test func `all sequences of five frames are judged as a plain model says`() {
        let alphabet: [Frame] = [
            Frame(.text, [0x61]), Frame(.text, [0x62], isFinal: false), Frame(.continuation, [0x63]),
            Frame(.continuation, [0x64], isFinal: false), Frame(.ping, [0x65]), Frame(.close),
        ]
        for number in 0..<7776 {
            var rest = number
            let frames = (0..<5).map { _ in
                defer { rest /= 6 }
                return alphabet[rest % 6]
            }
            let (events, violation) = run(frames)
            let (expected, problem) = model(frames)
            if events != expected || violation != problem { Issue.record("sequence \(number): \(events)") }
        }
    }

    /// What a reader of section 5.4 would do with pencil and paper.
    private func model(_ frames: [Frame]) -> ([WebSocketEvent], ProtocolViolation?) {
        var events: [WebSocketEvent] = []
        var open: String?
        var closed = false
        for frame in frames {
            if closed { return (events, .frameAfterClose) }
            let text = String(decoding: frame.payload, as: UTF8.self)
            switch (frame.opcode, open) {
            case (.ping, _): events.append(.ping(frame.payload))
            case (.close, _):
                closed = true
                events.append(.closed(.noStatus))
            case (.continuation, nil): return (events, .unexpectedContinuation)
            case (.continuation, let begun?):
                open = frame.isFinal ? nil : begun + text
                if frame.isFinal { events.append(.text(begun + text)) }
            case (_, .some): return (events, .interruptedMessage)
            case (_, nil):
                open = frame.isFinal ? nil : text
                if frame.isFinal { events.append(.text(text)) }
            }
        }
        return (events, nil)
    }

    @Test func `a character may be cut by a fragment border but not by the end`() {
        let bytes = Array("κόσμε 🌙".utf8)
        for cut in 0...bytes.count {
            let (events, violation) = run([
                Frame(.text, Array(bytes[..<cut]), isFinal: false), Frame(.continuation, Array(bytes[cut...])),
            ])
            #expect(events == [.text("κόσμε 🌙")])
            #expect(violation == nil)
        }
        #expect(run([Frame(.text, [0xF0, 0x9F, 0x8C])]).1 == .invalidText)
        #expect(run([Frame(.text, [0xC0], isFinal: false)]).1 == .invalidText, "said before the message ends")
        #expect(run([Frame(.binary, [0xC0])]).0 == [.binary([0xC0])])
    }

    @Test func `all one and two byte texts, and the borders of longer ones, are judged as the standard library does`() {
        func check(_ bytes: [UInt8]) {
            var validator = UTF8Validator()
            let valid = validator.consume(bytes) && validator.isComplete
            if valid != (String(validating: bytes, as: UTF8.self) != nil) { Issue.record("\(bytes)") }
        }
        for pair in 0...UInt16.max { check([UInt8(pair >> 8), UInt8(pair & 0xFF)]) }
        for byte in 0...UInt8.max { check([byte]) }
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xFF]
        for lead in 0xE0...UInt8.max {
            for second in edges {
                for third in edges {
                    check([lead, second, third])
                    for fourth in edges { check([lead, second, third, fourth]) }
                }
            }
        }
    }

    @Test func `the size limit counts the whole message and not a fragment`() {
        let piece = Frame(.continuation, [1, 2, 3, 4], isFinal: false)
        #expect(run([Frame(.binary, [1, 2], isFinal: false), piece, piece], limit: 10).1 == nil)
        #expect(run([Frame(.binary, [1, 2], isFinal: false), piece, piece], limit: 9).1 == .messageTooLarge(limit: 9))
    }

    @Test func `every close code is judged by section 7-4`() {
        for code in 0...UInt16.max {
            let allowed =
                [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].contains(code)
                || (3000...4999).contains(code)
            let (events, violation) = run([Frame(.close, [UInt8(code >> 8), UInt8(code & 0xFF), 0x6F, 0x6B])])
            if allowed {
                if events != [.closed(CloseReason(code, "ok"))] { Issue.record("code \(code)") }
            } else if violation != .forbiddenCloseCode(code) {
                Issue.record("code \(code)")
            }
        }
        #expect(run([Frame(.close, [3])]).1 == .shortCloseBody)
        #expect(run([Frame(.close, [3, 0xE8, 0xFF])]).1 == .invalidCloseText)
        #expect(run([Frame(.close)]).0 == [.closed(.noStatus)])
    }

    @Test func `a long reason is cut at a character and still fits a control frame`() {
        let reason = CloseReason(1000, String(repeating: "🌙", count: 50))
        #expect(reason.payload.count == 122)
        #expect(
            run([Frame(.close, reason.payload)]).0 == [.closed(CloseReason(1000, String(repeating: "🌙", count: 30)))])
        #expect(CloseReason.noStatus.payload.isEmpty)
    }

    @Test func `violations choose their close codes`() {
        #expect(ProtocolViolation.frameTooLarge(bytes: 2, limit: 1).closeCode == 1009)
        #expect(ProtocolViolation.invalidText.closeCode == 1007)
        #expect(ProtocolViolation.reservedBits.closeCode == 1002)
    }
}
