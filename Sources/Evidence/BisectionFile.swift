// SPDX-License-Identifier: Apache-2.0
// Searches that people asked for: `<state>/<loop>/bisections/cycles/000001/bisection.json`, beside the folders of their
// stages. The folder is laid out as the loop's own, so that every stage writes there as it does in a cycle.

package import Domain
import Platform

extension EvidenceLayout {
    /// Where searches keep their evidence, their worktrees and what tools write.
    package var bisections: EvidenceLayout { EvidenceLayout(root: root + "/bisections") }
}

package enum BisectionFile {
    package static func path(_ number: Int, in bisections: EvidenceLayout) -> String {
        bisections.cycle(number) + "/bisection.json"
    }

    /// Replaces the document; durable, because what it names is done next.
    package static func write(_ record: BisectionRecord, in bisections: EvidenceLayout) throws(EvidenceError) {
        let path = path(record.number, in: bisections)
        let bytes = try EvidenceCoding.document(record, path)
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: true) }
    }

    /// Nil where there is none.
    package static func read(_ number: Int, in bisections: EvidenceLayout) throws(EvidenceError) -> BisectionRecord? {
        let path = path(number, in: bisections)
        guard let bytes = try contents(path) else { return nil }
        do {
            let record = try EvidenceCoding.value(BisectionRecord.self, from: bytes)
            guard record.schema == BisectionRecord.schemaName else {
                throw EvidenceError.newerFormat(path: path, found: "schema '\(record.schema)'")
            }
            return record
        } catch let error as EvidenceError {
            throw error
        } catch {
            throw .damaged(path: path, line: nil, reason: "\(error)")
        }
    }

    /// The numbers of all searches, rising.
    package static func numbers(in bisections: EvidenceLayout) throws(EvidenceError) -> [Int] {
        try names(in: bisections.cycles).compactMap { EvidenceLayout.number($0) }.sorted()
    }
}
