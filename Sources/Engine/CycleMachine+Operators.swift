// SPDX-License-Identifier: Apache-2.0
// What operators say while the loop runs. Each request is answered with what is the case: nobody is told that something
// was done where there was nothing to do.

import Domain

extension CycleMachine {
    mutating func obey(_ request: OperatorRequest, _ now: Timestamp) -> [Action] {
        switch request.verb {
        case .resume:
            guard let pause = memory.pause else { return [Self.refuse("no pause is in force")] }
            memory.pause = nil
            return [.say(LogLine(.going, "resume", "by \(request.by)"))] + restartWaiting(now)
                + [Self.confirm("resumed; the pause was \(pause.owner)'s: \(pause.reason)")]
        case .trigger: return trigger(request)
        case .skip: return skip(request)
        case .abort: return abort(request, now)
        case .acknowledge: return acknowledge(request, now)
        case .approve: return answerQuestion(request, isApproved: true, now)
        case .reject: return answerQuestion(request, isApproved: false, now)
        }
    }

    /// More between two cycles are a script that went wild; the journal has all of them.
    private static let requestsKept = 100

    /// Who asked for what and got it, for the evidence of the cycle under way or of the next one.
    mutating func note(_ request: RequestRecord, answered actions: [Action], inCycle: Bool) {
        var request = request
        for case .answer(let answer) in actions {
            guard answer.isDone else { return }
            request.answer = answer.words
        }
        if inCycle, let known = cycle?.requests {
            cycle?.requests = (known + [request]).suffix(Self.requestsKept)
        } else {
            memory.requests = ((memory.requests ?? []) + [request]).suffix(Self.requestsKept)
        }
    }

    static func confirm(_ words: String) -> Action { .answer(OperatorAnswer(isDone: true, words: words)) }

    static func refuse(_ words: String) -> Action { .answer(OperatorAnswer(isDone: false, words: words)) }

    /// Says in the log, and to the one who asked, that there is nothing to act upon.
    static func nothing(_ request: OperatorRequest, _ words: String) -> [Action] {
        let topic = request.verb == .acknowledge ? "ack" : request.verb.rawValue
        return [.say(LogLine(.warn, topic, "by \(request.by): \(words)")), refuse(words)]
    }

    private mutating func trigger(_ request: OperatorRequest) -> [Action] {
        if case .finished = state { return Self.nothing(request, "the daemon is ending") }
        dueLook = .request
        if case .awaitingApproval = state, let approval = cycle?.approval {
            let words =
                "after this cycle, which waits until \(approval.deadline.clockMinute) for \(approval.title); a newer "
                + "revision ends the wait, and so does \(approval.rejectCommand)"
            return [.say(LogLine(.going, "trigger", "by \(request.by): \(words)")), .lookForWork(.request)]
                + [Self.confirm("a cycle begins \(words)")]
        }
        guard case .waiting(let isLooking) = state, memory.policy != nil else {
            return [.say(LogLine(.going, "trigger", "by \(request.by): after this cycle"))]
                + [Self.confirm("a cycle begins after the one under way (#\(memory.cycle))")]
        }
        let said: [Action] = [
            .say(LogLine(.going, "trigger", "by \(request.by)")), Self.confirm("a cycle begins now"),
        ]
        // A look that is under way may have begun before what the operator wants looked at: another follows it.
        if isLooking { return said }
        state = .waiting(looking: true)
        return said + [.lookForWork(.request)]
    }

    private mutating func skip(_ request: OperatorRequest) -> [Action] {
        guard case .running(let run, let cancelling) = state else {
            return Self.nothing(request, "nothing that may be skipped is running: \(stateWords)")
        }
        guard run.kind == .test || run.kind == .stabilize else {
            return Self.nothing(request, "\(run.folder) is under way, and only a test or stabilizing may be skipped")
        }
        if cancelling { return Self.nothing(request, "\(run.folder) is being ended already") }
        skipping = true
        state = .running(run, cancelling: true)
        return [.say(LogLine(.skip, run.stage, "\(run.folder) by \(request.by)")), .cancel(run)]
            + [Self.confirm("\(run.folder) is ended; what was cut counts as not run")]
    }

