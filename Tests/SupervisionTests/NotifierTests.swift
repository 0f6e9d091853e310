// SPDX-License-Identifier: Apache-2.0
// How long a loop that ends waits for its receivers.

import Testing

@testable import Supervision

@Suite struct NotifierTests {
    @Test(.timeLimit(.minutes(5)))
    func `a delivery that does not end is left behind`() async {
        let (news, teller) = AsyncStream.makeStream(of: Void.self)
        // Heeds no cancellation, like a command that runs on.
        let stuck = Task { await Task { for await _ in news {} }.value }
        let allEnded = await Notifier.wait(for: [Task {}, stuck], atMost: .milliseconds(50))
        #expect(!allEnded)
        teller.finish()
        let ended = await Notifier.wait(for: [stuck], atMost: .seconds(600))
        #expect(ended)
    }
}
