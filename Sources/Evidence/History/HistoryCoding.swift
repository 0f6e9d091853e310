// SPDX-License-Identifier: Apache-2.0
// One cycle as one frame of the history index. Which tests ran is told by ranges of their numbers, and only what did not
// pass is told one by one: a run of 1,000 tests that all pass takes some 80 bytes.
//
//     1  cycle, ended at (ms), verdict, revision, number of runs, and for each run its length in bytes and
//        suite, purpose, outcome, flags, revision, started at, duration (ms), cpu (ms), peak memory (KiB),
//        tests, notRun, skipped, failing, timing print,
//        ranges: how many, then (gap, length) each,
//        exceptions: how many, then (steps along the ranges, outcome) each

package import Domain

enum HistoryCoding {
    static let cycleKind: UInt8 = 1

    enum Flag {
        static let whole: UInt8 = 1
        static let contradicted: UInt8 = 2
        static let hollow: UInt8 = 4
        static let doubtful: UInt8 = 8
        static let hosts: UInt8 = 16
        static let mass: UInt8 = 32
    }

    /// Codes on disk: positions in these lists, which are only ever added to.
    static let outcomes: [TestOutcome] = [.passed, .failed, .errored, .skipped, .timedOut, .flaky, .notRun]
    static let stageOutcomes: [StageOutcome] = [
        .succeeded, .failed, .timedOut, .stopped, .couldNotRun, .refused, .neverRan, .lost,
    ]
    static let purposes: [Purpose] = [
        .cycle, .recheck, .rerun, .baseline, .again, .bisect, .revert, .crossed, .redeploy, .rollback, .restore,
        .runbook, .fix, .reverify, .burnIn,
    ]
    static let verdicts: [Verdict] = [.healthy, .degraded, .failing, .unproven, .interrupted]
    /// Set on an outcome that a diagnosis explains.
    static let explained: UInt8 = 64

    static func payload(_ cycle: HistoryCycle, _ names: inout HistoryNames) -> [UInt8] {
        var writer = HistoryWriter()
        writer.byte(cycleKind)
        writer.number(cycle.cycle)
        writer.number(Int(cycle.endedAt.milliseconds))
        writer.byte(code(cycle.verdict, verdicts))
        writer.revision(cycle.revision)
        writer.number(cycle.runs.count)
        for run in cycle.runs {
            let encoded = encode(run, &names)
            writer.number(encoded.bytes.count)
            writer.append(encoded)
        }
        return writer.bytes
    }

    private static func encode(_ run: HistoryRun, _ names: inout HistoryNames) -> HistoryWriter {
        let suite = names.number(ofSuite: run.suite)
        let numbers = names.numbers(of: run.tests.lazy.map(\.id), in: suite)
        var known: [(number: Int, test: Int)] = []
        known.reserveCapacity(numbers.count)
        for (index, number) in numbers.enumerated() {
            if let number { known.append((number, index)) }
        }
        known.sort { $0.number < $1.number }
        var writer = HistoryWriter()
        writer.number(suite)
        writer.byte(code(run.purpose, purposes))
        writer.byte(code(run.outcome, stageOutcomes))
        writer.byte(flags(run))
        writer.revision(run.revision)
        writer.number(Int(run.startedAt.milliseconds))
        writer.number(milliseconds(run.durationSeconds))
        writer.optional(run.cpuSeconds.map(milliseconds))
        writer.optional(run.peakMemoryBytes.map { Int($0 / 1024) })
        writer.number(run.totals.tests)
        writer.number(run.totals.notRun)
        writer.number(run.totals.skipped)
        writer.number(run.totals.failing)
        writer.word(TimingPrint.of(run.tests.lazy.map { ($0.id, $0.outcome, $0.durationSeconds) }))
        ranges(known.lazy.map(\.number), &writer)
        exceptions(known, run, &writer)
        return writer
    }

    private static func flags(_ run: HistoryRun) -> UInt8 {
        var flags: UInt8 = 0
        if run.isWhole { flags |= Flag.whole }
        if run.isContradicted { flags |= Flag.contradicted }
        if run.isHollow { flags |= Flag.hollow }
        if run.isDoubtful { flags |= Flag.doubtful }
        if run.hasContactedHosts { flags |= Flag.hosts }
        if run.isMassFailure { flags |= Flag.mass }
        return flags
    }

    static func ranges(_ numbers: some Sequence<Int>, _ writer: inout HistoryWriter) {
        var found: [(first: Int, end: Int)] = []
        for number in numbers {
            if let last = found.last, last.end == number {
                found[found.count - 1].end = number + 1
            } else {
                found.append((number, number + 1))
            }
        }
        writer.number(found.count)
        var end = 0
        for range in found {
            writer.number(range.first - end)
            writer.number(range.end - range.first)
            end = range.end
        }
    }

    private static func exceptions(
        _ known: [(number: Int, test: Int)], _ run: HistoryRun, _ writer: inout HistoryWriter
    ) {
        var steps: [(step: Int, code: UInt8)] = []
        var last = 0
        for (position, entry) in known.enumerated() {
            let test = run.tests[entry.test]
            guard test.outcome != .passed else { continue }
            steps.append((position - last, code(test.outcome, outcomes) | (test.isExplained ? explained : 0)))
            last = position
        }
        writer.number(steps.count)
        for entry in steps {
            writer.number(entry.step)
            writer.byte(entry.code)
        }
    }

    private static func milliseconds(_ seconds: Double) -> Int {
        seconds.isFinite ? Int(min(max(0, seconds * 1000), 1e15).rounded()) : 0
    }

    private static func code<Value: Equatable>(_ value: Value, _ list: [Value]) -> UInt8 {
        UInt8(truncatingIfNeeded: list.firstIndex(of: value) ?? 255)
    }

    /// The cycle that a payload is about; nil for any other payload.
    static func cycle(of payload: UnsafeRawBufferPointer) -> Int? {
        var reader = HistoryReader(payload)
        guard reader.byte() == cycleKind else { return nil }
        let cycle = reader.number()
        return reader.isBroken ? nil : cycle
    }
}

/// A number that two runs share only if every telling duration in them is the same to the bit.
package enum TimingPrint {
    /// Durations that tell: at least 20 ms, and finer than 10 ms, so that noise must show in them.
    private static let least = 0.02
    private static let needed = 8

    /// 0 where there is too little to tell.
    package static func of(
        _ tests: some Sequence<(id: String, outcome: TestOutcome, durationSeconds: Double?)>
    ) -> UInt64 {
        var sum: UInt64 = 0
        var found = 0
        for test in tests {
            guard test.outcome == .passed, let seconds = test.durationSeconds, seconds >= least, seconds < 1e9 else {
                continue
            }
            let hundredths = seconds * 100
            guard abs(hundredths - hundredths.rounded()) > 0.01 else { continue }
            found += 1
            sum &+= HistoryFormat.mixed(HistoryFormat.hash(test.id.utf8) ^ seconds.bitPattern)
        }
        return found >= needed ? max(1, sum) : 0
    }
}
