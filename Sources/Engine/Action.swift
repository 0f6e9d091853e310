// SPDX-License-Identifier: Apache-2.0
// What the machine wants done. Each action names its effect, so performing one twice is harmless.

package import Domain

/// What triage may still spend.
package struct TriageBudget: Codable, Hashable, Sendable {
    package var experiments: [Experiment.Kind]
    /// Deployments for experiments that are left for this incident and this night.
    package var deploys: Int
    package var seconds: Double
    package var nextNumber: Int
    /// Why experiments that deploy are not allowed; nil where they are.
    package var deploysBarred: String?
    /// Whether an irreversible change bars nothing now: a person may be asked, or has said yes.
    package var mayCrossIrreversible = false
    /// How new and changed tests are to be tried now; nil where they are not.
    package var burnIn: BurnInSettings?
}

/// What an operator is told about a request: whether anything came of it, and what is the case.
package struct OperatorAnswer: Hashable, Sendable {
    package var isDone: Bool
    package var words: String
}

/// How a loop ended its run.
package enum Ending: Hashable, Sendable {
    /// Stopped on request, or all cycles that were asked for are done.
    case done
    /// The last cycle's verdict, where a number of cycles was asked for.
    case cycles(Verdict)
    /// Nothing could be looked at: git, disk or the environment did not answer.
    case infrastructure(String)
    /// The loop's folder is not its own any more: nothing may be done.
    case displaced(String)
    /// Another has the environment: nothing may be done to it. The loop's folder is its own as before.
    case evicted(String)
    /// The wanted revision is known to be bad and was not deployed again.
    case knownBad(Revision)
    /// A command was left to its shepherd; the next start takes it over.
    case detached(StageRun)
}

/// An imperative to the supervisor.
package enum Action: Hashable, Sendable {
    case lookForWork(Trigger)
    /// Make the cycle's folder.
    case openCycle(Int)
    case run(StageRun)
    /// End the run's command; its record follows as an event.
    case cancel(StageRun)
    case askTriage(TriageBudget)
    case wake(TimerID, after: Duration)
    /// Write the evidence document and seal it.
    case seal(Int)
    /// Index line, `latest` and reports of a sealed cycle: conveniences made from the sealed evidence.
    case publish(Int)
    /// Remember the revision as the last green one in the repository.
    case markGreen(Revision)
    case say(LogLine)
    /// The reply to the operator's request that led here.
    case answer(OperatorAnswer)
    case finish(Ending)

    /// Whether the event that led here must be on the disk before this is done: it reaches outside, or ends a cycle.
    package var needsDurableIntent: Bool {
        switch self {
        case .run(let run): run.kind == .deploy || run.kind == .remedy
        case .seal, .publish, .markGreen: true
        case .openCycle, .cancel, .askTriage, .lookForWork, .wake, .say, .answer, .finish: false
        }
    }
}
