// SPDX-License-Identifier: Apache-2.0
// What triage asks next and what it concludes, against a world of commits in which the cause is known.

import Configuration
import Domain
import Testing

@testable import Triage

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// One failing cycle: performs what triage asks for until it concludes.
struct Bench {
    static let green = Revision("green")
    /// The commits after the last green one, oldest first; the last is the wanted one.
    var commits: [CommitInfo]
    /// Whether a test fails on a revision (-1 is the last green one) in this run of it.
    var fails: (_ test: String, _ index: Int, _ run: Int) -> Bool
    var tests = ["a"]
    var undeployable: Set<Int> = []
    var message = "expected true"
    var file: String?
    var mayDeploy = true
    var deploys = 20
    var openIncidents: [Incident] = []
    private(set) var asked: [Experiment] = []
    /// What was said of each experiment.
    private(set) var findings: [String] = []
    /// The case before anything was asked.
    private(set) var firstFacts: TriageCase
    private(set) var facts: TriageCase

    init(
        commits count: Int, files: (Int) -> [String] = { ["src/\($0).swift"] },
        fails: @escaping (String, Int, Int) -> Bool
    ) {
        commits = (0..<count).map { index in
            CommitInfo(
                revision: Revision("commit-\(index)"), subject: "change \(index)", author: "ann", files: files(index))
        }
        self.fails = fails
        let text = commits.map { "\($0.revision.id) \($0.subject)" }.joined(separator: "\n")
        facts = TriageCase(
            cycle: 2, openedAt: Timestamp(milliseconds: 0), wanted: commits[count - 1].revision,
            lastGreen: Bench.green, records: [], decidingFrom: 0, experiments: [], suites: [], doubts: [],
            commits: commits, commitsFile: "commits.txt", commitsText: text,
            allowance: TriageAllowance(
                experiments: Experiment.Kind.allCases, deploys: 0, seconds: 7200, nextNumber: 1, deploysBarred: nil),
            rules: RuleFile.builtIn)
        firstFacts = facts
    }

    /// After a rebase: the last green revision is not what the first of the commits was made on.
    mutating func rewriteHistory() { facts.greenIsParent = false }

    mutating func investigate() -> [Incident] {
        let first = StageRun(
            cycle: 2, kind: .test, purpose: .cycle, subject: "login", attempt: 1, revision: facts.wanted)
        let record = test(first, chosen: tests, among: max(tests.count, 10), run: 0)
        facts.records = [record]
        facts.openIncidents = openIncidents
        facts.suites = [
            SuiteRecord(
                name: "login", priority: 0, blocking: true, value: nil, status: .failed,
                totals: record.suite?.totals ?? Totals(), notPassed: record.suite?.notPassed ?? [])
        ]
        while asked.count < 200 {
            facts.allowance.deploys = deploys - asked.count(where: \.kind.deploys)
            facts.allowance.nextNumber = asked.count + 1
            facts.allowance.deploysBarred = mayDeploy ? nil : "triage.mayDeploy is false"
            if asked.isEmpty { firstFacts = facts }
            if let finding = Findings.newest(facts) { findings.append(finding) }
            switch Investigator.next(facts) {
            case .concluded(let incidents): return incidents
            case .experiment(let experiment): perform(experiment)
            }
        }
        Issue.record("triage never stops asking: \(asked.suffix(3))")
        return []
    }

    private mutating func perform(_ experiment: Experiment) {
        asked.append(experiment)
        let index = commits.firstIndex { $0.revision == experiment.revision } ?? -1
        let purpose = Purpose(rawValue: experiment.kind.rawValue) ?? .rerun
        var run = StageRun(
            cycle: 2, kind: .deploy, purpose: purpose, attempt: asked.count, revision: experiment.revision,
            experiment: experiment.number)
        var isThere = true
        if experiment.kind.deploys {
            isThere = !undeployable.contains(index)
            facts.records.append(stage(run, isThere ? .succeeded : .refused))
        }
        for time in 1...max(1, experiment.times) where isThere {
            for selection in experiment.tests {
                run.kind = .test
                run.subject = selection.suite
                let isWhole = selection.only.isEmpty
                run.only = isWhole ? nil : selection.only
                run.attempt = asked.count * 100 + time
                let record = test(
                    run, chosen: isWhole ? tests : selection.only,
                    among: isWhole ? max(tests.count, 10) : selection.only.count, run: run.attempt)
                for id in selection.only {
                    facts.references[TriageCase.referenceKey(id, in: run.folder)] = EvidenceReference(
                        path: "\(run.folder)/tests.jsonl", lines: [1, 1], excerpt: id)
                }
                facts.records.append(record)
            }
        }
        facts.experiments.append(ExperimentRecord(experiment: experiment, result: "done"))
    }

