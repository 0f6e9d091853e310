// SPDX-License-Identifier: Apache-2.0
// result.json: how a run ended, in a place reserved before the run began.

import Glibc
import Platform

/// How the command ended, in the words of result.json.
enum RunOutcome: String {
    case exited, signaled, timedOut, idleTimedOut, stopped, couldNotStart
}

/// Notes that a reader of result.json acts upon.
package enum RunNote {
    /// Nothing was begun, and nothing is to be put back.
    package static let stoppedBeforeStart = "stopped before the command was started"
}

struct RunLeftover {
    var pid: Int32
    var command: String
    var ended: Bool
}

struct RunResult {
    var stageID: String
    var outcome: RunOutcome
    var exit: Int32?
    var signal: Int32?
    var limitHit: String?
    var startedAt: Int64
    var endedAt: Int64
    var durationNanoseconds: Int64
    var cpuSeconds: Double
    var peakMemoryBytes: Int64
    var hosts: [String]
    var leftovers: [RunLeftover]
    var consoleBytes: Int64
    var consoleDroppedBytes: Int64
    var consoleSHA256: String
    var notes: [String]

    /// Everything in it is bounded, so it fits the reserved place.
    var json: [UInt8] {
        var text = JSONText()
        text.object { object in
            object.member("version", Int64(1))
            object.member("stage", stageID)
            object.member("outcome", outcome.rawValue)
            object.member("exit", exit.map(Int64.init))
            object.member("signal", signal.map(Int64.init))
            object.member("limitHit", limitHit)
            object.member("startedAt", startedAt)
            object.member("endedAt", endedAt)
            object.member("durationSeconds", Double(durationNanoseconds) / 1e9)
            object.member("cpuSeconds", cpuSeconds)
            object.member("peakMemoryBytes", peakMemoryBytes)
            object.member("hosts", hosts)
            object.member("leftovers") { array in
                for leftover in leftovers.prefix(RunResult.mostLeftovers) {
                    array.object { entry in
                        entry.member("pid", Int64(leftover.pid))
                        entry.member("command", leftover.command)
                        entry.member("ended", leftover.ended)
                    }
                }
            }
            object.member("consoleBytes", consoleBytes)
            object.member("consoleDroppedBytes", consoleDroppedBytes)
            object.member("consoleSHA256", consoleSHA256)
            object.member("notes", Array(notes.prefix(RunResult.mostNotes)))
        }
        return text.bytes + [10]
    }

    static let mostLeftovers = 100
    static let mostNotes = 20
}

/// The place for result.json, reserved on disk before anything runs: a disk that the command fills cannot lose it.
struct ReservedResult {
    private static let bytes: off_t = 64 << 10
    private let folder: StageFolder
    private let temporary: String
    private let file: Descriptor

    init(in folder: StageFolder) throws(SystemError) {
        self.folder = folder
        temporary = "\(folder.result).\(getpid()).tmp"
        file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        let failure = posix_fallocate(file.number, 0, ReservedResult.bytes)
        guard failure == 0 || failure == EOPNOTSUPP || failure == EINVAL else {
            _ = unlink(temporary)
            throw SystemError(code: failure, attempted: "reserve", path: folder.result)
        }
    }

    func discard() {
        _ = unlink(temporary)
    }

    func write(_ result: RunResult) throws(SystemError) {
        let bytes = result.json
        try file.writeAll(bytes, path: temporary)
        guard ftruncate(file.number, off_t(bytes.count)) == 0 else {
            throw SystemError(code: errno, attempted: "cut", path: temporary)
        }
        try Files.rename(temporary, to: folder.result)
        // In this order one commit of the file system serves both. A loss of power in between may leave a torn result,
        // which is read as lost, as none would be.
        try file.synchronize(path: folder.result)
        try Files.synchronizeDirectory(folder.path)
    }
}
