// SPDX-License-Identifier: Apache-2.0
// Several loops in one process: each with its own lock, journal and schedule, none delayed by another. Signals and the
// service manager are handled here.

package import Configuration
import Domain
package import Engine
import Evidence
import Platform

package struct Daemon: Sendable {
    private let hosts: [LoopHost]
    private let notifier: ServiceNotifier
    /// Reads the configuration of a loop again, for SIGHUP; throws what is wrong with it.
    private let reload: @Sendable (Int) -> Result<LoadedSettings, any Error>
    private let paths: [String]

    package init(
        _ hosts: [LoopHost], paths: [String], notifySocket: String?, watchdog: Duration?,
        reload: @escaping @Sendable (Int) -> Result<LoadedSettings, any Error>
    ) {
        self.hosts = hosts
        self.paths = paths
        self.reload = reload
        notifier = ServiceNotifier(socket: notifySocket, watchdog: watchdog)
    }

    /// Runs every loop to its end. The first SIGTERM or SIGINT ends them gracefully, a second one at once; SIGHUP
    /// reloads.
    package func run() async -> [Ending] {
        let stops = Counter()
        SignalRelay.shared.hand(to: { signal in
            if signal == SignalSource.hangup { reloadAll() } else { stop(again: stops.next() > 1) }
        })
        defer { SignalRelay.shared.hand(to: nil) }
        let watchdog = Task {
            await notifier.keepAlive { [hosts] in
                // Asking each supervisor proves that its actor still turns.
                for host in hosts { _ = await host.supervisor.memory.cycle }
            }
        }
        defer { watchdog.cancel() }
        return await withTaskGroup(of: (Int, Ending).self) { group in
            let listening = Counter()
            for (index, host) in hosts.enumerated() {
                group.addTask {
                    let ending = await host.run {
                        guard listening.next() == hosts.count else { return }
                        notifier.ready(hosts.map(\.name).joined(separator: ", "))
                    }
                    return (index, ending)
                }
            }
            var endings = [Ending](repeating: .done, count: hosts.count)
            for await (index, ending) in group { endings[index] = ending }
            return endings
        }
    }

    private func stop(again: Bool) {
        notifier.stopping()
        for host in hosts { host.supervisor.tell(.stopRequested(StopRequested(now: again, by: "signal"))) }
    }

    /// A broken configuration is refused loudly and the old one stays in force.
    private func reloadAll() {
        for (index, host) in hosts.enumerated() {
            switch reload(index) {
            case .success(let loaded):
                host.reload(loaded, path: paths[index])
            case .failure(let problem):
                host.say(LogLine(.warn, "reload", "refused, the old configuration stays: \(problem)"))
            }
        }
    }
}
