// SPDX-License-Identifier: Apache-2.0
// What the loop knows at the moment when somebody may have to be told.

package import Domain

/// Everything a decision about messages depends on. The supervisor makes it from the journal and the sealed evidence.
package struct Situation: Hashable, Sendable {
    package var loop: String
    package var host: String
    package var cycle: Int?
    package var verdict: Verdict?
    package var wanted: Revision?
    package var subject: String?
    /// What staging serves; nil where that is unknown.
    package var serving: Revision?
    package var lastGreen: Revision?
    package var environment: EnvironmentRecord.State
    /// The end of the last cycle that was not failing, or the first failing one; nil where nothing fails.
    package var failingSince: Timestamp?
    /// Why the environment was not restored although it was to be: refused or failed.
    package var restoreProblem: String?
    /// What the newest cycle left in an environment that it moved and did not bring back, whatever its verdict.
    package var leftBehind: String?
    /// Why the loop ended by itself; nil where it goes on, or was asked to end.
    package var ended: String?
    /// Whether the live revision can be read at all: without that, unknown is no news.
    package var provesRevision = true
    package var incidents: [Incident]
    /// Of the most important suite that an incident fails, by the incident's id.
    package var priorities: [String: Int] = [:]
    package var valueAtRisk: Double
    package var valueUnit: String
    /// What makes it fail, by the reasons of the verdict, the first first.
    package var fails: [String] = []
    /// Whether `cycle` is not sealed yet: a question is put in the middle of one.
    package var isUnderWay = false
    /// Cycles in a row that were `unproven` or superseded.
    package var doubtfulInARow: Int
    /// What is waited for by hand, and until when.
    package var approval: Approval?
    /// The daemon's own troubles by a stable name: `infrastructure`, `deadman`, `receiver-chat`.
    package var troubles: [String: String]
    /// What the loop does next, in words.
    package var next: String

    package init(
        loop: String, host: String, cycle: Int? = nil, verdict: Verdict? = nil, wanted: Revision? = nil,
        subject: String? = nil, serving: Revision? = nil, lastGreen: Revision? = nil,
        environment: EnvironmentRecord.State = .unknown, failingSince: Timestamp? = nil,
        restoreProblem: String? = nil, incidents: [Incident] = [], valueAtRisk: Double = 0, valueUnit: String = "",
        doubtfulInARow: Int = 0, approval: Approval? = nil, troubles: [String: String] = [:], next: String = ""
    ) {
        self.loop = loop
        self.host = host
        self.cycle = cycle
        self.verdict = verdict
        self.wanted = wanted
        self.subject = subject
        self.serving = serving
        self.lastGreen = lastGreen
        self.environment = environment
        self.failingSince = failingSince
        self.restoreProblem = restoreProblem
        self.incidents = incidents
        self.valueAtRisk = valueAtRisk
        self.valueUnit = valueUnit
        self.doubtfulInARow = doubtfulInARow
        self.approval = approval
        self.troubles = troubles
        self.next = next
    }

    /// Whether the environment runs something that is not known to be good.
    package var isBroken: Bool { verdict == .failing && environment != .restored }
}
