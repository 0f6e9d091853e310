// SPDX-License-Identifier: Apache-2.0
// What goes over the Unix control socket: one JSON object per line each way.

/// A request of an operator to a running daemon.
package struct ControlRequest: Codable, Hashable, Sendable {
    package enum Verb: String, Codable, Sendable, CaseIterable {
        case ping, pause, resume, trigger, skip, abort, stop, acknowledge, approve, reject, reload
        case acceptBaseline
    }
    package var verb: Verb
    package var by: String
    /// Reason of a pause or abort, incident of an acknowledgement, suite of an accepted baseline.
    package var argument: String?
    /// Of `acceptBaseline`: why.
    package var reason: String?
    package var until: Timestamp?
    /// Of `approve` and `reject`: what it is about.
    package var answer: ApprovalWords?

    package init(
        verb: Verb, by: String, argument: String? = nil, reason: String? = nil, until: Timestamp? = nil,
        answer: ApprovalWords? = nil
    ) {
        self.reason = reason
        self.answer = answer
        self.verb = verb
        self.by = by
        self.argument = argument
        self.until = until
    }
}

package struct ControlReply: Codable, Hashable, Sendable {
    package var ok: Bool
    /// What was done, or why not and what to do.
    package var message: String

    package init(ok: Bool, message: String) {
        self.ok = ok
        self.message = message
    }
}