    private func stage(_ run: StageRun, _ outcome: StageOutcome) -> StageRecord {
        StageRecord(
            run: run, outcome: outcome, summary: "as told", startedAt: facts.openedAt, endedAt: facts.openedAt,
            durationSeconds: 1)
    }

    private func test(_ run: StageRun, chosen: [String], among count: Int, run number: Int) -> StageRecord {
        let index = commits.firstIndex { $0.revision == run.revision } ?? -1
        let notPassed = chosen.filter { fails($0, index, number) }.map {
            TestResult(id: $0, outcome: .failed, message: message, type: "AssertionError", file: file)
        }
        var totals = Totals(notPassed)
        totals.tests = count
        totals.passed = count - notPassed.count
        var record = stage(run, notPassed.isEmpty ? .succeeded : .failed)
        record.suite = SuiteReading(totals: totals, notPassed: notPassed)
        return record
    }
}

struct InvestigatorTests {
    @Test func `what passes on a revision that is no parent proves nothing of the commit`() throws {
        for count in [1, 4] {
            var bench = Bench(commits: count) { _, index, _ in index >= 0 }
            bench.rewriteHistory()
            let diagnosis = try #require(bench.investigate().first?.diagnosis)
            #expect(diagnosis.culprit?.commit == Revision("commit-0"))
            #expect(diagnosis.grade == .likely)
            #expect(!diagnosis.summary.contains("its parent green"))
            #expect(diagnosis.summary.contains("last green green, which is not its parent, passes"))
            #expect(diagnosis.recommendedAction == .rollback)
        }
        // A later commit has its real parent before it.
        var bench = Bench(commits: 4) { _, index, _ in index >= 2 }
        bench.rewriteHistory()
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        #expect(diagnosis.grade == .proven)
        #expect(diagnosis.summary.contains("its parent commit-1 passes"))
    }

    @Test func `run again, then the last green revision, then the commits between`() throws {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        let incident = try #require(bench.investigate().first)
        #expect(bench.asked.map(\.kind).prefix(3) == [.rerun, .baseline, .bisect])
        #expect(bench.asked.count { $0.kind == .bisect } <= 3)
        let diagnosis = try #require(incident.diagnosis)
        #expect(diagnosis.category == .codeRegression)
        #expect(diagnosis.grade == .proven)
        #expect(diagnosis.culprit?.commit == Revision("commit-5"))
        #expect(diagnosis.recommendedAction == .rollback)
        #expect(diagnosis.ruledOut.map(\.category).contains(.resourceExhaustion))
    }

