// SPDX-License-Identifier: Apache-2.0
// Rules of triage as data: which sign speaks for or against which kind of cause, how strongly, and why.

/// Something that is or is not so about a failure. Rules name signs; `nightjar rules` lists them.
package enum TriageSign: String, Codable, Sendable, CaseIterable {
    case deployFailed = "deploy-failed"
    case notStable = "not-stable"
    case testsFail = "tests-fail"
    case evidenceEmpty = "evidence-empty"
    case targetMissed = "target-missed"
    case targetRegressed = "target-regressed"
    case wrongRevision = "wrong-revision"
    case massFailure = "mass-failure"
    case manyTests = "many-tests"
    case hanging
    case slow
    case comesAndGoes = "comes-and-goes"
    case healed
    case healedTogether = "healed-together"
    case noNewCommits = "no-new-commits"
    case testChanged = "test-changed"
    case testNew = "test-new"
    case flakyBefore = "flaky-before"
    case neverFlaky = "never-flaky"
    case oneServiceSilent = "one-service-silent"
    case allServicesSilent = "all-services-silent"
    case dependencyUnwell = "dependency-unwell"
    case serviceUnwell = "service-unwell"
    case answeringService = "answering-service"
    case culpritFound = "culprit-found"
    case culpritTestsOnly = "culprit-tests-only"
    case culpritConfigurationOnly = "culprit-configuration-only"
    case culpritMigration = "culprit-migration"
    case culpritDeploymentOnly = "culprit-deployment-only"
    case culpritBeyondLuck = "culprit-beyond-luck"
    case outOfReach = "out-of-reach"
    case healthyAfter = "healthy-after"
    case newMigration = "new-migration"
    case newConfiguration = "new-configuration"
    case failsOnGreen = "fails-on-green"
    case passesOnGreen = "passes-on-green"
    case mixedOnGreen = "mixed-on-green"
    case failsAgain = "fails-again"
    case passesAgain = "passes-again"
    case oldTestsPass = "old-tests-pass"
    case oldTestsFail = "old-tests-fail"
    case revertPasses = "revert-passes"
    case revertFails = "revert-fails"
    case diskProblem = "disk-problem"
    case memoryProblem = "memory-problem"
    case descriptorProblem = "descriptor-problem"
    case loadProblem = "load-problem"
    case clockProblem = "clock-problem"
    case certificateProblem = "certificate-problem"
    case nameProblem = "name-problem"
    case addressProblem = "address-problem"
    case healthProblem = "health-problem"
    case fileChanged = "file-changed"

    /// When the sign is there, in one line.
    package var meaning: String {
        switch self {
        case .deployFailed: "the deployment of the wanted revision failed"
        case .notStable: "the environment did not get stable after the deployment"
        case .testsFail: "tests fail"
        case .evidenceEmpty: "no test fails, and what a suite reports cannot carry a pass"
        case .targetMissed: "no test fails, and a performance target is missed"
        case .targetRegressed: "the missed target is worse than at the last green cycle, beyond noise"
        case .wrongRevision: "another revision answers than the deployed one"
        case .massFailure: "more than 80 % of at least 5 tests fail"
        case .manyTests: "at least 3 tests fail in the same way"
        case .hanging: "a test was cut at its limit"
        case .slow: "the failures speak of a measured time or rate, and of nothing else"
        case .comesAndGoes: "passes and fails on one revision, with no deployment between"
        case .healed: "failed at first and has passed in each run since, with no deployment between"
        case .healedTogether: "at least 3 tests failed in one pass, whatever they say, and all have passed since"
        case .noNewCommits: "the wanted revision is the last green one"
        case .testChanged: "the source of a failing test changed since the last green revision"
        case .testNew: "a failing test has no past"
        case .flakyBefore: "a failing test has failed and passed on one revision in earlier cycles"
        case .neverFlaky: "each failing test passed at least 20 runs of earlier cycles without a flake"
        case .oneServiceSilent: "one service does not answer, others do"
        case .allServicesSilent: "no service answers"
        case .dependencyUnwell: "a service says that one of its dependencies is not well"
        case .serviceUnwell: "a service answers and is not well"
        case .answeringService: "what failing tests say is away answers the loop's own checks"
        case .culpritFound: "one commit fails and its parent passes, each deployed for it"
        case .culpritTestsOnly: "that commit changed tests alone"
        case .culpritConfigurationOnly: "that commit changed configuration alone, or with tests and documents"
        case .culpritMigration: "that commit changed a migration"
        case .culpritDeploymentOnly: "that commit changed files of the deployment alone, or with tests and documents"
        case .outOfReach: "the failures are ones of reaching something, or a service does not answer"
        case .culpritBeyondLuck: "passes before that commit more often than luck explains"
        case .healthyAfter: "every named service answers with its revision after the tests, which still fail"
        case .newMigration: "a migration is among what changed since the last green revision"
        case .newConfiguration: "configuration is among what changed since the last green revision"
        case .failsOnGreen: "fails on the last green revision too, deployed now"
        case .passesOnGreen: "passes on the last green revision, deployed now"
        case .mixedOnGreen: "comes and goes on the last green revision too, deployed now"
        case .failsAgain: "fails on the wanted revision deployed once more"
        case .passesAgain: "passes on the wanted revision deployed once more"
        case .oldTestsPass: "the tests as they were pass on the new code"
        case .oldTestsFail: "the tests as they were fail on the new code too"
        case .revertPasses: "passes with the suspected commit alone taken back"
        case .revertFails: "fails also with the suspected commit taken back"
        case .diskProblem: "a disk is full, or out of inodes"
        case .memoryProblem: "memory is short"
        case .descriptorProblem: "file descriptors are short"
        case .loadProblem: "the machine is overloaded"
        case .clockProblem: "a clock is wrong"
        case .certificateProblem: "a certificate has expired or is not valid"
        case .nameProblem: "a name does not resolve, or to another address than when the loop was last green"
        case .addressProblem: "an address does not accept connections"
        case .healthProblem: "a health check is not well"
        case .fileChanged: "a watched file of the surroundings changed since the loop was last green"
        }
    }
}

