// SPDX-License-Identifier: Apache-2.0
// The evidence document of one cycle, `cycle.json`, schema `nightjar.cycle/1`.

/// Why a cycle began.
package enum Trigger: String, Codable, Sendable, CaseIterable {
    /// `nightjar once`.
    case once
    /// The schedule's turn.
    case schedule
    /// A new revision was seen.
    case revision
    /// `nightjar trigger`.
    case request
    /// The one before was superseded or interrupted.
    case again
}

/// Which revisions a cycle is about.
package struct RevisionRecord: Codable, Hashable, Sendable {
    package var wanted: Revision
    package var subject: String?
    package var author: String?
    package var ref: String?
    /// Read before the first test; nil where it could not be proven.
    package var live: Revision?
    /// What was live before the deploy.
    package var previous: Revision?
    package var lastGreen: Revision?

    package init(
        wanted: Revision, subject: String? = nil, author: String? = nil, ref: String? = nil, live: Revision? = nil,
        previous: Revision? = nil, lastGreen: Revision? = nil
    ) {
        self.wanted = wanted
        self.subject = subject
        self.author = author
        self.ref = ref
        self.live = live
        self.previous = previous
        self.lastGreen = lastGreen
    }
}

/// Business value over the suites of a cycle.
package struct ValueRecord: Codable, Hashable, Sendable {
    package var unit: String
    package var total: Double
    /// Of suites that passed without conditions.
    package var protected: Double
    package var atRisk: Double
    /// Of suites that passed on conditions: neither protected nor at risk. Nil where there is none.
    package var conditional: Double?

    package init(unit: String, total: Double, protected: Double, atRisk: Double, conditional: Double? = nil) {
        self.conditional = conditional
        self.unit = unit
        self.total = total
        self.protected = protected
        self.atRisk = atRisk
    }
}

extension ValueRecord {
    package var onConditions: Double { conditional ?? 0 }
}

/// What a suite came to in the pass that decided the verdict.
package struct SuiteRecord: Codable, Hashable, Sendable {
    package var name: String
    @PriorityWord package var priority: Int
    package var blocking: Bool
    package var value: Double?
    /// `passed`, `failed`, `unproven` or `notRun`.
    package var status: Status
    package var totals: Totals
    package var notPassed: [TestResult]
    package var testsFile: String?
    package var authenticity: Authenticity?
    package var durationSeconds: Double?
    /// The stage folder it was read from.
    package var stage: String?
    package var because: String?
    /// The sum of what its tests report to have taken; `durationSeconds` is what the suite took on the wall.
    package var testSeconds: Double?
    package var slowestTest: String?
    package var slowestSeconds: Double?

    package enum Status: String, Codable, Sendable {
        case passed, failed, unproven, notRun
    }

    package init(
        name: String, priority: Int, blocking: Bool, value: Double?, status: Status, totals: Totals = Totals(),
        notPassed: [TestResult] = [], testsFile: String? = nil, authenticity: Authenticity? = nil,
        durationSeconds: Double? = nil, stage: String? = nil, because: String? = nil
    ) {
        self.name = name
        self.priority = priority
        self.blocking = blocking
        self.value = value
        self.status = status
        self.totals = totals
        self.notPassed = notPassed
        self.testsFile = testsFile
        self.authenticity = authenticity
        self.durationSeconds = durationSeconds
        self.stage = stage
        self.because = because
    }
}

/// One step of a flow and what its tests say.
package struct StepRecord: Codable, Hashable, Sendable {
    /// The glob over test ids, without its stars.
    package var name: String
    package var status: SuiteRecord.Status
    /// The test that decided, and where it stood among the suite's tests, counted from 1.
    package var test: String?
    package var position: Int?

    package init(name: String, status: SuiteRecord.Status, test: String? = nil, position: Int? = nil) {
        self.name = name
        self.status = status
        self.test = test
        self.position = position
    }
}

/// A named feature and what its tests say.
package struct CapabilityRecord: Codable, Hashable, Sendable {
    package var name: String
    package var suite: String
    package var value: Double?
    package var status: SuiteRecord.Status
    package var totals: Totals
    /// The steps of a flow, in their order.
    package var steps: [StepRecord]?

    package init(
        name: String, suite: String, value: Double?, status: SuiteRecord.Status, totals: Totals,
        steps: [StepRecord]? = nil
    ) {
        self.steps = steps
        self.name = name
        self.suite = suite
        self.value = value
        self.status = status
        self.totals = totals
    }
}

/// What staging runs when the cycle is over.
package struct EnvironmentRecord: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable {
        case asWanted, restored, unknown
    }
    /// The proven revision; nil where unknown.
    package var serving: Revision?
    package var services: [ServiceState]
    package var state: State
    /// The surroundings before and after the tests.
    package var fingerprint: FingerprintRecord?

    package init(
        serving: Revision?, services: [ServiceState] = [], state: State, fingerprint: FingerprintRecord? = nil
    ) {
        self.fingerprint = fingerprint
        self.serving = serving
        self.services = services
        self.state = state
    }
}

/// `cycle.json`.
package struct CycleRecord: Codable, Hashable, Sendable {
    package static let schemaName = "nightjar.cycle/1"

    package var schema = CycleRecord.schemaName
    package var loop: String
    package var cycle: Int
    package var mode: Mode
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var durationSeconds: Double
    package var trigger: Trigger
    package var revision: RevisionRecord
    package var verdict: Verdict
    package var recommendation: Recommendation
    package var reasons: [Reason]
    package var value: ValueRecord
    @WrittenStages package var stages: [StageRecord]
    package var suites: [SuiteRecord]
    package var capabilities: [CapabilityRecord]
    package var incidents: [Incident]
    package var experiments: [ExperimentRecord]
    package var actions: [ActionRecord]
    package var environment: EnvironmentRecord
    /// What the rules about a fix found; empty where none was tried.
    @WrittenList package var audit: [AuditRecord]?
    /// What people asked for since the cycle before was concluded; absent where nobody did.
    package var requests: [RequestRecord]?
    @WrittenList package var targets: [TargetRecord]?
    @WrittenValue package var readiness: ReadinessRecord?
    /// The build that wrote this, and the hash of the settings in force.
    package var writtenBy: String
    package var settingsHash: String

    package init(
        loop: String, cycle: Int, mode: Mode, startedAt: Timestamp, endedAt: Timestamp, durationSeconds: Double,
        trigger: Trigger, revision: RevisionRecord, verdict: Verdict, recommendation: Recommendation,
        reasons: [Reason], value: ValueRecord, stages: [StageRecord], suites: [SuiteRecord],
        capabilities: [CapabilityRecord], incidents: [Incident], experiments: [ExperimentRecord],
        actions: [ActionRecord], environment: EnvironmentRecord, writtenBy: String, settingsHash: String
    ) {
        self.loop = loop
        self.cycle = cycle
        self.mode = mode
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.durationSeconds = durationSeconds
        self.trigger = trigger
        self.revision = revision
        self.verdict = verdict
        self.recommendation = recommendation
        self.reasons = reasons
        self.value = value
        self.stages = stages
        self.suites = suites
        self.capabilities = capabilities
        self.incidents = incidents
        self.experiments = experiments
        self.actions = actions
        self.environment = environment
        self.writtenBy = writtenBy
        self.settingsHash = settingsHash
    }
}
