// SPDX-License-Identifier: Apache-2.0
// What is deleted, what never is, and what is left of it.

import Domain
import Foundation
import Testing

@testable import Evidence

@Suite struct RetentionPolicyTests {
    private let day: Int64 = 86_400_000

    private func candidate(_ cycle: Int, _ verdict: Verdict, pinned: Bool = false) -> RetentionCandidate {
        RetentionCandidate(
            cycle: cycle, bytes: 10, endedAt: Timestamp(milliseconds: Int64(cycle) * day), verdict: verdict,
            isPinned: pinned)
    }

    /// All assignments of three verdicts and a pin to five cycles, against all small limits: 7,776 x 27 plans.
    @Test func `in every small case the protected stay, the limits hold and the rules are true`() {
        let verdicts: [Verdict] = [.healthy, .failing, .unproven]
        let now = Timestamp(milliseconds: 6 * day)
        var plans = 0
        for code in 0..<7776 {
            var rest = code
            let cycles = (1...5).map { number in
                defer { rest /= 6 }
                return candidate(number, verdicts[rest % 3], pinned: rest % 6 >= 3)
            }
            for (count, age, bytes) in limits {
                let settings = RetentionSettings(cycles: count, age: .seconds(86_400 * age), bytes: Int64(bytes))
                let running = code % 2 == 0 ? 2 : nil
                let plan = RetentionPolicy.plan(cycles, settings: settings, now: now, running: running)
                if let fault = fault(plan, cycles, settings, now, running) {
                    Issue.record("case \(code), limits \(count) \(age) \(bytes): \(fault)")
                    return
                }
                plans += 1
            }
        }
        #expect(plans == 7776 * 27)
    }

    private var limits: [(Int, Int, Int)] {
        [0, 2, 5].flatMap { count in [0, 3, 9].flatMap { age in [0, 25, 100].map { (count, age, $0) } } }
    }

    private func fault(
        _ plan: [RetentionDecision], _ cycles: [RetentionCandidate], _ settings: RetentionSettings, _ now: Timestamp,
        _ running: Int?
    ) -> String? {
        let deleted = Set(plan.map(\.cycle))
        if deleted.count != plan.count || plan.map(\.cycle) != deleted.sorted() { return "not in order" }
        let safe = [
            running, 5, cycles.last { $0.verdict == .healthy }?.cycle, cycles.last { $0.verdict == .failing }?.cycle,
        ].compactMap(\.self)
        if let lost = safe.first(where: deleted.contains) { return "deleted the protected \(lost)" }
        if cycles.contains(where: { $0.isPinned && deleted.contains($0.cycle) }) { return "deleted a pinned one" }
        let kept = cycles.filter { !deleted.contains($0.cycle) }
        let free = kept.filter { !safe.contains($0.cycle) && !$0.isPinned }
        let isOver = kept.count > settings.cycles || kept.reduce(0) { $0 + $1.bytes } > settings.bytes
        if isOver, !free.isEmpty { return "a limit is exceeded and \(free[0].cycle) was kept" }
        if free.contains(where: { now.since($0.endedAt) > settings.age }) { return "an old one was kept" }
        for decision in plan where decision.rule.hasPrefix("age") {
            guard now.since(cycles[decision.cycle - 1].endedAt) > settings.age else { return "the rule is untrue" }
        }
        // Nothing younger went for number or size while something older could have gone.
        let counted = plan.filter { !$0.rule.hasPrefix("age") }.map(\.cycle)
        if let last = counted.max(), free.contains(where: { $0.cycle < last }) { return "a younger one went first" }
        let withoutLast = kept.count + 1 > settings.cycles || (kept.count + 1) * 10 > settings.bytes
        return counted.isEmpty || withoutLast ? nil : "more was deleted than the limits ask"
    }

    @Test func `nothing is deleted within the limits`() {
        let cycles = (1...50).map { candidate($0, .healthy) }
        let now = Timestamp(milliseconds: 51 * day)
        #expect(RetentionPolicy.plan(cycles, settings: RetentionSettings(), now: now) == [])
        #expect(RetentionPolicy.plan([], settings: RetentionSettings(cycles: 0), now: now) == [])
    }

