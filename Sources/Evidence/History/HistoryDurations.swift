// SPDX-License-Identifier: Apache-2.0
// How long the tests of one suite took in its newest whole runs: one byte per test and run, on a logarithmic scale that
// is right to 4 %. The file keeps the newest 64 runs and is written again when it has twice as many.

import Domain
import Foundation
import Platform

struct DurationsFile {
    static let runs = 64
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// The newest runs, oldest first: which tests, and each one's code.
    func read() throws(EvidenceError) -> [(ranges: [Range<Int>], codes: [UInt8])] {
        guard Files.exists(path) else { return [] }
        var found: [(ranges: [Range<Int>], codes: [UInt8])] = []
        var scanner = FrameScanner()
        try HistoryFiles.scan(path, &scanner) { payload, _ in
            if let run = DurationsFile.decode(payload) { found.append(run) }
        }
        return found.suffix(DurationsFile.runs)
    }

    private static func decode(_ payload: UnsafeRawBufferPointer) -> (ranges: [Range<Int>], codes: [UInt8])? {
        var reader = HistoryReader(payload)
        let ranges = HistoryFrame.ranges(&reader)
        let codes = Array(reader.slice(reader.number()))
        guard !reader.isBroken, ranges.reduce(0, { $0 + $1.count }) == codes.count else { return nil }
        return (ranges, codes)
    }

    func append(_ run: HistoryRun, _ names: inout HistoryNames) throws(EvidenceError) {
        let suite = names.number(ofSuite: run.suite)
        let numbers = names.numbers(of: run.tests.lazy.map(\.id), in: suite)
        let known = zip(numbers, run.tests).compactMap { number, test in number.map { ($0, test) } }
            .sorted { $0.0 < $1.0 }
        var writer = HistoryWriter()
        HistoryCoding.ranges(known.lazy.map(\.0), &writer)
        writer.text(known.map { $0.1.outcome == .passed ? DurationCode.code($0.1.durationSeconds) : 0 })
        let frame = HistoryFormat.frame(writer.bytes)
        let size = Int(Files.size(of: path) ?? 0)
        let isTorn = size == 0 ? false : try !endsWhole(size)
        guard isTorn || size > 2 * DurationsFile.runs * frame.count else {
            return try HistoryFiles.append(frame, to: path, end: size)
        }
        try compact(adding: frame)
    }

    private func endsWhole(_ size: Int) throws(EvidenceError) -> Bool {
        let path = path
        let suffix = try onDisk("read", path) { () throws(SystemError) in try Files.tail(path, 4) }
        guard suffix.count == 4 else { return false }
        let around = HistoryFormat.prefixBytes + HistoryFormat.suffixBytes
        let count = suffix.withUnsafeBytes { Int(FrameScanner.word($0, 0)) } + around
        guard count <= size else { return false }
        let frame = try onDisk("read", path) { () throws(SystemError) in try Files.tail(path, count) }
        return frame.count == count && frame.starts(with: HistoryFormat.magic)
    }

    private func compact(adding frame: [UInt8]) throws(EvidenceError) {
        var kept: [[UInt8]] = []
        var scanner = FrameScanner()
        try HistoryFiles.scan(path, &scanner) { payload, _ in kept.append(HistoryFormat.frame(Array(payload))) }
        let path = path
        let bytes = HistoryFormat.header + kept.suffix(DurationsFile.runs - 1).flatMap { $0 } + frame
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: false) }
    }
}

/// Durations in a byte: 0 is unknown, 1 is up to a millisecond, and each step is 7.5 % more, up to a day.
enum DurationCode {
    private static let step = 1.075

    private static let values: [Double] = (0...255).map { 0.001 * pow(step, Double($0 - 1)) }

    static func code(_ seconds: Double?) -> UInt8 {
        guard let seconds, seconds.isFinite, seconds >= 0 else { return 0 }
        guard seconds > 0.001 else { return 1 }
        return UInt8(min(255, 1 + (log(seconds / 0.001) / log(step)).rounded()))
    }

    static func seconds(_ code: UInt8) -> Double? { code == 0 ? nil : values[Int(code)] }
}
