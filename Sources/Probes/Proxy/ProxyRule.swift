// SPDX-License-Identifier: Apache-2.0
// What a fault proxy does to connections, when, and to which: as values, and as the text of `--fault`.

/// One kind of trouble. The names follow Toxiproxy where it has the same.
package enum ProxyFault: Hashable, Sendable {
    /// Every byte arrives so much later, plus or minus the jitter; the order is kept.
    case latency(Duration, jitter: Duration)
    /// At most so many bytes a second.
    case bandwidth(Int)
    /// Nothing moves; what was sent is kept and arrives when the fault ends.
    case stall
    /// What is sent is taken and lost; nobody is told. The connection is ended when the fault ends.
    case blackhole
    /// Both sides get a reset.
    case reset
    /// Both sides get an orderly end of the TCP connection, without any close of the protocol above it.
    case close
    /// One side gets the end, the other direction goes on.
    case halfClose
    /// An end on one side is told to the other so much later.
    case slowClose(Duration)
    /// Nobody listens: connections are refused.
    case refuse
    /// So long everything works, and then for `down` all is reset and refused, over and over.
    case flap(up: Duration, down: Duration)

    package var name: String {
        switch self {
        case .latency: "latency"
        case .bandwidth: "bandwidth"
        case .stall: "stall"
        case .blackhole: "blackhole"
        case .reset: "reset"
        case .close: "close"
        case .halfClose: "half-close"
        case .slowClose: "slow-close"
        case .refuse: "refuse"
        case .flap: "flap"
        }
    }

    /// Whether it happens at one moment and is over.
    var isInstant: Bool {
        switch self {
        case .reset, .close, .halfClose: true
        default: false
        }
    }
}

/// A fault, the connections that it hits, and when.
package struct ProxyRule: Hashable, Sendable {
    /// Which way the bytes go: `up` is from the client to the server.
    package enum Direction: String, Hashable, Sendable, CaseIterable {
        case up, down, both
    }

    package enum Trigger: Hashable, Sendable {
        /// As soon as the connection is there, or the rule is set.
        case atOnce
        /// After so many bytes in its direction.
        case bytes(Int)
        /// After so many WebSocket messages in its direction; never where the frames cannot be seen.
        case messages(Int)
        case time(Duration)
    }

    package var fault: ProxyFault
    package var direction: Direction
    /// The numbers of the connections, the first one is 1.
    package var connections: ClosedRange<Int>
    package var trigger: Trigger
    /// How long it lasts; nil for ever.
    package var lasts: Duration?

    package init(
        _ fault: ProxyFault, direction: Direction = .both, connections: ClosedRange<Int> = 1...Int.max,
        trigger: Trigger = .atOnce, lasts: Duration? = nil
    ) {
        self.fault = fault
        self.direction = direction
        self.connections = connections
        self.trigger = trigger
        self.lasts = lasts
    }
}

/// Why the text of a fault cannot be read.
package struct ProxyRuleProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

extension ProxyRule {
    package static let names = [
        "latency", "bandwidth", "stall", "blackhole", "reset", "close", "half-close", "slow-close", "refuse", "flap",
    ]

    /// Reads `reset,connection:2,messages:3`, `latency:50ms,jitter:10ms`, `flap:2s,down:500ms`.
    package init(parsing text: String) throws(ProxyRuleProblem) {
        var words = RuleWords(text)
        let (name, value) = words.first
        fault = try ProxyRule.fault(name, value, &words)
        direction = .both
        if let text = words.take("direction") {
            guard let found = Direction(rawValue: text) else {
                throw words.problem("direction is up, down or both, not '\(text)'")
            }
            direction = found
        }
        connections = try words.range("connection") ?? 1...Int.max
        trigger = .atOnce
        if let count = try words.count("bytes") { trigger = .bytes(count) }
        if let count = try words.count("messages") { trigger = .messages(count) }
        if let time = try words.duration("after") { trigger = .time(time) }
        lasts = try words.duration("for")
        try words.end()
    }

