// SPDX-License-Identifier: Apache-2.0
// PID 1 of a container: starts the daemon, hands signals on, collects every orphan, ends as the daemon ended.

import CShims
import Glibc
import Platform

enum InitProcess {
    private static let forwarded = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    /// - Parameter arguments: the daemon's argument vector.
    static func run(_ arguments: [String]) -> Int32 {
        guard !arguments.isEmpty else {
            ShepherdMain.complain("usage: nightjar __init PROGRAM [ARGUMENT…]")
            return 2
        }
        var watched = forwarded + [SIGCHLD]
        signal(SIGCHLD, SIG_DFL)
        let signals = Descriptor(owning: nj_signal_descriptor(&watched, Int32(watched.count)))
        let spawn = ChildSpawn(
            arguments: arguments, environment: inheritedEnvironment(), workingDirectory: nil, standing: .sameGroup)
        let daemon: Int32
        do throws(SystemError) {
            daemon = try spawn.start(input: 0, output: 1, error: 2)
        } catch {
            ShepherdMain.complain(error.description)
            return error.isMissing ? 127 : 126
        }
        return wait(for: daemon, signals: signals)
    }

    private static func wait(for daemon: Int32, signals: Descriptor) -> Int32 {
        while true {
            var status: Int32 = 0
            var pid = waitpid(-1, &status, WNOHANG)
            while pid > 0 {
                if pid == daemon {
                    return switch ProcessEnd(status: status) {
                    case .exited(let code): code
                    case .signaled(let number): 128 + number
                    }
                }
                pid = waitpid(-1, &status, WNOHANG)
            }
            var entry = pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, -1)
            var fromTerminal: Int32 = 0
            let number = nj_next_signal(signals.number, &fromTerminal)
            // A key press reaches the daemon by itself, being in the same group.
            if forwarded.contains(number) && fromTerminal == 0 { kill(daemon, number) }
        }
    }

    private static func inheritedEnvironment() -> [String] {
        guard let list = nj_environment() else { return [] }
        var variables: [String] = []
        var next = list
        while let text = next.pointee {
            variables.append(String(cString: text))
            next += 1
        }
        return variables
    }
}
