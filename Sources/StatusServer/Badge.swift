// SPDX-License-Identifier: Apache-2.0
// `/badge.svg`: the state of a loop for a README or a wall.

import Domain
import Reporting

enum Badge {
    static func answer(_ state: LoopState) -> HTTPResponse {
        let name = Printable.line(state.loop.name, columns: 40)
        let (word, fill) = words(state.reading)
        // Widths after the average glyph of the font; textLength makes the words fit whatever font there is.
        let left = 12 + 7 * Printable.columns(name)
        let right = 12 + 7 * Printable.columns(word)
        let svg: Markup = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(left + right)" height="20" role="img" aria-label="\(name): \(word)">
            <title>\(name): \(word)</title><rect width="\(left + right)" height="20" rx="3" fill="#3f434a"/>
            <path d="M\(left) 0h\(right - 3)a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H\(left)z" fill="\(fill)"/>
            <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
            <text x="\(left / 2)" y="14" textLength="\(left - 12)">\(name)</text>
            <text x="\(left + right / 2)" y="14" textLength="\(right - 12)">\(word)</text></g></svg>

            """
        return HTTPResponse(200, type: "image/svg+xml", svg.text).tagged().shared()
            .with("Cache-Control", "no-cache, max-age=0").with("Cross-Origin-Resource-Policy", "cross-origin")
    }

    /// Never better than what is known: a loop without a daemon says so.
    private static func words(_ reading: LoopReading?) -> (String, String) {
        guard let reading else { return ("unknown", "#6b6f76") }
        guard let verdict = reading.status.verdict else { return ("no verdict yet", "#6b6f76") }
        let word = verdict.rawValue + (reading.status.daemon.alive ? "" : ", not running")
        guard reading.status.daemon.alive || verdict != .healthy else { return (word, "#6b6f76") }
        switch Tone(verdict) {
        case .good: return (word, "#1a7f4b")
        case .bad: return (word, "#b3202a")
        case .doubt: return (word, "#8a5300")
        case .quiet: return (word, "#6b6f76")
        }
    }
}
