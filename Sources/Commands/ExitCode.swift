// SPDX-License-Identifier: Apache-2.0
// What the process says to its caller: the same codes for every command.

package import Domain
import Engine

package enum ExitCode: Int32, CaseIterable, Sendable {
    case ok = 0
    case failing = 1
    case usage = 2
    case unproven = 3
    case interrupted = 4
    case infrastructure = 5
    case notFound = 6
    case held = 7

    /// As help and manual print it.
    package var meaning: String {
        switch self {
        case .ok: "healthy, done, or ship"
        case .failing: "failing, or hold"
        case .usage: "wrong usage or configuration"
        case .unproven: "unproven: the evidence cannot carry a verdict"
        case .interrupted: "interrupted"
        case .infrastructure: "infrastructure: deployment, environment, or this machine failed"
        case .notFound: "not found"
        case .held: "held by another instance"
        }
    }

    /// What a cycle's end means to a caller: `degraded` passes only where the configuration ships it, and where the
    /// deployment or the environment stopped it before a test judged the revision, it says so.
    package init(_ verdict: Verdict, _ recommendation: Recommendation, _ reasons: [Reason]) {
        self =
            switch verdict {
            case .healthy, .degraded: recommendation == .ship ? .ok : .failing
            case .failing: VerdictRules.isStoppedByGround(verdict, reasons) ? .infrastructure : .failing
            case .unproven: VerdictRules.isStoppedByGround(verdict, reasons) ? .infrastructure : .unproven
            case .interrupted: .interrupted
            }
    }
}
