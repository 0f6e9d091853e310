// SPDX-License-Identifier: Apache-2.0
//
// A daemon that waits for its next cycle: what it holds and how often it wakes.

import Foundation
import Platform

enum IdleBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) throws {
        let seconds = arguments.number("seconds", standard: 60)
        let folder = try WorkFolder()
        let path = try folder.write("nightjar.json5", LoopUnderTest.configuration(every: "1h"))
        let daemon = Process()
        daemon.executableURL = URL(fileURLWithPath: try Programs.nightjar())
        daemon.arguments = ["run", path]
        daemon.environment = Programs.environment
        daemon.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        daemon.standardOutput = FileHandle.nullDevice
        try daemon.run()
        defer {
            daemon.terminate()
            daemon.waitUntilExit()
        }
        let sealed = "\(folder.path)/.nightjar/bench/cycles/000001/report.html"
        for _ in 0..<300 where !Files.exists(sealed) { Thread.sleep(forTimeInterval: 0.1) }
        guard Files.exists(sealed) else { throw BenchError("the daemon did not finish its first cycle in 30 s") }
        Thread.sleep(forTimeInterval: 3)
        let before = try ProcessFigures(String(daemon.processIdentifier))
        Thread.sleep(forTimeInterval: TimeInterval(seconds))
        let after = try ProcessFigures(String(daemon.processIdentifier))
        report.add("watched", Double(seconds), "s")
        report.add("resident", after.residentKilobytes / 1000, "MB")
        report.add("of it anonymous", after.anonymousKilobytes / 1000, "MB")
        report.add("peak resident", after.peakKilobytes / 1000, "MB")
        report.add("threads", after.threads, "")
        report.add("descriptors", after.descriptors, "")
        report.add("processor time", (after.processorNanoseconds - before.processorNanoseconds) / 1e6, "ms")
    }
}
