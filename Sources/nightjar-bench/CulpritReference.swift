// SPDX-License-Identifier: Apache-2.0
//
// The settings of a reference simulation that was made apart from this project: a culprit breaks the test for good or there
// is none, commits look alike, and each table cell has one size and one flake rate.

import Triage

enum CulpritReference {
    private static let flakePercents = [1, 5, 10, 20, 50]
    private static let sizes = [8, 32, 128]

    private static let methods = [
        CulpritMethod.nightjar("nightjar, deploys are free", deployCost: 0),
        CulpritMethod.nightjar("nightjar, a deploy costs 1 run", deployCost: 1),
        CulpritMethod.bisect("bisect, bad if 3 of 3 fail, head first", .all(3), checkingHead: true),
        CulpritMethod.bisect("bisect, bad if 8 of 8 fail, head first", .all(8), checkingHead: true),
        CulpritMethod.flakeAware(
            "flake-aware 0.9999, as described, told the true rate", threshold: 0.9999, knowsRate: true, nearest: false),
    ]

    /// One line for each setting; right answers in percent and mean runs for each method.
    static func table(histories: Int, seed: Int, _ report: inout BenchReport) -> String {
        var lines = ["right % / runs, \(histories) histories each, seed \(seed), 60 % with a culprit", ""]
        lines.append("flake rate, commits | " + methods.map(\.name).joined(separator: " | "))
        for percent in flakePercents {
            for size in sizes {
                var mix = CulpritMix(seed: UInt64(bitPattern: Int64(seed)), hasClues: false)
                (mix.commits, mix.flakeRate, mix.isReference) = (size, Double(percent) / 100, true)
                let cells = methods.map { cell(mix, $0, histories, "\(percent) %, \(size) commits", &report) }
                lines.append("\(percent) %, \(size) | " + cells.joined(separator: " | "))
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func cell(
        _ mix: CulpritMix, _ method: CulpritMethod, _ histories: Int, _ setting: String, _ report: inout BenchReport
    ) -> String {
        var (right, runs) = (0, 0)
        for number in 0..<histories {
            let history = mix.history(number)
            let outcome = method.search(history)
            right += outcome.answer == (history.culprit.map { .culprit($0) } ?? .none) ? 1 : 0
            runs += outcome.runs
        }
        let (share, mean) = (100 * Double(right) / Double(histories), Double(runs) / Double(histories))
        report.add("reference, \(setting), \(method.name): right", share, "%")
        report.add("reference, \(setting), \(method.name): runs", mean, "runs")
        return "\((share * 10).rounded() / 10) / \((mean * 100).rounded() / 100)"
    }
}
