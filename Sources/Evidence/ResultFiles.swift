// SPDX-License-Identifier: Apache-2.0
// `tests.jsonl` and `probes.jsonl`: one value per line, streamed both ways.

package import Domain
import Platform

/// Writes `tests.jsonl` as the tests come. The file has its name only when `finish` has returned.
package struct TestsFileWriter {
    package let path: String
    package private(set) var totals = Totals()
    private let file: DiskFile
    private var buffer: [UInt8] = []

    private static let bufferBytes = 256 << 10

    /// `path` is the file's absolute path; its folder exists.
    package init(_ path: String) throws(EvidenceError) {
        self.path = path
        let temporary = path + ".new"
        file = try onDisk("create", temporary) { () throws(SystemError) in try DiskFile(temporary, .writing) }
        buffer.reserveCapacity(TestsFileWriter.bufferBytes + 4096)
    }

    package mutating func append(_ test: TestResult) throws(EvidenceError) {
        totals.add(test.outcome)
        TestLines.append(test, to: &buffer)
        if buffer.count >= TestsFileWriter.bufferBytes { try flush() }
    }

    /// Gives the file its name; returns the sums over what was written.
    @discardableResult
    package mutating func finish() throws(EvidenceError) -> Totals {
        try flush()
        let path = path
        try onDisk("name", path) { () throws(SystemError) in try Files.rename(path + ".new", to: path) }
        return totals
    }

    private mutating func flush() throws(EvidenceError) {
        let (file, bytes) = (file, buffer)
        try onDisk("write", path + ".new") { () throws(SystemError) in try file.write(bytes) }
        buffer.removeAll(keepingCapacity: true)
    }
}

package enum TestsFile {
    @discardableResult
    package static func write(_ tests: some Sequence<TestResult>, to path: String) throws(EvidenceError) -> Totals {
        var writer = try TestsFileWriter(path)
        for test in tests { try writer.append(test) }
        return try writer.finish()
    }

    package static func read(_ path: String) throws(EvidenceError) -> [TestResult] {
        var tests: [TestResult] = []
        try forEach(path) { tests.append($0) }
        return tests
    }

    package static func forEach(_ path: String, _ body: (TestResult) -> Void) throws(EvidenceError) {
        try ResultLines.forEach(path, TestResult.self, body)
    }

    /// The result of one test; only its line is decoded.
    package static func find(id: String, in path: String) throws(EvidenceError) -> TestResult? {
        let needle = TestLines.needle(id: id)
        let bytes = try onDisk("read", path) { () throws(SystemError) in try Disk.read(path) }
        guard let hit = position(of: needle, in: bytes) else { return nil }
        let start = bytes[..<hit].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let end = bytes[hit...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        return try ResultLines.value(TestResult.self, bytes[start..<end], path)
    }

    /// The needle begins with `"id":`, whose quotes are escaped inside any string: a hit is the key itself.
    static func position(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard needle.count <= bytes.count, let last = needle.last else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            needle.withUnsafeBufferPointer { needle in
                var end = needle.count - 1
                while end < bytes.count {
                    let start = end - needle.count + 1
                    if bytes[end] == last, bytes[start] == needle[0],
                        UnsafeBufferPointer(rebasing: bytes[start...end]).elementsEqual(needle)
                    {
                        return start
                    }
                    end += 1
                }
                return nil
            }
        }
    }
}

package enum ProbesFile {
    /// Adds answers, as they come.
    package static func append(_ samples: [ProbeSample], to path: String) throws(EvidenceError) {
        var bytes: [UInt8] = []
        for sample in samples { bytes += try EvidenceCoding.line(sample, "a probe's answer") }
        if !bytes.isEmpty { try LineFile.append(bytes, to: path, durable: false) }
    }

    package static func read(_ path: String) throws(EvidenceError) -> [ProbeSample] {
        var samples: [ProbeSample] = []
        try ResultLines.forEach(path, ProbeSample.self) { samples.append($0) }
        return samples
    }
}

private enum ResultLines {
    static func forEach<Value: Decodable>(
        _ path: String, _ type: Value.Type, _ body: (Value) -> Void
    ) throws(EvidenceError) {
        try LineFile.forEach(path) { (line) throws(EvidenceError) in body(try value(type, line, path)) }
    }

    static func value<Value: Decodable>(
        _ type: Value.Type, _ line: ArraySlice<UInt8>, _ path: String
    ) throws(EvidenceError) -> Value {
        do {
            return try EvidenceCoding.value(type, from: line)
        } catch {
            throw .damaged(path: path, line: nil, reason: "a line is no \(type): \(error)")
        }
    }
}
