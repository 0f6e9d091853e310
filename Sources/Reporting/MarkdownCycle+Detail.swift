// SPDX-License-Identifier: Apache-2.0
// The second half of the Markdown report: incidents, what was tried, readiness, risks, sign-off, stages.

import Domain

extension MarkdownCycle {
    func incident(_ incident: Incident) -> String {
        let escaped = Markdown.escaped
        var text = "## \(escaped(incident.id)): \(escaped(incident.title))\n\n\(escaped(incident.standing)), "
        text += "\(incident.firstSeen.wholeSeconds); \(escaped(Plurals.list(incident.tests, limit: 20)))\n\n"
        guard let diagnosis = incident.diagnosis else { return text + "Not diagnosed yet.\n" }
        text += "**\(escaped(diagnosis.headline))**. \(escaped(diagnosis.summary))\n\n"
        if let statistics = diagnosis.figures { text += "\(escaped(statistics))\n\n" }
        if let culprit = diagnosis.culprit { text += "Culprit: \(escaped(culprit.words))\n\n" }
        for candidate in diagnosis.candidates where candidate != diagnosis.culprit {
            text += "- candidate \(escaped(candidate.words))\n"
        }
        text += diagnosis.candidates.isEmpty ? "" : "\n"
        for why in diagnosis.whys {
            text += "\(why.n). **\(escaped(why.question))** \(escaped(why.answer))"
            text += why.confidence > 0 ? " \\(\(Numbers.probability(why.confidence))\\)\n" : "\n"
            for reference in why.evidence {
                let excerpt = escaped(Printable.line(reference.excerpt, columns: 240))
                let place =
                    diagnosis.cycle == nil
                    ? link(reference.path, reference.place) : escaped(reference.place(of: diagnosis))
                text += "   - \(place): \(excerpt)\n"
            }
        }
        text += diagnosis.whys.isEmpty ? "" : "\n"
        for entry in (diagnosis.hypotheses ?? []).prefix(8) {
            text += "- weighed \(entry.category.rawValue) \(Numbers.probability(entry.probability))"
            text += entry.because.isEmpty ? "\n" : ": \(escaped(Plurals.list(entry.because, limit: 4)))\n"
        }
        for ruled in diagnosis.ruledOut {
            text += "- ruled out \(ruled.category.rawValue): \(escaped(ruled.because))\n"
        }
        text += diagnosis.ruledOut.isEmpty && (diagnosis.hypotheses ?? []).isEmpty ? "" : "\n"
        if let check = diagnosis.check { text += "The one check that would tell: \(escaped(check))\n\n" }
        return text + "Recommended: \(escaped(diagnosis.recommendedAction.rawValue))\n"
    }

    var experiments: String {
        guard !record.experiments.isEmpty else { return "" }
        return "## Experiments\n\n"
            + Markdown.table(
                ["experiment", "question", "answer"],
                record.experiments.map {
                    [$0.experiment.words, $0.experiment.question, $0.result].map(Markdown.escaped)
                })
    }

    var actions: String {
        guard !record.actions.isEmpty else { return "" }
        return "## What was done about it\n\n"
            + Markdown.table(
                ["action", "because"], record.actions.map { [$0.words, $0.account].map(Markdown.escaped) })
    }

    var readiness: String {
        guard let readiness = record.readiness else { return "" }
        let rows = readiness.components.map { part in
            [
                part.name, Numbers.grouped(part.weight), part.score.map(Numbers.percent) ?? "not proven",
                "\(part.good) of \(part.counted)", Plurals.list(part.from, limit: 6),
            ].map(Markdown.escaped)
        }
        let formula = report.readinessFormula.map { "\nsum of weight x score / sum of weights = \($0) %\n" } ?? ""
        return "## Readiness \(Markdown.escaped(Numbers.percent(readiness.score)))\n\n"
            + Markdown.table(["component", "weight", "score", "passed", "from"], rows) + formula
    }

