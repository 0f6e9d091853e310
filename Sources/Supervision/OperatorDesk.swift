// SPDX-License-Identifier: Apache-2.0
// Turns what operators ask over the control socket into facts for the supervisor, and its words into answers.

import Dispatch
import Domain
import Engine
import Evidence
import Platform
import Synchronization

struct OperatorDesk: Sendable {
    let supervisor: Supervisor
    let name: String
    let context: LoopContext

    /// `uid` is the user who asks, as the kernel tells it. Called on the thread of the control socket, which may wait.
    func answer(_ request: ControlRequest, from uid: UInt32) -> ControlReply {
        func order(_ verb: OperatorRequest.Verb) -> ControlReply {
            var said = OperatorRequest(verb: verb, by: request.by, argument: request.argument, answer: request.answer)
            said.uid = uid
            return tell(.operatorRequested(said), "heard")
        }
        switch request.verb {
        case .ping: return ControlReply(ok: true, message: "\(name): process \(ThisProcess.id) is here")
        case .pause: return pause(request, uid)
        case .resume: return order(.resume)
        case .trigger: return order(.trigger)
        case .skip: return order(.skip)
        case .abort: return order(.abort)
        case .stop:
            var stop = StopRequested(now: false, by: request.by)
            stop.uid = uid
            return tell(.stopRequested(stop), "stopping")
        case .acknowledge: return order(.acknowledge)
        case .approve: return order(.approve)
        case .reject: return order(.reject)
        case .acceptBaseline: return BaselineDesk.answer(request, from: uid, name, context)
        case .reload: return ControlReply(ok: false, message: "send SIGHUP to process \(ThisProcess.id) to reload")
        }
    }

    private func pause(_ request: ControlRequest, _ uid: UInt32) -> ControlReply {
        var pause = PauseRequested(
            owner: request.by, reason: request.argument ?? "no reason given", until: request.until)
        pause.uid = uid
        let until = request.until.map { "until \($0.wholeSeconds)" } ?? "until resumed"
        return tell(.pauseRequested(pause), "paused \(until); a cycle under way is finished first")
    }

    /// Answered when it is in the journal, with what the machine made of it: what was acknowledged is never lost.
    private func tell(_ event: Event, _ words: String) -> ControlReply {
        let written = DispatchSemaphore(value: 0)
        let box = HeardBox()
        let isTaken = supervisor.tell(
            event,
            written: { answer in
                box.answer.withLock { $0 = answer }
                written.signal()
            })
        guard isTaken else { return ControlReply(ok: false, message: "\(name): the daemon is ending") }
        guard written.wait(timeout: .now() + .seconds(4)) == .success else {
            return ControlReply(
                ok: false,
                message: "\(name): heard, but it cannot be written down now; the daemon tries on, see its cycle.log")
        }
        let answer = box.answer.withLock { $0 }
        return ControlReply(ok: answer?.isDone ?? true, message: "\(name): \(answer?.words ?? words)")
    }
}

/// What the machine said to a request, on its way to the thread that answers.
private final class HeardBox: Sendable {
    let answer = Mutex<OperatorAnswer?>(nil)
}
