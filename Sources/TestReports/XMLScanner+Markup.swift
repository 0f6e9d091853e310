// SPDX-License-Identifier: Apache-2.0
// The scanner's grammar: one function per kind of markup.

import Domain

extension XMLScanner {
    /// Scans up to `to`; the answer is the offset of the first unfinished token.
    mutating func scan(_ bytes: Bytes, to: Int, final: Bool) throws(XMLProblem) -> Int {
        var at = 0
        // Lines are counted forward from the last tag, so that all of it is one pass.
        var lines = LineCursor()
        while at < to {
            let next: Int
            switch mode {
            case .content:
                if bytes[at] == UInt8(ascii: "<") {
                    guard let after = try markup(bytes, at, to, &lines) else {
                        if to - at > Self.tagBytes {
                            throw XMLProblem(
                                kind: .limit, offset: at, found: "one tag longer than \(Self.tagBytes) bytes")
                        }
                        return at
                    }
                    next = after
                } else {
                    next = try text(bytes, at, to, final: final)
                }
            case .comment: next = skip(past: "-->", bytes, at, to)
            case .instruction: next = skip(past: "?>", bytes, at, to)
            case .data: next = data(bytes, at, to)
            }
            if next == at { return at }
            at = next
            atStart = false
        }
        return at
    }

    // MARK: Text

    private mutating func text(_ bytes: Bytes, _ from: Int, _ to: Int, final: Bool) throws(XMLProblem) -> Int {
        let end = bytes.firstIndex(of: UInt8(ascii: "<"), from: from, to: to)
        if depth == 0 {
            for at in from..<end where !XMLReference.isSpace(bytes[at]) {
                let place = seenRoot ? "after the root element" : "before the root element"
                throw XMLProblem(kind: .malformed, offset: at, found: "\(excerpt(bytes, from: at)) \(place)")
            }
            return end
        }
        var at = from
        while true {
            let reference = bytes.firstIndex(of: UInt8(ascii: "&"), from: at, to: end)
            if reference > at && handler.wantsText { handler.text(bytes[at..<reference]) }
            if reference == end { return end }
            guard let (meaning, next) = try resolve(bytes, reference, end, mayContinue: end == to && !final) else {
                return reference
            }
            if case .character(let scalar) = meaning, handler.wantsText {
                var scratch: [UInt8] = []
                TextDecoding.append(scalar, to: &scratch)
                scratch.withUnsafeBufferPointer { handler.text($0[0..<$0.count]) }
            }
            at = next
        }
    }

    /// Reads and judges a reference; nil where the bytes end inside it and more may come.
    private mutating func resolve(
        _ bytes: Bytes, _ at: Int, _ to: Int, mayContinue: Bool
    ) throws(XMLProblem) -> (XMLReference, next: Int)? {
        switch XMLReference.read(bytes, at: at, to: to) {
        case .unfinished where mayContinue: return nil
        case .unfinished, .malformed:
            let found = "\(excerpt(bytes, from: at)), where & must begin a reference"
            throw XMLProblem(kind: .malformed, offset: at, found: found)
        case .reference(let reference, let next):
            try judge(reference, bytes, at)
            return (reference, next)
        }
    }

    private mutating func judge(_ reference: XMLReference, _ bytes: Bytes, _ at: Int) throws(XMLProblem) {
        switch reference {
        case .character(let scalar):
            guard scalar < 0x20, scalar != 0x09, scalar != 0x0A, scalar != 0x0D else { return }
            let (line, column) = place(of: at, in: bytes)
            let code = hexadecimal(UInt8(scalar))
            notes.add("tolerated: a reference to control byte 0x\(code) at line \(line), column \(column)")
        case .entity(let name):
            switch entities.refer(to: name) {
            case .leftOut:
                let (line, column) = place(of: at, in: bytes)
                notes.add("left out: a reference to the declared entity &\(name); at line \(line), column \(column)")
            case .unknown:
                throw XMLProblem(kind: .malformed, offset: at, found: "&\(name);, an entity that nobody declared")
            case .bomb:
                let found = "&\(name);, which would expand beyond \(XMLEntities.expandedBytes) bytes"
                throw XMLProblem(kind: .entityBomb, offset: at, found: found)
            }
        }
    }

    private mutating func data(_ bytes: Bytes, _ from: Int, _ to: Int) -> Int {
        if let end = bytes.firstIndex(of: "]]>", from: from, to: to) {
            if end > from && handler.wantsText { handler.text(bytes[from..<end]) }
            mode = .content
            return end + 3
        }
        // The last two bytes may be the beginning of the end.
        let end = max(from, to - 2)
        if end > from && handler.wantsText { handler.text(bytes[from..<end]) }
        return end
    }

    private mutating func skip(past end: StaticString, _ bytes: Bytes, _ from: Int, _ to: Int) -> Int {
        if let found = bytes.firstIndex(of: end, from: from, to: to) {
            mode = .content
            return found + end.utf8CodeUnitCount
        }
        return max(from, to - end.utf8CodeUnitCount + 1)
    }

