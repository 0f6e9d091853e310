// SPDX-License-Identifier: Apache-2.0
// What one suite is told: its commands, what its tool writes, and which of its tests are known to fail.

package enum ReportFormat: String, Codable, Sendable, CaseIterable {
    case junit
    case ctrf
    case tap
    case goTestJSON = "go-test-json"
    /// No report: what the console says is the result.
    case console
}

/// How the tool speaks on its console, for following tests live.
package enum ConsoleFormat: String, Codable, Sendable, CaseIterable {
    case none
    case pytest
    case goTestJSON = "go-test-json"
    case swiftTesting = "swift-testing"
    case tap
}

package struct CapabilitySettings: Hashable, Sendable {
    package var name: String
    /// A glob over test ids.
    package var tests: String
    package var value: Double?
    /// The steps of a flow, in their order: each a glob over test ids.
    package var steps: [String]

    package init(name: String, tests: String, value: Double? = nil, steps: [String] = []) {
        self.steps = steps
        self.name = name
        self.tests = tests
        self.value = value
    }
}

package struct SuiteSettings: Hashable, Sendable {
    package var name: String
    /// 0…3, from `P0` … `P3`.
    package var priority: Int
    package var value: Double?
    package var command: CommandSettings
    package var reportFormat: ReportFormat
    /// Where the tool writes its report when it cannot be told (`{report}` otherwise); a glob relative to the
    /// working directory.
    package var reportPath: String?
    package var console: ConsoleFormat
    /// Runs only some tests: `{tests}` becomes one argument per test, `{testNames}` `a or b`, `{testsRegex}` `^(a|b)$`.
    package var select: CommandSettings?
    /// Prints the tests that would run, one per line.
    package var collect: CommandSettings?
    package var before: CommandSettings?
    package var after: CommandSettings?
    package var testTimeout: Duration?
    package var artifacts: [String]
    package var capabilities: [CapabilitySettings]
    package var owner: String?
    package var impact: String?
    package var blocking: Bool
    /// Whether the suite claims to talk to the environment: soft authenticity rules apply.
    package var real: Bool
    /// Exit statuses that do not contradict a report in which all passed.
    package var exitCodes: [Int]
    package var allowAllSkipped: Bool
    /// Ends the suite at its first failing test, where the console tells of it.
    package var failFast: Bool
    package var attempts: Int
    /// Whether what its commands start in a session of its own may stay: otherwise it is ended with the command.
    package var leavesServices = false
    /// Where the tests live, if not beside the configuration: they run in a clean worktree of it.
    package var repository: RepositorySettings?
    /// Whether the tests are those of the revision under test: run in a clean worktree of it.
    package var worktree: Bool

    package init(
        name: String, priority: Int, value: Double? = nil, command: CommandSettings,
        reportFormat: ReportFormat = .junit, reportPath: String? = nil, console: ConsoleFormat = .none,
        select: CommandSettings? = nil, collect: CommandSettings? = nil, before: CommandSettings? = nil,
        after: CommandSettings? = nil, testTimeout: Duration? = nil, artifacts: [String] = [],
        capabilities: [CapabilitySettings] = [], owner: String? = nil, impact: String? = nil, blocking: Bool,
        real: Bool = false, exitCodes: [Int] = [], allowAllSkipped: Bool = false, failFast: Bool = false,
        attempts: Int = 1, repository: RepositorySettings? = nil, worktree: Bool = false
    ) {
        self.repository = repository
        self.worktree = worktree
        self.name = name
        self.priority = priority
        self.value = value
        self.command = command
        self.reportFormat = reportFormat
        self.reportPath = reportPath
        self.console = console
        self.select = select
        self.collect = collect
        self.before = before
        self.after = after
        self.testTimeout = testTimeout
        self.artifacts = artifacts
        self.capabilities = capabilities
        self.owner = owner
        self.impact = impact
        self.blocking = blocking
        self.real = real
        self.exitCodes = exitCodes
        self.allowAllSkipped = allowAllSkipped
        self.failFast = failFast
        self.attempts = attempts
    }
}

package struct QuarantineEntry: Codable, Hashable, Sendable {
    /// A glob over test ids.
    package var test: String
    package var owner: String
    package var reason: String
    /// A date, `2026-12-31`; ends at 09:00 UTC of the next working day after it.
    package var until: String

    package init(test: String, owner: String, reason: String, until: String) {
        self.test = test
        self.owner = owner
        self.reason = reason
        self.until = until
    }
}

extension Sequence {
    /// In the order in which suites run: by priority, and as they stand where that is equal.
    package func inRunOrder(_ priority: (Element) -> Int) -> [Element] {
        enumerated().sorted { one, other in
            (priority(one.element), one.offset) < (priority(other.element), other.offset)
        }.map(\.element)
    }
}
