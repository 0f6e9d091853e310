// SPDX-License-Identifier: Apache-2.0
// The writing half of the history index: what every test did in every cycle, in `<state>/<loop>/history/`.
//
//     runs-000001        one frame per sealed cycle
//     names-000001       the names of suites and tests
//     durations-000001-0 how long the tests of suite 0 took in its newest runs
//     columns-000001     the runs once more, in the order in which questions need them, up to some frame
//
// The JSON evidence is the truth and this saves time. It is not sealed, and can be made again from the cycle folders;
// but it is kept when retention deletes those, and then holds what nothing else holds: a rebuild carries over every frame
// whose cycle has no folder any more. The files of one generation belong together; a rebuild writes the next one, and its
// `runs` file appears last.

import Domain
import Platform

extension EvidenceLayout {
    package var history: String { root + "/history" }
}

/// Paths of one generation.
struct HistoryGeneration {
    let folder: String
    let number: Int
    /// A rebuild that is under way has no `runs` file yet that anybody reads.
    var isFinished = true

    var runs: String { "\(folder)/runs-\(EvidenceLayout.name(number))\(isFinished ? "" : ".new")" }
    var names: String { "\(folder)/names-\(EvidenceLayout.name(number))" }
    var columns: String { "\(folder)/columns-\(EvidenceLayout.name(number))" }
    func durations(_ suite: Int) -> String { "\(folder)/durations-\(EvidenceLayout.name(number))-\(suite)" }

    /// The newest; nil where nothing was written yet.
    static func newest(_ layout: EvidenceLayout) throws(EvidenceError) -> HistoryGeneration? {
        let numbers = try Evidence.names(in: layout.history).compactMap { name -> Int? in
            name.hasPrefix("runs-") ? EvidenceLayout.number(name.dropFirst(5)) : nil
        }
        return numbers.max().map { HistoryGeneration(folder: layout.history, number: $0) }
    }
}

/// What bringing the index up to date came to.
package struct HistoryUpdate: Hashable, Sendable {
    /// Cycles that were added.
    package var added = 0
    /// Bytes of a torn tail that were cut.
    package var cutBytes = 0
    /// Whether the files were damaged and written again.
    package var isRebuilt = false
    /// Whether the columns were written again.
    package var isCompacted = false
}

/// One writer at a time: its owner holds the loop.
package struct HistoryStore {
    let layout: EvidenceLayout
    private var generation: HistoryGeneration
    private(set) var names: HistoryNames
    /// Where the whole part of `runs` ends.
    private(set) var end: Int
    /// The newest cycle in it; 0 before the first.
    package private(set) var lastCycle: Int

    var files: HistoryGeneration { generation }

    /// Adds every sealed cycle that the index does not have yet. Repeating it adds nothing.
    package static func update(_ layout: EvidenceLayout) throws(EvidenceError) -> HistoryUpdate {
        var result = HistoryUpdate()
        var store = try HistoryStore.open(layout, &result)
        let reader = CycleReader(layout)
        let last = store.lastCycle
        for number in try reader.numbers() where number > last && reader.isSealed(number) {
            guard let record = try? reader.record(number) else { continue }
            try store.append(HistoryCycle(record, layout))
            result.added += 1
        }
        // Where the columns cannot be written, answers take longer and are the same.
        result.isCompacted = (try? store.compactIfDue()) ?? false
        return result
    }

    /// Writes the columns file again where the runs have outgrown it; whether it was. Answers are the same without it: an
    /// index of an earlier version has none until here.
    @discardableResult
    package func compactIfDue() throws(EvidenceError) -> Bool {
        guard HistoryCompaction.isDue(generation, end: end) else { return false }
        try HistoryCompaction.run(generation)
        return true
    }

    /// For cycles that have no folder: simulations and benchmarks.
    package init(_ layout: EvidenceLayout) throws(EvidenceError) {
        var ignored = HistoryUpdate()
        self = try HistoryStore.open(layout, &ignored)
    }

    init(
        _ layout: EvidenceLayout, _ generation: HistoryGeneration, _ names: HistoryNames, end: Int, last: Int
    ) {
        self.layout = layout
        self.generation = generation
        self.names = names
        self.end = end
        lastCycle = last
    }

    private static func open(
        _ layout: EvidenceLayout, _ result: inout HistoryUpdate
    ) throws(EvidenceError) -> HistoryStore {
        let folder = layout.history
        try onDisk("create", folder) { () throws(SystemError) in _ = try Files.createDirectory(folder) }
        guard let generation = try HistoryGeneration.newest(layout) else {
            let first = HistoryGeneration(folder: folder, number: 1)
            return HistoryStore(layout, first, HistoryNames(), end: 0, last: 0)
        }
        let size = Int(Files.size(of: generation.runs) ?? 0)
        if let last = try lastFrame(generation.runs, size), Files.exists(generation.names) {
            let names = try HistoryNames(generation.names)
            if names.damagedBytes == 0 {
                return HistoryStore(layout, generation, names, end: size, last: last)
            }
        }
        return try HistoryRebuild.repair(layout, generation, size, &result)
    }

    /// The cycle of the last frame, found from the end; nil where the end is no whole frame.
    private static func lastFrame(_ path: String, _ size: Int) throws(EvidenceError) -> Int? {
        let around = HistoryFormat.prefixBytes + HistoryFormat.suffixBytes
        guard size > HistoryFormat.header.count + around else { return nil }
        let suffix = try onDisk("read", path) { () throws(SystemError) in
            try Files.tail(path, HistoryFormat.suffixBytes)
        }
        let count = suffix.withUnsafeBytes { Int(FrameScanner.word($0, 0)) }
        guard count <= min(size - around, HistoryFormat.payloadLimit) else { return nil }
        let frame = try onDisk("read", path) { () throws(SystemError) in try Files.tail(path, count + around) }
        guard frame.count == count + around else { return nil }
        let payload = Array(frame[HistoryFormat.prefixBytes..<HistoryFormat.prefixBytes + count])
        guard HistoryFormat.frame(payload) == frame else { return nil }
        return payload.withUnsafeBytes { HistoryCoding.cycle(of: $0) }
    }

    /// Adds one cycle, which must be newer than the last.
    package mutating func append(_ cycle: HistoryCycle) throws(EvidenceError) {
        guard cycle.cycle > lastCycle else { return }
        let frame = HistoryFormat.frame(HistoryCoding.payload(cycle, &names))
        // Names first: a frame must never use what nobody knows.
        try names.write(to: generation.names)
        try HistoryFiles.append(frame, to: generation.runs, end: end)
        end += frame.count + (end == 0 ? HistoryFormat.header.count : 0)
        lastCycle = cycle.cycle
        for run in cycle.runs where run.teachesDurations {
            try DurationsFile(generation.durations(names.number(ofSuite: run.suite))).append(run, &names)
        }
    }

    /// Copies the frame of a cycle that has no folder any more.
    mutating func append(frame: [UInt8], cycle: Int) throws(EvidenceError) {
        try HistoryFiles.append(frame, to: generation.runs, end: end)
        end += frame.count + (end == 0 ? HistoryFormat.header.count : 0)
        lastCycle = cycle
    }
}

extension HistoryRun {
    /// Whether usual durations may be learned from it.
    var teachesDurations: Bool {
        isWhole && purpose == .cycle && !isContradicted && !isHollow && !isMassFailure && totals.passed > 0
    }
}
