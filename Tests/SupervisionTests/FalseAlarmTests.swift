// SPDX-License-Identifier: Apache-2.0
// The soft rules over the recorded builds of a real project, each judged with nothing but the builds before it. Skipped
// where the collection is absent.

import Domain
import Engine
import Evidence
import Foundation
import Testing

/// 2,711 builds of an open-source project: test classes with number of tests, errors and duration.
private let recording: String? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let beside = package.deletingLastPathComponent().appending(path: "shared/corpus").path
    let root = ProcessInfo.processInfo.environment["NIGHTJAR_CORPUS"] ?? beside
    let path = root + "/history/builds-retrofit.csv.gz"
    return FileManager.default.fileExists(atPath: path) ? path : nil
}()

private struct Build {
    var tests = 0
    var errors = 0
    var seconds: [(name: String, seconds: Double)] = []

    var wall: Double { seconds.reduce(0) { $0 + $1.seconds } }

    var timingPrint: UInt64 { TimingPrint.of(seconds.map { ($0.name, TestOutcome.passed, $0.seconds) }) }

    func facts(_ baseline: [SuiteBaseline.Run]) -> SuiteFacts {
        var facts = SuiteFacts()
        facts.exit = errors == 0 ? 0 : 1
        facts.totals.tests = tests
        facts.totals.failed = errors
        facts.totals.passed = tests - errors
        facts.durationSeconds = wall
        facts.hosts = ["seen"]
        facts.timingPrint = timingPrint
        facts.baseline = SuiteBaseline(baseline)
        return facts
    }

    var run: SuiteBaseline.Run {
        SuiteBaseline.Run(tests: tests, failing: errors, wallSeconds: wall, timingPrint: timingPrint)
    }
}

@Suite struct FalseAlarmTests {
    private func builds(_ path: String) async throws -> [Build] {
        let text = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<String, any Error>) in
            Thread.detachNewThread {
                let process = Process()
                process.executableURL = URL(filePath: "/usr/bin/env")
                process.arguments = ["gzip", "-dc", path]
                let pipe = Pipe()
                process.standardOutput = pipe
                continuation.resume(
                    with: Result {
                        try process.run()
                        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
                    })
            }
        }
        var found: [Build] = []
        var last = ""
        for line in text.split(whereSeparator: \.isNewline).dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            let key = "\(fields[0]),\(fields[1])"
            if key != last { found.append(Build()) }
            last = key
            let index = found.count - 1
            found[index].tests += Int(fields[5]) ?? 0
            found[index].errors += min(Int(fields[6]) ?? 0, Int(fields[5]) ?? 0)
            found[index].seconds.append((String(fields[3]), Double(fields[4]) ?? 0))
        }
        return found
    }

    /// Doubts by rule over all builds; what is doubted teaches nothing until somebody accepts it, which is done at once.
    private func doubts(
        _ builds: [Build], _ change: (inout Build) -> Void = { _ in }
    ) -> (judged: Int, doubted: Int, rules: [String: Int]) {
        var baseline: [SuiteBaseline.Run] = []
        var result = (judged: 0, doubted: 0, rules: [String: Int]())
        for build in builds where build.tests > 0 {
            var seen = build
            change(&seen)
            let reasons = SuiteRules.authenticity(seen.facts(baseline), real: true).reasons
                .filter { $0.verdict != .healthy }
            if baseline.count >= SuiteRules.learningCycles {
                result.judged += 1
                if !reasons.isEmpty { result.doubted += 1 }
                for reason in reasons { result.rules[reason.rule, default: 0] += 1 }
            }
            let plain = SuiteRules.authenticity(build.facts(baseline), real: true)
            if plain.status != .proven { baseline = [] }
            baseline = Array((baseline + [build.run]).suffix(SuiteBaseline.newest))
        }
        return result
    }

    @Test(.enabled(if: recording != nil)) func `real builds raise few doubts, and hollow ones many`() async throws {
        let builds = try await builds(try #require(recording))
        #expect(builds.count > 2700)
        let plain = doubts(builds)
        let hollow = doubts(builds) { build in
            for index in build.seconds.indices { build.seconds[index].seconds /= 20 }
        }
        let fewer = doubts(builds) { $0.tests -= $0.tests * 3 / 10 }
        for (name, found) in [("as recorded", plain), ("a twentieth of the time", hollow), ("30 % fewer", fewer)] {
            print(
                "\(name): \(found.doubted) of \(found.judged) builds doubted \(found.rules.sorted { $0.key < $1.key })")
        }
        // Test sources changed in many of these builds, which the recording does not tell: this is the upper bound.
        #expect(Double(plain.doubted) / Double(plain.judged) < 0.05)
        #expect(plain.rules["wall-time", default: 0] * 200 < plain.judged)
        #expect(plain.rules["repeated-timing", default: 0] * 200 < plain.judged)
        #expect(Double(hollow.rules["wall-time", default: 0]) / Double(hollow.judged) > 0.5)
        #expect(Double(fewer.rules["fewer-tests", default: 0]) / Double(fewer.judged) > 0.9)
    }
}
