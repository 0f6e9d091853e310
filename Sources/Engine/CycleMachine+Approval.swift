// SPDX-License-Identifier: Apache-2.0
// Questions to people. The loop waits, with a deadline; other loops go on. What was said, and that nobody said anything,
// is in the evidence. A newer revision ends the wait: fixing forward is an answer too.

package import Domain

extension CycleMachine {
    /// Puts a question. A single cycle in the foreground has nobody to wait for.
    mutating func ask(_ approval: Approval, _ now: Timestamp) -> [Action] {
        cycle?.approval = approval
        state = .awaitingApproval
        guard cyclesLeft == nil else { return deny(by: "nobody", "a single cycle does not wait for a word", now) }
        return [.say(question(approval))] + awaitingTimers(now)
    }

    func approval(
        _ subject: ApprovalSubject, incident: String?, name: String?, because: String, pastMigration: Bool,
        _ now: Timestamp
    ) -> Approval {
        let seconds = cycle?.policy.approvalDeadlineSeconds ?? 14_400
        return Approval(
            subject: subject, incident: incident, name: name, because: because, pastMigration: pastMigration,
            askedAt: now, deadline: now + .milliseconds(Int64(seconds * 1000)))
    }

    /// What a person is asked now; nil where the loop waits for nobody.
    package var awaited: Approval? {
        guard case .awaitingApproval = state else { return nil }
        return cycle?.approval
    }

    /// The question that people wait to answer: it outlives the daemon, so it stands at an end and before the next beginning.
    package var standingQuestion: Approval? {
        if let awaited { return awaited }
        guard case .finished = state else { return nil }
        return cycle?.approval
    }

    private func question(_ approval: Approval) -> LogLine {
        let otherwise = cycle?.policy.atDeadline ?? .hold
        return LogLine(
            .hold, "approval",
            "\(approval.title) waits for a person until \(approval.deadline.clockMinute): \(approval.because); "
                + "\(approval.approveCommand), or \(approval.rejectCommand); then \(otherwise.rawValue)")
    }

    private mutating func awaitingTimers(_ now: Timestamp) -> [Action] {
        guard let approval = cycle?.approval else { return [] }
        let left = approval.deadline.since(now)
        return [wake(.approval, after: left < .zero ? .zero : left), nextLookWhileAwaiting()]
    }

    private mutating func nextLookWhileAwaiting() -> Action {
        wake(.nextLook, after: .milliseconds(Int64(max(1, cycle?.policy.everySeconds ?? 600) * 1000)))
    }

    /// After a start: the remaining time is waited for. A single cycle that was asked for does not wait.
    mutating func awaitAgain(_ now: Timestamp) -> [Action] {
        guard let approval = cycle?.approval, let number = cycle?.number else { return [] }
        guard cyclesLeft == nil else { return deny(by: "nobody", "a single cycle does not wait for a word", now) }
        return [.openCycle(number), .say(question(approval))] + awaitingTimers(now)
    }

    // MARK: - Answers

    mutating func answerQuestion(_ request: OperatorRequest, isApproved: Bool, _ now: Timestamp) -> [Action] {
        guard case .awaitingApproval = state, let approval = cycle?.approval else {
            return Self.nothing(
                request, "nothing waits for approval: \(stateWords); nightjar trigger runs a cycle that asks again")
        }
        if let mismatch = mismatch(request, approval, isApproved: isApproved) { return Self.nothing(request, mismatch) }
        let reason = request.answer?.reason
        guard isApproved else {
            let said = LogLine(.hold, "reject", "\(approval.title) by \(request.by)\(reason.map { ": \($0)" } ?? "")")
            return [.say(said), Self.confirm("\(approval.title) is rejected")] + deny(by: request.by, reason, now)
        }
        let said = LogLine(.act, "approve", "\(approval.title) by \(request.by)\(reason.map { ": \($0)" } ?? "")")
        let answer = Self.confirm("\(approval.title) is approved and begins now")
        return [.say(said), answer] + grant(approval, by: request.by, reason, now)
    }

    /// Why a word is not one about the question that is put; nil where it is.
    private func mismatch(_ request: OperatorRequest, _ approval: Approval, isApproved: Bool) -> String? {
        let asked = "the question is \(approval.title): \(approval.approveCommand)"
        if let incident = request.argument, let own = approval.incident, incident != own {
            return "\(incident) asks for nothing; \(asked)"
        }
        if let subject = request.answer?.subject, subject != approval.subject {
            return "\(subject.rawValue) is not asked for; \(asked)"
        }
        if let name = request.answer?.name, let own = approval.name, name != own {
            return "\(name) is not asked for; \(asked)"
        }
        if isApproved, approval.pastMigration, request.answer?.pastMigration != true {
            return "\(approval.because): say --past-migration; \(asked)"
        }
        return nil
    }

