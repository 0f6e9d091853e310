// SPDX-License-Identifier: Apache-2.0
// The names behind the numbers of the history index. A suite has a number, and each of its tests another, given in the
// order of first appearance and never again to anybody else: the tests of most runs are one unbroken range.
//
//     2  suite number, name
//     3  suite number, first test number, how many, their names
//     4  suite number, test numbers that are taken although their names were lost

import Platform

struct HistoryNames {
    /// A tool that makes up a new name in every run must not fill the disk: later names are left out.
    static let testsPerSuite = 200_000

    private(set) var suites: [String: Int] = [:]
    private var nextSuite = 0
    private var tests: [Int: SuiteNames] = [:]
    /// Frames that are not on disk yet.
    private(set) var pending: [UInt8] = []
    private(set) var end = 0
    /// A torn tail counts: the runs may use numbers that it named.
    private(set) var damagedBytes = 0

    private struct SuiteNames {
        /// By hash: names themselves are in the file, and this stays in memory for weeks.
        var numbers: [UInt64: UInt32] = [:]
        var next = 0
        /// Only where they were asked for.
        var names: [Int: String] = [:]
    }

    init() {}

    /// Reads the file; the names of the suite `keeping` are kept as text.
    init(_ path: String, keeping: String? = nil) throws(EvidenceError) {
        var scanner = FrameScanner()
        var names = HistoryNames()
        try HistoryFiles.scan(path, &scanner) { payload, _ in names.take(payload, keeping) }
        self = names
        end = scanner.end
        damagedBytes = scanner.damagedBytes + max(0, Int(Files.size(of: path) ?? 0) - scanner.end)
    }

    private mutating func take(_ payload: UnsafeRawBufferPointer, _ keeping: String?) {
        var reader = HistoryReader(payload)
        switch reader.byte() {
        case 2:
            let number = reader.number()
            let name = reader.text()
            guard !reader.isBroken else { return }
            suites[name] = number
            nextSuite = max(nextSuite, number + 1)
            tests[number, default: SuiteNames()].next += 0
        case 3:
            let suite = reader.number()
            let first = reader.number()
            let count = reader.number()
            let isKept = keeping.map { suites[$0] == suite } ?? false
            var names = tests.removeValue(forKey: suite) ?? SuiteNames()
            for number in first..<(first + min(count, payload.count)) {
                let text = reader.slice(reader.number())
                guard !reader.isBroken else { break }
                names.numbers[HistoryFormat.hash(text)] = UInt32(truncatingIfNeeded: number)
                if isKept { names.names[number] = String(decoding: text, as: UTF8.self) }
                names.next = max(names.next, number + 1)
            }
            tests[suite] = names
        case 4:
            let suite = reader.number()
            let taken = reader.number()
            if !reader.isBroken { keepFree(suite: suite, below: taken) }
        default: break
        }
    }

    /// Numbers below are never given again.
    private mutating func keepFree(suite: Int, below taken: Int) {
        nextSuite = max(nextSuite, suite + 1)
        var names = tests.removeValue(forKey: suite) ?? SuiteNames()
        names.next = max(names.next, taken)
        tests[suite] = names
    }

    /// For numbers that runs use although their names were lost.
    mutating func reserve(suite: Int, below taken: Int) {
        guard suite >= nextSuite || testCount(suite) < taken else { return }
        keepFree(suite: suite, below: taken)
        var writer = HistoryWriter()
        writer.byte(4)
        writer.number(suite)
        writer.number(taken)
        pending += HistoryFormat.frame(writer.bytes)
    }

    /// How many test numbers a suite has given.
    func testCount(_ suite: Int) -> Int { tests[suite]?.next ?? 0 }

    func number(ofTest id: String, in suite: Int) -> Int? {
        tests[suite]?.numbers[HistoryFormat.hash(id.utf8)].map(Int.init)
    }

    /// The names that were kept, by number.
    func names(of suite: Int) -> [Int: String] { tests[suite]?.names ?? [:] }

    mutating func number(ofSuite name: String) -> Int {
        if let known = suites[name] { return known }
        let number = nextSuite
        suites[name] = number
        tests[number] = SuiteNames()
        nextSuite += 1
        var writer = HistoryWriter()
        writer.byte(2)
        writer.number(number)
        writer.text(name.utf8)
        pending += HistoryFormat.frame(writer.bytes)
        return number
    }

    /// The number of each test, in the order given; nil for those beyond the limit.
    mutating func numbers(of ids: some Sequence<String>, in suite: Int) -> [Int?] {
        var names = tests.removeValue(forKey: suite) ?? SuiteNames()
        let first = names.next
        var fresh: [String] = []
        let numbers = ids.map { id -> Int? in
            let hash = HistoryFormat.hash(id.utf8)
            if let known = names.numbers[hash] { return Int(known) }
            guard names.next < HistoryNames.testsPerSuite else { return nil }
            names.numbers[hash] = UInt32(names.next)
            fresh.append(id)
            names.next += 1
            return names.next - 1
        }
        tests[suite] = names
        if !fresh.isEmpty {
            var writer = HistoryWriter()
            writer.byte(3)
            writer.number(suite)
            writer.number(first)
            writer.number(fresh.count)
            for id in fresh { writer.text(id.utf8) }
            pending += HistoryFormat.frame(writer.bytes)
        }
        return numbers
    }

    /// Adds what is pending to the file.
    mutating func write(to path: String) throws(EvidenceError) {
        guard !pending.isEmpty else { return }
        try HistoryFiles.append(pending, to: path, end: end)
        end += pending.count + (end == 0 ? HistoryFormat.header.count : 0)
        pending = []
    }
}

enum HistoryFiles {
    /// Reads a file through `scanner`. Throws `newerFormat` where its first line names another format.
    static func scan(
        _ path: String, _ scanner: inout FrameScanner, _ body: (UnsafeRawBufferPointer, Int) -> Void
    ) throws(EvidenceError) {
        var reading = scanner
        try onDisk("read", path) { () throws(SystemError) in
            try Files.readInPieces(path) { reading.push($0, body) }
        }
        reading.finish(body)
        scanner = reading
        if let header = reading.foreignHeader { throw .newerFormat(path: path, found: header) }
    }

    /// Adds frames to a file whose whole part ends at `end`; what lies behind is a torn tail and is cut.
    static func append(_ frames: [UInt8], to path: String, end: Int, durable: Bool = false) throws(EvidenceError) {
        try onDisk("append to", path) { () throws(SystemError) in
            let file = try DiskFile(path, .appending)
            let size = try file.size()
            let head = end == 0 ? HistoryFormat.header : []
            if size > Int64(end) { try file.truncate(to: Int64(end)) }
            do throws(SystemError) {
                try file.write(head + frames)
                if durable { try file.sync() }
            } catch {
                try? file.truncate(to: Int64(end))
                throw error
            }
        }
    }
}
