// SPDX-License-Identifier: Apache-2.0
// The end of a process, and its word that it is done.

import Testing

@testable import Platform

@Suite struct ExitWatcherTests {
    /// Of this process, which will not end meanwhile: only its word can be heard.
    private func outcome(
        within time: Duration, say words: @Sendable (Descriptor) -> Void
    ) async throws -> ExitWatcher.Outcome {
        let watcher = try ExitWatcher()
        let (near, far) = try Descriptor.socketPair()
        let own = try Pidfd(ThisProcess.id)
        let deadline = SystemClock.monotonicNanoseconds + Int64(time / .nanoseconds(1))
        words(far)
        return await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try watcher.watch(own, word: near, deadline: deadline) { continuation.resume(returning: $0) }
            } catch {
                Issue.record("\(error)")
                continuation.resume(returning: .deadlinePassed)
            }
        }
    }

    @Test func `a word counts as the end`() async throws {
        #expect(try await outcome(within: .seconds(600)) { _ = $0.sendAtOnce([1]) } == .ended)
    }

    @Test func `a connection that is closed without a word counts for nothing`() async throws {
        #expect(try await outcome(within: .milliseconds(50)) { $0.endSending() } == .deadlinePassed)
    }

    @Test func `silence counts for nothing`() async throws {
        #expect(try await outcome(within: .milliseconds(50)) { _ in } == .deadlinePassed)
    }
}
