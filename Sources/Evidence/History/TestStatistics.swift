// SPDX-License-Identifier: Apache-2.0
// What the past says about one test, in figures.
//
// The flake rate is the share of failures among runs of the whole suite on revisions that are green for the test: those
// on which it passed at least once, in whatever run. A revision on which it failed every time it was run is no witness:
// there the code may be to blame. One exception: it ran only once there, nothing else failed, and it passed in the whole
// runs before and after. Runs with a mass failure, with contradicted or hollow evidence, and failures that a diagnosis
// explains otherwise count neither for nor against. Reruns of what failed only bear witness for the revision: they follow
// failures, and would tilt a rate that they were part of.

package import Domain

/// A share with its 95 % interval.
package struct Rate: Hashable, Sendable, Codable {
    package var failures: Int
    package var runs: Int
    package var estimate: Double
    package var low: Double
    package var high: Double

    /// Wilson's score interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927; recommended for small samples by Brown, Cai
    /// and DasGupta, Statistical Science 16, 2001).
    package init(failures: Int, runs: Int) {
        self.failures = failures
        self.runs = runs
        guard runs > 0 else {
            (estimate, low, high) = (0, 0, 1)
            return
        }
        let (n, p, z) = (Double(runs), Double(failures) / Double(runs), 1.959_964)
        let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        estimate = p
        low = failures == 0 ? 0 : max(0, middle - half)
        high = failures == runs ? 1 : min(1, middle + half)
    }

    /// The interval of `self - other` (R. G. Newcombe, Statistics in Medicine 17, 1998, method 10).
    func difference(_ other: Rate) -> ClosedRange<Double> {
        let delta = estimate - other.estimate
        let below =
            ((estimate - low) * (estimate - low) + (other.high - other.estimate) * (other.high - other.estimate))
        let above =
            ((high - estimate) * (high - estimate) + (other.estimate - other.low) * (other.estimate - other.low))
        return (delta - below.squareRoot())...(delta + above.squareRoot())
    }
}

package struct TestStatistics: Hashable, Sendable {
    package enum Trend: String, Hashable, Sendable, Codable {
        /// The interval of the difference lies wholly on one side of zero.
        case rising, falling
        case steady
        /// Too few runs for a word.
        case unknown
    }

    package var suite: String
    package var test: String
    /// Sound runs in which it came to an outcome (experiments included), and how many of them failed.
    package var runs = 0
    package var failures = 0
    /// Failures with a diagnosed cause other than the test's own whim.
    package var explained = 0
    /// The flake rate.
    package var flakes = Rate(failures: 0, runs: 0)
    /// Revisions on which it ran at least twice, and on how many of those it both passed and failed.
    package var repeatedRevisions = 0
    package var mixedRevisions = 0
    package var firstCycle = 0
    package var lastCycle = 0
    package var lastPassed: Revision?
    package var lastPassedCycle: Int?
    package var lastFailedCycle: Int?
    /// The newest cycle whose failure counts as a flake.
    package var lastFlakeCycle: Int?
    /// Passes since the last failure.
    package var passesInARow = 0
    package var trend = Trend.unknown
    /// The newest 50 runs that count for the flake rate, and all before them.
    package var recent = Rate(failures: 0, runs: 0)
    package var before = Rate(failures: 0, runs: 0)
    package var usualSeconds: Double?

    init(suite: String, test: String) {
        self.suite = suite
        self.test = test
    }

    /// Whether it has been seen to fail without a cause in the code.
    package var isFlaky: Bool { flakes.failures > 0 || mixedRevisions > 0 }

    static let recentRuns = 50
    static let leastBefore = 20
}

/// What one test did in one run.
package struct TestMoment: Hashable, Sendable {
    package var cycle: Int
    package var purpose: Purpose
    package var outcome: TestOutcome
    package var isExplained: Bool
    /// Whether the run counts in statistics.
    package var counts: Bool
    /// A number that changes with the revision.
    package var revisionNumber: Int
}

