// SPDX-License-Identifier: Apache-2.0
// Keeps the columns file near the end of the runs file.

import Platform

enum HistoryCompaction {
    /// The columns are written again when the runs have so many more bytes: a sixteenth of what they take themselves, so
    /// that writing stays in proportion to the past, and no more than a question reads in a millisecond.
    private static let least = 256 << 10
    private static let most = 1 << 20

    static func isDue(_ generation: HistoryGeneration, end: Int) -> Bool {
        guard end > least else { return false }
        guard let file = HistoryColumnsFile(generation.columns), file.cover.end <= end else { return true }
        let size = Int(Files.size(of: generation.columns) ?? 0)
        return end - file.cover.end > min(most, max(least, size / 16))
    }

    /// Writes the columns of everything that can be read of the runs file.
    static func run(_ generation: HistoryGeneration) throws(EvidenceError) {
        var suites: [Int: HistoryColumns] = [:]
        var mark: (offset: Int, count: Int)?
        var origin = 0
        let take: (UnsafeRawBufferPointer, Int) -> Void = { payload, offset in
            HistoryFrame.forEachRun(payload) { run in suites[run.suite, default: HistoryColumns()].take(run) }
            mark = (origin + offset, payload.count + HistoryFormat.prefixBytes + HistoryFormat.suffixBytes)
        }
        var scanner = FrameScanner()
        if let (file, tail) = try current(generation), let known = file.allColumns {
            suites = known
            origin = file.cover.end
            mark = (file.cover.markOffset, file.cover.end - file.cover.markOffset)
            tail.withUnsafeBytes { scanner.push($0, take) }
            scanner.finish(take)
        } else {
            try HistoryFiles.scan(generation.runs, &scanner, take)
        }
        guard let mark else { return }
        let runs = generation.runs
        let bytes = try onDisk("read", runs) { () throws(SystemError) in
            try Files.read(runs, from: mark.offset, count: HistoryFormat.prefixBytes)
        }
        let cover = HistoryColumnsFile.Cover(end: mark.offset + mark.count, mark: bytes, markOffset: mark.offset)
        try HistoryColumnsFile.write(suites, cover, to: generation.columns)
    }

    private static func current(
        _ generation: HistoryGeneration
    ) throws(EvidenceError) -> (HistoryColumnsFile, tail: [UInt8])? {
        guard let file = HistoryColumnsFile(generation.columns),
            let tail = try file.cover.tail(of: generation.runs)
        else { return nil }
        return (file, tail)
    }
}

extension HistoryColumnsFile {
    /// The columns of every suite; nil where any is damaged.
    fileprivate var allColumns: [Int: HistoryColumns]? {
        var found: [Int: HistoryColumns] = [:]
        for suite in suites.keys {
            guard let columns = columns(of: suite) else { return nil }
            found[suite] = columns
        }
        return found
    }
}
