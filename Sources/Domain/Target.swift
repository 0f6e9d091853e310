// SPDX-License-Identifier: Apache-2.0
// Performance targets: what a number may at most be, or must at least be, and what it was.

/// One target as it is configured.
package struct TargetSettings: Hashable, Sendable {
    /// Where the number comes from.
    package enum Source: Hashable, Sendable {
        /// A command that prints one number per line; the last lines of it that are numbers are the samples.
        case command(CommandSettings)
        /// How long the matching tests of the suite took, as their report says.
        case tests(String)
        /// The values of a property of this name in the suite's JUnit report, of the suite or of its tests.
        case property(String)
        /// How long an HTTP exchange takes, one after another, each on a connection of its own.
        case http(CheckSettings, timing: TargetTiming, TargetSampling)
        /// How long a round trip takes on one WebSocket.
        case webSocket(WebSocketExchange, TargetSampling)

        /// What the numbers are, for evidence: values of two cycles are compared where this is the same.
        package var words: String {
            switch self {
            case .command: "command"
            case .tests(let glob): "tests \(glob)"
            case .property(let name): "property \(name)"
            case .http(_, let timing, _): "http \(timing.rawValue)"
            case .webSocket(let exchange, _): exchange.message == nil ? "websocket ping" : "websocket message"
            }
        }
    }
    package var name: String
    package var limit: Double
    /// `ms`, `s`, `%` …; may be empty.
    package var unit: String
    /// Whether the limit is the least that will do, and not the most.
    package var isFloor: Bool
    package var source: Source
    /// The suite after which it is measured; nil takes the last one.
    package var suite: String?
    /// Which percentile of the samples is compared; 50 is the median.
    package var percentile: Double
    /// Whether a miss makes the cycle failing.
    package var blocking: Bool
    /// Numbers at the beginning that do not count, of a command or a property.
    package var warmup = 0
    /// A smaller difference to the last green cycle, in percent, is no regression, however sure it is.
    package var relevantPercent = 10.0

    package init(
        name: String, limit: Double, unit: String, isFloor: Bool = false, source: Source, suite: String? = nil,
        percentile: Double = 95, blocking: Bool = false
    ) {
        self.name = name
        self.limit = limit
        self.unit = unit
        self.isFloor = isFloor
        self.source = source
        self.suite = suite
        self.percentile = percentile
        self.blocking = blocking
    }
}

/// Which time of an HTTP exchange counts, each from its start.
package enum TargetTiming: String, Codable, Sendable, CaseIterable {
    /// Until the TCP connection stood, with name resolution.
    case connect
    /// Until TLS stood.
    case tls
    case firstByte
    case total
}

/// How often and how fast something is measured.
package struct TargetSampling: Hashable, Sendable {
    package var samples: Int
    /// Samples before the first that counts.
    package var warmup: Int
    /// From the beginning of a sample to the beginning of the next; one that takes longer is followed at once.
    package var interval: Duration
    /// Of one sample.
    package var timeout: Duration
    /// How many of the samples may fail, in percent; with more nothing is measured.
    package var failuresAllowedPercent: Double
    /// Secrets whose `{NAME}` stands in address, headers, body or message.
    package var secrets: [String]

    package init(
        samples: Int = 20, warmup: Int = 3, interval: Duration = .milliseconds(100), timeout: Duration = .seconds(5),
        failuresAllowedPercent: Double = 10, secrets: [String] = []
    ) {
        self.samples = samples
        self.warmup = warmup
        self.interval = interval
        self.timeout = timeout
        self.failuresAllowedPercent = failuresAllowedPercent
        self.secrets = secrets
    }

    /// How many of the samples that count may fail.
    package var failuresAllowed: Int { Int(Double(samples) * failuresAllowedPercent / 100) }
}

/// What goes over a WebSocket and back.
package struct WebSocketExchange: Hashable, Sendable {
    /// `ws://` or `wss://`.
    package var url: String
    package var headers: [String: String]
    package var subprotocols: [String]
    /// Sent for each round trip, `{sample}` replaced by its number; nil sends pings.
    package var message: String?
    /// Text that the answer must contain, `{sample}` replaced as well; nil takes the next message.
    package var reply: String?

    package init(
        url: String, headers: [String: String] = [:], subprotocols: [String] = [], message: String? = nil,
        reply: String? = nil
    ) {
        self.url = url
        self.headers = headers
        self.subprotocols = subprotocols
        self.message = message
        self.reply = reply
    }
}
