// SPDX-License-Identifier: Apache-2.0
// `report.html`: one cycle as a page that needs nothing but itself: no script, no font, no request. Verdict and reasons
// first, then what changed and what to do, then everything that supports it, each figure beside a link to its source.

package import Domain

package enum HTMLReport {
    package static func text(_ record: CycleRecord, _ context: ReportContext = ReportContext()) -> String {
        let report = CycleReport(record, context)
        let page = HTMLCycle(report)
        return HTML.page(title: "\(report.summary.title) \(report.summary.verdict)", body: page.body)
    }

    static func escaped(_ text: String) -> String { HTML.escaped(text) }
}

/// The parts of the page, in their order.
struct HTMLCycle {
    let report: CycleReport
    var summary: CycleSummary { report.summary }
    var record: CycleRecord { report.record }
    private var base: String { report.context.linkBase }

    init(_ report: CycleReport) {
        self.report = report
    }

    var body: String {
        var text = hero + reasons
        text += "<div class=\"two\">\n\(changes)\(next)</div>\n"
        text += suites + HTMLIncidents(report).html + experiments + actions
        text += capabilities + targets + trends + notPassed
        text += readiness + risks + audit + signOff + stages + authenticity + logs
        return text + foot
    }

    func link(_ path: String, _ text: String? = nil) -> String { HTML.link(path, text, base: base) }

    static func mark(_ mark: LogLine.Mark) -> String {
        let word = mark == .fail ? "fail" : mark == .warn ? "unproven" : mark.rawValue
        return HTML.badge(word, mark.tone)
    }

    // MARK: Above the fold

    private var hero: String {
        let ship = HTML.badge(summary.recommendation, record.recommendation == .ship ? .good : .bad)
        let figures = report.figures.map { row in
            "<div><b>\(HTML.escaped(row.figure))</b><span>\(HTML.escaped(row.label))</span>"
                + "<small>\(HTML.escaped(row.remark))</small></div>\n"
        }
        return """
            <header class="hero \(record.verdict.tone.rawValue)">
            <p class="eyebrow">\(HTML.escaped(summary.title)) · \(HTML.escaped(summary.times))</p>
            <h1>\(HTML.escaped(summary.verdict)) \(ship)</h1>
            <p class="lede">\(HTML.escaped(report.sentence))</p>
            <div class="figures">
            \(figures.joined())</div>
            <dl>
            <dt>Revision</dt><dd>\(HTML.escaped(summary.wanted))</dd>
            <dt>Proven</dt><dd>\(HTML.escaped(summary.otherRevisions))</dd>
            <dt>Serving</dt><dd>\(HTML.escaped(summary.environment))</dd>
            </dl>
            </header>

            """
    }

    private var reasons: String {
        let rows = summary.reasons.map { reason in
            let subject = reason.subject.map { "<b>\(HTML.escaped($0))</b> " } ?? ""
            let evidence = reason.evidence.map { " · \(link($0))" } ?? ""
            return "<li class=\"\(reason.verdict.tone.rawValue)\">\(subject)\(HTML.escaped(reason.text)) "
                + "<small>rule \(HTML.escaped(reason.rule))\(evidence)</small></li>\n"
        }
        guard !rows.isEmpty else { return "" }
        let shown = rows.prefix(HTMLCycle.reasonsShown).joined()
        var text = "<ul class=\"reasons\">\n\(shown)</ul>\n"
        if rows.count > HTMLCycle.reasonsShown {
            let rest = rows.dropFirst(HTMLCycle.reasonsShown)
            text += "<details><summary>\(Plurals.count(rest.count, "more reason"))</summary>\n"
            text += "<ul class=\"reasons\">\n\(rest.joined())</ul>\n</details>\n"
        }
        return HTML.section("reasons", "Why", text)
    }

    private var changes: String {
        guard let previous = report.context.previous, let changes = report.changes else {
            return HTML.section(
                "changes", "What changed", "<p class=\"soft\">There is no earlier cycle to compare with.</p>\n")
        }
        let items = changes.map { change in
            let (sign, tone): (String, HTML.Tone) =
                switch change.direction {
                case .better: ("better", .good)
                case .worse: ("worse", .bad)
                case .neutral: ("same", .quiet)
                }
            let word = change.direction == .neutral ? "note" : sign
            return "\(HTML.badge(word, tone)) \(HTML.escaped(change.text))"
        }
        return HTML.section("changes", "What changed since #\(previous.cycle)", HTML.list(items, "plain"))
    }

