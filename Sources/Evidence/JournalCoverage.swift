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

    /// Covers the whole lines from seq `first` on.
    ///
    /// - Parameter known: where a seal before this one ended. With it only what came since is read; without it, or where
    ///   it no longer fits, the segments are searched for the line. The bytes are the same.
    /// - Returns: the coverage, and where it ends; nil where there is no journal.
    static func from(
        _ first: Int, in layout: EvidenceLayout, known: JournalPlace? = nil
    ) throws(EvidenceError) -> (coverage: JournalCoverage, end: JournalPlace?) {
        let numbers = try JournalReader(layout).segments()
        var digest = SHA256()
        var last = first - 1
        guard var place = try place(of: first, in: layout, numbers, known) else {
            return (JournalCoverage(first: first, last: last, sha256: digest.hexDigest()), nil)
        }
        for number in numbers where number >= place.segment {
            let path = layout.segment(number)
            if number > place.segment {
                guard let begin = try beginning(of: path, number) else { continue }
                place = begin
            }
            let bytes = try onDisk("read", path) { () throws(SystemError) in
                try DiskFile(path, .reading).bytes(from: place.offset)
            }
            let (part, end) = lines(of: bytes, beginningAt: place.next, from: first)
            digest.update(Array(part))
            last = max(last, end)
            place.offset += part.endIndex
            place.next = end + 1
        }
        return (JournalCoverage(first: first, last: last, sha256: digest.hexDigest()), place)
    }

    /// Where to begin reading for line `first`: at it or before it.
    private static func place(
        of first: Int, in layout: EvidenceLayout, _ numbers: [Int], _ known: JournalPlace?
    ) throws(EvidenceError) -> JournalPlace? {
        if let known, known.next == first, numbers.contains(known.segment),
            Files.size(of: layout.segment(known.segment)) ?? 0 >= known.offset
        {
            return known
        }
        var earliest: JournalPlace?
        for number in numbers.reversed() {
            guard let begin = try beginning(of: layout.segment(number), number) else { continue }
            earliest = begin
            if begin.next <= first { break }
        }
        return earliest
    }

    /// The beginning of a segment that has a whole line; only that one is decoded, as the sequence has no gaps.
    private static func beginning(of path: String, _ number: Int) throws(EvidenceError) -> JournalPlace? {
        let bytes = try contents(path) ?? []
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        do {
            let begins = try EvidenceCoding.value(Sequenced.self, from: bytes[..<newline])
            return JournalPlace(segment: number, offset: 0, next: begins.seq)
        } catch {
            throw .damaged(path: path, line: 1, reason: "it has no seq")
        }
    }

    private struct Sequenced: Decodable {
        var seq: Int
    }

    /// The whole lines with seq `first` or later, and the seq of the last one. They end where the whole lines of `bytes` do.
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

/// Where a line of the journal begins, or will begin.
struct JournalPlace: Hashable {
    var segment: Int
    /// Bytes from the beginning of that segment.
    var offset: Int
    /// Its seq.
    var next: Int
}
