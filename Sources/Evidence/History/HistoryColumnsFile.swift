// SPDX-License-Identifier: Apache-2.0
// The columns file: the columns of every suite up to some frame of the runs file, so that a question needs only its own
// part of the past and the short rest of the runs file. It is made from the runs file alone, replaced as a whole, and never
// trusted where it does not fit: then the runs file is read, and the next update makes it anew.
//
//     the line "nightjar.columns/1"
//     a frame: where the covered part of the runs file ends and the first 12 bytes of its last frame, how many suites, and
//              for each suite its number and, for each section, offset, length and checksum
//     the sections, in the order of `Section`: numbers of 32 or 64 bits, little-endian, or bytes
//
// A test's postings are varints: the step from the row before, then the code.

import Platform

struct HistoryColumnsFile {
    static let header = Array("nightjar.columns/1\n".utf8)

    enum Section: Int, CaseIterable {
        case cycles, revisions, states, purposes
        case revisionHashes, revisionEnds, revisionTexts
        /// Ranges as in a run, one roster behind the other; and (row, roster) each.
        case rosters, rosterChanges
        /// For each test: where its postings end, and their checksum.
        case postingEnds, postings
    }

    struct Place: Hashable {
        var offset: Int
        var count: Int
        var checksum: UInt32
    }

    /// What it covers of the runs file.
    struct Cover: Hashable {
        var end: Int
        /// The first bytes of the last covered frame: its length and checksum are in them.
        var mark: [UInt8]
        /// Where that frame begins.
        var markOffset: Int
    }

    private let file: DiskFile
    let cover: Cover
    let suites: [Int: [Place]]

    /// Nil where there is none, or none of this version, or a damaged one.
    init?(_ path: String) {
        guard Files.exists(path), let file = try? DiskFile(path, .reading) else { return nil }
        self.file = file
        let begin = HistoryColumnsFile.header.count
        guard let head = HistoryColumnsFile.bytes(file, 0, begin + HistoryFormat.prefixBytes),
            head.starts(with: HistoryColumnsFile.header)
        else { return nil }
        let count = head.withUnsafeBytes { Int(FrameScanner.word($0, begin + 4)) }
        let whole = count + HistoryFormat.prefixBytes + HistoryFormat.suffixBytes
        guard count <= HistoryFormat.payloadLimit, let frame = HistoryColumnsFile.bytes(file, begin, whole) else {
            return nil
        }
        let payload = Array(frame[HistoryFormat.prefixBytes..<HistoryFormat.prefixBytes + count])
        guard HistoryFormat.frame(payload) == frame,
            let directory = HistoryColumnsFile.directory(payload, base: begin + whole)
        else { return nil }
        (cover, suites) = directory
    }

    private static func directory(_ payload: [UInt8], base: Int) -> (cover: Cover, suites: [Int: [Place]])? {
        payload.withUnsafeBytes { bytes in
            var reader = HistoryReader(bytes)
            let (end, markOffset) = (reader.number(), reader.number())
            let mark = Array(reader.slice(HistoryFormat.prefixBytes))
            var suites: [Int: [Place]] = [:]
            for _ in 0..<min(reader.number(), bytes.count) {
                let suite = reader.number()
                suites[suite] = Section.allCases.map { _ in
                    let (offset, count) = (base + reader.number(), reader.number())
                    return Place(offset: offset, count: count, checksum: UInt32(truncatingIfNeeded: reader.number()))
                }
            }
            guard !reader.isBroken else { return nil }
            return (Cover(end: end, mark: mark, markOffset: markOffset), suites)
        }
    }

    private static func bytes(_ file: DiskFile, _ offset: Int, _ count: Int) -> [UInt8]? {
        let bytes: [UInt8]? = numbers(file, offset, count)
        return bytes
    }

