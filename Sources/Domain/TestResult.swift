// SPDX-License-Identifier: Apache-2.0
// What one test did, and sums over tests.

/// What became of one test.
package enum TestOutcome: String, Codable, Sendable, CaseIterable {
    case passed
    /// An assertion did not hold.
    case failed
    /// The test broke before it could tell (set-up, crash, an error that is no assertion).
    case errored
    case skipped
    /// Cut by the limit for one test.
    case timedOut
    /// Failed and passed within one run of the tool (its own retries).
    case flaky
    /// It was to run and did not; `message` says why.
    case notRun

    /// Whether the test speaks against the revision.
    package var isFailure: Bool {
        switch self {
        case .failed, .errored, .timedOut: true
        case .passed, .skipped, .flaky, .notRun: false
        }
    }
}

/// One test of one run. One line of `tests.jsonl`.
package struct TestResult: Codable, Hashable, Sendable {
    /// The stable name across runs: `classname::name` as the report gives them, or the name alone.
    package var id: String
    package var outcome: TestOutcome
    package var durationSeconds: Double?
    /// The first line or `message` attribute of the failure, skip or timeout; at most 4 KiB.
    package var message: String?
    /// The failure's type, such as an exception's name.
    package var type: String?
    /// The failure's text (stack, output); at most 64 KiB, longer ones keep head and tail.
    package var details: String?
    /// The source file and line where the report gives them.
    package var file: String?
    package var line: Int?
    /// How the tool itself names the test, where that differs from `id` (a pytest node id, for example).
    package var selector: String?
    /// Runs within the tool before this outcome (`rerunFailure`, `flakyFailure`).
    package var retries: Int?
    /// Set where the outcome was seen on the console and not in a report.
    package var fromConsole: Bool?

    package init(
        id: String, outcome: TestOutcome, durationSeconds: Double? = nil, message: String? = nil, type: String? = nil,
        details: String? = nil, file: String? = nil, line: Int? = nil, selector: String? = nil, retries: Int? = nil,
        fromConsole: Bool? = nil
    ) {
        self.id = id
        self.outcome = outcome
        self.durationSeconds = durationSeconds
        self.message = message
        self.type = type
        self.details = details
        self.file = file
        self.line = line
        self.selector = selector
        self.retries = retries
        self.fromConsole = fromConsole
    }
}

/// How many tests had which outcome.
package struct Totals: Codable, Hashable, Sendable {
    package var tests = 0
    package var passed = 0
    package var failed = 0
    package var errored = 0
    package var skipped = 0
    package var timedOut = 0
    package var flaky = 0
    package var notRun = 0

    package init() {}

    package init(_ results: some Sequence<TestResult>) {
        for result in results { add(result.outcome) }
    }

    package mutating func add(_ outcome: TestOutcome) {
        tests += 1
        switch outcome {
        case .passed: passed += 1
        case .failed: failed += 1
        case .errored: errored += 1
        case .skipped: skipped += 1
        case .timedOut: timedOut += 1
        case .flaky: flaky += 1
        case .notRun: notRun += 1
        }
    }

    package static func + (left: Totals, right: Totals) -> Totals {
        var sum = left
        sum.tests += right.tests
        sum.passed += right.passed
        sum.failed += right.failed
        sum.errored += right.errored
        sum.skipped += right.skipped
        sum.timedOut += right.timedOut
        sum.flaky += right.flaky
        sum.notRun += right.notRun
        return sum
    }

    /// Failed, errored and cut by a limit.
    package var failing: Int { failed + errored + timedOut }
    /// Tests that ran to an outcome.
    package var executed: Int { tests - notRun - skipped }
}
