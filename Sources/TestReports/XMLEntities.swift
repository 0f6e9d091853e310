// SPDX-License-Identifier: Apache-2.0
// Entities that a report declares: never expanded, only measured.

/// How large each declared entity would be, and how much the references so far would have become.
///
/// The bounds of expat and libxml2 work on the same two numbers; here they only decide what to call the report.
struct XMLEntities {
    private var sizes: [String: Int] = [:]
    private var referred = 0

    /// A document type declaration longer than this is refused.
    static let declarationBytes = 1 << 20
    /// An entity or all references together beyond this are an attack, not a report.
    static let expandedBytes = 1 << 20
    static let declarations = 256

    /// Takes the entities from the inside of a document type declaration, in order, the first of a name counting.
    mutating func declare(in bytes: Bytes, from: Int, to: Int) {
        var at = from
        while let start = bytes.firstIndex(of: "<!ENTITY", from: at, to: to), sizes.count < Self.declarations {
            at = skipSpace(bytes, start + 8, to)
            let nameStart = at
            while at < to, XMLReference.isName(bytes[at]) { at += 1 }
            if at == nameStart { continue }
            let name = bytes.string(nameStart, at)
            at = skipSpace(bytes, at, to)
            guard at < to else { return }
            var size = 0
            if bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") {
                let end = bytes.firstIndex(of: bytes[at], from: at + 1, to: to)
                size = expandedSize(bytes, at + 1, end)
                at = end
            }
            if sizes[name] == nil { sizes[name] = size }
        }
    }

    private func skipSpace(_ bytes: Bytes, _ from: Int, _ to: Int) -> Int {
        var at = from
        while at < to, XMLReference.isSpace(bytes[at]) { at += 1 }
        return at
    }

    private func expandedSize(_ bytes: Bytes, _ from: Int, _ to: Int) -> Int {
        var size = to - from
        var at = from
        while true {
            at = bytes.firstIndex(of: UInt8(ascii: "&"), from: at, to: to)
            if at == to { return size }
            if case .reference(.entity(let name), let next) = XMLReference.read(bytes, at: at, to: to) {
                // Saturates: thirty levels of doubling would overflow.
                size = min(size + (sizes[name] ?? 0), Int.max / 4)
                at = next
            } else {
                at += 1
            }
        }
    }

    enum Answer { case leftOut, unknown, bomb }

    mutating func refer(to name: String) -> Answer {
        guard let size = sizes[name] else { return .unknown }
        referred = min(referred + size, Int.max / 4)
        return referred > Self.expandedBytes ? .bomb : .leftOut
    }
}
