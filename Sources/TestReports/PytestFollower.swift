// SPDX-License-Identifier: Apache-2.0
// The console of pytest with `-v`, with or without pytest-xdist.

import Domain

/// Follows pytest's verbose lines; names are node ids.
///
/// pytest writes a test's node id and a space, flushes, runs the test, and then ends the line with the outcome. With
/// `-s` the test's own output comes between. pytest-xdist writes the node id as a line of its own and the outcome as
/// `[gw0] [ 5%] PASSED node-id`. Without `-v` there are only dots, which name no test, and nothing is reported.
struct PytestFollower: ConsoleFollower {
    private var lines = LineSplitter(limit: LineSplitter.consoleLimit)
    /// The test whose line is open or whose output is being printed.
    private var current: String?

    mutating func consume(_ bytes: ArraySlice<UInt8>) -> [ConsoleEvent] {
        var events: [ConsoleEvent] = []
        for line in lines.push(bytes) { take(withoutControls(line), isComplete: true, &events) }
        // A node id with its outcome and no line feed yet: the test's teardown is running, and may hang too.
        let open = withoutControls(lines.partial)
        if open.hasSuffix(" ") || open.hasSuffix("%]") { take(open, isComplete: false, &events) }
        return events
    }

    mutating func finish() -> [ConsoleEvent] {
        var events: [ConsoleEvent] = []
        if let line = lines.finish() { take(withoutControls(line), isComplete: true, &events) }
        return events
    }

    private mutating func take(_ line: String, isComplete: Bool, _ events: inout [ConsoleEvent]) {
        if isComplete {
            if let count = Self.collected(line) {
                events.append(.collected(count: count))
                return
            }
            if let (outcome, name) = Self.workerLine(line) {
                if let outcome { events.append(.ended(name: name, outcome: outcome, seconds: nil)) }
                return
            }
            if line.hasPrefix("===") {
                current = nil
                return
            }
        }
        if let (name, rest) = Self.nodeID(line) {
            if name != current {
                events.append(.started(name: name))
                current = name
            }
            if isComplete { end(rest, &events) }
        } else if isComplete && current != nil {
            end(Substring(line), &events)
        }
    }

    /// Ends the current test where `rest` closes with an outcome.
    private mutating func end(_ rest: Substring, _ events: inout [ConsoleEvent]) {
        guard let name = current, let word = Self.closingWord(rest) else { return }
        current = nil
        // A rerun is no outcome: the same test follows once more.
        if let outcome = Self.outcome(word) { events.append(.ended(name: name, outcome: outcome, seconds: nil)) }
    }

    // MARK: Grammar

    static let words: [(String, TestOutcome?)] = [
        ("PASSED", .passed), ("FAILED", .failed), ("ERROR", .errored), ("SKIPPED", .skipped), ("XFAIL", .skipped),
        ("XPASS", .passed), ("RERUN", nil),
    ]

    static func outcome(_ word: Substring) -> TestOutcome? { words.first { $0.0 == word }?.1 }

    /// `path.py::name` and what follows it. A name may hold spaces only inside `[…]`.
    static func nodeID(_ line: String) -> (name: String, rest: Substring)? {
        guard let colons = line.firstRange(of: "::"), colons.lowerBound > line.startIndex,
            !line[..<colons.lowerBound].contains(where: { $0 == " " || $0 == "\t" })
        else { return nil }
        var end = line[colons.upperBound...].firstIndex(of: " ") ?? line.endIndex
        if let bracket = line[..<end].firstIndex(of: "[") {
            // The last `] ` belongs to the name, unless it closes the percentage or a reason.
            let head = closingStart(line[...])
            guard let close = line[bracket..<head].lastIndex(of: "]") else { return nil }
            end = line.index(after: close)
        }
        return (String(line[..<end]), line[end...])
    }

    /// Where the outcome word of a complete line begins, or its end where there is none.
    private static func closingStart(_ line: Substring) -> String.Index {
        let body = withoutPercentage(line)
        for (word, _) in words {
            guard let range = body.ranges(of: " " + word).last else { continue }
            let rest = body[range.upperBound...]
            if rest.isEmpty || rest.hasPrefix(" (") { return range.lowerBound }
        }
        return line.endIndex
    }

    /// The outcome word that closes a line, with an optional reason in parentheses and an optional percentage.
    static func closingWord(_ line: Substring) -> Substring? {
        let body = withoutPercentage(line)
        for (word, _) in words {
            if body.hasSuffix(word) { return body.suffix(word.count) }
            if body.hasSuffix(")"), let range = body.firstRange(of: word + " ("),
                body[..<range.lowerBound].allSatisfy(\.isWhitespace)
            {
                return body[range].prefix(word.count)
            }
        }
        return nil
    }

    /// Cuts `   [ 33%]` and white space from the end.
    private static func withoutPercentage(_ line: Substring) -> Substring {
        var body = trimmedEnd(line)
        if body.hasSuffix("%]"), let open = body.lastIndex(of: "[") { body = trimmedEnd(body[..<open]) }
        return body
    }

    private static func trimmedEnd(_ line: Substring) -> Substring {
        var line = line
        while line.last == " " || line.last == "\t" { line.removeLast() }
        return line
    }

    /// `[gw0] [  5%] PASSED path.py::name`.
    static func workerLine(_ line: String) -> (TestOutcome?, String)? {
        guard line.hasPrefix("[gw"), let close = line.firstIndex(of: "]") else { return nil }
        var rest = line[line.index(after: close)...].drop { $0 == " " }
        if rest.hasPrefix("["), let percent = rest.firstIndex(of: "]") {
            rest = rest[rest.index(after: percent)...].drop { $0 == " " }
        }
        let word = rest.prefix { $0 != " " }
        guard words.contains(where: { $0.0 == word }) else { return nil }
        let name = trimmedEnd(rest.dropFirst(word.count).drop { $0 == " " })
        return name.contains("::") ? (outcome(word), String(name)) : nil
    }

    /// `collected 5 items / 2 deselected / 3 selected`, `2 workers [3 items]`.
    static func collected(_ line: String) -> Int? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "[" || $0 == "]" })
        if let at = words.firstIndex(of: "selected"), at > 0, words.contains("collected") { return Int(words[at - 1]) }
        guard let at = words.firstIndex(where: { $0 == "items" || $0 == "item" }), at > 0 else { return nil }
        let before = at > 1 ? words[at - 2] : ""
        return before == "collected" || before.hasPrefix("worker") ? Int(words[at - 1]) : nil
    }
}
