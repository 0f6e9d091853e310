// SPDX-License-Identifier: Apache-2.0
// `tests.jsonl`: what is written is valid JSON, harmless to look at, and reads as what it was.

import Domain
import Foundation
import Platform
import Testing

@testable import Evidence

@Suite struct ResultFilesTests {
    @Test func `hostile strings come back as they were and hold no control bytes on disk`() throws {
        let loop = try TemporaryLoop()
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var tests = [Samples.failure]
        for number in 0..<500 {
            // Raw bytes: broken UTF-8, lone surrogates (ED A0 80), controls, everything.
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let text = String(decoding: bytes + [0xED, 0xA0, 0x80, 0xC2, 0x9B], as: UTF8.self)
            tests.append(
                TestResult(
                    id: "\(number)" + text, outcome: TestOutcome.allCases[number % 7],
                    durationSeconds: Double(bitPattern: generator.next()), message: text, details: text + text))
        }
        let path = loop.root + "/tests.jsonl"
        let totals = try TestsFile.write(tests, to: path)
        let expected = tests.map { test in
            var test = test
            if let seconds = test.durationSeconds, !seconds.isFinite { test.durationSeconds = nil }
            return test
        }
        #expect(try TestsFile.read(path) == expected, "seed \(seed)")
        #expect(totals == Totals(tests))
        let bytes = try loop.bytes(path)
        #expect(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A }, "seed \(seed)")
        #expect(!zip(bytes, bytes.dropFirst()).contains { $0 == 0xC2 && (0x80...0x9F).contains($1) })
        for test in expected { #expect(try TestsFile.find(id: test.id, in: path) == test, "seed \(seed)") }
        #expect(try TestsFile.find(id: "nobody", in: path) == nil)
    }

    @Test func `an id inside another test's message is not taken for the test`() throws {
        let loop = try TemporaryLoop()
        let path = loop.root + "/tests.jsonl"
        let tests = [
            TestResult(id: "one", outcome: .failed, message: #"{"id":"two","message":"#),
            TestResult(id: "two", outcome: .passed),
        ]
        try TestsFile.write(tests, to: path)
        #expect(try TestsFile.find(id: "two", in: path) == tests[1])
    }

    @Test func `more than ten thousand tests are streamed and read back`() throws {
        let loop = try TemporaryLoop()
        let tests = Samples.tests(12_000)
        let path = loop.root + "/tests.jsonl"
        let clock = ContinuousClock()
        let writing = try clock.measure { try TestsFile.write(tests, to: path) }
        var back: [TestResult] = []
        let reading = try clock.measure { back = try TestsFile.read(path) }
        #expect(back == tests)
        print("12,001 tests: written in \(writing), read in \(reading)")
    }

    @Test func `a file that was not finished does not have its name`() throws {
        let loop = try TemporaryLoop()
        let path = loop.root + "/tests.jsonl"
        var writer = try TestsFileWriter(path)
        try writer.append(Samples.failure)
        #expect(!FileManager.default.fileExists(atPath: path))
        try writer.finish()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func `probe answers come back`() throws {
        let loop = try TemporaryLoop()
        let samples = try #require(Samples.stabilizeStage(1).probes).failures
        try ProbesFile.append(samples, to: loop.root + "/probes.jsonl")
        try ProbesFile.append(samples, to: loop.root + "/probes.jsonl")
        #expect(try ProbesFile.read(loop.root + "/probes.jsonl") == samples + samples)
    }
}

@Suite struct FingerprintFileTests {
    @Test func `a fingerprint is read as it was written, and each entry has a line`() throws {
        let loop = try TemporaryLoop()
        let written = Samples.fingerprint(.before, "17 bytes")
        try FingerprintFile.write(written, to: loop.layout.root + "/f.json")
        #expect(FingerprintFile.read(loop.layout.root + "/f.json") == written)
        let text = String(decoding: try Files.read(loop.layout.root + "/f.json", limit: 1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, entry) in written.entries.enumerated() {
            #expect(lines[FingerprintFile.line(ofEntry: index) - 1].contains("\"\(entry.subject)\""))
        }
    }

    @Test func `one without entries is sound, and rubbish is none`() throws {
        let loop = try TemporaryLoop()
        var empty = Samples.fingerprint(.after, "")
        (empty.entries, empty.stall) = ([], nil)
        try FingerprintFile.write(empty, to: loop.layout.root + "/f.json")
        #expect(FingerprintFile.read(loop.layout.root + "/f.json") == empty)
        #expect(FingerprintFile.read(loop.layout.root + "/missing.json") == nil)
    }
}
