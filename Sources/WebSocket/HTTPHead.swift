// SPDX-License-Identifier: Apache-2.0
// The head of an HTTP/1.1 message (RFC 9112 sections 2 to 5): start line and headers, parsed with bounds. Pure.

/// Header fields in their order; names compare without case.
package struct HTTPHeaders: Hashable, Sendable {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var fields: [Field]

    package init(_ fields: [(String, String)] = []) {
        self.fields = fields.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of `name`.
    package subscript(name: String) -> String? {
        all(name).first
    }

    /// Every value of `name`.
    package func all(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    /// The elements of the comma separated lists that all fields `name` make together, lower case.
    package func tokens(_ name: String) -> [String] {
        all(name).flatMap { $0.split(separator: ",") }.map { $0.trimmed.lowercased() }.filter { !$0.isEmpty }
    }

    /// The lines as they travel, each ended.
    var lines: String {
        fields.map { "\($0.name): \($0.value)\r\n" }.joined()
    }

    /// Refuses what would let a value begin a header of its own.
    func validate() throws(HTTPError) {
        for field in fields {
            let isToken = !field.name.isEmpty && field.name.utf8.allSatisfy(HTTPSyntax.isToken)
            let isValue = field.value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
            guard isToken, isValue else { throw .badRequestHeader(name: field.name) }
        }
    }
}

/// The limits of a message head.
package struct HTTPHeadLimits: Hashable, Sendable {
    package var bytes: Int
    package var fields: Int

    package init(bytes: Int = 32 << 10, fields: Int = 100) {
        self.bytes = bytes
        self.fields = fields
    }
}

/// A message head: its start line and its headers.
package struct HTTPHead: Hashable, Sendable {
    package var startLine: String
    package var headers: HTTPHeaders

    /// Takes the head off the front of `buffer`; nil until it is complete.
    package static func take(
        from buffer: inout [UInt8], limits: HTTPHeadLimits = HTTPHeadLimits()
    ) throws(HTTPError) -> HTTPHead? {
        guard let end = endOfHead(in: buffer.prefix(limits.bytes)) else {
            guard buffer.count < limits.bytes else { throw .headTooLarge(limit: limits.bytes) }
            return nil
        }
        let lines = buffer[..<end].split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { $0.last == 0x0D ? $0.dropLast() : $0 }.filter { !$0.isEmpty }
        guard let first = lines.first else { throw .malformed("the start line is empty") }
        guard lines.count - 1 <= limits.fields else { throw .tooManyHeaders(limit: limits.fields) }
        var headers = HTTPHeaders()
        for line in lines.dropFirst() { headers.fields.append(try field(line)) }
        let head = HTTPHead(startLine: try text(first), headers: headers)
        buffer.removeFirst(end)
        return head
    }

    /// The index after the empty line. A bare line feed ends a line as well (RFC 9112 section 2.2).
    private static func endOfHead(in buffer: ArraySlice<UInt8>) -> Int? {
        var lineIsEmpty = false
        for (index, byte) in buffer.enumerated() {
            if byte == 0x0A {
                if lineIsEmpty { return index + 1 }
                lineIsEmpty = true
            } else if byte != 0x0D {
                lineIsEmpty = false
            }
        }
        return nil
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HTTPError) -> HTTPHeaders.Field {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed("a header has no colon") }
        let name = line[..<colon]
        // White space before the colon or at the start of a line (an obsolete folding) has been used to smuggle headers.
        guard !name.isEmpty, name.allSatisfy(HTTPSyntax.isToken) else {
            throw .malformed("a header name contains a forbidden character")
        }
        return HTTPHeaders.Field(name: try text(name), value: try text(line[(colon + 1)...]).trimmed)
    }

    /// Bytes outside ASCII are kept where they are UTF-8 and replaced where not; control characters are refused.
    private static func text(_ bytes: ArraySlice<UInt8>) throws(HTTPError) -> String {
        guard bytes.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
            throw .malformed("a line of the head contains a control character")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPHead {
    /// The status and reason of a response.
    package func status() throws(HTTPError) -> (code: Int, reason: String) {
        let parts = startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[0].utf8.count == 8 else {
            throw .malformed("the status line is \(startLine.quoted)")
        }
        guard parts[1].utf8.count == 3, let code = Int(parts[1]), (100...599).contains(code) else {
            throw .malformed("the status is \(String(parts[1]).quoted)")
        }
        return (code, parts.count > 2 ? String(parts[2]) : "")
    }

    /// The method and target of a request.
    package func request() throws(HTTPError) -> (method: String, target: String) {
        let parts = startLine.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.allSatisfy(HTTPSyntax.isToken), !parts[0].isEmpty,
            !parts[1].isEmpty, parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0"
        else { throw .malformed("the request line is \(startLine.quoted)") }
        return (String(parts[0]), String(parts[1]))
    }
}

enum HTTPSyntax {
    /// The characters of a token (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        let start = self.drop { $0 == " " || $0 == "\t" }
        return String(String(start.reversed().drop { $0 == " " || $0 == "\t" }).reversed())
    }
}
