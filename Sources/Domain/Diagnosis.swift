// SPDX-License-Identifier: Apache-2.0
// Failures that belong together, why they happened, and what was tried to find out.

/// What kind of cause a failure has.
package enum Category: String, Codable, Sendable, CaseIterable {
    case codeRegression = "code-regression"
    case deployFailure = "deploy-failure"
    case wrongRevision = "wrong-revision"
    case configChange = "config-change"
    case dependencyDown = "dependency-down"
    case environmentDown = "environment-down"
    case resourceExhaustion = "resource-exhaustion"
    case expiredCredential = "expired-credential"
    case dataState = "data-state"
    case performanceRegression = "performance-regression"
    case testDefect = "test-defect"
    case flakyTest = "flaky-test"
    case network
    case transient
    case fakeEvidence = "fake-evidence"
    case unknown
}

extension Category {
    /// Whether no commit brings it: the revision that was tested is not to blame.
    package var isOfSurroundings: Bool {
        switch self {
        case .dependencyDown, .environmentDown, .resourceExhaustion, .expiredCredential, .dataState, .network,
            .transient:
            true
        case .codeRegression, .deployFailure, .wrongRevision, .configChange, .performanceRegression, .testDefect,
            .flakyTest, .fakeEvidence, .unknown:
            false
        }
    }
}

/// How firmly a diagnosis stands.
package enum Grade: String, Codable, Sendable, CaseIterable {
    /// An experiment separated it from every other explanation that was considered.
    case proven
    case likely
    case possible
    case unknown
}

/// Where an answer can be checked: a file inside the cycle folder, and the place in it.
package struct EvidenceReference: Codable, Hashable, Sendable {
    /// Relative to the folder of the cycle that made the diagnosis.
    package var path: String
    /// First and last line, counted from 1.
    package var lines: [Int]?
    /// First byte and the byte after the last one.
    package var bytes: [Int]?
    /// The words that stand there.
    package var excerpt: String

    package init(path: String, lines: [Int]? = nil, bytes: [Int]? = nil, excerpt: String) {
        self.path = path
        self.lines = lines
        self.bytes = bytes
        self.excerpt = excerpt
    }
}

/// One of the five questions, with its answer or the honest word *unknown*.
package struct Why: Codable, Hashable, Sendable {
    package var n: Int
    package var question: String
    package var answer: String
    /// Between 0 and 1; 0 for unknown.
    package var confidence: Double
    package var evidence: [EvidenceReference]

    package init(
        n: Int, question: String, answer: String, confidence: Double, evidence: [EvidenceReference] = []
    ) {
        self.n = n
        self.question = question
        self.answer = answer
        self.confidence = confidence
        self.evidence = evidence
    }
}

/// A commit that may be, or is, to blame.
package struct Culprit: Codable, Hashable, Sendable {
    package var commit: Revision
    package var subject: String
    package var author: String?
    package var files: [String]
    /// Between 0 and 1.
    package var probability: Double

    package init(commit: Revision, subject: String, author: String? = nil, files: [String] = [], probability: Double) {
        self.commit = commit
        self.subject = subject
        self.author = author
        self.files = files
        self.probability = probability
    }
}

/// A category that the evidence speaks against.
package struct RuledOut: Codable, Hashable, Sendable {
    package var category: Category
    package var because: String

    package init(category: Category, because: String) {
        self.category = category
        self.because = because
    }
}

/// One explanation that was weighed, and what spoke for and against it.
package struct HypothesisRecord: Codable, Hashable, Sendable {
    package var category: Category
    /// Between 0 and 1, over all explanations that were weighed.
    package var probability: Double
    /// The rules that fired, each with its weight in words: `+2.3 logs-dependency: "llm connection refused" is new`.
    package var because: [String]

    package init(category: Category, probability: Double, because: [String] = []) {
        self.category = category
        self.probability = probability
        self.because = because
    }
}

/// What the loop may do about a diagnosis.
package enum RemedyKind: String, Codable, Sendable, CaseIterable {
    case none
    case rerun
    case redeploy
    case rollback
    case runbook
    case fix
    case fixTest = "fix-test"
    case rejectReport = "reject-report"
}

/// The account of why an incident happened.
package struct Diagnosis: Codable, Hashable, Sendable {
    package var category: Category
    package var component: String?
    package var summary: String
    package var grade: Grade
    package var culprit: Culprit?
    package var candidates: [Culprit]
    package var recommendedAction: RemedyKind
    /// The runbook command that the category calls for.
    package var runbook: String?
    package var whys: [Why]
    package var ruledOut: [RuledOut]
    /// The explanations that were weighed, likeliest first.
    package var hypotheses: [HypothesisRecord]?
    /// Where nothing won: the one check that would tell.
    package var check: String?
    /// How the failing tests behave, with its error rate: `fails 4/4 here, 0/5 on last green, p(flake) = 0.4 %`.
    package var statistics: String?
    /// What the grade rests on, value against threshold: `dependency-down 93 % >= 80 %`.
    package var grounds: String?
    /// The cycle that made it, where that is not the cycle of the record: its evidence is in the folder of that one.
    package var cycle: Int?

    package init(
        category: Category, component: String? = nil, summary: String, grade: Grade, culprit: Culprit? = nil,
        candidates: [Culprit] = [], recommendedAction: RemedyKind, runbook: String? = nil, whys: [Why] = [],
        ruledOut: [RuledOut] = [], hypotheses: [HypothesisRecord]? = nil, check: String? = nil,
        statistics: String? = nil, grounds: String? = nil
    ) {
        self.grounds = grounds
        self.hypotheses = hypotheses
        self.check = check
        self.statistics = statistics
        self.category = category
        self.component = component
        self.summary = summary
        self.grade = grade
        self.culprit = culprit
        self.candidates = candidates
        self.recommendedAction = recommendedAction
        self.runbook = runbook
        self.whys = whys
        self.ruledOut = ruledOut
    }
}

