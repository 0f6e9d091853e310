// SPDX-License-Identifier: Apache-2.0
// The checker of the demo: `__demo-check`. Prints like `pytest -v`, writes JUnit XML, has no timeout of its own.

internal import Foundation

/// The hidden subcommand `__demo-check`.
struct DemoCheck {
    var suite: String?
    var base = ""
    var report: String?
    var listsOnly = false
    var selection: [String] = []
    /// Takes what goes to standard output, at once.
    var print: (String) -> Void

    /// The exit codes of pytest.
    enum Exit {
        static let passed: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 4
        static let noTests: Int32 = 5
    }

    private struct Outcome {
        var test: DemoCheckCase
        var failure: (type: String, message: String)?
        var seconds: Double
    }

    /// Reads the arguments behind the subcommand; nil where they are wrong.
    init?(arguments: [String], print: @escaping (String) -> Void) {
        self.print = print
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--list", "--collect": listsOnly = true
            case "--suite", "--url", "--junit", "--only":
                guard let value = rest.popFirst() else { return nil }
                switch argument {
                case "--suite": suite = value
                case "--url": base = value.hasSuffix("/") ? String(value.dropLast()) : value
                case "--junit": report = value
                default: selection += value.split(separator: ",").map(String.init)
                }
            default:
                guard !argument.hasPrefix("-") else { return nil }
                selection.append(argument)
            }
        }
        guard suite.map(DemoCheckCase.suites.contains) ?? true, listsOnly || !base.isEmpty else { return nil }
    }

    static let usage = """
        usage: nightjar __demo-check --url URL [--suite \(DemoCheckCase.suites.joined(separator: "|"))]
               [--junit FILE] [--collect] [--only ID,ID] [ID...]

        """

    /// Runs the tests and returns the exit code. Blocks the calling thread.
    func run() -> Int32 {
        let known = DemoCheckCase.all.filter { suite == nil || $0.suite == suite }
        let missing = selection.filter { id in !known.contains { $0.id == id } }
        guard missing.isEmpty else {
            print("ERROR: not found: \(missing.joined(separator: ", "))\n")
            return Exit.usage
        }
        let tests = known.filter { selection.isEmpty || selection.contains($0.id) }
        if listsOnly {
            print(tests.map { $0.id + "\n" }.joined())
            return tests.isEmpty ? Exit.noTests : Exit.passed
        }
        print(Self.ruler("test session starts"))
        print("collected \(tests.count) items\n\n")
        let started = ContinuousClock.now
        let outcomes = tests.enumerated().map { run($1, number: $0 + 1, of: tests.count) }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        summarize(outcomes, seconds: seconds)
        do {
            try write(outcomes, seconds: seconds)
        } catch {
            print("ERROR: cannot write the report: \(error)\n")
            return Exit.usage
        }
        return outcomes.contains { $0.failure != nil } ? Exit.failed : Exit.passed
    }

    /// Says the name before the test runs, so that a follower knows which one hangs.
    private func run(_ test: DemoCheckCase, number: Int, of count: Int) -> Outcome {
        print("\(test.id) ")
        let started = ContinuousClock.now
        var outcome = Outcome(test: test, failure: nil, seconds: 0)
        do {
            try test.body(DemoStagingClient(base: base))
        } catch let failure as DemoFailure {
            outcome.failure = ("AssertionError", "\(failure.message) (line \(failure.line))")
        } catch {
            outcome.failure = ("ConnectionError", "\(error)")
        }
        outcome.seconds = (ContinuousClock.now - started) / .seconds(1)
        let word = outcome.failure == nil ? "PASSED" : "FAILED"
        let percent = "\(number * 100 / count)"
        let end = "[\(String(repeating: " ", count: 3 - percent.count))\(percent)%]"
        let gap = max(1, 80 - test.id.utf8.count - 1 - word.utf8.count - end.utf8.count)
        print("\(word)\(String(repeating: " ", count: gap))\(end)\n")
        return outcome
    }

    private func summarize(_ outcomes: [Outcome], seconds: Double) {
        let failed = outcomes.filter { $0.failure != nil }
        if !failed.isEmpty {
            print("\n" + Self.ruler("FAILURES"))
            for outcome in failed {
                guard let failure = outcome.failure else { continue }
                print("____ \(outcome.test.name) ____\n\nE   \(failure.type): \(failure.message)\n\n")
            }
        }
        let counts = [(failed.count, "failed"), (outcomes.count - failed.count, "passed")].filter { $0.0 > 0 }
        let summary = counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        print(Self.ruler("\(summary.isEmpty ? "no tests ran" : summary) in \(Self.fixed(seconds, digits: 2))s"))
    }

    private func write(_ outcomes: [Outcome], seconds: Double) throws {
        guard let report else { return }
        let failures = outcomes.count { $0.failure != nil }
        var text = """
            <?xml version="1.0" encoding="utf-8"?>
            <testsuites><testsuite name="\(suite ?? "demo")" errors="0" failures="\(failures)" skipped="0" \
            tests="\(outcomes.count)" time="\(Self.fixed(seconds, digits: 6))" \
            timestamp="\(Date.now.formatted(.iso8601))">

            """
        for outcome in outcomes {
            let name = "classname=\"demo.\(outcome.test.suite)\" name=\"\(outcome.test.name)\""
            text += "<testcase \(name) time=\"\(Self.fixed(outcome.seconds, digits: 6))\""
            if let failure = outcome.failure {
                let message = Self.escape("\(failure.type): \(failure.message)")
                text += "><failure type=\"\(failure.type)\" message=\"\(message)\">\(message)</failure></testcase>\n"
            } else {
                text += "/>\n"
            }
        }
        text += "</testsuite></testsuites>\n"
        // Atomically: whoever reads the report sees all of it or none.
        try Data(text.utf8).write(to: URL(fileURLWithPath: report), options: .atomic)
    }

    private static func escape(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case ..<" ": " "
            default: String(scalar)
            }
        }.joined()
    }

    private static func ruler(_ title: String) -> String {
        let side = String(repeating: "=", count: max(4, (78 - title.utf8.count) / 2))
        return "\(side) \(title) \(side)\n"
    }

    private static func fixed(_ seconds: Double, digits: Int) -> String {
        String(format: "%.\(digits)f", seconds)
    }
}