    var risks: String {
        let gone = report.risksEliminated.map(Markdown.escaped)
        let left = report.risksLeft.map(Markdown.escaped)
        let none = ["none that the evidence shows"]
        return "## Risks eliminated\n\n" + Markdown.list(gone.isEmpty ? none : gone) + "\n## Risks left\n\n"
            + Markdown.list(left.isEmpty ? none : left)
    }

    var audit: String {
        let rows = report.auditTrail.map { entry -> [String] in
            [entry.at?.wholeSeconds ?? "-", entry.who, entry.what, entry.result ?? "-", entry.detail]
                .map(Markdown.escaped) + [
                    entry.evidence.isEmpty ? "-" : entry.evidence.map { link($0) }.joined(separator: ", ")
                ]
        }
        return "## Audit: who did what\n\n"
            + (rows.isEmpty
                ? "\(CycleReport.noAudit)\n"
                : Markdown.table(["when", "who", "what", "result", "said", "evidence"], rows))
    }

    var logs: String {
        let rows = report.logs.map { log in
            [link(log.path)] + [log.command, log.end, log.bytes.map { Numbers.bytes($0) } ?? "-"].map(Markdown.escaped)
        }
        return rows.isEmpty ? "" : "## All logs\n\n" + Markdown.table(["log", "command", "end", "size"], rows)
    }

    var signOff: String {
        let phases = SignOff.phases(record).map { phase in
            [phase.standing.rawValue, phase.phase, phase.who, phase.what, phase.when?.wholeSeconds ?? "-"]
                .map(Markdown.escaped)
        }
        let suites = SignOff.suites(record).map { suite in
            [
                suite.standing.rawValue, suite.suite, suite.because,
                suite.prerequisites.isEmpty ? "-" : suite.prerequisites.prefix(8).joined(separator: "; "),
            ].map(Markdown.escaped)
        }
        return "## Sign-off\n\n" + Markdown.table(["", "phase", "who", "what", "when"], phases) + "\n"
            + Markdown.table(["", "suite", "result", "prerequisites"], suites)
    }

    var stages: String {
        guard !summary.stages.isEmpty else { return "" }
        let rows = zip(record.stages, summary.stages).map { stage, row -> [String] in
            let after = Durations.text(seconds: max(0, stage.startedAt.since(record.startedAt).inSeconds))
            let files = report.files(stage).map { link($0, report.shortName($0, in: stage)) }
            return [row.mark.rawValue, row.folder, "+\(after)", row.duration, row.text].map(Markdown.escaped)
                + [files.isEmpty ? "-" : files.joined(separator: ", ")]
        }
        return "## Stages and their evidence\n\n"
            + Markdown.table(["", "stage", "began", "took", "result", "files"], rows)
    }

    var authenticity: String {
        guard !record.suites.isEmpty else { return "" }
        let rows = record.suites.map { suite -> [String] in
            let seen = report.observed(suite)
            let remarks = suite.authenticity?.reasons.map(\.text).joined(separator: "; ") ?? ""
            return [
                suite.authenticity?.status.rawValue ?? "none", suite.name,
                seen.wallSeconds.map { Durations.text(seconds: $0) } ?? "-",
                seen.cpuSeconds.map { Durations.text(seconds: $0) } ?? "-",
                seen.peakMemoryBytes.map { Numbers.bytes($0) } ?? "-",
                seen.hosts.isEmpty ? "none seen" : Plurals.list(seen.hosts, limit: 3), remarks.isEmpty ? "-" : remarks,
            ].map(Markdown.escaped)
        }
        return "## How real the tests were\n\n"
            + Markdown.table(["evidence", "suite", "wall", "CPU", "peak memory", "hosts contacted", "remarks"], rows)
    }

    var foot: String {
        let seal = report.context.seal.map { " \(Seal.words(record.cycle)) `\($0)`" } ?? ""
        return
            "Computed from `cycle.json` beside this file; `nightjar verify --cycle \(record.cycle)` checks that nothing was changed.\(seal)\n"
    }
}
