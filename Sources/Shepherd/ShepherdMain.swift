// SPDX-License-Identifier: Apache-2.0
// The hidden subcommands: `__shepherd` looks after one command, `__init` is PID 1 of a container.

import CShims
import Glibc
import Platform

package enum ShepherdMain {
    /// Runs a hidden subcommand if `arguments` (with the program's name first) ask for one; answers its exit status,
    /// or nil where none is asked for.
    package static func runIfAsked(_ arguments: [String]) -> Int32? {
        switch arguments.dropFirst().first {
        case "__shepherd": shepherd()
        case "__init": InitProcess.run(Array(arguments.dropFirst(2)))
        default: nil
        }
    }

    /// Order: nothing that the daemon has is inherited by the command; a stop that comes early is kept until it can be
    /// obeyed; nothing is claimed before the order is whole and the result has its place on disk.
    private static func shepherd() -> Int32 {
        nj_set_name("nightjar")
        // Not closed: the launcher's manager thread waits for the end of one of them, and would take it for ours.
        nj_close_on_exec_from(3)
        signal(SIGHUP, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        signal(SIGCHLD, SIG_DFL)
        umask(0o077)
        nj_unblock_all_signals()
        var stop = [SIGTERM]
        let signals = Descriptor(owning: nj_signal_descriptor(&stop, 1))
        guard signals.number >= 0, let frame = try? Descriptor(owning: dup(0)).readAll(limit: mostOrderBytes).bytes,
            let order = ShepherdOrder(frame)
        else {
            complain("the order on standard input is incomplete or of another version")
            return ShepherdExit.nothingClaimed
        }
        return run(order, signals: signals)
    }

    private static let mostOrderBytes = 256 << 20

    private static func run(_ order: ShepherdOrder, signals: Descriptor) -> Int32 {
        let folder = StageFolder(order.folder)
        complainInto(folder.shepherdLog)
        let reserved: ReservedResult
        let claim: Claim.Held?
        do throws(SystemError) {
            reserved = try ReservedResult(in: folder)
        } catch {
            complain(error.description)
            return ShepherdExit.noPlaceForResult
        }
        do throws(SystemError) {
            claim = try Claim.make(
                in: folder, stageID: order.stageID, as: .shepherd,
                limits: [
                    ("timeoutMilliseconds", order.timeoutMilliseconds), ("graceMilliseconds", order.graceMilliseconds),
                ])
        } catch {
            reserved.discard()
            complain(error.description)
            return ShepherdExit.noPlaceForResult
        }
        guard let claim else {
            reserved.discard()
            complain("another has claimed \(folder.path)")
            return ShepherdExit.nothingClaimed
        }
        nj_become_subreaper()
        do throws(SystemError) {
            var shepherd = try Shepherd(order, folder: folder, claim: claim, reserved: reserved, signals: signals)
            let result = shepherd.run()
            try reserved.write(result)
            if Files.size(of: folder.shepherdLog) == 0 { _ = unlink(folder.shepherdLog) }
            shepherd.release()
        } catch {
            complain(error.description)
            return ShepherdExit.noPlaceForResult
        }
        sayDone()
        return ShepherdExit.done
    }

    /// One byte for the daemon, where the order came from a socket: it may read the result while the kernel takes this process
    /// apart, which for a program of this size takes about as long as writing the result.
    private static func sayDone() {
        var byte: UInt8 = 1
        _ = send(0, &byte, 1, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    /// From here on standard error is `shepherd.log` in the run's folder, which only the order names.
    private static func complainInto(_ path: String) {
        guard let log = try? Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND) else { return }
        _ = dup2(log.number, 2)
    }

    static func complain(_ text: String) {
        try? Descriptor(owning: dup(2)).writeAll(Array("nightjar: \(text)\n".utf8))
    }
}
