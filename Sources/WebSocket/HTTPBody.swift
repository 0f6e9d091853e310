// SPDX-License-Identifier: Apache-2.0
// The body of an HTTP/1.1 message (RFC 9112 sections 6 and 7): by length, in chunks, or until the end. Pure.

/// Decodes a body from the bytes as they come, and knows when it is complete.
package struct HTTPBodyDecoder: Sendable {
    private enum State: Sendable {
        case fixed(left: Int)
        case untilEnd
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        case complete
    }

    private var state: State
    private var buffer: [UInt8] = []
    private let limit: Int
    /// The decoded bytes, at most the limit.
    package private(set) var body: [UInt8] = []
    /// Whether the body had more than the limit; decoding stops there.
    package private(set) var isCut = false

    package var isComplete: Bool {
        if case .complete = state { true } else { isCut }
    }

    /// The decoder that the headers of a response with `status` call for; at most `limit` bytes are kept.
    package init(responseTo status: Int, headers: HTTPHeaders, limit: Int) throws(HTTPError) {
        let hasNoBody = (100..<200).contains(status) || status == 204 || status == 304
        state = hasNoBody ? .complete : try Self.framing(headers) ?? .untilEnd
        self.limit = limit
    }

    /// The decoder that the headers of a request call for.
    package init(requestWith headers: HTTPHeaders, limit: Int) throws(HTTPError) {
        state = try Self.framing(headers) ?? .complete
        self.limit = limit
    }

    private static func framing(_ headers: HTTPHeaders) throws(HTTPError) -> State? {
        let codings = headers.tokens("Transfer-Encoding")
        let lengths = Set(headers.tokens("Content-Length"))
        if !codings.isEmpty {
            guard codings == ["chunked"] else {
                throw .malformed("the transfer coding is \(codings.joined(separator: ", ").quoted)")
            }
            // Both at once is how requests are smuggled past a proxy: no answer to it can be trusted.
            guard lengths.isEmpty else { throw .malformed("it has both a length and a transfer coding") }
            return .chunkSize
        }
        guard let text = lengths.first else { return nil }
        guard lengths.count == 1, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text) else {
            throw .malformed("the content length is \(lengths.sorted().joined(separator: ", ").quoted)")
        }
        return length == 0 ? .complete : .fixed(left: length)
    }

    /// Takes more bytes of the body.
    package mutating func append(_ bytes: [UInt8]) throws(HTTPError) {
        buffer += bytes
        while !isComplete, try step() {}
    }

    /// The connection ended.
    package mutating func end() throws(HTTPError) {
        if isComplete { return }
        guard case .untilEnd = state else { throw .truncated("the body, after \(body.count) bytes") }
        state = .complete
    }

    /// Goes one step on; false until more bytes come.
    private mutating func step() throws(HTTPError) -> Bool {
        switch state {
        case .complete:
            return false
        case .untilEnd:
            return keep(buffer.count) > 0
        case .fixed(let left):
            let taken = keep(left)
            state = taken == left ? .complete : .fixed(left: left - taken)
            return taken > 0
        case .chunk(let left):
            let taken = keep(left)
            state = taken == left ? .chunkEnd : .chunk(left: left - taken)
            return taken > 0
        case .chunkSize, .chunkEnd, .trailers:
            guard let line = try takeLine() else { return false }
            state = try Self.after(line, in: state)
            return true
        }
    }

    private static func after(_ line: [UInt8], in state: State) throws(HTTPError) -> State {
        switch state {
        case .chunkSize:
            let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
            guard (1...15).contains(digits.count), digits.allSatisfy(isHexadecimal),
                let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw .malformed("the size of a chunk is \(String(decoding: line, as: UTF8.self).quoted)") }
            return size == 0 ? .trailers : .chunk(left: size)
        case .chunkEnd:
            guard line.isEmpty else { throw .malformed("a chunk is longer than its size") }
            return .chunkSize
        default:
            return line.isEmpty ? .complete : .trailers
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }

    /// Moves up to `count` bytes into the body; what is over the limit ends the decoding.
    private mutating func keep(_ count: Int) -> Int {
        let taken = min(count, buffer.count)
        let kept = min(taken, limit - body.count)
        body += buffer[..<kept]
        buffer.removeFirst(taken)
        if kept < taken { isCut = true }
        return taken
    }

    private mutating func takeLine() throws(HTTPError) -> [UInt8]? {
        guard let end = buffer.firstIndex(of: 0x0A) else {
            guard buffer.count < 4096 else { throw .malformed("a line between chunks has more than 4096 bytes") }
            return nil
        }
        var line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        if line.last == 0x0D { line.removeLast() }
        return line
    }
}
