// SPDX-License-Identifier: Apache-2.0
// The one check that would tell most where the evidence carries no answer. It is never one that was made, and where it is
// not permitted, or was and is not worth its time, that is said with it.

import Domain

struct NextCheck {
    let account: Account
    private var facts: TriageCase { account.facts }
    private var green: String { facts.lastGreen?.short ?? "last green" }

    init(_ account: Account) {
        self.account = account
    }

    var words: String {
        let wanted = facts.wanted.short
        guard let last = facts.lastGreen else { return NextCheck.withoutGreen }
        guard last != facts.wanted else { return shared("\(wanted) was green before") }
        if account.green.runs == 0 {
            if account.green.untestable {
                return "find out why last green \(green) cannot be asked now: it was deployed for it and could not be"
            }
            return "run the same on last green \(green), deployed now (\(NextCheck.standing(.baseline, facts)))"
        }
        if account.green.isFailing { return shared("last green \(green) fails now too") }
        if account.again.runs == 0 {
            return "deploy \(wanted) once more and run the same (\(NextCheck.standing(.again, facts)))"
        }
        if account.again.isPassing { return shared("\(wanted), deployed once more, passes") }
        if let culprit = account.culprit, account.taken.runs == 0 {
            let conflict = facts.irrevertible[culprit.revision].map { "git could not: \($0)" }
            let standing = conflict ?? NextCheck.standing(.revert, facts)
            return "take \(culprit.revision.short) alone back and run the same (\(standing))"
        }
        return
            "deploy the commits between \(green) and \(wanted) one by one (\(NextCheck.standing(.bisect, facts)))"
    }

    private func shared(_ because: String) -> String {
        "look at what \(Components.shared(account)) were when the loop was last green, and what they are now (\(because))"
    }

    /// Where no suspicion is weighed: what the evidence of a suite is worth.
    static func words(_ facts: TriageCase) -> String {
        guard let green = facts.lastGreen else { return withoutGreen }
        guard green != facts.wanted else {
            return "look at what changed around \(facts.wanted.short), which was green before"
        }
        return "run the same suite on last green \(green.short), deployed now (\(standing(.baseline, facts)))"
    }

    private static let withoutGreen =
        "bring the loop to a green cycle once: no revision is known to be green, so there is none to compare with"

    /// Whether an experiment that was not made is permitted, and why it was not made.
    private static func standing(_ kind: Experiment.Kind, _ facts: TriageCase) -> String {
        if let barred = facts.allowance.deploysBarred { return barred }
        let refused = facts.experiments.last { $0.refused && $0.experiment.kind == kind }
        if let refused { return refused.result }
        if !facts.allowance.experiments.contains(kind) {
            return "triage.experiments does not list \(kind.rawValue)"
        }
        if facts.allowance.deploys < 1 { return "no deploy is left" }
        if facts.allowance.seconds <= 0 { return "triage.budget is spent" }
        return facts.experiments.contains { $0.experiment.kind == kind }
            ? "permitted; so far it did not decide" : "permitted, and not worth its time by what is known"
    }
}
