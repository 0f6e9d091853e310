// SPDX-License-Identifier: Apache-2.0
// Frames to bytes and back.

import Testing
import WebSocket

@Suite struct FrameCodecTests {
    private let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    private func parse(_ bytes: [UInt8], sender: WebSocketRole, limit: Int = 1 << 24) throws -> [Frame] {
        var parser = FrameParser(sender: sender, limit: limit)
        parser.append(bytes)
        var frames: [Frame] = []
        while let frame = try parser.next() { frames.append(frame) }
        return frames
    }

    private func bytes(_ frame: Frame, from sender: WebSocketRole) -> [UInt8] {
        FrameWriter.bytes(of: frame, maskedWith: sender == .client ? key : nil)
    }

    @Test func `the examples of RFC 6455 section 5-7 are read and written`() throws {
        let hello = Frame(.text, Array("Hello".utf8))
        let plain: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        #expect(FrameWriter.bytes(of: hello) == plain)
        #expect(FrameWriter.bytes(of: hello, maskedWith: key) == masked)
        #expect(try parse(plain, sender: .server) == [hello])
        #expect(try parse(masked, sender: .client) == [hello])
        let fragments: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
        #expect(
            try parse(fragments, sender: .server)
                == FrameWriter.fragments(of: .text, Array("Hello".utf8), size: 3))
        #expect(FrameWriter.bytes(of: Frame(.ping, Array("Hello".utf8))).prefix(2) == [0x89, 0x05])
        #expect(
            FrameWriter.bytes(of: Frame(.binary, [UInt8](repeating: 1, count: 256))).prefix(4) == [0x82, 0x7E, 1, 0])
        let long = FrameWriter.bytes(of: Frame(.binary, [UInt8](repeating: 1, count: 65536)))
        #expect(long.prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
    }

    @Test(arguments: WebSocketRole.allCases)
    func `every opcode, length border and end bit survives the way there and back`(_ sender: WebSocketRole) throws {
        for opcode in Opcode.allCases {
            for count in [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 100_000] {
                if opcode.isControl, count > 125 { continue }
                for isFinal in opcode.isControl ? [true] : [true, false] {
                    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                    let frame = Frame(opcode, payload, isFinal: isFinal)
                    #expect(try parse(bytes(frame, from: sender), sender: sender) == [frame])
                }
            }
        }
    }

    /// The rules of section 5.2 once more, written as a table over the first two bytes.
    private func verdict(_ first: UInt8, _ second: UInt8, sender: WebSocketRole) -> ProtocolViolation? {
        let opcode = first & 0x0F
        if first & 0x70 != 0 { return .reservedBits }
        if (3...7).contains(opcode) || opcode > 10 { return .unknownOpcode(opcode) }
        if sender == .server, second >= 0x80 { return .maskedByServer }
        if sender == .client, second < 0x80 { return .unmaskedByClient }
        if opcode >= 8, first < 0x80 { return .fragmentedControlFrame }
        if opcode >= 8, second & 0x7F > 125 { return .longControlFrame(Int(second & 0x7F)) }
        return nil
    }

    @Test(arguments: WebSocketRole.allCases)
    func `all 65536 pairs of first bytes are judged as the RFC says`(_ sender: WebSocketRole) {
        for pair in 0...UInt16.max {
            let (first, second) = (UInt8(pair >> 8), UInt8(pair & 0xFF))
            var found: ProtocolViolation?
            do throws(ProtocolViolation) {
                var parser = FrameParser(sender: sender, limit: 1 << 20)
                parser.append([first, second])
                _ = try parser.next()
            } catch {
                found = error
            }
            if found != verdict(first, second, sender: sender) {
                Issue.record("bytes \(first) \(second): \(String(describing: found))")
            }
        }
    }

    @Test func `a length that is not minimal, too large or over the limit is refused at its header`() {
        func violation(_ bytes: [UInt8], limit: Int) -> ProtocolViolation? {
            do throws(ProtocolViolation) {
                var parser = FrameParser(sender: .server, limit: limit)
                parser.append(bytes)
                _ = try parser.next()
                return nil
            } catch {
                return error
            }
        }
        #expect(violation([0x82, 126, 0, 125], limit: 1000) == .lengthNotMinimal)
        #expect(violation([0x82, 126, 0, 126], limit: 1000) == nil)
        #expect(violation([0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], limit: 1 << 20) == .lengthNotMinimal)
        #expect(violation([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], limit: 1 << 20) == nil)
        #expect(violation([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], limit: .max) == .lengthTooLarge)
        #expect(violation([0x82, 101], limit: 100) == .frameTooLarge(bytes: 101, limit: 100))
        #expect(violation([0x82, 100], limit: 100) == nil)
        let huge: [UInt8] = [0x82, 127, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
        #expect(violation(huge, limit: 1 << 20) == .frameTooLarge(bytes: UInt64(Int64.max), limit: 1 << 20))
    }

    @Test func `every cut of a frame waits for the rest`() throws {
        let frame = Frame(.text, Array(repeating: 0x61, count: 130))
        let whole = bytes(frame, from: .client)
        for cut in 0..<whole.count {
            var parser = FrameParser(sender: .client, limit: 1000)
            parser.append(whole[..<cut])
            #expect(try parser.next() == nil)
            parser.append(whole[cut...])
            #expect(try parser.next() == frame)
            #expect(parser.pendingBytes == 0)
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `random conversations survive random chunking`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for sender in WebSocketRole.allCases {
            var frames: [Frame] = []
            var wire: [UInt8] = []
            for _ in 0..<60 {
                let opcode = try #require(Opcode.allCases.randomElement(using: &random))
                let count = Int.random(
                    in: 0...(opcode.isControl ? 125 : [10, 200, 70_000].randomElement(using: &random) ?? 0),
                    using: &random)
                let frame = Frame(opcode, random.bytes(count), isFinal: opcode.isControl || Bool.random(using: &random))
                frames.append(frame)
                wire += FrameWriter.bytes(of: frame, maskedWith: sender == .client ? random.bytes(4) : nil)
            }
            var parser = FrameParser(sender: sender, limit: 1 << 20)
            var parsed: [Frame] = []
            for piece in random.pieces(of: wire, upTo: 5000) {
                parser.append(piece)
                while let frame = try parser.next() { parsed.append(frame) }
            }
            #expect(parsed == frames, "seed \(seed)")
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `random bytes never trap`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            var parser = FrameParser(sender: Bool.random(using: &random) ? .client : .server, limit: 4096)
            var assembler = MessageAssembler(limit: 8192)
            var isOpen = true
            for piece in random.pieces(of: random.bytes(400), upTo: 100) where isOpen {
                parser.append(piece)
                do throws(ProtocolViolation) {
                    while let frame = try parser.next() { _ = try assembler.accept(frame) }
                } catch {
                    isOpen = false
                    #expect(CloseReason.isSendable(error.closeCode), "seed \(seed)")
                }
            }
        }
    }

    @Test func `fragments put together give the message`() throws {
        for count in 0...20 {
            for size in 1...21 {
                let payload = (0..<count).map { UInt8($0) }
                let frames = FrameWriter.fragments(of: .binary, payload, size: size)
                #expect(frames.flatMap(\.payload) == payload)
                #expect(frames.map(\.isFinal) == Array(repeating: false, count: frames.count - 1) + [true])
                #expect(frames.allSatisfy { $0.payload.count <= size })
                #expect(frames.first?.opcode == .binary)
                #expect(frames.dropFirst().allSatisfy { $0.opcode == .continuation })
            }
        }
    }
}
