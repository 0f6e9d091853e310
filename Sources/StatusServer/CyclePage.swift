// SPDX-License-Identifier: Apache-2.0
// The page of one cycle: verdict and reasons, stages on a time line, suites, incidents, and every file of its evidence.

import Domain
import Reporting

struct CyclePage {
    let record: CycleRecord
    /// Paths inside the cycle folder with their sizes.
    let files: [EvidenceFile]
    let moreFiles: Bool
    let base: String
    let now: Timestamp
    /// The cycles beside it that are kept.
    var previous: Int?
    var next: Int?

    var content: Markup {
        """
        \(head)\(reasons)\(facts)\(incidents)\(suites)\(notPassed)\(actions)\(stages)\(experiments)\(evidence)\(pager)
        """
    }

    private var head: Markup {
        let isShipped = record.recommendation == .ship
        return """
            <div class="head \(Tone(record.verdict).rawValue)"><h2>\(record.loop, limit: 80), cycle \(record.cycle)</h2>
            <p class="state"><strong>\(record.verdict.rawValue.uppercased())</strong></p>
            <p class="facts"><span class="badge \(isShipped ? "good" : "bad")">\(record.recommendation.rawValue.uppercased())</span> \
            <code>\(record.revision.wanted.short, limit: 40)</code> \(record.revision.subject ?? "", limit: 160) \
            <span class="soft">\(CycleWords(record).times, limit: 200)</span></p></div>
            """
    }

    private var reasons: Markup {
        let reasons = CycleWords(record).reasons.prefix(40)
        guard !reasons.isEmpty else { return "" }
        let items = reasons.map { reason -> Markup in
            let link = reason.evidence.map { " <a href=\"\(file($0))\">evidence</a>" as Markup }
            // Of two suites that did not run, both are named; a text that names its subject does not do it twice.
            let subject = reason.subject.flatMap { reason.text.contains($0) ? nil : $0 }
                .map { "<b>\($0, limit: 120)</b>: " as Markup }
            return """
                <li class="\(Tone(reason.verdict).rawValue)">\(subject)\(reason.text, limit: 500) <span class="soft">\(reason.rule, limit: 60)</span>\(link)</li>
                """
        }
        return "<h3>Why</h3><ul class=\"reasons\">\(items)</ul>"
    }

    private var facts: Markup {
        let summary = CycleWords(record)
        let value: Markup? = summary.value.map { "<dt>Value</dt><dd>\($0)</dd>" }
        return """
            <dl class="answers small"><dt>Revision</dt><dd>\(summary.wanted, limit: 300)<br><span class="soft">\
            \(summary.otherRevisions, limit: 300)</span></dd><dt>Serving</dt><dd>\(summary.environment, limit: 300)</dd>\(value)</dl>
            """
    }

