// SPDX-License-Identifier: Apache-2.0
// One loop's configuration as values. `Configuration` makes them from a file; nothing here reads anything.

/// The ladder by which teams adopt the loop.
package enum Mode: String, Codable, Sendable, CaseIterable {
    /// Deploys nothing; tests what is live; says what it would have done.
    case observe
    /// Somebody else deploys; each new live revision is tested.
    case verify
    /// Deploys.
    case operate
}

/// A command as an argument vector; a shell takes part only where the file says `shell`.
package struct CommandSettings: Hashable, Sendable {
    /// The program and its arguments; of a shell command the text alone. What is run is `argv`.
    package var arguments: [String]
    /// Set where the file wrote `{ shell: "…" }`.
    package var isShell: Bool
    package var timeout: Duration
    package var idleTimeout: Duration?
    package var workingDirectory: String?
    package var environment: [String: String]
    /// Names of secrets to hand over by environment.
    package var secrets: [String]

    package init(
        arguments: [String], isShell: Bool = false, timeout: Duration, idleTimeout: Duration? = nil,
        workingDirectory: String? = nil, environment: [String: String] = [:], secrets: [String] = []
    ) {
        self.arguments = arguments
        self.isShell = isShell
        self.timeout = timeout
        self.idleTimeout = idleTimeout
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.secrets = secrets
    }

    /// What is run: the arguments, or `/bin/sh -c TEXT`.
    package var argv: [String] { isShell ? ["/bin/sh", "-c"] + arguments : arguments }
}

/// When cycles may run.
package struct ScheduleSettings: Hashable, Sendable {
    package struct Window: Hashable, Sendable {
        /// Minutes after midnight in `timeZone`.
        package var fromMinute: Int
        package var toMinute: Int
        package var timeZone: String
        /// Days on which the window opens, 1 Monday … 7 Sunday; empty means every day.
        package var days: [Int]

        package init(fromMinute: Int, toMinute: Int, timeZone: String, days: [Int] = []) {
            self.fromMinute = fromMinute
            self.toMinute = toMinute
            self.timeZone = timeZone
            self.days = days
        }
    }
    package enum StopWhen: String, Codable, Sendable, CaseIterable {
        case never, healthy
    }
    package var window: Window?
    /// Pause between the end of a cycle and the start of the next.
    package var every: Duration
    package var stopWhen: StopWhen
    package var maxCycles: Int?
    /// Whether a revision that is live and green is tested again.
    package var skipUnchanged: Bool

    package init(
        window: Window? = nil, every: Duration = .seconds(600), stopWhen: StopWhen = .never, maxCycles: Int? = nil,
        skipUnchanged: Bool = false
    ) {
        self.window = window
        self.every = every
        self.stopWhen = stopWhen
        self.maxCycles = maxCycles
        self.skipUnchanged = skipUnchanged
    }
}

/// Where a secret's value comes from. The value itself is never part of settings.
package enum SecretSource: Hashable, Sendable {
    case file(String)
    case environment(String)
    case command([String])
}

package struct RepositorySettings: Hashable, Sendable {
    package var path: String
    package var ref: String
    package var fetch: Bool
    /// Prints the wanted revision, instead of git.
    package var revisionCommand: CommandSettings?
    /// A name that git resolves to a revision known to be good, for a loop that has no green cycle of its own yet.
    package var green: String?

    package init(
        path: String, ref: String = "main", fetch: Bool = false, revisionCommand: CommandSettings? = nil,
        green: String? = nil
    ) {
        self.green = green
        self.path = path
        self.ref = ref
        self.fetch = fetch
        self.revisionCommand = revisionCommand
    }
}

package struct DeploySettings: Hashable, Sendable {
    package var command: CommandSettings
    package var rollback: CommandSettings?
    package var permit: CommandSettings?
    package var cleanup: CommandSettings?
    package var logs: CommandSettings?
    package var attempts: Int
    package var grace: Duration
    package var leavesServices: Bool
    /// Run in a clean worktree of the revision (needs `repository`).
    package var worktree: Bool
    /// Path globs: a change of one between two revisions bars rollback, baseline and bisect across it.
    package var irreversible: [String]

    package init(
        command: CommandSettings, rollback: CommandSettings? = nil, permit: CommandSettings? = nil,
        cleanup: CommandSettings? = nil, logs: CommandSettings? = nil, attempts: Int = 1,
        grace: Duration = .seconds(120), leavesServices: Bool = true, worktree: Bool = true, irreversible: [String] = []
    ) {
        self.command = command
        self.rollback = rollback
        self.permit = permit
        self.cleanup = cleanup
        self.logs = logs
        self.attempts = attempts
        self.grace = grace
        self.leavesServices = leavesServices
        self.worktree = worktree
        self.irreversible = irreversible
    }
}

