// SPDX-License-Identifier: Apache-2.0
// The target of a request: path parts and query, percent-decoded once. Nothing is normalized: what would need it is refused.

struct HTTPTarget: Hashable, Sendable {
    var path: [String]
    var query: [String: String]
    /// Without its port, in lower case.
    var host: String?

    /// - Parameter host: the value of the Host field. A target in absolute form names its host itself (RFC 9112, 3.2.2).
    init(_ target: String, host field: String?) throws(HTTPRefusal) {
        var rest = target[...]
        var authority = field
        if target.lowercased().hasPrefix("http://") {
            let after = target.dropFirst(7)
            let end = after.firstIndex(of: "/") ?? after.endIndex
            authority = String(after[..<end])
            rest = end == after.endIndex ? "/" : after[end...]
        }
        guard rest.hasPrefix("/") else { throw HTTPRefusal(400, "the request target is no path") }
        let question = rest.firstIndex(of: "?")
        path = try HTTPTarget.parts(rest[..<(question ?? rest.endIndex)])
        query =
            try question.map { index throws(HTTPRefusal) in try HTTPTarget.query(rest[rest.index(after: index)...]) }
            ?? [:]
        host = try authority.map { text throws(HTTPRefusal) in try HTTPTarget.hostName(text) }
    }

    private static func parts(_ path: Substring) throws(HTTPRefusal) -> [String] {
        var parts: [String] = []
        let pieces = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            // One slash at the end is the folder itself; an empty part elsewhere means nothing here.
            if piece.isEmpty, index == pieces.count - 1 { break }
            let part = try decoded(piece, plusIsSpace: false)
            guard !part.isEmpty, part != ".", part != "..", !part.contains("/") else {
                throw HTTPRefusal(400, "the path holds an empty part, '.', '..' or an encoded slash")
            }
            parts.append(part)
        }
        return parts
    }

    private static func query(_ text: Substring) throws(HTTPRefusal) -> [String: String] {
        var query: [String: String] = [:]
        for pair in text.split(separator: "&").prefix(32) {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try decoded(halves[0], plusIsSpace: true)
            let value = halves.count > 1 ? try decoded(halves[1], plusIsSpace: true) : ""
            // Of two values for one name, which one counts would be a guess.
            guard query.updateValue(value, forKey: name) == nil else {
                throw HTTPRefusal(400, "the query names a parameter twice")
            }
        }
        return query
    }

    private static func decoded(_ text: Substring, plusIsSpace: Bool) throws(HTTPRefusal) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw HTTPRefusal(400, "the request target holds a '%' without two hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(where: { $0 < 32 || $0 == 127 })
        else { throw HTTPRefusal(400, "the request target is no plain UTF-8") }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// `name`, `name:port`, `[::1]:port` without the port.
    private static func hostName(_ authority: String) throws(HTTPRefusal) -> String {
        let bad = HTTPRefusal(400, "the Host field is no host")
        var name = authority[...]
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { throw bad }
            let port = name[name.index(after: end)...]
            guard port.isEmpty || isPort(port) else { throw bad }
            name = name[...end]
        } else if let colon = name.firstIndex(of: ":") {
            guard isPort(name[colon...]) else { throw bad }
            name = name[..<colon]
        }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 58, 91, 93: true
            default: false
            }
        }
        guard allowed, !name.isEmpty else { throw bad }
        return name.lowercased()
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.hasPrefix(":") && text.utf8.dropFirst().allSatisfy { (48...57).contains($0) } && text.utf8.count <= 6
    }
}
