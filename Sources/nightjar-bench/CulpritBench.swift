// SPDX-License-Identifier: Apache-2.0
//
// Culprit searches over the same synthetic histories: how often each is right, whom it blames wrongly, and what it spends.

import Foundation
import Platform
import Triage

enum CulpritBench {
    /// Sums of one method over histories.
    private struct Tally {
        var right = 0
        var blamed = 0
        var undecided = 0
        var runs: [Double] = []
        var deploys: [Double] = []
        var isRight: [Bool] = []

        mutating func add(_ outcome: CulpritOutcome, _ history: CulpritHistory) {
            let truth = history.culprit.map { CulpritOutcome.Answer.culprit($0) } ?? .none
            isRight.append(outcome.answer == truth)
            right += outcome.answer == truth ? 1 : 0
            if case .culprit = outcome.answer, outcome.answer != truth { blamed += 1 }
            undecided += outcome.answer == .undecided ? 1 : 0
            runs.append(Double(outcome.runs))
            deploys.append(Double(outcome.deploys))
        }
    }

    /// Which histories a table is about.
    private struct Stratum: Sendable {
        var name: String
        var holds: @Sendable (CulpritHistory) -> Bool
    }

    private static let strata = [
        Stratum(name: "all") { _ in true },
        Stratum(name: "a deterministic culprit") { $0.kind == .deterministic },
        Stratum(name: "a partial culprit") { $0.kind == .partial },
        Stratum(name: "no culprit") { $0.kind == .none },
        Stratum(name: "flake rate 0 to 2 %") { $0.flakeRate <= 0.02 },
        Stratum(name: "flake rate 5 to 10 %") { $0.flakeRate > 0.02 && $0.flakeRate <= 0.1 },
        Stratum(name: "flake rate 20 to 30 %") { $0.flakeRate > 0.1 },
        Stratum(name: "8 to 63 commits") { $0.commits < 64 },
        Stratum(name: "64 to 1000 commits") { $0.commits >= 64 },
    ]

    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) throws {
        let histories = arguments.number("histories", standard: 2000)
        let seed = arguments.number("seed", standard: 1)
        let isReference = arguments.number("reference", standard: 0) != 0
        if arguments.number("grid", standard: 0) != 0 {
            report.table = CulpritReference.table(histories: histories, seed: seed, &report)
            return
        }
        var text: [String] = []
        for hasClues in isReference ? [false] : [false, true] {
            var mix = CulpritMix(seed: UInt64(bitPattern: Int64(seed)), hasClues: hasClues)
            mix.isReference = isReference
            let commits = arguments.number("commits", standard: 0)
            if commits > 0 { mix.commits = commits }
            let percent = arguments.number("flakes", standard: -1)
            if percent >= 0 { mix.flakeRate = Double(percent) / 100 }
            let title = hasClues ? "commits differ in suspicion" : "commits look alike"
            text += ["", "\(title): \(histories) histories, seed \(seed)"]
            text += tables(mix, histories, hasClues ? "clues" : "alike", &report)
        }
        report.table = text.joined(separator: "\n")
    }

    private static func tables(
        _ mix: CulpritMix, _ histories: Int, _ key: String, _ report: inout BenchReport
    ) -> [String] {
        var tallies = strata.map { _ in CulpritMethod.all.map { _ in Tally() } }
        for number in 0..<histories {
            let history = mix.history(number)
            let outcomes = CulpritMethod.all.map { $0.search(history) }
            for (index, stratum) in strata.enumerated() where stratum.holds(history) {
                for (method, outcome) in outcomes.enumerated() { tallies[index][method].add(outcome, history) }
            }
        }
        var lines: [String] = []
        for (stratum, tally) in zip(strata, tallies) where !tally[0].runs.isEmpty {
            lines += ["", "\(stratum.name) (\(tally[0].runs.count))", header]
            for (method, figures) in zip(CulpritMethod.all, tally) {
                lines.append(row(method.name, figures, tally[0]))
                let name = "\(key), \(stratum.name), \(method.name)"
                report.add("\(name): right", 100 * Double(figures.right) / Double(figures.runs.count), "%")
                report.add("\(name): wrongly blamed", 100 * Double(figures.blamed) / Double(figures.runs.count), "%")
                report.add("\(name): runs", mean(figures.runs), "runs")
                report.add("\(name): deploys", mean(figures.deploys), "deploys")
            }
        }
        return lines
    }

    private static let header =
        pad("method", 42)
        + "right %, 95 %        blamed %  undecided %  runs            deploys   runs beside the first"

    private static func row(_ name: String, _ tally: Tally, _ first: Tally) -> String {
        let count = tally.runs.count
        let interval = RateInterval.wilson(RunCounts(fails: tally.right, passes: count - tally.right))
        let differences = zip(tally.runs, first.runs).map { $0 - $1 }
        let spread = halfWidth(differences)
        return pad(name, 42)
            + pad(
                String(
                    format: "%.1f (%.1f to %.1f)", 100 * interval.estimate, 100 * interval.low, 100 * interval.high), 21
            )
            + pad(String(format: "%.1f", 100 * Double(tally.blamed) / Double(count)), 10)
            + pad(String(format: "%.1f", 100 * Double(tally.undecided) / Double(count)), 13)
            + pad(String(format: "%.1f ± %.1f", mean(tally.runs), halfWidth(tally.runs)), 16)
            + pad(String(format: "%.1f", mean(tally.deploys)), 10)
            + String(format: "%+.1f ± %.1f", mean(differences), spread)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

    /// Half of the 95 % interval of a mean.
    private static func halfWidth(_ values: [Double]) -> Double {
        let center = mean(values)
        let variance = values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(max(1, values.count - 1))
        return 1.96 * (variance / Double(max(1, values.count))).squareRoot()
    }
}
