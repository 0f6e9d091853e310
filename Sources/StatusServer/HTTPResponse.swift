// SPDX-License-Identifier: Apache-2.0
// What is answered, and the fields that every answer carries.

import Domain
import Platform

struct HTTPResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Read piece by piece while the client takes it.
        case file(Descriptor, size: Int64)
        /// The connection becomes a stream of events of a view, from a version on.
        case events(EventOrder)
    }

    var status: Int
    var type: String
    var fields: [(name: String, value: String)] = []
    var body: Body
    var tag: String?
    /// Whether the same answer may be given again within the same second.
    var isShared = false
    var policy = ContentPolicy.page

    init(_ status: Int, type: String, _ body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = .bytes(body)
    }

    init(_ status: Int, type: String, _ text: String) {
        self.init(status, type: type, Array(text.utf8))
    }

    /// One line of text that says why.
    static func plain(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status, type: "text/plain; charset=utf-8", text + "\n")
    }

    /// With an entity tag over its bytes, so that who has them already need not get them again.
    func tagged(_ bytes: [UInt8]? = nil, isWeak: Bool = false) -> HTTPResponse {
        guard case .bytes(let own) = body else { return self }
        var copy = self
        copy.tag = "\(isWeak ? "W/" : "")\"\(SHA256.hex(of: bytes ?? own).prefix(24))\""
        return copy
    }

    func shared() -> HTTPResponse {
        var copy = self
        copy.isShared = true
        return copy
    }

    func with(_ name: String, _ value: String) -> HTTPResponse {
        var copy = self
        copy.fields.append((name, value))
        return copy
    }

    /// 304 where the client has what it asks for (RFC 9110, 13.1.2: compared weakly).
    func unlessKnown(_ known: [String]) -> HTTPResponse {
        guard status == 200, let tag,
            known.contains(where: { $0 == "*" || HTTPResponse.core($0) == HTTPResponse.core(tag) })
        else { return self }
        var copy = self
        copy.status = 304
        copy.body = .bytes([])
        return copy
    }

    private static func core(_ tag: String) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...] }
}

/// What a browser may do with an answer. No answer may run a script that is not our own file, and none may be framed.
enum ContentPolicy: Sendable {
    case page
    /// Evidence: whatever is in it, nothing of it runs or loads.
    case evidence
    /// Our own report, which brings its style and pictures with it.
    case report

    var value: String {
        switch self {
        case .page:
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        case .evidence: "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        case .report:
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'"
        }
    }
}

extension HTTPResponse {
    /// Status line and fields, with the empty line.
    func head(at now: Timestamp, keepsAlive: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(HTTPResponse.phrase(status))\r\n"
        func add(_ name: String, _ value: String) {
            // What goes into a head is our own; a line break in it would be a fault of ours, and is never sent.
            text += "\(name): \(String(value.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))\r\n"
        }
        add("Date", HTTPDate.text(now))
        switch body {
        case .bytes(let bytes):
            if status != 304 {
                add("Content-Type", type)
                add("Content-Length", "\(bytes.count)")
            }
        case .file(_, let size):
            add("Content-Type", type)
            add("Content-Length", "\(size)")
        case .events:
            add("Content-Type", type)
        }
        if let tag { add("ETag", tag) }
        for field in fields { add(field.name, field.value) }
        if !fields.contains(where: { $0.name == "Cache-Control" }) { add("Cache-Control", "no-cache") }
        add("Content-Security-Policy", policy.value)
        add("X-Content-Type-Options", "nosniff")
        add("Referrer-Policy", "no-referrer")
        if !fields.contains(where: { $0.name == "Cross-Origin-Resource-Policy" }) {
            add("Cross-Origin-Resource-Policy", "same-origin")
        }
        add("Connection", keepsAlive ? "keep-alive" : "close")
        return Array((text + "\r\n").utf8)
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}

/// `Sat, 21 Nov 2026 02:31:07 GMT` (RFC 9110, 5.6.7).
enum HTTPDate {
    static func text(_ time: Timestamp) -> String {
        let whole = time.wholeSeconds
        let days = Int(time.milliseconds / 86_400_000)
        // Day 0, 1970-01-01, was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][((days % 7) + 7) % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = Int(whole.dropFirst(5).prefix(2)) ?? 1
        let name = months[max(0, min(11, month - 1))]
        return "\(weekday), \(whole.dropFirst(8).prefix(2)) \(name) \(whole.prefix(4)) "
            + "\(whole.dropFirst(11).prefix(8)) GMT"
    }
}
