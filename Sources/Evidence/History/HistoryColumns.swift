// SPDX-License-Identifier: Apache-2.0
// The runs of one suite as columns: what every run was, and for each test where it did anything but pass.
//
// A whole run has a roster: which tests were in it, shared by most runs. Of its tests only what did not pass is posted. A
// run of a selection has no roster; each of its tests is posted, passes too. So a test's own list, with the rosters, tells
// all about it, and nearly all of the past is in the columns that every test shares.

import Domain

struct HistoryColumns: Sendable {
    /// What became of a test in a run.
    struct Posting: Hashable, Sendable {
        var row: Int32
        var code: UInt8
    }

    /// From a run on, whole runs have this roster.
    struct RosterChange: Sendable {
        var row: Int32
        var roster: Int32
    }

    enum State {
        static let whole: UInt8 = 1
        /// It counts in statistics.
        static let counts: UInt8 = 2
        /// Just one test failed.
        static let alone: UInt8 = 4
    }

    /// One entry for each run, oldest first.
    var cycles: [Int32] = []
    var revisionNumbers: [Int32] = []
    var states: [UInt8] = []
    var purposes: [UInt8] = []
    var revisions = RevisionTable()
    /// The ranges of test numbers, as they are encoded in a run.
    private(set) var rosters: [[UInt8]] = []
    private(set) var rosterChanges: [RosterChange] = []
    /// By test number, oldest first.
    var postings: [[Posting]] = []

    private var rosterNumbers: [[UInt8]: Int32] = [:]

    var count: Int { cycles.count }

    init() {}

    /// As a file has them; nil where they do not fit each other.
    init?(
        cycles: [Int32], revisionNumbers: [Int32], states: [UInt8], purposes: [UInt8], revisions: RevisionTable,
        rosters: [[UInt8]], rosterChanges: [RosterChange]
    ) {
        let bounds = Int32(revisions.count)
        guard revisionNumbers.count == cycles.count, states.count == cycles.count, purposes.count == cycles.count,
            revisionNumbers.allSatisfy({ $0 >= 0 && $0 < bounds }),
            rosterChanges.allSatisfy({ $0.row >= 0 && $0.roster >= 0 && Int($0.roster) < rosters.count }),
            zip(rosterChanges, rosterChanges.dropFirst()).allSatisfy({ $0.row < $1.row })
        else { return nil }
        self.cycles = cycles
        self.revisionNumbers = revisionNumbers
        self.states = states
        self.purposes = purposes
        self.revisions = revisions
        self.rosters = rosters
        self.rosterChanges = rosterChanges
        for (number, roster) in rosters.enumerated() { rosterNumbers[roster] = Int32(number) }
    }

    func isWhole(_ row: Int) -> Bool { states[row] & State.whole != 0 }
    func counts(_ row: Int) -> Bool { states[row] & State.counts != 0 }

    func postings(of test: Int) -> [Posting] { test < postings.count ? postings[test] : [] }

    func ranges(ofRoster number: Int) -> [Range<Int>] {
        rosters[number].withUnsafeBytes { bytes in
            var reader = HistoryReader(bytes)
            return HistoryFrame.ranges(&reader)
        }
    }

    // MARK: - Adding

    /// Adds a run. With `only` just that test's outcome is posted.
    mutating func take(_ run: HistoryFrame.Run, only: Int? = nil) {
        let row = Int32(count)
        cycles.append(Int32(clamping: run.cycle))
        revisionNumbers.append(revisions.number(of: run.revision))
        states.append(HistoryColumns.state(run))
        purposes.append(run.purpose)
        var reader = run.details
        let start = reader.position
        for _ in 0..<min(2 * reader.number(), reader.bytes.count) { _ = reader.number() }
        let roster = UnsafeRawBufferPointer(rebasing: reader.bytes[start..<reader.position])
        let isWhole = run.has(HistoryCoding.Flag.whole)
        if isWhole { note(roster, row) }
        let codes = HistoryColumns.exceptions(&reader)
        if isWhole && codes.isEmpty { return }
        var details = HistoryReader(roster)
        HistoryColumns.forEachOutcome(HistoryFrame.ranges(&details), codes, isWhole: isWhole) { test, code in
            if only == nil || only == test { post(Posting(row: row, code: code), of: test) }
        }
    }

    private mutating func note(_ roster: UnsafeRawBufferPointer, _ row: Int32) {
        if let last = rosterChanges.last {
            let known = rosters[Int(last.roster)]
            if known.count == roster.count, known.elementsEqual(roster) { return }
        }
        let bytes = Array(roster)
        let number = rosterNumbers[bytes] ?? Int32(rosters.count)
        if Int(number) == rosters.count {
            rosters.append(bytes)
            rosterNumbers[bytes] = number
        }
        rosterChanges.append(RosterChange(row: row, roster: number))
    }

    private mutating func post(_ posting: Posting, of test: Int) {
        while postings.count <= test { postings.append([]) }
        postings[test].append(posting)
    }

    /// Contradicted, hollow and mass failures pollute no statistics; nor does a run whose tests are not those of its
    /// revision.
    private static func state(_ run: HistoryFrame.Run) -> UInt8 {
        let polluted = HistoryCoding.Flag.contradicted | HistoryCoding.Flag.hollow | HistoryCoding.Flag.mass
        let counts = !run.has(polluted) && run.purpose != crossed
        return (run.has(HistoryCoding.Flag.whole) ? State.whole : 0) | (counts ? State.counts : 0)
            | (run.failing == 1 ? State.alone : 0)
    }

    private static let crossed = UInt8(HistoryCoding.purposes.firstIndex(of: .crossed) ?? 0)

    /// What did not pass: the position along the ranges, and the code.
    private static func exceptions(_ reader: inout HistoryReader) -> [(position: Int, code: UInt8)] {
        var found: [(position: Int, code: UInt8)] = []
        var position = 0
        for _ in 0..<min(reader.number(), reader.bytes.count) {
            position += reader.number()
            let code = reader.byte()
            guard !reader.isBroken else { break }
            found.append((position, code))
        }
        return found
    }

    /// The exceptions of a whole run, or every test of a selection, by test number.
    private static func forEachOutcome(
        _ ranges: [Range<Int>], _ codes: [(position: Int, code: UInt8)], isWhole: Bool, _ body: (Int, UInt8) -> Void
    ) {
        var (passed, next) = (0, 0)
        for range in ranges {
            if isWhole {
                while next < codes.count, codes[next].position < passed + range.count {
                    body(range.lowerBound + codes[next].position - passed, codes[next].code)
                    next += 1
                }
            } else {
                for test in range {
                    let position = passed + test - range.lowerBound
                    let isException = next < codes.count && codes[next].position == position
                    body(test, isException ? codes[next].code : 0)
                    if isException { next += 1 }
                }
            }
            passed += range.count
        }
    }
}
