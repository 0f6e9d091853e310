// SPDX-License-Identifier: Apache-2.0
// The reading half of the history index: the runs of one suite, with the outcomes of one test or of all. Most of the past
// comes from the columns file, and what was added since from the end of the runs file; without the former, from the runs
// file alone.

package import Domain
import Platform

package struct HistoryTable: Sendable {
    package let suite: String
    private(set) var columns = HistoryColumns()
    private(set) var names: [Int: String] = [:]
    private(set) var durations: [(ranges: [Range<Int>], codes: [UInt8])] = []
    /// Bytes that could not be read; the next update writes the index again.
    package private(set) var damagedBytes = 0

    /// How many runs are on record, and the first and last cycle among them.
    package var runCount: Int { columns.count }
    package var cycles: ClosedRange<Int>? {
        guard let first = columns.cycles.first, let last = columns.cycles.last, first <= last else { return nil }
        return Int(first)...Int(last)
    }

    /// Which runs to look at.
    package struct Selection: Sendable {
        package var cycles: ClosedRange<Int>?
        package var since: Timestamp?

        package init(cycles: ClosedRange<Int>? = nil, since: Timestamp? = nil) {
            self.cycles = cycles
            self.since = since
        }

        var isEverything: Bool { cycles == nil && since == nil }

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
        // What is selected by its cycles or times is read from the runs themselves: the columns have no times.
        let start = selection.isEverything ? try HistoryColumnsFile.start(generation, suite: number, test: only) : nil
        var columns = start?.columns ?? HistoryColumns()
        var scanner = FrameScanner()
        let take: (UnsafeRawBufferPointer, Int) -> Void = { payload, _ in
            HistoryFrame.forEachRun(payload) { run in
                if run.suite == number, selection.has(run) { columns.take(run, only: only) }
            }
        }
        if let start {
            start.tail.withUnsafeBytes { scanner.push($0, take) }
            scanner.finish(take)
        } else {
            try HistoryFiles.scan(generation.runs, &scanner, take)
        }
        table.columns = columns
        table.damagedBytes = scanner.damagedBytes + names.damagedBytes
        table.durations = (try? DurationsFile(generation.durations(number)).read()) ?? []
        return columns.count == 0 ? nil : table
    }

    init(suite: String) {
        self.suite = suite
    }

    func number(of test: String) -> Int? {
        names.first { $0.value == test }?.key
    }
}