    /// Nil where the file ends before.
    private static func numbers<Number: FixedWidthInteger>(_ file: DiskFile, _ offset: Int, _ count: Int) -> [Number]? {
        guard count >= 0, offset >= 0, let size = try? file.size(), offset + count <= Int(size),
            count % MemoryLayout<Number>.stride == 0
        else { return nil }
        var got = 0
        let numbers = [Number](unsafeUninitializedCapacity: count / MemoryLayout<Number>.stride) { buffer, filled in
            got = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)) ?? 0
            filled = got / MemoryLayout<Number>.stride
        }
        return got == count ? numbers : nil
    }

    /// A section of numbers that are little-endian, as every machine is that this runs on.
    private func section<Number: FixedWidthInteger>(_ places: [Place], _ section: Section) -> [Number]? {
        let place = places[section.rawValue]
        guard let numbers: [Number] = HistoryColumnsFile.numbers(file, place.offset, place.count),
            numbers.withUnsafeBytes(HistoryFormat.checksum) == place.checksum
        else { return nil }
        return numbers
    }

    // MARK: - Reading

    /// The columns of a suite, with the postings of all tests, or of `test` alone. Nil where a part is damaged.
    func columns(of suite: Int, test: Int? = nil) -> HistoryColumns? {
        guard let places = suites[suite] else { return HistoryColumns() }
        guard let cycles: [Int32] = section(places, .cycles), let states: [UInt8] = section(places, .states),
            let numbers: [Int32] = section(places, .revisions), let purposes: [UInt8] = section(places, .purposes),
            let hashes: [UInt64] = section(places, .revisionHashes),
            let ends: [Int32] = section(places, .revisionEnds), let texts: [UInt8] = section(places, .revisionTexts),
            let revisions = RevisionTable(hashes: hashes, texts: texts, ends: ends),
            let rosters: [UInt8] = section(places, .rosters), let changes: [Int32] = section(places, .rosterChanges),
            var columns = HistoryColumns(
                cycles: cycles, revisionNumbers: numbers, states: states, purposes: purposes, revisions: revisions,
                rosters: HistoryColumnsFile.split(rosters),
                rosterChanges: stride(from: 0, to: changes.count - 1, by: 2).map {
                    HistoryColumns.RosterChange(row: changes[$0], roster: changes[$0 + 1])
                }),
            let postings = postings(places, test, rows: cycles.count)
        else { return nil }
        columns.postings = postings
        return columns
    }

    private static func split(_ rosters: [UInt8]) -> [[UInt8]] {
        rosters.withUnsafeBytes { bytes in
            var reader = HistoryReader(bytes)
            var found: [[UInt8]] = []
            while !reader.isAtEnd {
                let start = reader.position
                for _ in 0..<min(2 * reader.number(), bytes.count) { _ = reader.number() }
                found.append(Array(bytes[start..<reader.position]))
            }
            return found
        }
    }

    private func postings(_ places: [Place], _ test: Int?, rows: Int) -> [[HistoryColumns.Posting]]? {
        guard let ends: [Int32] = section(places, .postingEnds) else { return nil }
        let (place, tests) = (places[Section.postings.rawValue], ends.count / 2)
        if let test {
            guard test < tests else { return [] }
            let start = test == 0 ? 0 : Int(ends[2 * test - 2])
            guard let bytes = HistoryColumnsFile.bytes(file, place.offset + start, Int(ends[2 * test]) - start),
                bytes.withUnsafeBytes(HistoryFormat.checksum) == UInt32(bitPattern: ends[2 * test + 1]),
                let list = bytes.withUnsafeBytes({ HistoryColumnsFile.decode($0, rows) })
            else { return nil }
            return Array(repeating: [], count: test) + [list]
        }
        guard let all: [UInt8] = section(places, .postings) else { return nil }
        return all.withUnsafeBytes { bytes in
            var found: [[HistoryColumns.Posting]] = []
            found.reserveCapacity(tests)
            var start = 0
            for test in 0..<tests {
                let end = Int(ends[2 * test])
                guard start <= end, end <= bytes.count,
                    let list = HistoryColumnsFile.decode(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), rows)
                else { return nil }
                found.append(list)
                start = end
            }
            return found
        }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ rows: Int) -> [HistoryColumns.Posting]? {
        var reader = HistoryReader(bytes)
        var found: [HistoryColumns.Posting] = []
        found.reserveCapacity(bytes.count / 2)
        var row = 0
        while !reader.isAtEnd {
            row += reader.number()
            let code = reader.byte()
            guard !reader.isBroken, row < rows else { return nil }
            found.append(HistoryColumns.Posting(row: Int32(row), code: code))
        }
        return found
    }

    /// A suite's columns and the bytes of the runs file that they do not cover; nil where the whole runs file must be read.
    static func start(
        _ generation: HistoryGeneration, suite: Int, test: Int?
    ) throws(EvidenceError) -> (columns: HistoryColumns, tail: [UInt8])? {
        guard let file = HistoryColumnsFile(generation.columns),
            let tail = try file.cover.tail(of: generation.runs),
            let columns = file.columns(of: suite, test: test)
        else { return nil }
        return (columns, tail)
    }

    // MARK: - Writing

    /// Replaces the file. A crash in the middle leaves the old one.
    static func write(_ suites: [Int: HistoryColumns], _ cover: Cover, to path: String) throws(EvidenceError) {
        var body: [UInt8] = []
        var directory = HistoryWriter()
        directory.number(cover.end)
        directory.number(cover.markOffset)
        for byte in cover.mark { directory.byte(byte) }
        directory.number(suites.count)
        for (suite, columns) in suites.sorted(by: { $0.key < $1.key }) {
            directory.number(suite)
            let postings = encode(columns.postings)
            for section in Section.allCases {
                let bytes = encode(columns, section, postings)
                directory.number(body.count)
                directory.number(bytes.count)
                directory.number(Int(bytes.withUnsafeBytes(HistoryFormat.checksum)))
                body += bytes
            }
        }
        let bytes = header + HistoryFormat.frame(directory.bytes) + body
        // Not durable: what a power failure leaves of it does not fit its checksums and is made anew.
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: false) }
    }

    private static func encode(
        _ columns: HistoryColumns, _ section: Section, _ postings: (ends: [Int32], bytes: [UInt8])
    ) -> [UInt8] {
        switch section {
        case .cycles: columns.cycles.withUnsafeBytes(Array.init)
        case .revisions: columns.revisionNumbers.withUnsafeBytes(Array.init)
        case .states: columns.states
        case .purposes: columns.purposes
        case .revisionHashes: columns.revisions.hashes.withUnsafeBytes(Array.init)
        case .revisionEnds: columns.revisions.ends.withUnsafeBytes(Array.init)
        case .revisionTexts: columns.revisions.texts
        case .rosters: Array(columns.rosters.joined())
        case .rosterChanges: columns.rosterChanges.flatMap { [$0.row, $0.roster] }.withUnsafeBytes(Array.init)
        case .postingEnds: postings.ends.withUnsafeBytes(Array.init)
        case .postings: postings.bytes
        }
    }

    private static func encode(_ postings: [[HistoryColumns.Posting]]) -> (ends: [Int32], bytes: [UInt8]) {
        var ends: [Int32] = []
        var bytes: [UInt8] = []
        for list in postings {
            var writer = HistoryWriter()
            var last: Int32 = 0
            for posting in list {
                writer.number(Int(posting.row - last))
                writer.byte(posting.code)
                last = posting.row
            }
            bytes += writer.bytes
            ends.append(Int32(bytes.count))
            ends.append(Int32(bitPattern: writer.bytes.withUnsafeBytes(HistoryFormat.checksum)))
        }
        return (ends, bytes)
    }
}

extension HistoryColumnsFile.Cover {
    /// What the runs file has behind the covered part; nil where it does not have that part (it was cut and written again).
    func tail(of runs: String) throws(EvidenceError) -> [UInt8]? {
        let head = try onDisk("read", runs) { () throws(SystemError) in
            try Files.read(runs, from: 0, count: HistoryFormat.header.count + 8)
        }
        if let foreign = HistoryFormat.foreignHeader(head) { throw .newerFormat(path: runs, found: foreign) }
        guard head.starts(with: HistoryFormat.header), markOffset >= HistoryFormat.header.count, markOffset < end else {
            return nil
        }
        let rest = try onDisk("read", runs) { () throws(SystemError) in
            try Files.read(runs, from: markOffset, count: .max)
        }
        guard rest.count >= end - markOffset, rest.starts(with: mark) else { return nil }
        return Array(rest.dropFirst(end - markOffset))
    }
}
