// SPDX-License-Identifier: Apache-2.0
// What a loop's journal comes to at a start, and whether the folders of its cycles agree with it.

import Domain
import Engine
import Evidence
import Platform

struct JournalFold {
    private let journal: Journal
    private let layout: EvidenceLayout

    init(_ journal: Journal, _ layout: EvidenceLayout) {
        self.journal = journal
        self.layout = layout
    }

    /// The machine as the journal leaves it. No cycle number is used twice: a seal that the journal does not have yet is
    /// taken in, and folders of a later cycle, of which a loss of power took the beginning, are set aside.
    ///
    /// Throws `LoopError.cannotStart` where a later cycle is sealed: then the journal is not the one that led there.
    func machine(_ entries: [JournalEntry]) async throws -> CycleMachine {
        var machine = CycleMachine()
        for entry in entries { machine.replay(entry) }
        try await takeSeal(&machine, at: entries.last?.at)
        let last = machine.memory.cycle
        for cycle in try CycleReader(layout).numbers() where cycle > last {
            guard !CycleReader(layout).isSealed(cycle) else {
                throw LoopError.cannotStart(
                    "\(layout.cycle(cycle)) is sealed, and the journal ends with cycle \(last): the journal is not the one "
                        + "that led there, an older copy perhaps; bring the right one back, or move that folder away")
            }
            try setAside(cycle)
        }
        return machine
    }

    /// A crash may come between the sums of a cycle and the journal's word of them. Where this version has not come to the
    /// cycle's end by itself, what was sealed says how it ended.
    private func takeSeal(_ machine: inout CycleMachine, at last: Timestamp?) async throws {
        guard let cycle = machine.cycle, cycle.concluded == nil, let last,
            let sum = try CycleReader(layout).sealedHash(cycle.number)
        else { return }
        let record = try CycleReader(layout).sealedRecord(cycle.number)
        let seal = CycleSealed(cycle: cycle.number, sha256: sum, verdict: record.verdict)
        machine.replay(try await journal.append(.cycleSealed(seal), at: last, cycle: cycle.number, durable: true))
    }

    private func setAside(_ cycle: Int) throws {
        let folder = "\(layout.root)/aside"
        try Files.createDirectories(folder)
        var number = 1
        func path() -> String { "\(folder)/\(EvidenceLayout.name(cycle))-\(number)" }
        while Files.exists(path()) { number += 1 }
        try Files.rename(layout.cycle(cycle), to: path())
    }

    /// Names of the commands that were begun in the folder of a cycle.
    static func begunCommands(_ layout: EvidenceLayout, cycle: Int) -> [String] {
        let folder = layout.cycle(cycle)
        return ((try? Files.list(folder)) ?? []).filter { Files.exists("\(folder)/\($0)/claim") }.sorted()
    }
}
