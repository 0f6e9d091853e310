// SPDX-License-Identifier: Apache-2.0
// The event stream of `go test -json` (`go doc test2json`).

import Domain

/// Reads `go test -json` as it arrives.
///
/// A test that began and never ended is a failure (`errored`). A package that failed without a failed test, or never
/// ended, is a suite problem. Lines that are no JSON are normal (build output, prints of the program under test).
/// A test that ran several times (`-count`, gotestsum's reruns) is one result: `flaky` where it both failed and passed.
package struct GoTestJSONReader {
    private struct Key: Hashable {
        var package: String
        var test: String
    }
    fileprivate struct Test {
        var passes = 0
        var failures = 0
        var skips = 0
        var isRunning = true
        var seconds: Double?
        var output = BoundedText(limit: Limits.detailsBytes)
    }
    private struct Package {
        var failures = 0
        var running = 0
        var isOpen = true
    }
    private var lines = LineSplitter(limit: LineSplitter.reportLimit)
    private var order: [Key] = []
    private var tests: [Key: Test] = [:]
    private var packageOrder: [String] = []
    private var packages: [String: Package] = [:]
    private var problems = BoundedMessages()
    private var others = 0
    private var events = 0

    package init() {}

    package mutating func push(_ bytes: ArraySlice<UInt8>) throws(ReportDamage) {
        for line in lines.push(bytes) { try take(line) }
    }

    package mutating func finish() throws(ReportDamage) -> ReportReading {
        if let line = lines.finish() { try take(line) }
        guard events > 0 else {
            let found = others == 0 ? "it is empty" : "it holds no event of `go test -json`"
            throw ReportDamage(kind: .empty, line: 1, column: 1, found: found)
        }
        for name in packageOrder where packages[name]?.isOpen == true {
            problems.add("package \(name) has no end: the stream was cut off or the package crashed")
        }
        return reading()
    }

    package static func read(_ bytes: [UInt8]) throws(ReportDamage) -> ReportReading {
        var reader = GoTestJSONReader()
        try reader.push(bytes[...])
        return try reader.finish()
    }

    private mutating func take(_ line: [UInt8]) throws(ReportDamage) {
        guard let event = GoTestEvent(line) else {
            if !line.allSatisfy(XMLReference.isSpace) { others += 1 }
            return
        }
        events += 1
        if event.test.isEmpty { takePackage(event) } else { try takeTest(event) }
    }

    private mutating func takePackage(_ event: GoTestEvent) {
        if event.package.isEmpty { return }
        if packages[event.package] == nil {
            packages[event.package] = Package()
            packageOrder.append(event.package)
        }
        switch event.action {
        case "fail":
            if let before = packages[event.package], before.failures == 0, before.running == 0 {
                problems.add("package \(event.package) failed without a failed test")
            }
            packages[event.package] = Package(isOpen: false)
        case "pass", "skip": packages[event.package] = Package(isOpen: false)
        case "start": packages[event.package]?.isOpen = true
        default: break
        }
    }

    private mutating func takeTest(_ event: GoTestEvent) throws(ReportDamage) {
        let key = Key(package: event.package, test: event.test)
        if packages[event.package] == nil {
            packages[event.package] = Package()
            packageOrder.append(event.package)
        }
        if tests[key] == nil {
            guard order.count < Limits.testsPerSuite else {
                let found = "more than \(Limits.testsPerSuite) tests"
                throw ReportDamage(kind: .limit, line: lines.count, column: 1, found: found, reading: reading())
            }
            order.append(key)
        }
        let wasRunning = tests[key]?.isRunning ?? false
        let isFailure = tests[key, default: Test()].take(event)
        let isRunning = tests[key]?.isRunning ?? false
        packages[event.package]?.running += (isRunning ? 1 : 0) - (wasRunning ? 1 : 0)
        if isFailure { packages[event.package]?.failures += 1 }
    }

    private func reading() -> ReportReading {
        var reading = ReportReading(suiteProblems: problems.messages, root: "go-test-json")
        var identities = UniqueNames()
        for key in order {
            guard let test = tests[key] else { continue }
            let name = key.package.isEmpty ? key.test : "\(key.package)::\(key.test)"
            let id = identities.unique(BoundedText.shortened(name, to: Limits.messageBytes))
            reading.results.append(test.result(id: id))
        }
        if others > 0 { reading.notes.append("\(others) lines were no JSON") }
        return reading
    }
}

extension GoTestJSONReader.Test {
    /// Takes one event of this test; the answer is whether it failed.
    fileprivate mutating func take(_ event: GoTestEvent) -> Bool {
        switch event.action {
        case "run": isRunning = true
        case "output": if let text = event.output, !Self.isChatter(text) { output.append(text) }
        case "pass", "bench", "skip":
            if event.action == "skip" { skips += 1 } else { passes += 1 }
            isRunning = false
            seconds = event.elapsed
            // What a passed test printed is of no use; of a skipped one it is the reason.
            if event.action != "skip" && failures == 0 { output.removeAll() }
        case "fail":
            failures += 1
            isRunning = false
            seconds = event.elapsed
            return true
        default: break
        }
        return false
    }

    private static func isChatter(_ text: String) -> Bool {
        text.hasPrefix("=== ") || text.drop { $0 == " " }.hasPrefix("--- ")
    }

    fileprivate func result(id: String) -> TestResult {
        var result = TestResult(id: id, outcome: .passed, durationSeconds: seconds)
        let runs = passes + failures + skips
        if isRunning {
            result.outcome = .errored
            result.message = "began and never ended: the package crashed, timed out or the stream was cut off"
        } else if failures > 0 {
            result.outcome = passes > 0 ? .flaky : .failed
        } else if skips > 0 && passes == 0 {
            result.outcome = .skipped
        }
        if runs > 1 { result.retries = runs - 1 }
        guard result.outcome != .passed, !output.isEmpty else { return result }
        let text = output.text
        if result.message == nil { result.message = JUnitBuilder.firstLine(text) }
        if result.outcome != .skipped { result.details = text }
        return result
    }
}

/// One line of `go test -json`.
struct GoTestEvent {
    var action: String
    var package: String
    var test: String
    var output: String?
    var elapsed: Double?

    init?(_ line: [UInt8]) {
        guard line.first == UInt8(ascii: "{"), let value = try? JSONValue.parse(line),
            let action = value["Action"]?.text
        else { return nil }
        self.action = action
        package = value["Package"]?.text ?? value["ImportPath"]?.text ?? ""
        test = value["Test"]?.text ?? ""
        output = value["Output"]?.text
        elapsed = value["Elapsed"]?.number
    }
}
