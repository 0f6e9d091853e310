// SPDX-License-Identifier: Apache-2.0
//
// What supervision and evidence cost: cycles of four commands beside the same commands in a shell loop.

import Domain
import Execution
import Foundation
import Platform
import Synchronization

enum CycleBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) async throws {
        let cycles = arguments.number("cycles", standard: 200)
        let folder = try WorkFolder()
        let bare = try shellLoop(cycles, folder)
        let stages = try await supervised(cycles, folder)
        let whole = try await loop(cycles, folder)
        report.add("four bare commands in a shell, one synced line each cycle", nanoseconds: bare)
        report.add("four supervised commands, no loop", nanoseconds: stages)
        report.add("cycle, start to verdict", nanoseconds: whole.toVerdict)
        report.add("cycle, start to the next start", nanoseconds: whole.periods)
        let base = Samples.percentile(bare, 0.5)
        report.add("cycle over bare, p50", (Samples.percentile(whole.periods, 0.5) - base) / 1e6, "ms")
        report.add("cycle over bare, p95", (Samples.percentile(whole.periods, 0.95) - base) / 1e6, "ms")
    }

    /// The four commands as an operator's shell script would run them.
    private static func shellLoop(_ cycles: Int, _ folder: WorkFolder) throws -> [Int64] {
        let script = """
            for ((cycle = 0; cycle < $1; cycle++)); do
              begin=${EPOCHREALTIME/./}
              for stage in 1 2 3 4; do /usr/bin/printf '1..1\\nok 1 - works\\n' > "$2/console.$stage"; done
              echo "{\\"cycle\\":$cycle,\\"verdict\\":\\"healthy\\"}" | dd of="$2/cycles.jsonl" oflag=append conv=notrunc,fsync status=none
              echo $(( ${EPOCHREALTIME/./} - begin ))
            done
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "bash", String(cycles), folder.path]
        process.environment = Programs.environment
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let times = String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { Int64($0) }
        guard times.count == cycles else { throw BenchError("the shell loop gave \(times.count) times, not \(cycles)") }
        return times.map { $0 * 1000 }
    }

    /// The shepherd alone: claim, command, result, four times.
    private static func supervised(_ cycles: Int, _ folder: WorkFolder) async throws -> [Int64] {
        let runner = try CommandRunner(executablePath: Programs.nightjar())
        var times: [Int64] = []
        for cycle in 0..<cycles {
            let begin = SystemClock.monotonicNanoseconds
            for stage in 1...4 {
                let spec = CommandSpec(
                    argv: ["printf", "1..1\\nok 1 - works\\n"], environment: Programs.environment,
                    workingDirectory: "/", stageID: "bench-\(cycle)-\(stage)",
                    folder: "\(folder.path)/stages/\(cycle)-\(stage)", timeout: .seconds(60))
                guard await runner.run(spec).succeeded else { throw BenchError("a supervised command failed") }
            }
            times.append(SystemClock.monotonicNanoseconds - begin)
        }
        return times
    }

    private struct Times {
        var began: Int64?
        var toVerdict: [Int64] = []
        var periods: [Int64] = []
    }

    /// The log says where a cycle begins and what its verdict is; the next beginning comes after the seal is durable.
    private static func loop(_ cycles: Int, _ folder: WorkFolder) async throws -> (toVerdict: [Int64], periods: [Int64])
    {
        let path = try folder.write("nightjar.json5", LoopUnderTest.configuration(every: "0s"))
        let times = Mutex(Times())
        try await LoopUnderTest.run(
            path, cycles: cycles,
            onLine: { line in
                let now = SystemClock.monotonicNanoseconds
                times.withLock { times in
                    if line.contains(" cycle ") {
                        if let began = times.began { times.periods.append(now - began) }
                        times.began = now
                    } else if line.contains(" verdict "), let began = times.began {
                        times.toVerdict.append(now - began)
                    }
                }
            },
            onSealed: { _ in })
        return times.withLock { ($0.toVerdict, $0.periods) }
    }
}
