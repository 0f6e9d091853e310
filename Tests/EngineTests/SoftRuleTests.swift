// SPDX-License-Identifier: Apache-2.0
// The soft rules: they learn for five runs, doubt what is far from usual, and leave everything else alone.

import Domain
import Testing

@testable import Engine

@Suite struct SoftRuleTests {
    private static let usual = SuiteBaseline.Run(
        tests: 40, skipped: 2, wallSeconds: 60, cpuSeconds: 12, peakMemoryBytes: 200_000_000, timingPrint: 77)

    /// A run like all the others.
    private static func facts(learned: Int = 20, _ change: (inout SuiteFacts) -> Void = { _ in }) -> SuiteFacts {
        var facts = SuiteFacts()
        facts.exit = 0
        facts.totals.tests = 40
        facts.totals.passed = 38
        facts.totals.skipped = 2
        facts.durationSeconds = 61
        facts.cpuSeconds = 12.5
        facts.peakMemoryBytes = 190_000_000
        facts.hosts = ["staging:443"]
        facts.timingPrint = 1234
        facts.vanished = 0
        facts.baseline = SuiteBaseline(Array(repeating: usual, count: learned))
        change(&facts)
        return facts
    }

    private func doubts(_ facts: SuiteFacts) -> [String] {
        SuiteRules.authenticity(facts, real: true).reasons.filter { $0.verdict != .healthy }.map(\.rule)
    }

    @Test func `a usual run is proven`() {
        let authenticity = SuiteRules.authenticity(Self.facts(), real: true)
        #expect(authenticity == Authenticity(status: .proven))
    }

    @Test func `a past that cannot be read is a doubt in a suite that is marked real`() {
        let facts = Self.facts(learned: 0) { $0.pastProblem = "history is no folder" }
        #expect(doubts(facts) == ["past-unreadable"])
        #expect(doubts(Self.facts(learned: 0)) == [])
        #expect(SuiteRules.authenticity(facts, real: false).status == .unobserved)
    }

    private static let strange: [(String, @Sendable (inout SuiteFacts) -> Void)] = [
        (
            "fewer-tests",
            {
                $0.totals.tests = 35
                $0.totals.passed = 33
            }
        ),
        ("other-tests", { $0.vanished = 5 }),
        (
            "more-skipped",
            {
                $0.totals.skipped = 7
                $0.totals.passed = 33
            }
        ),
        ("wall-time", { $0.durationSeconds = 4 }),
        ("cpu-time", { $0.cpuSeconds = 0.5 }),
        ("peak-memory", { $0.peakMemoryBytes = 30_000_000 }),
        ("no-host", { $0.hosts = [] }),
        ("repeated-timing", { $0.timingPrint = 77 }),
        ("collected-not-reported", { $0.collected = 41 }),
    ]

