// SPDX-License-Identifier: Apache-2.0
//
// A command that writes without end: how fast its output goes through the shepherd, and what that holds in memory.

import Execution
import Foundation
import Platform
import Synchronization

enum FloodBench {
    static let childName = "__flood"

    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) async throws {
        let bytes = arguments.number("bytes", standard: 2 << 30)
        let folder = try WorkFolder()
        report.add("written", Double(bytes) / 1e6, "MB")
        report.add("through a pipe to nowhere", try throughPipe(bytes), "MB/s")
        try await shepherd("64 MiB kept", bytes, [], folder, &report)
        try await shepherd(
            "64 MiB kept, 3 secrets", bytes, ["hunter2-hunter2", "s3cr3t-token-value", "opensesame"], folder, &report)
    }

    /// The speed of the writer itself, with `cat` as its reader.
    private static func throughPipe(_ bytes: Int) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\"$1\" \(childName) \(bytes) | cat > /dev/null", "sh", Programs.bench]
        let begin = SystemClock.monotonicNanoseconds
        try process.run()
        process.waitUntilExit()
        return Double(bytes) / 1e6 / (Double(SystemClock.monotonicNanoseconds - begin) / 1e9)
    }

    private static func shepherd(
        _ name: String, _ bytes: Int, _ secrets: [String], _ folder: WorkFolder, _ report: inout BenchReport
    ) async throws {
        let runner = try CommandRunner(executablePath: Programs.nightjar())
        let stage = "\(folder.path)/flood-\(secrets.count)"
        let spec = CommandSpec(
            argv: [Programs.bench, childName, String(bytes)], environment: Programs.environment,
            workingDirectory: "/", stageID: "flood-\(secrets.count)-\(ThisProcess.id)", folder: stage,
            timeout: .seconds(600), needles: secrets)
        let peak = Mutex(0.0)
        let watch = Task {
            while !Task.isCancelled {
                if let seen = peakOfShepherd(stage) { peak.withLock { $0 = max($0, seen) } }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        let begin = SystemClock.monotonicNanoseconds
        let result = await runner.run(spec)
        let seconds = Double(SystemClock.monotonicNanoseconds - begin) / 1e9
        watch.cancel()
        guard result.succeeded else { throw BenchError("the flood ended with \(result.outcome): \(result.notes)") }
        guard result.consoleBytes + result.consoleDroppedBytes >= bytes else {
            throw BenchError(
                "\(result.consoleBytes) bytes kept and \(result.consoleDroppedBytes) dropped are not \(bytes)")
        }
        report.add("through the shepherd, \(name)", Double(bytes) / 1e6 / seconds, "MB/s")
        report.add("its peak resident memory, \(name)", peak.withLock { $0 } / 1000, "MB")
        report.add("kept on disk, \(name)", Double(result.consoleBytes) / 1e6, "MB")
    }

    /// The claim names the shepherd: `"pid":4711`.
    private static func peakOfShepherd(_ stage: String) -> Double? {
        guard let claim = try? Files.read("\(stage)/claim", limit: 4096) else { return nil }
        let text = String(decoding: claim, as: UTF8.self)
        guard let key = text.firstRange(of: "\"pid\":") else { return nil }
        let pid = text[key.upperBound...].prefix { $0.isNumber }
        return (try? ProcessFigures(String(pid)))?.peakKilobytes
    }

    /// Lines of 95 bytes, in blocks of 64 KiB.
    static func child(_ operands: [String]) {
        var left = operands.first.flatMap { Int($0) } ?? 0
        let line = Array(
            "0123456789 the quick brown fox jumps over the lazy dog, and then it does so once more again...\n".utf8)
        var block: [UInt8] = []
        while block.count < 64 << 10 { block += line }
        block.removeLast(block.count - 64 << 10)
        while left > 0 {
            let part = min(left, block.count)
            FileHandle.standardOutput.write(Data(block.prefix(part)))
            left -= part
        }
    }
}
