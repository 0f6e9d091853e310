// SPDX-License-Identifier: Apache-2.0
// The second half of the page: what was tried, how ready it is, what is left, and where everything can be checked.

import Domain

extension HTMLCycle {
    var experiments: String {
        guard !record.experiments.isEmpty else { return "" }
        let rows = record.experiments.map { entry -> [String] in
            let stages = entry.stages.compactMap { folder in record.stages.first { $0.run.folder == folder } }
            let logs = stages.flatMap { $0.commands.prefix(1).compactMap(\.log) }.map { link($0) }
            return [
                HTML.escaped(entry.experiment.words), HTML.escaped(entry.experiment.question),
                "<b>\(HTML.escaped(entry.result))</b>", logs.isEmpty ? "-" : logs.joined(separator: "<br>"),
            ]
        }
        return HTML.section(
            "experiments", "Experiments",
            HTML.table(["experiment", "question", "answer", "evidence"], rows, wide: [3]))
    }

    var actions: String {
        guard !record.actions.isEmpty else { return "" }
        let rows = record.actions.map { [HTML.escaped($0.words), HTML.escaped($0.account)] }
        return HTML.section("actions", "What was done about it", HTML.table(["action", "because"], rows, wide: [1]))
    }

    var trends: String {
        var cycles = report.context.history.filter { $0.cycle < record.cycle }
        cycles.append(CycleBrief(record))
        let charts = TrendCharts.html(cycles, unit: record.value.unit)
        return HTML.section("trends", "Over the last \(Plurals.count(min(60, cycles.count), "cycle"))", charts)
    }

    var readiness: String {
        guard let readiness = record.readiness else { return "" }
        let rows = readiness.components.map { part -> [String] in
            let score = part.score ?? 0
            let tone: HTML.Tone = score >= 100 ? .good : score >= 80 ? .doubt : .bad
            return [
                HTML.escaped(part.name), Numbers.grouped(part.weight),
                part.score.map { HTML.escaped(Numbers.percent($0)) } ?? "not proven", SVGChart.share(score, tone: tone),
                "\(part.good) of \(part.counted)", HTML.escaped(Plurals.list(part.from, limit: 6)),
            ]
        }
        var text = HTML.table(
            ["component", "weight", "score", "", "passed", "from"], rows, numeric: [1, 2, 4], wide: [3, 5])
        if let formula = report.readinessFormula {
            text += "<p class=\"formula\">sum of weight x score / sum of weights = \(HTML.escaped(formula)) %</p>\n"
        }
        return HTML.section("readiness", "Readiness \(Numbers.percent(readiness.score))", text)
    }

    var risks: String {
        let gone = report.risksEliminated
        let left = report.risksLeft
        let none = "<p class=\"soft\">None that the evidence shows.</p>\n"
        return "<div class=\"two\">\n"
            + HTML.section(
                "gone", "Risks eliminated", gone.isEmpty ? none : HTML.list(gone.map(HTML.escaped), "ticks"))
            + HTML.section("left", "Risks left", left.isEmpty ? none : HTML.list(left.map(HTML.escaped), "crosses"))
            + "</div>\n"
    }

    /// Who did what.
    var audit: String {
        let rows = report.auditTrail.map { entry -> [String] in
            [
                entry.result.map { HTML.badge($0, entry.tone) } ?? "", HTML.moment(entry.at),
                "<strong>\(HTML.escaped(entry.who))</strong>", HTML.escaped(entry.what),
                HTML.escaped(entry.detail)
                    + entry.evidence.prefix(4).map { "<br><small>\(link($0))</small>" }.joined(),
            ]
        }
        let none = "<p class=\"soft\">\(HTML.escaped(CycleReport.noAudit))</p>\n"
        return HTML.section(
            "audit", "Audit: who did what",
            rows.isEmpty ? none : HTML.table(["", "when", "who", "what", "said"], rows, wide: [4]))
    }

    /// Every log of the cycle, also of commands that are no stage of their own.
    var logs: String {
        let rows = report.logs.map { log -> [String] in
            [
                link(log.path), HTML.escaped(log.command), HTML.escaped(log.end),
                log.bytes.map { HTML.escaped(Numbers.bytes($0)) } ?? "-",
            ]
        }
        guard !rows.isEmpty else { return "" }
        let table = HTML.table(["log", "command", "end", "size"], rows, numeric: [3], wide: [1])
        return HTML.section(
            "logs", "All logs",
            "<details><summary>\(Plurals.count(rows.count, "log"))</summary>\n\(table)</details>\n")
    }

