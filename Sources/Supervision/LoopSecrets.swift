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
        /// Made anew only where another value was seen: that takes longer than to use it.
        var redaction: (needles: [String], texts: TextRedaction) = ([], TextRedaction(needles: []))
    }
    private let environment: [String: String]
    private let state: Mutex<State>

    /// - Parameter environment: the daemon's own, where secrets may come from.
    init(_ sources: [String: SecretSource], environment: [String: String]) {
        self.environment = environment
        let store = SecretStore(sources, environment: environment)
        store.learn()
        state = Mutex(State(sources: sources, store: store))
    }

    /// From now on secrets come from `sources`.
    func adopt(_ sources: [String: SecretSource]) {
        state.withLock { state in
            guard sources != state.sources else { return }
            state.earlier.append(state.store)
            state.sources = sources
            state.store = SecretStore(sources, environment: environment)
            state.store.learn()
        }
    }

    /// The present values of the named secrets.
    func fetch(_ names: [String]) async throws(SecretError) -> [String: String] {
        try await state.withLock { $0.store }.fetch(names)
    }

    /// Every value that any settings of this process led to, sorted.
    var needles: [String] {
        state.withLock { LoopSecrets.needles($0) }
    }

    private static func needles(_ state: State) -> [String] {
        Set((state.earlier + [state.store]).flatMap(\.needles)).sorted()
    }

    /// Takes all of them out of texts.
    var redaction: TextRedaction {
        state.withLock { state in
            let needles = LoopSecrets.needles(state)
            if needles != state.redaction.needles { state.redaction = (needles, TextRedaction(needles: needles)) }
            return state.redaction.texts
        }
    }
}
