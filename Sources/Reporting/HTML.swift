// SPDX-License-Identifier: Apache-2.0
// The few pieces of HTML that reports are made of. Text goes through `escaped` and nothing else makes text; links lead to
// files of the cycle folder and nowhere else.

import Domain

package enum HTML {
    /// Text for element content and quoted attributes.
    package static func escaped(_ text: String) -> String {
        entities(Printable.line(text, columns: Printable.columnsPerLine))
    }

    /// Printable text with what means something in element content or quoted attributes replaced.
    package static func entities(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 38 || $0 == 60 || $0 == 62 || $0 == 34 || $0 == 39 }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// How something is colored: by what it means.
    enum Tone: String {
        case good, bad, doubt, quiet
    }

    static func badge(_ word: String, _ tone: Tone) -> String {
        "<span class=\"badge \(tone.rawValue)\">\(escaped(word))</span>"
    }

    /// A link to a file of the cycle folder; one that would lead out of the folder leads nowhere.
    static func link(_ path: String, _ text: String? = nil, base: String) -> String {
        let shown = "<code>\(escaped(text ?? path))</code>"
        guard let address = address(path) else { return "<a>\(shown)</a>" }
        return "<a href=\"\(escaped(base))\(address)\">\(shown)</a>"
    }

    /// The path as a relative reference (RFC 3986, 4.2): every byte that is not plain is percent-encoded.
    private static func address(_ path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        var result = ""
        for byte in path.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 47, 95: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    /// Cells are HTML already; heads are plain text. Below the width of a phone each row becomes a card.
    static func table(_ head: [String], _ rows: [[String]], numeric: Set<Int> = [], wide: Set<Int> = []) -> String {
        func attributes(_ index: Int) -> String {
            let kind = numeric.contains(index) ? " class=\"n\"" : wide.contains(index) ? " class=\"w\"" : ""
            return kind
        }
        let heads = head.enumerated().map { "<th\(attributes($0.offset))>\(escaped($0.element))</th>" }.joined()
        let body = rows.map { row in
            let cells = row.enumerated().map { index, cell in
                let label = index < head.count ? escaped(head[index]) : ""
                return "<td\(attributes(index)) data-label=\"\(label)\"><div>\(cell)</div></td>"
            }
            return "<tr>\(cells.joined())</tr>\n"
        }
        return "<table>\n<thead><tr>\(heads)</tr></thead>\n<tbody>\n\(body.joined())</tbody>\n</table>\n"
    }

    static func list(_ items: [String], _ kind: String = "") -> String {
        guard !items.isEmpty else { return "" }
        let style = kind.isEmpty ? "" : " class=\"\(kind)\""
        return "<ul\(style)>\n" + items.map { "<li>\($0)</li>\n" }.joined() + "</ul>\n"
    }

    static func moment(_ time: Timestamp?) -> String {
        time.map { "<time>\(escaped($0.wholeSeconds))</time>" } ?? "-"
    }

    static func section(_ id: String, _ title: String, _ body: String) -> String {
        body.isEmpty ? "" : "<section id=\"\(id)\">\n<h2>\(escaped(title))</h2>\n\(body)</section>\n"
    }

    /// Text of several lines, head and tail kept.
    static func block(_ text: String, limit: Int = 200) -> String {
        "<pre>" + Printable.lines(text, limit: limit).map(escaped).joined(separator: "\n") + "</pre>"
    }

    /// A whole page that needs nothing but itself. The policy in its head forbids scripts and requests, so that even a
    /// mistake in escaping could run nothing.
    static func page(title: String, body: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(escaped(title))</title>
        <style>
        \(HTMLStyle.sheet)
        </style>
        </head>
        <body>
        <main>
        \(body)</main>
        </body>
        </html>

        """
    }
}

extension Verdict {
    var tone: HTML.Tone {
        switch self {
        case .healthy: .good
        case .failing: .bad
        case .degraded, .unproven, .interrupted: .doubt
        }
    }
}

extension LogLine.Mark {
    var tone: HTML.Tone {
        switch self {
        case .ok, .green: .good
        case .fail, .red: .bad
        case .warn, .hold, .gray: .doubt
        default: .quiet
        }
    }
}

extension Standing {
    var tone: HTML.Tone {
        switch self {
        case .approved: .good
        case .conditional: .doubt
        case .rejected: .bad
        case .notRecorded: .quiet
        }
    }
}

extension TargetRecord.Status {
    var tone: HTML.Tone {
        switch self {
        case .met: .good
        case .missed: .bad
        case .notMeasured: .doubt
        }
    }

    package var words: String {
        switch self {
        case .met: "met"
        case .missed: "missed"
        case .notMeasured: "not measured"
        }
    }
}
