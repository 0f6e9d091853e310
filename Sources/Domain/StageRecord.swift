// SPDX-License-Identifier: Apache-2.0
// What is written down about one stage run: the fact in the journal, and an element of `stages` in `cycle.json`.

/// What a supervised command used, over its whole process tree.
package struct ResourceUse: Codable, Hashable, Sendable {
    package var cpuSeconds: Double
    /// The largest sum of resident memory over the tree that was sampled.
    package var peakMemoryBytes: Int64

    package init(cpuSeconds: Double, peakMemoryBytes: Int64) {
        self.cpuSeconds = cpuSeconds
        self.peakMemoryBytes = peakMemoryBytes
    }
}

/// A process found alive after its command had ended.
package struct Leftover: Codable, Hashable, Sendable {
    package var pid: Int32
    package var command: String
    /// Whether it was ended; services that a deploy may leave behind are not.
    package var ended: Bool

    package init(pid: Int32, command: String, ended: Bool) {
        self.pid = pid
        self.command = command
        self.ended = ended
    }
}

/// One command of a stage run, as it was run.
package struct CommandRecord: Codable, Hashable, Sendable {
    /// `main`, `permit`, `before`, `after`, `collect`, `logs`, `cleanup`, `rest-1` …
    package var role: String
    package var command: [String]
    /// The exit status; nil where a signal or a limit ended it or it never started.
    package var exit: Int32?
    package var signal: Int32?
    /// The limit that ended it, with its value: `timeout 30m`, `idleTimeout 20m`.
    package var limitHit: String?
    package var startedAt: Timestamp
    package var durationSeconds: Double
    package var resources: ResourceUse?
    /// Remote addresses (`host:port`) seen connected from the process tree, sampled at 20 Hz.
    package var hosts: [String]
    package var leftovers: [Leftover]
    /// The console log inside the cycle folder, and its SHA-256 as the bytes passed.
    package var log: String?
    package var logBytes: Int64?
    package var logDroppedBytes: Int64?
    package var logSHA256: String?
    package var problem: String?

    package init(
        role: String, command: [String], exit: Int32? = nil, signal: Int32? = nil, limitHit: String? = nil,
        startedAt: Timestamp, durationSeconds: Double, resources: ResourceUse? = nil, hosts: [String] = [],
        leftovers: [Leftover] = [], log: String? = nil, logBytes: Int64? = nil, logDroppedBytes: Int64? = nil,
        logSHA256: String? = nil, problem: String? = nil
    ) {
        self.role = role
        self.command = command
        self.exit = exit
        self.signal = signal
        self.limitHit = limitHit
        self.startedAt = startedAt
        self.durationSeconds = durationSeconds
        self.resources = resources
        self.hosts = hosts
        self.leftovers = leftovers
        self.log = log
        self.logBytes = logBytes
        self.logDroppedBytes = logDroppedBytes
        self.logSHA256 = logSHA256
        self.problem = problem
    }
}

/// One service as a deployment reported it or a probe read it.
package struct ServiceState: Codable, Hashable, Sendable {
    package var name: String
    package var wanted: Revision?
    package var live: Revision?
    package var commit: String?
    package var trafficPercent: Double?

    package init(
        name: String, wanted: Revision? = nil, live: Revision? = nil, commit: String? = nil,
        trafficPercent: Double? = nil
    ) {
        self.name = name
        self.wanted = wanted
        self.live = live
        self.commit = commit
        self.trafficPercent = trafficPercent
    }
}

/// What the newest deployment of a revision said about its services: those that have revisions of their own are proven by
/// them.
package struct DeployedServices: Codable, Hashable, Sendable {
    package var revision: Revision
    package var services: [ServiceState]

    package init(revision: Revision, services: [ServiceState]) {
        self.revision = revision
        self.services = services
    }

    /// What a service answers where `revision` is deployed.
    package func wanted(of service: String?) -> Revision {
        services.first { $0.name == service }?.wanted ?? revision
    }
}

/// One answer of one check.
package struct ProbeSample: Codable, Hashable, Sendable {
    package var check: String
    package var at: Timestamp
    package var ok: Bool
    /// What was found, with the expectation it missed: `status 503, expected 200`.
    package var finding: String
    package var milliseconds: Double?
    /// Where the time went, as curl or our own client measured it.
    package var connectMilliseconds: Double?
    package var firstByteMilliseconds: Double?
    /// Only curl tells these two.
    package var nameLookupMilliseconds: Double?
    package var tlsMilliseconds: Double?

    package init(
        check: String, at: Timestamp, ok: Bool, finding: String, milliseconds: Double? = nil,
        connectMilliseconds: Double? = nil, firstByteMilliseconds: Double? = nil
    ) {
        self.connectMilliseconds = connectMilliseconds
        self.firstByteMilliseconds = firstByteMilliseconds
        self.check = check
        self.at = at
        self.ok = ok
        self.finding = finding
        self.milliseconds = milliseconds
    }
}