    /// When each stage ran within the cycle.
    private var stages: Markup {
        guard !record.stages.isEmpty else { return "" }
        let start = record.stages.map(\.startedAt).min() ?? record.startedAt
        let end = max(record.endedAt, record.stages.map(\.endedAt).max() ?? record.endedAt)
        let whole = max(1, end.milliseconds - start.milliseconds)
        let rows = record.stages.prefix(200).map { stage -> Markup in
            let tone = tone(stage.outcome)
            let left = 1000 * (stage.startedAt.milliseconds - start.milliseconds) / whole
            let wide = max(6, 1000 * (stage.endedAt.milliseconds - stage.startedAt.milliseconds) / whole)
            let log = stage.commands.compactMap(\.log).first.map { " <a href=\"\(file($0))\">log</a>" as Markup }
            return """
                <tr><td><span class="badge \(tone.rawValue)">\(stage.outcome.words)</span></td>\
                <th scope="row"><code>\(stage.run.folder, limit: 80)</code></th>\
                <td class="n">\(Durations.text(seconds: stage.durationSeconds))</td>\
                <td><svg class="line" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" \
                aria-label="from \(Durations.text(seconds: seconds(start, stage.startedAt))) to \
                \(Durations.text(seconds: seconds(start, stage.endedAt)))"><rect class="ground" width="1000" height="10"/>\
                <rect class="\(tone.rawValue)" x="\(Int(max(0, min(994, left))))" width="\(Int(min(1000, wide)))" height="10"/></svg></td>\
                <td class="w">\(stage.summary, limit: 240)\(log)</td></tr>
                """
        }
        return """
            <h3>Stages</h3><div class="scroll" tabindex="0" role="region" aria-label="stages"><table aria-label="stages"><thead><tr><th>Outcome</th>\
            <th>Stage</th><th class="n">Time</th><th>When</th><th>Result</th></tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private func seconds(_ from: Timestamp, _ to: Timestamp) -> Double { max(0, to.since(from).inSeconds) }

    private func tone(_ outcome: StageOutcome) -> Tone { Tone(outcome.mark) }

    private var suites: Markup {
        record.suites.isEmpty ? "" : "<h3>Suites</h3>\(SuitePieces.table(record, base: base))"
    }

    private var notPassed: Markup {
        let rows = CycleWords(record).notPassed
        guard !rows.isEmpty else { return "" }
        let items = rows.prefix(100).map { row -> Markup in
            let details: Markup? = row.details.map {
                "<details><summary>Details</summary><pre>\(Markup.block($0, limit: 100))</pre></details>"
            }
            return """
                <li class="\(row.isFailure ? "bad" : "")"><code>\(row.id, limit: 300)</code> <span class="soft">\(row.suite, limit: 80), \
                \(row.outcome, limit: 80)\(row.place.map { ", " + $0 } ?? "", limit: 200)</span>\
                \(row.message.map { "<p>\($0, limit: 600)</p>" as Markup })\(details)</li>
                """
        }
        let rest = rows.count - items.count
        let more: Markup = rest > 0 ? "<p class=\"soft\">and \(rest) more in tests.jsonl</p>" : ""
        return "<h3>Not passed: \(Plurals.count(rows.count, "test"))</h3><ul class=\"reasons\">\(items)</ul>\(more)"
    }

    private var incidents: Markup {
        guard !record.incidents.isEmpty else { return "" }
        let items = record.incidents.prefix(20).map { incident -> Markup in
            """
            <details class="incident" id="\(incident.id, limit: 40)" open><summary><b>\(incident.id, limit: 40)</b> \
            \(incident.title, limit: 200) <span class="badge quiet">\(incident.state.rawValue)</span></summary>
            \(IncidentPieces.body(incident, at: now, files: "\(base)/cycles/\(record.cycle)/files/"))</details>
            """
        }
        return "<h3>Incidents</h3>\(items)"
    }

    private var experiments: Markup {
        guard !record.experiments.isEmpty else { return "" }
        let rows = record.experiments.prefix(60).map { item -> Markup in
            """
            <tr><th scope="row">\(item.experiment.words, limit: 120)</th><td class="w">\(item.experiment.question, limit: 300)</td>\
            <td class="w">\(item.result, limit: 300)</td></tr>
            """
        }
        return """
            <h3>Experiments</h3><div class="scroll" tabindex="0" role="region" aria-label="experiments"><table aria-label="experiments"><thead><tr><th>Experiment</th>\
            <th>Question</th><th>Result</th></tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private var actions: Markup {
        guard !record.actions.isEmpty else { return "" }
        let items = record.actions.prefix(40).map {
            "<li>\($0.words, limit: 160): \($0.because, limit: 300)</li>" as Markup
        }
        return "<h3>Actions</h3><ul>\(items)</ul>"
    }

    private var evidence: Markup {
        let items = files.map { file -> Markup in
            """
            <tr><th scope="row"><a href="\(self.file(file.path))"><code>\(file.path, limit: 200)</code></a></th>\
            <td class="n">\(Numbers.bytes(file.bytes))</td></tr>
            """
        }
        let more: Markup = moreFiles ? "<p class=\"soft\">and more on disk</p>" : ""
        return """
            <h3>Evidence</h3><div class="scroll" tabindex="0" role="region" aria-label="evidence files"><table aria-label="evidence files"><thead><tr><th>File</th>\
            <th class="n">Size</th></tr></thead><tbody>\(items)</tbody></table></div>\(more)\
            <p class="soft">Check it all: <code>nightjar verify</code>, or <code>sha256sum -c SHA256SUMS</code> in the folder.</p>
            """
    }

    private var pager: Markup {
        func link(_ number: Int?, _ words: (Int) -> String) -> Markup {
            number.map { "<a href=\"\(base)/cycles/\($0)\">\(words($0))</a>" } ?? "<span></span>"
        }
        let (older, newer) = (link(previous) { "← cycle \($0)" }, link(next) { "cycle \($0) →" })
        return "<nav class=\"pager\" aria-label=\"other cycles\">\(older)\(newer)</nav>"
    }

    /// Where a file of this cycle is served.
    private func file(_ path: String) -> String { "\(base)/cycles/\(record.cycle)/files/\(Markup.path(path))" }
}

/// A file below a cycle folder.
struct EvidenceFile: Hashable, Sendable {
    var path: String
    var bytes: Int64
}
