// SPDX-License-Identifier: Apache-2.0
// What is known of the cycle that is under way.

package import Domain

/// One thing to do: a stage run without its attempt number.
package struct Step: Hashable, Sendable {
    package var kind: StageKind
    package var purpose: Purpose
    package var subject: String?
    package var revision: Revision
    package var only: [String]?
    package var experiment: Int?
    package var testsRevision: Revision?

    package init(
        _ kind: StageKind, _ purpose: Purpose, _ subject: String? = nil, revision: Revision, only: [String]? = nil,
        experiment: Int? = nil, testsRevision: Revision? = nil
    ) {
        self.testsRevision = testsRevision
        self.kind = kind
        self.purpose = purpose
        self.subject = subject
        self.revision = revision
        self.only = only
        self.experiment = experiment
    }
}

/// Why a suite did not run.
package struct NotRun: Hashable, Sendable {
    /// Of the verdict rules.
    package var rule: String
    package var text: String
}

/// The cycle under way: its steps done and to do, and what was learned.
package struct CycleProgress: Hashable, Sendable {
    /// What the steps in the queue are for.
    package enum Phase: Hashable, Sendable {
        case first
        case experiment(Experiment)
        /// The index of the action in `actions`.
        case remedy(Int)
        case restore
    }

    /// What the environment runs, as far as is known.
    package struct Ground: Hashable, Sendable {
        package var deployed: Revision?
        package var serving: Revision?
        package var hasDeployed: Bool
    }

    package var number: Int
    package var work: WorkSeen
    package var policy: LoopPolicy
    package var settingsHash: String
    package var startedAt: Timestamp
    package var previousLive: Revision?
    package var lastGreen: Revision?
    package var phase = Phase.first
    package var queue: [Step] = []
    package var records: [StageRecord] = []
    /// Records before this index were made before something was cured: they do not decide the verdict.
    package var decidingFrom = 0
    /// `decidingFrom` before all suites ran once more on what was deployed: both passes tell of one state.
    package var observedFrom: Int?
    /// `decidingFrom` before the remedy under way.
    package var decidedFrom = 0
    package var experiments: [ExperimentRecord] = []
    package var incidents: [Incident] = []
    /// Incidents of an earlier pass of this cycle, before something was redeployed.
    package var earlierIncidents: [Incident] = []
    package var actions: [ActionRecord] = []
    /// Suites that did not run, with the reason.
    package var notRun: [String: NotRun] = [:]
    /// What the environment runs as far as deployments tell; nil where unknown.
    package var deployed: Revision?
    /// Whether a deployment of this cycle has been started: before that there is nothing to roll back.
    package var hasDeployed = false
    /// What was known when the newest deployment was started: it holds again where its command did not run.
    package var beforeDeploy: Ground?
    /// The same of the first deployment.
    package var beforeFirstDeploy: Ground?
    package var experimentDeploys = 0
    package var questions = 0
    package var infrastructureRetries = 0
    package var refusals = 0
    package var triageStartedAt: Timestamp?
    package var interruption: Reason?
    /// Why neither an experiment nor a rollback may cross the change between last green and wanted.
    package var irreversible: String?
    /// The question that a person is asked now.
    package var approval: Approval?
    /// What people have said in this cycle.
    package var answers: [ApprovalAnswer] = []
    /// What people have asked for since the cycle before was concluded.
    package var requests: [RequestRecord] = []
    /// The experiment that waits for a person's word.
    package var pendingExperiment: Experiment?
    /// The open incident whose proven culprit the wanted revision contains: its failing tests are run first.
    package var expecting: String?
    /// Set when they failed: the cycle joins that incident, and nothing else is run.
    package var joined: Joined?
    /// The cycle since which the wanted revision is known to be bad: it is tested where it is, and nothing is deployed.
    package var retests: Int?
    /// The fix that is under way, or was tried.
    package var fix: FixProgress?
    /// Names of commands in the cycle's folder that another version began: none of them is used again.
    package var foreign: [String] = []
    /// The revision that is deployed again because an operator aborted a deployment.
    package var returnsTo: Revision?
    package var concluded: Judgement?
    /// Incidents that were said to be there before triage has concluded about them.
    package var announced: [Incident] = []
    /// The newest experiment's line, until triage has said what it shows.
    package var unsaid: LogLine?

    package var wanted: Revision { work.wanted }

    /// The attempt number for a run of this step: runs are counted per folder name, in which two subjects may look the
    /// same.
    package func attempt(for step: Step) -> Int {
        let stage = StageRun.stage(step.kind, step.purpose)
        let name = step.subject.map { StageRun.fileName($0) }
        let before = records.filter { $0.run.stage == stage && $0.run.subject.map { StageRun.fileName($0) } == name }
        return (before.map(\.run.attempt).max() ?? 0) + 1
    }

    package func run(for step: Step) -> StageRun {
        var run = StageRun(
            cycle: number, kind: step.kind, purpose: step.purpose, subject: step.subject, attempt: attempt(for: step),
            revision: step.revision, only: step.only, experiment: step.experiment, testsRevision: step.testsRevision)
        while foreign.contains(where: { $0 == run.folder || $0.hasPrefix(run.folder + ".") }) { run.attempt += 1 }
        return run
    }

    /// The records that decide the verdict: the pass over the wanted revision after the last cure.
    package var deciding: ArraySlice<StageRecord> { records[min(decidingFrom, records.count)...] }

    /// What the environment is to run when the cycle ends.
    package var home: Revision { fix?.home ?? returnsTo ?? restoredTo ?? wanted }

    /// The last green revision, where a rollback has brought it back.
    private var restoredTo: Revision? {
        let isBack = deployed != nil && deployed == lastGreen
        return isBack && actions.contains { $0.kind == .rollback && $0.outcome != .skipped } ? lastGreen : nil
    }

    /// Whether experiments, a fix or an aborted deployment have moved the environment.
    package var wasMoved: Bool { experimentDeploys > 0 || fix?.wasDeployed == true || returnsTo != nil }

    /// Whether this cycle has deployed the revision, or tried to.
    package func hasTouched(_ revision: Revision) -> Bool {
        records.contains { $0.run.kind == .deploy && $0.run.revision.names(revision) }
    }

    /// The record that decides about a suite: the last whole run of it on the wanted revision.
    package func decidingRecord(suite: String) -> StageRecord? {
        deciding.last { record in
            record.run.kind == .test && record.run.subject == suite && record.run.only == nil
                && record.run.revision == wanted && [.cycle, .reverify, .redeploy].contains(record.run.purpose)
                && record.outcome != .neverRan
        }
    }
}

