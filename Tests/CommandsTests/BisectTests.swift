// SPDX-License-Identifier: Apache-2.0
// `nightjar bisect`: what it says before it does anything, and its exit codes. Tests/Checks/60-bisect.sh runs whole
// searches.

import Domain
import Testing

@testable import Commands

struct BisectTests {
    @Test(arguments: ["main", "a...b", "..b", "a..", "--x..b", "a..b..c"])
    func `a range has two ends`(range: String) async throws {
        let fixture = LoopFixture()
        let result = await fixture.run("bisect", "--", range, "a::b")
        #expect(result.code == .usage)
        #expect(result.error.contains("is no range"))
    }

    @Test func `a test must be named`() async throws {
        let result = await LoopFixture().run("bisect", "a..b")
        #expect(result.code == .usage)
        #expect(result.error.contains("TEST"))
    }

    private static func record(
        _ answers: [BisectedTest.Answer], _ environment: BisectionRecord.Environment = .restored,
        because: String? = nil
    ) -> BisectionRecord {
        var record = BisectionRecord(
            number: 1, loop: "staging", good: Revision("a"), bad: Revision("b"), commits: 3, restoreTo: Revision("b"),
            startedAt: LoopFixture.now, plannedDeploys: 4, maximumDeploys: 9)
        record.environment = environment
        record.stoppedBecause = because
        record.tests = answers.map {
            BisectedTest(
                suite: "s", test: "t", answer: $0, culprit: nil, candidates: [], noneProbability: 0, goodRate: 0,
                badRate: 1, revisions: [])
        }
        return record
    }

    @Test func `the exit code says what was found and how the environment was left`() {
        #expect(BisectCommand.exit(Self.record([.culprit, .culprit])) == .ok)
        #expect(BisectCommand.exit(Self.record([.culprit, .none])) == .failing)
        #expect(BisectCommand.exit(Self.record([.undecided], because: "6 deploys are spent")) == .failing)
        #expect(BisectCommand.exit(Self.record([.undecided], because: "asked to stop")) == .interrupted)
        #expect(BisectCommand.exit(Self.record([.culprit], because: "asked to stop")) == .ok)
        #expect(BisectCommand.exit(Self.record([.undecided], because: "infrastructure: no disk")) == .infrastructure)
        #expect(BisectCommand.exit(Self.record([.culprit], .unknown)) == .infrastructure)
    }
}
