// SPDX-License-Identifier: Apache-2.0
// Counts what a test did from the little that was posted of it. All tests of the same rosters have the same runs, and pass
// them unless something else is posted: what passes alone come to is counted once, and each test changes it where it must.

import Domain

/// What a test comes to that was in certain rosters and always passed.
private struct RosterBase {
    /// The rosters.
    let has: [Bool]
    /// A bit for each run that is a trial: whole, in the rosters, and counting.
    private var words: [UInt64]
    /// Trials before each word.
    private var before: [Int32] = []
    private(set) var trials = 0
    /// Trials by revision.
    private(set) var passes: [Int32]
    /// Revisions with at least two.
    private(set) var repeated = 0
    /// The first and last whole run in the rosters, counting or not.
    private(set) var first: Int?
    private(set) var last: Int?

    init(_ columns: HistoryColumns, _ has: [Bool]) {
        self.has = has
        words = Array(repeating: 0, count: (columns.count + 63) / 64)
        passes = Array(repeating: 0, count: columns.revisions.count)
        let wanted = HistoryColumns.State.whole | HistoryColumns.State.counts
        for (index, change) in columns.rosterChanges.enumerated() where has[Int(change.roster)] {
            let isLast = index + 1 == columns.rosterChanges.count
            let end = isLast ? columns.count : Int(columns.rosterChanges[index + 1].row)
            for row in Int(change.row)..<end where columns.states[row] & HistoryColumns.State.whole != 0 {
                if first == nil { first = row }
                last = row
                guard columns.states[row] & wanted == wanted else { continue }
                words[row >> 6] |= 1 << UInt64(row & 63)
                passes[Int(columns.revisionNumbers[row])] += 1
            }
        }
        before.reserveCapacity(words.count)
        for word in words {
            before.append(Int32(trials))
            trials += word.nonzeroBitCount
        }
        for count in passes where count > 1 { repeated += 1 }
    }

    func isTrial(_ row: Int) -> Bool { words[row >> 6] & (1 << UInt64(row & 63)) != 0 }

    /// How many trials come before a run.
    func ordinal(_ row: Int) -> Int {
        Int(before[row >> 6]) + (words[row >> 6] & ((1 << UInt64(row & 63)) - 1)).nonzeroBitCount
    }

    func trials(after row: Int) -> Int { trials - ordinal(row) - (isTrial(row) ? 1 : 0) }

    /// The newest trial before a run.
    func trial(before row: Int) -> Int? {
        guard row > 0 else { return nil }
        var index = (row - 1) >> 6
        let bits = UInt64(row - (index << 6))
        var word = words[index] & (bits == 64 ? .max : (1 << bits) - 1)
        while word == 0 {
            guard index > 0 else { return nil }
            index -= 1
            word = words[index]
        }
        return index << 6 + 63 - word.leadingZeroBitCount
    }
}

/// Counts one test after the other over the same columns.
struct TestCounting {
    /// What a test's postings change at one revision.
    private struct Change {
        var passes: Int32 = 0
        var failures: Int32 = 0
        /// A tool saw it fail and pass in one run.
        var isRetried = false
        /// It ran once, failed alone, and passed before and after.
        var isLone = false
        var isTouched = false
    }

    private let columns: HistoryColumns
    private let rosters: [[Range<Int>]]
    private var base: RosterBase
    private var changes: [Change]
    private var touched: [Int] = []

    init(_ columns: HistoryColumns) {
        self.columns = columns
        rosters = columns.rosters.indices.map { columns.ranges(ofRoster: $0) }
        base = RosterBase(columns, rosters.map { _ in false })
        changes = Array(repeating: Change(), count: columns.revisions.count)
    }

    /// Fills in everything but the usual duration; false where the test never ran.
    mutating func count(_ test: Int, into result: inout TestStatistics) -> Bool {
        let has = rosters.map { ranges in ranges.contains { $0.contains(test) } }
        if has != base.has { base = RosterBase(columns, has) }
        let postings = columns.postings(of: test)
        let firsts = [base.first, postings.first.map { Int($0.row) }].compactMap { $0 }
        let lasts = [base.last, postings.last.map { Int($0.row) }].compactMap { $0 }
        guard let first = firsts.min(), let last = lasts.max() else { return false }
        result.firstCycle = Int(columns.cycles[first])
        result.lastCycle = Int(columns.cycles[last])
        let lastPosted = outcomes(postings, &result)
        if let row = [lastPosted, lastUnposted(postings)].compactMap({ $0 }).max() {
            result.lastPassed = columns.revisions.revision(columns.revisionNumbers[row])
            result.lastPassedCycle = Int(columns.cycles[row])
        }
        countRevisions(&result)
        rates(postings, &result)
        for revision in touched { changes[revision] = Change() }
        touched = []
        return true
    }

    private mutating func change(_ revision: Int, _ body: (inout Change) -> Void) {
        if !changes[revision].isTouched {
            changes[revision].isTouched = true
            touched.append(revision)
        }
        body(&changes[revision])
    }

    /// Where the walk over the trials stands.
    private struct Neighbors {
        /// The ordinal of the trial after the last one that was looked at.
        var next = 0
        var passedBefore: Bool?
        /// A revision with a failure that is lone if the next trial passes.
        var candidate: Int?
    }

