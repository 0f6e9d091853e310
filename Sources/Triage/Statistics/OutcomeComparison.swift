// SPDX-License-Identifier: Apache-2.0
// "Fails a of n here, b of m there": how surprising that is if both fail at one rate.

/// Two sets of runs side by side.
package struct OutcomeComparison: Hashable, Sendable {
    package let here: RunCounts
    package let there: RunCounts

    package init(here: RunCounts, there: RunCounts) {
        self.here = here
        self.there = there
    }

    /// Fisher's exact test, one-sided: the probability of at least so many of the failures falling here, if all runs
    /// were alike. Small: here it fails more often.
    package var fisher: Double { OutcomeComparison.tail(here, there) }

    private static func tail(_ here: RunCounts, _ there: RunCounts) -> Double {
        let fails = here.fails + there.fails
        let all = RealMath.logChoose(here.runs + there.runs, fails)
        var sum = 0.0
        for count in stride(from: min(here.runs, fails), through: here.fails, by: -1) {
            sum += RealMath.exp(
                RealMath.logChoose(here.runs, count) + RealMath.logChoose(there.runs, fails - count) - all)
        }
        return min(1, sum)
    }
}
