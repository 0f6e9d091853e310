// SPDX-License-Identifier: Apache-2.0
// Where blocking file work is done: a serial queue of its own, never the two threads that all tasks share.

import Dispatch

/// The executor of an actor that blocks.
final class EvidenceQueue: SerialExecutor {
    private let queue: DispatchQueue

    init(_ label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.async { unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

/// Runs the blocking half of the library (readers, index, verification, retention) off the shared threads.
///
///     let report = try await EvidenceReading.run { () throws(EvidenceError) in try Verifier(layout).verify() }
package actor EvidenceReading {
    private static let shared = EvidenceReading()
    private let queue = EvidenceQueue("evidence.reading")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    private func perform<Value: Sendable>(
        _ work: @Sendable () throws(EvidenceError) -> Value
    ) throws(EvidenceError) -> Value {
        try work()
    }

    /// The result of `work`, which may block.
    package static func run<Value: Sendable>(
        _ work: @Sendable () throws(EvidenceError) -> Value
    ) async throws(EvidenceError) -> Value {
        try await shared.perform(work)
    }
}
