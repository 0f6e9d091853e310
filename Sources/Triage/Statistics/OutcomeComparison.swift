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

    /// Boschloo's test, one-sided: the largest probability, over all common rates, of a table that Fisher's test finds
    /// at least as surprising (Boschloo, Statistica Neerlandica 24, 1970). Exact, and never less telling than Fisher's:
    /// with few runs that matters. The rates are tried at 400 points. Up to 60 runs a side, else Fisher's.
    package var boschloo: Double {
        guard here.runs <= 60, there.runs <= 60, here.runs > 0, there.runs > 0 else { return fisher }
        let limit = fisher * (1 + 1e-9)
        var tables: [(fails: Int, weight: Double)] = []
        for first in 0...here.runs {
            for second in 0...there.runs {
                let one = RunCounts(fails: first, passes: here.runs - first)
                let other = RunCounts(fails: second, passes: there.runs - second)
                guard OutcomeComparison.tail(one, other) <= limit else { continue }
                let weight = RealMath.logChoose(here.runs, first) + RealMath.logChoose(there.runs, second)
                tables.append((first + second, weight))
            }
        }
        let runs = here.runs + there.runs
        var largest = 0.0
        for point in 1..<400 {
            let rate = Double(point) / 400
            let (fail, pass) = (RealMath.log(rate), RealMath.log1p(-rate))
            let sum = tables.reduce(0) { sum, table in
                sum + RealMath.exp(table.weight + Double(table.fails) * fail + Double(runs - table.fails) * pass)
            }
            largest = max(largest, sum)
        }
        return min(largest, fisher)
    }
}