/// Where words are looked for.
package enum TriagePlace: String, Codable, Sendable, CaseIterable {
    /// Type, message and details of failing tests.
    case message
    /// What failing health checks found.
    case probe
    /// The last lines of a stage that failed.
    case console
    /// New and grown kinds of log lines.
    case log
}

/// One rule: where its condition holds, its weights are added to the log-odds of the categories it speaks about.
package struct TriageRule: Hashable, Sendable {
    package var name: String
    /// Why, in one sentence.
    package var says: String
    /// Of the rules of one group only the strongest counts for a category: they are about the same thing.
    package var group: String?
    /// Signs that must all be there, and signs of which none may.
    package var when: [TriageSign]
    package var unless: [TriageSign]
    /// One of these must occur, in one of `places`, letter case aside; empty asks for none.
    package var words: [String]
    /// The lists whose words are among `words`.
    package var lists: [String]
    package var places: [TriagePlace]
    /// One of these globs must match a suspected file; empty asks for none.
    package var files: [String]
    /// Log-odds in nats (natural logarithm): 2.3 makes a category ten times as likely beside the others.
    package var weights: [Category: Double]

    package init(
        name: String, says: String, group: String? = nil, when: [TriageSign] = [], unless: [TriageSign] = [],
        words: [String] = [], lists: [String] = [], places: [TriagePlace] = TriagePlace.allCases, files: [String] = [],
        weights: [Category: Double]
    ) {
        self.lists = lists
        self.name = name
        self.says = says
        self.group = group
        self.when = when
        self.unless = unless
        self.words = words
        self.places = places
        self.files = files
        self.weights = weights
    }
}

/// Everything triage weighs explanations with.
package struct TriageRules: Hashable, Sendable {
    /// How likely each category is before anything is known; parts of any whole.
    package var prior: [Category: Double]
    /// How likely the failure shows in an experiment of a kind if a category is the cause.
    package var shows: [Experiment.Kind: [Category: Double]]
    package var rules: [TriageRule]
    /// Words that several rules look for, by the name of the list; in lower case.
    package var lists: [String: [String]]

    package init(
        prior: [Category: Double] = [:], shows: [Experiment.Kind: [Category: Double]] = [:], rules: [TriageRule] = [],
        lists: [String: [String]] = [:]
    ) {
        self.lists = lists
        self.prior = prior
        self.shows = shows
        self.rules = rules
    }

    /// These with `others` added: what has the same name is replaced, but a list has the words of both, in every rule that
    /// uses it.
    package func extended(by others: TriageRules) -> TriageRules {
        var all = self
        for (name, words) in others.lists {
            all.lists[name] = TriageRules.joined(all.lists[name] ?? [], words)
            for index in all.rules.indices where all.rules[index].lists.contains(name) {
                all.rules[index].words = TriageRules.joined(all.rules[index].words, words)
            }
        }
        all.prior.merge(others.prior) { $1 }
        for (kind, chances) in others.shows { all.shows[kind, default: [:]].merge(chances) { $1 } }
        for rule in others.rules {
            if let index = all.rules.firstIndex(where: { $0.name == rule.name }) {
                all.rules[index] = rule
            } else {
                all.rules.append(rule)
            }
        }
        return all
    }

    private static func joined(_ one: [String], _ other: [String]) -> [String] {
        one + other.filter { !one.contains($0) }
    }
}