    // MARK: Markup

    /// Takes the markup at `at`; the answer is the offset behind it, or nil while it is unfinished.
    private mutating func markup(
        _ bytes: Bytes, _ at: Int, _ to: Int, _ lines: inout LineCursor
    ) throws(XMLProblem) -> Int? {
        guard at + 1 < to else { return nil }
        switch bytes[at + 1] {
        case UInt8(ascii: "/"): return try endTag(bytes, at, to)
        case UInt8(ascii: "!"): return try declaration(bytes, at, to)
        case UInt8(ascii: "?"):
            guard at + 6 <= to else { return nil }
            if !atStart && bytes.has("<?xml", at: at, to: to) && XMLReference.isSpace(bytes[at + 5]) {
                let found = "an XML declaration that is not at the very start"
                throw XMLProblem(kind: .malformed, offset: at, found: found)
            }
            mode = .instruction
            return at + 2
        default: return try startTag(bytes, at, to, &lines)
        }
    }

    private mutating func declaration(_ bytes: Bytes, _ at: Int, _ to: Int) throws(XMLProblem) -> Int? {
        if bytes.has("<!--", at: at, to: to) {
            mode = .comment
            return at + 4
        }
        if depth > 0 && bytes.has("<![CDATA[", at: at, to: to) {
            mode = .data
            return at + 9
        }
        if depth == 0 && !seenRoot && isDoctype(bytes, at, to) {
            guard let end = doctypeEnd(bytes, at + 9, to) else {
                if to - at > XMLEntities.declarationBytes {
                    throw XMLProblem(kind: .limit, offset: at, found: "a document type declaration without an end")
                }
                return nil
            }
            entities.declare(in: bytes, from: at, to: end)
            return end
        }
        if to - at < 9 { return nil }
        let found = "\(excerpt(bytes, from: at)), which is no markup at this place"
        throw XMLProblem(kind: .malformed, offset: at, found: found)
    }

    private func isDoctype(_ bytes: Bytes, _ at: Int, _ to: Int) -> Bool {
        bytes.has("<!DOCTYPE", at: at, to: to) || bytes.has("<!doctype", at: at, to: to)
    }

