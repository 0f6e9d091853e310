// SPDX-License-Identifier: Apache-2.0
// What a test tool says on its console while it runs, as events.

package import Domain

/// One thing that the console said. Names are the tool's own; `TestIdentity` relates them to ids of a report.
package enum ConsoleEvent: Hashable, Sendable {
    case started(name: String)
    case ended(name: String, outcome: TestOutcome, seconds: Double?)
    /// How many tests the tool means to run.
    case collected(count: Int)
}

/// Follows the console of one run of a tool. Bytes that mean nothing are skipped; a line is looked at up to 64 KiB.
package protocol ConsoleFollower: Sendable {
    mutating func consume(_ bytes: ArraySlice<UInt8>) -> [ConsoleEvent]
    /// Ends the stream: what a last line without a line feed says.
    mutating func finish() -> [ConsoleEvent]
}

/// The follower of a format, or nil for `none`.
package func consoleFollower(for format: ConsoleFormat) -> (any ConsoleFollower)? {
    switch format {
    case .none: nil
    case .pytest: PytestFollower()
    case .goTestJSON: GoTestFollower()
    case .swiftTesting: SwiftTestFollower()
    case .tap: TAPFollower()
    }
}

/// Text without terminal control sequences (ECMA-48 CSI and OSC) and other control bytes.
func withoutControls(_ bytes: [UInt8]) -> String {
    guard bytes.contains(where: { $0 < 0x20 }) else { return String(decoding: bytes, as: UTF8.self) }
    var kept: [UInt8] = []
    var at = 0
    while at < bytes.count {
        let byte = bytes[at]
        at += 1
        if byte != 0x1B {
            if byte >= 0x20 || byte == 0x09 { kept.append(byte) }
            continue
        }
        guard at < bytes.count else { break }
        let kind = bytes[at]
        at += 1
        if kind == UInt8(ascii: "[") {
            while at < bytes.count, !(0x40...0x7E).contains(bytes[at]) { at += 1 }
            at += 1
        } else if kind == UInt8(ascii: "]") {
            while at < bytes.count, bytes[at] != 0x07, bytes[at] != 0x1B { at += 1 }
            // The terminator is BEL, or ESC and a backslash.
            at += at < bytes.count && bytes[at] == 0x1B ? 2 : 1
        }
    }
    return String(decoding: kept, as: UTF8.self)
}

/// Follows `go test -json`; names are the ids that `GoTestJSONReader` gives.
struct GoTestFollower: ConsoleFollower {
    private var lines = LineSplitter(limit: LineSplitter.consoleLimit)

    mutating func consume(_ bytes: ArraySlice<UInt8>) -> [ConsoleEvent] { lines.push(bytes).compactMap(event) }

    mutating func finish() -> [ConsoleEvent] { lines.finish().flatMap(event).map { [$0] } ?? [] }

    private func event(_ line: [UInt8]) -> ConsoleEvent? {
        guard let event = GoTestEvent(line), !event.test.isEmpty else { return nil }
        let name = event.package.isEmpty ? event.test : "\(event.package)::\(event.test)"
        return switch event.action {
        case "run": .started(name: name)
        case "pass", "bench": .ended(name: name, outcome: .passed, seconds: event.elapsed)
        case "fail": .ended(name: name, outcome: .failed, seconds: event.elapsed)
        case "skip": .ended(name: name, outcome: .skipped, seconds: event.elapsed)
        default: nil
        }
    }
}

/// Follows TAP at its top level.
struct TAPFollower: ConsoleFollower {
    private var lines = LineSplitter(limit: LineSplitter.consoleLimit)
    private var points = 0

    mutating func consume(_ bytes: ArraySlice<UInt8>) -> [ConsoleEvent] {
        var events: [ConsoleEvent] = []
        for line in lines.push(bytes) { if let event = event(line) { events.append(event) } }
        return events
    }

    mutating func finish() -> [ConsoleEvent] {
        guard let line = lines.finish(), let event = event(line) else { return [] }
        return [event]
    }

    private mutating func event(_ line: [UInt8]) -> ConsoleEvent? {
        switch TAPLine.parse(Substring(withoutControls(line))) {
        case .plan(let first, let last, _) where first >= 0 && last < Int.max && last >= first - 1:
            return .collected(count: last - first + 1)
        case .subtest(let name): return .started(name: name)
        case .point(let point):
            points += 1
            let name = point.name.isEmpty ? "test \(point.number ?? points)" : point.name
            return .ended(name: name, outcome: point.outcome, seconds: point.seconds)
        default: return nil
        }
    }
}
