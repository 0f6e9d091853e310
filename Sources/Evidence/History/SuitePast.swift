// SPDX-License-Identifier: Apache-2.0
// The newest sound runs of a suite from the history index: what its soft rules compare with. Only the end of the file is
// read, as long as that holds enough runs.

package import Domain
import Platform

/// One sound whole run of a suite, seen from outside its tests.
package struct SuitePast: Hashable, Sendable {
    package var cycle: Int
    package var revision: Revision
    package var tests: Int
    package var skipped: Int
    package var failing: Int
    package var durationSeconds: Double
    package var cpuSeconds: Double?
    package var peakMemoryBytes: Int64?
    package var hasContactedHosts: Bool
    package var timingPrint: UInt64
    /// Tests of the run before (on record here) that it no longer had.
    package var vanished: Int

    /// At most `limit` runs of cycles after `cycle`, oldest first. `tailBytes` are read first, and more only where those
    /// do not suffice.
    package static func newest(
        _ limit: Int, of suite: String, after cycle: Int, _ layout: EvidenceLayout, tailBytes: Int = 1 << 20
    ) throws(EvidenceError) -> [SuitePast] {
        guard let generation = try HistoryGeneration.newest(layout), Files.exists(generation.names),
            let number = try HistoryNames(generation.names).suites[suite]
        else { return [] }
        let path = generation.runs
        let tail = try onDisk("read", path) { () throws(SystemError) in try Files.tail(path, tailBytes) }
        let found = runs(tail, number, after: cycle)
        if found.count > limit || tail.count < tailBytes { return Array(found.suffix(limit)) }
        return Array(runs(try contents(path) ?? [], number, after: cycle).suffix(limit))
    }

    private static func runs(_ bytes: [UInt8], _ suite: Int, after cycle: Int) -> [SuitePast] {
        var found: [SuitePast] = []
        var before: [Range<Int>] = []
        var scanner = FrameScanner()
        let take: (UnsafeRawBufferPointer, Int) -> Void = { payload, _ in
            HistoryFrame.forEachRun(payload) { run in
                guard run.suite == suite, isSound(run) else { return }
                var details = run.details
                let ranges = HistoryFrame.ranges(&details)
                defer { before = ranges }
                guard run.cycle > cycle else { return }
                found.append(SuitePast(run, vanished: count(before, notIn: ranges)))
            }
        }
        bytes.withUnsafeBytes { scanner.push($0, take) }
        scanner.finish(take)
        return found
    }

    /// Only from whole, undoubted runs in which every test came to an outcome is anything learned.
    private static func isSound(_ run: HistoryFrame.Run) -> Bool {
        let bad = HistoryCoding.Flag.contradicted | HistoryCoding.Flag.hollow | HistoryCoding.Flag.doubtful
        guard run.has(HistoryCoding.Flag.whole), !run.has(bad | HistoryCoding.Flag.mass), run.notRun == 0 else {
            return false
        }
        let isPlain = run.purpose < HistoryCoding.purposes.count && run.outcome < HistoryCoding.stageOutcomes.count
        guard isPlain else { return false }
        let (purpose, outcome) = (
            HistoryCoding.purposes[Int(run.purpose)], HistoryCoding.stageOutcomes[Int(run.outcome)]
        )
        return (purpose == .cycle || purpose == .reverify) && (outcome == .succeeded || outcome == .failed)
    }

    private init(_ run: HistoryFrame.Run, vanished: Int) {
        cycle = run.cycle
        revision = PackedRevision.revision(run.revision)
        tests = run.tests
        skipped = run.skipped
        failing = run.failing
        durationSeconds = Double(run.durationMilliseconds) / 1000
        cpuSeconds = run.cpuMilliseconds.map { Double($0) / 1000 }
        peakMemoryBytes = run.peakKibibytes.map { Int64($0) * 1024 }
        hasContactedHosts = run.has(HistoryCoding.Flag.hosts)
        timingPrint = run.timingPrint
        self.vanished = vanished
    }

    /// How many numbers of `old` are not in `new`; both rise.
    static func count(_ old: [Range<Int>], notIn new: [Range<Int>]) -> Int {
        var missing = 0
        var index = 0
        for range in old {
            var first = range.lowerBound
            while first < range.upperBound {
                while index < new.count, new[index].upperBound <= first { index += 1 }
                guard index < new.count, new[index].lowerBound < range.upperBound else {
                    missing += range.upperBound - first
                    break
                }
                missing += max(0, new[index].lowerBound - first)
                first = max(first, new[index].upperBound)
            }
        }
        return missing
    }
}
