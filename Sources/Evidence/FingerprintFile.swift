// SPDX-License-Identifier: Apache-2.0
// `fingerprint-before.json`, `fingerprint-after.json`: one object, with one entry on each line, so that evidence can
// name a line.

package import Domain
import Platform

package enum FingerprintFile {
    /// The name in the cycle folder.
    package static func name(_ moment: Fingerprint.Moment, _ stage: String) -> String {
        moment == .failure ? "fingerprint-\(stage).json" : "fingerprint-\(moment.rawValue).json"
    }

    /// Line of the entry with this index, counted from 1.
    package static func line(ofEntry index: Int) -> Int { index + 2 }

    package static func write(_ fingerprint: Fingerprint, to path: String) throws(EvidenceError) {
        var whole = fingerprint
        whole.entries = []
        var head = try EvidenceCoding.line(whole, "a fingerprint")
        // Keys are sorted, so the empty list stands where its entries belong.
        let empty = Array("\"entries\":[]".utf8)
        guard let place = head.firstRange(of: empty) else {
            throw .unwritable(what: "a fingerprint", reason: "it has no list of entries")
        }
        var list = Array("\"entries\":[\n".utf8)
        for (index, entry) in fingerprint.entries.enumerated() {
            list += try EvidenceCoding.line(entry, "an entry of a fingerprint").dropLast()
            list += Array((index + 1 < fingerprint.entries.count ? ",\n" : "\n").utf8)
        }
        list.append(UInt8(ascii: "]"))
        head.replaceSubrange(place, with: list)
        let bytes = head
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: false) }
    }

    /// Nil where there is none that can be read.
    package static func read(_ path: String) -> Fingerprint? {
        guard let bytes = try? Files.read(path, limit: 4 << 20) else { return nil }
        return try? EvidenceCoding.value(Fingerprint.self, from: bytes)
    }
}