    /// The culprit that is named is the right one whatever the history, and fails at least twice where its parent passes.
    @Test(arguments: 0..<120 as Range<UInt64>)
    func `deterministic failures have the right culprit`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...40, using: &random)
        let culprit = Int.random(in: 0..<count, using: &random)
        var bench = Bench(commits: count) { _, index, _ in index >= culprit }
        bench.deploys = Int.random(in: 0...8, using: &random)
        for index in 0..<count - 1 where Int.random(in: 0..<5, using: &random) == 0 { bench.undeployable.insert(index) }
        let incidents = bench.investigate()
        let diagnosis = try #require(incidents.first?.diagnosis)
        #expect(bench.asked.count(where: \.kind.deploys) <= bench.deploys, "seed \(seed)")
        if let named = diagnosis.culprit?.commit {
            #expect(named == Revision("commit-\(culprit)"), "seed \(seed)")
        } else if diagnosis.category == .codeRegression {
            #expect(diagnosis.candidates.contains { $0.commit == Revision("commit-\(culprit)") }, "seed \(seed)")
        }
        if diagnosis.grade == .proven {
            let records = bench.facts.records.filter { $0.run.kind == .test }
            let parent = culprit == 0 ? Bench.green : Revision("commit-\(culprit - 1)")
            let fails = records.count { $0.run.revision.id == "commit-\(culprit)" && $0.outcome == .failed }
            let passes = records.count { $0.run.revision == parent && $0.outcome == .succeeded }
            #expect(fails >= 2 && passes >= 1, "seed \(seed)")
        }
        for why in diagnosis.whys {
            let isUnknown = why.confidence == 0
            #expect(isUnknown == why.evidence.isEmpty, "seed \(seed): \(why)")
            if isUnknown { #expect(why.answer.contains("the check that would tell")) }
        }
        #expect(diagnosis.whys.map(\.n) == [1, 2, 3, 4, 5])
    }

    /// Flaky tests may hide a culprit; they never make triage run for ever.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func `noise comes to an end`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...20, using: &random)
        var bench = Bench(commits: count) { test, index, run in
            if run == 0 { return true }
            var noise = SeededGenerator(seed: seed &+ UInt64(run * 1000 + index + 1) &+ UInt64(test.utf8.first ?? 0))
            return noise.next() % 3 == 0
        }
        bench.tests = ["a", "b", "c"]
        let incidents = bench.investigate()
        #expect(!incidents.isEmpty, "seed \(seed)")
    }

    @Test func `one cause with two symptoms is one incident, two causes with one symptom are two`() {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.tests = ["a", "b"]
        #expect(bench.investigate().map(\.tests) == [["a", "b"]])

        bench = Bench(commits: 8) { test, index, _ in index >= (test == "a" ? 2 : 6) }
        bench.tests = ["a", "b"]
        let incidents = bench.investigate()
        #expect(incidents.map { $0.diagnosis?.culprit?.commit.id } == ["commit-2", "commit-6"])
        #expect(Set(incidents.map(\.signature)).count == 2)
    }

    @Test func `what fails on the last green revision too is not the code`() throws {
        var bench = Bench(commits: 8) { _, _, _ in true }
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        #expect(bench.asked.map(\.kind) == [.rerun, .baseline])
        #expect(diagnosis.ruledOut.map(\.category).contains(.codeRegression))
        #expect(diagnosis.recommendedAction == .none)
        // A test that changed meanwhile is no witness of what was before.
        bench = Bench(commits: 2, files: { _ in ["tests/test_a.py"] }) { _, _, _ in true }
        bench.file = "tests/test_a.py"
        let other = try #require(bench.investigate().first?.diagnosis)
        #expect(!other.ruledOut.map(\.category).contains(.codeRegression))
        #expect(other.category == .unknown)
    }

    @Test(arguments: [
        (["tests/test_a.py"], Domain.Category.testDefect, RemedyKind.fixTest),
        (["config/app.yaml"], .configChange, .rollback), (["src/a.py", "tests/test_a.py"], .codeRegression, .rollback),
    ])
    func `what the culprit changed decides the category`(
        _ files: [String], _ category: Domain.Category, _ action: RemedyKind
    ) throws {
        var bench = Bench(commits: 4, files: { $0 == 2 ? files : ["src/other.py"] }) { _, index, _ in index >= 2 }
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        #expect(diagnosis.category == category)
        #expect(diagnosis.recommendedAction == action)
    }

    @Test func `a mass failure is one suspicion, of the environment`() throws {
        var bench = Bench(commits: 4) { _, _, _ in true }
        bench.tests = (0..<10).map { "t\($0)" }
        let incidents = bench.investigate()
        #expect(incidents.count == 1)
        #expect(incidents.first?.diagnosis?.category == .environmentDown)
        #expect(incidents.first?.tests.count == 10)
    }

    @Test func `what may not be deployed is not asked for`() throws {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.mayDeploy = false
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        #expect(bench.asked.map(\.kind) == [.rerun])
        #expect(diagnosis.grade == .unknown)
        #expect(diagnosis.culprit == nil)
        // A last green revision that cannot be deployed is asked for once.
        bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.undeployable = [-1]
        _ = bench.investigate()
        #expect(bench.asked.map(\.kind) == [.rerun, .baseline])
    }

    @Test func `a failure that comes and goes is flaky`() throws {
        var bench = Bench(commits: 4) { _, _, run in run == 0 || run % 2 == 0 }
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        // Run again until it is called flaky with an error rate; the last green revision has the flake, too.
        #expect(bench.asked.map(\.kind) == [.rerun, .rerun, .baseline])
        #expect(diagnosis.statistics?.contains("rate ") == true)
        #expect(diagnosis.culprit == nil)
        #expect(diagnosis.category == .flakyTest)
        #expect(diagnosis.recommendedAction == .rerun)
    }

    @Test func `a culprit that an earlier cycle has proven is named without new deployments`() throws {
        var first = Bench(commits: 4) { _, index, _ in index >= 2 }
        var known = try #require(first.investigate().first)
        known.id = "INC-1"
        known.firstCycle = 1
        var later = Bench(commits: 6) { _, index, _ in index >= 2 }
        later.openIncidents = [known]
        let diagnosis = try #require(later.investigate().first?.diagnosis)
        #expect(later.asked.map(\.kind) == [.rerun])
        #expect(diagnosis.culprit?.commit == Revision("commit-2"))
        #expect(diagnosis.grade == .likely)
    }
}