/// One thing to ask the environment.
package enum CheckTarget: Hashable, Sendable {
    case http(url: String, method: String, headers: [String: String], body: String?)
    case tcp(host: String, port: Int)
    case command(CommandSettings)
}

package struct CheckSettings: Hashable, Sendable {
    package var name: String
    package var target: CheckTarget
    /// Expected status codes of HTTP (empty: 200...299) or exit codes of a command (empty: 0).
    package var statuses: [Int]
    /// JSON pointers (RFC 6901) into the body and the value each must have, as JSON text.
    package var json: [JSONExpectation]
    package var contains: String?
    package var timeout: Duration

    package struct JSONExpectation: Hashable, Sendable {
        package var pointer: String
        /// The expected value as canonical JSON text: `"healthy"`, `3`, `true`.
        package var value: String

        package init(pointer: String, value: String) {
            self.pointer = pointer
            self.value = value
        }
    }

    package init(
        name: String, target: CheckTarget, statuses: [Int] = [], json: [JSONExpectation] = [], contains: String? = nil,
        timeout: Duration = .seconds(5)
    ) {
        self.name = name
        self.target = target
        self.statuses = statuses
        self.json = json
        self.contains = contains
        self.timeout = timeout
    }
}

/// How to read which revision is live, for one service (or for the whole environment).
package struct LiveRevisionSettings: Hashable, Sendable {
    package var service: String?
    package var target: CheckTarget
    /// A JSON pointer into the answer; nil takes the whole trimmed answer.
    package var pointer: String?
    /// How many answers must all name the wanted revision.
    package var answers: Int
    package var timeout: Duration

    package init(
        service: String? = nil, target: CheckTarget, pointer: String? = nil, answers: Int = 5,
        timeout: Duration = .seconds(5)
    ) {
        self.service = service
        self.target = target
        self.pointer = pointer
        self.answers = answers
        self.timeout = timeout
    }
}

package struct HealthSettings: Hashable, Sendable {
    package var checks: [CheckSettings]
    package var liveRevision: [LiveRevisionSettings]
    package var stableFor: Duration
    package var deadline: Duration
    package var interval: Duration

    package init(
        checks: [CheckSettings] = [], liveRevision: [LiveRevisionSettings] = [], stableFor: Duration = .seconds(30),
        deadline: Duration = .seconds(600), interval: Duration = .seconds(1)
    ) {
        self.checks = checks
        self.liveRevision = liveRevision
        self.stableFor = stableFor
        self.deadline = deadline
        self.interval = interval
    }
}

package struct TriageSettings: Codable, Hashable, Sendable {
    package var budgetSeconds: Double
    package var mayDeploy: Bool
    package var deploysPerIncident: Int
    package var deploysPerNight: Int
    package var experiments: [Experiment.Kind]
    /// Nil in what was written before there was a burn-in: then the standard holds.
    package var burnIn: BurnInSettings?

    package init(
        budgetSeconds: Double = 7200, mayDeploy: Bool = false, deploysPerIncident: Int = 6, deploysPerNight: Int = 12,
        experiments: [Experiment.Kind] = Experiment.Kind.allCases, burnIn: BurnInSettings? = BurnInSettings()
    ) {
        self.burnIn = burnIn
        self.budgetSeconds = budgetSeconds
        self.mayDeploy = mayDeploy
        self.deploysPerIncident = deploysPerIncident
        self.deploysPerNight = deploysPerNight
        self.experiments = experiments
    }
}

/// How often tests that are new or changed are run before a revision may be healthy.
package struct BurnInSettings: Codable, Hashable, Sendable {
    /// Runs of each test; 0 for none. Nine find a test that fails three times in ten with 96 %.
    package var runs: Int
    /// At most so many tests.
    package var tests: Int
    package var budgetSeconds: Double

    package init(runs: Int = 9, tests: Int = 20, budgetSeconds: Double = 300) {
        self.runs = runs
        self.tests = tests
        self.budgetSeconds = budgetSeconds
    }
}

package struct RunbookSettings: Hashable, Sendable {
    package var name: String
    package var command: CommandSettings
    package var categories: [Category]
    /// Attempts for one incident.
    package var attempts: Int
    /// Attempts between two openings of the window.
    package var attemptsPerNight: Int

    package init(
        name: String, command: CommandSettings, categories: [Category], attempts: Int = 1, attemptsPerNight: Int = 3
    ) {
        self.attemptsPerNight = attemptsPerNight
        self.name = name
        self.command = command
        self.categories = categories
        self.attempts = attempts
    }

    /// Whether it is of use only where a diagnosis names a component.
    package var needsComponent: Bool { command.arguments.contains { $0.contains("{component}") } }
}