    /// The offset behind the `>` that closes a document type declaration.
    private func doctypeEnd(_ bytes: Bytes, _ from: Int, _ to: Int) -> Int? {
        var at = from
        var brackets = 0
        while at < to {
            switch bytes[at] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                at = bytes.firstIndex(of: bytes[at], from: at + 1, to: to)
            case UInt8(ascii: "<") where bytes.has("<!--", at: at, to: to):
                guard let end = bytes.firstIndex(of: "-->", from: at + 4, to: to) else { return nil }
                at = end + 2
            case UInt8(ascii: "["): brackets += 1
            case UInt8(ascii: "]"): brackets -= 1
            case UInt8(ascii: ">") where brackets <= 0: return at + 1
            default: break
            }
            at += 1
        }
        return nil
    }

    private mutating func endTag(_ bytes: Bytes, _ at: Int, _ to: Int) throws(XMLProblem) -> Int? {
        let close = bytes.firstIndex(of: UInt8(ascii: ">"), from: at + 2, to: to)
        if close == to { return nil }
        var end = close
        while end > at + 2, XMLReference.isSpace(bytes[end - 1]) { end -= 1 }
        guard let start = openStarts.last else {
            throw XMLProblem(kind: .malformed, offset: at, found: "\(excerpt(bytes, from: at)), which closes nothing")
        }
        let length = openNames.count - start
        var isSame = length == end - at - 2
        if isSame {
            for offset in 0..<length where openNames[start + offset] != bytes[at + 2 + offset] { isSame = false }
        }
        guard isSame else {
            let found = "\(excerpt(bytes, from: at)), where </\(innermostName ?? "")> was expected"
            throw XMLProblem(kind: .malformed, offset: at, found: found)
        }
        openNames.removeLast(length)
        openStarts.removeLast()
        handler.end()
        return close + 1
    }

    private mutating func startTag(
        _ bytes: Bytes, _ at: Int, _ to: Int, _ lines: inout LineCursor
    ) throws(XMLProblem) -> Int? {
        guard XMLReference.isNameStart(bytes[at + 1]) else {
            let found = "\(excerpt(bytes, from: at)), where < must begin a tag"
            throw XMLProblem(kind: .malformed, offset: at, found: found)
        }
        var nameEnd = at + 2
        while nameEnd < to, XMLReference.isName(bytes[nameEnd]) { nameEnd += 1 }
        guard let (end, isEmpty) = try readAttributes(bytes, nameEnd, to) else { return nil }
        // Only now: an unfinished tag is read again, and its references must count once.
        for attribute in attributes where !attribute.isPlain {
            try judgeValue(bytes, attribute.valueStart, attribute.valueEnd)
        }
        if depth == 0 && seenRoot {
            throw XMLProblem(kind: .malformed, offset: at, found: "a second root, \(excerpt(bytes, from: at))")
        }
        guard depth < Limits.reportDepth else {
            let found = "more than \(Limits.reportDepth) elements within each other"
            throw XMLProblem(kind: .limit, offset: at, found: found)
        }
        seenRoot = true
        let line = lines.line(at: at, in: bytes) + firstLine
        let tag = XMLTag(
            bytes: bytes, offset: at, line: line, nameStart: at + 1, nameEnd: nameEnd, attributes: attributes)
        try handler.start(tag)
        if isEmpty {
            handler.end()
        } else {
            openStarts.append(openNames.count)
            openNames.append(contentsOf: bytes[(at + 1)..<nameEnd])
        }
        return end
    }

    /// Fills `attributes`; the answer is the offset behind `>`, or nil while the tag is unfinished.
    private mutating func readAttributes(
        _ bytes: Bytes, _ from: Int, _ to: Int
    ) throws(XMLProblem) -> (end: Int, isEmpty: Bool)? {
        attributes.removeAll(keepingCapacity: true)
        var at = from
        while true {
            let gap = at
            while at < to, XMLReference.isSpace(bytes[at]) { at += 1 }
            guard at < to else { return nil }
            switch bytes[at] {
            case UInt8(ascii: ">"): return (at + 1, false)
            case UInt8(ascii: "/"):
                guard at + 1 < to else { return nil }
                if bytes[at + 1] == UInt8(ascii: ">") { return (at + 2, true) }
            case let byte where XMLReference.isNameStart(byte) && at > gap:
                guard let next = try readAttribute(bytes, at, to) else { return nil }
                at = next
                continue
            default: break
            }
            let found = "\(excerpt(bytes, from: at)), where an attribute or the end of the tag was expected"
            throw XMLProblem(kind: .malformed, offset: at, found: found)
        }
    }

    private mutating func readAttribute(_ bytes: Bytes, _ start: Int, _ to: Int) throws(XMLProblem) -> Int? {
        var at = start + 1
        while at < to, XMLReference.isName(bytes[at]) { at += 1 }
        let nameEnd = at
        while at < to, XMLReference.isSpace(bytes[at]) { at += 1 }
        guard at < to else { return nil }
        if bytes[at] == UInt8(ascii: "=") {
            at += 1
            while at < to, XMLReference.isSpace(bytes[at]) { at += 1 }
            guard at < to else { return nil }
            let quote = bytes[at]
            if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                return try readValue(bytes, at + 1, to, quote: quote, name: start..<nameEnd)
            }
        }
        let found = "\(excerpt(bytes, from: start)), an attribute without a quoted value"
        throw XMLProblem(kind: .malformed, offset: at, found: found)
    }

    private mutating func readValue(
        _ bytes: Bytes, _ start: Int, _ to: Int, quote: UInt8, name: Range<Int>
    ) throws(XMLProblem) -> Int? {
        var at = start
        var isPlain = true
        while true {
            at = bytes.firstSpecial(quote: quote, from: at, to: to)
            guard at < to else { return nil }
            let byte = bytes[at]
            if byte == quote { break }
            if byte == UInt8(ascii: "<") {
                let found = "\(excerpt(bytes, from: at)), where < is not allowed in an attribute value"
                throw XMLProblem(kind: .malformed, offset: at, found: found)
            }
            if byte != 0x1B { isPlain = false }
            at &+= 1
        }
        let attribute = XMLTag.Attribute(
            nameStart: name.lowerBound, nameEnd: name.upperBound, valueStart: start, valueEnd: at, isPlain: isPlain)
        try refuseSecond(attribute, bytes)
        attributes.append(attribute)
        return at + 1
    }

    /// Which of two values counts would be a guess. Only the first attributes are compared: a hostile tag has
    /// a million, and comparing all with all would take for ever.
    private func refuseSecond(_ new: XMLTag.Attribute, _ bytes: Bytes) throws(XMLProblem) {
        let length = new.nameEnd - new.nameStart
        for old in attributes.prefix(32) where old.nameEnd - old.nameStart == length {
            if bytes.isSame(old.nameStart, new.nameStart, length: length) {
                let found = "a second attribute \(excerpt(bytes, from: new.nameStart))"
                throw XMLProblem(kind: .malformed, offset: new.nameStart, found: found)
            }
        }
    }

    private mutating func judgeValue(_ bytes: Bytes, _ from: Int, _ to: Int) throws(XMLProblem) {
        var at = from
        while true {
            at = bytes.firstIndex(of: UInt8(ascii: "&"), from: at, to: to)
            if at == to { return }
            guard let (_, next) = try resolve(bytes, at, to, mayContinue: false) else { return }
            at = next
        }
    }
}

/// Counts lines of one buffer from front to back.
struct LineCursor {
    private var at = 0
    private var feeds = 0

    /// How many line feeds stand before `offset`; offsets only grow.
    mutating func line(at offset: Int, in bytes: Bytes) -> Int {
        feeds += bytes.lineFeeds(from: at, to: offset)
        at = offset
        return feeds
    }
}
