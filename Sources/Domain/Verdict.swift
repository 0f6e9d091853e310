// SPDX-License-Identifier: Apache-2.0
// What a cycle says in the end.

/// What the evidence says about the wanted revision. Precedence: interrupted > failing > unproven > degraded > healthy.
package enum Verdict: String, Codable, Sendable, CaseIterable {
    /// Everything that was to be proven is proven.
    case healthy
    /// Only failures that do not block.
    case degraded
    /// A blocking test, the deployment or the proof of the revision failed.
    case failing
    /// The evidence cannot carry a verdict.
    case unproven
    /// The cycle did not come to its end, or the ground moved under it.
    case interrupted

    /// The higher one decides where several apply.
    package var severity: Int {
        switch self {
        case .healthy: 0
        case .degraded: 1
        case .unproven: 2
        case .failing: 3
        case .interrupted: 4
        }
    }
}

/// What a pipeline should do with the wanted revision.
package enum Recommendation: String, Codable, Sendable {
    case ship
    case hold
}

/// One reason for a verdict: the rule that fired, in words with value and threshold, and where the evidence is.
package struct Reason: Codable, Hashable, Sendable {
    /// The rule about a pass that a change to the tests has made; triage finds out, and the verdict rests on it.
    package static let checksMuted = "checks-muted"

    /// The rule's stable name, such as `report-missing`.
    package var rule: String
    package var verdict: Verdict
    package var text: String
    /// The suite, check or test concerned.
    package var subject: String?
    /// A path inside the cycle folder.
    package var evidence: String?

    package init(rule: String, verdict: Verdict, text: String, subject: String? = nil, evidence: String? = nil) {
        self.rule = rule
        self.verdict = verdict
        self.text = text
        self.subject = subject
        self.evidence = evidence
    }
}

/// How far the evidence of a suite can be trusted, judged from outside the tests.
package struct Authenticity: Codable, Hashable, Sendable {
    package enum Status: String, Codable, Sendable, CaseIterable {
        case proven, doubtful, contradicted
        /// Nothing was compared: the suite is not `real`, or only some of its tests ran.
        case unobserved
    }
    package var status: Status
    /// Whether something speaks against the run, rather than nothing for it.
    package var isDoubted: Bool { status == .doubtful || status == .contradicted }
    /// Each doubt or contradiction with its rule; also what could not be observed.
    package var reasons: [Reason]
    /// `2/5` while the soft rules still learn; nil once they judge.
    package var baseline: String?

    package init(status: Status, reasons: [Reason] = [], baseline: String? = nil) {
        self.status = status
        self.reasons = reasons
        self.baseline = baseline
    }
}