    private mutating func abort(_ request: OperatorRequest, _ now: Timestamp) -> [Action] {
        let because = request.argument.map { ": \($0)" } ?? ""
        switch state {
        case .waiting, .concluding, .finished:
            return Self.nothing(request, "no cycle is under way: \(stateWords)")
        case .running(let run, let cancelling):
            let isRepeated = aborting != nil
            aborting = request
            state = .running(run, cancelling: true)
            let say = Action.say(LogLine(.act, "abort", "\(run.folder) by \(request.by)\(because)"))
            let words = isRepeated ? "is being aborted already" : "is aborted: \(run.folder) is ended"
            let answer = Self.confirm("cycle #\(run.cycle) \(words)")
            return cancelling ? [say, answer] : [say, .cancel(run), answer]
        case .backingOff, .asking, .awaitingApproval:
            cycle?.approval = nil
            let answer = Self.confirm("cycle #\(memory.cycle) is aborted")
            return [answer] + interrupt(rule: "aborted", "aborted by \(request.by)\(because)", now)
        }
    }

    private mutating func acknowledge(_ request: OperatorRequest, _ now: Timestamp) -> [Action] {
        if let words = acknowledgeAnnounced(request, now) { return words }
        guard let index = memory.incidents.lastIndex(where: { $0.answers(to: request.argument) }) else {
            let open = memory.incidents.filter { $0.state != .resolved }.map(\.id)
            let known = open.isEmpty ? "none is open" : "open: \(open.joined(separator: ", "))"
            return Self.nothing(request, "\(request.argument ?? "?") is no incident of this loop; \(known)")
        }
        let incident = memory.incidents[index]
        switch incident.state {
        case .resolved:
            let since = incident.resolvedAt.map { " since \($0.wholeSeconds)" } ?? ""
            return Self.nothing(request, "\(incident.id) is resolved\(since)")
        case .acknowledged:
            let by = incident.acknowledgedBy.map { " by \($0)" } ?? ""
            return Self.nothing(request, "\(incident.id) is acknowledged already\(by)")
        case .open:
            memory.incidents[index].state = .acknowledged
            memory.incidents[index].acknowledgedBy = request.by
            memory.incidents[index].acknowledgedAt = now
            note(memory.incidents[index])
            return [.say(LogLine(.going, "ack", "\(incident.id) by \(request.by)"))]
                + [Self.confirm("\(incident.id) is acknowledged")]
        }
    }

    /// An incident that triage is still looking into: it begins as an acknowledged one.
    private mutating func acknowledgeAnnounced(_ request: OperatorRequest, _ now: Timestamp) -> [Action]? {
        guard !memory.incidents.contains(where: { $0.answers(to: request.argument) }),
            let index = cycle?.announced.firstIndex(where: { $0.id == request.argument }),
            let incident = cycle?.announced[index]
        else { return nil }
        if incident.state == .acknowledged { return Self.nothing(request, "\(incident.id) is acknowledged already") }
        cycle?.announced[index].state = .acknowledged
        cycle?.announced[index].acknowledgedBy = request.by
        cycle?.announced[index].acknowledgedAt = now
        return [.say(LogLine(.going, "ack", "\(incident.id) by \(request.by)"))]
            + [Self.confirm("\(incident.id) is acknowledged")]
    }

    /// The cycle under way writes down what became of its incidents.
    private mutating func note(_ incident: Incident) {
        for index in (cycle?.incidents ?? []).indices where cycle?.incidents[index].id == incident.id {
            cycle?.incidents[index] = incident
        }
    }

    /// Where the loop stands, for people.
    package var stateWords: String {
        switch state {
        case .waiting: memory.pause.map { "paused by \($0.owner)" } ?? "the loop waits for work"
        case .running(let run, _): "#\(run.cycle) \(run.folder) is under way"
        case .backingOff(let step): "\(step.kind.rawValue) is tried again later"
        case .asking: "#\(memory.cycle) triage is thinking"
        case .awaitingApproval:
            cycle?.approval.map {
                "#\(memory.cycle) waits until \($0.deadline.clockMinute) for \($0.title): \($0.approveCommand)"
            } ?? "#\(memory.cycle) waits for an answer"
        case .concluding: "#\(memory.cycle) is being sealed"
        case .finished: "the daemon is ending"
        }
    }
}
