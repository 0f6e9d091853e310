// SPDX-License-Identifier: Apache-2.0
// Ends processes that outlived their command, wherever they escaped to: asks, waits, kills. It always comes to an end.

import Glibc
package import Platform

package enum TreeSweep {
    /// How long processes that were asked to end may take.
    package static let patience: Int64 = 5_000_000_000
    private static let pause: useconds_t = 10_000

    /// The name of the cookie in the environment of every process of a run.
    package static let cookieName = "NIGHTJAR_STAGE"

    /// Ends what `find` finds until it finds nothing: SIGTERM, up to 5 s, SIGKILL, up to 5 s.
    ///
    /// - Returns: everything that was found and whether it is gone.
    package static func end(
        _ find: () -> [ProcessEntry], meanwhile: () -> Void = {}
    ) -> [(entry: ProcessEntry, command: String, ended: Bool)] {
        var met: [Int32: (entry: ProcessEntry, command: String)] = [:]
        var survivors: [ProcessEntry] = []
        for signal in [SIGTERM, SIGKILL] {
            let deadline = SystemClock.monotonicNanoseconds + patience
            var asked: Set<UInt64> = []
            repeat {
                survivors = find()
                for process in survivors {
                    if met[process.pid]?.entry.startTicks != process.startTicks {
                        met[process.pid] = (process, ProcessTable.commandLine(process.pid))
                    }
                    // A process that ignores SIGKILL for a while is in the kernel; once is enough for each.
                    let name = UInt64(process.pid) << 40 ^ process.startTicks
                    if asked.insert(name).inserted { send(signal, to: process) }
                }
                meanwhile()
                if survivors.isEmpty { break }
                usleep(pause)
            } while SystemClock.monotonicNanoseconds < deadline
            if survivors.isEmpty { break }
        }
        let remaining = Set(survivors.map(\.pid))
        return met.values.sorted { $0.entry.pid < $1.entry.pid }.map {
            ($0.entry, $0.command, !remaining.contains($0.entry.pid))
        }
    }

    /// Signals a process if it is still the one that was found; a stopped one is woken to hear it.
    private static func send(_ signal: Int32, to process: ProcessEntry) {
        guard let pidfd = try? Pidfd(process.pid), ProcessTable.isAlive(process.pid, startTicks: process.startTicks)
        else { return }
        pidfd.send(signal)
        if signal != SIGKILL { pidfd.send(SIGCONT) }
    }
}