    var signOff: String {
        let phases = SignOff.phases(record).map { phase -> [String] in
            [
                HTML.badge(phase.standing.rawValue, phase.standing.tone), HTML.escaped(phase.phase),
                HTML.escaped(phase.who), HTML.escaped(phase.what), HTML.moment(phase.when),
                phase.evidence.isEmpty ? "-" : phase.evidence.prefix(4).map { link($0) }.joined(separator: "<br>"),
            ]
        }
        var text = HTML.table(["", "phase", "who", "what", "when", "evidence"], phases, wide: [3, 5])
        let suites = SignOff.suites(record).map { suite -> [String] in
            [
                HTML.badge(suite.standing.rawValue, suite.standing.tone), HTML.escaped(suite.suite),
                HTML.escaped(suite.because),
                suite.prerequisites.isEmpty
                    ? "-" : suite.prerequisites.prefix(8).map(HTML.escaped).joined(separator: "<br>"),
            ]
        }
        if !suites.isEmpty {
            text += HTML.table(["", "suite", "result", "prerequisites"], suites, wide: [3])
        }
        text +=
            "<p class=\"formula\">Approved: everything passed. Conditional: tests were skipped or did not run, it "
            + "does not block, or every failure is in quarantine by name with an owner and a date, or known to be flaky. "
            + "Rejected: anything else.</p>\n"
        return HTML.section("sign-off", "Sign-off", text)
    }

    var stages: String {
        guard !record.stages.isEmpty else { return "" }
        let start = record.startedAt
        let whole = max(record.durationSeconds, 0.001)
        let rows = zip(record.stages, summary.stages).map { stage, row -> [String] in
            let from = min(99.6, max(0, 100 * stage.startedAt.since(start).inSeconds / whole))
            let width = min(100 - from, 100 * stage.durationSeconds / whole)
            let files = report.files(stage).map { link($0, report.shortName($0, in: stage)) }
            return [
                HTMLCycle.mark(row.mark), "<code>\(HTML.escaped(row.folder))</code>",
                SVGChart.span(
                    from: from, width: width, tone: row.mark.tone, title: "\(row.folder): \(row.duration)"),
                row.duration,
                HTML.escaped(row.text) + (files.isEmpty ? "" : "<br>" + files.joined(separator: " ")),
            ]
        }
        return HTML.section(
            "stages", "Stages and their evidence",
            "<div class=\"stages\">\n\(HTML.table(["", "stage", "when", "took", "result"], rows, numeric: [3], wide: [4]))</div>\n"
                + "<p class=\"formula\">Each line is the whole cycle, \(HTML.moment(start)) to \(HTML.moment(record.endedAt)).</p>\n"
        )
    }

    var authenticity: String {
        guard !record.suites.isEmpty else { return "" }
        let rows = record.suites.map { suite -> [String] in
            let seen = report.observed(suite)
            let status = suite.authenticity?.status
            let tone: HTML.Tone = status == .proven ? .good : status == nil || status == .unobserved ? .quiet : .doubt
            let learning = suite.authenticity?.baseline.map { ", learning \($0)" } ?? ""
            let reasons = suite.authenticity?.reasons.map { HTML.escaped($0.text) } ?? []
            return [
                HTML.badge((status?.rawValue ?? "none") + learning, tone), HTML.escaped(suite.name),
                seen.wallSeconds.map { Durations.text(seconds: $0) } ?? "-",
                seen.cpuSeconds.map { Durations.text(seconds: $0) } ?? "-",
                seen.peakMemoryBytes.map { Numbers.bytes($0) } ?? "-",
                seen.hosts.isEmpty ? "none seen" : HTML.escaped(Plurals.list(seen.hosts, limit: 3)),
                reasons.isEmpty ? "-" : reasons.joined(separator: "<br>"),
            ]
        }
        return HTML.section(
            "authenticity", "How real the tests were",
            HTML.table(
                ["evidence", "suite", "wall", "CPU", "peak memory", "hosts contacted", "remarks"], rows,
                numeric: [2, 3, 4], wide: [6]))
    }

    private var seal: String {
        guard let hash = report.context.seal else { return "" }
        return " \(HTML.escaped(Seal.words(record.cycle))) <code class=\"seal\">\(HTML.escaped(hash))</code>"
    }

    var foot: String {
        """
        <footer>Computed by \(HTML.escaped(record.writtenBy)) from \(link("cycle.json")); settings \
        \(HTML.escaped(String(record.settingsHash.prefix(12)))). Sums of all files: \(link("SHA256SUMS")); \
        <code>nightjar verify --cycle \(record.cycle)</code> checks them.\(seal)</footer>

        """
    }
}

extension CapabilityRecord {
    /// `6 of 6 steps confirmed, in this order`
    package var flowWords: String {
        guard let steps else { return "" }
        let confirmed = steps.count { $0.status == .passed }
        var text = "\(confirmed) of \(Plurals.count(steps.count, "step")) confirmed"
        let places = steps.compactMap(\.position)
        if confirmed == steps.count, places.count == steps.count {
            let isRising = zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
            text += isRising ? ", reported in this order" : ", reported in another order"
        }
        return text
    }
}
