// SPDX-License-Identifier: Apache-2.0
// Targets, units and readiness.

import Domain
import Testing

@Suite struct TargetTests {
    private func target(_ limit: Double, floor: Bool = false) -> TargetSettings {
        TargetSettings(name: "t", limit: limit, unit: "ms", isFloor: floor, source: .tests("*"), percentile: 95)
    }

    @Test(arguments: [(100.0, 85.0, 15.0), (50, 42, 16), (500, 380, 24), (200, 165, 17.5), (1000, 872, 12.8)])
    func `how much better is in percent of the limit`(limit: Double, measured: Double, better: Double) {
        let record = TargetRecord(target(limit), values: [measured], evidence: nil)
        #expect(record.betterByPercent == better && record.status == .met && record.samples == 1)
    }

    @Test func `the limit itself is met, a hair more is not, and a floor is the other way round`() {
        #expect(TargetRecord(target(100), values: [100], evidence: nil).status == .met)
        #expect(TargetRecord(target(100), values: [100.001], evidence: nil).status == .missed)
        #expect(TargetRecord(target(99.95, floor: true), values: [99.97], evidence: nil).status == .met)
        #expect(TargetRecord(target(99.95, floor: true), values: [99.9], evidence: nil).status == .missed)
    }

    @Test func `nothing measured is neither met nor missed`() {
        for values in [[], [Double.nan], [.infinity]] {
            let record = TargetRecord(target(100), values: values, evidence: nil)
            #expect(record.status == .notMeasured && record.measured == nil && record.betterByPercent == nil)
        }
        #expect(TargetRecord(target(100), values: [1], evidence: nil, because: "exit 1").status == .notMeasured)
    }

    @Test func `percentiles are values that were seen`() {
        let values = (1...20).map(Double.init)
        #expect(Percentiles.value(values, percentile: 95) == 19)
        #expect(Percentiles.value(values, percentile: 100) == 20)
        #expect(Percentiles.value(values.reversed(), percentile: 50) == 10)
        #expect(Percentiles.value([7], percentile: 1) == 7)
        #expect(Percentiles.value([], percentile: 50) == nil)
    }

    @Test func `numbers are read with their units`() {
        #expect(Measure("85")?.value(in: "ms") == 85)
        #expect(Measure("0.085 s")?.value(in: "ms") == 85)
        #expect(Measure(" 99.95%\r")?.value(in: "%") == 99.95)
        #expect(Measure("1500us")?.value(in: "ms") == 1.5)
        #expect(Measure("2 min")?.value(in: "s") == 120)
        #expect(Measure("85 MB")?.value(in: "ms") == nil)
        for text in ["", "ms", "p95 85", "85 ms 86", "0x10", "nan", "inf", "-", "1e999"] {
            #expect(Measure(text) == nil, "\(text)")
        }
    }

    @Test func `readiness is a weighted mean of what was counted`() {
        func suite(_ name: String, passed: Int, failed: Int, skipped: Int = 0) -> SuiteRecord {
            var totals = Totals()
            for (count, outcome) in [(passed, TestOutcome.passed), (failed, .failed), (skipped, .skipped)] {
                for _ in 0..<count { totals.add(outcome) }
            }
            return SuiteRecord(name: name, priority: 0, blocking: true, value: nil, status: .passed, totals: totals)
        }
        let suites = [suite("a", passed: 19, failed: 1), suite("b", passed: 8, failed: 0, skipped: 2)]
        func score(_ components: [ReadinessSettings.Component]) -> ReadinessRecord {
            ReadinessRecord(.init(components: components), suites: suites, capabilities: [], targets: [])
        }
        let equal = score([.init(name: "a", suites: ["a"]), .init(name: "b", suites: ["b"])])
        #expect(equal.components.map(\.score) == [95, 80] && equal.score == 87.5)
        let weighted = score([.init(name: "a", weight: 3, suites: ["a"]), .init(name: "b", suites: ["b"])])
        #expect(weighted.score == 91.25)
        let empty = score([.init(name: "none", suites: ["gone"]), .init(name: "a", suites: ["a"])])
        #expect(empty.components[0].score == nil && empty.score == 47.5)
    }
}
