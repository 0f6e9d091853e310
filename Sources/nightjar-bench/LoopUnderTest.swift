// SPDX-License-Identifier: Apache-2.0
//
// A real loop in this process: the configuration is read, locks are taken, and every cycle is journaled, sealed and
// reported as `nightjar run` does it.

import Configuration
import Domain
import Engine
import Execution
import Foundation
import Platform
import Supervision
import Synchronization

enum LoopUnderTest {
    /// Four suites, each one supervised command that reports one passed test on its console.
    static func configuration(every: String, keeping cycles: Int = 1000) -> String {
        let suites = (1...4).map { number in
            """
            { name: "suite\(number)", command: ["printf", "1..1\\nok 1 - works\\n"], report: { format: "tap" } },
            """
        }
        return """
            {
              loop: { name: "bench", mode: "observe" },
              schedule: { every: "\(every)" },
              retention: { cycles: \(cycles) },
              suites: [ \(suites.joined(separator: " ")) ],
            }
            """
    }

    /// Runs `cycles` cycles; `onLine` sees each line of the cycle log, `onSealed` the end of each cycle.
    static func run(
        _ path: String, cycles: Int, onLine: @escaping @Sendable (String) -> Void = { _ in },
        onSealed: @escaping @Sendable (CycleRecord) -> Void
    ) async throws {
        SignalSource.setDispositions()
        HeapMemory.staySmall()
        let bytes = try Files.read(path, limit: 1 << 20)
        let loaded: LoadedSettings
        switch SettingsFile.load(bytes: bytes, path: path, now: Timestamp(milliseconds: SystemClock.wallMilliseconds)) {
        case .success(let settings): loaded = settings
        case .failure(let problems): throw BenchError("the configuration of the benchmark: \(problems)")
        }
        let start = LoopStart(
            loaded: loaded, path: path, cycles: cycles, version: "bench", host: "bench",
            environment: Programs.environment, secretEnvironment: [:], echo: onLine, onSealed: onSealed)
        let runner = try CommandRunner(executablePath: Programs.nightjar())
        let host = try await LoopHost.open(start, runner: runner)
        guard case .cycles(.healthy) = await host.run() else {
            throw BenchError("the loop under measurement did not end healthy")
        }
    }
}
