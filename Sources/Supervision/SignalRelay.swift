// SPDX-License-Identifier: Apache-2.0
// Signals belong to the process, daemons come and go: the relay receives them once and hands each to whoever runs now.

import Platform
import Synchronization

final class SignalRelay: Sendable {
    static let shared = SignalRelay()

    private let state = Mutex<(isStarted: Bool, receiver: (@Sendable (Int32) -> Void)?)>((false, nil))

    /// From now on `receiver` gets SIGTERM, SIGINT and SIGHUP; nil gives them back to nobody.
    func hand(to receiver: (@Sendable (Int32) -> Void)?) {
        let mustStart = state.withLock { state in
            defer { state = (true, receiver) }
            return !state.isStarted
        }
        guard mustStart else { return }
        try? SignalSource.start([SignalSource.terminate, SignalSource.interrupt, SignalSource.hangup]) {
            [self] signal in
            state.withLock { $0.receiver }?(signal)
        }
    }
}
