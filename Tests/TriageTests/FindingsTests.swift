// SPDX-License-Identifier: Apache-2.0
// What triage says of each experiment and of its grade: figures against thresholds, and only where there are some.

import Domain
import Testing

@testable import Triage

struct FindingsTests {
    @Test func `each experiment says what it showed, value against threshold`() throws {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        let incident = try #require(bench.investigate().first)
        #expect(bench.findings.count == bench.asked.count)
        let rerun = try #require(bench.findings.first)
        #expect(rerun.contains("not run before; p(flake)") && rerun.hasSuffix("<= 1 %: deterministic"), "\(rerun)")
        let baseline = try #require(bench.findings.dropFirst().first)
        #expect(baseline.hasPrefix("code-regression ") && baseline.contains(" -> "), "\(baseline)")
        #expect(baseline.contains(" 80 %"), "\(baseline)")
        let searched = zip(bench.asked, bench.findings).filter { $0.0.kind == .bisect }.map(\.1)
        #expect(searched.contains { $0.contains("< 99 %; ") && $0.contains("suspect") }, "\(searched)")
        #expect(bench.findings.contains { $0.hasPrefix("culprit commit-5 ") && $0.contains(">= 99 %") })
        #expect(bench.findings.last?.hasSuffix("without it the failure is gone") == true, "\(bench.findings)")
        let grounds = try #require(incident.diagnosis?.grounds)
        #expect(grounds.contains(">= 99 %: it fails ") && grounds.contains("parent commit-4 passes"), "\(grounds)")
        // Rounded down: what is below 99 % never reads as if it met it.
        #expect(Numbers.exact(0.98999) == "98 %" && Numbers.exact(0.9973) == "99.73 %" && Numbers.exact(0.01) == "1 %")
        #expect(Numbers.exact(0.999_99) == "> 99.99 %" && Numbers.exact(0.0004) == "< 0.1 %")
    }

    @Test func `what comes and goes is said with its rate, and not called deterministic`() throws {
        var bench = Bench(commits: 2) { _, _, run in run % 3 == 0 }
        _ = bench.investigate()
        let said = try #require(bench.findings.first)
        #expect(said.hasPrefix("not deterministic: fails ") && said.contains(" of runs at 95 %"), "\(said)")
    }

    @Test func `failures are grouped by signature before anything is asked`() {
        var bench = Bench(commits: 2) { _, index, _ in index >= 0 }
        bench.tests = ["a", "b"]
        _ = bench.investigate()
        let groups = Findings.grouping(bench.firstFacts)
        #expect(groups.map(\.tests) == [["a", "b"]])
        #expect(groups.allSatisfy { $0.id.isEmpty && $0.diagnosis == nil })
    }

    @Test func `a grade below its threshold says so`() throws {
        var bench = Bench(commits: 3) { _, index, _ in index >= 0 }
        bench.mayDeploy = false
        let diagnosis = try #require(bench.investigate().first?.diagnosis)
        let grounds = try #require(diagnosis.grounds)
        switch diagnosis.grade {
        case .unknown: #expect(grounds.hasPrefix("at best ") && grounds.hasSuffix(" < 50 %"), "\(grounds)")
        case .possible: #expect(grounds.contains(" < 90 %") || grounds.contains("no experiment"), "\(grounds)")
        case .likely: #expect(grounds.contains(" >= 90 %"), "\(grounds)")
        case .proven: Issue.record("nothing was deployed, and still it is proven")
        }
    }
}
