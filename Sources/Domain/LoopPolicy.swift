// SPDX-License-Identifier: Apache-2.0
// The part of the settings that decisions depend on. It is journaled, so that replaying a journal decides as then.

/// What the cycle machine knows of one suite.
package struct SuitePolicy: Codable, Hashable, Sendable {
    package var name: String
    package var priority: Int
    package var blocking: Bool
    package var value: Double?
    package var attempts: Int

    package init(name: String, priority: Int, blocking: Bool, value: Double? = nil, attempts: Int = 1) {
        self.name = name
        self.priority = priority
        self.blocking = blocking
        self.value = value
        self.attempts = attempts
    }
}

/// What the cycle machine knows of one runbook command.
package struct RunbookPolicy: Codable, Hashable, Sendable {
    package var name: String
    package var categories: [Category]
    /// Attempts for one incident.
    package var attempts: Int
    /// Attempts between two openings of the window; nil for no limit.
    package var attemptsPerNight: Int?
    /// Its command names the `{component}` that a diagnosis must know.
    package var needsComponent: Bool?

    package init(
        name: String, categories: [Category], attempts: Int, attemptsPerNight: Int? = nil, needsComponent: Bool? = nil
    ) {
        self.attemptsPerNight = attemptsPerNight
        self.needsComponent = needsComponent
        self.name = name
        self.categories = categories
        self.attempts = attempts
    }
}

/// The rules of one loop. Durations are seconds.
package struct LoopPolicy: Codable, Hashable, Sendable {
    package var mode: Mode
    package var suites: [SuitePolicy]
    package var failFast: Bool
    package var hasDeploy: Bool
    package var hasHealth: Bool
    package var provesRevision: Bool
    package var deployAttempts: Int
    package var everySeconds: Double
    package var stopWhenHealthy: Bool
    package var maxCycles: Int?
    package var skipUnchanged: Bool
    package var shipDegraded: Bool
    package var stopGraceSeconds: Double
    package var triage: TriageSettings
    package var allow: [RemedyKind]
    package var rollbacksPerIncident: Int
    package var runbook: [RunbookPolicy]
    package var approvalDeadlineSeconds: Double
    package var quarantine: [QuarantineEntry]
    package var valueUnit: String
    /// What needs a person's word; nil is nothing.
    package var approve: [ApprovalSubject]?
    package var atDeadline: ApprovalDefault?
    package var fix: FixPolicy?

    package init(_ settings: LoopSettings) {
        // Absent where they say nothing: what earlier versions wrote means the same.
        approve = settings.remedy.approve.isEmpty ? nil : settings.remedy.approve
        fix = settings.remedy.fix.map { FixPolicy($0, settings.remedy.roles) }
        atDeadline = settings.remedy.atDeadline == .hold ? nil : settings.remedy.atDeadline
        mode = settings.mode
        suites = settings.suites.map { suite in
            SuitePolicy(
                name: suite.name, priority: suite.priority, blocking: suite.blocking, value: suite.value,
                attempts: suite.attempts)
        }
        failFast = settings.failFast
        hasDeploy = settings.deploy != nil
        hasHealth = !settings.health.checks.isEmpty
        provesRevision = !settings.health.liveRevision.isEmpty
        deployAttempts = settings.deploy?.attempts ?? 1
        everySeconds = settings.schedule.every.inSeconds
        stopWhenHealthy = settings.schedule.stopWhen == .healthy
        maxCycles = settings.schedule.maxCycles
        skipUnchanged = settings.schedule.skipUnchanged
        shipDegraded = settings.shipDegraded
        stopGraceSeconds = settings.stopGrace.inSeconds
        triage = settings.triage
        allow = settings.remedy.allow
        rollbacksPerIncident = settings.remedy.rollbacksPerIncident
        runbook = settings.remedy.runbook.map { entry in
            RunbookPolicy(
                name: entry.name, categories: entry.categories, attempts: entry.attempts,
                attemptsPerNight: entry.attemptsPerNight, needsComponent: entry.needsComponent ? true : nil)
        }
        approvalDeadlineSeconds = settings.remedy.approvalDeadline.inSeconds
        quarantine = settings.quarantine
        valueUnit = settings.valueUnit
    }
}
