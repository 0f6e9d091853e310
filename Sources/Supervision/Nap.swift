// SPDX-License-Identifier: Apache-2.0
// A pause that news ends: what looks every few seconds looks at once where something was decided.

import Synchronization

final class Nap: Sendable {
    private struct State {
        var sleeper: Task<Void, Never>?
        /// News that came while nobody slept: the next pause is over before it begins.
        var isDue = false
    }

    private let state = Mutex(State())

    /// There are news.
    func end() {
        state.withLock { state in
            state.isDue = true
            state.sleeper?.cancel()
        }
    }

    /// Sleeps until there are news, the task is canceled, or `limit` is over. For one sleeper at a time.
    func sleep(_ limit: Duration) async {
        let sleeper = Task { do { try await Task.sleep(for: limit) } catch { return } }
        state.withLock { state in
            state.sleeper = sleeper
            if state.isDue { sleeper.cancel() }
        }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { $0 = State() }
    }
}
