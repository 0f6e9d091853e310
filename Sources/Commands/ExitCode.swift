// SPDX-License-Identifier: Apache-2.0
// What the process says to its caller: the same codes for every command.

package import Domain

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

    /// What a cycle's end means to a caller; `degraded` passes only where the configuration ships it.
    package init(_ verdict: Verdict, _ recommendation: Recommendation) {
        self =
            switch verdict {
            case .healthy: recommendation == .ship ? .ok : .failing
            case .degraded: recommendation == .ship ? .ok : .failing
            case .failing: .failing
            case .unproven: .unproven
            case .interrupted: .interrupted
            }
    }
}
