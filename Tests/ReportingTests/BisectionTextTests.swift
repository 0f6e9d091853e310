// SPDX-License-Identifier: Apache-2.0
// A search by hand in words.

import Domain
import Testing

@testable import Reporting

struct BisectionTextTests {
    private static func record(_ test: BisectedTest, _ environment: BisectionRecord.Environment) -> BisectionRecord {
        var record = BisectionRecord(
            number: 3, loop: "staging", good: Revision("v1"), bad: Revision("v4"), commits: 3,
            restoreTo: Revision("v4"), startedAt: Timestamp(milliseconds: 0), plannedDeploys: 5, maximumDeploys: 11)
        record.deploys = 3
        record.endedAt = Timestamp(milliseconds: 90_000)
        record.state = .ended
        record.environment = environment
        record.tests = [test]
        return record
    }

    private static func test(_ answer: BisectedTest.Answer, goodFails: Int = 0) -> BisectedTest {
        let culprit = Culprit(
            commit: Revision("v3"), subject: "Send \u{1B}[2J less", author: "Tom", files: ["a"], probability: 0.997)
        return BisectedTest(
            suite: "chat", test: "chat::streams", answer: answer, culprit: answer == .culprit ? culprit : nil,
            candidates: [culprit], noneProbability: answer == .none ? 0.98 : 0.001, goodRate: 0.012, badRate: 0.998,
            revisions: [
                .init(revision: Revision("v1"), fails: goodFails, passes: goodFails > 0 ? 0 : 1, probability: 0),
                .init(revision: Revision("v2"), fails: 0, passes: 2, probability: 0.002),
                .init(revision: Revision("v3"), fails: 3, passes: 0, probability: 0.997),
                .init(revision: Revision("v4"), fails: 0, passes: 0, probability: 0.001, untestable: "deploy: exit 3"),
            ])
    }

    @Test func `a proven culprit is named with its proof`() {
        let text = BisectionText.text(Self.record(Self.test(.culprit), .restored), palette: .plain, folder: "b/3")
        #expect(text.contains("culprit v3 \"Send"))
        #expect(text.contains("fails 3/3 there, its parent v2 passes 2/2"))
        #expect(text.contains("probability 0.997"))
        #expect(text.contains("cannot be asked: deploy: exit 3"))
        #expect(text.contains("3 commits, 3 deploys of 11, 0 test runs, 90s") || text.contains("1m30s"))
        #expect(text.contains("environment: v4 is live again\nevidence: b/3\n"))
        #expect(!text.contains("\u{1B}"))
    }

    @Test func `without an answer nobody is named a culprit`() {
        let text = BisectionText.text(Self.record(Self.test(.undecided), .unknown), palette: .plain, folder: "b/3")
        #expect(!text.contains("culprit v3"))
        #expect(text.contains("undecided"))
        #expect(text.contains("could not be put back; deploy it by hand"))
    }

    @Test func `what fails on the good end too is said`() {
        let text = BisectionText.text(
            Self.record(Self.test(.none, goodFails: 2), .untouched), palette: .plain, folder: "b/3")
        #expect(text.contains("no culprit in the range, probability 0.98: it fails on the good end v1 too, now"))
        #expect(text.contains("nothing was deployed"))
    }
}