/// Failures that share a signature; lives across cycles.
package struct Incident: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable {
        case open, acknowledged, resolved
    }
    /// An incident is open until so many cycles in a row had a sound verdict and did not see it.
    package static let closingCycles = 2

    /// `INC-57`.
    package var id: String
    package var signature: String
    package var title: String
    /// Test ids, `suite::id` where several suites could share one.
    package var tests: [String]
    package var suites: [String]
    /// Performance targets that it misses; nil where it is about tests, a stage or evidence.
    package var targets: [String]?
    package var state: State
    package var firstSeen: Timestamp
    package var firstCycle: Int
    package var timesSeen: Int
    package var diagnosis: Diagnosis?
    package var lastSeen: Timestamp?
    package var acknowledgedBy: String?
    package var acknowledgedAt: Timestamp?
    package var resolvedAt: Timestamp?
    /// How often it came back after it had been resolved.
    package var timesReopened: Int?
    /// Incidents that were announced on their own and turned out to have the same cause.
    package var joined: [String]?

    /// Whether `id` is its number, or that of one which joined it.
    package func answers(to id: String?) -> Bool { id.map { self.id == $0 || joined?.contains($0) == true } ?? false }

    package init(
        id: String, signature: String, title: String, tests: [String], suites: [String], state: State = .open,
        firstSeen: Timestamp, firstCycle: Int, timesSeen: Int = 1, diagnosis: Diagnosis? = nil
    ) {
        self.id = id
        self.signature = signature
        self.title = title
        self.tests = tests
        self.suites = suites
        self.state = state
        self.firstSeen = firstSeen
        self.firstCycle = firstCycle
        self.timesSeen = timesSeen
        self.diagnosis = diagnosis
    }
}

/// Something done to learn: a question and the stages that answer it.
package struct Experiment: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// The failing tests again, alone, on what is deployed.
        case rerun
        /// The failing tests on the last green revision, now.
        case baseline
        /// The wanted revision deployed once more: what any deployment cures is not of the code.
        case again
        /// The failing tests on a revision between last green and wanted.
        case bisect
        /// The wanted revision with the suspected commit alone taken back: the failure must go.
        case revert
        /// The tests of one revision against the code of another: tells a changed test from changed code.
        case crossed
        /// Tests that are new or changed and have passed, several times more, on what is deployed.
        case burnIn = "burn-in"

        /// Whether it deploys a revision before it tests.
        package var deploys: Bool { self != .rerun && self != .burnIn }
    }
    package var number: Int
    package var kind: Kind
    package var question: String
    /// The revision that the tests run on.
    package var revision: Revision
    /// Which tests of which suites, in this order.
    package var tests: [Selection]
    /// How often the tests are run.
    package var times: Int
    /// Ends with the first round in which all pass: the question is answered then (Wald, "Sequential Tests of Statistical
    /// Hypotheses", 1945, with the number of failures that suffice as the other bound).
    package var untilPass: Bool?
    /// What triage expects to spend, for the plan that is announced.
    package var plannedDeploys: Int
    /// Of a `revert`: the commit that is taken back in `revision`.
    package var reverting: Revision?
    /// Of `crossed`: the revision whose test sources are run.
    package var testsRevision: Revision?

    package struct Selection: Codable, Hashable, Sendable {
        package var suite: String
        package var only: [String]

        package init(suite: String, only: [String]) {
            self.suite = suite
            self.only = only
        }
    }

    package init(
        number: Int, kind: Kind, question: String, revision: Revision, tests: [Selection], times: Int,
        plannedDeploys: Int = 0, reverting: Revision? = nil, testsRevision: Revision? = nil
    ) {
        self.number = number
        self.kind = kind
        self.question = question
        self.revision = revision
        self.tests = tests
        self.times = times
        self.plannedDeploys = plannedDeploys
        self.reverting = reverting
        self.testsRevision = testsRevision
    }
}

/// An experiment and what came of it, as `cycle.json` lists them.
package struct ExperimentRecord: Codable, Hashable, Sendable {
    package var experiment: Experiment
    /// Folders of its stage runs inside the cycle folder.
    package var stages: [String]
    /// `3/3 fail`, `passes 3/3`, `unproven 1/1`, `could not deploy`, `refused: …`.
    package var result: String
    package var refused: Bool
    /// Who allowed it, where it needed a person's word.
    package var approvedBy: String?

    package init(experiment: Experiment, stages: [String] = [], result: String, refused: Bool = false) {
        self.experiment = experiment
        self.stages = stages
        self.result = result
        self.refused = refused
    }
}

/// Something done to cure, and what came of it.
package struct ActionRecord: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        case started, succeeded, failed, skipped
    }
    package var kind: RemedyKind
    /// The runbook command's name, or the revision deployed.
    package var name: String?
    package var outcome: Outcome
    package var because: String
    /// Whose it is; an older nightjar did not tell.
    package var incident: String?
    /// Who allowed it, where it needed a person's word, and what they said.
    package var approvedBy: String?
    package var approvedBecause: String?
    /// Of a fix: the branch that holds it.
    package var branch: String?
    /// What came of it, where the outcome alone does not say: why a fix was refused, what a runbook did not cure.
    package var result: String?

    package init(kind: RemedyKind, name: String? = nil, outcome: Outcome, because: String) {
        self.kind = kind
        self.name = name
        self.outcome = outcome
        self.because = because
    }
}
