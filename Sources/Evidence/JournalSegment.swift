// SPDX-License-Identifier: Apache-2.0
// One file of the journal as it was read: its entries, and what a crash left behind them.

package import Domain

/// The entries of one segment, with the bytes of each.
struct JournalSegment {
    let path: String
    let bytes: [UInt8]
    private(set) var entries: [JournalEntry] = []
    /// Where the line of each entry ends, newline included.
    private(set) var ends: [Int] = []

    /// Bytes up to here are whole lines; what follows is the torn tail.
    var wholeBytes: Int { ends.last ?? 0 }
    var tail: ArraySlice<UInt8> { bytes[wholeBytes...] }

    func line(_ index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Reads the lines in order. A line that is no JSON begins the torn tail, but only where no JSON follows it: damage in
    /// the middle is never cut, since what follows it was acknowledged.
    init(path: String, bytes: [UInt8]) throws(EvidenceError) {
        self.path = path
        self.bytes = bytes
        var start = 0
        while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let entry = try entry(bytes[start..<newline]) else {
                try refuseUnlessLast(from: newline + 1)
                return
            }
            if let last = entries.last, entry.sequence != last.sequence + 1 {
                throw damaged("seq \(entry.sequence) follows \(last.sequence)")
            }
            start = newline + 1
            entries.append(entry)
            ends.append(start)
        }
    }

    private func entry(_ line: ArraySlice<UInt8>) throws(EvidenceError) -> JournalEntry? {
        do {
            return try EvidenceCoding.value(JournalEntry.self, from: line)
        } catch {
            switch error {
            case .notJSON: return nil
            case .newer(let found): throw .newerFormat(path: path, found: found)
            case .otherShape(let reason): throw damaged(reason)
            }
        }
    }

    private func refuseUnlessLast(from start: Int) throws(EvidenceError) {
        let rest = bytes[start...].split(separator: UInt8(ascii: "\n"))
        for line in rest where try entry(line) != nil {
            throw damaged("it is no JSON, and whole entries follow it")
        }
    }

    private func damaged(_ reason: String) -> EvidenceError {
        .damaged(path: path, line: entries.count + 1, reason: reason)
    }

    /// The first entry says what kind of segment it is: a later one carries the memory of those before it.
    func checkBeginning(number: Int) throws(EvidenceError) {
        guard let first = entries.first else {
            if number == 1 { return }
            throw damaged("it has no whole entry, and a later segment is never without one")
        }
        if number == 1, first.sequence != 1 { throw damaged("it begins with seq \(first.sequence), not 1") }
        guard number > 1 else { return }
        guard case .memoryCarried = first.event else {
            throw damaged("a later segment begins with memoryCarried, and this one does not")
        }
    }
}

/// The journal as others may read it, at any time and without the lock.
package struct JournalReader: Sendable {
    package let layout: EvidenceLayout

    package init(_ layout: EvidenceLayout) {
        self.layout = layout
    }

    /// The numbers of the segments that are there, rising.
    package func segments() throws(EvidenceError) -> [Int] {
        var numbers: [Int] = []
        for name in try names(in: layout.journal) where name.hasSuffix(".jsonl") {
            if let number = EvidenceLayout.number(name.dropLast(6)) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    func segment(_ number: Int, isNewest: Bool) throws(EvidenceError) -> JournalSegment {
        let path = layout.segment(number)
        let segment = try JournalSegment(path: path, bytes: try contents(path) ?? [])
        try segment.checkBeginning(number: number)
        // The writer may be in the middle of a line of the newest segment; the others are finished.
        if !isNewest, !segment.tail.isEmpty {
            throw .damaged(path: path, line: segment.entries.count + 1, reason: "a finished segment ends within a line")
        }
        return segment
    }

    /// The entries of all segments in order, one segment in memory at a time.
    package func forEach(_ body: (JournalEntry) -> Void) throws(EvidenceError) {
        try forEachSegment { segment in segment.entries.forEach(body) }
    }

    func forEachSegment(_ body: (JournalSegment) throws(EvidenceError) -> Void) throws(EvidenceError) {
        let numbers = try segments()
        var last: Int?
        for number in numbers {
            let segment = try segment(number, isNewest: number == numbers.last)
            if let last, let first = segment.entries.first, first.sequence != last + 1 {
                throw .damaged(path: segment.path, line: 1, reason: "seq \(first.sequence) follows \(last)")
            }
            last = segment.entries.last?.sequence ?? last
            try body(segment)
        }
    }

    /// What happened while `cycle` was the running or last one, in order.
    package func entries(ofCycle cycle: Int) throws(EvidenceError) -> [JournalEntry] {
        let numbers = try segments()
        var found: [JournalEntry] = []
        for number in numbers.reversed() {
            let entries = try segment(number, isNewest: number == numbers.last).entries
            found = entries.filter { $0.cycle == cycle } + found
            if let first = entries.first, first.cycle < cycle { break }
        }
        return found
    }
}
