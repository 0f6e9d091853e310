// SPDX-License-Identifier: Apache-2.0
// The sealed cycles of a loop and what their tests did over time.
//
// `index.jsonl` only saves time: a cycle without a readable line is read from its folder, a line without a folder is
// left out, and of two lines for one cycle the later one counts.

package import Domain
import Platform

package struct EvidenceIndex: Sendable {
    package let layout: EvidenceLayout
    /// Rising by number.
    package private(set) var cycles: [CycleSummary]
    /// Cycles that were read from their folders, since the index had no line for them.
    package private(set) var missing: [Int]
    /// Lines of the file, those of deleted cycles included.
    private let lines: Int

    /// Reads the newest `newest` sealed cycles, or all.
    package static func load(
        _ layout: EvidenceLayout, newest: Int? = nil
    ) throws(EvidenceError) -> EvidenceIndex {
        let numbers = try CycleReader(layout).numbers()
        var wanted = Set(newest.map { numbers.suffix($0 + 1) } ?? numbers[...])
        var found: [CycleSummary] = []
        let lines = LineFile.lines(try contents(layout.index) ?? [])
        for line in lines.reversed() {
            if wanted.isEmpty { break }
            guard let summary = try? EvidenceCoding.value(CycleSummary.self, from: line),
                wanted.remove(summary.cycle) != nil
            else { continue }
            found.append(summary)
        }
        var missing: [Int] = []
        for number in wanted.sorted() {
            guard let summary = try read(number, layout) else { continue }
            found.append(summary)
            missing.append(number)
        }
        found.sort { $0.cycle < $1.cycle }
        if let newest { found = found.suffix(newest) }
        return EvidenceIndex(layout: layout, cycles: found, missing: missing, lines: lines.count)
    }

    private init(layout: EvidenceLayout, cycles: [CycleSummary], missing: [Int], lines: Int) {
        self.layout = layout
        self.cycles = cycles
        self.missing = missing
        self.lines = lines
    }

    /// From the folder; nil where it is not sealed or cannot be read (`verify` says why).
    private static func read(_ cycle: Int, _ layout: EvidenceLayout) throws(EvidenceError) -> CycleSummary? {
        let reader = CycleReader(layout)
        guard let hash = try reader.sealedHash(cycle), let record = try? reader.record(cycle) else { return nil }
        return CycleSummary(record, bytes: try CycleFolder(layout.cycle(cycle)).bytes, sha256: hash)
    }

    /// Writes the index again from the folders.
    package static func rebuild(_ layout: EvidenceLayout) throws(EvidenceError) -> EvidenceIndex {
        var cycles: [CycleSummary] = []
        for number in try CycleReader(layout).numbers() {
            if let summary = try read(number, layout) { cycles.append(summary) }
        }
        let index = EvidenceIndex(layout: layout, cycles: cycles, missing: [], lines: cycles.count)
        try index.write()
        return index
    }

    /// Writes the file without the lines of deleted cycles, once these are most of it. For the owner of the loop, with an
    /// index of all cycles: whoever reads meanwhile sees the old file or the new one.
    package func compact() throws(EvidenceError) {
        if lines > 2 * cycles.count + EvidenceIndex.staleLines { try write() }
    }

    /// Fewer are not worth the writing.
    private static let staleLines = 100

    private func write() throws(EvidenceError) {
        var bytes: [UInt8] = []
        for summary in cycles { bytes += try EvidenceCoding.line(summary, "an index line") }
        try onDisk("write", layout.index) { () throws(SystemError) in
            try Disk.replace(layout.index, with: bytes, durable: false)
        }
    }

    /// Takes in a cycle that was published after loading.
    package mutating func add(_ summary: CycleSummary) {
        cycles.removeAll { $0.cycle == summary.cycle }
        cycles.append(summary)
        cycles.sort { $0.cycle < $1.cycle }
    }

    /// Forgets a cycle that was deleted.
    package mutating func remove(_ cycle: Int) {
        cycles.removeAll { $0.cycle == cycle }
    }
}

/// What a suite came to when it last ran to its end.
package struct PastSuite: Hashable, Sendable {
    package var cycle: Int
    package var revision: Revision
    package var tests: [TestResult]
}

extension EvidenceIndex {
    /// The runs of a suite, newest first.
    package func runs(ofSuite suite: String) -> some Sequence<(cycle: CycleSummary, run: SuiteRun)> {
        cycles.reversed().lazy.flatMap { cycle in
            cycle.runs.reversed().lazy.filter { $0.suite == suite }.map { (cycle: cycle, run: $0) }
        }
    }

    /// The tests of the newest complete run of a suite: the ids it is known to have, with their durations.
    package func lastTests(suite: String) throws(EvidenceError) -> PastSuite? {
        for (cycle, run) in runs(ofSuite: suite) where run.isComplete {
            guard let path = path(of: run, cycle) else { continue }
            return PastSuite(cycle: cycle.cycle, revision: run.revision, tests: try TestsFile.read(path))
        }
        return nil
    }

    private func path(of run: SuiteRun, _ cycle: CycleSummary) -> String? {
        guard let file = run.testsFile, let path = layout.file(file, inCycle: cycle.cycle), Files.exists(path) else {
            return nil
        }
        return path
    }
}
