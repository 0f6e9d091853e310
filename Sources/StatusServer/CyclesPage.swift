// SPDX-License-Identifier: Apache-2.0
// The page of a loop's cycles, newest first, a screenful at a time.

import Domain
import Reporting

enum CyclesPage {
    static let perPage = 50

    /// - Parameter before: only cycles below this number; nil begins with the newest.
    static func content(_ reading: LoopReading, base: String, before: Int?, at now: Timestamp) -> Markup {
        let older = reading.cycles.filter { $0.cycle < before ?? Int.max }
        let shown = older.suffix(perPage).reversed()
        guard !shown.isEmpty else { return "<h2>Cycles</h2><p class=\"soft\">No cycle is finished yet.</p>" }
        let rows = shown.map { cycle -> Markup in
            """
            <tr><th scope="row"><a href="\(base)/cycles/\(cycle.cycle)">#\(cycle.cycle)</a></th>\
            <td><span class="badge \(Tone(cycle.verdict).rawValue)">\(cycle.verdict.rawValue)</span></td>\
            <td>\(cycle.recommendation.rawValue)</td><td><code>\(cycle.revision.short, limit: 40)</code></td>\
            <td>\(.moment(cycle.endedAt, at: now))</td><td class="n">\(Durations.text(seconds: cycle.durationSeconds))</td>\
            <td class="w">\(CycleWords.totals(cycle.totals), limit: 120)</td><td>\(Plurals.list(cycle.incidents, limit: 4), limit: 160)</td></tr>
            """
        }
        var pager: Markup = ""
        if let last = shown.last, older.count > perPage {
            pager =
                "<nav class=\"pager\" aria-label=\"other cycles\"><span></span><a href=\"\(base)/cycles?before=\(last.cycle)\">older cycles →</a></nav>"
        }
        return """
            <h2>Cycles of \(reading.status.loop, limit: 80)</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="cycles"><table aria-label="cycles"><thead><tr><th>Cycle</th><th>Verdict</th><th>Advice</th>\
            <th>Revision</th><th>Ended</th><th class="n">Took</th><th>Tests</th><th>Incidents</th></tr></thead>
            <tbody>\(Array(rows))</tbody></table></div>\(pager)
            """
    }
}
