// SPDX-License-Identifier: Apache-2.0
// The reading half of the history index: the runs of one suite as columns in memory, with the outcomes of one test or of
// all that ever did anything but pass. 100,000 runs take some 5 MB and as many milliseconds.

package import Domain
import Platform

package struct HistoryTable: Sendable {
    /// One run of the suite.
    struct Row {
        var cycle: Int32
        /// Into `revisions`.
        var revision: Int32
        /// Into `rosters`.
        var roster: Int32
        var failing: Int32
        var flags: UInt8
        var purpose: UInt8

        var isWhole: Bool { flags & HistoryCoding.Flag.whole != 0 }

        /// Contradicted, hollow and mass failures pollute no statistics; nor does a run whose tests are not those of
        /// its revision.
        var counts: Bool {
            flags & (HistoryCoding.Flag.contradicted | HistoryCoding.Flag.hollow | HistoryCoding.Flag.mass) == 0
                && purpose != Row.crossed
        }

        private static let crossed = UInt8(HistoryCoding.purposes.firstIndex(of: .crossed) ?? 0)
    }

    struct Exception {
        var row: Int32
        var code: UInt8
    }

    package let suite: String
    /// Oldest first.
    private(set) var rows: [Row] = []
    /// Which tests a run had: most runs share one.
    private(set) var rosters: [[Range<Int>]] = []
    private(set) var revisions = RevisionTable()
    /// What did not pass, by test number, oldest first.
    private(set) var exceptions: [[Exception]] = []
    private(set) var names: [Int: String] = [:]
    private(set) var durations: [(ranges: [Range<Int>], codes: [UInt8])] = []
    /// Bytes that could not be read; the next update writes the index again.
    package private(set) var damagedBytes = 0

    /// How many runs are on record, and the first and last cycle among them.
    package var runCount: Int { rows.count }
    package var cycles: ClosedRange<Int>? {
        guard let first = rows.first, let last = rows.last, first.cycle <= last.cycle else { return nil }
        return Int(first.cycle)...Int(last.cycle)
    }

    /// Which runs to look at.
    package struct Selection: Sendable {
        package var cycles: ClosedRange<Int>?
        package var since: Timestamp?

        package init(cycles: ClosedRange<Int>? = nil, since: Timestamp? = nil) {
            self.cycles = cycles
            self.since = since
        }

        func has(_ run: HistoryFrame.Run) -> Bool {
            (cycles.map { $0.contains(run.cycle) } ?? true)
                && (since.map { run.startedAt >= Int($0.milliseconds) } ?? true)
        }
    }

    /// The suites that have a history, sorted.
    package static func suites(_ layout: EvidenceLayout) throws(EvidenceError) -> [String] {
        guard let generation = try HistoryGeneration.newest(layout), Files.exists(generation.names) else { return [] }
        return try HistoryNames(generation.names).suites.keys.sorted()
    }

    /// Reads a suite's runs; nil where it has none. With `test` only that test's outcomes are kept.
    package static func load(
        _ layout: EvidenceLayout, suite: String, test: String? = nil, selection: Selection = Selection()
    ) throws(EvidenceError) -> HistoryTable? {
        guard let generation = try HistoryGeneration.newest(layout), Files.exists(generation.names) else { return nil }
        let names = try HistoryNames(generation.names, keeping: test == nil ? suite : nil)
        guard let number = names.suites[suite] else { return nil }
        var table = HistoryTable(suite: suite)
        var only: Int?
        if let test {
            guard let known = names.number(ofTest: test, in: number) else { return nil }
            only = known
            table.names = [known: test]
        } else {
            table.names = names.names(of: number)
        }
        var building = HistoryTableBuilder(table, suite: number, only: only, selection)
        var scanner = FrameScanner()
        try HistoryFiles.scan(generation.runs, &scanner) { payload, _ in building.take(payload) }
        table = building.table
        table.damagedBytes = scanner.damagedBytes + names.damagedBytes
        table.durations = (try? DurationsFile(generation.durations(number)).read()) ?? []
        return table.rows.isEmpty ? nil : table
    }

    init(suite: String) {
        self.suite = suite
    }

    mutating func add(_ row: Row) { rows.append(row) }
    mutating func add(_ exception: Exception, of test: Int) {
        while exceptions.count <= test { exceptions.append([]) }
        exceptions[test].append(exception)
    }

    func exceptions(of test: Int) -> [Exception] { test < exceptions.count ? exceptions[test] : [] }

    mutating func addRoster(_ ranges: [Range<Int>]) { rosters.append(ranges) }
    mutating func number(of revision: UnsafeRawBufferPointer) -> Int32 { revisions.number(of: revision) }

    /// Whether each roster has the test.
    func rosters(with test: Int) -> [Bool] {
        rosters.map { ranges in ranges.contains { $0.contains(test) } }
    }

    func number(of test: String) -> Int? {
        names.first { $0.value == test }?.key
    }
}

/// Fills a table from frames.
struct HistoryTableBuilder {
    private(set) var table: HistoryTable
    private let suite: Int
    private let only: Int?
    private let selection: HistoryTable.Selection
    private var rosterNumbers: [UInt64: Int32] = [:]
    private var lastRoster: (bytes: [UInt8], number: Int32)?

