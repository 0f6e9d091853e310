// SPDX-License-Identifier: Apache-2.0
// The claim: whoever makes it first decides whether the command of a folder ever runs.
//
// The file appears complete and locked: it is written and locked under another name and then linked to its own,
// which fails where the name exists. So nobody ever sees a claim that is torn, or not locked yet.

import Glibc
package import Platform

package enum Claim {
    /// Who claims.
    package enum Claimant: String, Sendable {
        /// A shepherd that is about to start the command.
        case shepherd
        /// A daemon that makes sure that no shepherd ever starts it.
        case fence
    }

    /// A claim that is held.
    package struct Held: Sendable {
        let file: Descriptor
        let path: String

        /// Adds the pid of the command, so that a daemon that finds the shepherd dead knows its session.
        func add(command pid: Int32) throws(SystemError) {
            try file.writeAll(Array("{\"command\":\(pid)}\n".utf8), path: path)
        }

        /// Lets the claim go: what lies in the folder now is all there will be.
        func release() {
            _ = flock(file.number, LOCK_UN)
        }
    }

    /// Claims `folder`; nil where somebody has.
    ///
    /// - Parameter limits: further members for people, such as the timeout.
    package static func make(
        in folder: StageFolder, stageID: String, as claimant: Claimant, limits: [(String, Int64)] = []
    ) throws(SystemError) -> Held? {
        let pid = getpid()
        let temporary = "\(folder.claim).\(pid)-\(SystemClock.monotonicNanoseconds)"
        let file = try Descriptor.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
        defer { _ = unlink(temporary) }
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else { throw failure("lock", temporary) }
        var text = JSONText()
        text.object { object in
            object.member("version", Int64(1))
            object.member("by", claimant.rawValue)
            object.member("stage", stageID)
            object.member("pid", Int64(pid))
            object.member("startTicks", Int64(clamping: ProcessTable.entry(pid)?.startTicks ?? 0))
            object.member("claimedAt", SystemClock.wallMilliseconds)
            for (name, value) in limits { object.member(name, value) }
        }
        try file.writeAll(text.bytes + [10], path: temporary)
        guard link(temporary, folder.claim) == 0 else {
            let failure = failure("create", folder.claim)
            if failure.alreadyExists { return nil }
            throw failure
        }
        // In this order one commit of the file system serves both. A loss of power in between may leave an empty claim,
        // which is read as lost; the command has not begun yet.
        try file.synchronize(path: folder.claim)
        try Files.synchronizeDirectory(folder.path)
        return Held(file: file, path: folder.claim)
    }

    private static func failure(_ attempted: String, _ path: String) -> SystemError {
        SystemError(code: errno, attempted: attempted, path: path)
    }
}