    @Test func `the rule says which limit it was`() {
        let cycles = (1...4).map { candidate($0, .unproven) }
        let settings = RetentionSettings(cycles: 2, age: .seconds(2 * 86_400), bytes: 1000)
        let plan = RetentionPolicy.plan(cycles, settings: settings, now: Timestamp(milliseconds: 4 * day))
        #expect(
            plan == [
                RetentionDecision(cycle: 1, rule: "age 2d"), RetentionDecision(cycle: 2, rule: "cycles 2"),
            ])
    }
}

@Suite struct RetentionTests {
    private let few = [TestResult(id: "one", outcome: .passed)]

    @Test func `a deleted cycle leaves a tombstone, and verification still holds`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(5, in: loop, tests: few)
        let retention = Retention(loop.layout)
        try retention.pin(2)
        let settings = RetentionSettings(cycles: 2, age: .seconds(1 << 30), bytes: 1 << 40)
        var index = try EvidenceIndex.load(loop.layout)
        let hash = try CycleReader(loop.layout).sealedHash(3)
        for decision in try retention.plan(index, settings: settings, now: Samples.at(9999)) {
            try retention.delete(decision, at: Samples.at(9999))
            index.remove(decision.cycle)
        }
        #expect(index.cycles.map(\.cycle) == [2, 5])
        #expect(try EvidenceIndex.load(loop.layout).cycles == index.cycles)
        let stone = try #require(try retention.tombstones()[3])
        #expect(stone.sha256 == hash)
        #expect((stone.rule, stone.verdict, stone.deletedAt) == ("cycles 2", .failing, Samples.at(9999)))
        let report = try Verifier(loop.layout).verify()
        #expect(report.findings.filter { $0.kind != .journalDamaged } == [])
        #expect(report.isIntact)
        #expect((report.tombstones, report.cycles) == (3, 2))
    }

    @Test func `the cycle after a deleted one still finds it, and covers the journal from there`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop, tests: few)
        try Retention(loop.layout).delete(RetentionDecision(cycle: 2, rule: "by hand"), at: Samples.start)
        let writer = CycleWriter(loop.layout)
        try await writer.writeDocument(Samples.record(3))
        _ = try await writer.seal(3)
        #expect(try Verifier(loop.layout).verify().findings == [])
    }

    @Test func `a forged tombstone does not hide a cycle`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: few)
        try FileManager.default.removeItem(atPath: loop.layout.cycle(2))
        let forged = Tombstone(
            cycle: 2, verdict: .failing, sha256: String(repeating: "0", count: 64), deletedAt: Samples.start,
            rule: "age 90d")
        try TombstoneFile(loop.layout).append(forged)
        let found = try Verifier(loop.layout).verify().findings.map(\.kind)
        #expect(found.contains(.tombstone))
        #expect(found.contains(.chainBroken))
    }

    @Test func `a deletion that a crash interrupted is finished later`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(3, in: loop, tests: few)
        let stone = Tombstone(
            cycle: 1, verdict: .failing, sha256: try #require(try CycleReader(loop.layout).sealedHash(1)),
            deletedAt: Samples.start, rule: "age 90d", journalEnd: 1)
        try TombstoneFile(loop.layout).append(stone)
        try loop.put("x", at: loop.layout.trashed(7) + "/file")
        let report = try Verifier(loop.layout).verify()
        #expect(report.isIntact)
        #expect(report.notes.count == 1)
        try Retention(loop.layout).finishDeletions()
        #expect(try CycleReader(loop.layout).numbers() == [2, 3])
        #expect(try FileManager.default.contentsOfDirectory(atPath: loop.layout.trash) == [])
        #expect(try Verifier(loop.layout).verify().isIntact)
    }

    @Test func `a pin that came after the plan is honored, and an unknown cycle cannot be pinned`() async throws {
        let loop = try TemporaryLoop()
        try await Samples.seal(2, in: loop, tests: few)
        let retention = Retention(loop.layout)
        try retention.pin(1)
        #expect(try retention.delete(RetentionDecision(cycle: 1, rule: "age 90d"), at: Samples.start) == nil)
        #expect(try CycleReader(loop.layout).numbers() == [1, 2])
        #expect(throws: EvidenceError.self) { try retention.pin(9) }
        try retention.unpin(1)
        #expect(try retention.pinned() == [])
    }
}
