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

    /// The tests in a file that a record names.
    package func tests(_ file: String, inCycle cycle: Int) throws(EvidenceError) -> [TestResult] {
        guard let path = layout.file(file, inCycle: cycle) else {
            throw .notFound(what: "file of cycle \(cycle)", path: file)
        }
        return try TestsFile.read(path)
    }
}
