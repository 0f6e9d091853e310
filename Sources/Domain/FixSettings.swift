// SPDX-License-Identifier: Apache-2.0
// What a fix may touch, who takes part in it, and when it counts as proven.

/// What is left in the environment when a fix is proven.
package enum FixAfterwards: String, Codable, Sendable, CaseIterable {
    /// What was there before.
    case restore
    /// The fix.
    case keep
}

package struct FixSettings: Hashable, Sendable {
    /// Path globs; nothing else may be changed.
    package var paths: [String]
    /// Path globs of tests: nothing in them is removed or weakened.
    package var testPaths: [String]
    package var maxFiles: Int
    package var maxLines: Int
    /// Globs over added lines.
    package var forbid: [String]
    /// Commands that must end well in a checkout of the change, by name.
    package var audit: [AuditCommand]
    /// How sure the clean passes make it.
    package var confidence: Double
    /// For one incident.
    package var attempts: Int
    package var categories: [Category]
    package var needsProof: Bool
    package var afterwards: FixAfterwards
    /// The remote that a proven branch is pushed to.
    package var push: String?

    package struct AuditCommand: Hashable, Sendable {
        package var name: String
        package var command: CommandSettings

        package init(name: String, command: CommandSettings) {
            self.name = name
            self.command = command
        }
    }

    package init(
        paths: [String], testPaths: [String] = FixSettings.usualTestPaths, maxFiles: Int = 20, maxLines: Int = 400,
        forbid: [String] = FixSettings.usualForbidden, audit: [AuditCommand] = [], confidence: Double = 0.95,
        attempts: Int = 1, categories: [Category] = FixSettings.usualCategories, needsProof: Bool = true,
        afterwards: FixAfterwards = .restore, push: String? = nil
    ) {
        self.paths = paths
        self.testPaths = testPaths
        self.maxFiles = maxFiles
        self.maxLines = maxLines
        self.forbid = forbid
        self.audit = audit
        self.confidence = confidence
        self.attempts = attempts
        self.categories = categories
        self.needsProof = needsProof
        self.afterwards = afterwards
        self.push = push
    }

    package static let usualCategories: [Category] = [.codeRegression, .configChange, .testDefect]
    package static let usualForbidden = ["*-----BEGIN *PRIVATE KEY*", "<<<<<<< *", ">>>>>>> *"]
    package static let usualTestPaths = [
        "test/*", "tests/*", "Tests/*", "spec/*", "*/test/*", "*/tests/*", "*/Tests/*", "*/spec/*", "*/__tests__/*",
        "test_*", "*/test_*", "*_test.*", "*.test.*", "*.spec.*", "*Test.*", "*Tests.*", "conftest.py",
        "*/conftest.py", "pytest.ini", "*/pytest.ini", "tox.ini", "jest.config.*",
    ]
}

/// The commands of roles; nil where a role is not taken.
package struct RoleSettings: Hashable, Sendable {
    package var investigate: CommandSettings?
    package var implement: CommandSettings?
    package var review: CommandSettings?
    package var execute: CommandSettings?
    package var approve: CommandSettings?

    package init(
        investigate: CommandSettings? = nil, implement: CommandSettings? = nil, review: CommandSettings? = nil,
        execute: CommandSettings? = nil, approve: CommandSettings? = nil
    ) {
        self.investigate = investigate
        self.implement = implement
        self.review = review
        self.execute = execute
        self.approve = approve
    }

    package subscript(role: Role) -> CommandSettings? {
        switch role {
        case .investigate: investigate
        case .implement: implement
        case .review: review
        case .execute: execute
        case .approve: approve
        }
    }
}

/// What the cycle machine knows of fixes.
package struct FixPolicy: Codable, Hashable, Sendable {
    package var attempts: Int
    package var confidence: Double
    package var categories: [Category]
    package var needsProof: Bool
    package var roles: [Role]
    package var afterwards: FixAfterwards
    package var pushes: Bool

    package init(_ fix: FixSettings, _ roles: RoleSettings) {
        attempts = fix.attempts
        confidence = fix.confidence
        categories = fix.categories
        needsProof = fix.needsProof
        self.roles = Role.allCases.filter { roles[$0] != nil }
        afterwards = fix.afterwards
        pushes = fix.push != nil
    }
}
