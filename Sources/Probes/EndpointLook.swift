// SPDX-License-Identifier: Apache-2.0
// A look at one host that health is asked of: its addresses, whether it accepts connections, its clock, its certificate.
// Never more than a question for `/` without headers: nothing secret is sent.

package import Domain
import Platform
import WebSocket

/// A host and port, and whether it speaks HTTP or TLS.
package struct Endpoint: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case http, https, tcp }
    package var kind: Kind
    package var host: String
    package var port: Int

    package init(kind: Kind, host: String, port: Int) {
        self.kind = kind
        self.host = host
        self.port = port
    }

    /// Where a check goes; nil for a command.
    package init?(_ target: CheckTarget) {
        switch target {
        case .tcp(let host, let port): self.init(kind: .tcp, host: host, port: port)
        case .command: return nil
        case .http(let url, _, _, _):
            let isSecure = url.lowercased().hasPrefix("https://")
            // The parser knows plain HTTP alone, and the same form of address.
            let plain = isSecure ? "http://" + url.dropFirst(8) : url
            guard let address = try? HTTPAddress(plain) else { return nil }
            let authority = plain.dropFirst(7).prefix { $0 != "/" && $0 != "?" }
            let hasPort = authority.last?.isNumber == true && authority.contains(":")
            let port = isSecure && !hasPort ? 443 : Int(address.port)
            self.init(kind: isSecure ? .https : .http, host: address.host, port: port)
        }
    }

    package var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What a look came to.
package struct EndpointLook: Hashable, Sendable {
    /// Numeric, sorted; empty where the host is a number itself.
    package var addresses: [String] = []
    /// Why the name has no address.
    package var nameProblem: String?
    /// Why no connection was made.
    package var connectProblem: String?
    /// Its clock minus ours, in seconds; it tells whole seconds.
    package var clockOffset: Double?
    /// When its certificate ends, in milliseconds since 1970.
    package var certificateEnds: Int64?

    package init() {}

    /// At most `timeout` for each step.
    package static func take(
        _ endpoint: Endpoint, transport: ProbeTransport, timeout: Duration = .seconds(2)
    ) async -> EndpointLook {
        await withCheckedContinuation { continuation in
            do {
                try PlatformThread.start("endpoint") { continuation.resume(returning: plain(endpoint, timeout)) }
            } catch {
                var look = EndpointLook()
                look.connectProblem = "no thread: \(error)"
                continuation.resume(returning: look)
            }
        }.withCertificate(of: endpoint, transport, timeout)
    }

    private static func plain(_ endpoint: Endpoint, _ timeout: Duration) -> EndpointLook {
        var look = EndpointLook()
        do {
            let addresses = try HostName.addresses(endpoint.host, deadline: .after(timeout))
            if addresses != [endpoint.host] { look.addresses = addresses }
        } catch {
            look.nameProblem = Excerpt.cut(error.description)
            return look
        }
        // The clock of this machine is no other clock.
        let hasClock = endpoint.kind == .http && !isLocal(look, endpoint)
        switch endpoint.kind {
        case .https: break
        case _ where !hasClock:
            do {
                _ = try Socket.connect(
                    host: endpoint.host, port: UInt16(clamping: endpoint.port), deadline: .after(timeout))
            } catch {
                look.connectProblem = Excerpt.cut(error.description)
            }
        case .http, .tcp:
            do {
                let asked = SystemClock.wallMilliseconds
                let response = try HTTPClient.send(
                    "HEAD", "http://\(endpoint.name)/", headers: HTTPHeaders(), body: nil, deadline: .after(timeout),
                    bodyLimit: 64 << 10)
                let now = (asked + SystemClock.wallMilliseconds) / 2
                look.clockOffset = response.headers["date"].flatMap(HTTPDate.milliseconds).map {
                    Double($0 + 500 - now) / 1000
                }
            } catch {
                look.connectProblem = Excerpt.cut("\(error)")
            }
        }
        return look
    }

    private static func words(_ end: ProbeCommandEnd) -> String {
        switch end {
        case .exited(6): "curl: the name was not resolved"
        case .exited(7): "curl: connection refused"
        case .exited(28): "curl: no answer in time"
        case .exited(let status): "curl ended with status \(status)"
        case .signaled(let signal): "curl was ended by signal \(signal)"
        case .timedOut: "curl did not end in time"
        case .didNotStart(let reason): "curl could not be started: \(reason)"
        }
    }

    private static func isLocal(_ look: EndpointLook, _ endpoint: Endpoint) -> Bool {
        (look.addresses.isEmpty ? [endpoint.host] : look.addresses).allSatisfy { $0.hasPrefix("127.") || $0 == "::1" }
    }

    /// By curl: `%{certs}` needs 7.88; an older one tells no certificate. The chain is not verified here, so that an
    /// expired certificate can be read as well.
    private func withCertificate(
        of endpoint: Endpoint, _ transport: ProbeTransport, _ timeout: Duration
    ) async -> EndpointLook {
        guard endpoint.kind == .https, nameProblem == nil else { return self }
        let lines = [
            "silent", "insecure", "head", "globoff", "output = \"/dev/null\"", "max-time = \(timeout.inSeconds)",
            "url = \"https://\(endpoint.name)/\"", "write-out = \"Date:%header{date}\\n%{certs}\"",
        ]
        let asked = SystemClock.wallMilliseconds
        let reply = await transport.run(
            ProbeCommand(
                arguments: CurlCall.arguments, input: Array((lines.joined(separator: "\n") + "\n").utf8),
                timeout: timeout + .seconds(1), outputLimit: 256 << 10))
        var look = self
        let now = (asked + SystemClock.wallMilliseconds) / 2
        for line in String(decoding: reply.output, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("Date:"), look.clockOffset == nil {
                look.clockOffset = HTTPDate.milliseconds(String(line.dropFirst(5))).map {
                    Double($0 + 500 - now) / 1000
                }
            } else if line.hasPrefix("Expire date:"), look.certificateEnds == nil {
                look.certificateEnds = HTTPDate.milliseconds(String(line.dropFirst(12)))
            }
        }
        // A certificate was shown by somebody who accepts connections, whatever became of the question.
        if reply.end != .exited(0), look.certificateEnds == nil {
            look.connectProblem = EndpointLook.words(reply.end)
        }
        return look
    }
}

/// `Sat, 21 Nov 2026 04:18:41 GMT` (RFC 9110) and `Nov 21 04:18:41 2027 GMT` (as OpenSSL prints): the parts are told by
/// their shapes.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func milliseconds(_ text: String) -> Int64? {
        var (day, month, year, time): (Int?, Int?, Int?, [Int]) = (nil, nil, nil, [])
        for word in text.split(whereSeparator: { $0 == " " || $0 == "," }) {
            if let index = months.firstIndex(of: String(word)) {
                month = index + 1
            } else if word.contains(":") {
                time = word.split(separator: ":").compactMap { Int($0) }
            } else if let number = Int(word) {
                if number > 31 { year = number } else { day = number }
            }
        }
        guard let day, let month, let year, time.count == 3 else { return nil }
        let two: (Int) -> String = { $0 < 10 ? "0\($0)" : "\($0)" }
        let written = "\(year)-\(two(month))-\(two(day))T\(two(time[0])):\(two(time[1])):\(two(time[2])).000Z"
        return Timestamp(written)?.milliseconds
    }
}
