// SPDX-License-Identifier: Apache-2.0
// The pages that change by themselves: the overview of all loops, and one loop with everything about it. Each is a list
// of sections, so that a change costs the bytes of its section and no more.

import Domain
import Reporting

struct Views {
    let loops: [LoopState]
    let now: Timestamp
    let limits: ServerLimits

    var all: [View: [Section]] {
        var views: [View: [Section]] = [.overview: summary + loops.flatMap(card)]
        for state in loops { views[.loop(state.loop.name)] = whole(state) }
        return views
    }

    /// Above several loops: how many are in which state, those that need somebody first, each a link to its card.
    private var summary: [Section] {
        guard loops.count > 1 else { return [] }
        let tones = loops.map { (state: $0, tone: Headline.tone($0)) }
        let groups = [(Tone.bad, "red"), (.doubt, "doubtful"), (.quiet, "without a verdict"), (.good, "green")]
            .compactMap {
                tone, words -> Markup? in
                let names = tones.filter { $0.tone == tone }.map { entry -> Markup in
                    " <a href=\"#l\(entry.state.index)-head\">\(entry.state.loop.name, limit: 40)</a>"
                }
                guard !names.isEmpty else { return nil }
                return "<li><span class=\"badge \(tone.rawValue)\">\(names.count) \(words)</span>\(names)</li>"
            }
        return [Section(id: Views.summary, html: "<ul class=\"summary\" aria-label=\"loops by state\">\(groups)</ul>")]
    }

    /// The section above those of the loops.
    static let summary = "all-summary"

    /// A loop on the overview: is it fine, what is it doing, what do I do, how was it lately.
    private func card(_ state: LoopState) -> [Section] {
        guard let reading = state.reading else { return [problem(state)] }
        let pieces = LoopPieces(reading, index: state.index, now: now, limits: limits)
        return [
            pieces.section("head", pieces.head(linked: true)), pieces.section("now", pieces.answers),
            pieces.section("strip", pieces.strip(20)), pieces.section("incidents", pieces.incidentLines),
        ]
    }

    private func whole(_ state: LoopState) -> [Section] {
        guard let reading = state.reading else { return [problem(state)] }
        let pieces = LoopPieces(reading, index: state.index, now: now, limits: limits)
        return [
            pieces.section("head", pieces.head(linked: false)), pieces.section("now", pieces.answers),
            pieces.section("incidents", pieces.incidents), pieces.section("strip", pieces.strip(40)),
            pieces.section("suites", pieces.suites), pieces.section("log", pieces.log(30)),
            pieces.section("machine", pieces.machine),
        ]
    }

    private func problem(_ state: LoopState) -> Section {
        Section(
            id: "l\(state.index)-head",
            html: """
                <div class="head doubt"><h2>\(state.loop.name, limit: 80)</h2>
                <p class="state"><strong>UNKNOWN</strong> its state cannot be read</p></div>
                <p class="problem">\(state.problem ?? "no reason is known")</p>
                """)
    }

    /// Whether two renderings say the same; ages go on by themselves.
    static func isSame(_ left: Markup, _ right: Markup) -> Bool { withoutAges(left.text) == withoutAges(right.text) }

    private static func withoutAges(_ text: String) -> String {
        guard text.contains("class=\"age\"") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "<time class=\"age\""), let end = rest.firstRange(of: "</time>"),
            let close = rest[start.upperBound...].firstIndex(of: ">"), close < end.lowerBound
        {
            result += rest[..<close]
            rest = rest[end.upperBound...]
            if let next = rest.firstRange(of: "<time class=\"age\"") {
                // Other times may stand between two ages.
                result += rest[..<next.lowerBound]
                rest = rest[next.lowerBound...]
            }
        }
        return result + rest
    }
}
