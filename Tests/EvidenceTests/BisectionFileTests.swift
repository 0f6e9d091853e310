// SPDX-License-Identifier: Apache-2.0
// A search's document on disk.

import Domain
import Foundation
import Platform
import Testing

@testable import Evidence

struct BisectionFileTests {
    @Test func `what is written is read, and a newer format is refused`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "nightjar-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let layout = EvidenceLayout(root: root).bisections
        #expect(try BisectionFile.numbers(in: layout) == [])
        try Files.createDirectories(layout.cycle(7))
        #expect(try BisectionFile.read(7, in: layout) == nil)
        var record = BisectionRecord(
            number: 7, loop: "staging", good: Revision("a"), bad: Revision("b"), commits: 2, restoreTo: Revision("b"),
            startedAt: Timestamp(milliseconds: 5), plannedDeploys: 4, maximumDeploys: 9)
        record.running = StageRun(cycle: 7, kind: .deploy, purpose: .bisect, attempt: 1, revision: Revision("a"))
        record.tests = [
            BisectedTest(
                suite: "s", test: "t", answer: .undecided, culprit: nil, candidates: [], noneProbability: 0.5,
                goodRate: 0.01, badRate: 1,
                revisions: [.init(revision: Revision("b"), fails: 1, passes: 0, probability: 0.5)])
        ]
        try BisectionFile.write(record, in: layout)
        #expect(try BisectionFile.read(7, in: layout) == record)
        #expect(try BisectionFile.numbers(in: layout) == [7])
        record.schema = "nightjar.bisection/2"
        try BisectionFile.write(record, in: layout)
        #expect(throws: EvidenceError.self) { try BisectionFile.read(7, in: layout) }
        try Files.removeTree(BisectionFile.path(7, in: layout))
    }
}