    private static func fault(
        _ name: String, _ value: String?, _ words: inout RuleWords
    ) throws(ProxyRuleProblem) -> ProxyFault {
        func needed() throws(ProxyRuleProblem) -> Duration {
            guard let value, let duration = RuleWords.duration(value) else {
                throw words.problem("\(name) needs a time, such as \(name):50ms")
            }
            return duration
        }
        switch name {
        case "latency": return .latency(try needed(), jitter: try words.duration("jitter") ?? .zero)
        case "bandwidth":
            guard let value, let bytes = RuleWords.bytes(value), bytes > 0 else {
                throw words.problem("bandwidth needs bytes per second, such as bandwidth:64KB")
            }
            return .bandwidth(bytes)
        case "slow-close": return .slowClose(try needed())
        case "flap": return .flap(up: try needed(), down: try words.duration("down") ?? .milliseconds(500))
        case "stall": return .stall
        case "blackhole": return .blackhole
        case "reset": return .reset
        case "close": return .close
        case "half-close": return .halfClose
        case "refuse": return .refuse
        default: throw words.problem("the fault is one of \(names.joined(separator: ", ")), not '\(name)'")
        }
    }
}

/// The words of a rule, taken one by one.
private struct RuleWords {
    private let text: String
    let first: (name: String, value: String?)
    private var rest: [(name: String, value: String?)]

    init(_ text: String) {
        self.text = text
        let pairs = text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            let sides = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (name: sides.first ?? "", value: sides.count > 1 ? sides[1] : nil)
        }
        first = pairs.first ?? ("", nil)
        rest = Array(pairs.dropFirst())
    }

    func problem(_ what: String) -> ProxyRuleProblem {
        ProxyRuleProblem(description: "cannot use the fault '\(Excerpt.cut(text))': \(what)")
    }

    mutating func take(_ name: String) -> String? {
        guard let index = rest.firstIndex(where: { $0.name == name }) else { return nil }
        return rest.remove(at: index).value ?? ""
    }

    mutating func duration(_ name: String) throws(ProxyRuleProblem) -> Duration? {
        guard let value = take(name) else { return nil }
        guard let duration = Self.duration(value) else {
            throw problem("\(name) is a time such as 50ms or 2s, not '\(value)'")
        }
        return duration
    }

    mutating func count(_ name: String) throws(ProxyRuleProblem) -> Int? {
        guard let value = take(name) else { return nil }
        guard let count = Self.bytes(value), count >= 0 else { throw problem("\(name) is a number, not '\(value)'") }
        return count
    }

    /// `2`, `2-5`, `3+`.
    mutating func range(_ name: String) throws(ProxyRuleProblem) -> ClosedRange<Int>? {
        guard let value = take(name) else { return nil }
        if value.hasSuffix("+"), let low = Int(value.dropLast()), low > 0 { return low...Int.max }
        let ends = value.split(separator: "-").map { Int($0) ?? 0 }
        guard (1...2).contains(ends.count), let low = ends.first, let high = ends.last, low > 0, high >= low else {
            throw problem("\(name) is a number from 1, a range such as 2-5, or 3+, not '\(value)'")
        }
        return low...high
    }

    func end() throws(ProxyRuleProblem) {
        guard let extra = rest.first else { return }
        throw problem("'\(extra.name)' is not understood here")
    }

    static func duration(_ text: String) -> Duration? { ShortDuration.parse(text) }

    /// `700`, `64KB`, `1MB` (1024 bytes to the KB).
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number < 1 << 40 else { return nil }
        switch text.dropFirst(digits.count) {
        case "", "B": return number
        case "KB": return number << 10
        case "MB": return number << 20
        default: return nil
        }
    }
}

/// Durations as people write them: `50ms`, `1.5s`, `2m`.
package enum ShortDuration {
    package static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number >= 0, number < 1e9 else { return nil }
        switch text.dropFirst(digits.count) {
        case "us": return .nanoseconds(Int64((number * 1000).rounded()))
        case "ms": return .nanoseconds(Int64((number * 1_000_000).rounded()))
        case "s": return .nanoseconds(Int64((number * 1_000_000_000).rounded()))
        case "m": return .seconds((number * 60))
        case "h": return .seconds((number * 3600))
        default: return nil
        }
    }
}
