// SPDX-License-Identifier: Apache-2.0
// Reads a request head strictly (RFC 9112). Whatever two readers could understand in two ways is refused, since that is
// what request smuggling is made of: bare line feeds, folded lines, spaces before colons, doubled or conflicting lengths.

enum HTTPHead {
    /// Bytes of request line and fields together.
    static let limit = 8 << 10
    private static let fieldLimit = 64

    static func read(_ bytes: [UInt8]) -> HeadReading {
        var start = 0
        // One empty line before a request is forgiven (RFC 9112, 2.2).
        if bytes.starts(with: [13, 10]) { start = 2 }
        if bytes == [13] { return .incomplete }
        guard let end = headEnd(bytes, from: start) else {
            if bytes.count - start >= limit { return .refused(tooLarge(bytes[start...])) }
            // A client that speaks no HTTP is not listened to until it has said 8 KiB.
            if let early = earlyRefusal(bytes[start...]) { return .refused(early) }
            return .incomplete
        }
        if end - start > limit { return .refused(tooLarge(bytes[start...])) }
        do throws(HTTPRefusal) {
            return .request(try request(bytes[start..<end]), length: end)
        } catch {
            return .refused(error)
        }
    }

    /// The index behind the empty line.
    private static func headEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count - start >= 4 else { return nil }
        for index in (start + 3)..<bytes.count
        where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 && bytes[index - 3] == 13 {
            return index + 1
        }
        return nil
    }

    private static func tooLarge(_ bytes: ArraySlice<UInt8>) -> HTTPRefusal {
        bytes.prefix(limit).contains(10)
            ? HTTPRefusal(431, "the request head has more than \(limit) bytes")
            : HTTPRefusal(414, "the request line has more than \(limit) bytes")
    }

    private static func earlyRefusal(_ bytes: ArraySlice<UInt8>) -> HTTPRefusal? {
        let method = bytes.prefix(16)
        let word = method.prefix { isToken($0) }
        if word.count == method.count, method.count < 16 { return nil }
        return word.count < method.count && method[word.endIndex] == 32 && !word.isEmpty
            ? nil : HTTPRefusal(400, "the request does not begin with a method and a space")
    }

    // MARK: The whole head

    private static func request(_ head: ArraySlice<UInt8>) throws(HTTPRefusal) -> HTTPRequest {
        let lines = try lines(head)
        guard let first = lines.first else { throw HTTPRefusal(400, "the request line is missing") }
        let (method, target, isOldVersion) = try requestLine(first)
        let fields = try fields(lines.dropFirst())
        try refuseBody(fields)
        guard method == "GET" || method == "HEAD" else {
            throw HTTPRefusal(405, "this server answers GET and HEAD only")
        }
        let hosts = fields["host"] ?? []
        guard hosts.count == 1 || isOldVersion && hosts.isEmpty else {
            throw HTTPRefusal(400, "a request has one Host field")
        }
        let place = try HTTPTarget(target, host: hosts.first)
        let connection = (fields["connection"] ?? []).flatMap { list($0.lowercased()) }
        return HTTPRequest(
            isHead: method == "HEAD", target: target, path: place.path, query: place.query, host: place.host,
            authorization: fields["authorization"]?.first, knownTags: (fields["if-none-match"] ?? []).flatMap(list),
            lastEventID: fields["last-event-id"]?.first,
            keepsAlive: isOldVersion ? connection.contains("keep-alive") : !connection.contains("close"))
    }

    /// The lines without their ends. A carriage return or line feed alone ends nothing and is refused.
    private static func lines(_ head: ArraySlice<UInt8>) throws(HTTPRefusal) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = head.startIndex
        for index in head.indices where head[index] == 10 {
            guard index > start, head[index - 1] == 13 else {
                throw HTTPRefusal(400, "a line of the request does not end with CR LF")
            }
            let line = head[start..<index - 1]
            if line.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }) {
                throw HTTPRefusal(400, "the request head holds a control character")
            }
            if !line.isEmpty { lines.append(line) }
            start = index + 1
        }
        return lines
    }

    private static func requestLine(
        _ line: ArraySlice<UInt8>
    ) throws(HTTPRefusal) -> (method: String, target: String, isOldVersion: Bool) {
        let parts = line.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isToken), !parts[1].isEmpty,
            parts[1].allSatisfy({ (33...126).contains($0) })
        else { throw HTTPRefusal(400, "the request line is not 'METHOD TARGET HTTP/1.1'") }
        let version = String(decoding: parts[2], as: UTF8.self)
        guard version.hasPrefix("HTTP/"), version.utf8.count == 8 else {
            throw HTTPRefusal(400, "the request line is not 'METHOD TARGET HTTP/1.1'")
        }
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw HTTPRefusal(505, "this server speaks HTTP/1.1")
        }
        return (
            String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self),
            version == "HTTP/1.0"
        )
    }

    /// Values by name in lower case, in the order in which they came.
    private static func fields(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(HTTPRefusal) -> [String: [String]] {
        guard lines.count <= fieldLimit else {
            throw HTTPRefusal(431, "the request has more than \(fieldLimit) fields")
        }
        var fields: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: 58), colon > line.startIndex,
                line[..<colon].allSatisfy(isToken)
            else { throw HTTPRefusal(400, "a field of the request is not 'name: value'") }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }
            var text = String(decoding: value, as: UTF8.self)
            while text.hasSuffix(" ") || text.hasSuffix("\t") { text.removeLast() }
            fields[name, default: []].append(text)
        }
        return fields
    }

    /// No request that this server answers has a body, so none is ever read past.
    private static func refuseBody(_ fields: [String: [String]]) throws(HTTPRefusal) {
        if fields["transfer-encoding"] != nil { throw HTTPRefusal(400, "this server takes no request bodies") }
        if let lengths = fields["content-length"], lengths != ["0"] {
            throw HTTPRefusal(400, "this server takes no request bodies")
        }
        if fields["expect"] != nil { throw HTTPRefusal(417, "this server fulfills no expectation") }
    }

    private static func list(_ value: some StringProtocol) -> [String] {
        value.split(separator: ",").map { item in
            String(item.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
    }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case 33, 35...39, 42, 43, 45, 46, 94...96, 124, 126: true
        default: false
        }
    }
}
