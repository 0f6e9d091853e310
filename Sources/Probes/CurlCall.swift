// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange as a run of curl: what it is told on standard input, and what its answer means.
//
// Everything goes in by `-K -`, because a URL, a header or a body may hold a token and argument vectors are readable by
// every user of the machine.

import Domain
import Platform

/// A question to put by curl. A pure value: `Prober` runs it.
package struct CurlCall: Sendable {
    /// What is taken of an answer, in bytes; more is refused.
    package static let bodyLimit = Limits.probeBytes

    private let url: String
    private let method: String
    private let headers: [(name: String, value: String)]
    private let body: String?
    private let timeout: Duration

    /// Nil where the URL is none that curl is allowed to open, or a control character would smuggle a line into the
    /// request; `refusal` says which.
    package init?(url: String, method: String, headers: [String: String], body: String?, timeout: Duration) {
        guard CurlCall.refusal(url: url, method: method, headers: headers) == nil else { return nil }
        self.url = url
        self.method = method.isEmpty ? "GET" : method.uppercased()
        self.headers = headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.body = body
        self.timeout = timeout
    }

    /// Why a question cannot be put, or nil. Values of headers are not repeated: they may be secret.
    package static func refusal(url: String, method: String, headers: [String: String]) -> String? {
        let lower = url.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else {
            return "the URL must begin with http:// or https://"
        }
        guard isPlain(url), !url.contains(" ") else { return "the URL holds a space or a control character" }
        guard method.utf8.allSatisfy({ (65...90).contains($0) || (97...122).contains($0) }) else {
            return "the method must be letters such as GET"
        }
        for (name, value) in headers where !isPlain(name) || !isPlain(value) || name.isEmpty || name.contains(":") {
            return "the header \(Excerpt.cut(name)) is empty or holds a colon or a control character"
        }
        return nil
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 32 && $0 != 127) || $0 == 9 }
    }

    /// The argument vector. `-q` comes first: a `.curlrc` of whoever runs the daemon must not change what is measured.
    /// Proxies are taken from the environment, as curl does.
    package static let arguments = ["curl", "-q", "-K", "-"]

    /// The marker before the figures that curl writes to standard error at the end.
    private static let marker = "nightjar-probe "

    /// What curl reads on its standard input.
    package var configuration: [UInt8] {
        var lines = [
            "silent", "globoff", "proto = \"=http,https\"", "max-time = \(CurlCall.decimal(timeout))",
            "max-filesize = \(Limits.probeBytes)", "url = \(CurlText.quoted(url))",
        ]
        if method == "HEAD" {
            lines.append("head")
        } else if method != "GET" || body != nil {
            lines.append("request = \(CurlText.quoted(method))")
        }
        let named = Set(headers.map { $0.name.lowercased() })
        // A header without a value is written with a semicolon; `Name:` would remove it.
        lines += headers.map {
            "header = " + CurlText.quoted($0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)")
        }
        if !named.contains("user-agent") { lines.append("user-agent = \"nightjar\"") }
        if let body {
            if !named.contains("content-type") {
                let isJSON = body.hasPrefix("{") || body.hasPrefix("[")
                lines.append("header = \"Content-Type: \(isJSON ? "application/json" : "text/plain")\"")
            }
            lines.append("data-raw = \(CurlText.quoted(body))")
        }
        let figures = [
            "http_code", "time_namelookup", "time_connect", "time_appconnect", "time_starttransfer", "time_total",
            "errormsg",
        ]
        let format = figures.map { "%{\($0)}" }.joined(separator: " ")
        lines.append("write-out = \"%{stderr}\(CurlCall.marker)\(format)\"")
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func decimal(_ duration: Duration) -> String {
        let milliseconds = max(1, duration.milliseconds)
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    /// Reads what curl left: its exit status, the body on standard output, the figures on standard error.
    package func reply(exit: Int32, output: [UInt8], errors: [UInt8]) -> ProbeReply {
        let text = String(decoding: errors, as: UTF8.self)
        guard let range = text.lastRange(of: CurlCall.marker) else {
            let said = text.isEmpty ? "" : ": " + Excerpt.cut(text)
            return .noAnswer(problem: "curl ended with \(exit)\(said)", timings: ProbeTimings(total: 0))
        }
        let words = text[range.upperBound...].split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
        guard words.count >= 6, let status = Int(words[0]) else {
            return .noAnswer(problem: "curl's figures cannot be read", timings: ProbeTimings(total: 0))
        }
        let timings = CurlCall.timings(words[1...5].map { Double($0) ?? 0 })
        guard exit == 0, output.count <= Limits.probeBytes else {
            let message = words.count > 6 ? String(words[6]) : ""
            return .noAnswer(problem: problem(exit: exit, message: message), timings: timings)
        }
        return .http(status: status, body: output, timings: timings)
    }

    /// curl counts seconds from the start of the exchange; zero means that the step did not happen.
    private static func timings(_ seconds: [Double]) -> ProbeTimings {
        func step(_ index: Int) -> Double? { seconds[index] > 0 ? seconds[index] * 1000 : nil }
        return ProbeTimings(
            nameLookup: step(0), connect: step(1), tls: step(2), firstByte: step(3), total: seconds[4] * 1000)
    }

    private func problem(exit: Int32, message: String) -> String {
        let (host, port) = CurlCall.authority(of: url)
        let said = message.isEmpty ? "" : ": " + Excerpt.cut(message)
        return switch exit {
        case 0, 63: "the answer is larger than \(Limits.probeBytes >> 20) MiB"
        case 5: "the proxy's name cannot be resolved\(said)"
        case 6: "the name \(host) cannot be resolved"
        case 7: "no connection to \(host):\(port)\(said)"
        case 28: "no answer from \(host):\(port) within \(seconds(timeout))"
        case 35: "the TLS handshake with \(host):\(port) failed\(said)"
        case 52: "\(host):\(port) closed the connection without an answer"
        case 60: "the certificate of \(host):\(port) is not trusted\(said)"
        default: "curl ended with \(exit)\(said)"
        }
    }

    /// Host and port as a URL names them, without user and password.
    static func authority(of url: String) -> (host: String, port: Int) {
        let isSecure = url.lowercased().hasPrefix("https://")
        let rest = url.dropFirst(isSecure ? 8 : 7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let place = rest.split(separator: "@", omittingEmptySubsequences: false).last ?? rest
        let standard = isSecure ? 443 : 80
        if place.hasPrefix("["), let close = place.firstIndex(of: "]") {
            let tail = place[place.index(after: close)...]
            return (String(place[...close]), Int(tail.dropFirst()) ?? standard)
        }
        guard let colon = place.lastIndex(of: ":") else { return (String(place), standard) }
        return (String(place[..<colon]), Int(place[place.index(after: colon)...]) ?? standard)
    }
}

extension String {
    /// The last place where `needle` stands.
    fileprivate func lastRange(of needle: String) -> Range<Index>? {
        var found: Range<Index>?
        var rest = self[...]
        while let range = rest.firstRange(of: needle) {
            found = range
            rest = rest[range.upperBound...]
        }
        return found
    }
}
