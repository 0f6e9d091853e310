// SPDX-License-Identifier: Apache-2.0
// The console of `swift test`: Swift Testing and XCTest.

import Domain

/// Follows `◇ Test foo() started.`, `✔ Test foo() passed after 0.001 seconds.` and XCTest's `Test Case 'X.y' …`.
struct SwiftTestFollower: ConsoleFollower {
    private var lines = LineSplitter(limit: LineSplitter.consoleLimit)

    mutating func consume(_ bytes: ArraySlice<UInt8>) -> [ConsoleEvent] {
        lines.push(bytes).compactMap { Self.event(withoutControls($0)) }
    }

    mutating func finish() -> [ConsoleEvent] {
        guard let line = lines.finish(), let event = Self.event(withoutControls(line)) else { return [] }
        return [event]
    }

    private static func event(_ line: String) -> ConsoleEvent? {
        if line.hasPrefix("Test Case '") { return xctest(line.dropFirst("Test Case '".count)) }
        // A symbol of one character (◇ ✔ ✘ ➜, or a private-use one) and one or two spaces.
        guard let first = line.first, !first.isASCII else { return nil }
        let rest = line.dropFirst().drop { $0 == " " }
        guard rest.hasPrefix("Test ") else { return nil }
        let text = rest.dropFirst("Test ".count)
        // Of the run and of single arguments; a display name is quoted and cannot be mistaken.
        if text.hasPrefix("run with ") || text.hasPrefix("run started") || text.hasPrefix("case passing ") {
            return nil
        }
        return testing(text)
    }

    private static func testing(_ text: Substring) -> ConsoleEvent? {
        guard let (name, rest) = name(text) else { return nil }
        if rest.hasPrefix(" started") { return .started(name: name) }
        if rest.hasPrefix(" skipped") { return .ended(name: name, outcome: .skipped, seconds: nil) }
        // Between name and verdict there may be ` with 3 test cases`.
        if let passed = rest.firstRange(of: " passed after ") {
            return .ended(name: name, outcome: .passed, seconds: seconds(rest[passed.upperBound...]))
        }
        if let failed = rest.firstRange(of: " failed after ") {
            return .ended(name: name, outcome: .failed, seconds: seconds(rest[failed.upperBound...]))
        }
        return nil
    }

    /// A quoted display name, or a function's name up to its closing parenthesis.
    private static func name(_ text: Substring) -> (String, Substring)? {
        if text.first == "\"" {
            // A display name may hold quotes itself: what follows the right one is a verdict.
            let body = text.dropFirst()
            for end in body.indices where body[end] == "\"" {
                let rest = body[body.index(after: end)...]
                let verdicts = [" started", " skipped", " passed after ", " failed after ", " with "]
                if verdicts.contains(where: { rest.hasPrefix($0) }) { return (String(body[..<end]), rest) }
            }
            return nil
        }
        guard let close = text.firstIndex(of: ")") else { return nil }
        let end = text.index(after: close)
        return (String(text[..<end]), text[end...])
    }

    private static func seconds(_ text: Substring) -> Double? {
        Double(text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") })
    }

    private static func xctest(_ text: Substring) -> ConsoleEvent? {
        guard let quote = text.firstRange(of: "' ") else { return nil }
        let name = String(text[..<quote.lowerBound])
        let verdict = text[quote.upperBound...]
        let taken = verdict.firstIndex(of: "(").flatMap { seconds(verdict[verdict.index(after: $0)...]) }
        if verdict.hasPrefix("started") { return .started(name: name) }
        if verdict.hasPrefix("passed") { return .ended(name: name, outcome: .passed, seconds: taken) }
        if verdict.hasPrefix("failed") { return .ended(name: name, outcome: .failed, seconds: taken) }
        if verdict.hasPrefix("skipped") { return .ended(name: name, outcome: .skipped, seconds: taken) }
        return nil
    }
}