    init(_ table: HistoryTable, suite: Int, only: Int?, _ selection: HistoryTable.Selection) {
        self.table = table
        self.suite = suite
        self.only = only
        self.selection = selection
    }

    mutating func take(_ payload: UnsafeRawBufferPointer) {
        HistoryFrame.forEachRun(payload) { run in
            if run.suite == suite, selection.has(run) { take(run) }
        }
    }

    /// One test only: whether a run had it, and what became of it, without keeping who else was there.
    private mutating func take(_ test: Int, _ run: HistoryFrame.Run) {
        var reader = run.details
        guard let position = HistoryTableBuilder.position(of: test, &reader) else { return }
        if table.rosters.isEmpty { table.addRoster([test..<test + 1]) }
        let row = Int32(table.rows.count)
        add(run, roster: 0)
        var step = 0
        for _ in 0..<min(reader.number(), reader.bytes.count) {
            step += reader.number()
            let code = reader.byte()
            guard !reader.isBroken, step <= position else { return }
            if step == position { return table.add(HistoryTable.Exception(row: row, code: code), of: test) }
        }
    }

    /// How many tests of the ranges come before `test`; nil where it is not among them. The reader stands behind them
    /// afterwards.
    private static func position(of test: Int, _ reader: inout HistoryReader) -> Int? {
        var (end, before) = (0, 0)
        var found: Int?
        for _ in 0..<min(reader.number(), reader.bytes.count) {
            let first = end + reader.number()
            let length = reader.number()
            guard !reader.isBroken, length <= HistoryNames.testsPerSuite, first <= HistoryNames.testsPerSuite else {
                return nil
            }
            end = first + length
            if test >= first, test < end { found = before + test - first }
            before += length
        }
        return found
    }

    private mutating func add(_ run: HistoryFrame.Run, roster: Int32) {
        table.add(
            HistoryTable.Row(
                cycle: Int32(clamping: run.cycle), revision: table.number(of: run.revision), roster: roster,
                failing: Int32(clamping: run.failing), flags: run.flags, purpose: run.purpose))
    }

    private mutating func take(_ run: HistoryFrame.Run) {
        if let only { return take(only, run) }
        var reader = run.details
        let roster = roster(&reader)
        let row = Int32(table.rows.count)
        add(run, roster: roster)
        takeExceptions(&reader, row, table.rosters[Int(roster)])
    }

    /// The number of the roster that `reader` stands at; it stands behind it afterwards.
    private mutating func roster(_ reader: inout HistoryReader) -> Int32 {
        let start = reader.position
        var peek = reader
        for _ in 0..<min(2 * peek.number(), peek.bytes.count) { _ = peek.number() }
        let bytes = UnsafeRawBufferPointer(rebasing: reader.bytes[start..<peek.position])
        if let last = lastRoster, last.bytes.count == bytes.count, last.bytes.elementsEqual(bytes) {
            reader = peek
            return last.number
        }
        let hash = HistoryFormat.hash(bytes)
        let number: Int32
        if let known = rosterNumbers[hash] {
            number = known
        } else {
            number = Int32(table.rosters.count)
            rosterNumbers[hash] = number
            table.addRoster(HistoryFrame.ranges(&reader))
        }
        lastRoster = (Array(bytes), number)
        reader = peek
        return number
    }

    private mutating func takeExceptions(_ reader: inout HistoryReader, _ row: Int32, _ ranges: [Range<Int>]) {
        let count = reader.number()
        var position = 0
        var passed = 0
        var range = 0
        for _ in 0..<min(count, reader.bytes.count) {
            position += reader.number()
            let code = reader.byte()
            guard !reader.isBroken else { return }
            while range < ranges.count, position >= passed + ranges[range].count {
                passed += ranges[range].count
                range += 1
            }
            guard range < ranges.count else { return }
            let test = ranges[range].lowerBound + position - passed
            table.add(HistoryTable.Exception(row: row, code: code), of: test)
        }
    }
}

/// Revisions by number, in the order of first appearance. Open addressing: a dictionary of strings would take longer
/// than everything else.
struct RevisionTable: Sendable {
    private var slots: [Int32] = Array(repeating: -1, count: 1024)
    private var hashes: [UInt64] = []
    private var texts: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { hashes.count }

    mutating func number(of packed: UnsafeRawBufferPointer) -> Int32 {
        let hash = RevisionTable.hash(packed)
        if let last = hashes.last, last == hash { return Int32(hashes.count - 1) }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            if hashes[Int(slots[slot])] == hash { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let number = Int32(hashes.count)
        slots[slot] = number
        hashes.append(hash)
        texts.append(contentsOf: packed)
        ends.append(texts.count)
        if hashes.count * 2 > slots.count { grow() }
        return number
    }

    func revision(_ number: Int32) -> Revision {
        let index = Int(number)
        let start = index == 0 ? 0 : ends[index - 1]
        return PackedRevision.revision(texts[start..<ends[index]])
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 4)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number)
        }
    }

    /// A commit id is a hash already; everything else is made one.
    private static func hash(_ packed: UnsafeRawBufferPointer) -> UInt64 {
        guard packed.count == 21 else { return HistoryFormat.hash(packed) }
        return HistoryFormat.mixed(packed.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            ^ packed.loadUnaligned(fromByteOffset: 13, as: UInt64.self)
    }
}
