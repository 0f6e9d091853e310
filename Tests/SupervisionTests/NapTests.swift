// SPDX-License-Identifier: Apache-2.0
// A pause that news ends, whenever they come.

import Testing

@testable import Supervision

@Suite struct NapTests {
    /// Longer than any test may take: who waits for its end has failed.
    private static let long = Duration.seconds(600)

    @Test func newsBeforeThePauseEndIt() async {
        let nap = Nap()
        nap.end()
        await nap.sleep(Self.long)
    }

    @Test func newsDuringThePauseEndIt() async {
        let nap = Nap()
        async let sleeping: Void = nap.sleep(Self.long)
        nap.end()
        await sleeping
    }

    @Test func thePauseEndsByItself() async {
        let nap = Nap()
        let start = ContinuousClock.now
        await nap.sleep(.milliseconds(20))
        #expect(ContinuousClock.now - start >= .milliseconds(20))
    }

    @Test func aCanceledTaskDoesNotSleepOn() async {
        let nap = Nap()
        let sleeper = Task { await nap.sleep(Self.long) }
        sleeper.cancel()
        await sleeper.value
    }
}
