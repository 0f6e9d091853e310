// SPDX-License-Identifier: Apache-2.0
// Answers `nightjar accept-baseline`: writes down who accepted what is new, and why.

package import Domain
package import Evidence
import Platform
import Reporting

package enum BaselineDesk {
    /// Records the request; `suite` nil is all suites. Durable when it returns. The soft rules learn anew from the next
    /// run on.
    package static func accept(
        suite: String?, by: String, uid: UInt32, reason: String, at now: Timestamp, _ layout: EvidenceLayout
    ) throws(EvidenceError) -> String {
        let newest = try CycleReader(layout).numbers().last ?? 0
        var accepted = AcceptedBaseline(suite: suite, by: by, reason: reason, at: now, cycle: newest)
        accepted.uid = uid
        try accepted.record(layout)
        let what = suite.map { "suite \($0)" } ?? "all suites"
        return "\(what): \(accepted.words); it learns anew"
    }

    /// For a daemon: also into its log.
    static func answer(
        _ request: ControlRequest, from uid: UInt32, _ name: String, _ context: LoopContext
    ) -> ControlReply {
        guard let reason = request.reason, !reason.isEmpty else {
            return ControlReply(ok: false, message: "\(name): a baseline is accepted for a reason")
        }
        let suites = context.settings.current.suites.map(\.name)
        if let suite = request.argument, !suites.contains(suite) {
            return ControlReply(
                ok: false, message: "\(name): there is no suite \(suite); there is \(Plurals.list(suites, limit: 8))")
        }
        do {
            let words = try accept(
                suite: request.argument, by: request.by, uid: uid, reason: reason, at: context.now(), context.layout)
            context.say(LogLine(.fact, "baseline", words))
            return ControlReply(ok: true, message: "\(name): \(words)")
        } catch {
            return ControlReply(ok: false, message: "\(name): \(error)")
        }
    }
}