    private var next: String {
        let items = report.nextActions.map { action in
            HTML.escaped(action.text)
                + (action.command.map { "<br><code class=\"run\">\(HTML.escaped($0))</code>" } ?? "")
        }
        let list = "<ol class=\"next\">\n" + items.map { "<li>\($0)</li>\n" }.joined() + "</ol>\n"
        return HTML.section("next", "What next", list)
    }

    // MARK: Suites, capabilities, targets

    private var suites: String {
        guard !record.suites.isEmpty else { return "" }
        let before = Dictionary(report.beforeAfter.map { ($0.suite, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = zip(summary.suites, summary.suitesByImportance).map { row, suite -> [String] in
            let earlier = before[suite.name].flatMap { entry in
                entry.beforeStatus.map { status in
                    let rate = entry.before?.passRate.map(Numbers.percent) ?? status.words
                    return "\(HTML.escaped(rate)) <small>\(HTML.escaped(entry.source ?? ""))</small>"
                }
            }
            let rate = suite.totals.passRate.map(Numbers.percent) ?? suite.status.words
            let name = "<strong>\(HTML.escaped(suite.name))</strong>"
            return [
                HTMLCycle.mark(row.mark), row.priority, name,
                earlier ?? "<span class=\"soft\">-</span>", "<b>\(HTML.escaped(rate))</b>",
                HTML.escaped(row.totals) + (suite.testsFile.map { "<br>\(link($0, "all results"))" } ?? ""),
                row.duration, row.value,
            ]
        }
        let unit = record.value.unit.isEmpty ? "value" : record.value.unit
        var text = HTML.table(
            ["", "", "suite", "before", "after", "tests", "took", unit], rows, numeric: [6, 7], wide: [5])
        if let formula = report.valueFormula { text += "<p class=\"formula\">\(HTML.escaped(formula))</p>\n" }
        if let time = report.testTime {
            text += "<p class=\"formula\">time in tests: \(HTML.escaped(time))</p>\n"
        }
        return HTML.section("suites", "Suites", text)
    }

    private var capabilities: String {
        guard !record.capabilities.isEmpty else { return "" }
        var text = HTML.table(
            ["", "capability", "suite", "tests", "value"],
            record.capabilities.map {
                [
                    HTMLCycle.mark($0.status.mark), HTML.escaped($0.name), HTML.escaped($0.suite),
                    HTML.escaped(CycleSummary.words($0.totals)), HTML.escaped($0.valueWords),
                ]
            }, numeric: [4])
        for capability in record.capabilities {
            guard let steps = capability.steps else { continue }
            let items = steps.enumerated().map { index, step in
                "<li class=\"\(step.status.mark.tone.rawValue)\"><b>\(index + 1)</b> \(HTML.escaped(step.name)) "
                    + "<small>\(HTML.escaped(step.status.words))</small></li>\n"
            }
            text += "<h3>\(HTML.escaped(capability.name)): \(HTML.escaped(capability.flowWords))</h3>\n"
            text += "<ol class=\"flow\">\n\(items.joined())</ol>\n"
        }
        return HTML.section("capabilities", "Capabilities", text)
    }

    private var notPassed: String {
        let rows = summary.notPassed
        guard !rows.isEmpty else { return "" }
        var text = ""
        for row in rows.prefix(HTMLCycle.testsShown) {
            let place = row.place.map { " · \(HTML.escaped($0))" } ?? ""
            text +=
                "<article class=\"\(row.isFailure ? "bad" : "quiet")\"><h3><code>\(HTML.escaped(row.id))</code></h3>\n"
            text += "<p class=\"soft\">\(HTML.escaped(row.suite)) · \(HTML.escaped(row.outcome))\(place)</p>\n"
            text += row.message.map { "<p>\(HTML.escaped($0))</p>\n" } ?? ""
            if let details = row.details {
                text += "<details><summary>details</summary>\(HTML.block(details))</details>\n"
            }
            text += "</article>\n"
        }
        let rest = rows.count - HTMLCycle.testsShown
        if rest > 0 { text += "<p>… and \(rest) more in the suites' tests.jsonl</p>\n" }
        return HTML.section("not-passed", "Not passed: \(Plurals.count(rows.count, "test"))", text)
    }

    private static let reasonsShown = 6
    private static let testsShown = 500
}
