// SPDX-License-Identifier: Apache-2.0
//
// Many cycles in one process: what grows.

import Domain
import Foundation
import Platform
import Synchronization

enum SoakBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) async throws {
        let cycles = arguments.number("cycles", standard: 10_000)
        let folder = try WorkFolder()
        let path = try folder.write(
            "nightjar.json5",
            LoopUnderTest.configuration(every: "0s", keeping: arguments.number("keep", standard: 1000)))
        let marks = Set([100, cycles / 4, cycles / 2, cycles * 3 / 4, cycles].filter { $0 > 0 })
        let readings = Mutex<[(cycle: Int, figures: ProcessFigures, at: Int64)]>([])
        let begin = SystemClock.monotonicNanoseconds
        try await LoopUnderTest.run(path, cycles: cycles) { record in
            guard marks.contains(record.cycle), let figures = try? ProcessFigures("self") else { return }
            readings.withLock { $0.append((record.cycle, figures, SystemClock.monotonicNanoseconds - begin)) }
        }
        var before: (cycle: Int, at: Int64) = (0, 0)
        for reading in readings.withLock({ $0 }) {
            let name = "after \(reading.cycle) cycles"
            report.add("\(name), resident", reading.figures.residentKilobytes / 1000, "MB")
            report.add("\(name), of it anonymous", reading.figures.anonymousKilobytes / 1000, "MB")
            report.add("\(name), descriptors", reading.figures.descriptors, "")
            report.add("\(name), threads", reading.figures.threads, "")
            let pace = Double(reading.at - before.at) / Double(max(1, reading.cycle - before.cycle)) / 1e6
            report.add("\(name), per cycle since the line before", pace, "ms")
            before = (reading.cycle, reading.at)
        }
    }
}
