// SPDX-License-Identifier: Apache-2.0
// The file `journal` of a cycle folder: which journal lines led to this cycle's end, and the hash of their bytes.
//
// Its text is `<first seq> <last seq> <sha256>`. A cycle covers what the one before did not, so that all lines up to the
// newest seal are covered once, and a byte changed in the journal is found by `verify`.

import Platform

struct JournalCoverage: Hashable {
    var first: Int
    /// Less than `first` where there was nothing to cover.
    var last: Int
    var sha256: String

    var text: String { "\(first) \(last) \(sha256)\n" }

    init(first: Int, last: Int, sha256: String) {
        self.first = first
        self.last = last
        self.sha256 = sha256
    }

    init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, let first = Int(words[0]), let last = Int(words[1]), words[2].last == "\n",
            words[2].utf8.count == 65, words[2].utf8.dropLast().allSatisfy(SumsFile.isHexDigit)
        else { return nil }
        self.init(first: first, last: last, sha256: String(words[2].dropLast()))
    }

    static func of(cycle: Int, in layout: EvidenceLayout) throws(EvidenceError) -> JournalCoverage? {
        let bytes = try contents(layout.cycle(cycle) + "/" + EvidenceLayout.journalFile)
        return bytes.flatMap { JournalCoverage(text: String(decoding: $0, as: UTF8.self)) }
    }

    /// Covers the whole lines from seq `first` on. Only the first line of each segment is decoded: the sequence has no gaps.
    static func from(_ first: Int, in layout: EvidenceLayout) throws(EvidenceError) -> JournalCoverage {
        var parts: [ArraySlice<UInt8>] = []
        var last = first - 1
        for number in try JournalReader(layout).segments().reversed() {
            let path = layout.segment(number)
            let bytes = try contents(path) ?? []
            guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { continue }
            let begins: Sequenced
            do {
                begins = try EvidenceCoding.value(Sequenced.self, from: bytes[..<newline])
            } catch {
                throw .damaged(path: path, line: 1, reason: "it has no seq")
            }
            let (part, end) = lines(of: bytes, beginningAt: begins.seq, from: first)
            if !part.isEmpty { parts.insert(part, at: 0) }
            last = max(last, end)
            if begins.seq <= first { break }
        }
        var digest = SHA256()
        for part in parts { digest.update(Array(part)) }
        return JournalCoverage(first: first, last: last, sha256: digest.hexDigest())
    }

    private struct Sequenced: Decodable {
        var seq: Int
    }

    /// The whole lines with seq `first` or later, and the seq of the last one.
    private static func lines(
        of bytes: [UInt8], beginningAt sequence: Int, from first: Int
    ) -> (lines: ArraySlice<UInt8>, last: Int) {
        var next = sequence
        var start = 0
        var from: Int?
        while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if next >= first, from == nil { from = start }
            start = newline + 1
            next += 1
        }
        return (bytes[(from ?? start)..<start], next - 1)
    }
}
