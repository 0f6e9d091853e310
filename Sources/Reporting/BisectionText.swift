// SPDX-License-Identifier: Apache-2.0
// A search by hand as a person reads it: the answer, what it rests on, and what the environment serves now.

package import Domain

package enum BisectionText {
    /// Ends with a line feed. `folder` is where the evidence is.
    package static func text(_ record: BisectionRecord, palette: Palette, folder: String) -> String {
        var lines: [String] = []
        for test in record.tests { lines += answer(test, record, palette) + [""] }
        if let because = record.stoppedBecause { lines.append("stopped: \(Printable.line(because))") }
        lines.append(spent(record))
        lines.append(environment(record, palette))
        lines.append("evidence: \(folder)")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func answer(_ test: BisectedTest, _ record: BisectionRecord, _ palette: Palette) -> [String] {
        var lines = [Printable.line("\(test.suite)::\(test.test)")]
        switch test.answer {
        case .culprit:
            guard let culprit = test.culprit else { break }
            let author = culprit.author.map { " by \($0)" } ?? ""
            let words = "\(culprit.commit.short) \"\(culprit.subject)\"\(author)"
            lines.append("  \(palette("culprit", .redBold)) \(Printable.line(words)), \(proof(culprit, test))")
            lines.append("    probability \(Numbers.probability(culprit.probability))")
        case .none:
            let probability = Numbers.probability(test.noneProbability)
            let isEverywhere = test.revisions.contains { $0.revision == record.good && $0.fails > 0 && $0.passes == 0 }
            let end = isEverywhere ? ": it fails on the good end \(record.good.short) too, now" : ""
            lines.append("  \(palette("no culprit", .greenBold)) in the range, probability \(probability)\(end)")
        case .undecided:
            let none = Numbers.probability(test.noneProbability)
            lines.append("  \(palette("undecided", .yellow)): none of them \(none); the likeliest:")
            for candidate in test.candidates.prefix(5) {
                let probability = Printable.padded(Numbers.probability(candidate.probability), to: 7)
                lines.append("    \(probability) \(candidate.commit.short) \(Printable.line(candidate.subject))")
            }
        }
        lines.append("  fails on good revisions about \(percent(test.goodRate)), on bad ones \(percent(test.badRate))")
        lines += table(test, record)
        return lines
    }

    private static func proof(_ culprit: Culprit, _ test: BisectedTest) -> String {
        guard let place = test.revisions.firstIndex(where: { $0.revision == culprit.commit }) else { return "" }
        let row = test.revisions[place]
        let here = "fails \(row.fails)/\(row.fails + row.passes) there"
        guard place > 0 else { return here }
        let parent = test.revisions[place - 1]
        return "\(here), its parent \(parent.revision.short) passes \(parent.passes)/\(parent.fails + parent.passes)"
    }

    private static func table(_ test: BisectedTest, _ record: BisectionRecord) -> [String] {
        let subjects = Dictionary(
            (test.candidates + [test.culprit].compactMap { $0 }).map { ($0.commit, $0.subject) }
        ) { first, _ in first }
        var lines = ["  revision  fails  passes  probability"]
        for row in test.revisions {
            let name = Printable.padded(row.revision.short, to: 9)
            let counts =
                "\(Printable.paddedLeft(String(row.fails), to: 5))  \(Printable.paddedLeft(String(row.passes), to: 6))"
            var end = Printable.paddedLeft(Numbers.probability(row.probability), to: 11)
            if row.revision == record.good { end = Printable.paddedLeft("good end", to: 11) }
            if let problem = row.untestable { end += "  cannot be asked: \(problem)" }
            if let subject = subjects[row.revision] { end += "  \(subject)" }
            lines.append(Printable.line("  \(name) \(counts)  \(end)"))
        }
        return lines
    }

    private static func spent(_ record: BisectionRecord) -> String {
        let runs = record.stages.count { $0.run.kind == .test }
        let seconds = record.endedAt.map { $0.since(record.startedAt).inSeconds } ?? 0
        return
            "\(Plurals.count(record.commits, "commit")), \(Plurals.count(record.deploys, "deploy")) of "
            + "\(record.maximumDeploys), \(Plurals.count(runs, "test run")), \(Durations.text(seconds: seconds))"
    }

    private static func environment(_ record: BisectionRecord, _ palette: Palette) -> String {
        switch record.environment {
        case .untouched: "environment: nothing was deployed"
        case .restored: "environment: \(record.restoreTo.short) is live again"
        case .superseded: "environment: left as others deployed it"
        case .unknown:
            palette("environment: \(record.restoreTo.short) could not be put back; deploy it by hand", .redBold)
        }
    }

    private static func percent(_ rate: Double) -> String { "\(Numbers.fixed(100 * rate, decimals: 1)) %" }
}
