// SPDX-License-Identifier: Apache-2.0
// The secrets of a loop by its settings in force. A value that earlier settings led to stays a needle: a command that was
// started with it may still print it.

import Domain
import Execution
import Synchronization

final class LoopSecrets: Sendable {
    private struct State {
        var sources: [String: SecretSource]
        var store: SecretStore
        /// Asked for their needles only.
        var earlier: [SecretStore] = []
    }
    private let environment: [String: String]
    private let state: Mutex<State>

    /// - Parameter environment: the daemon's own, where secrets may come from.
    init(_ sources: [String: SecretSource], environment: [String: String]) {
        self.environment = environment
        state = Mutex(State(sources: sources, store: SecretStore(sources, environment: environment)))
    }

    /// From now on secrets come from `sources`.
    func adopt(_ sources: [String: SecretSource]) {
        state.withLock { state in
            guard sources != state.sources else { return }
            state.earlier.append(state.store)
            state.sources = sources
            state.store = SecretStore(sources, environment: environment)
        }
    }

    /// The present values of the named secrets.
    func fetch(_ names: [String]) async throws(SecretError) -> [String: String] {
        try await state.withLock { $0.store }.fetch(names)
    }

    /// Every value that any settings of this process led to, sorted.
    var needles: [String] {
        let stores = state.withLock { $0.earlier + [$0.store] }
        return Set(stores.flatMap(\.needles)).sorted()
    }
}
