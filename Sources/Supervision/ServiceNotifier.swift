// SPDX-License-Identifier: Apache-2.0
// What a service manager is told (sd_notify(3)): ready, stopping, and that the loops still turn.

import Platform
import Synchronization

struct ServiceNotifier: Sendable {
    let socket: String?
    /// How often the manager wants to hear; nil where it does not watch.
    let watchdog: Duration?

    func ready(_ loops: String) { send("READY=1\nSTATUS=loops: \(loops)") }

    func stopping() { send("STOPPING=1") }

    /// Sends a sign of life at half the watchdog's interval, each time only after `prove` has come back.
    func keepAlive(_ prove: @Sendable () async -> Void) async {
        guard let watchdog else { return }
        while !Task.isCancelled {
            await prove()
            send("WATCHDOG=1")
            try? await Task.sleep(for: watchdog / 2)
        }
    }

    private func send(_ message: String) {
        guard let socket else { return }
        try? UnixDatagram.send(Array(message.utf8), to: socket)
    }
}

/// A number that threads count up together.
final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