/// What proved, or failed to prove, which revision is live.
package struct LiveReading: Codable, Hashable, Sendable {
    /// The revision in every answer; nil where they differ or none was readable.
    package var revision: Revision?
    /// How many answers named each revision, sorted by name.
    package var answers: [Answer]
    package var asked: Int
    package var services: [ServiceState]
    package var problem: String?

    package struct Answer: Codable, Hashable, Sendable {
        package var revision: Revision
        package var count: Int

        package init(revision: Revision, count: Int) {
            self.revision = revision
            self.count = count
        }
    }

    package init(
        revision: Revision?, answers: [Answer] = [], asked: Int = 0, services: [ServiceState] = [],
        problem: String? = nil
    ) {
        self.revision = revision
        self.answers = answers
        self.asked = asked
        self.services = services
        self.problem = problem
    }
}

/// What one run of one suite said.
package struct SuiteReading: Codable, Hashable, Sendable {
    package var totals: Totals
    /// Every test that did not pass, in full; the rest is in `testsFile`.
    package var notPassed: [TestResult]
    /// `tests.jsonl` inside the cycle folder.
    package var testsFile: String?
    /// The reports as the tool wrote them, inside the cycle folder.
    package var reports: [String]
    package var authenticity: Authenticity
    /// Set where the report or the tool cannot be believed as a pass; each with its rule.
    package var doubts: [Reason]
    /// Tests that were cut for being over their limit.
    package var cut: [String]
    /// The commit of the tests, where they have a repository of their own.
    package var testsRevision: Revision?

    package init(
        totals: Totals, notPassed: [TestResult] = [], testsFile: String? = nil, reports: [String] = [],
        authenticity: Authenticity = Authenticity(status: .proven), doubts: [Reason] = [], cut: [String] = [],
        testsRevision: Revision? = nil
    ) {
        self.testsRevision = testsRevision
        self.totals = totals
        self.notPassed = notPassed
        self.testsFile = testsFile
        self.reports = reports
        self.authenticity = authenticity
        self.doubts = doubts
        self.cut = cut
    }
}

/// The whole account of one stage run. Written into the journal when the run has ended.
package struct StageRecord: Codable, Hashable, Sendable {
    package var run: StageRun
    package var outcome: StageOutcome
    /// One line for people: value, comparator, threshold.
    package var summary: String
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    /// Measured on the monotonic clock where the run was seen from start to end.
    package var durationSeconds: Double
    package var commands: [CommandRecord]
    package var limitHit: String?
    package var live: LiveReading?
    /// What answered right after a deployment that failed or ran out of time; `live` proves, this only tells.
    package var leftLive: LiveReading?
    package var services: [ServiceState]
    package var probes: ProbeSummary?
    package var suite: SuiteReading?
    /// Whether the failure is of the surroundings (tools, network, disk) and not of the revision.
    package var infrastructure: Bool
    /// Set where the daemon took the run over after its own restart: what was found and done.
    package var recovery: String?
    /// The surroundings as they were seen at the borders of this stage.
    package var fingerprints: [Fingerprint]?
    /// Of a step of a fix: what it came to.
    package var role: RoleReading?
    /// Of a test: the targets that were measured after it.
    package var targets: [TargetRecord]?

    package init(
        run: StageRun, outcome: StageOutcome, summary: String, startedAt: Timestamp, endedAt: Timestamp,
        durationSeconds: Double, commands: [CommandRecord] = [], limitHit: String? = nil, live: LiveReading? = nil,
        services: [ServiceState] = [], probes: ProbeSummary? = nil, suite: SuiteReading? = nil,
        infrastructure: Bool = false, recovery: String? = nil
    ) {
        self.run = run
        self.outcome = outcome
        self.summary = summary
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.durationSeconds = durationSeconds
        self.commands = commands
        self.limitHit = limitHit
        self.live = live
        self.services = services
        self.probes = probes
        self.suite = suite
        self.infrastructure = infrastructure
        self.recovery = recovery
    }
}

/// What stabilizing saw: how long all checks held, and the last answers that did not.
package struct ProbeSummary: Codable, Hashable, Sendable {
    package var rounds: Int
    package var goodInARow: Int
    package var steadySeconds: Double
    /// The last failing answers, newest last, at most 20; all are in `file`.
    package var failures: [ProbeSample]
    /// `probes.jsonl` inside the cycle folder: one `ProbeSample` per line.
    package var file: String?

    package init(
        rounds: Int, goodInARow: Int, steadySeconds: Double, failures: [ProbeSample] = [], file: String? = nil
    ) {
        self.rounds = rounds
        self.goodInARow = goodInARow
        self.steadySeconds = steadySeconds
        self.failures = failures
        self.file = file
    }
}