package struct RemedySettings: Hashable, Sendable {
    package var allow: [RemedyKind]
    package var runbook: [RunbookSettings]
    package var rollbacksPerIncident: Int
    package var approvalDeadline: Duration
    /// What needs a person's word.
    package var approve: [ApprovalSubject]
    package var atDeadline: ApprovalDefault
    package var fix: FixSettings?
    package var roles: RoleSettings

    package init(
        allow: [RemedyKind] = [], runbook: [RunbookSettings] = [], rollbacksPerIncident: Int = 1,
        approvalDeadline: Duration = .seconds(14_400), approve: [ApprovalSubject] = [],
        atDeadline: ApprovalDefault = .hold, fix: FixSettings? = nil, roles: RoleSettings = RoleSettings()
    ) {
        self.fix = fix
        self.roles = roles
        self.approve = approve
        self.atDeadline = atDeadline
        self.allow = allow
        self.runbook = runbook
        self.rollbacksPerIncident = rollbacksPerIncident
        self.approvalDeadline = approvalDeadline
    }
}

package struct RetentionSettings: Hashable, Sendable {
    package var cycles: Int
    package var age: Duration
    package var bytes: Int64

    package init(cycles: Int = 1000, age: Duration = .seconds(90 * 86_400), bytes: Int64 = 20_000_000_000) {
        self.cycles = cycles
        self.age = age
        self.bytes = bytes
    }
}

/// Everything one loop is told.
package struct LoopSettings: Hashable, Sendable {
    package var name: String
    package var mode: Mode
    /// Two loops with the same environment exclude each other, unless both have it from their name alone.
    package var environment: String
    /// Absolute path of the folder that holds this loop's state (`<state>/<loop>`).
    package var stateDirectory: String
    /// Absolute path of the folder of the configuration file: relative paths start here.
    package var baseDirectory: String
    package var schedule: ScheduleSettings
    package var secrets: [String: SecretSource]
    package var repository: RepositorySettings?
    package var deploy: DeploySettings?
    package var health: HealthSettings
    package var suites: [SuiteSettings]
    package var targets: [TargetSettings] = []
    package var readiness: ReadinessSettings?
    package var triage: TriageSettings
    package var remedy: RemedySettings
    package var quarantine: [QuarantineEntry]
    package var notify: NotifySettings
    package var retention: RetentionSettings
    package var valueUnit: String
    /// Whether `degraded` is recommended to ship.
    package var shipDegraded: Bool
    /// Whether a failing suite of one priority keeps the lower priorities from running.
    package var failFast: Bool
    package var stopGrace: Duration
    package var outputBytes: Int64
    /// No new cycle starts with less free space than this in the state directory.
    package var minFreeBytes: Int64
    package var fingerprint = FingerprintSettings()

    /// Files whose rules add to the built-in ones, absolute paths; `rules` has the sum.
    package var ruleFiles: [String] = []
    package var rules = TriageRules()

    package init(
        name: String, mode: Mode, environment: String, stateDirectory: String, baseDirectory: String,
        schedule: ScheduleSettings = ScheduleSettings(), secrets: [String: SecretSource] = [:],
        repository: RepositorySettings? = nil, deploy: DeploySettings? = nil, health: HealthSettings = HealthSettings(),
        suites: [SuiteSettings] = [], triage: TriageSettings = TriageSettings(),
        remedy: RemedySettings = RemedySettings(), quarantine: [QuarantineEntry] = [],
        notify: NotifySettings = NotifySettings(),
        retention: RetentionSettings = RetentionSettings(), valueUnit: String = "USD/month",
        shipDegraded: Bool = false, failFast: Bool = false, stopGrace: Duration = .seconds(60),
        outputBytes: Int64 = 64 << 20, minFreeBytes: Int64 = 100 << 20
    ) {
        self.name = name
        self.mode = mode
        self.environment = environment
        self.stateDirectory = stateDirectory
        self.baseDirectory = baseDirectory
        self.schedule = schedule
        self.secrets = secrets
        self.repository = repository
        self.deploy = deploy
        self.health = health
        self.suites = suites
        self.triage = triage
        self.remedy = remedy
        self.quarantine = quarantine
        self.notify = notify
        self.retention = retention
        self.valueUnit = valueUnit
        self.shipDegraded = shipDegraded
        self.failFast = failFast
        self.stopGrace = stopGrace
        self.outputBytes = outputBytes
        self.minFreeBytes = minFreeBytes
    }
}
