// SPDX-License-Identifier: Apache-2.0
// Whether it was the deployment or the environment, and no test, that ended a cycle.

package import Domain

extension VerdictRules {
    /// Rules of what a test needs before it can say anything: that the revision is deployed, runs, and is the one that answers.
    package static let groundRules: Set<String> = [
        "deploy-failed", "deploy-lost", "infrastructure", "not-stable", "wrong-revision",
    ]

    /// What follows from those, or is said beside them: no word about the revision by itself.
    private static let silentRules: Set<String> = ["not-run", "revision-not-read"]

    /// Whether the reasons that carry a verdict are all of the ground: no test judged the revision. A test that failed, or
    /// whose account cannot be believed, makes it false, and so does a verdict that is no failure.
    package static func isStoppedByGround(_ verdict: Verdict, _ reasons: [Reason]) -> Bool {
        guard verdict == .failing || verdict == .unproven else { return false }
        let carrying = reasons.lazy.filter { $0.verdict == verdict }.map(\.rule)
        return carrying.contains { groundRules.contains($0) }
            && carrying.allSatisfy { groundRules.contains($0) || silentRules.contains($0) }
    }
}
