// SPDX-License-Identifier: Apache-2.0
// The index saves time and is never believed against the folders; history is what the tests did.

import Domain
import Foundation
import Testing

@testable import Evidence

@Suite struct IndexTests {
    private let tests = [
        TestResult(id: "one", outcome: .passed, durationSeconds: 1), TestResult(id: "two", outcome: .skipped),
    ]

    @Test func `a missing, torn or doubled index makes no difference`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(4, in: loop, tests: tests)
        let expected = try EvidenceIndex.load(loop.layout)
        #expect(expected.cycles.map(\.cycle) == [1, 2, 3, 4])
        #expect(expected.missing == [])
        let bytes = try loop.bytes(loop.layout.index)
        let index = URL(fileURLWithPath: loop.layout.index)
        for cut in stride(from: 0, to: bytes.count, by: 101) {
            try Data(bytes.prefix(cut)).write(to: index)
            #expect(try EvidenceIndex.load(loop.layout).cycles == expected.cycles, "cut at \(cut)")
        }
        try FileManager.default.removeItem(at: index)
        #expect(try EvidenceIndex.load(loop.layout).missing == [1, 2, 3, 4])
        try Data(bytes + bytes + Array("garbage\n".utf8)).write(to: index)
        #expect(try EvidenceIndex.load(loop.layout).cycles == expected.cycles)
        #expect(try EvidenceIndex.rebuild(loop.layout).cycles == expected.cycles)
        #expect(try loop.bytes(loop.layout.index) == bytes)
    }

    @Test func `a line after a torn one is not lost with it`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop, tests: tests)
        let bytes = try loop.bytes(loop.layout.index)
        try Data(bytes.dropLast(30)).write(to: URL(fileURLWithPath: loop.layout.index))
        let record = Samples.lean(2, tests: tests)
        let writer = CycleWriter(loop.layout)
        try await writer.publish(record, writer.seal(2))
        #expect(try EvidenceIndex.load(loop.layout).missing == [])
    }

    @Test func `lines of deleted cycles go once they are most of the file`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: tests)
        let bytes = try loop.bytes(loop.layout.index)
        let doubled = Array([[UInt8]](repeating: bytes, count: 35).joined())
        for (stale, expected) in [(doubled, doubled), (doubled + bytes, bytes)] {
            try Data(stale).write(to: URL(fileURLWithPath: loop.layout.index))
            let index = try EvidenceIndex.load(loop.layout)
            try index.compact()
            #expect(try loop.bytes(loop.layout.index) == expected)
            #expect(try EvidenceIndex.load(loop.layout).cycles == index.cycles)
        }
    }

    @Test func `an unsealed cycle and a deleted one are not listed`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: tests)
        try await CycleWriter(loop.layout).writeDocument(Samples.record(4))
        try FileManager.default.removeItem(atPath: loop.layout.cycle(1))
        #expect(try EvidenceIndex.load(loop.layout).cycles.map(\.cycle) == [2, 3])
        #expect(try EvidenceIndex.load(loop.layout, newest: 1).cycles.map(\.cycle) == [3])
    }

    @Test func `latest survives a missing or stale link`() async throws {
        let loop = try TemporaryLoop()
        #expect(try CycleReader(loop.layout).latest() == nil)
        try await Samples.seal(2, in: loop, tests: tests)
        #expect(try CycleReader(loop.layout).latest() == 2)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: loop.layout.latest) == "cycles/000002")
        try FileManager.default.removeItem(atPath: loop.layout.latest)
        #expect(try CycleReader(loop.layout).latestRecord()?.cycle == 2)
        // A full disk may keep the link where it was: the cycle before must not answer for the newest.
        try FileManager.default.createSymbolicLink(
            atPath: loop.layout.latest, withDestinationPath: "cycles/000001")
        #expect(try CycleReader(loop.layout).latestRecord()?.cycle == 2)
    }

    @Test func `the last tests of a suite are those of its newest cycle`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: tests)
        let index = try EvidenceIndex.load(loop.layout)
        #expect(try index.lastTests(suite: "other") == nil)
        let last = try #require(try index.lastTests(suite: "chat"))
        #expect((last.cycle, last.tests) == (3, tests))
    }

    @Test func `a run that lost tests or ran a selection makes no statistics`() {
        var partial = Samples.lean(1, tests: tests + [TestResult(id: "three", outcome: .notRun)])
        #expect(CycleSummary(partial, bytes: 0, sha256: "").runs.map(\.isComplete) == [false])
        partial = Samples.lean(1, tests: tests)
        #expect(CycleSummary(partial, bytes: 0, sha256: "").runs.map(\.isComplete) == [true])
        partial.stages[0].run.only = ["one"]
        #expect(CycleSummary(partial, bytes: 0, sha256: "").runs.map(\.isComplete) == [false])
        partial = Samples.lean(1, tests: tests)
        partial.stages[0].outcome = .timedOut
        #expect(CycleSummary(partial, bytes: 0, sha256: "").runs.map(\.isComplete) == [false])
    }

    @Test func `ten thousand cycles are listed`() throws {
        let loop = try TemporaryLoop()
        var bytes: [UInt8] = []
        for cycle in 1...10_000 {
            try FileManager.default.createDirectory(atPath: loop.layout.cycle(cycle), withIntermediateDirectories: true)
            let summary = CycleSummary(Samples.lean(cycle, tests: tests), bytes: 1, sha256: "")
            bytes += try EvidenceCoding.line(summary, "line")
        }
        try Data(bytes).write(to: URL(fileURLWithPath: loop.layout.index))
        let clock = ContinuousClock()
        var count = 0
        let all = try clock.measure { count = try EvidenceIndex.load(loop.layout).cycles.count }
        #expect(count == 10_000)
        let newest = try clock.measure { count = try EvidenceIndex.load(loop.layout, newest: 50).cycles.count }
        #expect(count == 50)
        print("10,000 cycles (\(bytes.count >> 10) KiB): all listed in \(all), the newest 50 in \(newest)")
    }
}
