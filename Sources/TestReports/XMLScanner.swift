// SPDX-License-Identifier: Apache-2.0
// A bounded, streaming scanner for the part of XML that test reports use.

/// What a scanner hands on. Pointers are valid during the call only.
protocol XMLHandler {
    /// Whether text is of interest now; references in it are checked either way.
    var wantsText: Bool { get }
    mutating func start(_ tag: borrowing XMLTag) throws(XMLProblem)
    mutating func text(_ bytes: Slice<Bytes>)
    mutating func end()
}

/// Why scanning cannot go on, at an offset of the scanner's buffer.
struct XMLProblem: Error {
    var kind: ReportDamage.Kind
    var offset: Int
    var found: String
}

/// Cuts bytes that arrive in chunks of any size into tags and text, and checks that they nest.
///
/// It keeps at most one unfinished token, expands nothing but the five predefined entities and character references,
/// and reads nothing from elsewhere. Deliberately more tolerant than XML 1.0 in one point: raw control bytes other
/// than NUL, and references to them, are kept and noted, because consoles leave ESC bytes in real reports.
struct XMLScanner<Handler: XMLHandler> {
    enum Mode { case content, comment, instruction, data }

    var handler: Handler
    var notes = BoundedMessages()
    var mode = Mode.content
    /// Names of the open elements, end to end, and where each begins.
    var openNames: [UInt8] = []
    var openStarts: [Int] = []
    var seenRoot = false
    var entities = XMLEntities()
    var attributes: [XMLTag.Attribute] = []
    /// Whether nothing has been seen yet, not even white space: the only place for an XML declaration.
    var atStart = true

    private var decoding = TextDecoding()
    private var buffer: [UInt8] = []
    private var checked = 0
    /// No scan before the buffer holds this much: an unfinished token is scanned again only after it has doubled, so
    /// that the whole stays linear however small the chunks are.
    private var wanted = 0
    /// The place of the buffer's first byte.
    private var line = 1
    private var column = 1
    private var failure: ReportDamage?

    /// A start tag with all its attributes: far beyond what any tool writes, far below what would hurt.
    static var tagBytes: Int { 16 << 20 }

    init(handler: Handler) { self.handler = handler }

    mutating func push(_ bytes: Bytes) throws(ReportDamage) { try take(bytes, final: false) }

    /// To be called once; what is unfinished by now is damage.
    mutating func finish() throws(ReportDamage) {
        try take(Bytes(start: nil, count: 0), final: true)
    }

    private mutating func take(_ bytes: Bytes, final: Bool) throws(ReportDamage) {
        if let failure { throw failure }
        decoding.decode(bytes, into: &buffer, final: final)
        if buffer.count < wanted && !final { return }
        // The buffer moves out for the scan, so that its bytes can be read while the scanner changes.
        var current: [UInt8] = []
        swap(&current, &buffer)
        let consumed = current.withUnsafeBufferPointer { scanAll($0, final: final) }
        if let failure { throw failure }
        current.removeFirst(consumed)
        checked -= consumed
        wanted = current.isEmpty ? 0 : 2 * current.count
        swap(&current, &buffer)
    }

    /// Scans as far as the bytes are text; the answer is how many are done with. Sets `failure`.
    private mutating func scanAll(_ bytes: Bytes, final: Bool) -> Int {
        let check = TextCheck(bytes, from: checked)
        checked = check.end
        for (index, at) in check.controls.enumerated() where index < BoundedMessages.limit {
            let (line, column) = place(of: at, in: bytes)
            notes.add("tolerated: raw control byte 0x\(hexadecimal(bytes[at])) at line \(line), column \(column)")
        }
        if check.controlCount > BoundedMessages.limit {
            notes.add("tolerated: \(check.controlCount - BoundedMessages.limit) more raw control bytes")
        }
        do throws(XMLProblem) {
            let done = try scan(bytes, to: check.end, final: final && check.stop == .none)
            switch check.stop {
            case .none: break
            case .zero: throw XMLProblem(kind: .malformed, offset: check.end, found: "a NUL byte")
            case .invalid:
                let name = decoding.encoding?.rawValue ?? "UTF-8"
                let found = "byte 0x\(hexadecimal(bytes[check.end])) where text in \(name) was expected"
                throw XMLProblem(kind: .encoding, offset: check.end, found: found)
            }
            if final { try checkEnd(bytes, done: done) }
            advance(bytes, by: done)
            return done
        } catch {
            let (line, column) = place(of: error.offset, in: bytes)
            failure = ReportDamage(kind: error.kind, line: line, column: column, found: error.found)
            return 0
        }
    }

    private func checkEnd(_ bytes: Bytes, done: Int) throws(XMLProblem) {
        func cut(_ found: String) -> XMLProblem { XMLProblem(kind: .truncated, offset: bytes.count, found: found) }
        switch mode {
        case .comment: throw cut("the report ends inside a comment")
        case .instruction: throw cut("the report ends inside a processing instruction")
        case .data: throw cut("the report ends inside a CDATA section")
        case .content: break
        }
        if done < bytes.count { throw cut("the report ends inside \(excerpt(bytes, from: done))") }
        if let name = innermostName { throw cut("the report ends inside <\(name)>") }
        if !seenRoot {
            let found = atStart ? "it is empty" : "it holds no element"
            throw XMLProblem(kind: .empty, offset: bytes.count, found: found)
        }
    }

    /// The line of the buffer's first byte.
    var firstLine: Int { line }

    var depth: Int { openStarts.count }

    var innermostName: String? {
        openStarts.last.map { String(decoding: openNames[$0...], as: UTF8.self) }
    }

    /// A declared encoding that is not known and was read as UTF-8.
    var unknownEncoding: String? { decoding.unknownName }

    /// Line and column of an offset, counted from 1, columns in characters.
    func place(of offset: Int, in bytes: Bytes) -> (line: Int, column: Int) {
        var (line, column) = (line, column)
        for at in 0..<min(offset, bytes.count) {
            if bytes[at] == 0x0A {
                line += 1
                column = 1
            } else if bytes[at] & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    private mutating func advance(_ bytes: Bytes, by count: Int) {
        let feeds = bytes.lineFeeds(from: 0, to: count)
        line += feeds
        var at = count
        if feeds > 0 {
            column = 1
            while bytes[at - 1] != 0x0A { at -= 1 }
        } else {
            at = 0
        }
        while at < count {
            column += bytes[at] & 0xC0 != 0x80 ? 1 : 0
            at += 1
        }
    }
}

/// Two hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
}

/// The first bytes from an offset, for an error's text.
func excerpt(_ bytes: Bytes, from: Int) -> String {
    let end = min(bytes.count, from + 40)
    let text = bytes.string(from, end).unicodeScalars.prefix { $0.value >= 0x20 && $0.value != 0xFFFD }
    return "\"\(String(text))\(end < bytes.count ? "…" : "")\""
}