extension HistoryTable {
    /// The statistics of one test; nil where it never ran.
    package func statistics(of test: String) -> TestStatistics? {
        guard let number = number(of: test) else { return nil }
        var counting = TestCounting(columns)
        return statistics(number, test, &counting)
    }

    /// Every test that the table can name, sorted.
    package var tests: [String] { names.values.sorted() }

    /// The statistics of those of `tests` that ever ran.
    package func statistics(of tests: Set<String>) -> [TestStatistics] {
        var counting = TestCounting(columns)
        return names.filter { tests.contains($0.value) }.sorted { $0.key < $1.key }.compactMap {
            statistics($0.key, $0.value, &counting)
        }
    }

    /// The statistics of every test that ever failed or was flaky, and how many others there are.
    package func statistics() -> (tests: [TestStatistics], neverFailed: Int) {
        var counting = TestCounting(columns)
        var found: [TestStatistics] = []
        var ran = Set(columns.rosters.indices.flatMap { columns.ranges(ofRoster: $0).flatMap { Array($0) } })
        for (test, list) in columns.postings.enumerated() where !list.isEmpty {
            ran.insert(test)
            guard list.contains(where: { HistoryTable.isTelling($0.code) && columns.counts(Int($0.row)) }),
                let name = names[test], let statistics = statistics(test, name, &counting)
            else { continue }
            found.append(statistics)
        }
        return (found, max(0, ran.count - found.count))
    }

    private func statistics(_ number: Int, _ name: String, _ counting: inout TestCounting) -> TestStatistics? {
        var result = TestStatistics(suite: suite, test: name)
        guard counting.count(number, into: &result) else { return nil }
        result.usualSeconds = usualSeconds(number)
        return result
    }

    /// What a test did, oldest first; every run on record that had it.
    package func moments(of test: String) -> [TestMoment] {
        guard let number = number(of: test) else { return [] }
        let has = columns.rosters.indices.map { roster in
            columns.ranges(ofRoster: roster).contains { $0.contains(number) }
        }
        let postings = columns.postings(of: number)
        var moments: [TestMoment] = []
        var (posted, change, isIn) = (0, 0, false)
        for row in 0..<columns.count {
            if change < columns.rosterChanges.count, Int(columns.rosterChanges[change].row) == row {
                isIn = has[Int(columns.rosterChanges[change].roster)]
                change += 1
            }
            if posted < postings.count, Int(postings[posted].row) == row {
                moments.append(moment(row, postings[posted].code))
                posted += 1
            } else if isIn, columns.isWhole(row) {
                moments.append(moment(row, 0))
            }
        }
        return moments
    }

    private func moment(_ row: Int, _ code: UInt8) -> TestMoment {
        let purpose = Int(columns.purposes[row])
        return TestMoment(
            cycle: Int(columns.cycles[row]),
            purpose: purpose < HistoryCoding.purposes.count ? HistoryCoding.purposes[purpose] : .cycle,
            outcome: HistoryTable.outcome(code), isExplained: code & HistoryCoding.explained != 0,
            counts: columns.counts(row), revisionNumber: Int(columns.revisionNumbers[row]))
    }

    static func outcome(_ code: UInt8) -> TestOutcome {
        let index = Int(code & ~HistoryCoding.explained)
        return index < HistoryCoding.outcomes.count ? HistoryCoding.outcomes[index] : .notRun
    }

    private static func isTelling(_ code: UInt8) -> Bool {
        let outcome = outcome(code)
        return outcome.isFailure || outcome == .flaky
    }

    /// The median over its passes in the newest runs; nil where none is known.
    private func usualSeconds(_ test: Int) -> Double? {
        var codes: [UInt8] = []
        for run in durations {
            var passed = 0
            for range in run.ranges {
                if range.contains(test) { codes.append(run.codes[passed + test - range.lowerBound]) }
                passed += range.count
            }
        }
        let sorted = codes.filter { $0 > 0 }.sorted()
        return sorted.isEmpty ? nil : DurationCode.seconds(sorted[(sorted.count - 1) / 2])
    }
}
