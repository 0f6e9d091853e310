// SPDX-License-Identifier: Apache-2.0
// Everything triage knows when it is asked what to do next. Values only: triage runs nothing and reads nothing.

package import Domain

/// A commit between the last green revision and the wanted one.
package struct CommitInfo: Hashable, Sendable {
    package var revision: Revision
    package var subject: String
    package var author: String?
    package var files: [String]
    /// The changes line by line, where they were read.
    package var changes: [FileChange]

    package init(
        revision: Revision, subject: String, author: String? = nil, files: [String] = [], changes: [FileChange] = []
    ) {
        self.changes = changes
        self.revision = revision
        self.subject = subject
        self.author = author
        self.files = files
    }
}

/// What the budgets still allow.
package struct TriageAllowance: Hashable, Sendable {
    package var experiments: [Experiment.Kind]
    package var deploys: Int
    package var seconds: Double
    package var nextNumber: Int
    /// Why no experiment may deploy; nil where one may.
    package var deploysBarred: String?

    package init(
        experiments: [Experiment.Kind], deploys: Int, seconds: Double, nextNumber: Int, deploysBarred: String?
    ) {
        self.experiments = experiments
        self.deploys = deploys
        self.seconds = seconds
        self.nextNumber = nextNumber
        self.deploysBarred = deploysBarred
    }
}

package struct TriageCase: Sendable {
    package var cycle: Int
    package var openedAt: Timestamp
    package var wanted: Revision
    package var lastGreen: Revision?
    package var records: [StageRecord]
    /// Records before this index were made before something was cured.
    package var decidingFrom: Int
    package var experiments: [ExperimentRecord]
    /// The suites of the deciding pass with what did not pass.
    package var suites: [SuiteRecord]
    /// Reasons of the provisional verdict that are no failing test.
    package var doubts: [Reason]
    /// Commits after `lastGreen` up to `wanted`, oldest first, first parents only.
    package var commits: [CommitInfo]
    /// Whether the last green revision is the one that the first of them was made on. It is not after a rebase or a force
    /// push: then it is a baseline, and its passes prove nothing of a single commit.
    package var greenIsParent = true
    /// Where the commits are listed in the cycle folder.
    package var commitsFile: String?
    package var commitsText: String
    package var openIncidents: [Incident]
    package var runbook: [RunbookPolicy]
    package var allowance: TriageAllowance
    /// Tests that fail with everybody's knowledge: they are not asked about.
    package var quarantined: Set<String>
    /// Evidence lines by `folder` and test id, see `reference(_:in:)`.
    package var references: [String: EvidenceReference]
    /// The last lines of a stage's console, by folder.
    package var consoles: [String: EvidenceReference]
    /// Each failing test's past by `historyKey(_:of:)`; a test without an entry is new.
    package var history: [String: TestHistory]
    /// New and grown kinds of log lines, the most telling first.
    package var logs: [LogFinding]
    package var surroundings: [SurroundingFact]
    /// Suites whose test sources can be taken from another revision than the code: `crossed` makes sense for them.
    package var crossable: Set<String>
    /// Why commits cannot be taken back alone, by commit: git found conflicts.
    package var irrevertible: [Revision: String]
    /// The names by which health checks know services and their dependencies: `auth`, `database`, `llm`.
    package var parts: [String]
    /// What explanations are weighed with.
    package var rules: TriageRules
    /// Tests that passed and are new or changed since the last green revision, the fastest first.
    package var changedTests: [ChangedTest] = []
    /// How those are tried; nil where they are not, or have been.
    package var burnIn: BurnInSettings?
    /// What culprits change, as it is kept in the cycle folder.
    package var patches: [Revision: KeptPatch] = [:]

    package init(
        cycle: Int, openedAt: Timestamp, wanted: Revision, lastGreen: Revision?, records: [StageRecord],
        decidingFrom: Int, experiments: [ExperimentRecord], suites: [SuiteRecord], doubts: [Reason],
        commits: [CommitInfo] = [], commitsFile: String? = nil, commitsText: String = "",
        openIncidents: [Incident] = [], runbook: [RunbookPolicy] = [], allowance: TriageAllowance,
        references: [String: EvidenceReference] = [:], consoles: [String: EvidenceReference] = [:],
        quarantined: Set<String> = [], history: [String: TestHistory] = [:], logs: [LogFinding] = [],
        surroundings: [SurroundingFact] = [], irrevertible: [Revision: String] = [:], crossable: Set<String> = [],
        parts: [String] = [], rules: TriageRules
    ) {
        self.parts = parts
        self.rules = rules
        self.crossable = crossable
        self.history = history
        self.logs = logs
        self.surroundings = surroundings
        self.irrevertible = irrevertible
        self.quarantined = quarantined
        self.cycle = cycle
        self.openedAt = openedAt
        self.wanted = wanted
        self.lastGreen = lastGreen
        self.records = records
        self.decidingFrom = decidingFrom
        self.experiments = experiments
        self.suites = suites
        self.doubts = doubts
        self.commits = commits
        self.commitsFile = commitsFile
        self.commitsText = commitsText
        self.openIncidents = openIncidents
        self.runbook = runbook
        self.allowance = allowance
        self.references = references
        self.consoles = consoles
    }

    package static func referenceKey(_ test: String, in folder: String) -> String { "\(folder)|\(test)" }

    package static func historyKey(_ test: String, of suite: String) -> String { "\(suite)|\(test)" }

    func reference(_ test: String, in folder: String) -> EvidenceReference? {
        references[TriageCase.referenceKey(test, in: folder)]
    }

    /// Records of the pass that is being asked about, and of every experiment.
    var current: ArraySlice<StageRecord> { records[min(decidingFrom, records.count)...] }
}

/// Triage's answer.
package enum TriageAnswer: Hashable, Sendable {
    case experiment(Experiment)
    case concluded([Incident])
}
