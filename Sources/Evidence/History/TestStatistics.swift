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
        var space = StatisticsSpace(revisions: revisions.count)
        return statistics(number, test, &space)
    }

    /// Every test that the table can name, sorted.
    package var tests: [String] { names.values.sorted() }

    /// The statistics of those of `tests` that ever ran.
    package func statistics(of tests: Set<String>) -> [TestStatistics] {
        var space = StatisticsSpace(revisions: revisions.count)
        return names.filter { tests.contains($0.value) }.sorted { $0.key < $1.key }.compactMap {
            statistics($0.key, $0.value, &space)
        }
    }

    /// The statistics of every test that ever failed or was flaky, and how many others there are.
    package func statistics() -> (tests: [TestStatistics], neverFailed: Int) {
        var space = StatisticsSpace(revisions: revisions.count)
        var found: [TestStatistics] = []
        let ran = Set(rosters.flatMap { $0.flatMap { Array($0) } }).count
        for (test, list) in exceptions.enumerated() {
            guard list.contains(where: { HistoryTable.isTelling($0.code) && rows[Int($0.row)].counts }),
                let name = names[test],
                let statistics = statistics(test, name, &space)
            else { continue }
            found.append(statistics)
        }
        return (found, max(0, ran - found.count))
    }

    /// What a test did, oldest first; every run on record that had it.
    package func moments(of test: String) -> [TestMoment] {
        guard let number = number(of: test) else { return [] }
        var moments: [TestMoment] = []
        forEachOutcome(number) { row, code in
            let outcome = HistoryTable.outcome(code)
            moments.append(
                TestMoment(
                    cycle: Int(row.cycle),
                    purpose: Int(row.purpose) < HistoryCoding.purposes.count
                        ? HistoryCoding.purposes[Int(row.purpose)] : .cycle,
                    outcome: outcome, isExplained: code & HistoryCoding.explained != 0, counts: row.counts,
                    revisionNumber: Int(row.revision)))
        }
        return moments
    }

    // MARK: - Counting

    private static func outcome(_ code: UInt8) -> TestOutcome {
        let index = Int(code & ~HistoryCoding.explained)
        return index < HistoryCoding.outcomes.count ? HistoryCoding.outcomes[index] : .notRun
    }

    private static func isTelling(_ code: UInt8) -> Bool {
        let outcome = outcome(code)
        return outcome.isFailure || outcome == .flaky
    }

    private func forEachOutcome(_ test: Int, _ body: (Row, UInt8) -> Void) {
        let has = rosters(with: test)
        let list = exceptions(of: test)
        var next = 0
        for index in rows.indices where has[Int(rows[index].roster)] {
            while next < list.count, Int(list[next].row) < index { next += 1 }
            let code = next < list.count && Int(list[next].row) == index ? list[next].code : 0
            body(rows[index], code)
        }
    }

    private func statistics(_ number: Int, _ name: String, _ space: inout StatisticsSpace) -> TestStatistics? {
        var result = TestStatistics(suite: suite, test: name)
        space.clear()
        var passedBefore: Bool?
        forEachOutcome(number) { row, code in
            if result.firstCycle == 0 { result.firstCycle = Int(row.cycle) }
            result.lastCycle = Int(row.cycle)
            let outcome = HistoryTable.outcome(code)
            guard row.counts, outcome != .skipped, outcome != .notRun else { return }
            result.runs += 1
            let revision = Int(row.revision)
            let isExplained = code & HistoryCoding.explained != 0
            if outcome.isFailure {
                result.failures += 1
                result.passesInARow = 0
                result.lastFailedCycle = Int(row.cycle)
                if isExplained { result.explained += 1 }
            } else {
                result.passesInARow += 1
                result.lastPassed = nil
                result.lastPassedCycle = Int(row.cycle)
                space.lastPassed = row.revision
            }
            guard !isExplained else { return }
            space.note(outcome, revision)
            if row.isWhole {
                space.noteNeighbor(outcome, revision, isAlone: row.failing == 1, passedBefore: passedBefore)
                passedBefore = !outcome.isFailure
            }
        }
        guard result.firstCycle > 0 else { return nil }
        if let revision = space.lastPassed { result.lastPassed = revisions.revision(revision) }
        (result.repeatedRevisions, result.mixedRevisions) = space.revisionCounts
        rates(number, &result, space)
        result.usualSeconds = usualSeconds(number)
        return result
    }

    /// The second pass: now it is known which revisions are green for the test.
    private func rates(_ number: Int, _ result: inout TestStatistics, _ space: StatisticsSpace) {
        var trials: [Bool] = []
        forEachOutcome(number) { row, code in
            let outcome = HistoryTable.outcome(code)
            guard row.counts, row.isWhole, code & HistoryCoding.explained == 0, outcome != .skipped, outcome != .notRun,
                space.isGreen(Int(row.revision))
            else { return }
            // What the tool saw fail and pass within its own retries is a flake too, though its last word is a pass.
            let isFlake = outcome.isFailure || outcome == .flaky
            trials.append(isFlake)
            if isFlake { result.lastFlakeCycle = Int(row.cycle) }
        }
        let recent = trials.suffix(TestStatistics.recentRuns)
        let before = trials.dropLast(TestStatistics.recentRuns)
        result.flakes = Rate(failures: trials.count { $0 }, runs: trials.count)
        result.recent = Rate(failures: recent.count { $0 }, runs: recent.count)
        result.before = Rate(failures: before.count { $0 }, runs: before.count)
        guard before.count >= TestStatistics.leastBefore else { return }
        let difference = result.recent.difference(result.before)
        result.trend = difference.lowerBound > 0 ? .rising : difference.upperBound < 0 ? .falling : .steady
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

/// Counters per revision, reused from test to test.
private struct StatisticsSpace {
    private var passes: [UInt16]
    private var failures: [UInt16]
    /// A tool saw it fail and pass in one run.
    private var retried: [Bool]
    /// Revisions where it ran once, failed alone, and passed before and after.
    private var lone: Set<Int> = []
    private var candidate: Int?
    var lastPassed: Int32?

    init(revisions: Int) {
        passes = Array(repeating: 0, count: revisions)
        failures = passes
        retried = Array(repeating: false, count: revisions)
    }

    mutating func clear() {
        for index in passes.indices {
            passes[index] = 0
            failures[index] = 0
            retried[index] = false
        }
        lone = []
        candidate = nil
        lastPassed = nil
    }

    mutating func note(_ outcome: TestOutcome, _ revision: Int) {
        if outcome.isFailure {
            failures[revision] = min(failures[revision], .max - 1) + 1
        } else {
            passes[revision] = min(passes[revision], .max - 1) + 1
            if outcome == .flaky { retried[revision] = true }
        }
    }

    mutating func noteNeighbor(_ outcome: TestOutcome, _ revision: Int, isAlone: Bool, passedBefore: Bool?) {
        if let waiting = candidate, !outcome.isFailure { lone.insert(waiting) }
        candidate = outcome.isFailure && isAlone && passedBefore == true ? revision : nil
    }

    func isGreen(_ revision: Int) -> Bool {
        passes[revision] > 0 || (failures[revision] == 1 && lone.contains(revision))
    }

    var revisionCounts: (repeated: Int, mixed: Int) {
        var counts = (repeated: 0, mixed: 0)
        for index in passes.indices {
            let isMixed = (passes[index] > 0 && failures[index] > 0) || retried[index]
            if Int(passes[index]) + Int(failures[index]) > 1 || retried[index] { counts.repeated += 1 }
            if isMixed { counts.mixed += 1 }
        }
        return counts
    }
}
