// SPDX-License-Identifier: Apache-2.0
// What every page has around its content: landmarks, a way around, and its own two files.

import Domain

struct PageShell {
    var title: String
    /// What a screen reader calls the page, where that is not its title.
    var heading: String?
    /// Links in the navigation: what they say and where they go.
    var trail: [(words: String, place: String)] = []
    /// What the page listens to; nil for a page that does not change.
    var events: String?
    /// Of the newest state, for the browser's tab.
    var tone = Tone.quiet

    func page(_ content: Markup, at now: Timestamp) -> String {
        let links = ([("Nightjar", "/")] + trail).enumerated().map { index, link -> Markup in
            let isLast = index == trail.count
            return
                "<li><a href=\"\(link.1)\"\(isLast ? " aria-current=\"page\"" as Markup : "")>\(link.0, limit: 80)</a></li>"
        }
        var live: Markup = ""
        var data: Markup = ""
        if let events {
            data = " data-events=\"\(events)\" data-now=\"\(now.description)\""
            live =
                "<p id=\"live\" role=\"status\">as of <time datetime=\"\(now.description)\">\(now.wholeSeconds)</time></p>"
        }
        let html: Markup = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title, limit: 120)</title>
            <link rel="icon" type="image/svg+xml" href="/assets/\(tone.rawValue).svg" id="icon">
            <link rel="stylesheet" href="/assets/page.css">
            <script src="/assets/page.js" defer></script>
            </head>
            <body\(data)>
            <a class="skip" href="#content">Skip to the content</a>
            <header><nav aria-label="where you are"><ol>\(links)</ol></nav>\(live)</header>
            <main id="content" tabindex="-1">
            <h1 class="quietly">\(heading ?? title, limit: 120)</h1>
            \(content)
            </main>
            <footer>Read-only: steer with <code>nightjar</code> on its host. Times are UTC. \
            <a href="/metrics">metrics</a> <a href="/api/v1/loops">API</a> <a href="/healthz">health</a></footer>
            </body>
            </html>

            """
        return html.text
    }

    /// A live section: the script replaces its content.
    static func section(_ section: Section) -> Markup {
        "<section id=\"\(section.id)\" class=\"s-\(String(section.id.drop { $0 != "-" }.dropFirst()))\">\(section.html)</section>\n"
    }

    static func icon(_ tone: Tone) -> String {
        let color =
            switch tone {
            case .good: "#2b9a66"
            case .bad: "#dc3e42"
            case .doubt: "#e2a336"
            case .quiet: "#80838d"
            }
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"7\" fill=\"\(color)\"/></svg>"
    }
}