extension CycleProgress {
    /// Names of the targets that the passes of this cycle missed and that are asked about.
    var targetsInQuestion: Set<String> {
        let measured = records.filter { $0.run.experiment == nil }.flatMap { $0.targets ?? [] }
        return Set(measured.filter(\.isInQuestion).map(\.name))
    }

    /// Whether every stage of an experiment did what it should: what is unclear, or was not run, proves nothing.
    func wasWell(_ experiment: ExperimentRecord) -> Bool {
        let own = records.filter { $0.run.experiment == experiment.experiment.number && $0.outcome != .neverRan }
        return !experiment.refused && !own.isEmpty
            && own.allSatisfy { record in
                record.outcome == .succeeded && (record.suite?.totals.failing ?? 0) == 0
                    && !ExperimentResult.isDoubtful(record) && ExperimentResult.meets(record, targetsInQuestion)
            }
    }
}

/// How far a fix has come.
package struct FixProgress: Hashable, Sendable {
    package enum Stage: Hashable, Sendable {
        /// Roles and audit, up to the commit.
        case preparing
        /// Deployed and tested.
        case verifying
        case ending
    }

    package var incident: Incident
    /// The index of the action in `actions`.
    package var action: Int
    package var stage = Stage.preparing
    /// Runs of the failing tests that must all pass.
    package var passes: Int
    /// What the environment is to run afterwards.
    package var home: Revision
    package var revision: Revision?
    package var wasDeployed = false
    package var audit: [AuditRecord] = []
}

/// The open incident that a cycle has joined, and the stage that showed it.
package struct Joined: Hashable, Sendable {
    package var incident: String
    package var culprit: Revision
    package var suite: String
    package var stage: String
    package var text: String

    /// Whether what it showed still decides: it was seen after the last cure.
    func isDeciding(in cycle: CycleProgress) -> Bool { cycle.deciding.contains { $0.run.folder == stage } }
}

/// What a person (or nobody, in time) has said to a question.
package struct ApprovalAnswer: Hashable, Sendable {
    package var subject: ApprovalSubject
    package var incident: String?
    package var isApproved: Bool
    package var by: String
    package var reason: String?
}

/// What the verdict rules made of a cycle.
package struct Judgement: Hashable, Sendable {
    package var verdict: Verdict
    package var recommendation: Recommendation
    package var reasons: [Reason]
    package var suites: [SuiteRecord]
}
