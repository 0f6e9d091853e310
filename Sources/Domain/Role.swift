// SPDX-License-Identifier: Apache-2.0
// Roles: commands that take part in mending code. Each reads one JSON document on standard input and answers with one
// on standard output; docs/roles.md is their contract.

/// Who does what when code is mended.
package enum Role: String, Codable, Sendable, CaseIterable {
    /// Looks into it; may add notes for those who come after.
    case investigate
    /// Changes the code in a working tree of its own.
    case implement
    /// Judges the change.
    case review
    /// Brings the commit into the environment, in place of the deploy command.
    case execute
    /// Says yes or no where a word is needed, or leaves it to a person.
    case approve
}

/// What a role answers.
package enum RoleDecision: String, Codable, Sendable, CaseIterable {
    case done
    case giveUp
    case approve
    case reject
    /// A person is to decide.
    case ask
}

/// One rule of the audit, and what it found.
package struct AuditRecord: Codable, Hashable, Sendable {
    package var rule: String
    package var passed: Bool
    package var finding: String
    /// A path inside the cycle folder.
    package var evidence: String?

    package init(rule: String, passed: Bool, finding: String, evidence: String? = nil) {
        self.rule = rule
        self.passed = passed
        self.finding = finding
        self.evidence = evidence
    }
}

/// What one step of a fix came to.
package struct RoleReading: Codable, Hashable, Sendable {
    /// A role, or `audit`, `commit`, `push`.
    package var step: String
    package var decision: RoleDecision?
    package var summary: String?
    package var reasons: [String]
    package var notes: [String]
    package var audit: [AuditRecord]
    /// The git tree that the audit has seen; what is committed is this and nothing else.
    package var tree: String?
    /// The commit, and the branch that holds it.
    package var revision: Revision?
    package var branch: String?
    /// The change as a patch, inside the cycle folder.
    package var patch: String?

    package init(step: String) {
        self.step = step
        reasons = []
        notes = []
        audit = []
    }
}

/// What a role reads: everything that is known, where to work, and what it must keep to.
package struct RoleRequest: Codable, Hashable, Sendable {
    package static let schemaName = "nightjar.role-request/1"

    package var schema = RoleRequest.schemaName
    package var role: Role
    package var loop: String
    package var cycle: Int
    /// With its diagnosis: category, culprit, five whys with evidence.
    package var incident: Incident
    package var wanted: Revision
    package var lastGreen: Revision?
    /// Absolute; a repository of its own with `wanted` checked out. Nil where the role has none (execute, approve).
    package var worktree: String?
    package var branch: String
    /// Absolute path of the cycle folder, in which evidence references resolve.
    package var evidence: String
    /// Of review, approve and execute: the change as a patch (absolute path), and what the audit found.
    package var patch: String?
    package var audit: [AuditRecord]
    /// What earlier roles had to say.
    package var notes: [String]
    /// Of execute: the commit to bring into the environment.
    package var revision: Revision?
    package var limits: RoleLimits

    package init(
        role: Role, loop: String, cycle: Int, incident: Incident, wanted: Revision, lastGreen: Revision?,
        branch: String, evidence: String, limits: RoleLimits
    ) {
        self.role = role
        self.loop = loop
        self.cycle = cycle
        self.incident = incident
        self.wanted = wanted
        self.lastGreen = lastGreen
        self.branch = branch
        self.evidence = evidence
        self.limits = limits
        audit = []
        notes = []
    }
}

/// What a change must keep to.
package struct RoleLimits: Codable, Hashable, Sendable {
    package var paths: [String]
    package var testPaths: [String]
    package var maxFiles: Int
    package var maxLines: Int
    package var forbid: [String]
    package var timeoutSeconds: Double
    package var outputBytes: Int64

    package init(_ fix: FixSettings, timeoutSeconds: Double) {
        paths = fix.paths
        testPaths = fix.testPaths
        maxFiles = fix.maxFiles
        maxLines = fix.maxLines
        forbid = fix.forbid
        self.timeoutSeconds = timeoutSeconds
        outputBytes = Limits.roleOutputBytes
    }
}

/// What a role answers, as the last thing on its standard output.
package struct RoleAnswer: Codable, Hashable, Sendable {
    package static let schemaName = "nightjar.role-answer/1"

    package var schema: String?
    package var decision: RoleDecision
    /// One line; of implement, the subject of the commit.
    package var summary: String?
    package var reasons: [String]?
    package var notes: [String]?
}
