// SPDX-License-Identifier: Apache-2.0
// A culprit search that a person asked for, `bisection.json`, schema `nightjar.bisection/1`.

/// What the search came to for one test.
package struct BisectedTest: Codable, Hashable, Sendable {
    package enum Answer: String, Codable, Sendable {
        /// Proven: it fails on the culprit, passes on its parent, and the probability reaches what is wanted.
        case culprit
        /// No commit of the range brought the failure.
        case none
        /// Not certain enough: `candidates` are ranked.
        case undecided
    }
    /// What was seen on one revision.
    package struct Row: Codable, Hashable, Sendable {
        package var revision: Revision
        package var fails: Int
        package var passes: Int
        /// The probability that this commit brought the failure; 0 for the good end of the range.
        package var probability: Double
        /// Why nothing could be learned there.
        package var untestable: String?

        package init(
            revision: Revision, fails: Int, passes: Int, probability: Double, untestable: String? = nil
        ) {
            self.revision = revision
            self.fails = fails
            self.passes = passes
            self.probability = probability
            self.untestable = untestable
        }
    }
    package var suite: String
    package var test: String
    package var answer: Answer
    package var culprit: Culprit?
    /// The likeliest commits, at most ten.
    package var candidates: [Culprit]
    package var noneProbability: Double
    /// How often it fails on good and on bad revisions, as far as the search can tell.
    package var goodRate: Double
    package var badRate: Double
    /// Revisions on which something was tried, oldest first.
    package var revisions: [Row]

    package init(
        suite: String, test: String, answer: Answer, culprit: Culprit?, candidates: [Culprit], noneProbability: Double,
        goodRate: Double, badRate: Double, revisions: [Row]
    ) {
        self.suite = suite
        self.test = test
        self.answer = answer
        self.culprit = culprit
        self.candidates = candidates
        self.noneProbability = noneProbability
        self.goodRate = goodRate
        self.badRate = badRate
        self.revisions = revisions
    }
}

package struct BisectionRecord: Codable, Hashable, Sendable {
    package static let schemaName = "nightjar.bisection/1"

    package enum State: String, Codable, Sendable {
        /// Under way, or its process died: the environment may be anywhere between.
        case running
        case ended
    }
    package enum Environment: String, Codable, Sendable {
        /// Nothing was deployed.
        case untouched
        /// What was live before is live again.
        case restored
        /// Somebody else deployed meanwhile: what they deployed was left alone.
        case superseded
        /// The way back failed, or was not waited for.
        case unknown
    }
    package var schema = BisectionRecord.schemaName
    package var number: Int
    package var loop: String
    package var good: Revision
    package var bad: Revision
    /// The number of commits in the range.
    package var commits: Int
    /// What was live before, and is to be live again.
    package var restoreTo: Revision
    package var startedAt: Timestamp
    package var endedAt: Timestamp?
    package var state: State
    package var environment: Environment
    /// Why it ended before it had an answer.
    package var stoppedBecause: String?
    package var plannedDeploys: Int
    package var maximumDeploys: Int
    package var deploys: Int
    package var tests: [BisectedTest]
    package var stages: [StageRecord]
    /// The stage that is under way: who finds it here takes it up again before doing anything else.
    package var running: StageRun?

    package init(
        number: Int, loop: String, good: Revision, bad: Revision, commits: Int, restoreTo: Revision,
        startedAt: Timestamp, plannedDeploys: Int, maximumDeploys: Int
    ) {
        self.number = number
        self.loop = loop
        self.good = good
        self.bad = bad
        self.commits = commits
        self.restoreTo = restoreTo
        self.startedAt = startedAt
        self.plannedDeploys = plannedDeploys
        self.maximumDeploys = maximumDeploys
        state = .running
        environment = .untouched
        deploys = 0
        tests = []
        stages = []
    }
}
