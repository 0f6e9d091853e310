// SPDX-License-Identifier: Apache-2.0
// Reads the evidence of cycles from disk; what reports, `status` and the command line see.

package import Domain
import Platform

package struct CycleReader: Sendable {
    package let layout: EvidenceLayout

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// The document of one cycle. Throws `notFound`, `newerFormat`, `damaged`.
    package func record(_ cycle: Int) throws(EvidenceError) -> CycleRecord {
        let path = layout.document(cycle)
        guard let bytes = try contents(path) else { throw .notFound(what: "cycle \(cycle)", path: path) }
        try checkSchema(bytes, path)
        do {
            return try EvidenceCoding.value(CycleRecord.self, from: bytes)
        } catch {
            throw .damaged(path: path, line: nil, reason: "\(error)")
        }
    }

    /// The document as it was sealed, for those who pass on what it says. Throws as `record` does, and `damaged` where the
    /// folder's SHA256SUMS has another hash for it. What was changed together with its sums is for `nightjar verify`.
    package func sealedRecord(_ cycle: Int) throws(EvidenceError) -> CycleRecord {
        let record = try record(cycle)
        let sums = layout.sums(cycle)
        guard let listed = try contents(sums) else {
            if wasSealed(cycle) {
                throw .damaged(
                    path: sums, line: nil,
                    reason: "it is gone, and the cycle was sealed: what its document says is not proven")
            }
            return record
        }
        let path = layout.document(cycle)
        guard let file = SumsFile(text: String(decoding: listed, as: UTF8.self)) else {
            throw .damaged(path: sums, line: nil, reason: "it is no list of sums")
        }
        let name = String(path.split(separator: "/").last ?? "")
        guard let bytes = try contents(path),
            file.lines.contains(where: { $0.path == name && $0.sha256 == SHA256.hex(of: bytes) })
        else {
            throw .damaged(
                path: path, line: nil, reason: "it is not what was sealed; nightjar verify tells what else is not")
        }
        return record
    }

    /// Whether the index or the journal says that a cycle was sealed. Asked only where its folder does not: both are read.
    private func wasSealed(_ cycle: Int) -> Bool {
        let lines = (try? contents(layout.index)).flatMap { $0 }.map { LineFile.lines($0) } ?? []
        if lines.contains(where: { (try? EvidenceCoding.value(CycleSummary.self, from: $0))?.cycle == cycle }) {
            return true
        }
        var isSealed = false
        // Where the journal cannot be read, what it has no line of is not claimed.
        try? JournalReader(layout).forEach { entry in
            if case .cycleSealed(let seal) = entry.event, seal.cycle == cycle { isSealed = true }
        }
        return isSealed
    }

    private struct Schema: Decodable {
        var schema: String
    }

    /// Before anything else: what a newer version wrote may have another shape.
    private func checkSchema(_ bytes: [UInt8], _ path: String) throws(EvidenceError) {
        let found: String
        do {
            found = try EvidenceCoding.value(Schema.self, from: bytes).schema
        } catch {
            throw .damaged(path: path, line: nil, reason: "\(error)")
        }
        if found != CycleRecord.schemaName { throw .newerFormat(path: path, found: "schema '\(found)'") }
    }

    /// The newest sealed cycle. The link `latest` is for people and may be older: what decides are the folders.
    package func latest() throws(EvidenceError) -> Int? {
        try numbers().last { Files.exists(layout.sums($0)) }
    }

    /// The document of the newest sealed cycle; nil before the first.
    package func latestRecord() throws(EvidenceError) -> CycleRecord? {
        guard let number = try latest() else { return nil }
        return try record(number)
    }

    /// The numbers of all cycle folders, sealed or not, rising.
    package func numbers() throws(EvidenceError) -> [Int] {
        try names(in: layout.cycles).compactMap { EvidenceLayout.number($0) }.sorted()
    }

    package func isSealed(_ cycle: Int) -> Bool { Files.exists(layout.sums(cycle)) }

    /// The hash of the SHA256SUMS of a sealed cycle.
    package func sealedHash(_ cycle: Int) throws(EvidenceError) -> String? {
        try contents(layout.sums(cycle)).map { SHA256.hex(of: $0) }
    }

    /// The tests in a file that a record names, where it is as it was sealed; otherwise `notFound` or `damaged`.
    package func sealedTests(_ file: String, inCycle cycle: Int) throws(EvidenceError) -> [TestResult] {
        guard let path = layout.file(file, inCycle: cycle), let bytes = try contents(path) else {
            throw .notFound(what: "file of cycle \(cycle)", path: file)
        }
        let listed = try contents(layout.sums(cycle)).flatMap { SumsFile(text: String(decoding: $0, as: UTF8.self)) }
        guard let line = listed?.lines.first(where: { $0.path == file }) else {
            throw .damaged(path: file, line: nil, reason: "SHA256SUMS does not list it")
        }
        guard line.sha256 == SHA256.hex(of: bytes) else {
            throw .damaged(path: file, line: nil, reason: "it is not what was sealed")
        }
        return try TestsFile.read(path)
    }

    /// The tests in a file that a record names.
    package func tests(_ file: String, inCycle cycle: Int) throws(EvidenceError) -> [TestResult] {
        guard let path = layout.file(file, inCycle: cycle) else {
            throw .notFound(what: "file of cycle \(cycle)", path: file)
        }
        return try TestsFile.read(path)
    }
}
