// SPDX-License-Identifier: Apache-2.0
// Helpers that no signal ends, as those that wait for a dead file server.

import Synchronization
import TestSupport
import Testing

@testable import Platform

@Suite struct HelperPatienceTests {
    @Test(.timeLimit(.minutes(5)))
    func `one that cannot be killed is given up, and reaped when it ends`() async throws {
        let sent = Mutex<[(group: Int32, signal: Int32)]>([])
        // Signals are noted and not sent: to the helper it is as if the kernel kept them.
        let patience = HelperPatience(
            killAfter: .milliseconds(20), giveUpAfter: .milliseconds(20),
            signal: { group, signal in sent.withLock { $0.append((group, signal)) } })
        let output = try await HelperCommand.run(
            ["sleep", "600"], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], workingDirectory: nil,
            standardInput: [], timeout: .milliseconds(20), outputLimit: 1024, patience: patience)
        #expect(output.timedOut && !output.succeeded)
        let signals = sent.withLock { $0 }
        #expect(signals.map(\.signal) == [15, 9])
        let pid = try #require(signals.first?.group)
        #expect(Files.exists("/proc/\(pid)"))
        #expect(try Pidfd(pid).send(9))
        // A process that nobody reaps keeps its place there.
        #expect(await eventually { !Files.exists("/proc/\(pid)") })
    }
}
