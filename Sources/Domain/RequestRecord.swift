// SPDX-License-Identifier: Apache-2.0
// What people asked of a loop, for the evidence.

/// What somebody asked of the loop since the cycle before, and was done: an element of `requests` in `cycle.json`. What
/// was refused changed nothing; the journal and the log have it.
package struct RequestRecord: Codable, Hashable, Sendable {
    package var at: Timestamp
    /// `approve`, `abort`, `pause`, `stop` …: the command.
    package var verb: String
    /// The name that was given.
    package var by: String
    /// The user who asked, as the kernel tells it; nil for a signal, and for what an older nightjar wrote.
    package var uid: UInt32?
    /// An incident, or what was to be approved.
    package var about: String?
    package var reason: String?
    /// What was answered; nil where no answer is given.
    package var answer: String?

    /// Nil for an event that is no request.
    package init?(_ event: Event, at time: Timestamp) {
        at = time
        switch event {
        case .operatorRequested(let request):
            verb = request.verb.rawValue
            by = request.by
            uid = request.uid
            reason = request.answer?.reason
            switch request.verb {
            case .abort, .skip, .trigger, .resume: reason = reason ?? request.argument
            case .acknowledge, .approve, .reject:
                let subject = [request.answer?.subject?.rawValue, request.answer?.name].compactMap { $0 }
                let words = [request.argument].compactMap { $0 } + subject
                about = words.isEmpty ? nil : words.joined(separator: " ")
            }
        case .pauseRequested(let pause):
            verb = "pause"
            by = pause.owner
            uid = pause.uid
            reason = pause.reason
            about = pause.until.map { "until \($0.wholeSeconds)" }
        case .stopRequested(let stop):
            verb = stop.now ? "stop --now" : "stop"
            by = stop.by
            uid = stop.uid
        default: return nil
        }
    }
}