    /// The first walk; gives the newest run for which a pass is posted.
    private mutating func outcomes(_ postings: [HistoryColumns.Posting], _ result: inout TestStatistics) -> Int? {
        var neighbors = Neighbors()
        var lastFailure: Int?
        var lastPass: Int?
        // Passes since the last failure that are no trials, less trials since then that came to no outcome.
        var beside = 0
        result.runs = base.trials
        for posting in postings where columns.counts(Int(posting.row)) {
            let row = Int(posting.row)
            let revision = Int(columns.revisionNumbers[row])
            let isTrial = base.isTrial(row)
            if isTrial {
                pass(upTo: base.ordinal(row), &neighbors)
                result.runs -= 1
                change(revision) { $0.passes -= 1 }
            }
            let outcome = HistoryTable.outcome(posting.code)
            guard outcome != .skipped, outcome != .notRun else {
                if isTrial { beside -= 1 }
                continue
            }
            let isExplained = posting.code & HistoryCoding.explained != 0
            result.runs += 1
            if outcome.isFailure {
                result.failures += 1
                if isExplained { result.explained += 1 }
                lastFailure = row
                beside = 0
            } else {
                if !isTrial { beside += 1 }
                lastPass = row
            }
            guard !isExplained else { continue }
            note(outcome, revision)
            if isTrial { note(outcome, row, &neighbors) }
        }
        pass(upTo: base.trials, &neighbors)
        result.lastFailedCycle = lastFailure.map { Int(columns.cycles[$0]) }
        result.passesInARow = (lastFailure.map { base.trials(after: $0) } ?? base.trials) + beside
        return lastPass
    }

    private mutating func note(_ outcome: TestOutcome, _ revision: Int) {
        change(revision) {
            if outcome.isFailure {
                $0.failures += 1
            } else {
                $0.passes += 1
                if outcome == .flaky { $0.isRetried = true }
            }
        }
    }

    /// A trial with an outcome of its own.
    private mutating func note(_ outcome: TestOutcome, _ row: Int, _ neighbors: inout Neighbors) {
        if !outcome.isFailure, let waiting = neighbors.candidate { change(waiting) { $0.isLone = true } }
        let isLone =
            outcome.isFailure && columns.states[row] & HistoryColumns.State.alone != 0 && neighbors.passedBefore == true
        neighbors.candidate = isLone ? Int(columns.revisionNumbers[row]) : nil
        neighbors.passedBefore = !outcome.isFailure
    }

    /// Trials before the one of that ordinal passed, as far as they were not looked at.
    private mutating func pass(upTo ordinal: Int, _ neighbors: inout Neighbors) {
        if ordinal > neighbors.next {
            if let waiting = neighbors.candidate { change(waiting) { $0.isLone = true } }
            neighbors.candidate = nil
            neighbors.passedBefore = true
        }
        neighbors.next = ordinal + 1
    }

    /// The newest trial of which nothing is posted.
    private func lastUnposted(_ postings: [HistoryColumns.Posting]) -> Int? {
        var index = postings.count - 1
        var row = base.trial(before: columns.count)
        while let candidate = row {
            while index >= 0, Int(postings[index].row) > candidate { index -= 1 }
            guard index >= 0, Int(postings[index].row) == candidate else { return candidate }
            row = base.trial(before: candidate)
        }
        return nil
    }

    private func countRevisions(_ result: inout TestStatistics) {
        result.repeatedRevisions = base.repeated
        for revision in touched {
            let change = changes[revision]
            let passes = base.passes[revision] + change.passes
            if base.passes[revision] > 1 { result.repeatedRevisions -= 1 }
            if passes + change.failures > 1 || change.isRetried { result.repeatedRevisions += 1 }
            if (passes > 0 && change.failures > 0) || change.isRetried { result.mixedRevisions += 1 }
        }
    }

    private func isGreen(_ revision: Int) -> Bool {
        let change = changes[revision]
        return base.passes[revision] + change.passes > 0 || (change.failures == 1 && change.isLone)
    }

    /// The second walk, from the newest on: now it is known which revisions are green for the test.
    private func rates(_ postings: [HistoryColumns.Posting], _ result: inout TestStatistics) {
        var (excluded, flakes, recentFlakes) = (0, 0, 0)
        for posting in postings.reversed() where base.isTrial(Int(posting.row)) {
            let row = Int(posting.row)
            let outcome = HistoryTable.outcome(posting.code)
            guard posting.code & HistoryCoding.explained == 0, outcome != .skipped, outcome != .notRun,
                isGreen(Int(columns.revisionNumbers[row]))
            else {
                excluded += 1
                continue
            }
            // What the tool saw fail and pass within its own retries is a flake too, though its last word is a pass.
            guard outcome.isFailure || outcome == .flaky else { continue }
            flakes += 1
            if result.lastFlakeCycle == nil { result.lastFlakeCycle = Int(columns.cycles[row]) }
            if base.trials(after: row) - excluded < TestStatistics.recentRuns { recentFlakes += 1 }
        }
        let runs = base.trials - excluded
        let recentRuns = min(runs, TestStatistics.recentRuns)
        result.flakes = Rate(failures: flakes, runs: runs)
        result.recent = Rate(failures: recentFlakes, runs: recentRuns)
        result.before = Rate(failures: flakes - recentFlakes, runs: runs - recentRuns)
        guard result.before.runs >= TestStatistics.leastBefore else { return }
        let difference = result.recent.difference(result.before)
        result.trend = difference.lowerBound > 0 ? .rising : difference.upperBound < 0 ? .falling : .steady
    }
}