    mutating func grant(_ approval: Approval, by: String, _ reason: String?, _ now: Timestamp) -> [Action] {
        cycle?.approval = nil
        cycle?.answers.append(
            ApprovalAnswer(
                subject: approval.subject, incident: approval.incident, isApproved: true, by: by, reason: reason))
        switch approval.subject {
        case .experiments:
            guard let experiment = cycle?.pendingExperiment else { return askTriage(now) }
            cycle?.pendingExperiment = nil
            return begin(experiment, now)
        case .fix:
            return answeredFix(isApproved: true, "", now)
        case .redeploy, .runbook, .rollback:
            return decideRemedy(now)
        }
    }

    /// No, or no answer: recorded, and the cycle goes on without what was asked for.
    mutating func deny(by: String, _ reason: String?, _ now: Timestamp) -> [Action] {
        guard let approval = cycle?.approval else { return [] }
        cycle?.approval = nil
        cycle?.answers.append(
            ApprovalAnswer(
                subject: approval.subject, incident: approval.incident, isApproved: false, by: by, reason: reason))
        let words = by == "nobody" ? "not approved: \(reason ?? "no answer")" : "rejected by \(by)"
        let text = by != "nobody" ? words + (reason.map { ": \($0)" } ?? "") : words
        switch approval.subject {
        case .experiments:
            if let experiment = cycle?.pendingExperiment {
                cycle?.pendingExperiment = nil
                cycle?.experiments.append(
                    ExperimentRecord(experiment: experiment, result: "refused: \(text)", refused: true))
            }
            return askTriage(now)
        case .fix:
            return answeredFix(isApproved: false, text, now)
        case .redeploy, .runbook, .rollback:
            let kind = RemedyKind(rawValue: approval.subject.rawValue) ?? .none
            let because = "\(approval.incident.map { "\($0): " } ?? "")\(approval.because); \(text)"
            var skipped = ActionRecord(kind: kind, name: approval.name, outcome: .skipped, because: because)
            skipped.incident = approval.incident
            cycle?.actions.append(skipped)
            return decideRemedy(now)
        }
    }

    func answer(_ subject: ApprovalSubject, incident: String?) -> ApprovalAnswer? {
        cycle?.answers.last { $0.subject == subject && $0.incident == incident }
    }

    // MARK: - The end of the wait

    mutating func approvalRanOut(_ now: Timestamp) -> [Action] {
        guard case .awaitingApproval = state, let approval = cycle?.approval else { return [] }
        let otherwise = cycle?.policy.atDeadline ?? .hold
        let text = "nobody answered by \(approval.deadline.clockMinute)"
        let say = Action.say(LogLine(.hold, "approval", "\(approval.title): \(text): \(otherwise.rawValue)"))
        guard otherwise == .abort else { return [say] + deny(by: "nobody", text, now) }
        cycle?.approval = nil
        return [say] + interrupt(rule: "aborted", "\(approval.title): \(text) (remedy.atDeadline abort)", now)
    }

    /// While a person is asked, the loop looks for a newer revision. Nil where it is not waiting for one.
    mutating func lookWhileAwaiting() -> [Action]? {
        guard case .awaitingApproval = state else { return nil }
        let mayLook = memory.pause == nil && !isOutsideWindow
        return mayLook ? [.lookForWork(.schedule)] : [nextLookWhileAwaiting()]
    }

    /// What a look found while a person is asked.
    mutating func seeWhileAwaiting(_ work: WorkSeen, _ now: Timestamp) -> [Action] {
        guard let approval = cycle?.approval, let progress = cycle else { return [] }
        let isKnown = memory.knownBad.contains { $0.revision.names(work.wanted) }
        guard !work.wanted.names(progress.wanted), !isKnown else { return [nextLookWhileAwaiting()] }
        dueLook = dueLook ?? .again
        let text = "a newer revision is wanted: \(work.wanted.short)"
        return [.say(LogLine(.going, "approval", "\(approval.title): \(text); not waited for any longer"))]
            + deny(by: "nobody", text, now)
    }

    mutating func missWhileAwaiting() -> [Action] { [nextLookWhileAwaiting()] }
}
