// SPDX-License-Identifier: Apache-2.0
// What a cycle that this process has run means to its caller: the end of `once` and of `run --max-cycles`.

import Domain
import Engine
import Evidence

enum CycleEnd {
    /// The code of the newest cycle, with its record. Evidence of another cycle must not answer for this one: where the
    /// newest document has another verdict, the verdict alone decides.
    static func code(_ verdict: Verdict, _ layout: EvidenceLayout) throws -> (code: ExitCode, record: CycleRecord?) {
        guard let record = try CycleReader(layout).latestRecord(), record.verdict == verdict else {
            return (ExitCode(verdict, .hold, []), nil)
        }
        return (ExitCode(record.verdict, record.recommendation, record.reasons), record)
    }
}

/// What `once --json` prints where no cycle came to its end: one object in any case.
struct NoCycle: Codable, Equatable {
    /// `paused`, `stopped`, `detached`, `known-bad` or `infrastructure`.
    var ended: String
    var because: String
    /// The pause in force: owner, reason, and its end where it has one.
    var pause: PauseRequested?
    /// The status that the command ends with.
    var exit: Int32

    init(_ ending: Ending, pause: PauseRequested?) {
        self.pause = nil
        switch ending {
        case .infrastructure(let reason), .displaced(let reason), .evicted(let reason):
            (ended, because, exit) = ("infrastructure", reason, ExitCode.infrastructure.rawValue)
        case .knownBad(let revision):
            let words = "\(revision.short) is known to be bad and is not deployed again; push a newer revision"
            (ended, because, exit) = ("known-bad", words, ExitCode.failing.rawValue)
        case .detached(let run):
            let words = "\(run.folder) goes on; the next start takes it over"
            (ended, because, exit) = ("detached", words, ExitCode.interrupted.rawValue)
        case .done, .cycles:
            exit = ExitCode.interrupted.rawValue
            if let pause {
                (ended, because) = ("paused", pause.insteadOfCycle)
                self.pause = pause
            } else {
                (ended, because) = ("stopped", "asked to stop before a cycle began")
            }
        }
    }
}