    @Test(arguments: strange.map(\.0)) func `what is far from usual is doubtful`(rule: String) throws {
        let change = try #require(Self.strange.first { $0.0 == rule }?.1)
        #expect(doubts(Self.facts(change)) == [rule])
        let authenticity = SuiteRules.authenticity(Self.facts(change), real: true)
        #expect(authenticity.status == .doubtful)
        #expect(authenticity.baseline == nil)
        // Which tests there are is asked of every suite, what they used only of those that claim to be real. Selections
        // are not held to it.
        let plain = SuiteRules.authenticity(Self.facts(change), real: false)
        #expect(plain.status == (Self.ofEverySuite.contains(rule) ? .doubtful : .unobserved))
        #expect(
            doubts(
                Self.facts { facts in
                    change(&facts)
                    facts.isSelection = true
                }) == [])
    }

    /// Tests that did not run say nothing against those that did.
    @Test(arguments: [("zero-tests", "doubtful"), ("exit-disagrees", "contradicted"), ("tests-not-run", nil)])
    func `a run that is no pass is not called proven`(rule: String, status: String?) {
        let doubt = Reason(rule: rule, verdict: .unproven, text: "told")
        for real in [true, false] {
            let authenticity = SuiteRules.authenticity(Self.facts(), real: real, doubts: [doubt])
            #expect(authenticity.status.rawValue == status ?? (real ? "proven" : "unobserved"))
            // The hard rule itself decides: twice would be once too often.
            #expect(authenticity.reasons.allSatisfy { $0.verdict == .healthy })
        }
    }

    private static let ofEverySuite = ["fewer-tests", "other-tests", "more-skipped", "collected-not-reported"]

    @Test func `tests that could not be collected are doubted in a suite that is marked real, and told in every`() {
        let facts = Self.facts { $0.collectProblem = "could not be started: no such file" }
        #expect(doubts(facts) == ["not-collected"])
        let plain = SuiteRules.authenticity(facts, real: false)
        #expect(plain.status == .unobserved && plain.reasons.map(\.rule) == ["not-collected"])
    }

    /// One earlier run is enough to repeat, and none to lose tests between the console and the report.
    private static let needNothingLearned = ["repeated-timing", "collected-not-reported"]

    @Test(arguments: strange.map(\.0)) func `nothing is doubted while the rules learn`(rule: String) throws {
        let change = try #require(Self.strange.first { $0.0 == rule }?.1)
        let learning = SuiteRules.authenticity(Self.facts(learned: 4, change), real: true)
        #expect(learning.baseline == "4/5")
        #expect(learning.status == (Self.needNothingLearned.contains(rule) ? .doubtful : .proven))
    }

    @Test func `what lies within the bounds is left alone`() {
        let harmless: [(String, (inout SuiteFacts) -> Void)] = [
            ("four of forty are gone", { $0.totals.tests = 36 }), ("four others came", { $0.vanished = 4 }),
            ("four more are skipped", { $0.totals.skipped = 6 }), ("half the time", { $0.durationSeconds = 25 }),
            ("ten times the time", { $0.durationSeconds = 600 }),
            ("more memory", { $0.peakMemoryBytes = 2_000_000_000 }),
            ("no figures", { facts in (facts.cpuSeconds, facts.peakMemoryBytes, facts.vanished) = (nil, nil, nil) }),
            ("no telling durations", { $0.timingPrint = 0 }),
        ]
        for (name, change) in harmless { #expect(doubts(Self.facts(change)) == [], "\(name)") }
    }

    @Test func `failing runs end early and are not held to the usual effort`() {
        let failing = Self.facts { facts in
            facts.exit = 1
            facts.totals.failed = 3
            facts.totals.passed = 35
            facts.durationSeconds = 2
            facts.cpuSeconds = 0.1
        }
        #expect(doubts(failing) == [])
    }

    @Test func `a change of test sources explains which tests there are`() {
        let changed = Self.facts { facts in
            facts.totals.tests = 20
            facts.totals.passed = 18
            facts.testsChanged = true
        }
        let authenticity = SuiteRules.authenticity(changed, real: true)
        #expect(authenticity.status == .proven)
        #expect(authenticity.reasons.map(\.rule) == ["fewer-tests"])
        #expect(SuiteRules.asksForTestChanges(changed))
        #expect(!SuiteRules.asksForTestChanges(Self.facts { $0.durationSeconds = 1 }))
    }

    @Test func `a suite whose times scatter is given room`() {
        let scattered = [5.0, 60, 9, 44, 120, 7, 80, 15, 33, 70].map { seconds in
            SuiteBaseline.Run(tests: 40, skipped: 2, wallSeconds: seconds)
        }
        let quick = Self.facts { facts in
            facts.baseline = SuiteBaseline(scattered)
            facts.durationSeconds = 5
            facts.cpuSeconds = nil
        }
        #expect(doubts(quick) == [])
    }

    @Test func `hosts that were never seen are unobservable and no doubt`() {
        func with(_ seen: Int, of runs: Int) -> SuiteFacts {
            Self.facts { facts in
                facts.hosts = []
                facts.baseline = SuiteBaseline(
                    (0..<runs).map { index in
                        var run = Self.usual
                        run.hasContactedHosts = index < seen
                        return run
                    })
            }
        }
        #expect(SuiteRules.authenticity(with(0, of: 20), real: true).reasons.map(\.rule) == ["hosts-unobservable"])
        #expect(SuiteRules.authenticity(with(0, of: 20), real: true).status == .proven)
        #expect(doubts(with(19, of: 20)) == [])
        #expect(doubts(with(9, of: 9)) == [])
        #expect(doubts(with(10, of: 10)) == ["no-host"])
    }

    @Test func `an accepted baseline says so while it learns`() {
        let learning = Self.facts(learned: 1) { $0.baseline.accepted = "accepted by ann at #12: split in two" }
        let authenticity = SuiteRules.authenticity(learning, real: true)
        #expect(authenticity.status == .proven)
        #expect(authenticity.reasons.map(\.text) == ["accepted by ann at #12: split in two"])
        #expect(authenticity.baseline == "1/5")
    }

    @Test(arguments: [(1.0, 0.0), (2.0, 0.693147), (0.1, -2.302585), (1e6, 13.815511), (3.7, 1.308333)])
    func `the logarithm is right`(value: Double, expected: Double) {
        #expect(abs(Logarithm.natural(value) - expected) < 1e-6)
    }
}
