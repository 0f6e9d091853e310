// SPDX-License-Identifier: Apache-2.0
// Takes the frames of the history index apart again. Nothing is copied: a run is a view into its frame.

import Domain

struct HistoryFrame {
    /// One run in a frame.
    struct Run {
        var cycle: Int
        var suite: Int
        var purpose: UInt8
        var outcome: UInt8
        var flags: UInt8
        var revision: UnsafeRawBufferPointer
        var startedAt: Int
        var durationMilliseconds: Int
        var cpuMilliseconds: Int?
        var peakKibibytes: Int?
        var tests: Int
        var notRun: Int
        var skipped: Int
        var failing: Int
        var timingPrint: UInt64
        /// The bytes of the ranges and, behind them, of the exceptions.
        var details: HistoryReader

        func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

        /// One more than the largest test number.
        var endOfRanges: Int {
            var reader = details
            return HistoryFrame.ranges(&reader).last?.upperBound ?? 0
        }
    }

    /// Calls `body` with each run of the cycle in `payload`; with none where it is no cycle or damaged.
    static func forEachRun(_ payload: UnsafeRawBufferPointer, _ body: (Run) -> Void) {
        var reader = HistoryReader(payload)
        guard reader.byte() == HistoryCoding.cycleKind else { return }
        let cycle = reader.number()
        _ = reader.number()
        _ = reader.byte()
        _ = reader.packedRevision()
        for _ in 0..<min(reader.number(), payload.count) {
            var fields = HistoryReader(reader.slice(reader.number()))
            guard !reader.isBroken else { return }
            let run = run(&fields, cycle)
            if !fields.isBroken { body(run) }
        }
    }

    private static func run(_ reader: inout HistoryReader, _ cycle: Int) -> Run {
        let suite = reader.number()
        let (purpose, outcome, flags) = (reader.byte(), reader.byte(), reader.byte())
        let revision = reader.packedRevision()
        let (startedAt, duration) = (reader.number(), reader.number())
        let (cpu, memory) = (reader.optional(), reader.optional())
        let (tests, notRun, skipped, failing) = (reader.number(), reader.number(), reader.number(), reader.number())
        let print = reader.word()
        return Run(
            cycle: cycle, suite: suite, purpose: purpose, outcome: outcome, flags: flags, revision: revision,
            startedAt: startedAt, durationMilliseconds: duration, cpuMilliseconds: cpu, peakKibibytes: memory,
            tests: tests, notRun: notRun, skipped: skipped, failing: failing, timingPrint: print, details: reader)
    }

    /// The ranges of test numbers, rising.
    static func ranges(_ reader: inout HistoryReader) -> [Range<Int>] {
        let count = reader.number()
        var ranges: [Range<Int>] = []
        var end = 0
        for _ in 0..<min(count, reader.bytes.count) {
            let first = end + reader.number()
            let length = reader.number()
            guard !reader.isBroken, length <= HistoryNames.testsPerSuite, first <= HistoryNames.testsPerSuite else {
                return ranges
            }
            end = first + length
            ranges.append(first..<end)
        }
        return ranges
    }
}
